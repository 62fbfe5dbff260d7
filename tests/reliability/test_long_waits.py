# SPDX-License-Identifier: MIT
"""Waits that are too long for `make test`: silence, and freezes of more than any time limit."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from fault_proxy import fault_proxy
from outcome import HOLDS, assert_all_arrived, assert_ledger_is_exact, shut_down, totals

from kinesis import Behaviour, KinesisStub, compare, events_in
from lambda_environment import LambdaEnvironment

Environments = Callable[..., LambdaEnvironment]
SILENCE_S = 10
REQUEST_LIMIT_S = 5


@pytest.mark.parametrize("mode", ["end", "adaptive"])
def test_a_lost_end_of_the_invocation_holds_it_for_the_silence_only(
    lambda_environment: Environments, kinesis_stub: KinesisStub, mode: str
) -> None:
    """pains 5 and 8; Axiom, OTel and Rotel wait for the runtimeDone without a deadline."""
    lost = frozenset({"platform.runtimeDone"})
    environment = lambda_environment(
        kinesis_stub, {"EXTENSION_LOG_FLUSH": mode}, lost_events=lost, timeout_s=60
    )
    invocation = environment.invoke(output=["a line\n"])
    assert invocation.status == "success"
    assert invocation.kept_awake_ms < (SILENCE_S + 1) * 1000
    shut_down(environment)
    missing = compare(environment.emitted, events_in(kinesis_stub.records())).missing
    assert [event_type for _, event_type, _ in missing] == ["platform.runtimeDone"]


@pytest.mark.parametrize("mode", ["end", "continuous", "adaptive"])
def test_no_time_limit_ends_a_request_only_because_the_environment_slept(
    lambda_environment: Environments, kinesis_stub: KinesisStub, mode: str
) -> None:
    """pain 13: a request that was frozen is sent again, and is there twice."""
    kinesis_stub.behave(Behaviour(delay_s=1))
    variables = {"EXTENSION_LOG_FLUSH": mode, "EXTENSION_LOG_HOLD_MS": "50"}
    environment = lambda_environment(kinesis_stub, variables)
    environment.invoke(output=["in flight at the freeze\n"], duration_s=0.1)
    assert environment.process.stopped
    time.sleep(REQUEST_LIMIT_S + 2)
    environment.invoke(output=["after the thaw\n"], duration_s=0.1)
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)
    line = totals(environment)
    assert_ledger_is_exact(line)
    assert line["retriedRecords"] == 0


def test_a_minute_of_nothing_costs_nothing(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    """pain 14: the client's own time limit ends `event/next`; pains 11 and 12: dead connections."""
    with fault_proxy(kinesis_stub) as proxy:
        environment = lambda_environment(kinesis_stub, HOLDS | proxy.variables)
        environment.invoke(output=["before\n"])
        proxy.cut_connections()
        time.sleep(65)
        invocation = environment.invoke(output=["after\n"])
        shut_down(environment)
    assert invocation.undelivered_at_freeze == 0
    assert invocation.kept_awake_ms < 200
    assert_all_arrived(environment, kinesis_stub)
