# SPDX-License-Identifier: MIT
"""When the environment may be frozen: the flush modes, and every way in which a hold ends."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable

import pytest
from outcome import HOLDS, NO_HOLD_MS, assert_all_arrived, free_port, messages, of_type, shut_down

from kinesis import Behaviour, KinesisStub, events_in
from lambda_environment import LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]
PLATFORM_BUFFER_MS = 25
DROPPED = {"reason": "slow", "droppedRecords": 1, "droppedBytes": 100}


def records_at_freeze(stub: KinesisStub) -> list[str]:
    """Records of the function's events that are in the stream by now; Kinesis keeps no order."""
    return sorted(event["record"] for event in of_type(events_in(stub.records()), "function"))


def test_nothing_is_left_behind_at_any_freeze(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # pains 1, 2 and 30: logs that come with a later invocation, or minutes later
    environment = lambda_environment(kinesis_stub, HOLDS)
    expected: list[str] = []
    for number, count in enumerate([1, 0, 10, 1000, 1, 5000]):
        lines = numbered_lines(count, prefix=f"invocation-{number}")
        invocation = environment.invoke(output=lines)
        expected += lines
        assert invocation.undelivered_at_freeze == 0
        assert records_at_freeze(kinesis_stub) == expected
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)


def test_a_small_invocation_is_kept_awake_for_little_more_than_the_platforms_buffer(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # pains 3 and 4: what a flush behind the function costs
    environment = lambda_environment(kinesis_stub, HOLDS)
    invocations = [environment.invoke(output=numbered_lines(10)) for _ in range(15)]
    awake = [invocation.kept_awake_ms for invocation in invocations]
    print(f"kept awake: p50 {statistics.median(awake):.1f} ms, max {max(awake):.1f} ms")
    assert min(awake) < PLATFORM_BUFFER_MS + 60
    assert statistics.median(awake) < NO_HOLD_MS
    assert all(invocation.undelivered_at_freeze == 0 for invocation in invocations)


def test_continuous_keeps_nothing_awake_and_loses_nothing(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, {"EXTENSION_LOG_FLUSH": "continuous"})
    invocations = [
        environment.invoke(
            output=numbered_lines(20, prefix=f"invocation-{number}"), duration_s=0.02
        )
        for number in range(10)
    ]
    assert statistics.median(item.kept_awake_ms for item in invocations) < 10
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)


def test_continuous_ships_while_the_function_still_runs(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, {"EXTENSION_LOG_FLUSH": "continuous"})
    environment.invoke(output=["at the beginning\n"], duration_s=0.4)
    assert records_at_freeze(kinesis_stub) == ["at the beginning\n"]


def test_a_request_in_flight_at_a_freeze_is_not_made_twice(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    kinesis_stub.behave(Behaviour(times=0, delay_s=0.1))
    environment = lambda_environment(kinesis_stub, {"EXTENSION_LOG_FLUSH": "continuous"})
    for number in range(6):
        environment.invoke(output=[f"invocation {number}\n"], duration_s=0.05)
    assert {request.status for request in kinesis_stub.requests()} == {200}
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, kinesis_stub)


def test_a_function_that_logs_nothing_is_not_kept_longer(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, HOLDS)
    awake = [environment.invoke().kept_awake_ms for _ in range(5)]
    assert min(awake) < PLATFORM_BUFFER_MS + 60
    assert statistics.median(awake) < NO_HOLD_MS


@pytest.mark.parametrize("types", ["function", "function,extension"])
def test_without_platform_events_in_the_stream_it_still_knows_when_to_let_go(
    lambda_environment: Environments, kinesis_stub: KinesisStub, types: str
) -> None:
    environment = lambda_environment(kinesis_stub, {**HOLDS, "EXTENSION_LOG_TYPES": types})
    for number in range(3):
        invocation = environment.invoke(output=[f"invocation {number}\n"])
        assert invocation.kept_awake_ms < NO_HOLD_MS
    assert records_at_freeze(kinesis_stub) == [f"invocation {number}\n" for number in range(3)]
    shut_down(environment)
    events = events_in(kinesis_stub.records())
    assert not [event for event in events if event["type"].startswith("platform.")]
    assert all(event["requestId"] for event in of_type(events, "function"))


# Every hold ends


@pytest.mark.parametrize("hold_ms", [0, 300])
def test_a_hold_ends_after_its_limit_when_kinesis_hangs(
    lambda_environment: Environments, kinesis_stub: KinesisStub, hold_ms: int
) -> None:
    # pain 7; and a blocking wait without a deadline, as in the AWS sample
    kinesis_stub.behave(Behaviour(times=0, hang=True))
    variables = {**HOLDS, "EXTENSION_LOG_HOLD_MS": str(hold_ms)}
    environment = lambda_environment(kinesis_stub, variables)
    for _ in range(3):
        invocation = environment.invoke(output=["a line\n"])
        assert invocation.status == "success"
        assert hold_ms - 10 <= invocation.kept_awake_ms < NO_HOLD_MS


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_a_hold_ends_after_its_limit_when_kinesis_cannot_be_reached(
    lambda_environment: Environments, kinesis_stub: KinesisStub, host: str
) -> None:
    variables = {
        **HOLDS,
        "EXTENSION_LOG_HOLD_MS": "300",
        "AWS_ENDPOINT_URL_KINESIS": f"http://{host}:{free_port()}",
    }
    environment = lambda_environment(kinesis_stub, variables)
    for _ in range(3):
        invocation = environment.invoke(output=["a line\n"])
        assert invocation.kept_awake_ms < NO_HOLD_MS
    ended = shut_down(environment)
    assert ended.exit_code == 0
    assert any("no answer" in warning for warning in messages(environment, "warn"))


def test_a_hold_never_reaches_the_functions_deadline(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # pain 5; and Honeycomb's deadline that is used as a duration
    kinesis_stub.behave(Behaviour(times=0, hang=True))
    variables = {**HOLDS, "EXTENSION_LOG_HOLD_MS": "60000"}
    environment = lambda_environment(kinesis_stub, variables)
    invocation = environment.invoke(output=["a line\n"], timeout_s=0.6)
    assert invocation.status == "success"


def test_a_lost_end_of_the_invocation_does_not_hold_it_when_the_platform_tells_of_a_loss(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    variables = {**HOLDS, "EXTENSION_LOG_HOLD_MS": "200"}
    lost = frozenset({"platform.runtimeDone"})
    environment = lambda_environment(kinesis_stub, variables, lost_events=lost)
    dropped = {
        "time": "2026-01-01T00:00:00.000Z",
        "type": "platform.logsDropped",
        "record": DROPPED,
    }
    body = json.dumps([dropped]).encode()
    invocation = environment.invoke(output=["a line\n", body], timeout_s=3)
    assert invocation.status == "success"
    assert invocation.kept_awake_ms < NO_HOLD_MS


def test_nothing_of_an_invocation_coming_at_all_does_not_hold_it_to_its_deadline(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    at_init = {"platform.extension", "platform.logsSubscription"}
    lost = frozenset({"platform.start", "platform.runtimeDone"} | at_init)
    environment = lambda_environment(kinesis_stub, HOLDS, lost_events=lost)
    invocation = environment.invoke(timeout_s=10)
    assert invocation.status == "success"
    assert invocation.kept_awake_ms < 3500


def test_a_lost_start_changes_nothing(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, HOLDS, lost_events=frozenset({"platform.start"}))
    for _ in range(2):
        invocation = environment.invoke(output=["a line\n"])
        assert invocation.kept_awake_ms < NO_HOLD_MS
        assert invocation.undelivered_at_freeze == 0


def test_only_a_lost_end_holds_no_longer_than_the_deadline_allows(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # Axiom, OTel and Rotel wait for a lost runtimeDone for ever
    lost = frozenset({"platform.runtimeDone"})
    environment = lambda_environment(kinesis_stub, HOLDS, lost_events=lost)
    invocation = environment.invoke(output=["a line\n"], timeout_s=1)
    assert invocation.status == "success"
    assert environment.invoke(output=["a line\n"], timeout_s=1).status == "success"


def test_later_invocations_are_held_as_ever_when_kinesis_is_well_again(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    kinesis_stub.behave(Behaviour(times=3, status=503, error_type="ServiceUnavailable"))
    variables = {**HOLDS, "EXTENSION_LOG_HOLD_MS": "10"}
    environment = lambda_environment(kinesis_stub, variables)
    expected = []
    for number in range(6):
        expected.append(f"invocation {number}\n")
        environment.invoke(output=expected[-1:], duration_s=0.1)
    assert records_at_freeze(kinesis_stub) == expected
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)
