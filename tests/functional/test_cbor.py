# SPDX-License-Identifier: MIT
"""EXTENSION_LOG_KINESIS_PROTOCOL=cbor: everything arrives as in JSON, in fewer bytes, and where
CBOR is not understood, in JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from outcome import (
    HOLDS,
    assert_all_arrived,
    assert_ledger_is_exact,
    messages,
    on_free_port,
    shut_down,
    totals,
)

from kinesis import Behaviour, KinesisStub, LocalStream, MotoStream, compare, events_in
from lambda_environment import LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]
FALL_BACK = "the Kinesis endpoint does not understand CBOR"
ODD = rb"\ud83d\udc0c\u0000\\" + "é\U0001f40c".encode()
ODD_BODY = b'[{"time":"2026-11-21T10:29:09.223Z","type":"function","record":"%s"}]' % ODD


def speaking(protocol: str, more: dict[str, str] | None = None) -> dict[str, str]:
    return {**HOLDS, "EXTENSION_LOG_KINESIS_PROTOCOL": protocol} | on_free_port() | (more or {})


def content_types(stub: KinesisStub) -> list[str]:
    return [request.headers["Content-Type"].rpartition("-amz-")[2] for request in stub.requests()]


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_server_that_is_not_ours_understands_every_record(
    lambda_environment: Environments, kinesis_local: LocalStream, compression: str
) -> None:
    """Compressed records hold every byte there is."""
    environment = lambda_environment(
        kinesis_local, speaking("cbor", {"EXTENSION_LOG_COMPRESSION": compression})
    )
    for number in range(3):
        lines = numbered_lines(500, prefix=f"äöü \U0001f40c {number}")
        assert environment.invoke(output=lines).undelivered_at_freeze == 0
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, kinesis_local)
    assert messages(environment, "warn") == []


def test_a_server_that_is_not_ours_explains_itself_in_cbor(
    lambda_environment: Environments, kinesis_local: LocalStream
) -> None:
    wrong = {"AWS_KINESIS_STREAM_NAME": "no-such-stream", "EXTENSION_LOG_HOLD_MS": "100"}
    environment = lambda_environment(kinesis_local, speaking("cbor", wrong))
    environment.invoke(output=["one line\n"])
    shut_down(environment)
    warnings = messages(environment, "warn")
    assert any("HTTP status 400 ResourceNotFoundException: " in line for line in warnings), warnings
    assert not [line for line in warnings if FALL_BACK in line]
    assert_ledger_is_exact(totals(environment))


def test_bytes_are_sent_as_they_are_and_signed(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, speaking("cbor"))
    environment.invoke(output=[ODD_BODY, *numbered_lines(2000)])
    shut_down(environment)
    assert ODD in b"".join(record.data for record in kinesis_stub.records())
    assert set(content_types(kinesis_stub)) == {"cbor-1.1"}
    sent = sum(request.bytes for request in kinesis_stub.requests())
    held = sum(len(r.data) + len(r.partition_key) for r in kinesis_stub.records())
    assert held < sent < held * 1.05
    assert messages(environment, "warn") == []


def test_only_what_failed_goes_again(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    kinesis_stub.behave(Behaviour(times=3, fail_share=0.5, error_code="InternalFailure"))
    environment = lambda_environment(
        kinesis_stub, speaking("cbor", {"EXTENSION_LOG_FORMAT": "event"})
    )
    assert environment.invoke(output=numbered_lines(300)).undelivered_at_freeze == 0
    shut_down(environment)
    comparison = compare(environment.emitted, events_in(kinesis_stub.records()))
    assert not comparison.missing
    assert not comparison.repeated
    assert set(content_types(kinesis_stub)) == {"cbor-1.1"}
    assert totals(environment)["retriedRecords"] > 0


@pytest.mark.parametrize(
    ("status", "error_type"),
    [
        (415, ""),
        (404, ""),
        (404, "UnknownOperationException"),
        (400, "SerializationException"),
    ],
)
def test_where_cbor_is_refused_all_goes_in_json_with_one_warning(
    lambda_environment: Environments, kinesis_stub: KinesisStub, status: int, error_type: str
) -> None:
    kinesis_stub.refuse_cbor(status, error_type)
    environment = lambda_environment(kinesis_stub, speaking("cbor"))
    for number in range(3):
        lines = numbered_lines(300, prefix=f"{number}")
        assert environment.invoke(output=lines).undelivered_at_freeze == 0
    shut_down(environment)
    comparison = compare(environment.emitted, events_in(kinesis_stub.records()))
    assert not comparison.missing
    assert not comparison.repeated
    assert len([line for line in messages(environment, "warn") if FALL_BACK in line]) == 1
    assert len(messages(environment, "warn")) == 1
    refused = [r for r in kinesis_stub.requests() if r.status != 200]
    assert 1 <= len(refused) <= 4, "no lane tries CBOR twice"
    assert content_types(kinesis_stub)[-1] == "json-1.1"
    assert_ledger_is_exact(totals(environment))


def test_an_emulator_that_breaks_over_cbor_gets_json(
    lambda_environment: Environments, kinesis: MotoStream
) -> None:
    """moto answers 500 and a page."""
    environment = lambda_environment(kinesis, speaking("cbor"))
    assert environment.invoke(output=numbered_lines(100)).undelivered_at_freeze == 0
    shut_down(environment)
    assert_all_arrived(environment, kinesis)
    assert [FALL_BACK in line for line in messages(environment, "warn")] == [True]


@pytest.mark.parametrize(("first", "second"), [("json", "cbor"), ("cbor", "json")])
def test_what_was_spooled_in_one_protocol_is_replayed_in_the_other(
    lambda_environment: Environments,
    kinesis_stub: KinesisStub,
    tmp_path: Path,
    first: str,
    second: str,
) -> None:
    kinesis_stub.behave(Behaviour(times=0, hang=True))
    short = {"EXTENSION_LOG_HOLD_MS": "50"}
    before = lambda_environment(kinesis_stub, speaking(first, short), temporary_directory=tmp_path)
    before.invoke(output=[ODD_BODY, *numbered_lines(50)])
    shut_down(before)
    spooled = totals(before)["spooledEvents"]
    assert spooled > 50
    kinesis_stub.recover()
    after = lambda_environment(kinesis_stub, speaking(second, short), temporary_directory=tmp_path)
    after.invoke(output=["one more\n"])
    shut_down(after)
    assert totals(after)["replayedEvents"] == spooled
    data = b"".join(record.data for record in kinesis_stub.records())
    assert data.count(ODD) == 1
    assert data.count(b"line-") == 50
