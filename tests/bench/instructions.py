# SPDX-License-Identifier: MIT
"""How many instructions of our own a log line costs, counted by Valgrind's callgrind.

Times differ from machine to machine and from moment to moment; instructions do not, as long as only
those in src/ are counted: OpenSSL, libdeflate and glibc choose their code by the processor.

`instructions.py --renew` writes what it counts into instructions.json, for this architecture.
"""

from __future__ import annotations

import json
import math
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests"))

from bench.cases import COUNTED_CASES, Case  # noqa: E402
from bench.log_bodies import bodies_of  # noqa: E402

HOT_PATH = REPOSITORY / "build/bench/hot_path"
BOUNDS = Path(__file__).with_suffix(".json")
ARCHITECTURE = platform.machine()
VARIABLES = {
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
    "AWS_KINESIS_STREAM_NAME": "logs",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "EXTENSION_LOG_SPOOL_BYTES": "0",
}
OURS = (f"{REPOSITORY}/src/", f"{REPOSITORY}/include/")

_FILE = re.compile(r"(fl|fi|fe|cfi|cfl)=\((\d+)\)(?: (.*))?")
_COST = re.compile(r"[+*\-\d]\S* (\d+)")


def count(case: Case, more_variables: Mapping[str, str] | None = None) -> float:
    """Instructions for each byte of logs, which is also millions for each MB."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        profile = Path(folder, "profile")
        options = ["--quiet", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=ship"]
        options.append(f"--callgrind-out-file={profile}")
        _ship(case, options, Path(folder, "body"), more_variables or {})
        return own_instructions(profile.read_text().splitlines()) / bodies_of(case.line_bytes).size


def allocations(case: Case) -> int:
    """Of memory, for one body, libraries included."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        printed = _ship(case, ["--tool=memcheck"], Path(folder, "body"), {})
    found = re.search(r"total heap usage: ([\d,]+) allocs", printed)
    assert found, printed
    return int(found[1].replace(",", ""))


def _ship(case: Case, options: list[str], body: Path, more_variables: Mapping[str, str]) -> str:
    """Ships one body under Valgrind; returns what both printed."""
    body.write_bytes(bodies_of(case.line_bytes).body(0))
    done = subprocess.run(
        list(map(str, ["valgrind", *options, HOT_PATH, body])),
        env={**VARIABLES, **case.way.variables, **more_variables, "PATH": os.defpath},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    printed = done.stdout.decode(errors="replace")
    if done.returncode:
        raise RuntimeError(f"{case.name}: {printed}")
    return printed


def own_instructions(profile: Iterable[str]) -> int:
    """Of the functions in src/, without what they call. A name stands where it comes first, later
    only its number; the line after `calls=` is what was called."""
    names: dict[str, str] = {}
    is_ours = is_called = False
    total = 0
    for line in profile:
        if found := _FILE.match(line):
            kind, number, name = found.groups()
            names.setdefault(number, name)
            if kind == "fl":
                is_ours = names[number].startswith(OURS)
        elif line.startswith("calls="):
            is_called = True
        elif found := _COST.match(line):
            total += int(found[1]) if is_ours and not is_called else 0
            is_called = False
    return total


def bounds() -> dict[str, float]:
    """What was counted when the bounds were made, by case; nothing bounds an architecture for which
    that was never done."""
    return json.loads(BOUNDS.read_text()).get(ARCHITECTURE) or defaultdict(lambda: math.inf)


def renew() -> None:
    made = json.loads(BOUNDS.read_text()) if BOUNDS.exists() else {}
    made[ARCHITECTURE] = {case.name: round(count(case), 2) for case in COUNTED_CASES}
    BOUNDS.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n")
    for name, instructions in made[ARCHITECTURE].items():
        print(f"{name:20} {instructions:6.2f} instructions a byte")


if __name__ == "__main__":
    if sys.argv[1:] != ["--renew"]:
        sys.exit(__doc__)
    renew()
