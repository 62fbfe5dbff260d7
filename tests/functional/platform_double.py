# SPDX-License-Identifier: MIT
"""A platform that says what a test wants it to, and keeps every call as it came.

For what the local Lambda environment does not show or would not do: headers and bodies of single
calls, and answers that no platform should give.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.test_utils import TestServer

REGISTER = "/2020-01-01/extension/register"
NEXT = "/2020-01-01/extension/event/next"
INIT_ERROR = "/2020-01-01/extension/init/error"
SUBSCRIBE = "/2020-08-15/logs"
SUBSCRIBE_TELEMETRY = "/2022-07-01/telemetry"
IDENTIFIER = "11111111-2222-4333-8444-555555555555"
FUNCTION = {"functionName": "orders", "functionVersion": "7", "handler": "app.handler"}
RUN_LIMIT_S = 10


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Ended:
    exit_code: int
    output: str


@dataclass
class PlatformDouble:
    events: list[Any] = field(default_factory=list)
    """What `next` answers before the SHUTDOWN: a dict, or bytes as they are."""
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    """Status and body for a path, instead of the usual answer."""
    calls: list[Call] = field(default_factory=list)
    listened: bool = False
    """Whether the listener could be connected to when the subscription came."""

    async def run(self, program: Path, variables: dict[str, str]) -> Ended:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        async with TestServer(application) as server:
            runtime_api = {"AWS_LAMBDA_RUNTIME_API": f"{server.host}:{server.port}"}
            return await run_program(program, {**variables, **runtime_api})

    @property
    def paths(self) -> list[str]:
        return [call.path for call in self.calls]

    def call(self, path: str) -> Call:
        """The only call of this path."""
        [found] = [call for call in self.calls if call.path == path]
        return found

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.calls.append(Call(request.method, request.path, dict(request.headers), body))
        if request.path in self.answers:
            status, answer = self.answers[request.path]
            return web.json_response(answer, status=status)
        if request.path == NEXT:
            return self._next_event()
        if request.path in (SUBSCRIBE, SUBSCRIBE_TELEMETRY):
            self.listened = can_connect(urlsplit(json.loads(body)["destination"]["URI"]).port)
            return web.json_response("OK")
        return web.json_response(FUNCTION, headers={"Lambda-Extension-Identifier": IDENTIFIER})

    def _next_event(self) -> web.Response:
        deadline = int(time.time() * 1000) + 2000
        last = {"eventType": "SHUTDOWN", "shutdownReason": "SPINDOWN", "deadlineMs": deadline}
        event = self.events.pop(0) if self.events else last
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        return web.Response(body=body, content_type="application/json")


def can_connect(port: int | None) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port or 0), 1).close()
    except OSError:
        return False
    return True


async def run_program(program: Path, variables: dict[str, str]) -> Ended:
    """Runs to its end, which must come soon."""
    process = await asyncio.create_subprocess_exec(
        program,
        env=variables,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), RUN_LIMIT_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return Ended(process.returncode, output.decode())
