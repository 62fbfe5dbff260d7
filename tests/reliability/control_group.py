# SPDX-License-Identifier: MIT
"""As little of a processor or of memory as a small function gets, by the kernel's control groups.

Of version 1 or 2, whichever the machine has. Skips the test where no group can be made.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path("/sys/fs/cgroup")
PERIOD_US = 20_000


@contextmanager
def share_of_a_processor(pid: int, share: float) -> Iterator[None]:
    """The process gets no more than this."""
    quota_us = int(PERIOD_US * share)
    with control_group(pid, "cpu") as group:
        if (group / "cpu.max").exists():
            (group / "cpu.max").write_text(f"{quota_us} {PERIOD_US}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota_us))
        yield


@contextmanager
def at_most_memory(pid: int, limit_bytes: int) -> Iterator[None]:
    """The kernel kills the process when it comes to hold more from now on."""
    with control_group(pid, "memory") as group:
        new = group / "memory.max"
        limit = new if new.exists() else group / "memory.limit_in_bytes"
        limit.write_text(str(limit_bytes))
        yield


@contextmanager
def control_group(pid: int, controller: str) -> Iterator[Path]:
    """A group with the process in it."""
    parent = ROOT / controller if (ROOT / controller).is_dir() else ROOT
    group = parent / f"kinesis-stream-logs-extension-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        if not list(group.glob(f"{controller}.*")):
            pytest.skip(f"control groups do not limit {controller} here")
        (group / "cgroup.procs").write_text(str(pid))
        yield group
    finally:
        for left in (group / "cgroup.procs").read_text().split():
            (parent / "cgroup.procs").write_text(left)
        group.rmdir()
