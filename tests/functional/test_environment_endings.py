# SPDX-License-Identifier: MIT
"""How a life in the local Lambda environment ends: timeout, crash, shutdown."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from scripted import HOLD, NAME, Scripted

from lambda_environment import Invocation, LambdaEnvironment

FUNCTIONS = Path(__file__).parent / "functions"


# Timeout, crash, reset


def test_a_function_over_its_timeout_is_ended_and_started_anew(scripted: Any) -> None:
    slow = scripted(HOLD, task_root=FUNCTIONS, handler="app.hangs")
    environment = slow.environment
    first = environment.process.pid
    invocation = environment.invoke(timeout_s=0.3)
    assert (invocation.status, invocation.error_type) == ("timeout", "Sandbox.Timedout")
    assert "'shutdownReason': 'TIMEOUT'" in slow.said
    assert statuses(environment) == ["timeout"]
    again = environment.invoke(timeout_s=2)
    assert again.init.succeeded
    assert environment.process.pid != first


def test_an_extension_that_holds_too_long_times_the_invocation_out(scripted: Any) -> None:
    environment = scripted({"hold": 30}).environment
    invocation = environment.invoke(timeout_s=0.3)
    assert invocation.status == "timeout"
    assert statuses(environment) == ["success"]


def test_a_crash_of_the_runtime_resets_with_failure(scripted: Any) -> None:
    crashing = scripted(HOLD, task_root=FUNCTIONS, handler="app.crashesOnce")
    environment = crashing.environment
    invocation = environment.invoke({"crash": True})
    assert (invocation.status, invocation.error_type) == ("failure", "Runtime.ExitError")
    assert "'shutdownReason': 'FAILURE'" in crashing.said
    assert statuses(environment) == ["failure"]
    fault = environment.emitted_of("platform.fault")[0]["record"]
    assert invocation.request_id in fault
    assert environment.invoke({}).payload == b'"well again"'


def test_the_last_words_of_a_crashing_function_are_logged(scripted: Any) -> None:
    crashing = scripted(HOLD, task_root=FUNCTIONS, handler="app.crashes")
    crashing.environment.invoke()
    assert "last words" in crashing.environment.emitted_of("function")[0]["record"]


def test_a_crash_of_the_extension_fails_the_invocation(scripted: Any) -> None:
    environment = scripted({"exit_on": "INVOKE"}).environment
    invocation = environment.invoke(duration_s=0.5)
    assert (invocation.status, invocation.error_type) == ("failure", "Extension.Crash")
    assert not environment.process.running


# Shutdown


def test_shutdown_tells_the_extension_and_takes_its_exit_code(scripted: Any) -> None:
    ending = scripted()
    ended = ending.environment.shutdown()[NAME]
    assert (ended.state, ended.exit_code) == ("Exited", 0)
    assert ended.peak_memory_kb > 1000
    assert ended.cpu_s > 0
    event = shutdown_event(ending)
    assert event["shutdownReason"] == "SPINDOWN"
    assert 0 < event["deadlineMs"] / 1000 - time.time() <= 2


def test_shutdown_delivers_what_the_freeze_held_back(scripted: Any) -> None:
    ending = scripted(HOLD, task_root=FUNCTIONS, handler="app.ignoresSigterm")
    ending.environment.invoke()
    assert ending.records("platform.report") == []
    ending.environment.shutdown()
    assert len(ending.records("platform.report")) == 1


def test_the_runtime_gets_sigterm_and_600_ms_of_the_budget_first(scripted: Any) -> None:
    ending = scripted(HOLD, task_root=FUNCTIONS, handler="app.ignoresSigterm")
    ending.environment.invoke()
    began = time.monotonic()
    ended = ending.environment.shutdown()[NAME]
    assert 0.6 <= time.monotonic() - began < 1.9
    assert ended.state == "Exited"
    assert "SIGTERM came" in ending.environment.emitted_of("function")[0]["record"]


def test_an_extension_that_does_not_end_is_killed_after_two_seconds(scripted: Any) -> None:
    environment = scripted({"ignore_shutdown": True}).environment
    began = time.monotonic()
    ended = environment.shutdown()[NAME]
    assert 1.9 <= time.monotonic() - began < 2.5
    assert (ended.state, ended.exit_code) == ("ShutdownFailed", None)
    assert not environment.process.running


def test_an_extension_that_fails_in_shutdown_is_told_apart(scripted: Any) -> None:
    ended = scripted({"exit_on": "SHUTDOWN"}).environment.shutdown()[NAME]
    assert (ended.state, ended.exit_code) == ("ShutdownFailed", 7)


def test_an_extension_that_did_not_ask_for_shutdown_is_killed_at_once(scripted: Any) -> None:
    environment = scripted({"events": ["INVOKE"]}).environment
    ended = environment.shutdown()[NAME]
    assert (ended.state, ended.exit_code) == ("ShutdownFailed", None)
    assert ended.duration_ms < 1000


def test_variants_of_the_shutdown_event_can_be_chosen(scripted: Any) -> None:
    ending = scripted(deadline_as_string=True, lower_case_reason=True)
    ending.environment.shutdown("FAILURE")
    event = shutdown_event(ending)
    assert event["shutdownReason"] == "failure"
    assert event["deadlineMs"].isdigit()


def test_a_new_life_follows_a_shutdown(scripted: Any) -> None:
    environment = scripted(HOLD).environment
    environment.shutdown()
    invocation = environment.invoke(output=["again\n"])
    assert invocation.status == "success"
    assert invocation.undelivered_at_freeze == 0


# Care


def test_nothing_is_left_running_when_the_environment_closes(scripted: Any) -> None:
    environment = scripted(task_root=FUNCTIONS, handler="app.echo").environment
    pids = [environment.process.pid, environment.function_process.pid]
    environment.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_an_extension_killed_while_frozen_is_noticed_at_the_next_invocation(
    scripted: Any,
) -> None:
    environment = scripted().environment
    os.kill(environment.process.pid, signal.SIGKILL)
    invocation: Invocation = environment.invoke(duration_s=0.5)
    assert (invocation.status, invocation.error_type) == ("failure", "Extension.Crash")
    assert environment.invoke().status == "success"


def statuses(environment: LambdaEnvironment) -> list[str]:
    done = environment.emitted_of("platform.runtimeDone")
    return [event["record"]["status"] for event in done]


def shutdown_event(ended: Scripted) -> dict[str, Any]:
    line = next(line for line in ended.said.splitlines() if '"SHUTDOWN"' in line)
    return json.loads(line.partition(" 200 ")[2])
