# SPDX-License-Identifier: MIT
"""The default: an invocation is held only where its logs would otherwise be late.

pains 1 to 4: logs that come with the next invocation, and the time that it costs when they do not.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from outcome import assert_all_arrived, assert_ledger_is_exact, on_free_port, shut_down, totals

from kinesis import Behaviour, KinesisStub
from lambda_environment import LambdaEnvironment

Environments = Callable[..., LambdaEnvironment]
# Kinesis takes so long that what is held can be told from what is not.
ROUND_TRIP_MS = 100
MAX_DELAY_MS = 400
LONG_GAP_S = 0.9
FIRST_HELD = 3


class Traffic:
    """Invocations after short or long gaps, and whether each was held."""

    def __init__(self, environment: LambdaEnvironment) -> None:
        self.environment = environment
        self.kept_awake_ms: list[float] = []

    def invoke(self, count: int, gap_s: float = 0.0) -> list[bool]:
        held = []
        for number in range(count):
            time.sleep(gap_s)
            invocation = self.environment.invoke(output=[f"line {number}\n"], duration_s=0.02)
            held.append(invocation.kept_awake_ms >= ROUND_TRIP_MS)
            self.kept_awake_ms.append(invocation.kept_awake_ms)
        return held


def traffic(make: Environments, stub: KinesisStub, **more: str) -> Traffic:
    stub.behave(Behaviour(times=0, delay_s=ROUND_TRIP_MS / 1000))
    variables = {"EXTENSION_LOG_MAX_DELAY_MS": str(MAX_DELAY_MS), **more}
    return Traffic(make(stub, variables | on_free_port()))


def test_the_first_three_are_held_and_then_only_what_would_be_late(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    busy = traffic(lambda_environment, kinesis_stub)
    assert busy.invoke(8) == [True] * FIRST_HELD + [False] * 5
    shut_down(busy.environment)
    assert_all_arrived(busy.environment, kinesis_stub)


def test_a_change_of_traffic_is_followed_within_a_few_invocations_both_ways(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    changing = traffic(lambda_environment, kinesis_stub)
    changing.invoke(FIRST_HELD + 2)
    assert changing.invoke(3, LONG_GAP_S)[-2:] == [True, True]
    assert changing.invoke(6)[-2:] == [False, False]
    assert changing.invoke(3, LONG_GAP_S)[-2:] == [True, True]
    shut_down(changing.environment)
    assert_all_arrived(changing.environment, kinesis_stub)


def test_the_time_that_invocations_were_held_is_in_the_totals(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    busy = traffic(lambda_environment, kinesis_stub)
    busy.invoke(6)
    shut_down(busy.environment)
    line = totals(busy.environment)
    assert_ledger_is_exact(line)
    # Without the platform's buffer, since the end of an invocation is known only behind it.
    assert FIRST_HELD * (ROUND_TRIP_MS - 30) <= line["heldMs"] <= sum(busy.kept_awake_ms)


def test_no_delay_allowed_holds_always(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    strict = traffic(lambda_environment, kinesis_stub, EXTENSION_LOG_MAX_DELAY_MS="0")
    assert strict.invoke(6) == [True] * 6


def test_an_allowed_delay_of_minutes_holds_only_the_first(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    patient = traffic(lambda_environment, kinesis_stub, EXTENSION_LOG_MAX_DELAY_MS="900000")
    held = patient.invoke(FIRST_HELD) + patient.invoke(2, LONG_GAP_S)
    assert held == [True] * FIRST_HELD + [False] * 2
