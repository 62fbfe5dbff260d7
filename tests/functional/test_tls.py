# SPDX-License-Identifier: MIT
"""Kinesis is spoken to over TLS, and only when its certificate is in order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from outcome import HOLDS, assert_all_arrived, messages, shut_down

from kinesis import KinesisStub
from lambda_environment import LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_trusts_the_authority_it_is_given(
    lambda_environment: Environments, kinesis_tls_stub: KinesisStub, name: str
) -> None:
    variables = kinesis_tls_stub.variables
    variables[name] = variables.pop("AWS_CA_BUNDLE")
    environment = lambda_environment(
        variables={**HOLDS, **variables}, credentials=kinesis_tls_stub.credentials
    )
    for _ in range(3):
        assert environment.invoke(output=numbered_lines(2000)).undelivered_at_freeze == 0
    shut_down(environment)
    assert_all_arrived(environment, kinesis_tls_stub)
    connections = {request.connection for request in kinesis_tls_stub.requests()}
    assert len(connections) <= 4, "handshakes are dear"


def assert_refused(environment: LambdaEnvironment, stub: KinesisStub, why: str) -> None:
    assert environment.invoke(output=["a line\n"]).status == "success"
    assert shut_down(environment).exit_code == 0
    assert stub.requests() == []
    assert any(why in warning for warning in messages(environment, "warn"))


def test_does_not_trust_an_authority_that_it_does_not_know(
    lambda_environment: Environments, kinesis_tls_stub: KinesisStub
) -> None:
    variables = {**HOLDS, **kinesis_tls_stub.variables, "EXTENSION_LOG_HOLD_MS": "200"}
    del variables["AWS_CA_BUNDLE"]
    environment = lambda_environment(variables=variables, credentials=kinesis_tls_stub.credentials)
    assert_refused(environment, kinesis_tls_stub, "certificate")


def test_does_not_take_a_certificate_for_another_name(
    lambda_environment: Environments, tmp_path: Path
) -> None:
    with KinesisStub(tls_folder=tmp_path, tls_names=["kinesis.example"]) as stub:
        environment = lambda_environment(stub, {**HOLDS, "EXTENSION_LOG_HOLD_MS": "200"})
        assert_refused(environment, stub, "no alternative certificate subject name")


def test_says_which_file_of_authorities_it_cannot_read(
    lambda_environment: Environments, kinesis_tls_stub: KinesisStub
) -> None:
    variables = {"AWS_CA_BUNDLE": "/no/such/file.pem", "EXTENSION_LOG_HOLD_MS": "200"}
    environment = lambda_environment(kinesis_tls_stub, {**HOLDS, **variables})
    assert_refused(environment, kinesis_tls_stub, "/no/such/file.pem")
