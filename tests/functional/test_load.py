# SPDX-License-Identifier: MIT
"""100,000 events of 200 bytes in 5 invocations: none lost or left behind, at little cost."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from outcome import HOLDS, assert_all_arrived, assert_memory_within, is_sanitized, shut_down

from kinesis import KinesisStub, payload_units
from lambda_environment import LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]
INVOCATIONS = 5
EVENTS = 20_000
PLATFORM_BUFFER_MS = 25
QUEUE_KB = 8 * 1024


def test_many_invocations_need_no_more_memory_than_some(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # pains 5 and 6: memory that grows with every invocation
    environment = lambda_environment(kinesis_stub, HOLDS)
    print(f"idle {environment.process.memory_kb} KiB")
    memory_kb = []
    for _ in range(60):
        environment.invoke(output=numbered_lines(300))
        memory_kb.append(environment.process.memory_kb)
    print(f"{memory_kb[19]} KiB after 20 invocations, {memory_kb[59]} KiB after 60")
    assert_memory_within(environment, memory_kb[59], memory_kb[19] + 512)


def test_a_hundred_thousand_events_in_five_invocations(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, HOLDS)
    lines = [numbered_lines(EVENTS, prefix=f"{number}") for number in range(INVOCATIONS)]
    # Enough for the platform, which is written in Python, to keep up.
    invocations = [
        environment.invoke(output=lines[number], duration_s=0.5, timeout_s=20)
        for number in range(INVOCATIONS)
    ]
    ended = shut_down(environment)
    size = sum(len(event.raw) for event in environment.emitted)
    awake = [invocation.kept_awake_ms for invocation in invocations]
    units = payload_units(kinesis_stub.records())
    print(
        f"kept awake: p50 {statistics.median(awake):.1f} ms, max {max(awake):.1f} ms;"
        f" peak memory {ended.peak_memory_kb / 1024:.1f} MiB;"
        f" {ended.cpu_s * 1000 / (size / 1e6):.1f} ms of CPU for each of {size / 1e6:.1f} MB;"
        f" {units} PUT payload units"
    )
    assert [invocation.undelivered_at_freeze for invocation in invocations] == [0] * INVOCATIONS
    if not is_sanitized(environment):
        assert min(awake) <= PLATFORM_BUFFER_MS + 200
    assert_memory_within(environment, ended.peak_memory_kb, QUEUE_KB + 10 * 1024)
    assert ended.exit_code == 0
    assert_all_arrived(environment, kinesis_stub)
