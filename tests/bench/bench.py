# SPDX-License-Identifier: MIT
"""Measures what the extension costs, and compares it with what the libraries alone need.

It runs the binary that is shipped between a platform and a Kinesis (over TLS) that do nothing but
send and count. Each figure is the median of several runs; the floor is run in between them, so that
both meet the same noise. An event that is lost or repeated in any run ends it.

Environment:
  BENCH_MB=20        MB of logs in each run of the matrix
  BENCH_RUNS=5       runs for each figure
  BENCH_ONLY=TEXT    only cases of the matrix whose names contain this, such as ndjson/200
  BENCH_QUICK=1      fewer of everything: about two minutes
  EXTENSION_BINARY=PATH   another build
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests"))

from bench import cases, measured_run  # noqa: E402
from bench.cases import Case  # noqa: E402
from bench.floor_run import FloorFigures, run_floor  # noqa: E402
from bench.log_bodies import bodies_of  # noqa: E402
from bench.measured_run import Figures, Load, Loss  # noqa: E402
from kinesis.certificate import make_certificates  # noqa: E402

ARCHITECTURE = platform.machine().replace("aarch64", "arm64")
NAME = "kinesis-stream-logs-extension"
BINARY = REPOSITORY / f"build/layer-{ARCHITECTURE}/extensions/{NAME}"
SAMPLE_MB = 8


@dataclass(frozen=True)
class Options:
    binary: Path
    megabytes: int
    runs: int
    only: str
    quick: bool


def options() -> Options:
    environ = os.environ
    quick = bool(environ.get("BENCH_QUICK"))
    return Options(
        Path(environ.get("EXTENSION_BINARY") or BINARY).resolve(),
        int(environ.get("BENCH_MB") or (10 if quick else 20)),
        int(environ.get("BENCH_RUNS") or (3 if quick else 5)),
        environ.get("BENCH_ONLY") or "",
        quick,
    )


@dataclass(frozen=True)
class Pair:
    """The extension, and right after it the floor."""

    figures: Figures
    floor: FloorFigures

    @property
    def ratio(self) -> float:
        return self.figures.cpu_ms_per_mb / self.floor.cpu_ms_per_mb


class Bench:
    def __init__(self, wanted: Options, folder: Path) -> None:
        self._wanted = wanted
        self._folder = folder
        self._certificates = make_certificates(folder, ["127.0.0.1"])

    def run(self, load: Load, sample: Path | None = None) -> Figures:
        return measured_run.run(self._wanted.binary, self._certificates, load, sample)

    def pairs(self, case: Case) -> list[Pair]:
        logs, records = self._folder / "logs", self._folder / "records"
        self.run(case.load(SAMPLE_MB), records)
        bodies = bodies_of(case.line_bytes)
        logs.write_bytes(b"".join(map(bodies.body, range(SAMPLE_MB))))
        return [
            Pair(
                self.run(case.load(self._wanted.megabytes)),
                run_floor(case.way, logs, records),
            )
            for _ in range(self._wanted.runs)
        ]


def print_case(case: Case, pairs: list[Pair]) -> None:
    figures = [pair.figures for pair in pairs]
    first = figures[0]
    floor = {
        part: median(pair.floor.parts_ms[part] for pair in pairs)
        for part in pairs[0].floor.parts_ms
    }
    print(
        f"{case.name:16}"
        f" {median(one.cpu_ms_per_mb for one in figures):6.2f} ms/MB,"
        f" floor {median(pair.floor.cpu_ms_per_mb for pair in pairs):5.2f}"
        f" ({', '.join(f'{part} {ms:.2f}' for part, ms in floor.items())}),"
        f" ratio {median(pair.ratio for pair in pairs):.2f}"
        f" ({min(pair.ratio for pair in pairs):.2f}-{max(pair.ratio for pair in pairs):.2f}),"
        f" sockets {median(pair.floor.sockets_ms for pair in pairs):.2f};"
        f" {median(one.events_per_s for one in figures):.0f} events/s,"
        f" peak {max(one.peak_kb for one in figures)} kB,"
        f" wire {first.arrived.wire_bytes / first.logs_bytes:.2f},"
        f" units {first.arrived.units / (first.arrived.record_bytes / 25_000):.3f}",
        flush=True,
    )


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def main() -> int:
    wanted = options()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        bench = Bench(wanted, Path(name))
        try:
            for case in cases.CASES:
                if wanted.only in case.name:
                    print_case(case, bench.pairs(case))
        except Loss as loss:
            print(f"LOSS: {loss}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
