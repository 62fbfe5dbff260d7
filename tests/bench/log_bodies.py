# SPDX-License-Identifier: MIT
"""What the platform delivers in the bench: bodies of about 1 MB, each event with a mark of its own.

The marks (`seq=BODY-EVENT`) let the bench's Kinesis tell whether each event arrived, and once.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from functools import cache

BODY_BYTES = 1_000_000
ITEMS_MAX = 10_000
"""The most events in a body of the platform."""

_BODY = b"@BODY@"
_PHRASES = (
    "GET /v1/orders/{n} 200",
    "order {n} is priced at {m}.{k} EUR",
    "cache miss for customer:{h}",
    "retrying in {m} ms, attempt {k}",
    "user={h} session={h}",
    "took {m} ms",
    "item {h} is out of stock, {k} left",
    'payload \\"{h}\\" accepted',
    "connection {n} to the payment provider was reset",
)


@dataclass(frozen=True)
class Bodies:
    """Bodies of lines of one length; they differ only in their marks."""

    events: int
    """In each."""
    _template: bytes

    @property
    def size(self) -> int:
        return len(self._template)

    def body(self, number: int) -> bytes:
        return self._template.replace(_BODY, b"%06d" % number)


@cache
def bodies_of(line_bytes: int, body_bytes: int = BODY_BYTES) -> Bodies:
    """Each line has `line_bytes` bytes as JSON has them."""
    chance = random.Random(line_bytes)
    envelope = len(_event("", 0)) + line_bytes + 1
    events = max(1, min(ITEMS_MAX, body_bytes // envelope))
    lines = (_line(number, line_bytes, chance) for number in range(events))
    items = (_event(line, number) for number, line in enumerate(lines))
    return Bodies(events, ("[" + ",".join(items) + "]").encode())


def _time(number: int) -> str:
    return f"2026-01-02T03:04:{number // 1000 % 60:02d}.{number % 1000:03d}Z"


def _event(line: str, number: int) -> str:
    return f'{{"time":"{_time(number)}","type":"function","record":"{line}"}}'


def _line(number: int, size: int, chance: random.Random) -> str:
    """As Node.js writes it to a text log."""
    request = uuid.UUID(int=chance.getrandbits(128))
    line = f"{_time(number)}\\t{request}\\tINFO\\tseq={_BODY.decode()}-{number:05d}"
    while len(line) < size - 2:
        line += " " + _phrase(chance)
    line = line[: size - 2].rstrip("\\")
    return line + " " * (size - 2 - len(line)) + "\\n"


def _phrase(chance: random.Random) -> str:
    return chance.choice(_PHRASES).format(
        n=chance.randrange(1_000_000),
        m=chance.randrange(1_000),
        k=chance.randrange(100),
        h=f"{chance.getrandbits(48):012x}",
    )
