# SPDX-License-Identifier: MIT
"""Compares what the platform emitted with what is in the stream."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lambda_environment.events import Event

Event3 = tuple[str, str, str]


@dataclass(frozen=True)
class Comparison:
    missing: list[Event3]
    """Emitted, not in the stream: (time, type, record as JSON)."""
    repeated: int
    """How many events are in the stream more often than they were emitted."""
    foreign: list[Event3]
    """In the stream and never emitted: the extension's own."""


def compare(emitted: Iterable[Event], arrived: Iterable[dict[str, Any]]) -> Comparison:
    """Events are the same when time, type and record are, whatever was added to them."""
    wanted = Counter(_identity(event.parsed()) for event in emitted)
    found = Counter(_identity(event) for event in arrived)
    surplus = found - wanted
    return Comparison(
        missing=list((wanted - found).elements()),
        repeated=sum(count for identity, count in surplus.items() if identity in wanted),
        foreign=[identity for identity in surplus.elements() if identity not in wanted],
    )


def _identity(event: dict[str, Any]) -> Event3:
    record = json.dumps(event.get("record"), sort_keys=True)
    return event.get("time", ""), event.get("type", ""), record
