# SPDX-License-Identifier: MIT
"""The platform kills a function: its last logs arrive, and an event says what happened.

pain 19: logs of the invocation that timed out are missing; pain 20: nothing says why it ended.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from outcome import (
    assert_all_arrived,
    assert_ledger_is_exact,
    free_port,
    lives,
    messages,
    of_type,
    shut_down,
)

from kinesis import KinesisStub, events_in
from lambda_environment import LambdaEnvironment

Environments = Callable[..., LambdaEnvironment]
FUNCTIONS = Path(__file__).parent / "functions"
MODES = ("end", "continuous", "adaptive")


def terminations(stub: KinesisStub) -> list[dict[str, Any]]:
    return of_type(events_in(stub.records()), "extension.functionTerminated")


@pytest.mark.parametrize("mode", MODES)
def test_a_timeout_is_told_with_the_request_and_how_long_it_had_run(
    lambda_environment: Environments, kinesis_stub: KinesisStub, mode: str
) -> None:
    environment = lambda_environment(kinesis_stub, {"EXTENSION_LOG_FLUSH": mode})
    environment.invoke(output=["a good one\n"])
    killed = environment.invoke(output=["the last words\n"], duration_s=9, timeout_s=0.7)
    assert killed.status == "timeout"
    [told] = terminations(kinesis_stub)
    assert told["record"]["requestId"] == killed.request_id
    assert told["record"]["reason"] == "TIMEOUT"
    assert 600 <= told["record"]["durationMs"] < 2000
    assert_all_arrived(environment, kinesis_stub)
    [line] = lives(environment)
    assert_ledger_is_exact(line)
    assert line["deliveredEvents"] == len(environment.emitted) + 1


def test_a_crash_is_told_with_the_request(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, task_root=FUNCTIONS, handler="app.crashes")
    crashed = environment.invoke()
    [told] = terminations(kinesis_stub)
    assert told["record"]["requestId"] == crashed.request_id
    assert told["record"]["reason"] == "FAILURE"
    assert_all_arrived(environment, kinesis_stub)
    words = of_type(events_in(kinesis_stub.records()), "function")
    assert ["last words" in event["record"] for event in words] == [True]


@pytest.mark.parametrize("mode", MODES)
def test_what_the_function_says_after_its_timeout_arrives(
    lambda_environment: Environments, kinesis_stub: KinesisStub, mode: str
) -> None:
    """Behind the last platform.runtimeDone, when the runtime is told to end."""
    environment = lambda_environment(
        kinesis_stub,
        {"EXTENSION_LOG_FLUSH": mode},
        task_root=FUNCTIONS,
        handler="app.hangsAndSaysGoodbye",
    )
    killed = environment.invoke(timeout_s=0.7)
    events = events_in(kinesis_stub.records())
    words = of_type(events, "function")
    assert ["hello" in words[0]["record"], "goodbye" in words[1]["record"]] == [True, True]
    types = [event["type"] for event in events]
    assert types.index("platform.runtimeDone") < types.index("platform.report")
    assert [event["record"]["requestId"] for event in terminations(kinesis_stub)] == [
        killed.request_id
    ]
    assert_all_arrived(environment, kinesis_stub)


@pytest.mark.parametrize("reason", ["SPINDOWN", "TIMEOUT", "FAILURE"])
def test_a_success_was_not_killed_whatever_the_reason_of_the_shutdown(
    lambda_environment: Environments, kinesis_stub: KinesisStub, reason: str
) -> None:
    environment = lambda_environment(kinesis_stub)
    environment.invoke(output=["a line\n"])
    shut_down(environment, reason)
    assert terminations(kinesis_stub) == []
    assert_all_arrived(environment, kinesis_stub)


def test_a_spindown_kills_nobody(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    lost = frozenset({"platform.runtimeDone"})
    variables = {"EXTENSION_LOG_FLUSH": "continuous"}
    environment = lambda_environment(kinesis_stub, variables, lost_events=lost)
    environment.invoke(output=["a line\n"])
    shut_down(environment, "SPINDOWN")
    assert terminations(kinesis_stub) == []


def test_an_environment_that_is_reset_again_and_again_keeps_its_port_and_loses_nothing(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    """pains 8 and 9: a port still in use after a reset, or another one each time."""
    variables = {"HTTP_LOGS_LISTENER_PORT": str(free_port())}
    environment = lambda_environment(kinesis_stub, variables)
    killed = [
        environment.invoke(output=[f"life {number}\n"], duration_s=9, timeout_s=0.4).request_id
        for number in range(4)
    ]
    assert [event["record"]["requestId"] for event in terminations(kinesis_stub)] == killed
    assert not messages(environment, "warn")
    assert_all_arrived(environment, kinesis_stub)
    assert len(lives(environment)) == 4
    for line in lives(environment):
        assert_ledger_is_exact(line)
