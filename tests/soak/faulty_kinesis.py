# SPDX-License-Identifier: MIT
"""A Kinesis that fails in every way, and knows of each record whether its sender knows that it is
stored. It runs in a thread of its own."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import socket
import struct
import threading
import time
from asyncio import StreamReader, StreamWriter
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from kinesis.kinesis_stub import CREDENTIALS
from kinesis.signature import verify

STREAM = "logs"
REGION = "us-east-1"
REQUEST_BYTES_MAX = 32 * 1024 * 1024
CALL_LIMIT_S = 10
RESET = struct.pack("ii", 1, 0)


class Fault(Enum):
    THROTTLED = "ProvisionedThroughputExceededException"
    INTERNAL = "InternalFailure"
    UNAVAILABLE = "ServiceUnavailable"
    PARTIAL = "some records fail"
    RESET = "reset before the request is taken"
    LOST_ANSWER = "reset after the request is taken"
    HANG = "no answer, nothing stored"
    NO_ANSWER = "no answer, stored"
    SLOW = "slow answer"
    GARBAGE = "an answer that is no HTTP"
    TRUNCATED = "half an answer, stored"
    REFUSED = "nobody listens"


STATUS = {Fault.THROTTLED: 400, Fault.INTERNAL: 500, Fault.UNAVAILABLE: 503}
STORES = frozenset({Fault.PARTIAL, Fault.LOST_ANSWER, Fault.NO_ANSWER, Fault.SLOW, Fault.TRUNCATED})


@dataclass
class Request:
    fault: Fault | None = None
    came_at: float = field(default_factory=time.monotonic)
    answered_at: float | None = None
    """time.monotonic() when all of the answer was on its way"""
    was_read: bool = False
    """The sender went on with the same connection."""


@dataclass(frozen=True)
class Copy:
    """A record as it is stored."""

    data: bytes
    request: Request


class FaultyKinesis:
    def __init__(self, chance: random.Random) -> None:
        self.copies: list[Copy] = []
        self.met: Counter[Fault] = Counter()
        self.complaints: list[str] = []
        """Requests that the real service would have refused."""
        self._chance = chance
        self._fault: Fault | None = None
        self._left = 0
        self._suffering = 0
        self._fault_passed_at = 0.0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        # Keeps the port while nobody listens on it.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._place.bind(("127.0.0.1", 0))
        self._port: int = self._place.getsockname()[1]

    def __enter__(self) -> FaultyKinesis:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(self, *error: object) -> None:
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._place.close()

    @property
    def variables(self) -> dict[str, str]:
        return {
            "AWS_KINESIS_STREAM_NAME": STREAM,
            "AWS_ENDPOINT_URL_KINESIS": f"http://127.0.0.1:{self._port}",
        }

    def was_well_since(self, moment: float) -> bool:
        """No request since that time.monotonic() has met a fault, or was still suffering of one."""
        is_well = self._fault is None and not self._suffering
        return is_well and self._fault_passed_at < moment

    def meet(self, fault: Fault, times: int = 0) -> None:
        """The next `times` requests meet the fault; 0: all, until recover()."""
        self._do(self._meet(fault, times))

    def recover(self) -> None:
        self._do(self._recover())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_LIMIT_S)

    # In the loop's thread.

    async def _meet(self, fault: Fault, times: int) -> None:
        await self._recover()
        self._fault, self._left = fault, times
        if fault is Fault.REFUSED:
            self.met[fault] += 1
            await self._stop()

    async def _recover(self) -> None:
        """What hangs goes on hanging: its sender has to see to that."""
        if self._fault is Fault.REFUSED:
            await self._listen()
        if self._fault:
            self._fault_passed_at = time.monotonic()
        self._fault = None

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._on_connection,
            "127.0.0.1",
            self._port,
            limit=REQUEST_BYTES_MAX,
            reuse_port=True,
        )

    async def _stop(self) -> None:
        if self._server:
            self._server.close()
        for connection in self._connections:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    async def _on_connection(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        previous = Request()
        try:
            # An OSError or an incomplete read: the extension has gone.
            with suppress(OSError, EOFError, asyncio.CancelledError):
                while True:
                    head, body = await read_request(reader)
                    previous.was_read = True
                    previous = Request()
                    with self._fault_for(previous):
                        goes_on = await self._serve(head, body, previous, reader, writer)
                    if not goes_on:
                        break
        finally:
            self._connections.discard(task)
            writer.close()

    @contextmanager
    def _fault_for(self, request: Request) -> Iterator[None]:
        """The fault that the request meets, until it is over."""
        request.fault = self._next_fault()
        if not request.fault:
            yield
            return
        self.met[request.fault] += 1
        self._suffering += 1
        try:
            yield
        finally:
            self._suffering -= 1
            self._fault_passed_at = time.monotonic()

    def _next_fault(self) -> Fault | None:
        fault = self._fault
        if self._left == 1:
            self._fault = None
        self._left = max(0, self._left - 1)
        return fault

    async def _serve(
        self,
        head: dict[str, str],
        body: bytes,
        request: Request,
        reader: StreamReader,
        writer: StreamWriter,
    ) -> bool:
        """One request; whether the connection goes on."""
        self._check(head, body)
        fault = request.fault
        answer = self._answer(fault, body, request)
        if fault in (Fault.RESET, Fault.LOST_ANSWER):
            reset(writer)
            return False
        if fault in (Fault.HANG, Fault.NO_ANSWER):
            await reader.read()  # until the sender gives up
            return False
        if fault in (Fault.GARBAGE, Fault.TRUNCATED):
            writer.write(answer[: len(answer) // 2] or b"220 smtp.example.com ESMTP\r\n")
            return False
        if fault is Fault.SLOW:
            await asyncio.sleep(self._chance.uniform(0.1, 2))
        writer.write(answer)
        await writer.drain()
        request.answered_at = time.monotonic()
        return True

    def _check(self, head: dict[str, str], body: bytes) -> None:
        try:
            verify(CREDENTIALS, REGION, head, body, datetime.now(UTC))
        except Exception as error:
            self.complaints.append(f"{type(error).__name__}: {error}")

    def _answer(self, fault: Fault | None, body: bytes, request: Request) -> bytes:
        if fault in STATUS:
            error = json.dumps({"__type": fault.value, "message": "made by the soak"})
            return http_answer(STATUS[fault], error)
        if fault is None or fault in STORES:
            return http_answer(200, self._store(fault, json.loads(body)["Records"], request))
        return b""

    def _store(self, fault: Fault | None, records: list[dict[str, str]], request: Request) -> str:
        share = self._chance.uniform(0.05, 0.95) if fault is Fault.PARTIAL else 0
        results = []
        for record in records:
            if self._chance.random() < share:
                results.append({"ErrorCode": Fault.THROTTLED.value, "ErrorMessage": "too much"})
            else:
                self.copies.append(Copy(base64.b64decode(record["Data"]), request))
                results.append({"SequenceNumber": "1", "ShardId": "shardId-000000000000"})
        failed = sum("ErrorCode" in result for result in results)
        return json.dumps({"FailedRecordCount": failed, "Records": results})


async def read_request(reader: StreamReader) -> tuple[dict[str, str], bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")[1:-2]
    fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return fields, await reader.readexactly(int(fields["content-length"]))


def http_answer(status: int, body: str) -> bytes:
    return (
        f"HTTP/1.1 {status} Status\r\nContent-Type: application/x-amz-json-1.1\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def reset(writer: StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
