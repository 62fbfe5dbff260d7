# SPDX-License-Identifier: MIT
"""Runs the extension for a long time among random loads and faults, and keeps its books.

A round is one stream and one temporary directory for two to five environments, one after another.
Each has settings, invocations, freezes, faults of Kinesis and resets chosen by chance; at the end
of each process everything that was accepted has to be in the stream or on disk, and at the end of
the round all of it in the stream. Rounds go on until the time is over. Ends with 1, and the facts,
at the first violation.

Environment:
  MINUTES=10              how long
  SEED=TEXT               the same choices again (the timing is never quite the same)
  ROUND=N                 only round N of that seed
  LINES=20000             the most lines in one invocation
  EXTENSION_BINARY=PATH   another build, such as build/tsan/extensions/...
  ASAN_OPTIONS, LSAN_OPTIONS, TSAN_OPTIONS, UBSAN_OPTIONS   are passed on to it
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests"))

from soak.load import LINES_MAX  # noqa: E402
from soak.report import print_report, progress_line  # noqa: E402
from soak.round import Figures, Round, Violation  # noqa: E402

BINARY = REPOSITORY / "build/extensions/kinesis-stream-logs-extension"
LOGS = REPOSITORY / "build/soak"
PROGRESS_S = 10


class Progress:
    """A line now and then."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._began = self._told = time.monotonic()

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self._told >= PROGRESS_S:
            self._told = now
            print(progress_line(self._figures, now - self._began), flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    environ = os.environ
    parser.add_argument("--minutes", type=float, default=environ.get("MINUTES") or "10")
    parser.add_argument("--seed", default=environ.get("SEED") or secrets.token_hex(4))
    parser.add_argument("--round", type=int, default=environ.get("ROUND") or "0")
    parser.add_argument("--lines", type=int, default=environ.get("LINES") or str(LINES_MAX))
    parser.add_argument("--binary", type=Path, default=environ.get("EXTENSION_BINARY") or BINARY)
    return parser.parse_args()


def run(options: argparse.Namespace, figures: Figures) -> None:
    deadline = time.monotonic() + options.minutes * 60
    LOGS.mkdir(parents=True, exist_ok=True)
    progress = Progress(figures)
    number = options.round
    while time.monotonic() < deadline:
        number = options.round or number + 1
        round_ = Round(
            f"{options.seed}/{number}",
            options.binary.resolve(),
            figures,
            deadline,
            options.lines,
            progress,
        )
        log = LOGS / f"{options.seed}-{number}.log"
        try:
            round_.run()
        except Violation as violation:
            tell(violation, round_, log, f"SEED={options.seed} ROUND={number}")
            raise
        finally:
            log.write_text("\n".join([*round_.log, ""]))
        if options.round:
            return


def tell(violation: Violation, round_: Round, log: Path, choices: str) -> None:
    print(f"\nVIOLATION: {violation}\n")
    print("\n".join(line[:200] for line in round_.log[-12:]))
    print(f"\nagain: make soak {choices}; all of this round: {log}\n")


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = arguments()
    figures = Figures()
    print(f"{options.minutes:g} minutes of {options.binary}, SEED={options.seed}", flush=True)
    try:
        run(options, figures)
    except Violation:
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        print_report(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
