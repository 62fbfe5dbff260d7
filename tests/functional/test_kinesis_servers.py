# SPDX-License-Identifier: MIT
"""The Kinesis servers refuse what the service refuses, and tell what they were sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError, SSLError

from kinesis import Behaviour, KinesisStub, MotoServer, MotoStream, Record, payload_units
from lambda_environment import Credentials

RECORDS = [{"Data": b"%d\n" % number, "PartitionKey": f"k{number}"} for number in range(10)]


def stub_client(stub: KinesisStub, credentials: Credentials | None = None) -> Any:
    credentials = credentials or stub.credentials
    return boto3.client(
        "kinesis",
        endpoint_url=stub.endpoint,
        region_name="us-east-1",
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
        verify=str(stub.certificates.authority) if stub.certificates else None,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=0.5, proxies={}),
    )


def refusal(call: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call()
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], str(answer["Error"])


# moto


def test_moto_gives_back_everything_with_its_partition_key(kinesis: MotoStream) -> None:
    kinesis.client().put_records(StreamName=kinesis.name, Records=RECORDS)
    kinesis.client().put_records(StreamARN=kinesis.arn, Records=RECORDS)
    expected = [Record(item["Data"], item["PartitionKey"]) for item in RECORDS * 2]
    assert sorted(kinesis.records(), key=str) == sorted(expected, key=str)
    assert kinesis.calls() == {200: 2}


def test_moto_refuses_what_the_role_may_not_do(
    kinesis: MotoStream, moto_server: MotoServer
) -> None:
    other = moto_server.create_stream("of-somebody-else")
    client = kinesis.client()
    for call in (
        lambda: client.put_records(StreamName=other.name, Records=RECORDS),
        lambda: client.put_records(StreamARN=other.arn, Records=RECORDS),
        lambda: client.put_record(StreamName=kinesis.name, **RECORDS[0]),
        lambda: client.describe_stream(StreamName=kinesis.name),
    ):
        status, error = refusal(call)
        assert status == 403
        assert "AccessDenied" in error
    assert other.records() == []


@pytest.mark.parametrize("wrong", ["access_key_id", "secret_access_key", "session_token"])
def test_moto_refuses_wrong_credentials(kinesis: MotoStream, wrong: str) -> None:
    client = kinesis.client(replace(kinesis.credentials, **{wrong: "ASIAWRONG"}))
    status, _ = refusal(lambda: client.put_records(StreamName=kinesis.name, Records=RECORDS))
    assert status == 403
    assert kinesis.records() == []


# The stub


def test_the_stub_gives_back_everything_with_its_partition_key(kinesis_stub: KinesisStub) -> None:
    stub_client(kinesis_stub).put_records(StreamName=kinesis_stub.stream, Records=RECORDS)
    expected = [Record(item["Data"], item["PartitionKey"]) for item in RECORDS]
    assert kinesis_stub.records() == expected
    (request,) = kinesis_stub.requests()
    assert (request.status, request.records, request.failed) == (200, 10, ())


@pytest.mark.parametrize(
    ("wrong", "error_type"),
    [
        ("access_key_id", "UnrecognizedClientException"),
        ("secret_access_key", "InvalidSignatureException"),
        ("session_token", "UnrecognizedClientException"),
    ],
)
def test_the_stub_refuses_wrong_credentials(
    kinesis_stub: KinesisStub, wrong: str, error_type: str
) -> None:
    client = stub_client(kinesis_stub, replace(kinesis_stub.credentials, **{wrong: "wrong"}))
    status, error = refusal(
        lambda: client.put_records(StreamName=kinesis_stub.stream, Records=RECORDS)
    )
    assert status == 403
    assert error_type in error
    assert kinesis_stub.records() == []


@pytest.mark.parametrize(
    ("stream", "records", "error_type"),
    [
        ("other", RECORDS, "ResourceNotFoundException"),
        ("", [{"Data": b"x" * 1048576, "PartitionKey": "k"}], "InvalidArgumentException"),
        ("", RECORDS * 51, "InvalidArgumentException"),
    ],
    ids=["unknown stream", "record too large", "too many records"],
)
def test_the_stub_keeps_the_limits_of_the_service(
    kinesis_stub: KinesisStub, stream: str, records: list[Any], error_type: str
) -> None:
    client = stub_client(kinesis_stub)
    _, error = refusal(
        lambda: client.put_records(StreamName=stream or kinesis_stub.stream, Records=records)
    )
    assert error_type in error


def test_records_that_fail_are_not_stored(kinesis_stub: KinesisStub) -> None:
    kinesis_stub.behave(Behaviour(fail_records=(0, 9), error_code="InternalFailure"))
    kinesis_stub.behave(Behaviour(fail_share=0.3))
    client = stub_client(kinesis_stub)
    first, second, third = (
        client.put_records(StreamName=kinesis_stub.stream, Records=RECORDS) for _ in range(3)
    )
    codes = [result.get("ErrorCode") for result in first["Records"]]
    assert codes == ["InternalFailure", *[None] * 8, "InternalFailure"]
    assert [answer["FailedRecordCount"] for answer in (first, second, third)] == [2, 3, 0]
    assert len(kinesis_stub.records()) == 8 + 7 + 10


def test_whole_requests_fail_as_they_are_told_to(kinesis_stub: KinesisStub) -> None:
    throttled = Behaviour(status=400, error_type="ThrottlingException", times=2)
    for behaviour in (throttled, Behaviour(close=True), Behaviour(hang=True)):
        kinesis_stub.behave(behaviour)
    client = stub_client(kinesis_stub)
    put = lambda: client.put_records(StreamName=kinesis_stub.stream, Records=RECORDS)  # noqa: E731
    assert [refusal(put)[0] for _ in range(2)] == [400, 400]
    with pytest.raises(ConnectionClosedError):
        put()
    with pytest.raises(ReadTimeoutError):
        put()
    assert kinesis_stub.records() == []
    put()
    assert len(kinesis_stub.records()) == 10


def test_records_can_be_stored_without_an_answer(kinesis_stub: KinesisStub) -> None:
    kinesis_stub.behave(Behaviour(store_and_close=True))
    client = stub_client(kinesis_stub)
    with pytest.raises(ConnectionClosedError):
        client.put_records(StreamName=kinesis_stub.stream, Records=RECORDS)
    assert len(kinesis_stub.records()) == 10


def test_the_stub_speaks_tls_to_those_who_trust_its_authority(
    kinesis_tls_stub: KinesisStub,
) -> None:
    stub_client(kinesis_tls_stub).put_records(StreamName=kinesis_tls_stub.stream, Records=RECORDS)
    assert len(kinesis_tls_stub.records()) == 10
    kinesis_tls_stub.certificates = None
    stranger = boto3.client(
        "kinesis",
        endpoint_url=f"https://localhost:{kinesis_tls_stub.port}",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    with pytest.raises(SSLError):
        stranger.put_records(StreamName=kinesis_tls_stub.stream, Records=RECORDS)


def test_payload_units_are_counted_record_by_record() -> None:
    assert payload_units([Record(b"x" * 24_999, "k")]) == 1
    assert payload_units([Record(b"x" * 25_000, "k")]) == 2
    assert payload_units([Record(b"x", "k")] * 3) == 3
