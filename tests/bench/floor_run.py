# SPDX-License-Identifier: MIT
"""The floor: what the libraries alone need for the bytes of a case (see floor.c)."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .cases import Way

FLOOR = Path(__file__).resolve().parents[2] / "build/bench/floor"
PARTS = ("split", "gzip", "base64", "sha256", "aes")
REPEATS = 3


@dataclass(frozen=True)
class FloorFigures:
    """In ms of CPU for each MB of logs, which is also ns for each byte."""

    parts_ms: dict[str, float]
    sockets_ms: float

    @property
    def cpu_ms_per_mb(self) -> float:
        return sum(self.parts_ms.values())


def run_floor(way: Way, logs: Path, records: Path) -> FloorFigures:
    command = [FLOOR, logs, records, way.floor_wire, way.floor_compression, str(REPEATS)]
    environment = {**os.environ, **way.processor}
    printed = json.loads(subprocess.check_output(command, env=environment))
    size = printed["logs_bytes"]
    return FloorFigures(
        {part: printed[part] / size for part in PARTS if printed[part]}, printed["sockets"] / size
    )
