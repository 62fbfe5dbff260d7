# SPDX-License-Identifier: MIT
"""Delivers events to one subscriber: in order, one request at a time, until it is accepted."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp

from . import events
from .awake_clock import AwakeClock
from .events import Event
from .log_batch import Batch, BatchBuilder

FIRST_BACKOFF_S = 0.05
LAST_BACKOFF_S = 2.0
CHUNK_BYTES = 16 * 1024


@dataclass(frozen=True)
class Subscription:
    """What an extension asked the Logs API or the Telemetry API for."""

    extension_name: str
    types: tuple[str, ...]
    schema_version: str
    max_items: int
    max_bytes: int
    timeout_ms: int
    url: str
    method: str = "POST"

    def covers(self, event: Event) -> bool:
        return self.schema_version in event.audience and event.category in self.types


@dataclass
class DeliveryFigures:
    requests: int = 0
    """Requests sent to the listener, repeated ones too."""
    delivered: int = 0
    """Events that the listener acknowledged."""
    dropped: int = 0
    dropped_bytes: int = 0
    statuses: list[int] = field(default_factory=list)
    """Answers of the listener, 0 where there was none."""


class LogDelivery:
    def __init__(
        self,
        subscription: Subscription,
        clock: AwakeClock,
        backlog_bytes: int,
        timeout_s: float,
        chunked: bool,
    ) -> None:
        self.subscription = subscription
        self.figures = DeliveryFigures()
        self._clock = clock
        self._backlog_bytes = backlog_bytes
        self._timeout_s = timeout_s
        self._chunked = chunked
        self._builder = BatchBuilder(subscription.max_items, subscription.max_bytes)
        self._backlog: deque[Batch] = deque()
        self._waiting_bytes = 0
        self._unreported = [0, 0]
        self._ready = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._timer: asyncio.Task[None] | None = None
        self._task = asyncio.create_task(self._run())

    @property
    def pending(self) -> int:
        """Events that the listener has not acknowledged."""
        return self._builder.events + sum(batch.events for batch in self._backlog)

    def add(self, event: Event) -> None:
        """Takes an event that the subscription covers."""
        if self._waiting_bytes + self._builder.size + event.size > self._backlog_bytes:
            self._drop(event)
            return
        self._report_drops()
        self._append(event)

    def add_body(self, body: bytes) -> None:
        """Queues a body as it is, as a batch of its own."""
        self.flush()
        self._queue(Batch(body, 0))

    def flush(self) -> None:
        """Sends what is buffered without waiting for its timeout."""
        if self._builder:
            self._queue(self._builder.close())

    async def delivered(self) -> None:
        """Waits until everything so far is acknowledged."""
        self.flush()
        await self._idle.wait()

    async def stop(self) -> None:
        for task in (self._task, self._timer):
            if task:
                task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _append(self, event: Event) -> None:
        for batch in self._builder.add(event):
            self._queue(batch)
        if self._builder and self._timer is None:
            self._timer = asyncio.create_task(self._flush_later())

    async def _flush_later(self) -> None:
        await self._clock.sleep(self.subscription.timeout_ms / 1000)
        self._timer = None
        self.flush()

    def _queue(self, batch: Batch) -> None:
        if self._timer and not self._builder:
            self._timer.cancel()
            self._timer = None
        self._backlog.append(batch)
        self._waiting_bytes += len(batch.body)
        self._idle.clear()
        self._ready.set()

    def _drop(self, event: Event) -> None:
        self.figures.dropped += 1
        self.figures.dropped_bytes += event.size
        self._unreported[0] += 1
        self._unreported[1] += event.size

    def _report_drops(self) -> None:
        records, size = self._unreported
        if records:
            self._unreported = [0, 0]
            for event in filter(self.subscription.covers, events.logs_dropped(records, size)):
                self._append(event)

    async def _run(self) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout()) as session:
            while True:
                await self._ready.wait()
                batch = self._backlog[0]
                await self._send_until_accepted(session, batch)
                self._accepted(batch)

    def _accepted(self, batch: Batch) -> None:
        self._backlog.popleft()
        self._waiting_bytes -= len(batch.body)
        self.figures.delivered += batch.events
        self._report_drops()
        if not self._backlog:
            self._ready.clear()
            if not self._builder:
                self._idle.set()

    async def _send_until_accepted(self, session: aiohttp.ClientSession, batch: Batch) -> None:
        backoff = FIRST_BACKOFF_S
        while True:
            await self._clock.awake()
            status = await self._send(session, batch.body)
            self.figures.statuses.append(status)
            if 200 <= status < 400:
                return
            await self._clock.sleep(backoff)
            backoff = min(backoff * 2, LAST_BACKOFF_S)

    async def _send(self, session: aiohttp.ClientSession, body: bytes) -> int:
        """The status of the answer; 0 when there was none."""
        self.figures.requests += 1
        request = asyncio.create_task(self._request(session, body))
        limit = asyncio.create_task(self._clock.sleep(self._timeout_s))
        try:
            await asyncio.wait({request, limit}, return_when=asyncio.FIRST_COMPLETED)
            return request.result() if request.done() else 0
        except (aiohttp.ClientError, OSError):
            return 0
        finally:
            request.cancel()
            limit.cancel()

    async def _request(self, session: aiohttp.ClientSession, body: bytes) -> int:
        async with session.request(
            self.subscription.method,
            self.subscription.url,
            data=_chunks(body) if self._chunked else body,
            headers={"Content-Type": "application/json"},
        ) as answer:
            await answer.read()
            return answer.status


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for offset in range(0, len(body), CHUNK_BYTES):
        yield body[offset : offset + CHUNK_BYTES]
