# SPDX-License-Identifier: MIT
"""Records for consumers of CloudWatch Logs subscriptions: `EXTENSION_LOG_FORMAT=cloudwatch`."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fault_proxy import Wire, fault_proxy
from outcome import (
    HOLDS,
    NO_HOLD_MS,
    assert_ledger_is_exact,
    lives,
    messages,
    on_free_port,
    shut_down,
    totals,
)
from subscription import envelopes_in, log_events_in, once

from kinesis import Behaviour, KinesisStub
from lambda_environment import LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]
FUNCTIONS = Path(__file__).parent / "functions"
CLOUDWATCH = {**HOLDS, "EXTENSION_LOG_FORMAT": "cloudwatch"}
APIS = {"Logs API": {}, "Telemetry API": {"EXTENSION_LOG_API": "telemetry"}}
RECORD_LIMIT = 1024 * 1024
NAME = "kinesis-stream-logs-extension"
MS = r"\d+\.\d\d ms"

each_api = pytest.mark.parametrize("api", APIS.values(), ids=APIS)


def shown(stub: KinesisStub) -> list[str]:
    return [event["message"] for event in log_events_in(stub.records())]


def logged(environment: LambdaEnvironment) -> list[str]:
    return [event["record"] for event in environment.emitted_of("function")]


def in_order(log_events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By the number of the event in its environment, which is the second half of the id."""
    return sorted(log_events, key=lambda event: event["id"][28:])


def assert_shows_what_was_logged(
    environment: LambdaEnvironment, log_events: list[dict[str, Any]]
) -> None:
    """Every line of the function is there, once and in order."""
    lines = logged(environment)
    wanted = set(lines)
    found = [event["message"] for event in in_order(log_events) if event["message"] in wanted]
    assert found == lines


def report_of(request_id: str, init: str = "") -> str:
    return (
        rf"REPORT RequestId: {request_id}\tDuration: {MS}\tBilled Duration: \d+ ms\t"
        rf"Memory Size: 128 MB\tMax Memory Used: \d+ MB\t{init}"
    )


def assert_reads(lines: list[str], patterns: list[str]) -> None:
    pairs = list(zip(lines, patterns, strict=True))
    assert [pair for pair in pairs if not re.fullmatch(pair[1], pair[0])] == []


def start_of(request_id: str) -> str:
    return rf"START RequestId: {request_id} Version: \$LATEST\n"


def end_of(request_id: str) -> str:
    return rf"END RequestId: {request_id}\n"


@each_api
def test_a_life_reads_as_in_cloudwatch(
    lambda_environment: Environments, kinesis_stub: KinesisStub, api: dict[str, str]
) -> None:
    environment = lambda_environment(kinesis_stub, {**CLOUDWATCH, **api})
    first = environment.invoke(output=["one line\n", 'tab\t"quote" \\ \0 é 😀\n']).request_id
    second = environment.invoke(output=["another\n"]).request_id
    shut_down(environment)
    subscribed = rf"\tName: {NAME}\tState: Subscribed\tTypes: \[platform, function\]\n"
    extension = rf"EXTENSION\tName: {NAME}\tState: Ready\tEvents: \[INVOKE, SHUTDOWN\]\n"
    lines = shown(kinesis_stub)
    at = lines.index(next(line for line in lines if line.startswith("START")))
    start = [("TELEMETRY" if api else "LOGS") + subscribed, extension]
    assert_reads(sorted(lines[:at]), sorted(start))
    assert_reads(
        lines[at:],
        [
            start_of(first),
            r"one line\n",
            re.escape('tab\t"quote" \\ \0 é 😀\n'),
            end_of(first),
            report_of(first, rf"Init Duration: {MS}\t\n"),
            start_of(second),
            r"another\n",
            end_of(second),
            report_of(second, r"\n"),
        ],
    )
    assert_ledger_is_exact(totals(environment))


@each_api
def test_an_invocation_is_held_until_its_lines_are_in_the_stream_and_no_longer(
    lambda_environment: Environments, kinesis_stub: KinesisStub, api: dict[str, str]
) -> None:
    environment = lambda_environment(kinesis_stub, {**CLOUDWATCH, **api})
    for number in range(3):
        invocation = environment.invoke(output=[f"line {number}\n"])
        assert f"line {number}\n" in shown(kinesis_stub)
        assert invocation.kept_awake_ms < NO_HOLD_MS


@each_api
def test_a_time_out_reads_as_in_cloudwatch(
    lambda_environment: Environments, kinesis_stub: KinesisStub, api: dict[str, str]
) -> None:
    environment = lambda_environment(kinesis_stub, {**CLOUDWATCH, **api})
    killed = environment.invoke(output=["the last words\n"], duration_s=9, timeout_s=0.7)
    assert killed.status == "timeout"
    lines = shown(kinesis_stub)
    at = lines.index("the last words\n")
    [timed_out] = [line for line in lines if "Z " in line and "Task timed out" in line]
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    told = re.fullmatch(
        rf"{stamp} {killed.request_id} Task timed out after (\d\.\d\d) seconds\n\n", timed_out
    )
    assert told
    assert 0.6 <= float(told[1]) < 2
    assert at < lines.index(timed_out) < lines.index(f"END RequestId: {killed.request_id}\n")


def test_a_failure_is_reported_with_its_type(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    variables = {**CLOUDWATCH, **APIS["Telemetry API"]}
    environment = lambda_environment(
        kinesis_stub, variables, task_root=FUNCTIONS, handler="app.crashes"
    )
    crashed = environment.invoke()
    [report] = [line for line in shown(kinesis_stub) if line.startswith("REPORT")]
    assert report.endswith("\tStatus: failure\tError Type: Runtime.ExitError\n")
    assert crashed.request_id in report


@each_api
def test_the_envelope_says_whose_logs_these_are(
    lambda_environment: Environments, kinesis_stub: KinesisStub, api: dict[str, str]
) -> None:
    small = {"EXTENSION_LOG_RECORD_BYTES": "5000"}
    streams = set()
    for _ in range(2):
        environment = lambda_environment(
            kinesis_stub, {**CLOUDWATCH, **api, **small} | on_free_port()
        )
        environment.invoke(output=numbered_lines(100))
        shut_down(environment)
        assert len(kinesis_stub.records()) > 2
    for envelope in envelopes_in(kinesis_stub.records()):
        assert envelope["owner"] == "123456789012"
        assert envelope["logGroup"] == "/aws/lambda/hello-world"
        assert envelope["subscriptionFilters"] == [NAME]
        streams.add(envelope["logStream"])
    assert len(streams) == 2
    pattern = r"20\d\d/[01]\d/[0-3]\d/\[\$LATEST\][0-9a-f]{12}"
    assert all(re.fullmatch(pattern, stream) for stream in streams)


@each_api
def test_a_log_event_has_the_time_of_its_event_and_an_id_of_its_own(
    lambda_environment: Environments, kinesis_stub: KinesisStub, api: dict[str, str]
) -> None:
    environment = lambda_environment(kinesis_stub, {**CLOUDWATCH, **api})
    environment.invoke(output=numbered_lines(500), duration_s=0.2)
    shut_down(environment)
    log_events = log_events_in(kinesis_stub.records())
    assert len(once(log_events)) == len(log_events)
    assert_shows_what_was_logged(environment, log_events)
    times = {event["message"]: event["timestamp"] for event in log_events}
    for event in environment.emitted_of("function"):
        milliseconds = datetime.fromisoformat(event["time"]).timestamp() * 1000
        assert times[event["record"]] == round(milliseconds)


def test_what_a_function_logs_as_json_is_the_text_of_it(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    variables = {**CLOUDWATCH, **APIS["Telemetry API"]}
    environment = lambda_environment(kinesis_stub, variables, log_format="JSON")
    line = {"level": "INFO", "message": 'a "quoted" é\n', "n": 12345678901234567890}
    environment.invoke(output=[json.dumps(line) + "\n"])
    shut_down(environment)
    assert environment.emitted_of("function")[0]["record"] == line
    [message] = [message for message in shown(kinesis_stub) if message.startswith("{")]
    assert json.loads(message) == line
    assert "12345678901234567890" in message


@pytest.mark.parametrize(
    "fault",
    [
        Behaviour(times=3, fail_share=0.5),
        Behaviour(times=3, status=500, error_type="InternalFailure"),
        Behaviour(times=2, store_and_close=True),
    ],
    ids=["half of the records fail", "500", "the answer is lost"],
)
def test_a_fault_that_passes_loses_nothing(
    lambda_environment: Environments, kinesis_stub: KinesisStub, fault: Behaviour
) -> None:
    environment = lambda_environment(
        kinesis_stub, {**CLOUDWATCH, "EXTENSION_LOG_RECORD_BYTES": "5000"}
    )
    kinesis_stub.behave(fault)
    for number in range(3):
        environment.invoke(output=numbered_lines(300, prefix=f"{number}"), timeout_s=9)
    shut_down(environment)
    log_events = log_events_in(kinesis_stub.records())
    kept = once(log_events)
    assert fault.store_and_close or len(kept) == len(log_events)
    assert_shows_what_was_logged(environment, kept)
    assert_ledger_is_exact(totals(environment))
    assert totals(environment)["droppedEvents"] == 0


def test_what_waits_on_disk_is_replayed_as_it_was_packed(
    lambda_environment: Environments, kinesis_stub: KinesisStub, tmp_path: Path
) -> None:
    with fault_proxy(kinesis_stub) as proxy:
        wanted = {**CLOUDWATCH, "EXTENSION_LOG_HOLD_MS": "50", **proxy.variables}
        first = lambda_environment(
            kinesis_stub, wanted | on_free_port(), temporary_directory=tmp_path
        )
        proxy.meet(Wire.HANG)
        first.invoke(output=numbered_lines(500, prefix="undelivered"))
        shut_down(first)
        proxy.recover()
        second = lambda_environment(
            kinesis_stub, wanted | on_free_port(), temporary_directory=tmp_path
        )
        second.invoke(output=numbered_lines(10, prefix="after"), timeout_s=9)
        shut_down(second)
    [before], [after] = lives(first), lives(second)
    assert_ledger_is_exact(before)
    assert_ledger_is_exact(after)
    assert after["replayedEvents"] == before["spooledEvents"] > 500
    log_events = log_events_in(kinesis_stub.records())
    assert len(once(log_events)) == len(log_events)
    assert {*logged(first), *logged(second)} <= {event["message"] for event in log_events}
    assert len({envelope["logStream"] for envelope in envelopes_in(kinesis_stub.records())}) == 2


def test_a_line_that_is_too_large_for_a_record_becomes_several_log_events(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    text = "".join(random.Random("parts").choices('abcdefghijklmnop"\\€', k=1_700_000))
    environment = lambda_environment(kinesis_stub, CLOUDWATCH)
    environment.invoke(output=["before\n", text, "after\n"], timeout_s=9)
    shut_down(environment)
    log_events = log_events_in(kinesis_stub.records())
    assert len(once(log_events)) == len(log_events)
    parts = sorted((e for e in log_events if "part" in e), key=lambda e: e["part"]["index"])
    assert len(parts) >= 2
    assert {part["part"]["count"] for part in parts} == {len(parts)}
    assert [int(part["id"][48:]) for part in parts] == list(range(len(parts)))
    assert len({part["id"][:48] for part in parts}) == 1
    assert "".join(part["message"] for part in parts) == text
    assert max(len(r.data) + len(r.partition_key) for r in kinesis_stub.records()) <= RECORD_LIMIT
    assert totals(environment)["droppedEvents"] == 0


def test_records_are_filled_with_250000_bytes_before_compression(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, CLOUDWATCH)
    environment.invoke(output=numbered_lines(8000), duration_s=0.3, timeout_s=9)
    shut_down(environment)
    largest = max(len(record.content()) for record in kinesis_stub.records())
    assert 240_000 < largest <= 250_000
    log_events = log_events_in(kinesis_stub.records())
    assert_shows_what_was_logged(environment, log_events)


def test_what_is_not_json_is_shown_all_the_same(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, CLOUDWATCH)
    environment.invoke(output=[b"this is not JSON", b'[{"type":"function","record":"bad \xff"}]'])
    shut_down(environment)
    lines = shown(kinesis_stub)
    assert "this is not JSON" in lines
    assert '{"type":"function","record":"bad �"}' in lines
    assert totals(environment)["unparsedEvents"] == 2


def test_tags_that_have_no_place_are_told(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(
        kinesis_stub, {**CLOUDWATCH, "EXTENSION_LOG_TAGS": "team=payments"}
    )
    environment.invoke(output=["a line\n"])
    shut_down(environment)
    [warning] = [text for text in messages(environment, "warn") if "TAGS" in text]
    assert "EXTENSION_LOG_FORMAT=cloudwatch" in warning
    assert "a line\n" in shown(kinesis_stub)
