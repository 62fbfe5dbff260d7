# SPDX-License-Identifier: MIT
"""Kinesis is reached by way of a proxy where the function's settings ask for one."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from outcome import HOLDS, assert_all_arrived, assert_ledger_is_exact, messages, shut_down, totals
from real_proxy import real_proxy

from kinesis import KinesisStub
from lambda_environment import LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]

PASSWORD = "hush-hush"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_everything_arrives_through_a_proxy_and_nothing_else_goes_there(
    lambda_environment: Environments, kinesis_tls_stub: KinesisStub, tmp_path: Path, name: str
) -> None:
    with real_proxy(tmp_path) as proxy:
        environment = lambda_environment(kinesis_tls_stub, {**HOLDS, name: proxy.url})
        for _ in range(2):
            assert environment.invoke(output=numbered_lines(500)).undelivered_at_freeze == 0
        shut_down(environment)
        assert set(proxy.requests()) == {("CONNECT", f"localhost:{kinesis_tls_stub.port}")}
    assert_all_arrived(environment, kinesis_tls_stub)


def test_an_endpoint_without_tls_has_a_proxy_of_its_own(
    lambda_environment: Environments, kinesis_stub: KinesisStub, tmp_path: Path
) -> None:
    with real_proxy(tmp_path) as proxy:
        environment = lambda_environment(kinesis_stub, {**HOLDS, "http_proxy": proxy.url})
        assert environment.invoke(output=numbered_lines(10)).undelivered_at_freeze == 0
        shut_down(environment)
        assert {method for method, _ in proxy.requests()} == {"POST"}
    assert_all_arrived(environment, kinesis_stub)


def test_a_proxy_gets_the_password_and_nobody_else_sees_it(
    lambda_environment: Environments, kinesis_tls_stub: KinesisStub, tmp_path: Path
) -> None:
    with real_proxy(tmp_path, "user", PASSWORD) as proxy:
        variables = {**HOLDS, "HTTPS_PROXY": proxy.url, "EXTENSION_LOG_LEVEL": "debug"}
        environment = lambda_environment(kinesis_tls_stub, variables)
        assert environment.invoke(output=numbered_lines(10)).undelivered_at_freeze == 0
        shut_down(environment)
    assert_all_arrived(environment, kinesis_tls_stub)
    assert "hush" not in "".join(environment.extension_output)


def test_a_proxy_that_refuses_the_password_costs_no_more_than_the_hold(
    lambda_environment: Environments, kinesis_tls_stub: KinesisStub, tmp_path: Path
) -> None:
    with real_proxy(tmp_path, "user", PASSWORD) as proxy:
        url = f"http://user:hush-wrong@127.0.0.1:{proxy.port}"
        variables = {**HOLDS, "HTTPS_PROXY": url, "EXTENSION_LOG_HOLD_MS": "200"}
        environment = lambda_environment(kinesis_tls_stub, variables)
        assert_runs_with_no_more_than_the_hold(environment)
    assert any("CONNECT tunnel failed" in warning for warning in messages(environment, "warn"))
    assert "hush" not in "".join(environment.extension_output)
    assert kinesis_tls_stub.requests() == []


def test_who_is_in_no_proxy_is_reached_without_one(
    lambda_environment: Environments, kinesis_tls_stub: KinesisStub, tmp_path: Path
) -> None:
    with real_proxy(tmp_path) as proxy:
        variables = {"HTTPS_PROXY": proxy.url, "NO_PROXY": "example.org,localhost"}
        environment = lambda_environment(kinesis_tls_stub, {**HOLDS, **variables})
        environment.invoke(output=numbered_lines(10))
        shut_down(environment)
        assert proxy.requests() == []
    assert_all_arrived(environment, kinesis_tls_stub)


@pytest.mark.parametrize("listens", [True, False], ids=["hangs", "refuses"])
def test_a_proxy_that_is_down_costs_no_more_than_the_hold(
    lambda_environment: Environments, kinesis_tls_stub: KinesisStub, listens: bool
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        if listens:
            nobody.listen()
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        variables = {**HOLDS, "HTTPS_PROXY": url, "EXTENSION_LOG_HOLD_MS": "200"}
        environment = lambda_environment(kinesis_tls_stub, variables)
        assert_runs_with_no_more_than_the_hold(environment)
    assert kinesis_tls_stub.requests() == []


def assert_runs_with_no_more_than_the_hold(environment: LambdaEnvironment) -> None:
    """The hold is 200 ms; the rest is for a slow machine."""
    for _ in range(2):
        invocation = environment.invoke(output=["a line\n"])
        assert invocation.status == "success"
        assert invocation.kept_awake_ms < 700
    assert shut_down(environment).exit_code == 0
    assert_ledger_is_exact(totals(environment))
