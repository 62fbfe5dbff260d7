# SPDX-License-Identifier: MIT
"""Kinesis gets everything, each accepted record once, whatever it answers."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

import pytest
from fault_proxy import fault_proxy
from outcome import HOLDS, NO_HOLD_MS, assert_all_arrived, messages, of_type, shut_down, totals

from kinesis import Behaviour, KinesisStub, MotoServer, MotoStream, events_in
from lambda_environment import Credentials, LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]


def test_moto_accepts_what_a_role_that_may_only_put_records_sends(
    lambda_environment: Environments, kinesis: MotoStream
) -> None:
    environment = lambda_environment(kinesis, HOLDS)
    invocation = environment.invoke(output=numbered_lines(1000))
    assert invocation.undelivered_at_freeze == 0
    shut_down(environment)
    assert_all_arrived(environment, kinesis)
    assert set(kinesis.calls()) == {200}


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "InternalFailure"])
def test_with_30_percent_of_all_records_failing_none_is_lost_and_none_that_was_taken_goes_again(
    lambda_environment: Environments, kinesis_stub: KinesisStub, code: str
) -> None:
    # pains 23 and 24
    kinesis_stub.behave(Behaviour(times=0, fail_share=0.3, error_code=code))
    environment = lambda_environment(kinesis_stub, {**HOLDS, "EXTENSION_LOG_HOLD_MS": "5000"})
    for number in range(3):
        lines = numbered_lines(2000, prefix=f"invocation-{number}")
        assert environment.invoke(output=lines, timeout_s=20).undelivered_at_freeze == 0
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, kinesis_stub)
    failed = sum(len(request.failed) for request in kinesis_stub.requests())
    assert totals(environment)["retriedRecords"] == failed > 20


def test_only_the_records_that_failed_go_again(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # pain 23: a partial failure that repeats everything
    kinesis_stub.behave(Behaviour(fail_records=(1, 3), error_code="InternalFailure"))
    environment = lambda_environment(
        kinesis_stub, {**HOLDS, "EXTENSION_LOG_FORMAT": "event", "EXTENSION_LOG_TYPES": "function"}
    )
    environment.invoke(output=numbered_lines(6))
    assert [request.records for request in kinesis_stub.requests()] == [6, 2]


@pytest.mark.parametrize(
    "errors",
    [
        {
            "ProvisionedThroughputExceededException": 400,
            "ThrottlingException": 400,
            "LimitExceededException": 400,
            "KMSThrottlingException": 400,
            "": 429,
        },
        {
            "InternalFailure": 500,
            "ServiceUnavailable": 503,
            "RequestTimeoutException": 408,
            "RequestAbortedException": 400,
        },
        {"ExpiredTokenException": 400, "UnrecognizedClientException": 403},
        {"ResourceNotFoundException": 400, "AccessDeniedException": 400},
    ],
    ids=["throttled", "transient", "credentials", "misconfigured"],
)
def test_a_refused_request_is_made_again_within_the_hold(
    lambda_environment: Environments, kinesis_stub: KinesisStub, errors: dict[str, int]
) -> None:
    # pains 26 and 29; Sumo's 5xx that is neither an error nor a success
    environment = lambda_environment(kinesis_stub, {**HOLDS, "EXTENSION_LOG_HOLD_MS": "3000"})
    for error_type, status in errors.items():
        kinesis_stub.behave(Behaviour(status=status, error_type=error_type))
        before = len(kinesis_stub.requests())
        environment.invoke(output=[f"{error_type}\n"], timeout_s=9)
        statuses = [request.status for request in kinesis_stub.requests()[before:]]
        assert statuses[0] == status
        assert statuses[-1] == 200, f"{error_type}: not delivered before the freeze"
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)


def test_a_request_that_is_too_large_is_split(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    kinesis_stub.behave(Behaviour(times=2, status=413, error_type="RequestEntityTooLargeException"))
    environment = lambda_environment(kinesis_stub, {**HOLDS, "EXTENSION_LOG_FORMAT": "event"})
    environment.invoke(output=numbered_lines(100))
    shut_down(environment)
    refused, *later = [request for request in kinesis_stub.requests() if request.records > 1]
    assert max(request.records for request in later) < refused.records
    assert_all_arrived(environment, kinesis_stub)


def test_what_kinesis_will_never_take_is_counted_told_and_does_not_hold_up_the_rest(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, {**HOLDS, "EXTENSION_LOG_TYPES": "function"})
    environment.invoke(output=["taken\n"])
    kinesis_stub.behave(Behaviour(times=2, status=400, error_type="InvalidArgumentException"))
    environment.invoke(output=["refused\n"])
    environment.invoke(output=["refused, too\n"])
    environment.invoke(output=["taken, too\n"])
    assert shut_down(environment).exit_code == 0
    events = events_in(kinesis_stub.records())
    records = [event["record"] for event in of_type(events, "function")]
    assert records == ["taken\n", "taken, too\n"]
    told = [event["record"] for event in of_type(events, "extension.logsDropped")]
    line = totals(environment)
    assert line["droppedBy"] == {"refused": 2}
    assert {loss["cause"] for loss in told} == {"refused"}
    assert sum(loss["events"] for loss in told) == 2
    assert sum(loss["bytes"] for loss in told) == line["droppedBytes"]


def test_what_is_refused_while_nothing_was_ever_taken_is_not_given_up(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    """It may be meant for something that all requests have in common, and be mended."""
    kinesis_stub.behave(Behaviour(times=2, status=400, error_type="ValidationException"))
    environment = lambda_environment(kinesis_stub, {**HOLDS, "EXTENSION_LOG_HOLD_MS": "9000"})
    environment.invoke(output=["a line\n"], timeout_s=20)
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)


def test_a_request_of_unknown_fate_goes_again_with_the_same_event_ids(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # pain 13: an event that is there twice can be told
    kinesis_stub.behave(Behaviour(store_and_close=True))
    kinesis_stub.behave(Behaviour(close=True))
    environment = lambda_environment(kinesis_stub, {**HOLDS, "EXTENSION_LOG_TYPES": "function"})
    environment.invoke(output=["a line\n"])
    events = events_in(kinesis_stub.records())
    assert [event["record"] for event in events] == ["a line\n", "a line\n"]
    assert events[0]["eventId"] == events[1]["eventId"]


def test_a_slow_kinesis_gets_several_requests_at_once_on_connections_that_are_kept(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    kinesis_stub.behave(Behaviour(times=0, delay_s=0.2))
    environment = lambda_environment(kinesis_stub, {**HOLDS, "EXTENSION_LOG_HOLD_MS": "5000"})
    began = time.monotonic()
    environment.invoke(output=numbered_lines(16000), timeout_s=20)
    took = time.monotonic() - began
    requests = kinesis_stub.requests()
    assert len(requests) >= 8
    assert took < 0.2 * len(requests) * 0.8
    assert len({request.connection for request in requests}) == 2
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)


ANSWERS = {
    "a load balancer's page": b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n"
    b"Content-Length: 26\r\n\r\n<html>502 Bad Gateway</ht>",
    "an answer that is cut short": b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"FailedRec',
    "an answer that is no JSON": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "an empty answer": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "an answer that tells of no record": b"HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n"
    b'{"FailedRecordCount":0,"Records":[]}',
    "a redirect": b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:9/\r\n"
    b"Content-Length: 0\r\n\r\n",
    "no HTTP": b"220 smtp.example.com\r\n",
    "nothing": b"",
}


def test_an_answer_that_makes_no_sense_loses_nothing(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    with fault_proxy(kinesis_stub) as proxy:
        environment = lambda_environment(kinesis_stub, {**HOLDS, **proxy.variables})
        for what, answer in ANSWERS.items():
            before = len(kinesis_stub.requests())
            proxy.answers.append(answer)
            invocation = environment.invoke(output=[f"{what}\n"])
            assert invocation.kept_awake_ms < NO_HOLD_MS, what
            assert len(kinesis_stub.requests()) > before, f"{what}: not delivered at the freeze"
        shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)


def test_requests_name_no_more_than_they_need(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    with fault_proxy(kinesis_stub) as proxy:
        environment = lambda_environment(kinesis_stub, {**HOLDS, **proxy.variables})
        environment.invoke(output=numbered_lines(4000))
        shut_down(environment)
    for head, body in proxy.requests:
        assert head.startswith(b"POST / HTTP/1.1\r\n")
        assert b"expect:" not in head.lower(), "Expect costs a round trip"
        assert b"x-amz-target: kinesis_20131202.putrecords\r\n" in head.lower()
        assert b"x-amz-security-token: token==\r\n" in head.lower()
        assert json.loads(body)["StreamName"] == kinesis_stub.stream
    assert any(len(body) > 256 * 1024 for _, body in proxy.requests)


def test_a_stream_of_another_region_is_written_to_by_its_arn(
    lambda_environment: Environments,
) -> None:
    with KinesisStub(region="eu-central-1") as stub, fault_proxy(stub) as proxy:
        arn = f"arn:aws:kinesis:eu-central-1:210987654321:stream/{stub.stream}"
        variables = {**HOLDS, **proxy.variables, "AWS_KINESIS_STREAM_NAME": arn}
        environment = lambda_environment(stub, variables, region="us-east-1")
        environment.invoke(output=["a line\n"])
        shut_down(environment)
        assert_all_arrived(environment, stub)
        for _, body in proxy.requests:
            request = json.loads(body)
            assert request["StreamARN"] == arn
            assert "StreamName" not in request


def test_a_retry_is_signed_anew(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    kinesis_stub.behave(Behaviour(times=4, status=500, error_type="InternalFailure"))
    environment = lambda_environment(kinesis_stub, {**HOLDS, "EXTENSION_LOG_HOLD_MS": "5000"})
    environment.invoke(output=["a line\n"], timeout_s=9)
    stamps = [request.headers["X-Amz-Date"] for request in kinesis_stub.requests()]
    assert all(re.fullmatch(r"\d{8}T\d{6}Z", stamp) for stamp in stamps)
    assert {request.error_type for request in kinesis_stub.requests()} == {"", "InternalFailure"}


# Mistakes that somebody has to mend


def test_a_role_that_may_not_write_to_the_stream_is_told_of_once_and_holds_no_longer_than_allowed(
    lambda_environment: Environments, kinesis: MotoStream, moto_server: MotoServer
) -> None:
    other = moto_server.create_stream(f"{kinesis.name}-other")
    variables = {
        **HOLDS,
        "EXTENSION_LOG_HOLD_MS": "200",
        "AWS_KINESIS_STREAM_NAME": other.name,
    }
    environment = lambda_environment(kinesis, variables)
    for _ in range(3):
        assert environment.invoke(output=["a line\n"]).kept_awake_ms < NO_HOLD_MS
    assert shut_down(environment).exit_code == 0
    warnings = [line for line in messages(environment, "warn") if "HTTP status 403" in line]
    assert len(warnings) == 1
    assert "when this is mended" in warnings[0]
    assert other.records() == []
    # Each of the four requests in flight is tried at once, then after one, two, … seconds at most,
    # and once for the shutdown.
    assert kinesis.calls()[403] <= 24, "a mistake is not mended by asking often"


def test_a_wrong_secret_is_told_of_and_the_function_runs(
    lambda_environment: Environments, kinesis: MotoStream
) -> None:
    # pain 15
    key = kinesis.credentials
    wrong = Credentials(key.access_key_id, "not the secret", key.session_token)
    variables = {**HOLDS, "EXTENSION_LOG_HOLD_MS": "100"}
    environment = lambda_environment(kinesis, variables, credentials=wrong)
    assert environment.invoke(output=["a line\n"]).status == "success"
    assert shut_down(environment).exit_code == 0
    assert any("HTTP status 403" in line for line in messages(environment, "warn"))


def test_without_credentials_the_function_runs_and_it_is_told_what_is_missing(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    variables = {**HOLDS, "EXTENSION_LOG_HOLD_MS": "100"}
    environment = lambda_environment(variables=kinesis_stub.variables | variables)
    assert environment.invoke(output=["a line\n"]).status == "success"
    assert shut_down(environment).exit_code == 0
    assert any("AWS_ACCESS_KEY_ID" in line for line in messages(environment, "warn"))
    assert kinesis_stub.requests() == []


def test_a_stream_that_is_made_later_gets_everything(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    missing = Behaviour(times=4, status=400, error_type="ResourceNotFoundException")
    kinesis_stub.behave(missing)
    environment = lambda_environment(kinesis_stub, {**HOLDS, "EXTENSION_LOG_HOLD_MS": "1000"})
    for number in range(4):
        environment.invoke(output=[f"invocation {number}\n"])
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)
    warnings = [line for line in messages(environment, "warn") if "ResourceNotFound" in line]
    assert len(warnings) == 1


def test_a_proxy_for_the_function_never_gets_the_runtime_api(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    nowhere = "http://127.0.0.1:9"
    names = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    variables = dict.fromkeys(names, nowhere) | {"NO_PROXY": "127.0.0.1", **HOLDS}
    environment = lambda_environment(kinesis_stub, variables)
    assert environment.invoke(output=["a line\n"]).undelivered_at_freeze == 0
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)
