# SPDX-License-Identifier: MIT
"""Formats that a consumer has to decode first: what is in them, and that nothing else changes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from fault_proxy import Wire, fault_proxy
from outcome import (
    HOLDS,
    assert_all_arrived,
    assert_ledger_is_exact,
    assert_same_events,
    lives,
    messages,
    of_type,
    on_free_port,
    shut_down,
    totals,
    without_repeats,
)

from kinesis import Behaviour, KinesisStub, compare, events_in, payload_units
from lambda_environment import LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]
RECORD_LIMIT = 1024 * 1024
GZIP = {"EXTENSION_LOG_COMPRESSION": "gzip"}
FORMATS = {
    "ndjson, gzip": {"EXTENSION_LOG_FORMAT": "ndjson", **GZIP},
    "batch, gzip": {"EXTENSION_LOG_FORMAT": "batch", **GZIP},
    "kpl": {"EXTENSION_LOG_FORMAT": "kpl"},
}

each_format = pytest.mark.parametrize("variables", FORMATS.values(), ids=FORMATS)


def sizes(stub: KinesisStub) -> list[int]:
    return [len(record.data) + len(record.partition_key) for record in stub.records()]


@each_format
def test_what_a_consumer_decodes_is_every_event_once(
    lambda_environment: Environments, kinesis_stub: KinesisStub, variables: dict[str, str]
) -> None:
    environment = lambda_environment(kinesis_stub, {**HOLDS, **variables})
    for number in range(3):
        environment.invoke(output=numbered_lines(1000, prefix=f"{number}"))
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)
    assert_ledger_is_exact(totals(environment))
    ids = [event["eventId"] for event in events_in(kinesis_stub.records())]
    assert len(set(ids)) == len(ids)


@each_format
@pytest.mark.parametrize(
    "fault",
    [
        Behaviour(times=3, fail_share=0.5),
        Behaviour(times=3, status=500, error_type="InternalFailure"),
        Behaviour(times=3, status=400, error_type="ProvisionedThroughputExceededException"),
        Behaviour(times=2, store_and_close=True),
    ],
    ids=["half of the records fail", "500", "throttled", "the answer is lost"],
)
def test_a_fault_that_passes_loses_nothing(
    lambda_environment: Environments,
    kinesis_stub: KinesisStub,
    variables: dict[str, str],
    fault: Behaviour,
) -> None:
    small = {"EXTENSION_LOG_RECORD_BYTES": "5000"}
    environment = lambda_environment(kinesis_stub, {**HOLDS, **variables, **small})
    kinesis_stub.behave(fault)
    for number in range(3):
        environment.invoke(output=numbered_lines(300, prefix=f"{number}"), timeout_s=9)
    shut_down(environment)
    events = events_in(kinesis_stub.records())
    assert_same_events(events)
    comparison = compare(environment.emitted, without_repeats(events))
    assert not comparison.missing
    assert not comparison.repeated
    assert fault.store_and_close or len(without_repeats(events)) == len(events)
    assert_ledger_is_exact(totals(environment))
    assert totals(environment)["droppedEvents"] == 0


@each_format
def test_what_waits_on_disk_is_replayed_as_it_was_packed(
    lambda_environment: Environments,
    kinesis_stub: KinesisStub,
    variables: dict[str, str],
    tmp_path: Path,
) -> None:
    with fault_proxy(kinesis_stub) as proxy:
        wanted = {**HOLDS, "EXTENSION_LOG_HOLD_MS": "50", **variables, **proxy.variables}
        first = lambda_environment(
            kinesis_stub, wanted | on_free_port(), temporary_directory=tmp_path
        )
        proxy.meet(Wire.HANG)
        first.invoke(output=numbered_lines(500, prefix="undelivered"))
        shut_down(first)
        proxy.recover()
        # Another format by then: what was packed stays as it is.
        plain = {**wanted, "EXTENSION_LOG_FORMAT": "ndjson", "EXTENSION_LOG_COMPRESSION": "none"}
        second = lambda_environment(
            kinesis_stub, plain | on_free_port(), temporary_directory=tmp_path
        )
        second.invoke(output=numbered_lines(10, prefix="after"), timeout_s=9)
        shut_down(second)
    [before], [after] = lives(first), lives(second)
    assert_ledger_is_exact(before)
    assert_ledger_is_exact(after)
    assert after["replayedEvents"] == before["spooledEvents"] > 500
    emitted = [*first.emitted, *second.emitted]
    comparison = compare(emitted, events_in(kinesis_stub.records()))
    assert not comparison.missing
    assert not comparison.repeated


@each_format
def test_an_event_that_is_too_large_for_a_record_arrives_in_parts(
    lambda_environment: Environments, kinesis_stub: KinesisStub, variables: dict[str, str]
) -> None:
    text = "".join(random.Random("parts").choices('abcdefghijklmnop"\\€', k=1_700_000))
    environment = lambda_environment(kinesis_stub, {**HOLDS, **variables})
    environment.invoke(output=["before\n", text, "after\n"], timeout_s=9)
    shut_down(environment)
    parts = [event for event in events_in(kinesis_stub.records()) if "part" in event]
    parts.sort(key=lambda event: event["part"]["index"])
    assert len(parts) >= 2
    assert {part["part"]["count"] for part in parts} == {len(parts)}
    assert "".join(part["record"] for part in parts) == text
    assert max(sizes(kinesis_stub)) <= RECORD_LIMIT
    assert totals(environment)["droppedEvents"] == 0


# --- kpl ---


@pytest.mark.parametrize("key", ["random", "environment", "function", "request"])
def test_each_sub_record_is_a_line_under_the_key_of_its_record(
    lambda_environment: Environments, kinesis_stub: KinesisStub, key: str
) -> None:
    # Consumers with enhanced fan-out drop sub-records whose key belongs to another shard.
    variables = {**HOLDS, **FORMATS["kpl"], "EXTENSION_LOG_PARTITION_KEY": key}
    environment = lambda_environment(kinesis_stub, variables)
    environment.invoke(output=numbered_lines(1000))
    shut_down(environment)
    records = kinesis_stub.records()
    assert len(records) > 5
    for record in records:
        parts = record.sub_records()
        assert {part.partition_key for part in parts} == {record.partition_key}
        assert all(part.data.endswith(b"}\n") and part.data.count(b"\n") == 1 for part in parts)
    assert sum(len(record.sub_records()) for record in records) == len(environment.emitted)
    assert max(sizes(kinesis_stub)) <= 25_000
    if key != "request":
        assert payload_units(records) <= 1.05 * sum(sizes(kinesis_stub)) / 25_000 + 5


# --- gzip ---


def test_compression_fills_records_with_250000_bytes_before_it_and_costs_a_fraction(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, {**HOLDS, **GZIP})
    environment.invoke(output=numbered_lines(8000), duration_s=0.3, timeout_s=9)
    shut_down(environment)
    records = kinesis_stub.records()
    largest = max(len(record.content()) for record in records)
    assert 240_000 < largest <= 250_000
    content = sum(len(record.content()) for record in records)
    units = payload_units(records)
    print(f"{units} PUT payload units for {content} bytes in {len(records)} records")
    assert units < content / 25_000 / 3
    assert totals(environment)["payloadUnits"] == units
    assert_all_arrived(environment, kinesis_stub)


@pytest.mark.parametrize("record_bytes", [250_000, 1024 * 1024])
def test_what_cannot_be_compressed_is_within_the_limit_of_a_record_too(
    lambda_environment: Environments, kinesis_stub: KinesisStub, record_bytes: int
) -> None:
    # Random bytes in JSON: characters of 2 bytes, most of them different.
    chance = random.Random(record_bytes)
    alphabet = [chr(code) for code in range(0xA1, 0x7FF) if chr(code).isprintable()]
    lines = ["".join(chance.choices(alphabet, k=5000)) + "\n" for _ in range(250)]
    variables = {**HOLDS, **GZIP, "EXTENSION_LOG_RECORD_BYTES": str(record_bytes)}
    environment = lambda_environment(kinesis_stub, variables)
    environment.invoke(output=lines, duration_s=0.3, timeout_s=9)
    shut_down(environment)
    assert record_bytes / 2 < max(sizes(kinesis_stub)) <= RECORD_LIMIT
    assert_all_arrived(environment, kinesis_stub)
    assert totals(environment)["droppedEvents"] == 0


@pytest.mark.parametrize("name", ["event", "kpl"])
def test_compression_of_another_format_is_a_mistake_that_names_both(
    lambda_environment: Environments, kinesis_stub: KinesisStub, name: str
) -> None:
    environment = lambda_environment(kinesis_stub, {**GZIP, "EXTENSION_LOG_FORMAT": name})
    assert environment.invoke(output=["a line\n"]).status == "success"
    shut_down(environment)
    [error] = [text for text in messages(environment, "error") if "COMPRESSION" in text]
    assert "EXTENSION_LOG_COMPRESSION=gzip" in error
    assert f"EXTENSION_LOG_FORMAT={name}" in error
    assert kinesis_stub.requests() == []


def test_a_compressed_batch_is_one_array_of_a_delivery(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    variables = {**HOLDS, **FORMATS["batch, gzip"], "EXTENSION_LOG_ENRICH": "false"}
    event = b'{"time":"2026-03-14T15:09:26.929Z","type":"function","record":"number %d"}'
    body = b"[" + b",".join(event % number for number in range(9)) + b"]"
    environment = lambda_environment(kinesis_stub, variables)
    environment.invoke(output=[body])
    shut_down(environment)
    contents = [record.content() for record in kinesis_stub.records()]
    assert body + b"\n" in contents
    assert all(isinstance(json.loads(content), list) for content in contents)
    assert len(of_type(events_in(kinesis_stub.records()), "function")) == 9
