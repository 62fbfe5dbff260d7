# SPDX-License-Identifier: MIT
"""Half a minute without Kinesis at 1 MB of logs a second, with the default limits.

pains 5, 7, 26: an outage that fills the memory, stalls the function, or loses the logs.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from fault_proxy import Wire, fault_proxy
from outcome import (
    assert_all_arrived,
    assert_ledger_is_exact,
    assert_memory_within,
    assert_same_events,
    on_free_port,
    shut_down,
    totals,
    without_repeats,
)

from kinesis import KinesisStub, compare, events_in
from lambda_environment import LambdaEnvironment

Environments = Callable[..., LambdaEnvironment]
SECONDS = 30
LINE_BYTES = 1000
QUEUE_KB = 8 * 1024


def a_megabyte(second: int) -> list[str]:
    """Of distinct lines that shrink to half at best."""
    chance = random.Random(second)
    texts = (chance.randbytes(LINE_BYTES // 2 - 10).hex() for _ in range(1_000_000 // LINE_BYTES))
    return [f"{second:05d} {number:08d} {text}\n" for number, text in enumerate(texts)]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("wire", [Wire.HANG, Wire.REFUSED, Wire.NO_ANSWER], ids=lambda w: w.name)
def test_an_outage_of_30_seconds_at_1_mb_a_second_loses_nothing(
    lambda_environment: Environments, kinesis_stub: KinesisStub, wire: Wire
) -> None:
    with fault_proxy(kinesis_stub) as proxy:
        environment = lambda_environment(kinesis_stub, proxy.variables | on_free_port())
        environment.invoke(output=a_megabyte(0), duration_s=1)
        proxy.meet(wire)
        for second in range(1, SECONDS + 1):
            lines = a_megabyte(second)
            invocation = environment.invoke(output=lines, duration_s=1, timeout_s=10)
            assert invocation.status == "success"
            assert invocation.kept_awake_ms < 1500
        proxy.recover()
        for second in range(SECONDS + 1, SECONDS + 4):
            environment.invoke(output=a_megabyte(second), duration_s=1, timeout_s=10)
        ended = shut_down(environment)
    line = totals(environment)
    print(f"peak memory {ended.peak_memory_kb} KiB; {line}")
    assert_ledger_is_exact(line)
    assert (line["droppedEvents"], line["platformDroppedEvents"]) == (0, 0)
    assert_memory_within(environment, ended.peak_memory_kb, QUEUE_KB + 10 * 1024)
    if wire is not Wire.NO_ANSWER:
        assert_all_arrived(environment, kinesis_stub)
        return
    events = events_in(kinesis_stub.records())
    assert_same_events(events)
    comparison = compare(environment.emitted, without_repeats(events))
    assert not comparison.missing
    assert not comparison.repeated
