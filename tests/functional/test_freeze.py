# SPDX-License-Identifier: MIT
"""Any call may be followed by minutes of nothing: requests and connections survive it.

pain 11: connections reset behind a freeze; pain 12: pooled connections that are dead by then;
pain 13: a request that was frozen is sent twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fault_proxy import FaultProxy, Wire, fault_proxy
from outcome import (
    HOLDS,
    NO_HOLD_MS,
    assert_all_arrived,
    assert_ledger_is_exact,
    messages,
    on_free_port,
    shut_down,
    totals,
)

from kinesis import KinesisStub
from lambda_environment import LambdaEnvironment

Environments = Callable[..., LambdaEnvironment]
MODES = ("end", "continuous", "adaptive")


@pytest.fixture
def proxy(kinesis_stub: KinesisStub) -> Iterator[FaultProxy]:
    with fault_proxy(kinesis_stub) as proxy:
        yield proxy


@pytest.fixture
def settings(proxy: FaultProxy) -> dict[str, str]:
    return {**proxy.variables, **on_free_port()}


@pytest.mark.parametrize("mode", MODES)
def test_a_request_that_is_answered_while_frozen_is_not_made_again(
    lambda_environment: Environments,
    kinesis_stub: KinesisStub,
    proxy: FaultProxy,
    settings: dict[str, str],
    mode: str,
) -> None:
    hold = {"EXTENSION_LOG_FLUSH": mode, "EXTENSION_LOG_HOLD_MS": "50"}
    environment = lambda_environment(kinesis_stub, settings | hold)
    for number in range(4):
        proxy.hold_back()
        environment.invoke(output=[f"invocation {number}\n"], duration_s=0.1)
        assert environment.process.stopped
        proxy.release()
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)
    line = totals(environment)
    assert_ledger_is_exact(line)
    assert line["retriedRecords"] == 0


@pytest.mark.parametrize("mode", MODES)
def test_a_request_whose_connection_dies_while_frozen_goes_again_at_once(
    lambda_environment: Environments,
    kinesis_stub: KinesisStub,
    proxy: FaultProxy,
    settings: dict[str, str],
    mode: str,
) -> None:
    hold = {"EXTENSION_LOG_FLUSH": mode, "EXTENSION_LOG_HOLD_MS": "50"}
    environment = lambda_environment(kinesis_stub, settings | hold)
    environment.invoke(output=["well\n"], duration_s=0.1)
    for number in range(3):
        proxy.meet(Wire.HANG)
        environment.invoke(output=[f"invocation {number}\n"], duration_s=0.1)
        proxy.cut_connections()
        proxy.recover()
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)
    assert_ledger_is_exact(totals(environment))


def test_connections_that_were_closed_while_frozen_cost_no_more_than_new_ones(
    lambda_environment: Environments,
    kinesis_stub: KinesisStub,
    proxy: FaultProxy,
    settings: dict[str, str],
) -> None:
    environment = lambda_environment(kinesis_stub, settings | HOLDS)
    for number in range(6):
        invocation = environment.invoke(output=[f"invocation {number}\n"])
        assert invocation.undelivered_at_freeze == 0
        assert invocation.kept_awake_ms < NO_HOLD_MS
        proxy.cut_connections()
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)
    assert messages(environment, "warn") == []


def test_a_reused_connection_that_is_reset_is_replaced_at_once(
    lambda_environment: Environments,
    kinesis_stub: KinesisStub,
    proxy: FaultProxy,
    settings: dict[str, str],
) -> None:
    environment = lambda_environment(kinesis_stub, settings | HOLDS)
    environment.invoke(output=["first\n"])
    for number in range(3):
        proxy.meet(Wire.RESET_BEFORE, times=1)
        invocation = environment.invoke(output=[f"invocation {number}\n"])
        assert invocation.undelivered_at_freeze == 0
        assert invocation.kept_awake_ms < NO_HOLD_MS
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)


def test_event_next_outlives_every_freeze(
    lambda_environment: Environments, kinesis_stub: KinesisStub, settings: dict[str, str]
) -> None:
    """pain 14: a client's own time limit ends the long poll; see tests/reliability for minutes."""
    environment = lambda_environment(kinesis_stub, settings | {"EXTENSION_LOG_FLUSH": "continuous"})
    for _ in range(20):
        assert environment.invoke().status == "success"
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, kinesis_stub)
