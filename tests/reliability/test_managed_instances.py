# SPDX-License-Identifier: MIT
"""A Managed Instance lives for weeks: what these bring, in a few minutes."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psutil
from fault_proxy import fault_proxy
from outcome import assert_ledger_is_exact, is_sanitized, shut_down, totals, without_repeats

from kinesis import KinesisStub, compare, events_in
from lambda_environment import LambdaEnvironment
from lambda_environment.settings import MANAGED_INSTANCES

Environments = Callable[..., LambdaEnvironment]
AT_ONCE = 40
WAVES = 1000
WARM_AFTER = 100
GROWTH_KB = 512
CUT_EVERY_S = 0.5


def wave(environment: LambdaEnvironment) -> None:
    environment.invoke_together(
        range(AT_ONCE), output=lambda request_id: [f"{request_id} {n}\n" for n in range(5)]
    )


def cut_now_and_then(cut: Callable[[], None], done: threading.Event) -> None:
    while not done.wait(CUT_EVERY_S):
        cut()


def test_40000_invocations_leave_nothing_behind(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    """pains 5 and 6: memory that grows with every invocation; connections are cut all the time."""
    done = threading.Event()
    with fault_proxy(kinesis_stub) as proxy:
        environment = lambda_environment(
            kinesis_stub,
            {**proxy.variables, "EXTENSION_LOG_MAX_DELAY_MS": "100"},
            initialization_type=MANAGED_INSTANCES,
        )
        extension = psutil.Process(environment.process.pid)
        cutter = threading.Thread(target=cut_now_and_then, args=[proxy.cut_connections, done])
        cutter.start()
        try:
            for _ in range(WARM_AFTER):
                wave(environment)
            warm_kb, descriptors = environment.process.memory_kb, extension.num_fds()
            for _ in range(WAVES - WARM_AFTER):
                wave(environment)
            end_kb, threads = environment.process.memory_kb, extension.num_threads()
            end_descriptors = extension.num_fds()
        finally:
            done.set()
            cutter.join()
        assert shut_down(environment).exit_code == 0
    print(f"{warm_kb} kB after {WARM_AFTER} waves, {end_kb} kB after {WAVES}")
    assert is_sanitized(environment) or end_kb <= warm_kb + GROWTH_KB
    assert threads == 2
    assert end_descriptors <= descriptors + 8
    arrived = without_repeats(events_in(kinesis_stub.records()))
    comparison = compare(environment.emitted, arrived)
    assert not comparison.missing, f"{len(comparison.missing)} missing"
    assert_ledger_is_exact(totals(environment))
