# SPDX-License-Identifier: MIT
"""What the extension says to the platform, and what it makes of the platform's refusals."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from outcome import (
    HOLDS,
    NO_HOLD_MS,
    assert_all_arrived,
    free_port,
    messages,
    on_free_port,
    sanitizers_threads,
    shut_down,
)
from platform_double import (
    IDENTIFIER,
    NEXT,
    REGISTER,
    SUBSCRIBE,
    PlatformDouble,
    run_program,
)

from kinesis import KinesisStub
from lambda_environment import LambdaEnvironment

Environments = Callable[..., LambdaEnvironment]


def settings(**more: str) -> dict[str, str]:
    wanted = {
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_KINESIS_STREAM_NAME": "logs",
        "AWS_ENDPOINT_URL_KINESIS": "http://127.0.0.1:9",
        "HTTP_LOGS_LISTENER_PORT": str(free_port()),
    }
    return wanted | more


async def test_registers_for_invoke_and_shutdown_under_the_name_of_its_file(
    extension_binary: Path, tmp_path: Path
) -> None:
    program = tmp_path / "another name"
    shutil.copy(extension_binary, program)
    platform = PlatformDouble()
    assert (await platform.run(program, settings())).exit_code == 0
    call = platform.call(REGISTER)
    assert call.method == "POST"
    assert call.headers["Lambda-Extension-Name"] == "another name"
    assert call.headers["Lambda-Extension-Accept-Feature"] == "accountId"
    assert call.json == {"events": ["INVOKE", "SHUTDOWN"]}


async def test_listens_before_it_subscribes_and_subscribes_before_it_asks_for_an_event(
    extension_binary: Path,
) -> None:
    platform = PlatformDouble()
    await platform.run(extension_binary, settings())
    assert platform.paths == [REGISTER, SUBSCRIBE, NEXT]
    assert platform.listened
    assert {call.headers["Lambda-Extension-Identifier"] for call in platform.calls[1:]} == {
        IDENTIFIER
    }


async def test_asks_for_logs_with_every_buffering_field(extension_binary: Path) -> None:
    platform = PlatformDouble()
    variables = settings(EXTENSION_LOG_TIMEOUT_MS="100", EXTENSION_LOG_MAX_ITEMS="2000")
    await platform.run(extension_binary, variables | {"EXTENSION_LOG_MAX_BYTES": "300000"})
    call = platform.call(SUBSCRIBE)
    assert call.method == "PUT"
    assert call.headers["Content-Type"] == "application/json"
    wanted = call.json
    assert wanted["schemaVersion"] == "2021-03-18"
    assert wanted["buffering"] == {"maxItems": 2000, "maxBytes": 300000, "timeoutMs": 100}
    assert wanted["destination"]["protocol"] == "HTTP"
    port = variables["HTTP_LOGS_LISTENER_PORT"]
    assert wanted["destination"]["URI"] == f"http://sandbox.localdomain:{port}"


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("platform,function", {"platform", "function"}),
        ("platform,function,extension", {"platform", "function", "extension"}),
        # Without the platform's own events nobody knows when an invocation is over.
        ("function", {"platform", "function"}),
    ],
)
async def test_asks_for_the_types_it_ships_and_those_it_needs(
    extension_binary: Path, given: str, asked: set[str]
) -> None:
    platform = PlatformDouble()
    await platform.run(extension_binary, settings(EXTENSION_LOG_TYPES=given))
    assert set(platform.call(SUBSCRIBE).json["types"]) == asked


def test_does_nothing_but_register_listen_and_subscribe_before_the_first_event(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # pains 16 and 17: calls that make a cold start slow
    environment = lambda_environment(kinesis_stub)
    process = psutil.Process(environment.process.pid)
    peers = {connection.raddr.port for connection in process.net_connections() if connection.raddr}
    assert peers <= {int(environment.address.rpartition(":")[2])}
    assert process.num_threads() == 2 + sanitizers_threads(environment)
    assert environment.init.extension_ms[environment.settings.extensions[0].name] < 1000


def test_the_platform_shows_it_as_ready_and_subscribed(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, function_name="orders", function_version="7")
    name = environment.settings.extensions[0].name
    [state] = environment.emitted_of("platform.extension")
    assert state["record"] == {"name": name, "state": "Ready", "events": ["INVOKE", "SHUTDOWN"]}
    [subscription] = environment.emitted_of("platform.logsSubscription")
    assert subscription["record"]["types"] == ["platform", "function"]
    environment.invoke(output=["a line\n"])
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, kinesis_stub)


@pytest.mark.parametrize("status", [403, 500])
@pytest.mark.parametrize(("call", "word"), [("register", "registration"), ("next", "next event")])
def test_a_refusal_ends_it_with_a_message_that_names_call_status_and_reason(
    lambda_environment: Environments, call: str, word: str, status: int
) -> None:
    environment = lambda_environment(
        variables={"AWS_KINESIS_STREAM_NAME": "logs"}, start=False, answers={call: status}
    )
    init = environment.start()
    reason = "Extension.RegistrationClosed" if status == 403 else "InternalServerError"
    assert init.error_type == "Extension.Crash"
    assert init.message.endswith("exit code 1")
    [message] = messages(environment, "error")
    assert word in message
    assert str(status) in message
    assert reason in message


@pytest.mark.parametrize("status", [403, 500])
def test_the_function_runs_without_shipping_when_the_subscription_is_refused(
    lambda_environment: Environments, kinesis_stub: KinesisStub, status: int
) -> None:
    # pain 15: fail open
    environment = lambda_environment(kinesis_stub, answers={"subscribe": status})
    invocation = environment.invoke(output=["a line\n"])
    assert invocation.status == "success"
    assert invocation.kept_awake_ms < NO_HOLD_MS
    assert shut_down(environment).exit_code == 0
    [message] = messages(environment, "error")
    assert "no logs are shipped" in message
    assert str(status) in message
    assert kinesis_stub.requests() == []


def test_a_refused_subscription_fails_init_when_that_is_wanted(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    wanted = {"EXTENSION_LOG_ON_CONFIG_ERROR": "fail"}
    environment = lambda_environment(kinesis_stub, wanted, start=False, answers={"subscribe": 403})
    assert environment.start().error_type == "Extension.StartFailed"


def test_a_local_emulator_without_logs_is_told_of_once_and_nothing_is_held(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, HOLDS | on_free_port(), local_emulator=True)
    invocations = [environment.invoke(duration_s=0.05) for _ in range(3)]
    assert [invocation.status for invocation in invocations] == ["success"] * 3
    assert max(invocation.kept_awake_ms for invocation in invocations) < NO_HOLD_MS
    assert shut_down(environment).exit_code == 0
    [warning] = messages(environment, "warn")
    assert "emulator" in warning
    assert not messages(environment, "error")


@pytest.mark.parametrize(
    "event",
    [b"", b"not JSON", b"[]", b'{"eventType":"PAUSE","deadlineMs":1}', b'{"eventType":"INVOKE"}'],
    ids=["empty", "not JSON", "an array", "of another type", "without a deadline"],
)
async def test_after_an_answer_that_is_no_event_it_says_so_and_asks_again(
    extension_binary: Path, event: bytes
) -> None:
    platform = PlatformDouble(events=[event])
    ended = await platform.run(extension_binary, settings())
    assert ended.exit_code == 0
    lines = [json.loads(line) for line in ended.output.splitlines()]
    [warning] = [line["message"] for line in lines if line["level"] == "warn"]
    assert "next event" in warning


async def test_started_by_hand_it_says_that_it_is_an_extension(extension_binary: Path) -> None:
    ended = await run_program(extension_binary, settings())
    assert ended.exit_code == 1
    assert "started by Lambda" in json.loads(ended.output)["message"]
