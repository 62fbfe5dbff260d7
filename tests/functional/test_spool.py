# SPDX-License-Identifier: MIT
"""What does not fit the memory, or is undelivered at the end, waits on disk and arrives later."""

from __future__ import annotations

import os
import random
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fault_proxy import FaultProxy, Wire, fault_proxy
from outcome import (
    HOLDS,
    NO_HOLD_MS,
    assert_all_arrived,
    assert_ledger_is_exact,
    assert_memory_within,
    assert_same_events,
    invoke_until_arrived,
    invoke_until_delivered,
    lives,
    messages,
    of_type,
    on_free_port,
    shut_down,
    totals,
    without_repeats,
)

from kinesis import Behaviour, KinesisStub, compare, events_in
from lambda_environment import LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]
NAME = "kinesis-stream-logs-extension"
SHORT = {**HOLDS, "EXTENSION_LOG_HOLD_MS": "50"}
QUEUE_BYTES = 1048576
SMALL_QUEUE = {**SHORT, "EXTENSION_LOG_QUEUE_BYTES": str(QUEUE_BYTES)}
HANGS = Behaviour(times=0, hang=True)
HEX_LINE_BYTES = 1000


@pytest.fixture
def tmp(tmp_path: Path) -> Path:
    """What /tmp is to environments one after another."""
    tmp = tmp_path / "tmp"
    tmp.mkdir()
    return tmp


@pytest.fixture
def proxy(kinesis_stub: KinesisStub) -> Iterator[FaultProxy]:
    with fault_proxy(kinesis_stub) as proxy:
        yield proxy


def spool_of(tmp: Path) -> list[str]:
    return sorted(path.name for path in (tmp / NAME).iterdir())


def random_lines(count: int, prefix: str = "line") -> list[str]:
    """Distinct lines that hardly shrink."""
    chance = random.Random(prefix)
    texts = (chance.randbytes(HEX_LINE_BYTES // 2).hex() for _ in range(count))
    return [f"{prefix}-{number:08d} {text}\n" for number, text in enumerate(texts)]


def leave_undelivered(
    make: Environments, stub: KinesisStub, tmp: Path, invocations: int = 3
) -> LambdaEnvironment:
    """A life in which Kinesis hangs from the first request on."""
    stub.behave(HANGS)
    environment = make(stub, SHORT | on_free_port(), temporary_directory=tmp)
    for number in range(invocations):
        environment.invoke(output=numbered_lines(20, prefix=f"undelivered-{number}"))
    shut_down(environment)
    stub.recover()
    return environment


@pytest.mark.parametrize("reason", ["TIMEOUT", "FAILURE", "SPINDOWN"])
def test_what_is_undelivered_at_the_end_arrives_when_the_environment_begins_anew(
    lambda_environment: Environments, kinesis_stub: KinesisStub, proxy: FaultProxy, reason: str
) -> None:
    """pain 19: buffered for a next invocation that never comes."""
    environment = lambda_environment(kinesis_stub, {**SHORT, **proxy.variables} | on_free_port())
    proxy.meet(Wire.NO_ANSWER)
    environment.invoke(output=numbered_lines(100, prefix="before the end"))
    shut_down(environment, reason)
    proxy.recover()
    environment.invoke(output=numbered_lines(10, prefix="after it"), timeout_s=9)
    shut_down(environment)
    before, after = lives(environment)
    assert_ledger_is_exact(before)
    assert_ledger_is_exact(after)
    assert after["replayedEvents"] == before["spooledEvents"] > 100
    events = events_in(kinesis_stub.records())
    assert_same_events(events)
    assert not compare(environment.emitted, without_repeats(events)).missing
    # Kinesis had taken them; only the answer was lost. That they are the same can be seen.
    assert compare(environment.emitted, events).repeated > 0
    assert compare(environment.emitted, without_repeats(events)).repeated == 0


def test_files_are_private_and_gone_when_their_records_are_delivered(
    lambda_environment: Environments, kinesis_stub: KinesisStub, tmp: Path
) -> None:
    leave_undelivered(lambda_environment, kinesis_stub, tmp)
    assert stat.S_IMODE((tmp / NAME).stat().st_mode) == 0o700
    files = list((tmp / NAME).iterdir())
    assert files
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    environment = lambda_environment(kinesis_stub, SHORT, temporary_directory=tmp)
    shut_down(environment)
    assert spool_of(tmp) == []
    assert [path.name for path in tmp.iterdir()] == [NAME]


def test_torn_foreign_and_garbage_files_are_set_aside_and_never_shipped(
    lambda_environment: Environments, kinesis_stub: KinesisStub, tmp: Path
) -> None:
    first = leave_undelivered(lambda_environment, kinesis_stub, tmp)
    folder = tmp / NAME
    torn, *whole = sorted(folder.glob("*.segment"))
    assert whole
    torn.write_bytes(torn.read_bytes()[:-1])
    flipped = bytearray(whole[0].read_bytes())
    flipped[len(flipped) // 2] ^= 0x10
    (folder / "0000000000001000.segment").write_bytes(flipped)
    (folder / "0000000000001001.segment").write_bytes(random.Random(1).randbytes(5000))
    (folder / "0000000000001002.segment").touch()
    (folder / "0000000000001003.unfinished").write_bytes(whole[0].read_bytes()[:100])
    (folder / "0000000000001004.segment").symlink_to("/etc/passwd")
    (folder / "0000000000001005.segment").mkdir()
    (folder / "notes.txt").write_text("not ours\n")

    second = lambda_environment(kinesis_stub, SHORT, temporary_directory=tmp)
    second.invoke(output=["goes on\n"])
    assert shut_down(second).exit_code == 0
    line = totals(second)
    assert_ledger_is_exact(line)
    assert line["setAsideFiles"] == 8
    assert "not whole segments" in messages(second, "warn")[0]
    events = events_in(kinesis_stub.records())
    comparison = compare([*first.emitted, *second.emitted], events)
    assert not comparison.foreign
    assert not comparison.repeated
    assert 0 < len(comparison.missing) < len(first.emitted)
    assert not compare(second.emitted, events).missing
    assert sorted(folder.glob("*.segment")) == [
        folder / "0000000000001004.segment",
        folder / "0000000000001005.segment",
    ]


def test_what_was_set_aside_is_left_alone_ever_after(
    lambda_environment: Environments, kinesis_stub: KinesisStub, tmp: Path
) -> None:
    (tmp / NAME).mkdir(mode=0o700)
    (tmp / NAME / "0000000000000001.segment").write_bytes(b"garbage")
    for _ in range(2):
        environment = lambda_environment(kinesis_stub, SHORT, temporary_directory=tmp)
        environment.invoke(output=["a line\n"])
        assert shut_down(environment).exit_code == 0
    assert spool_of(tmp) == ["0000000000000001.segment.bad"]
    assert totals(environment)["setAsideFiles"] == 0


def a_file(place: Path) -> None:
    place.touch()


def open_for_all(place: Path) -> None:
    place.mkdir()
    place.chmod(0o777)


def of_somebody_else(place: Path) -> None:
    place.mkdir(mode=0o700)
    try:
        os.chown(place, 12345, 12345)
    except PermissionError:
        pytest.skip("only root may give a directory to somebody else")


def a_link(place: Path) -> None:
    (place.parent / "elsewhere").mkdir(mode=0o700)
    place.symlink_to("elsewhere")


@pytest.mark.parametrize("obstacle", [a_file, open_for_all, of_somebody_else, a_link])
def test_a_place_that_cannot_be_used_is_told_of_and_does_without(
    lambda_environment: Environments,
    kinesis_stub: KinesisStub,
    tmp: Path,
    obstacle: Callable[[Path], None],
) -> None:
    obstacle(tmp / NAME)
    environment = lambda_environment(kinesis_stub, SHORT | on_free_port(), temporary_directory=tmp)
    environment.invoke(output=["delivered\n"])
    kinesis_stub.behave(HANGS)
    environment.invoke(output=["not delivered\n"])
    assert shut_down(environment).exit_code == 0
    assert "cannot keep undelivered logs" in messages(environment, "warn")[0]
    line = totals(environment)
    assert_ledger_is_exact(line)
    assert line["droppedBy"] == {"shutdown": line["droppedEvents"]}
    assert line["droppedEvents"] > 0


def test_a_tmp_that_does_not_exist_is_told_of_and_does_without(
    lambda_environment: Environments, kinesis_stub: KinesisStub, tmp: Path
) -> None:
    variables = {**SHORT, "TMPDIR": str(tmp / "no/such/place")}
    environment = lambda_environment(kinesis_stub, variables | on_free_port())
    environment.invoke(output=["a line\n"])
    assert shut_down(environment).exit_code == 0
    assert "cannot keep undelivered logs" in messages(environment, "warn")[0]
    assert_all_arrived(environment, kinesis_stub)


def test_a_second_process_over_the_same_place_keeps_its_hands_off(
    lambda_environment: Environments, kinesis_stub: KinesisStub, tmp: Path
) -> None:
    leave_undelivered(lambda_environment, kinesis_stub, tmp)
    kinesis_stub.behave(Behaviour(times=1, delay_s=0.5))
    first = lambda_environment(kinesis_stub, SHORT | on_free_port(), temporary_directory=tmp)
    second = lambda_environment(kinesis_stub, SHORT | on_free_port(), temporary_directory=tmp)
    for environment in (first, second):
        environment.invoke(output=["a line\n"])
        assert shut_down(environment).exit_code == 0
    assert "another process uses it" in messages(second, "warn")[0]
    assert totals(second)["replayedEvents"] == 0
    assert totals(first)["replayedEvents"] > 0
    assert len(without_repeats(events_in(kinesis_stub.records()))) == len(
        events_in(kinesis_stub.records())
    )


def test_no_spool_is_made_when_it_is_not_wanted(
    lambda_environment: Environments, kinesis_stub: KinesisStub, tmp: Path
) -> None:
    variables = {**SHORT, "EXTENSION_LOG_SPOOL_BYTES": "0"}
    environment = lambda_environment(kinesis_stub, variables, temporary_directory=tmp)
    environment.invoke(output=["a line\n"])
    shut_down(environment)
    assert list(tmp.iterdir()) == []


def test_a_full_disk_is_a_loss_that_is_counted_and_no_crash(
    lambda_environment: Environments, kinesis_stub: KinesisStub, tmp: Path
) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k,mode=0700", "tmpfs", str(tmp)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small tmpfs")
    try:
        kinesis_stub.behave(HANGS)
        environment = lambda_environment(
            kinesis_stub, SMALL_QUEUE | on_free_port(), temporary_directory=tmp
        )
        environment.invoke(output=random_lines(1500), timeout_s=9)
        ended = shut_down(environment)
    finally:
        subprocess.run(["umount", str(tmp)], check=True)
    assert ended.exit_code == 0
    line = totals(environment)
    assert_ledger_is_exact(line)
    assert line["droppedBy"] == {"disk": line["droppedEvents"]}
    assert line["droppedEvents"] > 0
    assert line["level"] == "warn"


# Much more than the memory holds


def test_an_outage_that_the_disk_can_hold_loses_nothing_and_memory_stays_bounded(
    lambda_environment: Environments, kinesis_stub: KinesisStub, proxy: FaultProxy, tmp: Path
) -> None:
    """pains 5, 6, 26: memory that grows with what waits."""
    environment = lambda_environment(
        kinesis_stub, SMALL_QUEUE | proxy.variables | on_free_port(), temporary_directory=tmp
    )
    environment.invoke(output=["all is well\n"])
    proxy.meet(Wire.HANG)
    for number in range(4):
        lines = random_lines(4000, prefix=f"outage-{number}")
        invocation = environment.invoke(output=lines, duration_s=0.3, timeout_s=20)
        assert invocation.kept_awake_ms < NO_HOLD_MS
    assert spool_of(tmp)
    proxy.recover()
    environment.invoke(output=["well again\n"], timeout_s=20)
    invoke_until_arrived(environment, kinesis_stub)
    ended = shut_down(environment)
    assert_memory_within(environment, ended.peak_memory_kb, QUEUE_BYTES // 1024 + 10 * 1024)
    line = totals(environment)
    assert_ledger_is_exact(line)
    assert (line["droppedEvents"], line["spooledEvents"]) == (0, 0)
    assert spool_of(tmp) == []
    assert_all_arrived(environment, kinesis_stub)


def test_an_outage_beyond_every_limit_loses_the_newest_says_how_many_and_recovers(
    lambda_environment: Environments, kinesis_stub: KinesisStub, proxy: FaultProxy
) -> None:
    """pain 21: the platform drops what nobody takes; pain 24: and the figures are right."""
    variables = {**SMALL_QUEUE, **proxy.variables, "EXTENSION_LOG_SPOOL_BYTES": str(QUEUE_BYTES)}
    environment = lambda_environment(
        kinesis_stub, variables | on_free_port(), delivery_backlog_bytes=2 * QUEUE_BYTES
    )
    proxy.meet(Wire.HANG)
    lines = random_lines(12_000)
    environment.invoke(output=lines, duration_s=1, timeout_s=20)
    proxy.recover()
    environment.invoke(timeout_s=20)
    invoke_until_delivered(environment)
    environment.invoke(output=["well again\n"], timeout_s=20)
    assert shut_down(environment).exit_code == 0
    figures = environment.deliveries[0]
    assert figures.dropped > 0
    line = totals(environment)
    assert_ledger_is_exact(line)
    assert line["droppedEvents"] == 0, "what was taken is delivered"
    assert line["platformDroppedEvents"] == figures.dropped
    assert line["platformDroppedBytes"] == figures.dropped_bytes
    events = events_in(kinesis_stub.records())
    told = of_type(events, "platform.logsDropped")
    assert sum(event["record"]["droppedRecords"] for event in told) == figures.dropped
    arrived = {event["record"] for event in of_type(events, "function")}
    lost = [number for number, text in enumerate(lines) if text not in arrived]
    assert min(lost) > 2 * QUEUE_BYTES / (2 * HEX_LINE_BYTES), "the oldest are kept"
    assert "well again\n" in arrived
