# SPDX-License-Identifier: MIT
"""What the functional tests ask of an environment and of what arrived, in their own words."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from kinesis import Record, compare, events_in
from lambda_environment import LambdaEnvironment, Shutdown

# Waits for the platform.runtimeDone; the platform gathers events for 25 ms. A hold that is in vain
# would last until the deadline of the function, of 3,000 ms unless a test sets another …
HOLDS = {"EXTENSION_LOG_FLUSH": "end", "EXTENSION_LOG_HOLD_MS": "5000"}
# … and this is less, with room for a machine that is busy with something else.
NO_HOLD_MS = 2500


class Stream(Protocol):
    """moto's or the stub's."""

    def records(self) -> list[Record]: ...


def shut_down(environment: LambdaEnvironment, reason: str = "SPINDOWN") -> Shutdown:
    """How the extension ended."""
    return environment.shutdown(reason)[environment.settings.extensions[0].name]


def said(environment: LambdaEnvironment, level: str | None = None) -> list[dict[str, Any]]:
    """The extension's own lines, each of which is a JSON object."""
    lines = [json.loads(line) for line in environment.extension_output]
    return [line for line in lines if level in (None, line["level"])]


def messages(environment: LambdaEnvironment, level: str | None = None) -> list[str]:
    return [line["message"] for line in said(environment, level)]


def totals(environment: LambdaEnvironment) -> dict[str, Any]:
    """The one line of totals."""
    found = [line for line in said(environment) if "receivedEvents" in line]
    assert len(found) == 1, f"{len(found)} lines of totals"
    return found[0]


def lives(environment: LambdaEnvironment) -> list[dict[str, Any]]:
    """The totals of each process that there has been, one after another."""
    return [line for line in said(environment) if "receivedEvents" in line]


def assert_ledger_is_exact(line: dict[str, Any]) -> None:
    """At the end: received = delivered + pending + dropped, and what is pending is on disk."""
    for unit in ("Events", "Bytes"):
        settled = line[f"delivered{unit}"] + line[f"pending{unit}"] + line[f"dropped{unit}"]
        assert line[f"received{unit}"] == settled, line
        assert line[f"pending{unit}"] == line[f"spooled{unit}"], line
    assert sum(line["droppedBy"].values()) == line["droppedEvents"], line


def assert_same_events(repeated: Iterable[dict[str, Any]]) -> None:
    """Events that have an id in common are the same event."""
    by_id: dict[str, dict[str, Any]] = {}
    for event in repeated:
        assert by_id.setdefault(event["eventId"], event) == event


def without_repeats(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """As a consumer sees them that drops what has an eventId it knows."""
    return list({event["eventId"]: event for event in events}.values())


def assert_all_arrived(environment: LambdaEnvironment, stream: Stream) -> None:
    """Each emitted event is in the stream, once."""
    comparison = compare(environment.emitted, events_in(stream.records()))
    assert not comparison.missing, f"{len(comparison.missing)} missing: {comparison.missing[:3]}"
    assert comparison.repeated == 0


def invoke_until_arrived(environment: LambdaEnvironment, stream: Stream) -> None:
    """All but the latest events, which the platform still has. A minute, so as not to hang."""
    give_up_at = time.monotonic() + 60
    while len(compare(environment.emitted, events_in(stream.records())).missing) > 10:
        assert time.monotonic() < give_up_at, f"{environment.pending} are still with the platform"
        environment.invoke(duration_s=0.2, timeout_s=20)


def invoke_until_delivered(environment: LambdaEnvironment) -> None:
    """All that the platform does not drop, but the latest events. A minute, so as not to hang."""
    give_up_at = time.monotonic() + 60
    while environment.pending > 10:
        assert time.monotonic() < give_up_at, f"{environment.pending} are still with the platform"
        environment.invoke(duration_s=0.2, timeout_s=20)


def lines_in(records: Iterable[Record]) -> list[bytes]:
    return [line for record in records for line in record.lines()]


def of_type(events: Iterable[dict[str, Any]], event_type: str) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] == event_type]


def is_sanitized(environment: LambdaEnvironment) -> bool:
    return is_sanitized_binary(environment.settings.extensions[0])


def is_sanitized_binary(binary: Path) -> bool:
    return any(word in binary.read_bytes() for word in (b"__asan_init", b"__tsan_init"))


def sanitizers_threads(environment: LambdaEnvironment) -> int:
    """Threads that are not the extension's own."""
    return int(b"__tsan_init" in environment.settings.extensions[0].read_bytes())


def assert_memory_within(environment: LambdaEnvironment, peak_kb: int, limit_kb: int) -> None:
    """Of the binary as it is shipped: a sanitizer needs many times as much."""
    if not is_sanitized(environment):
        assert peak_kb <= limit_kb


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def on_free_port() -> dict[str, str]:
    """For tests that want silence: the default port may be taken on a developer's machine."""
    return {"HTTP_LOGS_LISTENER_PORT": str(free_port())}
