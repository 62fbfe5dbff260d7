# SPDX-License-Identifier: MIT
"""What a process holds: memory, descriptors, threads; whether that grows while it lives."""

from __future__ import annotations

import os
import re
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

# From so many samples on a life is long enough to tell a trend from its beginning.
TREND_SAMPLES = 60
# Beyond the queue: what an idle process holds, and its buffers.
MEMORY_BEYOND_QUEUE_KB = 12 * 1024
# What is made when it is first needed and kept from then on: the records and the request of four
# lanes, 600 KiB each, and the memory of one body, 1,536 KiB. A first burst late in a life counts
# as growth, once.
GROWTH_KB_MAX = 4096
DESCRIPTORS_MAX = 48
DESCRIPTOR_GROWTH_MAX = 4


@dataclass(frozen=True)
class Sample:
    memory_kb: int
    peak_kb: int
    descriptors: int
    threads: int

    def __str__(self) -> str:
        return f"{self.memory_kb} KiB, {self.descriptors} descriptors"


def sample(pid: int) -> Sample:
    status = Path(f"/proc/{pid}/status").read_text()
    kb = {name: int(value) for name, value in re.findall(r"^(\w+):\s*(\d+)", status, re.M)}
    descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    return Sample(kb["VmRSS"], kb["VmHWM"], descriptors, kb["Threads"])


@dataclass
class Vitals:
    """Of one process, taken at its freezes."""

    samples: list[Sample] = field(default_factory=list)

    def look_at(self, pid: int) -> Sample:
        self.samples.append(sample(pid))
        return self.samples[-1]

    def growth(self, of: Callable[[Sample], int]) -> float | None:
        """From the second quarter of the life to its last; None when it was too short."""
        quarter = len(self.samples) // 4
        if len(self.samples) < TREND_SAMPLES:
            return None
        values = [of(item) for item in self.samples]
        early, late = values[quarter : 2 * quarter], values[-quarter:]
        return statistics.median(late) - statistics.median(early)

    @property
    def memory_growth_kb(self) -> float | None:
        return self.growth(lambda item: item.memory_kb)

    @property
    def descriptor_growth(self) -> float | None:
        return self.growth(lambda item: item.descriptors)

    def check(self, queue_bytes: int, sanitized: bool) -> Iterator[str]:
        """What is wrong. A sanitizer needs many times the memory."""
        if not self.samples:
            return
        threads = {item.threads for item in self.samples}
        if len(threads) > 1:
            yield f"the number of threads changed: {sorted(threads)}"
        if (most := max(item.descriptors for item in self.samples)) > DESCRIPTORS_MAX:
            yield f"{most} descriptors"
        if (more := self.descriptor_growth) and more > DESCRIPTOR_GROWTH_MAX:
            yield f"{more:.0f} descriptors more at the end of a life of {len(self.samples)} freezes"
        if not sanitized:
            yield from self._check_memory(queue_bytes // 1024 + MEMORY_BEYOND_QUEUE_KB)

    def _check_memory(self, limit_kb: int) -> Iterator[str]:
        if (peak := max(item.peak_kb for item in self.samples)) > limit_kb:
            yield f"{peak} KiB of memory at the peak, {limit_kb} are allowed"
        if (more := self.memory_growth_kb) and more > GROWTH_KB_MAX:
            yield f"{more:.0f} KiB more at the end of a life of {len(self.samples)} freezes"
