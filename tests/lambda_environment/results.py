# SPDX-License-Identifier: MIT
"""How an init, an invocation and a shutdown went."""

from __future__ import annotations

from dataclasses import dataclass, field


class Failure(Exception):
    """Something ended that has to live, or said that it cannot go on."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class TimedOut(Failure):
    def __init__(self, seconds: float) -> None:
        super().__init__("Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds")


@dataclass(frozen=True)
class Init:
    """How an initialisation went."""

    error_type: str | None = None
    message: str = ""
    duration_ms: float = 0.0
    extension_ms: dict[str, float] = field(default_factory=dict)
    """From the start of each extension's process to its first `next`."""

    @property
    def succeeded(self) -> bool:
        return self.error_type is None


@dataclass(frozen=True)
class Invocation:
    """How an invocation went."""

    request_id: str
    status: str
    """success, failure or timeout, as in platform.runtimeDone"""
    payload: bytes = b""
    error_type: str | None = None
    message: str = ""
    duration_ms: float = 0.0
    """Of the function."""
    kept_awake_ms: float = 0.0
    """From the end of the function until the last extension asked for the next event."""
    init: Init | None = None
    """Of the init that ran inside this invocation, if one did."""
    undelivered_at_freeze: int = 0
    """Events up to platform.runtimeDone that no listener had acknowledged at the freeze."""


@dataclass(frozen=True)
class Shutdown:
    """How one extension ended."""

    state: str
    """Exited or ShutdownFailed"""
    exit_code: int | None
    duration_ms: float
    """From the SHUTDOWN event to the end of the process."""
    peak_memory_kb: int
    cpu_s: float
