# SPDX-License-Identifier: MIT
"""A Managed Instance lives for weeks: what these bring, in a few minutes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest
from fault_proxy import fault_proxy
from outcome import assert_ledger_is_exact, is_sanitized, shut_down, totals, without_repeats

from kinesis import KinesisStub, compare, events_in
from lambda_environment import Credentials, LambdaEnvironment
from lambda_environment.settings import MANAGED_INSTANCES

Environments = Callable[..., LambdaEnvironment]
AT_ONCE = 40
WAVES = 1000
WARM_AFTER = 100
GROWTH_KB = 512
CUT_EVERY_S = 0.5
# Of six hours each, some hundred and twenty are a month.
CREDENTIALS_LAST_S = 3.0
ROTATIONS_MIN = 20


def wave(environment: LambdaEnvironment) -> None:
    environment.invoke_together(
        range(AT_ONCE), output=lambda request_id: [f"{request_id} {n}\n" for n in range(5)]
    )


@contextmanager
def again_and_again(act: Callable[[], None], every_s: float) -> Iterator[None]:
    done = threading.Event()

    def repeat() -> None:
        while not done.wait(every_s):
            act()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class Rotation:
    """Credentials that expire every few seconds; Kinesis takes the last two, as long as both are
    good."""

    def __init__(self, kinesis: KinesisStub) -> None:
        self._kinesis = kinesis
        self.all = [Credentials("ASIA0", "secret-0", "token-0==")]
        kinesis.accept_only(*self.all)

    def turn(self, environment: LambdaEnvironment) -> None:
        number = len(self.all)
        self.all.append(Credentials(f"ASIA{number}", f"secret-{number}", f"token-{number}=="))
        self._kinesis.accept_only(*self.all[-2:])
        environment.give_credentials(self.all[-1], 2 * CREDENTIALS_LAST_S)


@pytest.mark.timeout(480)
def test_40000_invocations_and_a_month_of_credentials_leave_nothing_behind(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    """pains 5 and 6: memory that grows with every invocation; pain 29: credentials that expire.
    Connections are cut all the time."""
    rotation = Rotation(kinesis_stub)
    with fault_proxy(kinesis_stub) as proxy:
        environment = lambda_environment(
            kinesis_stub,
            {**proxy.variables, "EXTENSION_LOG_MAX_DELAY_MS": "100"},
            initialization_type=MANAGED_INSTANCES,
            credentials=rotation.all[0],
            credentials_by_endpoint=True,
            credentials_lifetime_s=2 * CREDENTIALS_LAST_S,
        )
        extension = psutil.Process(environment.process.pid)
        with (
            again_and_again(proxy.cut_connections, CUT_EVERY_S),
            again_and_again(lambda: rotation.turn(environment), CREDENTIALS_LAST_S),
        ):
            for _ in range(WARM_AFTER):
                wave(environment)
            warm_kb, descriptors = environment.process.memory_kb, extension.num_fds()
            for _ in range(WAVES - WARM_AFTER):
                wave(environment)
            while len(rotation.all) < ROTATIONS_MIN:
                wave(environment)
            end_kb, threads = environment.process.memory_kb, extension.num_threads()
            end_descriptors = extension.num_fds()
        assert shut_down(environment).exit_code == 0
    print(f"{warm_kb} kB after {WARM_AFTER} waves, {end_kb} kB after {WAVES}")
    fetched = len(set(environment.credentials_given))
    print(f"{len(rotation.all)} credentials, of which {fetched} were fetched")
    assert is_sanitized(environment) or end_kb <= warm_kb + GROWTH_KB
    assert threads == 2
    assert end_descriptors <= descriptors + 8
    used = {request.key_id for request in kinesis_stub.requests() if request.status == 200}
    assert len(used) >= ROTATIONS_MIN / 2
    arrived = without_repeats(events_in(kinesis_stub.records()))
    comparison = compare(environment.emitted, arrived)
    assert not comparison.missing, f"{len(comparison.missing)} missing"
    assert_ledger_is_exact(totals(environment))
