# SPDX-License-Identifier: MIT
"""What the soak prints while it runs, and at its end."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator

from .round import Figures
from .vitals import Sample, Vitals


def progress_line(figures: Figures, passed_s: float) -> str:
    latest = figures.vitals[-1].samples[-1:] if figures.vitals else []
    vitals = f", {latest[0].memory_kb} KiB, {latest[0].descriptors} fds" if latest else ""
    return (
        f"{passed_s:6.0f} s  round {figures.rounds + 1}, {figures.lives} lives,"
        f" {figures.invocations} invocations, {figures.events} events,"
        f" {figures.bytes / 1e6:.1f} MB{vitals}"
    )


def rows(figures: Figures) -> Iterator[tuple[str, str]]:
    yield (
        "rounds, processes, invocations",
        (f"{figures.rounds}, {figures.lives}, {figures.invocations}"),
    )
    yield "how invocations and processes ended", listed(figures.endings)
    yield "events, bytes logged", f"{figures.events}, {figures.bytes / 1e6:.1f} MB"
    yield "faults met by requests", listed(figures.faults)
    yield "requests, records sent again", f"{figures.requests}, {figures.retried_records}"
    yield "events from the disk of an earlier process", str(figures.replayed)
    yield "events lost", str(figures.lost)
    yield (
        "events dropped and counted (narrow limits)",
        (f"{figures.dropped}, by the platform {figures.platform_dropped}"),
    )
    yield "events stored twice, all where an answer was lost", str(figures.duplicates)
    yield from vitals_rows(figures.vitals)
    if figures.bytes:
        yield "CPU", f"{figures.cpu_s * 1000 / (figures.bytes / 1e6):.1f} ms per MB"
    for flush, kept_ms in sorted(figures.kept_awake_ms.items()):
        yield f"kept awake ({flush})", percentiles(kept_ms)


def vitals_rows(lives: list[Vitals]) -> Iterator[tuple[str, str]]:
    samples = [sample for life in lives for sample in life.samples]
    if not samples:
        return
    measures: dict[str, Callable[[Sample], int]] = {
        "memory at freezes, KiB": lambda item: item.memory_kb,
        "descriptors": lambda item: item.descriptors,
        "threads": lambda item: item.threads,
    }
    for name, of in measures.items():
        values = sorted(map(of, samples))
        growth = [more for life in lives if (more := life.growth(of)) is not None]
        yield (
            name,
            (
                f"median {statistics.median(values):.0f}, most {values[-1]};"
                f" growth in {len(growth)} long lives {spread(growth)}"
            ),
        )
    yield "peak memory, KiB", str(max(item.peak_kb for item in samples))


def spread(values: list[float]) -> str:
    return f"{min(values):+.0f} to {max(values):+.0f}" if values else "-"


def percentiles(values: Iterable[float]) -> str:
    ordered = sorted(values)
    places = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
    told = [
        f"{name} {ordered[int(share * (len(ordered) - 1))]:.0f}" for name, share in places.items()
    ]
    return f"{', '.join(told)}, most {ordered[-1]:.0f} ms"


def listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {times}" for name, times in sorted(counts.items())) or "none"


def print_report(figures: Figures) -> None:
    table = list(rows(figures))
    width = max(len(name) for name, _ in table)
    for name, value in table:
        print(f"{name:{width}}  {value}")
