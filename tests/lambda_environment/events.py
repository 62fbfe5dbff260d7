# SPDX-License-Identifier: MIT
"""The events of the Logs API, as the platform writes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple


class Event(NamedTuple):
    """One event as the bytes that go out: `head`, up to and with `"record":`, then `record`."""

    type: str
    head: bytes
    record: bytes

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


def head_of(event_type: str) -> bytes:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return f'{{"time":"{now}Z","type":"{event_type}","record":'.encode()


def event(event_type: str, record: Any) -> Event:
    return Event(event_type, head_of(event_type), compact_json(record))


def start(request_id: str, version: str) -> Event:
    return event("platform.start", {"requestId": request_id, "version": version})


def runtime_done(request_id: str, status: str) -> Event:
    return event("platform.runtimeDone", {"requestId": request_id, "status": status})


def end(request_id: str) -> Event:
    return event("platform.end", {"requestId": request_id})


def report(request_id: str, metrics: dict[str, float]) -> Event:
    return event("platform.report", {"requestId": request_id, "metrics": metrics})


def fault(request_id: str, message: str) -> Event:
    """Its record is a string, unlike that of every other platform event."""
    return event("platform.fault", f"RequestId: {request_id} {message}")


def extension(name: str, state: str, subscribed: list[str], error_type: str | None) -> Event:
    record: dict[str, Any] = {"name": name, "state": state, "events": subscribed}
    if error_type:
        record["errorType"] = error_type
    return event("platform.extension", record)


def logs_subscription(name: str, types: list[str]) -> Event:
    record = {"name": name, "state": "Subscribed", "types": types}
    return event("platform.logsSubscription", record)


def logs_dropped(records: int, size: int) -> Event:
    reason = "Consumer seems to have fallen behind as it has not acknowledged receipt of logs."
    record = {"reason": reason, "droppedRecords": records, "droppedBytes": size}
    return event("platform.logsDropped", record)
