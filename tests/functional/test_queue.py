# SPDX-License-Identifier: MIT
"""Memory is bounded: what does not fit waits with the platform, and nothing taken is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fault_proxy import FaultProxy, fault_proxy
from outcome import (
    HOLDS,
    NO_HOLD_MS,
    assert_all_arrived,
    assert_memory_within,
    invoke_until_arrived,
    of_type,
    shut_down,
    totals,
)

from kinesis import KinesisStub, compare, events_in
from lambda_environment import LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]
QUEUE_BYTES = 1048576
PEAK_KB_MAX = QUEUE_BYTES // 1024 + 10 * 1024


@pytest.fixture
def proxy(kinesis_stub: KinesisStub) -> FaultProxy:
    with fault_proxy(kinesis_stub) as proxy:
        yield proxy


def small_queue(proxy: FaultProxy, **more: str) -> dict[str, str]:
    """Without a spool, which would take what the queue does not."""
    limits = {"EXTENSION_LOG_QUEUE_BYTES": str(QUEUE_BYTES), "EXTENSION_LOG_SPOOL_BYTES": "0"}
    return {**HOLDS, **proxy.variables, **limits, **more}


def test_a_full_queue_leaves_deliveries_with_the_platform_until_kinesis_is_well_again(
    lambda_environment: Environments, kinesis_stub: KinesisStub, proxy: FaultProxy
) -> None:
    # pain 26: back-pressure; Sumo's payloads that wait for their own channel
    variables = small_queue(proxy, EXTENSION_LOG_HOLD_MS="10", EXTENSION_LOG_MAX_BYTES="262144")
    environment = lambda_environment(kinesis_stub, variables)
    proxy.hold_back()
    environment.invoke(output=numbered_lines(20_000), duration_s=0.5, timeout_s=9)
    assert 503 in environment.deliveries[0].statuses
    assert environment.pending > 0
    assert_memory_within(environment, environment.process.peak_memory_kb, PEAK_KB_MAX)
    proxy.release()
    environment.invoke(output=["well again\n"])
    invoke_until_arrived(environment, kinesis_stub)
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, kinesis_stub)
    assert totals(environment)["droppedEvents"] == 0


def test_what_the_platform_dropped_meanwhile_is_told_in_the_stream(
    lambda_environment: Environments, kinesis_stub: KinesisStub, proxy: FaultProxy
) -> None:
    # pain 21: platform.logsDropped that nobody looks at
    variables = small_queue(proxy, EXTENSION_LOG_HOLD_MS="10")
    environment = lambda_environment(
        kinesis_stub, variables, delivery_backlog_bytes=2 * 1024 * 1024
    )
    proxy.hold_back()
    environment.invoke(output=numbered_lines(25_000), duration_s=0.5, timeout_s=9)
    proxy.release()
    environment.invoke(output=["well again\n"], duration_s=1.5, timeout_s=9)
    shut_down(environment)
    figures = environment.deliveries[0]
    assert figures.dropped > 0
    events = events_in(kinesis_stub.records())
    told = of_type(events, "platform.logsDropped")
    assert sum(event["record"]["droppedRecords"] for event in told) == figures.dropped
    assert len(compare(environment.emitted, events).missing) == figures.dropped
    assert totals(environment)["platformDroppedEvents"] == figures.dropped
    assert totals(environment)["platformDroppedBytes"] == figures.dropped_bytes


def test_a_delivery_larger_than_the_whole_queue_is_taken_when_nothing_else_waits(
    lambda_environment: Environments, kinesis_stub: KinesisStub, proxy: FaultProxy
) -> None:
    environment = lambda_environment(kinesis_stub, small_queue(proxy))
    text = "x" * 1_500_000
    invocation = environment.invoke(output=[text], timeout_s=9)
    assert invocation.undelivered_at_freeze == 0
    shut_down(environment)
    parts = [event for event in events_in(kinesis_stub.records()) if "part" in event]
    parts.sort(key=lambda event: event["part"]["index"])
    assert "".join(part["record"] for part in parts) == text


def test_much_more_than_the_queue_holds_passes_through_it(
    lambda_environment: Environments, kinesis_stub: KinesisStub, proxy: FaultProxy
) -> None:
    variables = small_queue(proxy, EXTENSION_LOG_HOLD_MS="9000")
    environment = lambda_environment(kinesis_stub, variables)
    invocation = environment.invoke(output=numbered_lines(20_000), timeout_s=20)
    assert invocation.undelivered_at_freeze == 0
    ended = shut_down(environment)
    print(f"peak memory {ended.peak_memory_kb} KiB with a queue of {QUEUE_BYTES // 1024} KiB")
    assert_memory_within(environment, ended.peak_memory_kb, PEAK_KB_MAX)
    assert_all_arrived(environment, kinesis_stub)


def test_a_hold_ends_although_the_end_of_the_invocation_cannot_be_read_for_lack_of_room(
    lambda_environment: Environments, kinesis_stub: KinesisStub, proxy: FaultProxy
) -> None:
    variables = small_queue(proxy, EXTENSION_LOG_HOLD_MS="200")
    environment = lambda_environment(kinesis_stub, variables)
    proxy.hold_back()
    invocation = environment.invoke(output=numbered_lines(2500), timeout_s=9)
    assert invocation.kept_awake_ms < NO_HOLD_MS


def test_an_invocation_that_the_full_queue_hides_is_not_held_to_its_deadline(
    lambda_environment: Environments, kinesis_stub: KinesisStub, proxy: FaultProxy
) -> None:
    variables = small_queue(proxy, EXTENSION_LOG_HOLD_MS="200")
    environment = lambda_environment(kinesis_stub, variables)
    proxy.hold_back()
    first = environment.invoke(output=numbered_lines(20_000), timeout_s=9)
    second = environment.invoke(output=["a line\n"], timeout_s=9)
    assert (first.status, second.status) == ("success", "success")
    assert max(first.kept_awake_ms, second.kept_awake_ms) < NO_HOLD_MS
