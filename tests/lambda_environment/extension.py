# SPDX-License-Identifier: MIT
"""An extension as the platform sees it: its registration and its state."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .output import Lines
from .processes import Process
from .results import Shutdown

# From which states a call may lead to which state; anything else is refused.
ALLOWED_FROM = {
    "Registered": {"Started"},
    "Ready": {"Registered", "Running"},
    "InitError": {"Registered"},
    "ExitError": {"Registered", "Ready", "Running"},
}


class StateError(Exception):
    """The extension's state does not allow the call."""


class Extension:
    """Its states: Started, Registered, Ready (waits for an event), Running (has one), and the
    final InitError, ExitError, LaunchError, Exited and ShutdownFailed."""

    def __init__(self, name: str, external: bool) -> None:
        self.name = name
        self.external = external
        self.id = str(uuid.uuid4())
        self.state = "Started"
        self.events: list[str] = []
        self.error_type: str | None = None
        self.process: Process | None = None
        self.registered = asyncio.Event()
        self.ready = asyncio.Event()
        self.first_ready_at: float | None = None
        self.ready_at = 0.0
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def launch(
        self,
        path: Path,
        variables: Mapping[str, str],
        on_output: Callable[[str], None],
        on_exit: Callable[[int], None],
    ) -> None:
        """Starts its process. Raises OSError, and is in the state LaunchError then."""
        try:
            self.process = Process([str(path)], variables, Path("/"), [Lines(on_output)], on_exit)
        except OSError as error:
            self.state = "LaunchError"
            denied = isinstance(error, PermissionError)
            self.error_type = "PermissionDenied" if denied else "UnknownError"
            raise

    async def end(self, event: dict[str, Any], seconds: float) -> Shutdown:
        """Gives it the SHUTDOWN event, if it asked for that, and so many seconds; then SIGKILL."""
        assert self.process
        began = time.monotonic()
        in_time = not self.process.running
        if self.process.running and "SHUTDOWN" in self.events:
            self.send(event)
            in_time = await self.process.ended_within(seconds)
        await self.process.kill()
        exit_code = self.process.exited.result() if in_time else None
        self.state = "Exited" if exit_code == 0 and self.state == "Running" else "ShutdownFailed"
        return Shutdown(
            self.state,
            exit_code,
            (time.monotonic() - began) * 1000,
            self.process.peak_memory_kb,
            self.process.cpu_s,
        )

    @property
    def init_ms(self) -> float | None:
        """From the start of its process to its first `next`."""
        if not self.process or not self.first_ready_at:
            return None
        return (self.first_ready_at - self.process.started_at) * 1000

    def register(self, subscribed: list[str]) -> None:
        self.move_to("Registered")
        self.events = subscribed
        self.registered.set()

    async def next_event(self) -> dict[str, Any]:
        """Waits in the state Ready for the next event."""
        self.move_to("Ready")
        self.ready_at = time.monotonic()
        self.first_ready_at = self.first_ready_at or self.ready_at
        if self._inbox.empty():
            self.ready.set()
        event = await self._inbox.get()
        if self.state == "Ready":
            self.state = "Running"
        return event

    def send(self, event: dict[str, Any]) -> None:
        """Gives the event to the pending `next`, or to the one that comes."""
        self.ready.clear()
        self._inbox.put_nowait(event)

    def fail(self, state: str, error_type: str) -> None:
        self.move_to(state)
        self.error_type = error_type

    def move_to(self, state: str) -> None:
        if self.state not in ALLOWED_FROM[state]:
            raise StateError(
                f"State transition from {self.state} to {state} failed for extension {self.name}."
                " Error: State transition is not allowed"
            )
        self.state = state
