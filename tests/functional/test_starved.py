# SPDX-License-Identifier: MIT
"""Without descriptors or memory: what cannot be done waits, and the function is not held up."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from outcome import (
    HOLDS,
    NO_HOLD_MS,
    assert_all_arrived,
    assert_ledger_is_exact,
    is_sanitized,
    on_free_port,
    shut_down,
    totals,
)

from kinesis import KinesisStub, compare, events_in
from lambda_environment import LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]
SHORT = {**HOLDS, "EXTENSION_LOG_HOLD_MS": "200"}
NAME = "kinesis-stream-logs-extension"


@contextmanager
def limited(environment: LambdaEnvironment, what: int, limit: int) -> Iterator[None]:
    """The running extension gets no more than this."""
    pid = environment.process.pid
    before = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (limit, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, what, before)


def descriptors_of(environment: LambdaEnvironment) -> int:
    numbers = os.listdir(f"/proc/{environment.process.pid}/fd")
    return max(map(int, numbers)) + 1


def address_space_of(environment: LambdaEnvironment) -> int:
    pages = Path(f"/proc/{environment.process.pid}/statm").read_text().split()[0]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def under_a_limit(folder: Path, binary: Path, limit: str) -> Path:
    """Starts the extension under a limit of the shell's."""
    script = folder / NAME
    script.write_text(f"#!/bin/sh\n{limit}\nexec {binary}\n")
    script.chmod(0o755)
    return script


def test_without_a_free_descriptor_the_next_event_is_asked_for_and_nothing_is_lost(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, SHORT | on_free_port())
    environment.invoke()
    with limited(environment, resource.RLIMIT_NOFILE, 4):
        for number in range(3):
            invocation = environment.invoke(output=[f"starved {number}\n"])
            assert invocation.status == "success"
            assert invocation.kept_awake_ms < NO_HOLD_MS
    environment.invoke(output=["well again\n"])
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, kinesis_stub)
    assert_ledger_is_exact(totals(environment))


def test_without_a_descriptor_for_the_first_delivery_silence_ends_the_hold_and_nothing_is_lost(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    """The platform cannot connect, so that no event comes at all."""
    environment = lambda_environment(kinesis_stub, SHORT | on_free_port())
    with limited(environment, resource.RLIMIT_NOFILE, descriptors_of(environment)):
        invocation = environment.invoke(output=["starved\n"], timeout_s=9)
        assert invocation.status == "success"
        assert invocation.kept_awake_ms < 3500
    environment.invoke(output=["well again\n"])
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, kinesis_stub)
    assert_ledger_is_exact(totals(environment))


@pytest.mark.parametrize("limit", ["ulimit -n 8", "ulimit -n 11", "ulimit -v 12000"])
def test_starved_from_the_start_the_function_runs(
    lambda_environment: Environments,
    kinesis_stub: KinesisStub,
    extension_binary: Path,
    tmp_path: Path,
    limit: str,
) -> None:
    """pain 15: an extension that cannot do its work takes the function with it."""
    script = under_a_limit(tmp_path, extension_binary, limit)
    environment = lambda_environment(
        kinesis_stub, SHORT | on_free_port(), start=False, extensions=(script,)
    )
    if "-v" in limit and b"san_init" in extension_binary.read_bytes():
        pytest.skip("a sanitizer reserves terabytes of addresses")
    assert environment.start().succeeded
    for _ in range(2):
        invocation = environment.invoke(output=["a line\n"])
        assert invocation.status == "success"
        assert invocation.kept_awake_ms < NO_HOLD_MS
    assert shut_down(environment).exit_code == 0


def test_without_memory_the_next_event_is_asked_for_and_nothing_is_lost(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, SHORT | on_free_port())
    if is_sanitized(environment):
        pytest.skip("a sanitizer has reserved terabytes of addresses")
    environment.invoke(output=["before\n"])
    limit = address_space_of(environment) + 64 * 1024
    with limited(environment, resource.RLIMIT_AS, limit):
        invocation = environment.invoke(output=numbered_lines(5000), timeout_s=20)
        assert invocation.status == "success"
        assert invocation.kept_awake_ms < 4000
    environment.invoke(output=["well again\n"], duration_s=2, timeout_s=20)
    assert shut_down(environment).exit_code == 0
    line = totals(environment)
    assert_ledger_is_exact(line)
    missing = compare(environment.emitted, events_in(kinesis_stub.records())).missing
    assert len(missing) == line["droppedEvents"] + environment.deliveries[0].dropped
