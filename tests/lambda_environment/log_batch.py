# SPDX-License-Identifier: MIT
"""Groups events into the bodies that the Logs API delivers."""

from __future__ import annotations

from dataclasses import dataclass

from .events import Event


@dataclass(frozen=True)
class Batch:
    body: bytes
    events: int


class BatchBuilder:
    """Closes a batch at max_items events or once it holds max_bytes, so a body has at most twice
    max_bytes and its framing.

    A record larger than max_bytes is cut across several bodies, none of them valid JSON: each cut
    body ends with `}]` in the middle of the record, and the next one repeats the event's envelope
    up to `"record":` before the bytes go on.
    """

    def __init__(self, max_items: int, max_bytes: int) -> None:
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._elements: list[bytes] = []
        self._events = 0
        self.size = 0

    def __bool__(self) -> bool:
        return bool(self._elements)

    @property
    def events(self) -> int:
        return self._events

    def add(self, event: Event) -> list[Batch]:
        """Takes one event; returns the batches that this closed."""
        closed = []
        rest = event.record
        while len(rest) > self._max_bytes:
            self._append(event.head, rest[: self._max_bytes])
            closed.append(self.close())
            rest = rest[self._max_bytes :]
        self._append(event.head, rest)
        self._events += 1
        if self._events >= self._max_items or self.size >= self._max_bytes:
            closed.append(self.close())
        return closed

    def close(self) -> Batch:
        batch = Batch(b"[" + b",".join(self._elements) + b"]", self._events)
        self._elements, self._events, self.size = [], 0, 0
        return batch

    def _append(self, head: bytes, record: bytes) -> None:
        element = head + record + b"}"
        self._elements.append(element)
        self.size += len(element)
