# SPDX-License-Identifier: MIT
"""The events of the Logs API and of the Telemetry API, as the platform writes them.

Where a schema has its own words for what happened, there is a variant of the event for each; the
subscribers of its audience get it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

LOGS_SCHEMAS = ("2020-08-15", "2021-03-18")
TELEMETRY_SCHEMAS = ("2022-07-01", "2022-12-13", "2025-01-29")

SNAP_START = "snap-start"

Audience = frozenset[str]
LOGS: Audience = frozenset(LOGS_SCHEMAS)
TELEMETRY: Audience = frozenset(TELEMETRY_SCHEMAS)
STRUCTURED: Audience = frozenset(TELEMETRY_SCHEMAS[1:])
"""Schemas in which a line that is JSON is an object, when the function's log format is JSON."""
ALL: Audience = LOGS | TELEMETRY


class Event(NamedTuple):
    """One event as the bytes that go out: `head`, up to and with `"record":`, then `record`."""

    type: str
    head: bytes
    record: bytes
    audience: Audience = ALL
    """The schemas that have it in these words."""

    @property
    def raw(self) -> bytes:
        return self.head + self.record + b"}"

    @property
    def size(self) -> int:
        return len(self.head) + len(self.record) + 1

    @property
    def category(self) -> str:
        """The type of a subscription that covers it: platform, function or extension."""
        return self.type.partition(".")[0]

    def parsed(self) -> dict[str, Any]:
        return json.loads(self.raw)


def compact_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def head_of(event_type: str) -> bytes:
    return f'{{"time":"{now()}","type":"{event_type}","record":'.encode()


def event(event_type: str, record: Any, audience: Audience = ALL) -> Event:
    return Event(event_type, head_of(event_type), compact_json(record), audience)


def given(**members: Any) -> dict[str, Any]:
    """The members that have a value."""
    return {name: value for name, value in members.items() if value}


def function_line(head: bytes, line: str, log_format: str) -> list[Event]:
    """A line of the function: text, or an object where schema and log format have it so."""
    text = Event("function", head, compact_json(line))
    structured = line.strip().encode() if log_format == "JSON" else b""
    if not is_json_object(structured):
        return [text]
    return [
        text._replace(audience=ALL - STRUCTURED),
        text._replace(record=structured, audience=STRUCTURED),
    ]


def is_json_object(text: bytes) -> bool:
    try:
        return text.startswith(b"{") and isinstance(json.loads(text), dict)
    except ValueError:
        return False


def span(name: str, duration_ms: float) -> dict[str, Any]:
    return {"name": name, "start": now(), "durationMs": round(duration_ms, 3)}


# Init


def init_start(function: dict[str, str], initialization_type: str, phase: str) -> Event:
    record = {"initializationType": initialization_type, "phase": phase, **function}
    return event("platform.initStart", record, TELEMETRY)


def init_runtime_done(initialization_type: str, phase: str, error_type: str | None) -> list[Event]:
    kind = {"initializationType": initialization_type}
    outcome = {"status": "error" if error_type else "success"}
    record = {**kind, "phase": phase, **outcome, **given(errorType=error_type)}
    return [
        event("platform.initRuntimeDone", record, TELEMETRY),
        *of_snap_start("platform.initRuntimeDone", initialization_type, {**kind, **outcome}),
    ]


def init_report(
    initialization_type: str, phase: str, error_type: str | None, duration_ms: float
) -> list[Event]:
    kind = {"initializationType": initialization_type}
    outcome = {"status": "error" if error_type else "success"}
    duration = {"durationMs": round(duration_ms, 3)}
    billed = {**duration, "billedDurationMs": int(duration_ms) + 1}
    record = {**kind, "phase": phase, **outcome, "metrics": duration}
    return [
        event("platform.initReport", {**record, **given(errorType=error_type)}, TELEMETRY),
        *of_snap_start("platform.initReport", initialization_type, {**kind, "metrics": billed}),
    ]


def of_snap_start(event_type: str, initialization_type: str, record: Any) -> list[Event]:
    """The Logs API tells of an init only when a snapshot is made of it."""
    return [event(event_type, record, LOGS)] if initialization_type == SNAP_START else []


# Restore


def restore_start(function: dict[str, str]) -> list[Event]:
    return [
        event("platform.restoreStart", {}, LOGS),
        event("platform.restoreStart", function, TELEMETRY),
    ]


def restored(duration_ms: float) -> list[Event]:
    duration = {"durationMs": round(duration_ms, 3)}
    billed = {**duration, "billedDurationMs": int(duration_ms) + 1}
    return [
        event("platform.restoreRuntimeDone", {"status": "success"}),
        event("platform.restoreReport", {"metrics": billed}, LOGS),
        event("platform.restoreReport", {"status": "success", "metrics": duration}, TELEMETRY),
    ]


# Invoke


def start(request_id: str, version: str, trace_id: str = "") -> list[Event]:
    record = {"requestId": request_id, "version": version}
    tracing = {"type": "X-Amzn-Trace-Id", "value": trace_id} if trace_id else None
    return [
        event("platform.start", record, LOGS),
        event("platform.start", {**record, **given(tracing=tracing)}, TELEMETRY),
    ]


def runtime_done(
    request_id: str, status: str, error_type: str | None = None, duration_ms: float = 0.0
) -> list[Event]:
    record = {"requestId": request_id, "status": status}
    details = {
        "metrics": {"durationMs": round(duration_ms, 3), "producedBytes": 4},
        "spans": [span("responseLatency", duration_ms), span("responseDuration", 0.1)],
        **given(errorType=error_type),
    }
    return [
        event("platform.runtimeDone", record, frozenset({"2021-03-18"})),
        event("platform.runtimeDone", {**record, **details}, TELEMETRY),
    ]


def end(request_id: str) -> Event:
    return event("platform.end", {"requestId": request_id}, LOGS)


def report(
    request_id: str,
    metrics: dict[str, float],
    status: str = "success",
    error_type: str | None = None,
    spans: list[dict[str, Any]] | None = None,
) -> list[Event]:
    record = {"requestId": request_id, "metrics": metrics}
    details = {"status": status, **given(spans=spans, errorType=error_type)}
    return [
        event("platform.report", record, LOGS),
        event("platform.report", {**record, **details}, TELEMETRY),
    ]


def managed_report(
    request_id: str, status: str, error_type: str | None, duration_ms: float
) -> Event:
    """On Managed Instances nothing is billed by the invocation."""
    record = {
        "requestId": request_id,
        "status": status,
        "metrics": {"durationMs": round(duration_ms, 3)},
        "spans": [span("responseLatency", duration_ms), span("responseDuration", 0.1)],
        **given(errorType=error_type),
    }
    return event("platform.report", record, TELEMETRY)


def fault(request_id: str, message: str) -> Event:
    """Its record is a string, unlike that of every other platform event."""
    return event("platform.fault", f"RequestId: {request_id} {message}", LOGS)


# Extensions and their subscriptions


def extension(name: str, state: str, subscribed: list[str], error_type: str | None) -> Event:
    record = {"name": name, "state": state, "events": subscribed, **given(errorType=error_type)}
    return event("platform.extension", record)


def subscription(name: str, types: list[str]) -> list[Event]:
    record = {"name": name, "state": "Subscribed", "types": types}
    return [
        event("platform.logsSubscription", record, LOGS),
        event("platform.telemetrySubscription", record, TELEMETRY),
    ]


def logs_dropped(records: int, size: int) -> list[Event]:
    counts = {"droppedRecords": records, "droppedBytes": size}
    fallen_behind = (
        "Consumer seems to have fallen behind as it has not acknowledged receipt of logs."
    )
    slower = (
        "Some logs were dropped because the downstream consumer is slower than the logs"
        " production rate"
    )
    return [
        event("platform.logsDropped", {"reason": fallen_behind, **counts}, LOGS),
        event("platform.logsDropped", {"reason": slower, **counts}, TELEMETRY),
    ]
