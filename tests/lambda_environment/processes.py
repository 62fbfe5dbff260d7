# SPDX-License-Identifier: MIT
"""Processes inside an environment: started in a group of their own, frozen, thawed, ended."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .output import Output

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Process:
    """A child in its own process group. It is reaped by itself, and with it goes its group.

    The first output takes both stdout and stderr, so their order is kept; the child inherits the
    descriptors of the others. Raises OSError when the program cannot be executed.
    """

    def __init__(
        self,
        argv: Sequence[str],
        variables: Mapping[str, str],
        cwd: Path,
        outputs: Sequence[Output],
        on_exit: Callable[[int], None],
    ) -> None:
        self._outputs = outputs
        self._on_exit = on_exit
        self._peak_kb = 0
        self._cpu_s = 0.0
        self.exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.started_at = time.monotonic()
        try:
            self._child = subprocess.Popen(
                argv,
                env=dict(variables),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=outputs[0].writing_end,
                stderr=outputs[0].writing_end,
                pass_fds=[output.writing_end for output in outputs[1:]],
                process_group=0,
            )
        except OSError:
            self._close_outputs(child_runs=False)
            raise
        for output in self._outputs:
            output.started()
        self.pid = self._child.pid
        self._pidfd = os.pidfd_open(self.pid)
        asyncio.get_running_loop().add_reader(self._pidfd, self._reap)

    @property
    def running(self) -> bool:
        return not self.exited.done()

    @property
    def peak_memory_kb(self) -> int:
        """The most memory it ever held (VmHWM), as far as it was seen alive."""
        self._sample()
        return self._peak_kb

    @property
    def cpu_s(self) -> float:
        self._sample()
        return self._cpu_s

    @property
    def memory_kb(self) -> int:
        """What it holds now (VmRSS); 0 when it has ended."""
        return self._status_kb("VmRSS")

    @property
    def stopped(self) -> bool:
        """Whether the kernel says that it is stopped."""
        return self.running and self._stat()[:1] == ["T"]

    def drain(self) -> None:
        for output in self._outputs:
            output.drain()

    def freeze(self) -> None:
        """Returns when all its threads stand still, or when it has ended."""
        self._sample()
        if self.running:
            self._signal(signal.SIGSTOP)
            os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    async def kill(self) -> None:
        self._signal(signal.SIGKILL)
        await self.exited

    async def ended_within(self, seconds: float) -> bool:
        """Waits; looks at the memory meanwhile, because nothing tells it after the end."""
        deadline = time.monotonic() + seconds
        while self.running and (left := deadline - time.monotonic()) > 0:
            self._sample()
            await asyncio.wait({self.exited}, timeout=min(left, 0.01))
        return not self.running

    def _signal(self, number: signal.Signals) -> None:
        if self.running:
            os.killpg(self.pid, number)

    def _reap(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        # While it is not reaped its number is not given away, so the group is still its own.
        os.killpg(self.pid, signal.SIGKILL)
        _, status, usage = os.wait4(self.pid, 0)
        self._child.returncode = os.waitstatus_to_exitcode(status)
        self._cpu_s = usage.ru_utime + usage.ru_stime
        self._close_outputs(child_runs=True)
        self.exited.set_result(self._child.returncode)
        self._on_exit(self._child.returncode)

    def _close_outputs(self, child_runs: bool) -> None:
        for output in self._outputs:
            if not child_runs:
                output.started()
            output.close()

    def _sample(self) -> None:
        if self.running and (fields := self._stat()):
            self._peak_kb = max(self._peak_kb, self._status_kb("VmHWM"))
            self._cpu_s = (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def _stat(self) -> list[str]:
        """The fields of /proc/PID/stat after the name, which may hold anything."""
        try:
            text = Path(f"/proc/{self.pid}/stat").read_text()
        except OSError:
            return []
        return text.rpartition(")")[2].split()

    def _status_kb(self, name: str) -> int:
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return 0
        found = re.search(rf"^{name}:\s*(\d+) kB", status, re.MULTILINE)
        return int(found.group(1)) if found else 0
