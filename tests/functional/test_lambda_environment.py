# SPDX-License-Identifier: MIT
"""The local Lambda environment keeps the rules of the platform through a whole life."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from scripted import HOLD, NAME

import lambda_environment as package
from lambda_environment import numbered_lines
from lambda_environment.settings import MANAGED_INSTANCES

FUNCTIONS = Path(__file__).parent / "functions"


# Init


def test_init_ends_when_function_and_extension_wait_for_an_event(scripted: Any) -> None:
    init = scripted({"before_next": 0.3}, task_root=FUNCTIONS, handler="app.echo").environment.init
    assert init.succeeded
    assert 300 <= init.extension_ms[NAME] <= init.duration_ms


def test_an_init_over_its_limit_fails_and_is_done_again_in_the_first_invocation(
    scripted: Any,
) -> None:
    slow = scripted({"before_next": 1}, start=False, init_limit_s=0.5)
    init = slow.environment.start()
    assert (init.succeeded, init.error_type) == (False, "Sandbox.Timedout")
    invocation = slow.environment.invoke()
    assert invocation.status == "success"
    assert invocation.init.succeeded


def test_an_extension_that_dies_in_init_fails_it(scripted: Any) -> None:
    init = scripted({"exit_on": "register"}, start=False).environment.start()
    assert (init.error_type, init.message) == ("Extension.Crash", f"{NAME}: exit code 7")


def test_an_init_error_names_the_reason_of_the_extension(scripted: Any) -> None:
    script = {"error": ["init/error", "Extension.ConfigInvalid"]}
    init = scripted(script, start=False).environment.start()
    assert init.error_type == "Extension.ConfigInvalid"


def test_an_exit_error_fails_the_invocation_with_the_reason_of_the_extension(
    scripted: Any,
) -> None:
    environment = scripted({"error": ["exit/error", "Extension.GaveUp"]}).environment
    invocation = environment.invoke(duration_s=0.5)
    assert (invocation.status, invocation.error_type) == ("failure", "Extension.GaveUp")


def test_an_extension_under_a_wrong_name_never_lets_init_end(scripted: Any) -> None:
    script = {"name": "other", "events": ["INVOKE"]}
    init = scripted(script, start=False, init_limit_s=1).environment.start()
    assert init.error_type == "Sandbox.Timedout"


def test_a_file_that_cannot_be_executed_is_a_launch_error(scripted: Any, tmp_path: Path) -> None:
    (tmp_path / "extension").write_text("not a program")
    settings = {"extensions": (tmp_path / "extension",), "start": False}
    init = scripted(**settings).environment.start()
    assert init.error_type == "Extension.LaunchError"


def test_a_handler_that_cannot_be_loaded_fails_init(scripted: Any) -> None:
    broken = scripted(start=False, task_root=FUNCTIONS, handler="broken.handler")
    assert broken.environment.start().error_type == "Runtime.Unknown"
    missing = scripted(start=False, task_root=FUNCTIONS, handler="app.nothing")
    assert missing.environment.start().error_type == "Runtime.HandlerNotFound"


@pytest.mark.parametrize("call", ["register", "subscribe", "next"])
@pytest.mark.parametrize("status", [403, 500])
def test_the_platform_can_be_told_to_fail(scripted: Any, call: str, status: int) -> None:
    broken = scripted(start=False, answers={call: status})
    assert broken.environment.start().error_type == "Extension.Crash"
    assert f" {status} " in broken.said


# What processes are given


def test_an_extension_gets_the_functions_variables_but_not_those_of_the_runtime(
    scripted: Any,
) -> None:
    credentials = package.Credentials("ASIA", "secret", "token")
    environment = scripted(variables={"TEAM": "payments"}, credentials=credentials).environment
    block = Path(f"/proc/{environment.process.pid}/environ").read_text()
    variables = dict(entry.split("=", 1) for entry in block.split("\0") if entry)
    assert variables["TEAM"] == "payments"
    assert variables["AWS_SESSION_TOKEN"] == "token"
    assert variables["AWS_LAMBDA_RUNTIME_API"] == environment.address
    assert variables["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    absent = {"PATH", "LD_LIBRARY_PATH", "HOME", "_HANDLER", "LAMBDA_TASK_ROOT"}
    absent |= {"AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"}
    assert not absent & set(variables)


def test_the_function_gets_the_variables_of_the_runtime(scripted: Any) -> None:
    environment = scripted(task_root=FUNCTIONS, handler="app.environment").environment
    variables = json.loads(environment.invoke().payload)
    assert variables["_HANDLER"] == "app.environment"
    assert variables["LAMBDA_TASK_ROOT"] == str(FUNCTIONS)
    assert variables["AWS_LAMBDA_LOG_STREAM_NAME"]


def test_a_configuration_that_lambda_refuses_is_refused() -> None:
    with pytest.raises(ValueError, match="AWS_REGION"):
        package.Settings(variables={"AWS_REGION": "eu-west-1"})
    with pytest.raises(ValueError, match="4096"):
        package.Settings(variables={"LARGE": "x" * 4096})


# Invoke


def test_an_invocation_is_told_in_the_order_of_the_platform(scripted: Any) -> None:
    logged = scripted(HOLD, task_root=FUNCTIONS, handler="app.echo")
    environment = logged.environment
    request_id = environment.invoke({"a": 1}).request_id
    environment.invoke()
    types = [event["type"] for event in logged.events]
    assert types[:2] == ["platform.logsSubscription", "platform.extension"]
    assert types[2] == "platform.start"
    done = types.index("platform.runtimeDone")
    assert set(types[3:done]) == {"function"}
    assert types[done + 1 : done + 4] == ["platform.end", "platform.report", "platform.start"]
    ids = [event["record"]["requestId"] for event in logged.events[done : done + 3]]
    assert ids == [request_id] * 3


@pytest.mark.parametrize("schema", ["2022-07-01", "2022-12-13", "2025-01-29"])
def test_telemetry_tells_more_and_what_was_before_the_subscription(
    scripted: Any, schema: str
) -> None:
    script = {**HOLD, "telemetry": True, "subscription": {"schemaVersion": schema}}
    logged = scripted(script, task_root=FUNCTIONS, handler="app.echo")
    environment = logged.environment
    request_id = environment.invoke({"a": 1}).request_id
    environment.invoke()
    types = [event["type"] for event in logged.events if event["type"] != "function"]
    assert types == [
        "platform.initStart",
        "platform.telemetrySubscription",
        "platform.initRuntimeDone",
        "platform.extension",
        "platform.initReport",
        "platform.start",
        "platform.runtimeDone",
        "platform.report",
        "platform.start",
        "platform.runtimeDone",
    ]
    [start, *_] = logged.records("platform.initStart")
    assert start["phase"] == "init"
    [done, _] = logged.records("platform.runtimeDone")
    assert (done["requestId"], done["status"]) == (request_id, "success")
    assert {span["name"] for span in done["spans"]} == {"responseLatency", "responseDuration"}
    [report] = logged.records("platform.report")
    assert report["status"] == "success"
    assert report["metrics"]["durationMs"] > 0


def test_an_init_in_the_middle_of_an_invocation_says_so(scripted: Any) -> None:
    logged = scripted({**HOLD, "telemetry": True})
    logged.environment.invoke()
    logged.environment.shutdown()
    logged.environment.invoke()
    phases = [record["phase"] for record in logged.records("platform.initStart")]
    assert phases == ["init", "invoke"]


def test_stdout_and_stderr_of_the_function_are_its_log(scripted: Any) -> None:
    logged = scripted(HOLD, task_root=FUNCTIONS, handler="app.echo")
    invocation = logged.environment.invoke({"a": 1})
    assert json.loads(invocation.payload) == {
        "event": {"a": 1},
        "requestId": invocation.request_id,
    }
    records = logged.records("function")
    framed = [record for record in records if "\tINFO\t" in record]
    assert len(framed) == 1
    assert framed[0].endswith(f"\t{invocation.request_id}\tINFO\tone record\nof two lines\n")
    written = [record for record in records if record not in framed]
    assert written == ["first line\n", "second line\n", "to stderr\n", "no newline"]


def test_output_of_the_extension_is_a_log_of_its_own(scripted: Any) -> None:
    script = {**HOLD, "subscription": {"types": ["platform", "extension"]}}
    logged = scripted(script)
    logged.environment.invoke()
    assert any("logs 200" in record for record in logged.records("extension"))
    assert logged.records("function") == []


def test_the_time_that_the_extension_keeps_it_awake_is_measured(scripted: Any) -> None:
    invocation = scripted({"hold": 0.4}).environment.invoke(duration_s=0.1)
    assert invocation.duration_ms >= 100
    assert invocation.kept_awake_ms > 0
    assert invocation.duration_ms + invocation.kept_awake_ms >= 390


def test_an_extension_that_does_not_wait_keeps_nothing_awake_and_leaves_events_behind(
    scripted: Any,
) -> None:
    invocation = scripted().environment.invoke(output=["a\n"], duration_s=0.3)
    assert invocation.kept_awake_ms == 0
    assert invocation.undelivered_at_freeze > 0


def test_an_extension_that_waits_for_runtime_done_leaves_nothing_behind(scripted: Any) -> None:
    invocation = scripted(HOLD).environment.invoke(output=numbered_lines(10))
    assert invocation.undelivered_at_freeze == 0
    assert invocation.kept_awake_ms > 0


def test_20000_lines_of_an_invocation_all_arrive(scripted: Any) -> None:
    buffering = {"maxItems": 10000, "maxBytes": 1048576, "timeoutMs": 25}
    logged = scripted({**HOLD, "subscription": {"buffering": buffering}})
    lines = numbered_lines(20_000)
    assert len({*lines}) == 20_000
    assert {len(line) for line in lines} == {200}
    logged.environment.invoke(output=lines)
    assert logged.records("function") == lines


def test_a_lost_event_is_emitted_but_not_delivered(scripted: Any) -> None:
    lost = scripted(lost_events=frozenset({"platform.runtimeDone"}))
    lost.environment.invoke()
    lost.environment.invoke(duration_s=0.1)
    assert len(lost.environment.emitted_of("platform.runtimeDone")) == 2
    assert len(lost.records("platform.start")) == 2
    assert lost.records("platform.runtimeDone") == []


def test_a_failing_handler_fails_the_invocation_and_no_more(scripted: Any) -> None:
    failing = scripted(task_root=FUNCTIONS, handler="app.fails").environment
    pid = failing.process.pid
    for _ in range(2):
        invocation = failing.invoke()
        assert (invocation.status, invocation.error_type) == ("failure", "Function.Unknown")
        assert json.loads(invocation.payload)["errorMessage"] == "not today"
    assert failing.process.pid == pid


# Managed Instances


def test_a_managed_instance_runs_many_at_once_and_is_never_frozen(scripted: Any) -> None:
    script = {"telemetry": True, "events": ["SHUTDOWN"]}
    logged = scripted(
        script,
        task_root=FUNCTIONS,
        handler="app.echo",
        initialization_type=MANAGED_INSTANCES,
        concurrency=3,
    )
    environment = logged.environment
    payloads = [{"n": number} for number in range(7)]
    together = environment.invoke_together(payloads)
    assert [json.loads(invocation.payload)["event"] for invocation in together] == payloads
    assert not environment.process.stopped
    environment.shutdown()
    types = [event.type for event in environment.emitted]
    assert types.count("platform.start") == types.count("platform.report") == 7
    assert "platform.runtimeDone" not in types


# Freeze and thaw


def test_everything_is_stopped_between_invocations(scripted: Any) -> None:
    environment = scripted(HOLD, task_root=FUNCTIONS, handler="app.echo").environment
    children = environment.process, environment.function_process
    assert all(process.stopped for process in children)
    environment.invoke()
    assert all(process.stopped for process in children)


def test_an_event_left_behind_arrives_after_the_thaw(scripted: Any) -> None:
    left = scripted()
    left.environment.invoke(output=["first\n"])
    before = len(left.requests)
    time.sleep(0.2)
    assert len(left.requests) == before
    left.environment.invoke(output=["second\n"], duration_s=0.2)
    assert left.records("function") == ["first\n", "second\n"]
