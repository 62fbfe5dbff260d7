# SPDX-License-Identifier: MIT
"""The books of one stream and one temporary directory: what was accepted, and where it is now."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lambda_environment.events import Event
from lambda_environment.log_delivery import DeliveryFigures

from .faulty_kinesis import Copy, FaultyKinesis, Request
from .spool_files import other_files, segments, spooled_records

# An answer that comes this short before the end of its process may find nobody who reads it.
UNREAD_S = 1.0
Identity = tuple[str, str, str]
PartKey = tuple[str, int]


@dataclass(frozen=True)
class Life:
    """What is known of one process at its end."""

    totals: dict[str, Any]
    emitted: list[Event]
    figures: DeliveryFigures
    ended_at: float
    raw_events: list[Event] = field(default_factory=list)
    """Delivered in bodies of their own, and accepted."""
    tokens: list[str] = field(default_factory=list)
    """Of bodies that hold no event, and were accepted."""

    @property
    def accepted(self) -> list[Event]:
        """Deliveries are in order, so it is the first ones; what the platform dropped, it never
        delivered, and then nobody can say which they were."""
        return [] if self.figures.dropped else self.emitted[: self.figures.delivered]


@dataclass
class Account:
    kinesis: FaultyKinesis
    temporary_directory: Path
    may_drop: bool = False
    """The limits are so narrow that losses are to be expected; they have to be counted."""

    lives: list[Life] = field(default_factory=list)
    duplicates: int = 0
    received: int = 0
    dropped: int = 0
    lost: int = 0
    """Accepted, but neither in the stream nor on disk nor counted as dropped."""
    _read: int = 0
    _parts: dict[PartKey, tuple[dict[str, Any], list[Request]]] = field(default_factory=dict)

    @property
    def is_left_on_disk(self) -> bool:
        return bool(segments(self.temporary_directory))

    # At the end of each life.

    def close_life(self, life: Life) -> Iterator[str]:
        """What is wrong with it."""
        self.lives.append(life)
        self._read_stream()
        yield from self._check_totals(life.totals)
        yield from self._check_ids()
        yield from self._check_copies()
        if unwanted := other_files(self.temporary_directory):
            yield f"files that are no segments in the spool: {unwanted}"

    def _check_totals(self, totals: dict[str, Any]) -> Iterator[str]:
        for unit in ("Events", "Bytes"):
            received, delivered = totals[f"received{unit}"], totals[f"delivered{unit}"]
            pending, dropped = totals[f"pending{unit}"], totals[f"dropped{unit}"]
            if received != delivered + pending + dropped:
                yield f"{unit}: {received} received, {delivered} + {pending} + {dropped} told of"
            if pending != totals[f"spooled{unit}"]:
                yield f"{unit}: {pending} pending at the end, {totals[f'spooled{unit}']} on disk"
        if totals["droppedEvents"] and not self.may_drop:
            yield f"{totals['droppedEvents']} events dropped: {totals['droppedBy']}"
        self.dropped += totals["droppedEvents"]
        self.received += totals["receivedEvents"] - totals["replayedEvents"]

    def _check_ids(self) -> Iterator[str]:
        """Each event that was received has an id, and is in the stream or on disk."""
        found = self._whole_ids()
        unaccounted = self.received - len(found)
        if unaccounted < 0:
            yield f"{-unaccounted} more event ids than events received"
        if unaccounted > self.dropped:
            self.lost = unaccounted - self.dropped
            yield (
                f"{self.received} events received, {len(found)} in the stream or on disk,"
                f" {self.dropped} dropped: {self.lost} lost"
            )
        delivered = sum(life.totals["deliveredEvents"] for life in self.lives)
        in_stream = len({event_id for event_id, _ in self._parts})
        if delivered > in_stream:
            yield f"{delivered} events said to be delivered, {in_stream} in the stream"
        for life in self.lives[-1:]:
            arrived = life.totals["receivedEvents"] - life.totals["replayedEvents"]
            if arrived < life.figures.delivered:
                yield f"{life.figures.delivered} events acknowledged, {arrived} received"

    def _whole_ids(self) -> set[str]:
        """Of events all of whose parts are there."""
        counts: Counter[str] = Counter()
        wanted: dict[str, int] = {}
        keys = {key: event for key, (event, _) in self._parts.items()}
        for event in events_in(spooled_records(self.temporary_directory)):
            keys[key_of(event)] = event
        for (event_id, _), event in keys.items():
            counts[event_id] += 1
            wanted[event_id] = event.get("part", {}).get("count", 1)
        return {event_id for event_id, count in counts.items() if count == wanted[event_id]}

    def _check_copies(self) -> Iterator[str]:
        """A second copy has the same id, and comes only where an answer may not have been read."""
        self.duplicates = 0
        needless: list[tuple[PartKey, list[Request]]] = []
        for key, (_, requests) in self._parts.items():
            self.duplicates += len(requests) - 1
            if len(requests) > 1 and sum(map(self._was_read, requests)) > 1:
                needless.append((key, requests))
        # A segment that could not be written anew, with what is left of it, is sent again as it is.
        if needless and not self.may_drop:
            (event_id, part), requests = needless[0]
            ended = [round(life.ended_at, 3) for life in self.lives]
            yield (
                f"{len(needless)} events were sent again although their delivery was known, such as"
                f" {event_id}, part {part}: {requests}; processes ended at {ended}"
            )

    def _was_read(self, request: Request) -> bool:
        """As far as it can be known: the last answer on a connection may have been read."""
        if request.was_read or request.answered_at is None:
            return request.was_read
        ended = (life.ended_at for life in self.lives if life.ended_at > request.came_at)
        ended_at = min(ended, default=0.0)  # it came from a process that was gone already
        return request.answered_at < ended_at - UNREAD_S

    def _read_stream(self) -> None:
        copies = self.kinesis.copies[self._read :]
        self._read += len(copies)
        for copy in copies:
            self._read_copy(copy)

    def _read_copy(self, copy: Copy) -> None:
        for event in events_in([copy.data]):
            self._parts.setdefault(key_of(event), (event, []))[1].append(copy.request)

    # At the very end, when nothing is left on disk.

    def close(self) -> Iterator[str]:
        if left := segments(self.temporary_directory):
            yield f"{len(left)} segments are left although Kinesis is well"
        events = list(self._whole_events())
        arrived = Counter(map(identity_of, events))
        yield from self._check_missing(arrived)
        yield from self._check_foreign(arrived)
        yield from self._check_tokens(events)

    def _whole_events(self) -> Iterator[dict[str, Any]]:
        pieces: dict[str, dict[int, dict[str, Any]]] = {}
        for (event_id, index), (event, _) in self._parts.items():
            pieces.setdefault(event_id, {})[index] = event
        for parts in pieces.values():
            if len(parts) == parts[min(parts)].get("part", {}).get("count", 1):
                yield joined([parts[index] for index in sorted(parts)])

    def _check_missing(self, arrived: Counter[Identity]) -> Iterator[str]:
        wanted = Counter(
            identity_of(event.parsed())
            for life in self.lives
            for event in (*life.accepted, *life.raw_events)
        )
        missing = wanted - arrived
        if missing.total() > self.dropped:
            self.lost = missing.total() - self.dropped
            shown = "; ".join(f"{time} {kind} {text[:80]}" for time, kind, text in missing)[:400]
            yield f"{missing.total()} accepted events are not in the stream: {shown}"

    def _check_foreign(self, arrived: Counter[Identity]) -> Iterator[str]:
        """The platform sends again what was not acknowledged, and then an event has two ids."""
        emitted = Counter(
            identity_of(event.parsed())
            for life in self.lives
            for event in (*life.emitted, *life.raw_events)
        )
        unanswered = any(0 in life.figures.statuses for life in self.lives)
        surplus = {
            identity: count
            for identity, count in (arrived - emitted).items()
            if not identity[1].startswith("extension.") and not identity[0].startswith("2021-01-")
        }
        twice = {key: count for key, count in surplus.items() if key in emitted}
        if twice and not unanswered:
            yield f"{len(twice)} events arrived with more than one id: {next(iter(twice))}"
        known = {"platform.logsDropped"}
        foreign = [key for key in surplus if key not in emitted and key[1] not in known]
        if foreign:
            yield f"{len(foreign)} events that nobody emitted: {foreign[0]}"

    def _check_tokens(self, events: Sequence[dict[str, Any]]) -> Iterator[str]:
        text = "\n".join(map(searchable, events))
        missing = [token for life in self.lives for token in life.tokens if token not in text]
        if len(missing) > self.dropped:
            yield f"{len(missing)} bodies that hold no event did not arrive: {missing[:5]}"


def events_in(records: Iterator[bytes] | Sequence[bytes]) -> Iterator[dict[str, Any]]:
    """Of every format: lines that are an event each, or an array of events."""
    for data in records:
        for line in data.split(b"\n"):
            if line:
                found = json.loads(line)
                yield from found if isinstance(found, list) else [found]


def key_of(event: dict[str, Any]) -> PartKey:
    return event["eventId"], event.get("part", {}).get("index", 0)


def identity_of(event: dict[str, Any]) -> Identity:
    record = json.dumps(event.get("record"), sort_keys=True)
    return event.get("time", ""), event.get("type", ""), record


def joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """An event as it was before it was cut into parts."""
    whole = dict(parts[0])
    cut_of = whole.pop("part", {}).get("of")
    if cut_of == "base64":
        whole["recordBase64"] = "".join(part["record"] for part in parts)
    elif len(parts) > 1 or cut_of == "json":
        text = "".join(part["record"] for part in parts)
        whole["record"] = json.loads(text) if cut_of == "json" else text
    return whole


def searchable(event: dict[str, Any]) -> str:
    """Where the bytes of an unparsable body can be found again."""
    if "recordBase64" in event:
        return base64.b64decode(event["recordBase64"]).decode(errors="replace")
    record = event.get("record")
    if event["type"] == "extension.unparsed" or event.get("time", "").startswith("2021-01-"):
        return record if isinstance(record, str) else json.dumps(record)
    return ""
