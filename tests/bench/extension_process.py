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

    def wait(self) -> int:
        """The exit status; it is killed when it takes too long."""
        timer = threading.Timer(EXIT_LIMIT_S, os.kill, [self.pid, 9])
        timer.start()
        try:
            return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        finally:
            timer.cancel()

    def kill(self) -> None:
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)

    def _status(self, name: str) -> int:
        text = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(rf"^{name}:\s+(\d+)", text, re.M)
        assert found, f"no {name} in /proc/{self.pid}/status"
        return int(found[1])
