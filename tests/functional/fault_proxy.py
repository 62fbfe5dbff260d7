# SPDX-License-Identifier: MIT
"""A proxy before the Kinesis stub: keeps requests as they came, and breaks the way there and back.

Faults of the service itself are Behaviours of the stub; these are the ones of the network.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from kinesis import KinesisStub

LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)\r\n", re.IGNORECASE)
REQUEST_BYTES_MAX = 32 * 1024 * 1024
RESET = struct.pack("ii", 1, 0)
CALL_LIMIT_S = 10


class Wire(Enum):
    """What becomes of a request and of its connection."""

    RESET_BEFORE = "the connection is reset, the service never sees the request"
    RESET_AFTER = "the service takes the request, the connection is reset before the answer"
    HANG = "the service never sees the request, the connection stays open"
    NO_ANSWER = "the service takes the request, the answer never comes"
    SLOW = "the answer comes, a few bytes at a time"
    GARBAGE = "the service never sees the request, the answer is not HTTP"
    TRUNCATED = "the service takes the request, half of the answer comes"
    REFUSED = "nobody listens"


LOSES_THE_ANSWER = frozenset({Wire.RESET_AFTER, Wire.NO_ANSWER, Wire.TRUNCATED})


@dataclass
class FaultProxy:
    stub: KinesisStub
    port: int = 0
    answers: list[bytes] = field(default_factory=list)
    """For the next requests, which the stub does not see; the connection is closed behind each."""
    requests: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Head and body of each."""

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        self._open.set()
        self._fault: Wire | None = None
        self._left = 0
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._answering: set[asyncio.Task[None]] = set()
        """Those of the connections whose request the service has, and whose answer goes back."""
        self._times_cut = 0
        self._served = 0
        self._progress = asyncio.Event()
        # Keeps the port while nobody listens on it.
        self._place = listening_nowhere()
        self.port = self._place.getsockname()[1]

    @property
    def variables(self) -> dict[str, str]:
        """What makes the extension write to the stub by way of this."""
        return {**self.stub.variables, "AWS_ENDPOINT_URL_KINESIS": f"http://127.0.0.1:{self.port}"}

    # What a test does, from its own thread.

    def hold_back(self) -> None:
        """From now on requests hang."""
        self._loop.call_soon_threadsafe(self._open.clear)

    def release(self) -> None:
        self._loop.call_soon_threadsafe(self._open.set)

    def meet(self, fault: Wire, times: int = 0) -> None:
        """The next `times` requests (0: all) meet the fault; REFUSED lasts until recover()."""
        self._do(self._meet(fault, times))

    def recover(self) -> None:
        """The way is free again; what hangs is cut off. No other answer is lost."""
        self._do(self._recover())

    def settle(self) -> None:
        """Returns when the service has seen every request that came so far."""
        self._do(self._settle())

    def cut_connections(self) -> None:
        """Closes them all, as the service does with those that were idle for long; one whose
        request the service has, with its answer."""
        self._do(self._cut_connections())

    def run(self) -> None:
        """The loop, for a thread of its own."""
        self._loop.run_forever()
        self._loop.close()

    def start(self) -> None:
        self._do(self._listen())

    def stop(self) -> None:
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._place.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_LIMIT_S)

    # The loop's thread.

    async def _meet(self, fault: Wire, times: int) -> None:
        self._fault, self._left = fault, times
        if fault is Wire.REFUSED:
            await self._stop()

    async def _recover(self) -> None:
        if self._fault is Wire.REFUSED:
            await self._listen()
        elif self._fault in (Wire.HANG, Wire.NO_ANSWER):
            self._cut_off()
        self._fault = None

    async def _settle(self) -> None:
        while self._served < len(self.requests):
            self._progress.clear()
            await self._progress.wait()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._on_connection, "127.0.0.1", self.port, limit=REQUEST_BYTES_MAX, reuse_port=True
        )

    async def _stop(self) -> None:
        if self._server:
            self._server.close()
        await self._cut_connections()

    async def _cut_connections(self) -> None:
        self._cut_off()
        if self._connections:
            await asyncio.wait(self._connections)

    def _cut_off(self) -> None:
        self._times_cut += 1
        for connection in self._connections - self._answering:
            connection.cancel()

    async def _on_connection(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        try:
            # An OSError: the extension, or the stub, has gone.
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while message := await read_message(reader):
                    self.requests.append(message)
                    try:
                        await self._open.wait()
                        goes_on = await self._serve(b"".join(message), writer)
                    finally:
                        self._served += 1
                        self._progress.set()
                    if not goes_on:
                        break
        finally:
            self._connections.discard(task)
            writer.close()

    def _next_fault(self) -> Wire | None:
        fault = self._fault
        if self._left == 1:
            self._fault = None
        self._left = max(0, self._left - 1)
        return fault

    async def _serve(self, request: bytes, writer: StreamWriter) -> bool:
        """One request; whether the connection goes on."""
        if self.answers:
            writer.write(self.answers.pop(0))
            return False
        fault = self._next_fault()
        if fault is None:
            return await self._answer(request, writer)
        return await self._spoil(fault, request, writer)

    async def _answer(self, request: bytes, writer: StreamWriter) -> bool:
        task, times_cut = asyncio.current_task(), self._times_cut
        assert task
        self._answering.add(task)
        try:
            writer.write(await self._ask(request))
        finally:
            self._answering.discard(task)
        return self._times_cut == times_cut

    async def _spoil(self, fault: Wire, request: bytes, writer: StreamWriter) -> bool:
        reaches = fault is Wire.SLOW or fault in LOSES_THE_ANSWER
        answer = await self._ask(request) if reaches else b""
        if fault in (Wire.RESET_BEFORE, Wire.RESET_AFTER):
            reset(writer)
        elif fault in (Wire.HANG, Wire.NO_ANSWER):
            await asyncio.Event().wait()
        elif fault is Wire.SLOW:
            await write_slowly(writer, answer)
        else:
            writer.write(answer[: len(answer) // 2] or b"220 smtp.example.com ESMTP\r\n")
        return fault is Wire.SLOW

    async def _ask(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.stub.port, limit=REQUEST_BYTES_MAX
        )
        try:
            writer.write(request)
            return b"".join(await read_message(reader))
        finally:
            writer.close()


async def read_message(reader: StreamReader) -> tuple[bytes, ...]:
    """Head and body, or nothing at the end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return ()
    length = LENGTH.search(head)
    return head, await reader.readexactly(int(length[1]) if length else 0)


async def write_slowly(writer: StreamWriter, answer: bytes, pieces: int = 10) -> None:
    size = -(-len(answer) // pieces)
    for start in range(0, len(answer), size):
        writer.write(answer[start : start + size])
        await asyncio.sleep(0.03)


def reset(writer: StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


def listening_nowhere() -> socket.socket:
    """Has a port on which nobody listens, and on which others of this program may."""
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    place.bind(("127.0.0.1", 0))
    return place


@contextmanager
def fault_proxy(stub: KinesisStub) -> Iterator[FaultProxy]:
    proxy = FaultProxy(stub)
    thread = threading.Thread(target=proxy.run)
    thread.start()
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join()
