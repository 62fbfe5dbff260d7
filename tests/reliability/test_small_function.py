# SPDX-License-Identifier: MIT
"""With a fourteenth of a processor, which is what a function of 128 MB gets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from control_group import at_most_memory, share_of_a_processor
from fault_proxy import Wire, fault_proxy
from outcome import assert_ledger_is_exact, is_sanitized, on_free_port, shut_down, totals

from kinesis import KinesisStub
from lambda_environment import LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]
SHARE = 1 / 14
DEADLINE_MS = 2000
QUEUE_BYTES = 8 * 1024 * 1024
OVERHEAD_BYTES = 6 * 1024 * 1024
LINE_BYTES = 1000


@pytest.mark.timeout(120)
def test_a_shutdown_with_a_full_queue_ends_in_time_and_loses_nothing(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    lines = numbered_lines(2 * QUEUE_BYTES // LINE_BYTES, LINE_BYTES)
    with fault_proxy(kinesis_stub) as proxy:
        variables = proxy.variables | on_free_port() | {"EXTENSION_LOG_FLUSH": "continuous"}
        environment = lambda_environment(kinesis_stub, variables)
        environment.invoke(output=["a line\n"])
        proxy.meet(Wire.HANG)
        with share_of_a_processor(environment.process.pid, SHARE):
            invocation = environment.invoke(output=lines, duration_s=2, timeout_s=30)
            assert invocation.status == "success"
            ended = shut_down(environment)
    line = totals(environment)
    print(f"ended after {ended.duration_ms:.0f} ms, {ended.cpu_s:.3f} s of processor; {line}")
    assert ended.exit_code == 0
    assert ended.duration_ms < DEADLINE_MS
    assert_ledger_is_exact(line)
    assert line["droppedEvents"] == 0
    assert line["receivedBytes"] > QUEUE_BYTES / 2


@pytest.mark.timeout(120)
def test_an_outage_stays_within_the_memory_that_the_settings_promise(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    """pains 5 and 26: here the kernel would kill it, and the function with it."""
    lines = numbered_lines(2 * QUEUE_BYTES // LINE_BYTES, LINE_BYTES)
    with fault_proxy(kinesis_stub) as proxy:
        variables = proxy.variables | on_free_port() | {"EXTENSION_LOG_FLUSH": "continuous"}
        environment = lambda_environment(kinesis_stub, variables)
        if is_sanitized(environment):
            pytest.skip("a sanitizer needs many times the memory")
        with at_most_memory(environment.process.pid, QUEUE_BYTES + OVERHEAD_BYTES):
            proxy.meet(Wire.HANG)
            for _ in range(3):
                assert environment.invoke(output=lines, duration_s=1).status == "success"
            proxy.recover()
            environment.invoke(output=["well again\n"], duration_s=1)
            assert shut_down(environment).exit_code == 0
    line = totals(environment)
    assert_ledger_is_exact(line)
    assert line["droppedEvents"] == 0
