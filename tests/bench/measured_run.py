# SPDX-License-Identifier: MIT
"""One life of the extension under a load, and what it cost."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from kinesis.certificate import Certificates

from .extension_process import ExtensionProcess
from .kinesis_peer import Arrived, Expected, KinesisPeer
from .log_bodies import BODY_BYTES, bodies_of
from .platform_peer import PlatformPeer

ARRIVAL_LIMIT_S = 60
SHUTDOWN_MS = 2_000


@dataclass(frozen=True)
class Load:
    """What the function logs, and with which settings it is shipped."""

    line_bytes: int
    bodies: int
    variables: Mapping[str, str] = field(default_factory=dict)
    bodies_an_invocation: int = 10
    body_bytes: int = BODY_BYTES
    underway_bytes: int = 2 * BODY_BYTES
    """So much may be delivered by the platform and not yet be in Kinesis; then the platform waits,
    so that what is measured is the way that logs go in peace, without 503 and spool."""


@dataclass(frozen=True)
class Figures:
    start_ms: float
    idle_kb: int
    peak_kb: int
    logs_bytes: int
    events: int
    cpu_ms: float
    kernel_share: float
    took_s: float
    kept_awake_ms: list[float]
    """From the delivery of platform.runtimeDone, for each invocation."""
    arrived: Arrived

    @property
    def cpu_ms_per_mb(self) -> float:
        return self.cpu_ms / (self.logs_bytes / 1e6)

    @property
    def events_per_s(self) -> float:
        return self.events / self.took_s


class Loss(Exception):
    """An event is not there, or is there twice, or the extension had trouble."""


def run(
    binary: Path, certificates: Certificates, load: Load, sample: Path | None = None
) -> Figures:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        expected = Expected(load.bodies, bodies_of(load.line_bytes, load.body_bytes).events)
        with KinesisPeer(certificates, folder, expected, sample) as kinesis:
            return _Life(binary, kinesis, load, folder).run()


class _Life:
    def __init__(self, binary: Path, kinesis: KinesisPeer, load: Load, folder: Path) -> None:
        self._load = load
        self._bodies = bodies_of(load.line_bytes, load.body_bytes)
        self._kinesis = kinesis
        self._platform = PlatformPeer()
        self._output = folder / "output"
        variables = {
            **kinesis.variables,
            "AWS_LAMBDA_RUNTIME_API": self._platform.address,
            "AWS_LAMBDA_FUNCTION_NAME": "orders",
            "AWS_LAMBDA_FUNCTION_VERSION": "7",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "TMPDIR": str(folder),
            **load.variables,
        }
        self._extension = ExtensionProcess(binary, variables, self._output)
        self._delivered = 0

    def run(self) -> Figures:
        try:
            return self._measure()
        except BaseException:
            self._extension.kill()
            raise
        finally:
            self._platform.close()

    def _measure(self) -> Figures:
        start_ms = (self._platform.wait_for_next() - self._extension.began_ns) / 1e6
        idle_kb = self._extension.memory_kb()
        cpu_ns = self._extension.cpu_ns()
        began = time.monotonic()
        kept_awake_ms = self._invoke_all()
        self._wait_for_all()
        took_s = time.monotonic() - began
        cpu_ns = self._extension.cpu_ns() - cpu_ns
        peak_kb = self._extension.peak_memory_kb()
        arrived = self._kinesis.arrived()
        kernel_share = self._shut_down()
        return Figures(
            start_ms=start_ms,
            idle_kb=idle_kb,
            peak_kb=peak_kb,
            logs_bytes=self._load.bodies * self._bodies.size,
            events=self._load.bodies * self._bodies.events,
            cpu_ms=cpu_ns / 1e6,
            kernel_share=kernel_share,
            took_s=took_s,
            kept_awake_ms=kept_awake_ms,
            arrived=arrived,
        )

    def _invoke_all(self) -> list[float]:
        kept_awake_ms = []
        while self._delivered < self._load.bodies:
            count = min(self._load.bodies_an_invocation, self._load.bodies - self._delivered)
            kept_awake_ms.append(self._invoke(count))
        return kept_awake_ms

    def _invoke(self, bodies: int) -> float:
        request = str(UUID(int=self._delivered))
        self._platform.answer_next(
            {
                "eventType": "INVOKE",
                "requestId": request,
                "deadlineMs": int(time.time() * 1000) + ARRIVAL_LIMIT_S * 1000,
            }
        )
        self._platform.deliver(
            _event("platform.start", f'{{"requestId":"{request}","version":"7"}}')
        )
        for _ in range(bodies):
            self._deliver_body()
        done_ns = time.monotonic_ns()
        self._platform.deliver(
            _event("platform.runtimeDone", f'{{"requestId":"{request}","status":"success"}}')
        )
        return (self._platform.wait_for_next() - done_ns) / 1e6

    def _deliver_body(self) -> None:
        """Not before there is room under way."""
        body = self._bodies.body(self._delivered)
        ahead = self._load.underway_bytes // self._bodies.size
        self._check(
            self._kinesis.wait_for_events(
                (self._delivered + 1 - ahead) * self._bodies.events, ARRIVAL_LIMIT_S
            ),
            "logs do not arrive",
        )
        self._platform.deliver(body)
        self._delivered += 1

    def _wait_for_all(self) -> None:
        events = self._load.bodies * self._bodies.events
        self._kinesis.wait_for_events(events, ARRIVAL_LIMIT_S)
        arrived = self._kinesis.arrived()
        self._check(
            (arrived.events, arrived.repeated, arrived.strange) == (events, 0, 0),
            f"{events} events were logged",
        )

    def _shut_down(self) -> float:
        deadline = int(time.time() * 1000) + SHUTDOWN_MS
        self._platform.answer_next(
            {"eventType": "SHUTDOWN", "shutdownReason": "spindown", "deadlineMs": deadline}
        )
        status, kernel_share = self._extension.wait()
        self._check(status == 0 and not self._platform.failures, f"it ended with {status}")
        return kernel_share

    def _check(self, holds: bool, what: str) -> None:
        if not holds:
            output = self._output.read_text(errors="replace")[-2000:]
            raise Loss(f"{what}: {self._kinesis.arrived()}\n{output}")


def _event(event_type: str, record: str) -> bytes:
    return (
        f'[{{"time":"2026-01-02T03:04:05.678Z","type":"{event_type}","record":{record}}}]'
    ).encode()
