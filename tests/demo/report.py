# SPDX-License-Identifier: MIT
"""What the demo prints at its end."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import Any

from kinesis import Comparison

TIME_CHARACTERS = len("HH:MM:SS.mmm")
REQUEST_ID_CHARACTERS = 8


@dataclass(frozen=True)
class Figures:
    init_ms: float
    kept_awake_ms: list[float]
    emitted: int
    comparison: Comparison
    records: int
    calls: dict[int, int]
    payload_units: int
    peak_memory_kb: int


def print_events(events: list[dict[str, Any]]) -> None:
    """One line an event, in the order of their times."""
    width = max(60, shutil.get_terminal_size((120, 24)).columns)
    kind_width = max([len(event["type"]) for event in events], default=4)
    print(f"\n{'time':{TIME_CHARACTERS}}  {'type':{kind_width}}  {'request':8}  record")
    for event in sorted(events, key=lambda event: (event["time"], event.get("eventId", ""))):
        time = event["time"][11:23]
        request_id = event.get("requestId", "-")[:REQUEST_ID_CHARACTERS]
        line = f"{time:{TIME_CHARACTERS}}  {event['type']:{kind_width}}  {request_id:8}  "
        print((line + start_of(event))[:width])
    print()


def start_of(event: dict[str, Any]) -> str:
    """The record without the time and the request id, which have columns of their own."""
    record, request_id = event["record"], event.get("requestId", "")
    if isinstance(record, str):
        time, _, rest = record.partition(f"\t{request_id}\t")
        text = rest if rest and len(time) == len(event["time"]) else record
        return text.rstrip("\n").replace("\t", " ").replace("\n", "\\n")
    shown = {name: value for name, value in record.items() if name != "requestId"}
    return json.dumps(shown, separators=(",", ":"))


def print_figures(figures: Figures) -> None:
    comparison = figures.comparison
    missing = len(comparison.missing)
    rows = {
        "init, exec to first event/next": f"{figures.init_ms:.1f} ms",
        "kept awake after the function": " / ".join(f"{ms:.1f}" for ms in figures.kept_awake_ms)
        + " ms",
        "events emitted": str(figures.emitted),
        "events in Kinesis": str(figures.emitted - missing),
        "events lost": str(missing),
        "events repeated": str(comparison.repeated),
        "PutRecords requests": requests(figures.calls),
        "Kinesis records": str(figures.records),
        "PUT payload units of 25,000 bytes": str(figures.payload_units),
        "peak memory of the extension": f"{figures.peak_memory_kb / 1024:.1f} MiB",
    }
    if comparison.foreign:
        rows["events of the extension's own"] = str(len(comparison.foreign))
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"{name:{width}}  {value}")
    for time, kind, record in comparison.missing:
        print(f"MISSING  {time}  {kind}  {record[:100]}")


def requests(calls: dict[int, int]) -> str:
    refused = {status: count for status, count in calls.items() if status != 200}
    text = str(sum(calls.values()))
    return text + "".join(f", {count} refused with {status}" for status, count in refused.items())
