# SPDX-License-Identifier: MIT
"""One round: one stream and one temporary directory, used by environments one after another, until
everything that was accepted has to be in the stream."""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kinesis.kinesis_stub import CREDENTIALS
from lambda_environment import Invocation, LambdaEnvironment, Settings
from lambda_environment.results import Failure

from .account import Account, Life
from .choices import (
    Choices,
    EnvironmentChoice,
    Step,
)
from .faulty_kinesis import FaultyKinesis
from .load import Load
from .vitals import Vitals

SANITIZER_OPTIONS = ("ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")
SANITIZER_REPORTS = ("Sanitizer:", "runtime error:")
SANITIZED_KILL_GRACE_S = 5.0
TIMEOUT_S = 9
# A hold ends after EXTENSION_LOG_HOLD_MS; beyond that the platform, which is written in Python,
# may still be busy with bringing the end of the invocation.
HOLD_SLACK_MS = 3_000
LAST_INVOCATIONS_MAX = 60


class Violation(Exception):
    """Something that must never be; the message has the facts."""


@dataclass
class Figures:
    """Of everything so far."""

    rounds: int = 0
    lives: int = 0
    invocations: int = 0
    endings: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    events: int = 0
    bytes: int = 0
    dropped: int = 0
    platform_dropped: int = 0
    lost: int = 0
    duplicates: int = 0
    replayed: int = 0
    requests: int = 0
    retried_records: int = 0
    cpu_s: float = 0.0
    kept_awake_ms: dict[str, list[float]] = field(default_factory=dict)
    vitals: list[Vitals] = field(default_factory=list)


def count(counts: dict[str, int], name: str, more: int = 1) -> None:
    counts[name] = counts.get(name, 0) + more


@dataclass
class LifeSoFar:
    """Of one process: where its part of what the environment tells begins, and what it was sent."""

    emitted_from: int
    output_from: int
    vitals: Vitals = field(default_factory=Vitals)
    raw: list[tuple[str, Load]] = field(default_factory=list)
    """Loads with bodies of their own, each with the request whose end came behind them."""


class Round:
    def __init__(
        self,
        name: str,
        binary: Path,
        figures: Figures,
        deadline: float,
        lines_max: int,
        progress: Callable[[], None],
    ) -> None:
        self.log: list[str] = []
        """What was chosen and what came of it, to read when something is wrong."""
        self._binary = binary
        self._figures = figures
        self._deadline = deadline
        self._progress = progress
        self._was_well = True
        self._choices = Choices(random.Random(name), lines_max)
        self._sanitized = any(
            word in binary.read_bytes() for word in (b"__asan_init", b"__tsan_init")
        )

    def run(self) -> None:
        with (
            tempfile.TemporaryDirectory(prefix="soak-") as folder,
            FaultyKinesis(self._choices.chance) as kinesis,
        ):
            limits = self._choices.limits()
            self._kinesis = kinesis
            self._account = Account(kinesis, Path(folder), may_drop=limits.may_drop)
            try:
                for _ in range(self._choices.environments()):
                    if time.monotonic() < self._deadline:
                        self._environment(self._choices.environment(limits), self._script())
                self._last_environment(self._choices.last_environment(limits))
                self._check(kinesis.complaints)
            finally:
                self._sum_up()

    # Environments.

    def _script(self) -> Iterator[Step]:
        for step in self._choices.steps():
            if time.monotonic() >= self._deadline:
                return
            yield step

    def _environment(self, choice: EnvironmentChoice, steps: Iterator[Step]) -> None:
        with self._started(choice) as environment:
            for step in steps:
                self._take(step, choice, environment)
            self._shut_down(choice, environment)

    def _last_environment(self, choice: EnvironmentChoice) -> None:
        """Kinesis is well, and everything that is still on disk has to be delivered."""
        self._kinesis.recover()
        with self._started(choice) as environment:
            for _ in range(LAST_INVOCATIONS_MAX):
                self._take(Step(load=Load("none"), duration_s=0.2), choice, environment)
                if not self._account.is_left_on_disk:
                    break
            self._shut_down(choice, environment)
        self._check(self._account.close())

    @contextmanager
    def _started(self, choice: EnvironmentChoice) -> Iterator[LambdaEnvironment]:
        self.log.append(f"environment: {choice.variables} chunked={choice.chunked}")
        options = {name: os.environ[name] for name in SANITIZER_OPTIONS if name in os.environ}
        settings = Settings(
            extensions=(self._binary,),
            credentials=CREDENTIALS,
            variables={**self._kinesis.variables, **options, **choice.variables},
            temporary_directory=self._account.temporary_directory,
            chunked_delivery=choice.chunked,
            kill_grace_s=SANITIZED_KILL_GRACE_S if self._sanitized else 0.0,
        )
        with LambdaEnvironment(settings) as environment:
            self._life = LifeSoFar(0, 0)
            if not environment.start().succeeded:
                raise Violation(f"the init failed: {environment.init}")
            yield environment

    # Steps.

    def _take(self, step: Step, choice: EnvironmentChoice, environment: LambdaEnvironment) -> None:
        if step.recovers:
            self._kinesis.recover()
        if step.fault:
            self._kinesis.meet(step.fault, step.fault_times)
        time.sleep(step.gap_s)
        began_at = time.monotonic()
        invocation = self._invoke(step, environment)
        after = f"{invocation.status}, {invocation.kept_awake_ms:.0f} ms more"
        self.log.append(f"{time.monotonic():.2f} {step} -> {after}")
        if step.load.events or step.load.tokens:
            self._life.raw.append((invocation.request_id, step.load))
        if invocation.status != step.ending:
            self._check([f"{step} ended as {invocation}"], environment)
        self._figures.invocations += 1
        self._figures.bytes += step.load.bytes
        count(self._figures.endings, invocation.status)
        if invocation.status == "success":
            is_well = self._kinesis.was_well_since(began_at)
            self._note_kept_awake(invocation, choice.flush, is_well)
            self._after_success(invocation, choice, environment)
        else:
            self._close_life(choice, environment)
        self._progress()

    def _invoke(self, step: Step, environment: LambdaEnvironment) -> Invocation:
        output: list[str | bytes | Failure] = list(step.load.output)
        if step.ending == "failure":
            output.append(Failure("Runtime.ExitError", "exit status 1"))
        if step.ending == "timeout":
            return environment.invoke(output=output, duration_s=60, timeout_s=step.duration_s)
        return environment.invoke(output=output, duration_s=step.duration_s, timeout_s=TIMEOUT_S)

    def _note_kept_awake(self, invocation: Invocation, flush: str, is_well: bool) -> None:
        """Faults reach beyond themselves: into the wait for the next try."""
        health = "Kinesis well" if self._was_well else "just recovered"
        health = health if is_well else "with faults"
        self._was_well = is_well
        self._figures.kept_awake_ms.setdefault(f"{flush}, {health}", []).append(
            invocation.kept_awake_ms
        )
        self.log[-1] += f", {health}"

    def _after_success(
        self, invocation: Invocation, choice: EnvironmentChoice, environment: LambdaEnvironment
    ) -> None:
        self.log[-1] += f", {self._life.vitals.look_at(environment.process.pid)}"
        if invocation.kept_awake_ms > choice.hold_ms + HOLD_SLACK_MS:
            self._check([f"kept awake for {invocation.kept_awake_ms:.0f} ms"], environment)

    def _shut_down(self, choice: EnvironmentChoice, environment: LambdaEnvironment) -> None:
        """Unless the last invocation has ended the extension already."""
        if environment.process.running:
            environment.shutdown()
            count(self._figures.endings, "shutdown")
            self._close_life(choice, environment)

    # The end of a life.

    def _close_life(self, choice: EnvironmentChoice, environment: LambdaEnvironment) -> None:
        life, process = self._life, environment.process
        output = environment.extension_output
        said = output[life.output_from :]
        emitted = environment.emitted
        self._life = LifeSoFar(len(emitted), len(output))
        self._figures.lives += 1
        self._figures.cpu_s += process.cpu_s
        self._figures.vitals.append(life.vitals)
        self.log += [line.rstrip() for line in said]
        self.log.append(f"{time.monotonic():.2f} ended, {process.cpu_s:.2f} s of CPU")
        self._check(check_output(said, process.exited.result()))
        self._check(life.vitals.check(choice.queue_bytes, self._sanitized))
        closed = self._life_for_account(life, environment, totals_of(said), emitted)
        self._check(self._account.close_life(closed))
        self._count(closed)

    def _life_for_account(
        self,
        life: LifeSoFar,
        environment: LambdaEnvironment,
        totals: dict[str, Any],
        emitted: list,
    ) -> Life:
        result = Life(
            totals, emitted[life.emitted_from :], environment.deliveries[-1], time.monotonic()
        )
        ended = {
            event.parsed()["record"]["requestId"]
            for event in result.accepted
            if event.type == "platform.runtimeDone"
        }
        for request_id, load in life.raw:
            if request_id in ended:
                result.raw_events.extend(load.events)
                result.tokens.extend(load.tokens)
        return result

    def _count(self, life: Life) -> None:
        figures, totals = self._figures, life.totals
        figures.events += totals["receivedEvents"] - totals["replayedEvents"]
        figures.dropped += totals["droppedEvents"]
        figures.replayed += totals["replayedEvents"]
        figures.requests += totals["requests"]
        figures.retried_records += totals["retriedRecords"]
        figures.platform_dropped += life.figures.dropped

    def _sum_up(self) -> None:
        self._figures.rounds += 1
        self._figures.lost += self._account.lost
        self._figures.duplicates += self._account.duplicates
        for fault, times in self._kinesis.met.items():
            count(self._figures.faults, fault.name.lower(), times)

    def _check(self, wrong: Any, environment: LambdaEnvironment | None = None) -> None:
        found = list(wrong)
        if environment:
            self.log += [line.rstrip() for line in environment.extension_output[-20:]]
        if found:
            raise Violation("\n".join(found[:10]))


def check_output(said: list[str], exit_code: int) -> Iterator[str]:
    if exit_code != 0:
        yield f"exit code {exit_code}"
    for line in said:
        if any(word in line for word in SANITIZER_REPORTS):
            yield line.rstrip()
    if sum('"receivedEvents"' in line for line in said) != 1:
        yield "not one line of totals"


def totals_of(said: list[str]) -> dict[str, Any]:
    return next(json.loads(line) for line in said if '"receivedEvents"' in line)
