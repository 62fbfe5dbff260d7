# SPDX-License-Identifier: MIT
"""Measures what the extension costs, and compares it with what the libraries alone need.

It runs the binary that is shipped between a platform and a Kinesis (over TLS) that do nothing but
send and count. Each figure is the median of several runs; the floor is run in between them, so that
both meet the same noise. An event that is lost or repeated in any run ends it with 1.

All of it takes some minutes and writes the results into docs/performance.md, its pictures and
README.md. What is shortened is only printed.

Environment:
  BENCH_MB=50        MB of logs in each run
  BENCH_RUNS=7       runs for each figure
  BENCH_ONLY=TEXT    only cases whose names contain this, such as ndjson/200, and nothing else
  BENCH_QUICK=1      fewer of everything: less than a minute
  EXTENSION_BINARY=PATH   another build
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests"))

from bench import cases, measured_run, report  # noqa: E402
from bench.cases import Case  # noqa: E402
from bench.floor_run import run_floor  # noqa: E402
from bench.log_bodies import bodies_of  # noqa: E402
from bench.measured_run import Figures, Load, Loss  # noqa: E402
from bench.results import CaseResult, GrowthResult, Pair, Results  # noqa: E402
from kinesis.certificate import make_certificates  # noqa: E402

ARCHITECTURE = platform.machine().replace("aarch64", "arm64")
NAME = "kinesis-stream-logs-extension"
BINARY = REPOSITORY / f"build/layer-{ARCHITECTURE}/extensions/{NAME}"
SAMPLE_MB = 8
STARTS = 30
SMALL_INVOCATIONS = 50
BURST_MB = 100


@dataclass(frozen=True)
class Options:
    binary: Path
    megabytes: int
    runs: int
    only: str
    is_quick: bool

    @property
    def is_whole(self) -> bool:
        return not (self.only or self.is_quick)

    def has(self, case: Case) -> bool:
        is_usual = case.line_bytes == cases.USUAL_LINE_BYTES or case.way.name == "ndjson"
        return self.only in case.name and (is_usual or not self.is_quick)


def options() -> Options:
    environ = os.environ
    is_quick = bool(environ.get("BENCH_QUICK"))
    return Options(
        Path(environ.get("EXTENSION_BINARY") or BINARY).resolve(),
        int(environ.get("BENCH_MB") or (10 if is_quick else 50)),
        int(environ.get("BENCH_RUNS") or (3 if is_quick else 7)),
        environ.get("BENCH_ONLY") or "",
        is_quick,
    )


class Bench:
    def __init__(self, wanted: Options, folder: Path) -> None:
        self._wanted = wanted
        self._folder = folder
        self._certificates = make_certificates(folder, ["127.0.0.1"])

    def run(self) -> Results:
        results = Results(binary_bytes=self._wanted.binary.stat().st_size)
        report.print_matrix_head()
        for case in filter(self._wanted.has, cases.CASES):
            results.cases.append(self._case(case))
            report.print_case(results.cases[-1])
        if not self._wanted.only:
            self._measure_the_rest(results)
        return results

    def _measure_the_rest(self, results: Results) -> None:
        results.starts = [self._run(cases.START_LOAD) for _ in range(STARTS)]
        results.bursts = [self._run(cases.burst_load(BURST_MB))]
        most = 100 if self._wanted.is_quick else max(cases.GROWTH_MB)
        report.print_growth_head()
        for flush in cases.FLUSHES:
            for megabytes in cases.GROWTH_MB:
                if megabytes <= most:
                    results.growth.append(self._growth(flush, megabytes))
                    report.print_growth(results.growth[-1])

    def _run(self, load: Load, sample: Path | None = None) -> Figures:
        return measured_run.run(self._wanted.binary, self._certificates, load, sample)

    def _case(self, case: Case) -> CaseResult:
        logs, records = self._folder / "logs", self._folder / "records"
        self._run(case.load(SAMPLE_MB), records)
        bodies = bodies_of(case.line_bytes)
        logs.write_bytes(b"".join(map(bodies.body, range(SAMPLE_MB))))
        pairs = [
            Pair(self._run(case.load(self._wanted.megabytes)), run_floor(case.way, logs, records))
            for _ in range(self._wanted.runs)
        ]
        return CaseResult(
            case, pairs, self._run(case.small_invocations(SMALL_INVOCATIONS)).kept_awake_ms
        )

    def _growth(self, flush: str, megabytes: int) -> GrowthResult:
        """The shorter a run is, the more of them there are."""
        count = min(self._wanted.runs, max(2, 500 // megabytes))
        load = cases.growth_load(megabytes, flush)
        return GrowthResult(flush, megabytes, [self._run(load) for _ in range(count)])


def main() -> int:
    wanted = options()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        try:
            results = Bench(wanted, Path(name)).run()
        except Loss as loss:
            print(f"LOSS: {loss}")
            return 1
    report.print_budgets(results)
    if wanted.is_whole:
        report.write(results, REPOSITORY, f"{wanted.megabytes} MB a run, {wanted.runs} runs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
