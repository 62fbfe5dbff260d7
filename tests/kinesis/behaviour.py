# SPDX-License-Identifier: MIT
"""What the stub does with a request instead of storing its records."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Behaviour:
    """For the next `times` requests (0: for all that follow). Everything may be combined."""

    times: int = 1

    fail_share: float = 0.0
    """This share of the records of each answer fails, chosen by chance from a fixed seed."""
    fail_records: tuple[int, ...] = ()
    """The records at these places fail."""
    error_code: str = "ProvisionedThroughputExceededException"
    """Of the records that fail; or InternalFailure."""

    status: int = 200
    """Anything else is the answer to the whole request, of which nothing is stored."""
    error_type: str = ""
    message: str = "made by a test"

    delay_s: float = 0.0
    """Before the answer; what is stored is stored before the delay."""
    hang: bool = False
    """Reads the request, stores nothing, never answers."""
    close: bool = False
    """Reads the request, stores nothing, closes the connection."""
    cut: bool = False
    """Stores the records; the answer's body ends in the middle, and its Content-Length agrees."""
    store_and_close: bool = False
    """Stores the records and closes the connection: the sender cannot know."""

    def failing(self, count: int, chance: random.Random) -> list[int]:
        """The places of the records that fail."""
        failing = {place for place in self.fail_records if place < count}
        if self.fail_share:
            share = round(count * self.fail_share)
            if count * self.fail_share < 1:
                share = int(chance.random() < count * self.fail_share)
            failing.update(chance.sample(range(count), share))
        return sorted(failing)


@dataclass
class Script:
    """Behaviours in the order in which requests meet them; then the normal one."""

    steps: list[list] = field(default_factory=list)

    def add(self, behaviour: Behaviour) -> None:
        self.steps.append([behaviour, behaviour.times])

    def next(self) -> Behaviour:
        if not self.steps:
            return Behaviour()
        behaviour, left = self.steps[0]
        if left == 1:
            self.steps.pop(0)
        elif left > 1:
            self.steps[0][1] = left - 1
        return behaviour
