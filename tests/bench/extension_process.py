# SPDX-License-Identifier: MIT
"""The extension as a process, and what the kernel says of it."""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path

EXIT_LIMIT_S = 10


class ExtensionProcess:
    """Started at once. Its output goes to a file, for nobody has to read that meanwhile."""

    def __init__(self, binary: Path, variables: dict[str, str], output: Path) -> None:
        opened = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        actions = [(os.POSIX_SPAWN_DUP2, opened, 1), (os.POSIX_SPAWN_DUP2, opened, 2)]
        self.began_ns = time.monotonic_ns()
        self.pid = os.posix_spawn(binary, [str(binary)], variables, file_actions=actions)
        os.close(opened)

    def cpu_ns(self) -> int:
        """User and system time of all its threads: clock_getcpuclockid(), as the kernel has it."""
        return time.clock_gettime_ns((~self.pid << 3) | 2)

    def memory_kb(self) -> int:
        return self._status("VmRSS")

    def peak_memory_kb(self) -> int:
        return self._status("VmHWM")

    def wait(self) -> tuple[int, float]:
        """The exit status, and the kernel's part of its CPU time, as the clock's ticks have it. It
        is killed when it takes too long."""
        timer = threading.Timer(EXIT_LIMIT_S, os.kill, [self.pid, 9])
        timer.start()
        try:
            _, status, usage = os.wait4(self.pid, 0)
        finally:
            timer.cancel()
        spent = usage.ru_utime + usage.ru_stime
        return os.waitstatus_to_exitcode(status), usage.ru_stime / spent if spent else 0.0

    def kill(self) -> None:
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)

    def _status(self, name: str) -> int:
        text = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(rf"^{name}:\s+(\d+)", text, re.M)
        assert found, f"no {name} in /proc/{self.pid}/status"
        return int(found[1])
