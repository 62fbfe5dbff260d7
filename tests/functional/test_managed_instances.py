# SPDX-License-Identifier: MIT
"""Lambda Managed Instances: many invocations at once, no INVOKE, never frozen."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from outcome import (
    assert_all_arrived,
    assert_ledger_is_exact,
    messages,
    of_type,
    on_free_port,
    shut_down,
    totals,
)
from platform_double import NEXT, REGISTER, SUBSCRIBE_TELEMETRY, PlatformDouble
from test_registration import settings

from kinesis import Behaviour, KinesisStub, events_in, payload_units
from lambda_environment import LambdaEnvironment
from lambda_environment.results import Failure
from lambda_environment.settings import MANAGED_INSTANCES

Environments = Callable[..., LambdaEnvironment]
FUNCTIONS = Path(__file__).parent / "functions"
VARIABLE = {"AWS_LAMBDA_INITIALIZATION_TYPE": MANAGED_INSTANCES}
# Only so that a test which fails does not hang.
LIMIT_S = 30


@pytest.fixture
def managed(lambda_environment: Environments) -> Environments:
    """managed(kinesis, {…}, **settings) makes a Managed Instance."""

    def make(*arguments: Any, **more: Any) -> LambdaEnvironment:
        return lambda_environment(*arguments, initialization_type=MANAGED_INSTANCES, **more)

    return make


def structured(request_id: str, count: int = 10) -> list[str]:
    """Lines as a runtime with the JSON log format writes them."""
    return [
        json.dumps(
            {
                "timestamp": "2026-03-14T15:09:26.536Z",
                "level": "INFO",
                "requestId": request_id,
                "message": f"line {number} of {request_id}",
            }
        )
        + "\n"
        for number in range(count)
    ]


def until_arrived(kinesis: KinesisStub, text: str) -> float:
    """Waits for a function event with this record, and says how many seconds it took."""
    began = time.monotonic()
    while time.monotonic() < began + LIMIT_S:
        if text in [event["record"] for event in events_in(kinesis.records())]:
            return time.monotonic() - began
        time.sleep(0.01)
    pytest.fail(f"{text!r} has not arrived in {LIMIT_S} s")


async def test_registers_for_shutdown_alone_and_subscribes_to_telemetry(
    extension_binary: Path,
) -> None:
    platform = PlatformDouble()
    chosen = {"EXTENSION_LOG_API": "logs"}
    ended = await platform.run(extension_binary, settings(**VARIABLE, **chosen))
    assert ended.exit_code == 0
    assert platform.paths == [REGISTER, SUBSCRIBE_TELEMETRY, NEXT]
    assert platform.call(REGISTER).json == {"events": ["SHUTDOWN"]}
    assert platform.call(SUBSCRIBE_TELEMETRY).json["schemaVersion"] == "2025-01-29"


async def test_no_older_schema_is_tried(extension_binary: Path) -> None:
    refusal = {"errorType": "ValidationError", "errorMessage": "made by a test"}
    platform = PlatformDouble(answers={SUBSCRIBE_TELEMETRY: (400, refusal)})
    ended = await platform.run(extension_binary, settings(**VARIABLE))
    assert platform.paths == [REGISTER, SUBSCRIBE_TELEMETRY, NEXT]
    assert "made by a test" in ended.output


def test_nothing_of_many_invocations_at_once_is_lost(
    managed: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = managed(kinesis_stub)
    for _ in range(5):
        environment.invoke_together(range(50), output=structured, duration_s=0.1)
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, kinesis_stub)
    assert_ledger_is_exact(totals(environment))
    kinds = Counter(event["type"] for event in events_in(kinesis_stub.records()))
    assert kinds["platform.start"] == kinds["platform.report"] == 250
    assert kinds["function"] == 2500
    assert kinds["platform.initStart"] == 1


def test_a_request_id_is_the_one_that_the_event_names_or_none(
    managed: Environments, kinesis_stub: KinesisStub
) -> None:
    # pain 22: request ids guessed from the order of events that come from many requests at once
    environment = managed(kinesis_stub)

    def output(request_id: str) -> list[str]:
        return [*structured(request_id, 3), f"text of {request_id}\n"]

    together = environment.invoke_together(range(20), output=output, duration_s=0.05)
    shut_down(environment)
    events = events_in(kinesis_stub.records())
    for event in of_type(events, "function"):
        if isinstance(event["record"], dict):
            assert event["requestId"] == event["record"]["requestId"]
        else:
            assert "requestId" not in event
    named = Counter(event["requestId"] for event in events if "requestId" in event)
    assert named == {invocation.request_id: 3 + 2 for invocation in together}


def test_a_node_function_that_runs_many_at_once_arrives_complete(
    managed: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = managed(kinesis_stub, task_root=FUNCTIONS, handler="app.echo", concurrency=4)
    together = environment.invoke_together([{"n": number} for number in range(12)])
    assert {invocation.status for invocation in together} == {"success"}
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)
    lines = of_type(events_in(kinesis_stub.records()), "function")
    named = [event["requestId"] for event in lines if isinstance(event["record"], dict)]
    assert sorted(named) == sorted(invocation.request_id for invocation in together)


def test_a_lone_event_arrives_within_the_delay_without_anything_else_happening(
    managed: Environments, kinesis_stub: KinesisStub
) -> None:
    # pain 1: logs that come only with the next invocation
    environment = managed(kinesis_stub, {"EXTENSION_LOG_MAX_DELAY_MS": "300"})
    environment.invoke(output=["alone\n"])
    assert not environment.process.stopped
    took_s = until_arrived(kinesis_stub, "alone\n")
    print(f"it took {took_s * 1000:.0f} ms")
    assert took_s < 3
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)


def test_events_share_records_for_as_long_as_they_may_wait(
    managed: Environments, kinesis_stub: KinesisStub
) -> None:
    # Each record is billed as if it had 25 KB.
    environment = managed(kinesis_stub, {"EXTENSION_LOG_MAX_DELAY_MS": "600000"})
    for _ in range(20):
        environment.invoke_together(range(5), output=structured, duration_s=0.03)
    shut_down(environment)
    records = kinesis_stub.records()
    size = sum(len(record.data) for record in records)
    units = payload_units(records)
    print(f"{units} payload units for {size} bytes")
    assert units <= 1.1 * size / 25_000 + 3
    assert_all_arrived(environment, kinesis_stub)


def test_no_delay_allowed_sends_at_once(managed: Environments, kinesis_stub: KinesisStub) -> None:
    environment = managed(kinesis_stub, {"EXTENSION_LOG_MAX_DELAY_MS": "0"})
    environment.invoke(output=["now\n"])
    until_arrived(kinesis_stub, "now\n")
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)


@pytest.mark.parametrize("mode", ["end", "continuous", "adaptive"])
def test_no_flush_mode_holds_anything(
    managed: Environments, kinesis_stub: KinesisStub, mode: str
) -> None:
    kinesis_stub.behave(Behaviour(times=0, hang=True))
    environment = managed(kinesis_stub, {"EXTENSION_LOG_FLUSH": mode} | on_free_port())
    for _ in range(3):
        environment.invoke_together(range(10), output=structured)
    kinesis_stub.recover()
    shut_down(environment)
    assert totals(environment)["heldMs"] == 0
    assert_ledger_is_exact(totals(environment))


def test_an_outage_is_outlived(managed: Environments, kinesis_stub: KinesisStub) -> None:
    kinesis_stub.behave(Behaviour(times=6, status=503, error_type="ServiceUnavailable"))
    environment = managed(kinesis_stub, {"EXTENSION_LOG_MAX_DELAY_MS": "10"})
    environment.invoke_together(range(10), output=structured, duration_s=0.2)
    environment.invoke(output=["the last one\n"])
    until_arrived(kinesis_stub, "the last one\n")
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)


def test_an_invocation_over_its_timeout_ends_alone(
    managed: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = managed(kinesis_stub)
    slow = environment.invoke(output=["slow\n"], duration_s=5, timeout_s=0.3)
    assert slow.status == "timeout"
    assert environment.invoke(output=["another\n"]).status == "success"
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, kinesis_stub)


def test_when_the_environment_fails_each_request_that_it_takes_along_is_told(
    managed: Environments, kinesis_stub: KinesisStub
) -> None:
    # pain 19: the logs of what was killed are missing
    crash = Failure("Runtime.ExitError", "Runtime exited with error: exit status 1")
    environment = managed(kinesis_stub)
    [finished] = environment.invoke_together([0], output=structured)

    def output(request_id: str) -> list[str | Failure]:
        return [*structured(request_id, 2), crash]

    killed = environment.invoke_together(range(3), output=output)
    assert {invocation.status for invocation in killed} == {"failure"}
    events = events_in(kinesis_stub.records())
    told = {event["requestId"] for event in of_type(events, "extension.functionTerminated")}
    assert told == {invocation.request_id for invocation in killed}
    assert finished.request_id not in told
    lines = of_type(events, "function")
    assert len(lines) == 10 + 3 * 2
    assert messages(environment, "error") == []
