# SPDX-License-Identifier: MIT
"""What a function logs in one invocation: nothing, much, long lines, JSON, and what no platform
should ever send."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from lambda_environment.events import Event, compact_json
from lambda_environment.log_batch import BatchBuilder

LINES_MAX = 20_000
TEXTS = ("plain words ", "ä€😀 ", '"quoted\\" ', "tab\there ", "\x1b[31mred\x1b[0m ", "\x00null ")


@dataclass
class Load:
    kind: str
    output: list[str | bytes] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    """Of bodies delivered as they are: events that have to arrive whole."""
    tokens: list[str] = field(default_factory=list)
    """Of bodies that hold no whole event: texts that have to arrive somewhere."""
    bytes: int = 0

    def add(self, line: str) -> None:
        self.output.append(line)
        self.bytes += len(line)

    def add_body(self, body: bytes) -> None:
        self.output.append(body)
        self.bytes += len(body)


class Loads:
    """Makes loads. No two lines of one are the same, so that a lost one is missed."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._made = 0

    def next(self, lines_max: int = LINES_MAX) -> Load:
        makers: dict[str, tuple[int, Callable[[Load], None]]] = {
            "none": (12, lambda load: None),
            "few": (36, lambda load: self._lines(load, 1, 20)),
            "some": (24, lambda load: self._lines(load, 20, 500)),
            "many": (10, lambda load: self._lines(load, 500, min(5_000, lines_max))),
            "huge": (3, lambda load: self._lines(load, min(5_000, lines_max), lines_max)),
            "long": (5, self._long_lines),
            "structured": (10, self._structured),
            "unparsable": (6, self._unparsable),
            "objects": (4, self._objects),
            "cut": (5, self._cut),
        }
        [kind] = self._chance.choices(list(makers), [weight for weight, _ in makers.values()])
        load = Load(kind)
        makers[kind][1](load)
        return load

    def _name(self) -> str:
        self._made += 1
        return f"soak-{self._made:09d}"

    def _text(self, size: int) -> str:
        text = self._chance.choice(TEXTS)
        return (text * (size // len(text) + 1))[:size]

    def _lines(self, load: Load, least: int, most: int) -> None:
        for _ in range(self._chance.randint(least, most)):
            load.add(f"{self._name()} {self._text(self._chance.randint(0, 380))}\n")

    def _long_lines(self, load: Load) -> None:
        for _ in range(self._chance.randint(1, 3)):
            most = self._chance.choice([60_000, 260_000, 1_500_000])
            load.add(f"{self._name()} {self._text(self._chance.randint(20_000, most))}\n")

    def _structured(self, load: Load) -> None:
        for _ in range(self._chance.randint(1, 300)):
            load.add(json.dumps(self._object()) + "\n")

    def _object(self) -> dict[str, object]:
        return {
            "id": self._name(),
            "big": 12345678901234567890,
            "nested": {"list": [1.5e300, None, True, self._text(20)]},
            "message": self._text(self._chance.randint(0, 2_000)),
        }

    def _event(self, record: object) -> Event:
        """At a time of its own, long ago: the platform's own events can be told from it."""
        day, millisecond = divmod(self._made, 86_400_000)
        second, millisecond = divmod(millisecond, 1_000)
        time = f"2021-01-{day + 1:02d}T{second // 3600:02d}:{second // 60 % 60:02d}"
        time += f":{second % 60:02d}.{millisecond:03d}Z"
        head = f'{{"time":"{time}","type":"function","record":'.encode()
        return Event("function", head, compact_json(record))

    def _objects(self, load: Load) -> None:
        """A body of the platform in which records are JSON, as with structured logging."""
        events = [self._event(self._object()) for _ in range(self._chance.randint(1, 50))]
        load.events += events
        load.add_body(b" [\n" + b" ,\n".join(event.raw for event in events) + b"]\n")

    def _cut(self, load: Load) -> None:
        """A record that the platform cuts across bodies; sometimes only its head comes."""
        name = self._name()
        event = self._event(f"{name} {self._text(self._chance.randint(3_000, 30_000))}")
        bodies = [batch.body for batch in _cut_bodies(event)]
        if self._chance.random() < 0.3:
            bodies = bodies[:1]
            load.tokens.append(name)
        else:
            load.events.append(event)
        for body in bodies:
            load.add_body(body)

    def _unparsable(self, load: Load) -> None:
        for _ in range(self._chance.randint(1, 4)):
            name = self._name()
            load.tokens.append(name)
            whole = self._event(f"{name} whole").raw
            load.add_body(
                self._chance.choice(
                    [
                        f"no JSON at all, but {name}".encode(),
                        b"\xff\xfe " + name.encode() + self._chance.randbytes(200),
                        b"[" + whole + b',{"time":"","type":"function","record":"broken",]',
                        f'{{"an object": "{name}"}}'.encode(),
                        b"[" + whole,
                        b"[" * 500 + f'"{name}"'.encode() + b"]" * 499,
                    ]
                )
            )


def _cut_bodies(event: Event) -> list:
    builder = BatchBuilder(max_items=1000, max_bytes=2_500)
    batches = builder.add(event)
    return [*batches, builder.close()] if builder else batches
