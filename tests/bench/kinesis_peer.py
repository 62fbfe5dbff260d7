# SPDX-License-Identifier: MIT
"""Kinesis over TLS, for the bench: runs build/bench/kinesis_server and reads its counters."""

from __future__ import annotations

import mmap
import struct
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from kinesis.certificate import Certificates

SERVER = Path(__file__).resolve().parents[2] / "build/bench/kinesis_server"
SAMPLE_BYTES_MAX = 1_000_000_000


class Arrived(NamedTuple):
    """struct arrival_counters of arrivals.h."""

    connections: int
    requests: int
    examined: int
    wire_bytes: int
    body_bytes: int
    records: int
    record_bytes: int
    units: int
    events: int
    repeated: int
    strange: int


LAYOUT = struct.Struct(f"={len(Arrived._fields)}Q")


@dataclass(frozen=True)
class Expected:
    """Which marks there can be."""

    bodies: int
    events_a_body: int


class KinesisPeer:
    def __init__(
        self,
        certificates: Certificates,
        folder: Path,
        expected: Expected,
        sample: Path | None = None,
    ) -> None:
        self._authority = certificates.authority
        counters = folder / "counters"
        command = [SERVER, certificates.server, counters, expected.bodies, expected.events_a_body]
        command += [sample, SAMPLE_BYTES_MAX] if sample else []
        self._process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout
        self._port = int(self._process.stdout.readline())
        with counters.open("rb") as file:
            self._counters = mmap.mmap(file.fileno(), LAYOUT.size, access=mmap.ACCESS_READ)

    def __enter__(self) -> KinesisPeer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    @property
    def variables(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL_KINESIS": f"https://127.0.0.1:{self._port}",
            "AWS_CA_BUNDLE": str(self._authority),
            "AWS_KINESIS_STREAM_NAME": "logs",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            "AWS_SESSION_TOKEN": "t" * 800,
        }

    def arrived(self) -> Arrived:
        return Arrived._make(LAYOUT.unpack_from(self._counters))

    def wait_for_events(self, events: int, limit_s: float) -> bool:
        """Until so many have come, or the time is over."""
        deadline = time.monotonic() + limit_s
        while self.arrived().events < events:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.0005)
        return True
