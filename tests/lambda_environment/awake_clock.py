# SPDX-License-Identifier: MIT
"""A clock that stands still while the environment is frozen."""

from __future__ import annotations

import asyncio
import contextlib
import time


class AwakeClock:
    """Everything inside a Lambda environment stops with it, the delivery of logs too."""

    def __init__(self) -> None:
        self._frozen_s = 0.0
        self._frozen_at: float | None = None
        self._awake = asyncio.Event()
        self._awake.set()
        self._frozen = asyncio.Event()

    def now(self) -> float:
        current = time.monotonic() if self._frozen_at is None else self._frozen_at
        return current - self._frozen_s

    @property
    def frozen(self) -> bool:
        return self._frozen_at is not None

    def freeze(self) -> None:
        if self._frozen_at is None:
            self._frozen_at = time.monotonic()
            self._awake.clear()
            self._frozen.set()

    def thaw(self) -> None:
        if self._frozen_at is not None:
            self._frozen_s += time.monotonic() - self._frozen_at
            self._frozen_at = None
            self._frozen.clear()
            self._awake.set()

    async def awake(self) -> None:
        """Returns at once, or when the environment is thawed."""
        await self._awake.wait()

    async def sleep(self, seconds: float) -> None:
        """Sleeps for so many seconds of being awake."""
        deadline = self.now() + seconds
        while (left := deadline - self.now()) > 0:
            await self._awake.wait()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._frozen.wait(), left)
