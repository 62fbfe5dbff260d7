# SPDX-License-Identifier: MIT
"""What came out: medians of runs, and whether they keep to the budgets."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from .cases import Case
from .floor_run import FloorFigures
from .measured_run import Figures

UNIT_BYTES = 25_000
QUEUE_LIMIT_MB = 8.389
"""EXTENSION_LOG_QUEUE_BYTES when it is left alone."""


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def megabytes(kb: float) -> float:
    """Of what the kernel counts in units of 1,024 bytes."""
    return kb * 1024 / 1e6


@dataclass(frozen=True)
class Pair:
    """The extension, and right after it the floor."""

    figures: Figures
    floor: FloorFigures

    @property
    def ratio(self) -> float:
        return self.figures.cpu_ms_per_mb / self.floor.cpu_ms_per_mb

    @property
    def ratio_with_sockets(self) -> float:
        return self.figures.cpu_ms_per_mb / (self.floor.cpu_ms_per_mb + self.floor.sockets_ms)


@dataclass(frozen=True)
class CaseResult:
    case: Case
    pairs: list[Pair]
    kept_awake_ms: list[float]

    def _median(self, of: Callable[[Figures], float]) -> float:
        return median(of(pair.figures) for pair in self.pairs)

    @property
    def cpu_ms(self) -> float:
        return self._median(lambda one: one.cpu_ms_per_mb)

    @property
    def kernel_ms(self) -> float:
        """The mean share: a run is too short for the clock's ticks."""
        return self.cpu_ms * statistics.mean(pair.figures.kernel_share for pair in self.pairs)

    @property
    def floor_ms(self) -> float:
        return median(pair.floor.cpu_ms_per_mb for pair in self.pairs)

    @property
    def sockets_ms(self) -> float:
        return median(pair.floor.sockets_ms for pair in self.pairs)

    @property
    def floor_parts_ms(self) -> dict[str, float]:
        parts = self.pairs[0].floor.parts_ms
        return {part: median(pair.floor.parts_ms[part] for pair in self.pairs) for part in parts}

    @property
    def ratio(self) -> float:
        return median(pair.ratio for pair in self.pairs)

    @property
    def ratio_spread(self) -> tuple[float, float]:
        ratios = [pair.ratio for pair in self.pairs]
        return min(ratios), max(ratios)

    @property
    def ratio_with_sockets(self) -> float:
        return median(pair.ratio_with_sockets for pair in self.pairs)

    @property
    def events_per_s(self) -> float:
        return self._median(lambda one: one.events_per_s)

    @property
    def peak_mb(self) -> float:
        return megabytes(max(pair.figures.peak_kb for pair in self.pairs))

    @property
    def wire_bytes_per_byte(self) -> float:
        return self._median(lambda one: one.arrived.wire_bytes / one.logs_bytes)

    @property
    def units_per_mb(self) -> float:
        return self._median(lambda one: one.arrived.units / (one.logs_bytes / 1e6))

    @property
    def units_per_least(self) -> float:
        """1.0: as many as so many bytes need at least."""
        return self._median(lambda one: one.arrived.units / (one.arrived.record_bytes / UNIT_BYTES))


@dataclass(frozen=True)
class GrowthResult:
    flush: str
    logged_mb: int
    runs: list[Figures]

    @property
    def cpu_ms(self) -> float:
        return median(one.cpu_ms_per_mb for one in self.runs)

    @property
    def events_per_s(self) -> float:
        return median(one.events_per_s for one in self.runs)

    @property
    def peak_mb(self) -> float:
        return megabytes(max(one.peak_kb for one in self.runs))


@dataclass
class Results:
    binary_bytes: int = 0
    starts: list[Figures] = field(default_factory=list)
    cases: list[CaseResult] = field(default_factory=list)
    growth: list[GrowthResult] = field(default_factory=list)
    bursts: list[Figures] = field(default_factory=list)

    def case(self, name: str) -> CaseResult:
        [found] = [one for one in self.cases if one.case.name == name]
        return found


@dataclass(frozen=True)
class Budget:
    name: str
    limit: float
    measured: float
    unit: str = ""

    @property
    def is_kept(self) -> bool:
        return self.measured <= self.limit


def budgets(results: Results) -> Iterator[Budget]:
    """Those of which there are figures."""
    if results.starts:
        starts = [one.start_ms for one in results.starts]
        yield Budget("exec to the first `event/next`, median", 5, median(starts), "ms")
        idle = [megabytes(one.idle_kb) for one in results.starts]
        yield Budget("resident, idle", 5, max(idle), "MB")
    for burst in results.bursts:
        yield Budget(
            f"resident, peak of a burst of {burst.logs_bytes / 1e6:.0f} MB",
            QUEUE_LIMIT_MB + 6,
            megabytes(burst.peak_kb),
            "MB",
        )
    yield from growth_budgets(results.growth)
    yield from case_budgets(results.cases)
    yield Budget("the shipped binary", 6, results.binary_bytes / 1e6, "MB")


def growth_budgets(growth: list[GrowthResult]) -> Iterator[Budget]:
    peaks = {(one.flush, one.logged_mb): one.peak_mb for one in growth}
    for flush in dict.fromkeys(one.flush for one in growth):
        most = max(logged_mb for other, logged_mb in peaks if other == flush)
        if (flush, 10) in peaks:
            name = f"resident, peak of {most:,} MB beyond that of 10 MB, `{flush}`"
            yield Budget(name, 1, peaks[flush, most] - peaks[flush, 10], "MB")


def case_budgets(cases: list[CaseResult]) -> Iterator[Budget]:
    for one in cases:
        name = f"`{one.case.way.name}`, lines of {one.case.line_bytes:,} B"
        if one.case.way.is_budgeted:
            yield Budget(f"CPU, times the floor: {name}", 1.25, one.ratio)
        if one.case.way.name == "ndjson":
            yield Budget(f"PUT units, times bytes/25,000: {name}", 1.05, one.units_per_least)
            awake = median(one.kept_awake_ms)
            yield Budget(f"kept awake after `platform.runtimeDone`: {name}", 5, awake, "ms")
