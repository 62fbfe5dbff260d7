# SPDX-License-Identifier: MIT
"""Who signs: credentials of an endpoint, as under SnapStart, and those of another role."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from outcome import (
    HOLDS,
    NO_HOLD_MS,
    assert_all_arrived,
    free_port,
    messages,
    on_free_port,
    shut_down,
)

from kinesis import KinesisStub, MotoServer, MotoStream, StsStub
from lambda_environment import Credentials, LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]

FIRST = Credentials("ASIAFIRST", "the-first-secret-key", "first-token==")
SECOND = Credentials("ASIASECOND", "the-second-secret-key", "second-token==")
ROLE = "arn:aws:iam::210987654321:role/log-writer"
EXTERNAL_ID = "orders/2026:a=b+c"
# Less than a test takes, and enough for a busy machine to sign with it.
SHORT_S = 1.5


@pytest.fixture
def sts(kinesis_stub: KinesisStub) -> Iterator[StsStub]:
    """Gives `ROLE` to the function's role, which the stub's credentials are."""
    with StsStub(kinesis_stub.credentials, ROLE, EXTERNAL_ID).running() as stub:
        yield stub


# Where credentials come from: give(Credentials | None, lifetime_s) says what is given from now on.

Give = Callable[..., None]
Begin = Callable[..., tuple[LambdaEnvironment, Give]]


@pytest.fixture(params=["endpoint", "role"])
def begin(
    request: pytest.FixtureRequest, lambda_environment: Environments, kinesis_stub: KinesisStub
) -> Begin:
    """Makes an environment whose credentials have to be fetched; the first are `FIRST`."""

    def by_endpoint(lifetime_s: float, **variables: str) -> tuple[LambdaEnvironment, Give]:
        environment = lambda_environment(
            kinesis_stub,
            {**HOLDS, **variables},
            credentials=FIRST,
            credentials_by_endpoint=True,
            credentials_lifetime_s=lifetime_s,
        )

        def give(credentials: Credentials | None, lifetime_s: float = 3600.0) -> None:
            environment.give_credentials(credentials, lifetime_s, 200 if credentials else 500)

        return environment, give

    def by_role(lifetime_s: float, **variables: str) -> tuple[LambdaEnvironment, Give]:
        sts: StsStub = request.getfixturevalue("sts")
        sts.give(FIRST, lifetime_s)
        environment = lambda_environment(kinesis_stub, {**HOLDS, **sts.variables, **variables})
        return environment, sts.give

    return {"endpoint": by_endpoint, "role": by_role}[request.param]


def test_credentials_that_expire_are_renewed_without_stopping_delivery(
    begin: Begin, kinesis_stub: KinesisStub
) -> None:
    # pain 29
    kinesis_stub.accept_only(FIRST, SECOND)
    environment, give = begin(SHORT_S, **on_free_port())
    began = time.monotonic()
    environment.invoke(output=numbered_lines(10))
    give(SECOND)
    while time.monotonic() < began + SHORT_S + 0.5:
        invocation = environment.invoke(output=numbered_lines(50), duration_s=0.2)
        assert invocation.undelivered_at_freeze == 0
    shut_down(environment)
    requests = kinesis_stub.requests()
    assert {request.status for request in requests} == {200}, "a request was signed with old ones"
    keys = [request.key_id for request in requests]
    assert keys[0] == FIRST.access_key_id
    assert keys[-1] == SECOND.access_key_id
    assert_all_arrived(environment, kinesis_stub)
    assert not messages(environment, "warn")


def test_credentials_that_kinesis_refuses_are_renewed_within_the_hold(
    begin: Begin, kinesis_stub: KinesisStub
) -> None:
    # pain 29: rotated while an environment lives
    kinesis_stub.accept_only(FIRST)
    environment, give = begin(3600.0, EXTENSION_LOG_HOLD_MS="5000")
    assert environment.invoke(output=["first\n"]).undelivered_at_freeze == 0
    kinesis_stub.accept_only(SECOND)
    give(SECOND)
    # What comes right after a renewal is not taken for a reason to renew again.
    time.sleep(1.1)
    assert environment.invoke(output=["second\n"], timeout_s=9).undelivered_at_freeze == 0
    shut_down(environment)
    assert [request.status for request in kinesis_stub.requests()].count(403) <= 4
    assert_all_arrived(environment, kinesis_stub)


def test_without_credentials_nothing_is_lost_and_they_are_asked_for_again(
    begin: Begin, kinesis_stub: KinesisStub
) -> None:
    kinesis_stub.accept_only(SECOND)
    environment, give = begin(3600.0, EXTENSION_LOG_HOLD_MS="200")
    give(None)
    assert environment.invoke(output=["first\n"]).kept_awake_ms < NO_HOLD_MS
    assert kinesis_stub.requests() == []
    give(SECOND)
    environment.invoke(output=["second\n"])
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)


def test_no_secret_is_printed(begin: Begin, kinesis_stub: KinesisStub) -> None:
    kinesis_stub.accept_only(FIRST)
    environment, give = begin(3600.0, EXTENSION_LOG_LEVEL="debug", EXTENSION_LOG_HOLD_MS="200")
    environment.invoke(output=["a line\n"])
    give(None)
    kinesis_stub.accept_only(SECOND)
    environment.invoke(output=["a line\n"])
    shut_down(environment)
    output = "".join(environment.extension_output)
    for secret in (FIRST, kinesis_stub.credentials):
        assert secret.secret_access_key not in output
        assert str(secret.session_token) not in output
    assert EXTERNAL_ID not in output
    assert environment.settings.credentials_token not in output


# The endpoint


def endpoint_environment(
    lambda_environment: Environments, kinesis_stub: KinesisStub, **variables: str
) -> LambdaEnvironment:
    variables = {**HOLDS, "EXTENSION_LOG_HOLD_MS": "200", **variables}
    return lambda_environment(
        kinesis_stub, variables, credentials_by_endpoint=True, credentials_token="the right one"
    )


def test_one_call_of_the_endpoint_is_enough_for_many_invocations(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = endpoint_environment(lambda_environment, kinesis_stub)
    for _ in range(3):
        assert environment.invoke(output=numbered_lines(2000)).undelivered_at_freeze == 0
    shut_down(environment)
    assert environment.credentials_given == [kinesis_stub.credentials.access_key_id]
    assert_all_arrived(environment, kinesis_stub)


def test_the_token_of_a_file_goes_before_the_other(
    lambda_environment: Environments, kinesis_stub: KinesisStub, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("the right one\n")
    environment = endpoint_environment(
        lambda_environment,
        kinesis_stub,
        AWS_CONTAINER_AUTHORIZATION_TOKEN="a wrong one",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(file),
    )
    environment.invoke(output=["a line\n"])
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)


def test_a_wrong_token_is_told_of(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = endpoint_environment(
        lambda_environment, kinesis_stub, AWS_CONTAINER_AUTHORIZATION_TOKEN="a wrong one"
    )
    assert environment.invoke(output=["a line\n"]).kept_awake_ms < NO_HOLD_MS
    shut_down(environment)
    said = messages(environment, "warn")
    assert any("container credentials are not given: HTTP status 404" in line for line in said)
    assert kinesis_stub.requests() == []


@pytest.mark.parametrize(
    "name", ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
)
def test_a_host_that_is_not_allowed_never_gets_the_token(
    lambda_environment: Environments, kinesis_stub: KinesisStub, name: str
) -> None:
    uri = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.org/?hush"}.get(name, "@hush/")
    environment = endpoint_environment(lambda_environment, kinesis_stub, **{name: uri})
    assert environment.invoke(output=["a line\n"]).status == "success"
    shut_down(environment)
    assert any(f"{name} is not allowed: " in line for line in messages(environment, "error"))
    assert "hush" not in "".join(environment.extension_output)
    assert environment.credentials_given == []


def test_the_endpoint_is_never_reached_by_way_of_a_proxy(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    variables = {"http_proxy": f"http://127.0.0.1:{free_port()}", "NO_PROXY": "localhost"}
    variables["AWS_ENDPOINT_URL_KINESIS"] = f"http://localhost:{kinesis_stub.port}"
    environment = endpoint_environment(lambda_environment, kinesis_stub, **variables)
    environment.invoke(output=["a line\n"])
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)


# Another role


def test_sts_is_asked_with_the_external_id_and_in_the_name_of_the_function(
    lambda_environment: Environments, kinesis_stub: KinesisStub, sts: StsStub
) -> None:
    sts.give(FIRST)
    kinesis_stub.accept_only(FIRST)
    arn = f"arn:aws:kinesis:us-east-1:210987654321:stream/{kinesis_stub.stream}"
    variables = {**HOLDS, **sts.variables, "AWS_KINESIS_STREAM_NAME": arn}
    environment = lambda_environment(kinesis_stub, variables, function_name="orders")
    for _ in range(2):
        assert environment.invoke(output=numbered_lines(1000)).undelivered_at_freeze == 0
    shut_down(environment)
    assert sts.asked == [
        {
            "Action": "AssumeRole",
            "Version": "2011-06-15",
            "DurationSeconds": "3600",
            "RoleSessionName": "orders",
            "RoleArn": ROLE,
            "ExternalId": EXTERNAL_ID,
        }
    ]
    assert_all_arrived(environment, kinesis_stub)


def test_a_role_is_assumed_with_what_the_endpoint_gives(
    lambda_environment: Environments, kinesis_stub: KinesisStub, sts: StsStub
) -> None:
    sts.give(FIRST)
    kinesis_stub.accept_only(FIRST)
    environment = endpoint_environment(lambda_environment, kinesis_stub, **sts.variables)
    assert environment.invoke(output=["a line\n"]).undelivered_at_freeze == 0
    shut_down(environment)
    assert environment.credentials_given == [kinesis_stub.credentials.access_key_id]
    assert_all_arrived(environment, kinesis_stub)


def test_why_the_role_is_refused_is_told_once_and_costs_no_more_than_the_hold(
    lambda_environment: Environments, kinesis_stub: KinesisStub, sts: StsStub
) -> None:
    sts.give(FIRST)
    kinesis_stub.accept_only(FIRST)
    variables = {**HOLDS, **sts.variables, "EXTENSION_LOG_HOLD_MS": "200"}
    variables["EXTENSION_LOG_ROLE_EXTERNAL_ID"] = "wrong"
    environment = lambda_environment(kinesis_stub, variables)
    for _ in range(3):
        assert environment.invoke(output=["a line\n"]).kept_awake_ms < NO_HOLD_MS
    shut_down(environment)
    refused = "EXTENSION_LOG_ROLE_ARN cannot be assumed: HTTP status 403 AccessDenied: User: me is"
    assert len([line for line in messages(environment, "warn") if refused in line]) == 1
    assert kinesis_stub.requests() == []


def function_role(server: MotoServer, statement: dict[str, Any]) -> Credentials:
    return server.assume(server.create_role(f"function-{uuid.uuid4().hex[:12]}", statement))


def test_moto_gives_the_role_to_a_function_that_may_assume_it(
    lambda_environment: Environments, kinesis: MotoStream, moto_server: MotoServer
) -> None:
    may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": kinesis.writer_arn}
    variables = {
        **HOLDS,
        "EXTENSION_LOG_ROLE_ARN": kinesis.writer_arn,
        "AWS_ENDPOINT_URL_STS": moto_server.endpoint,
        "AWS_KINESIS_STREAM_NAME": kinesis.arn,
    }
    caller = function_role(moto_server, may)
    environment = lambda_environment(kinesis, variables, credentials=caller)
    assert environment.invoke(output=numbered_lines(100), timeout_s=9).undelivered_at_freeze == 0
    shut_down(environment)
    assert_all_arrived(environment, kinesis)


def test_moto_refuses_the_role_to_a_function_that_may_not_assume_it(
    lambda_environment: Environments, kinesis: MotoStream, moto_server: MotoServer
) -> None:
    may = {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}
    variables = {
        **HOLDS,
        "EXTENSION_LOG_ROLE_ARN": kinesis.writer_arn,
        "AWS_ENDPOINT_URL_STS": moto_server.endpoint,
    }
    caller = function_role(moto_server, may)
    environment = lambda_environment(kinesis, variables, credentials=caller)
    environment.invoke(output=["a line\n"], timeout_s=9)
    shut_down(environment)
    refused = "EXTENSION_LOG_ROLE_ARN cannot be assumed: HTTP status 403 AccessDenied: "
    assert any(refused in line for line in messages(environment, "warn"))
    assert kinesis.calls() == {}
