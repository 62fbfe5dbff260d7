# SPDX-License-Identifier: MIT
"""An environment that is restored from a snapshot, as many others are from the same one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from gzip import decompress as gunzip
from pathlib import Path
from typing import Any

import pytest
from outcome import (
    HOLDS,
    NO_HOLD_MS,
    assert_all_arrived,
    assert_ledger_is_exact,
    is_sanitized_binary,
    shut_down,
    totals,
)

from kinesis import Behaviour, KinesisStub, compare, events_in
from lambda_environment import Credentials, LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]

LATER = Credentials("ASIALATER", "the-later-secret-key", "later-token==")


@pytest.fixture
def initialised(lambda_environment: Environments, kinesis_stub: KinesisStub) -> Environments:
    """Makes environments whose init takes until something was shipped, or sent at least."""

    def make(variables: dict[str, str] | None = None, **settings: Any) -> LambdaEnvironment:
        before = len(kinesis_stub.requests())

        def init() -> None:
            while len(kinesis_stub.requests()) == before:
                time.sleep(0.01)

        return lambda_environment(
            kinesis_stub,
            {**HOLDS, **(variables or {})},
            initialization_type="snap-start",
            init_output=["a line of the init\n"],
            init=init,
            init_limit_s=60.0,
            **settings,
        )

    return make


def assert_none_is_missing(environment: LambdaEnvironment, kinesis_stub: KinesisStub) -> None:
    """What was on its way when the snapshot was taken may come twice."""
    assert not compare(environment.emitted, events_in(kinesis_stub.records())).missing


def environments_in(events: Iterable[dict[str, Any]]) -> set[str]:
    return {event["lambda"]["environmentId"] for event in events}


@pytest.mark.parametrize("api", ["logs", "telemetry"])
def test_what_comes_after_the_restore_is_of_an_environment_of_its_own(
    initialised: Environments, kinesis_stub: KinesisStub, api: str
) -> None:
    environment = initialised({"EXTENSION_LOG_API": api})
    for _ in range(2):
        assert environment.invoke(output=numbered_lines(100)).undelivered_at_freeze == 0
    shut_down(environment)
    assert_none_is_missing(environment, kinesis_stub)
    of_snapshot = environments_in(events_in(kinesis_stub.records()[:1]))
    events = sorted(events_in(kinesis_stub.records()), key=lambda event: event["time"])
    restored = next(e["time"] for e in events if e["type"] == "platform.restoreStart")
    own = environments_in(event for event in events if event["time"] >= restored)
    assert len(of_snapshot) == len(own) == 1
    assert of_snapshot.isdisjoint(own), "every environment of the snapshot would have this id"
    ids = [event["eventId"] for event in events if event["lambda"]["environmentId"] in own]
    assert len(set(ids)) == len(ids)
    assert min(ids).endswith("-000000000001")


def test_a_record_of_cloudwatchs_format_is_of_a_log_stream_of_its_own(
    initialised: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = initialised({"EXTENSION_LOG_FORMAT": "cloudwatch"})
    environment.invoke(output=numbered_lines(10))
    shut_down(environment)
    records = [json.loads(gunzip(record.data)) for record in kinesis_stub.records()]
    assert records[0]["logStream"] != records[-1]["logStream"]
    first, last = (records[place]["logEvents"][-1]["id"] for place in (0, -1))
    environment_digits = slice(13, 28)
    assert first[environment_digits] != last[environment_digits]


def test_environments_of_one_function_version_never_share_an_event_id(
    initialised: Environments, kinesis_stub: KinesisStub
) -> None:
    ids: list[set[str]] = []
    for _ in range(2):
        before = len(kinesis_stub.records())
        environment = initialised()
        environment.invoke(output=["a line\n"])
        shut_down(environment)
        events = events_in(kinesis_stub.records()[before:])
        ids.append({event["eventId"] for event in events})
        assert len(environments_in(events)) == 2
    assert ids[0].isdisjoint(ids[1])


def test_no_connection_of_before_the_snapshot_is_used_after_it(
    initialised: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = initialised()
    before = [request.connection for request in kinesis_stub.requests()]
    for _ in range(2):
        environment.invoke(output=["a line\n"])
    shut_down(environment)
    after = [request.connection for request in kinesis_stub.requests()][len(before) :]
    assert set(before).isdisjoint(after)
    assert len(set(before)) == len(before), "one that is kept would be in the snapshot"
    assert len(set(after)) < len(after), "afterwards they are kept"


def test_what_was_in_flight_costs_the_first_invocation_nothing(
    initialised: Environments, kinesis_stub: KinesisStub
) -> None:
    # Its answer went to the environment that the snapshot was taken of.
    kinesis_stub.behave(Behaviour(hang=True))
    environment = initialised()
    invocation = environment.invoke(output=["a line\n"])
    assert invocation.undelivered_at_freeze == 0
    assert invocation.kept_awake_ms < NO_HOLD_MS
    shut_down(environment)
    assert_ledger_is_exact(totals(environment))
    assert_all_arrived(environment, kinesis_stub)


def test_credentials_that_expired_in_the_snapshot_are_never_used(
    initialised: Environments, kinesis_stub: KinesisStub
) -> None:
    # pain 29
    lifetime_s = 2.0
    environment = initialised(credentials_lifetime_s=lifetime_s)
    assert set(environment.credentials_given) == {kinesis_stub.credentials.access_key_id}
    environment.give_credentials(LATER)
    kinesis_stub.accept_only(LATER)
    time.sleep(lifetime_s)  # while the snapshot lies on a disk
    before = len(kinesis_stub.requests())
    assert environment.invoke(output=["a line\n"]).undelivered_at_freeze == 0
    shut_down(environment)
    statuses = {request.status for request in kinesis_stub.requests()[before:]}
    assert statuses == {200}, "the old ones were tried"
    assert_none_is_missing(environment, kinesis_stub)


DAY_S = 24 * 3600


@pytest.fixture
def wall_clock(tmp_path: Path) -> Path:
    """What is written into it in seconds is how far the extension's wall clock is ahead."""
    clock = tmp_path / "clock"
    clock.write_text("+0")
    return clock


def on_that_clock(clock: Path) -> dict[str, str]:
    """The monotonic clock stays as it is: it stands still in a snapshot."""
    [library] = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


def test_a_day_that_the_snapshot_lay_on_a_disk_costs_no_attempt(
    initialised: Environments, kinesis_stub: KinesisStub, extension_binary: Path, wall_clock: Path
) -> None:
    """The wall clock jumps: requests are signed by the new time, with credentials of that time."""
    if is_sanitized_binary(extension_binary):
        pytest.skip("a sanitizer wants to be the first library")
    environment = initialised(on_that_clock(wall_clock), credentials_lifetime_s=3600.0)
    before = len(kinesis_stub.requests())
    wall_clock.write_text(f"+{DAY_S}")
    kinesis_stub.set_clock(DAY_S)
    environment.give_credentials(LATER, 2.0 * DAY_S)
    kinesis_stub.accept_only(LATER)
    assert environment.invoke(output=["a line\n"]).undelivered_at_freeze == 0
    shut_down(environment)
    assert {request.status for request in kinesis_stub.requests()[before:]} == {200}
    assert_none_is_missing(environment, kinesis_stub)
