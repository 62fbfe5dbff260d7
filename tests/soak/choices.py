# SPDX-License-Identifier: MIT
"""What chance decides: settings, loads, gaps, faults and endings."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

from .faulty_kinesis import Fault
from .load import Load, Loads

MIB = 1024 * 1024
OUTAGES = (
    Fault.REFUSED,
    Fault.HANG,
    Fault.UNAVAILABLE,
    Fault.THROTTLED,
    Fault.RESET,
    Fault.PARTIAL,
    Fault.SLOW,
)
FAULTS = tuple(fault for fault in Fault if fault is not Fault.REFUSED)


@dataclass(frozen=True)
class Limits:
    """Of a whole round."""

    queue_bytes: int
    spool_bytes: int

    @property
    def may_drop(self) -> bool:
        return self.spool_bytes < 64 * MIB


@dataclass(frozen=True)
class EnvironmentChoice:
    flush: str
    hold_ms: int
    queue_bytes: int
    chunked: bool
    variables: dict[str, str]


@dataclass
class Step:
    """One invocation, and what happens to Kinesis before it."""

    load: Load
    gap_s: float = 0.0
    duration_s: float = 0.0
    ending: str = "success"
    fault: Fault | None = None
    fault_times: int = 1
    """0: an outage, until a later step recovers"""
    recovers: bool = False

    def __str__(self) -> str:
        told = f"{self.load.kind} ({len(self.load.output)} lines, {self.load.bytes} bytes)"
        if self.gap_s > 0.01:
            told = f"gap {self.gap_s:.2f} s, {told}"
        if self.recovers:
            told = f"recovered, {told}"
        if self.fault:
            told = f"{self.fault.name} x{self.fault_times or 'outage'}, {told}"
        return f"{told} in {self.duration_s:.2f} s, {self.ending}"


@dataclass
class Choices:
    chance: random.Random
    lines_max: int
    _loads: Loads = field(init=False)

    def __post_init__(self) -> None:
        self._loads = Loads(self.chance)

    def _one_of(self, weights: dict) -> object:
        [found] = self.chance.choices(list(weights), list(weights.values()))
        return found

    def limits(self) -> Limits:
        """Mostly the defaults; sometimes so narrow that losses have to be counted."""
        return self._one_of(
            {
                Limits(8 * MIB, 64 * MIB): 75,
                Limits(1 * MIB, 64 * MIB): 13,
                Limits(1 * MIB, 1 * MIB): 6,
                Limits(8 * MIB, 0): 6,
            }
        )

    def environments(self) -> int:
        return self.chance.randint(2, 4)

    def environment(self, limits: Limits) -> EnvironmentChoice:
        return self._environment(
            limits,
            self.chance.choice(["end", "continuous", "adaptive", "adaptive"]),
            self._one_of({1000: 6, 100: 2, 0: 1, 2000: 1}),
        )

    def last_environment(self, limits: Limits) -> EnvironmentChoice:
        return self._environment(limits, "end", 1000)

    def _environment(self, limits: Limits, flush: str, hold_ms: int) -> EnvironmentChoice:
        variables = {
            "HTTP_LOGS_LISTENER_PORT": str(free_port()),
            "EXTENSION_LOG_FLUSH": flush,
            "EXTENSION_LOG_HOLD_MS": str(hold_ms),
            "EXTENSION_LOG_QUEUE_BYTES": str(limits.queue_bytes),
            "EXTENSION_LOG_SPOOL_BYTES": str(limits.spool_bytes),
            "EXTENSION_LOG_FORMAT": self._one_of({"ndjson": 8, "batch": 2, "event": 1}),
            "EXTENSION_LOG_RECORD_BYTES": str(self._one_of({25_000: 8, 10_000: 1, 1_000_000: 1})),
            "EXTENSION_LOG_PARTITION_KEY": self._one_of({"random": 4, "request": 1}),
            "EXTENSION_LOG_MAX_BYTES": str(self._one_of({MIB: 4, MIB // 4: 1})),
        }
        chunked = self.chance.random() < 0.2
        return EnvironmentChoice(flush, hold_ms, limits.queue_bytes, chunked, variables)

    # What happens in an environment.

    def steps(self) -> Iterator[Step]:
        if self.chance.random() < 0.25:
            yield from self._steady(self.chance.randint(80, 250))
            return
        for _ in range(self.chance.randint(1, 3)):
            yield from self._eventful(self.chance.randint(2, 25))
            yield self._step(ending=self.chance.choice(["timeout", "failure"]))
        yield from self._eventful(self.chance.randint(0, 15))

    def _steady(self, invocations: int) -> Iterator[Step]:
        """Long enough for a trend; the loads do not grow, and faults are few."""
        for _ in range(invocations):
            step = self._step(lines_max=1_000)
            step.gap_s /= 4
            if self.chance.random() < 0.05:
                self._add_fault(step)
            yield step

    def _eventful(self, invocations: int) -> Iterator[Step]:
        outage = 0
        for _ in range(invocations):
            step = self._step()
            if outage:
                outage -= 1
                step.recovers = outage == 0
            elif self.chance.random() < 0.06:
                outage = self.chance.randint(1, 8)
                step.fault, step.fault_times = self.chance.choice(OUTAGES), 0
            elif self.chance.random() < 0.35:
                self._add_fault(step)
            yield step

    def _add_fault(self, step: Step) -> None:
        step.fault, step.fault_times = self.chance.choice(FAULTS), self.chance.randint(1, 6)

    def _step(self, ending: str = "success", lines_max: int | None = None) -> Step:
        load = self._loads.next(lines_max or self.lines_max)
        least_s = len(load.output) / 40_000
        return Step(
            load=load,
            gap_s=self._gap_s(),
            duration_s=least_s + self._one_of({0.0: 5, 0.02: 3, 0.2: 1, 0.5: 1}),
            ending=ending,
        )

    def _gap_s(self) -> float:
        kind = self._one_of({"none": 55, "short": 30, "long": 12, "very long": 3})
        ranges = {"none": (0, 0), "short": (0.01, 0.3), "long": (0.5, 2), "very long": (3, 8)}
        return self.chance.uniform(*ranges[kind])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
