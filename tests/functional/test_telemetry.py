# SPDX-License-Identifier: MIT
"""The Telemetry API instead of the Logs API, in each of its schemas."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from outcome import (
    HOLDS,
    assert_all_arrived,
    assert_ledger_is_exact,
    messages,
    of_type,
    on_free_port,
    shut_down,
    totals,
)
from platform_double import SUBSCRIBE_TELEMETRY, PlatformDouble
from test_registration import settings

from kinesis import Behaviour, KinesisStub, events_in
from lambda_environment import LambdaEnvironment, numbered_lines
from lambda_environment.events import TELEMETRY_SCHEMAS
from lambda_environment.results import Failure

Environments = Callable[..., LambdaEnvironment]
FUNCTIONS = Path(__file__).parent / "functions"
TELEMETRY = {"EXTENSION_LOG_API": "telemetry"}
NEWEST_FIRST = TELEMETRY_SCHEMAS[::-1]


@pytest.mark.parametrize("known", range(1, len(TELEMETRY_SCHEMAS) + 1))
def test_nothing_is_lost_with_the_newest_schema_that_the_platform_knows(
    lambda_environment: Environments, kinesis_stub: KinesisStub, known: int
) -> None:
    environment = lambda_environment(
        kinesis_stub,
        {**HOLDS, **TELEMETRY},
        telemetry_schemas=TELEMETRY_SCHEMAS[:known],
        log_format="JSON",
    )
    for number in range(3):
        lines = numbered_lines(300, prefix=str(number))
        structured = [json.dumps({"n": number, "text": "é"}) + "\n"]
        invocation = environment.invoke(output=lines + structured, duration_s=0.05)
        assert invocation.undelivered_at_freeze == 0
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)
    assert_ledger_is_exact(totals(environment))
    arrived = events_in(kinesis_stub.records())
    kinds = {type(event["record"]) for event in of_type(arrived, "function")}
    assert kinds == ({str} if known == 1 else {str, dict})


def test_the_init_arrives_although_it_began_before_the_subscription(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, {**HOLDS, **TELEMETRY})
    environment.invoke()
    shut_down(environment)
    arrived = events_in(kinesis_stub.records())
    for name in ("initStart", "initRuntimeDone", "initReport", "telemetrySubscription"):
        [event] = of_type(arrived, f"platform.{name}")
        assert "requestId" not in event


def test_a_small_invocation_is_held_by_its_runtime_done_and_no_longer(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, {**HOLDS, **TELEMETRY})
    kept = [environment.invoke(output=["a line\n"]).kept_awake_ms for _ in range(5)]
    print(f"kept awake: {kept} ms")
    assert min(kept) < 250


def test_numbers_and_escapes_of_structured_lines_stay_as_they_were(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    record = '{"n":12345678901234567890,"z":-0.0e+00,"text":"\\u0000\\/"}'
    environment = lambda_environment(kinesis_stub, {**HOLDS, **TELEMETRY}, log_format="JSON")
    environment.invoke(output=[record + "\n"])
    shut_down(environment)
    data = b"".join(record.data for record in kinesis_stub.records())
    assert f'"record":{record},'.encode() in data


def test_a_structured_line_belongs_to_the_request_that_it_names(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # pain 22: work that an invocation leaves behind is logged during a later one
    first = "8b1f6c2e-0a3d-4e5f-9071-a2b3c4d5e6f7"
    late = {"timestamp": "t", "level": "INFO", "requestId": first, "message": "late"}
    own = {"message": "no layout of the runtime", "requestId": first}
    lines = [json.dumps(line) + "\n" for line in (late, own)]
    environment = lambda_environment(kinesis_stub, {**HOLDS, **TELEMETRY}, log_format="JSON")
    second = environment.invoke(output=lines).request_id
    shut_down(environment)
    found = of_type(events_in(kinesis_stub.records()), "function")
    assert [event["requestId"] for event in found] == [first, second]


def test_a_node_function_with_json_logs_arrives_complete(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(
        kinesis_stub,
        {**HOLDS, **TELEMETRY},
        task_root=FUNCTIONS,
        handler="app.echo",
        log_format="JSON",
    )
    ids = {environment.invoke({"n": number}).request_id for number in range(2)}
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)
    lines = of_type(events_in(kinesis_stub.records()), "function")
    structured = [event for event in lines if isinstance(event["record"], dict)]
    assert {event["record"]["message"] for event in structured} == {"one record\nof two lines"}
    assert {event["requestId"] for event in structured} == ids


def test_a_function_that_crashes_is_reported_and_nothing_is_lost(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, {**HOLDS, **TELEMETRY})
    crash = Failure("Runtime.ExitError", "Runtime exited with error: exit status 1")
    environment.invoke(output=["last words\n", crash])
    invocation = environment.invoke(output=["another life\n"])
    assert invocation.status == "success"
    shut_down(environment)
    arrived = events_in(kinesis_stub.records())
    done = of_type(arrived, "platform.runtimeDone")
    assert [event["record"]["status"] for event in done] == ["failure", "success"]
    assert [event["record"] for event in of_type(arrived, "function")] == [
        "last words\n",
        "another life\n",
    ]
    phases = [event["record"]["phase"] for event in of_type(arrived, "platform.initStart")]
    assert phases == ["init", "invoke"]


def test_events_that_the_platform_dropped_are_told_and_counted(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    kinesis_stub.behave(Behaviour())
    dropped = {"droppedBytes": 700, "droppedRecords": 7, "reason": "Some logs were dropped"}
    body = [{"time": "t", "type": "platform.logsDropped", "record": dropped}]
    environment = lambda_environment(kinesis_stub, {**HOLDS, **TELEMETRY})
    environment.invoke(output=[json.dumps(body).encode()])
    shut_down(environment)
    [event] = of_type(events_in(kinesis_stub.records()), "platform.logsDropped")
    assert event["record"] == dropped
    assert totals(environment)["platformDroppedEvents"] == 7


def test_a_local_emulator_without_telemetry_is_no_mistake(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, TELEMETRY | on_free_port(), local_emulator=True)
    assert environment.invoke().status == "success"
    [warning] = messages(environment, "warn")
    assert "nothing will be shipped" in warning


async def test_every_schema_is_tried_before_the_subscription_has_failed(
    extension_binary: Path,
) -> None:
    refusal = {"errorType": "ValidationError", "errorMessage": "schemaVersion is not known"}
    platform = PlatformDouble(answers={SUBSCRIBE_TELEMETRY: (400, refusal)})
    ended = await platform.run(extension_binary, settings(**TELEMETRY))
    tried = [call.json["schemaVersion"] for call in platform.calls if "telemetry" in call.path]
    assert tried == list(NEWEST_FIRST)
    assert ended.exit_code == 0
    assert "schemaVersion is not known" in ended.output


async def test_asks_the_telemetry_api_for_the_same_types_and_buffering(
    extension_binary: Path,
) -> None:
    platform = PlatformDouble()
    variables = settings(EXTENSION_LOG_TIMEOUT_MS="100", EXTENSION_LOG_TYPES="extension")
    await platform.run(extension_binary, variables | TELEMETRY)
    wanted = platform.call(SUBSCRIBE_TELEMETRY).json
    assert platform.listened
    assert wanted["schemaVersion"] == NEWEST_FIRST[0]
    # Without the platform's own events nobody knows when an invocation is over.
    assert set(wanted["types"]) == {"platform", "extension"}
    assert wanted["buffering"] == {"maxItems": 10000, "maxBytes": 1048576, "timeoutMs": 100}
    port = variables["HTTP_LOGS_LISTENER_PORT"]
    assert wanted["destination"] == {
        "protocol": "HTTP",
        "URI": f"http://sandbox.localdomain:{port}",
    }
