# SPDX-License-Identifier: MIT
"""Reads records as a consumer of a CloudWatch Logs subscription does."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from typing import Any

from kinesis import Record

MEMBERS = {"messageType", "owner", "logGroup", "logStream", "subscriptionFilters", "logEvents"}


def envelopes_in(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Each record inflated and decoded; it has what a subscription filter puts into it."""
    envelopes = [json.loads(gzip.decompress(record.data)) for record in records]
    for envelope in envelopes:
        assert envelope.keys() == MEMBERS, envelope.keys()
        assert envelope["messageType"] == "DATA_MESSAGE"
        assert envelope["logEvents"]
    return envelopes


def log_events_in(records: Iterable[Record]) -> list[dict[str, Any]]:
    """The log events of all records, in their order. Each has an id like those of CloudWatch."""
    log_events = [event for envelope in envelopes_in(records) for event in envelope["logEvents"]]
    for event in log_events:
        assert event.keys() - {"part"} == {"id", "timestamp", "message"}, event.keys()
        assert len(event["id"]) == 56
        assert event["id"].isdecimal()
        assert isinstance(event["timestamp"], int)
    return log_events


def once(log_events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """As a consumer keeps them that stores each under its id."""
    by_id: dict[str, dict[str, Any]] = {}
    for event in log_events:
        assert by_id.setdefault(event["id"], event) == event, "two log events have the same id"
    return list(by_id.values())
