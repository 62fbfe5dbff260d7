# SPDX-License-Identifier: MIT
"""The Runtime API 2018-06-01."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from .extensions_api import json_response, refusal
from .results import Failure

PREFIX = "/2018-06-01/runtime"
RESPONSE_BYTES_MAX = 6 * 1024 * 1024 + 100

Output = Sequence[str | bytes | Failure]


@dataclass(frozen=True)
class Request:
    """One invocation as the runtime is given it."""

    payload: bytes
    deadline_ms: int
    function_arn: str
    trace_id: str
    output: Output | Callable[[str], Output] = ()
    """What a synthetic function logs; a callable is given the request id."""
    duration_s: float = 0.0
    """How long a synthetic function takes."""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    invocation_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True)
class Outcome:
    """How the function ended an invocation."""

    payload: bytes
    error_type: str | None = None


@dataclass
class _Running:
    """An invocation that was given out: first it has an outcome, then its runtime waits again."""

    request: Request
    outcome: Outcome | None = None
    finished: asyncio.Event = field(default_factory=asyncio.Event)


class RuntimeApi:
    """Serves one runtime, which has so many invocations at a time."""

    def __init__(self, on_init_error: Callable[[str], None], concurrency: int = 1) -> None:
        self._on_init_error = on_init_error
        self._concurrency = concurrency
        self.begin()

    def begin(self) -> None:
        """Starts a life: the runtime has not yet asked for an invocation."""
        self._offers: asyncio.Queue[_Running] = asyncio.Queue()
        self._waiting = asyncio.Event()
        self._running: dict[str, _Running] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{PREFIX}/invocation/next", self._next),
            web.post(f"{PREFIX}/invocation/{{id}}/response", self._response),
            web.post(f"{PREFIX}/invocation/{{id}}/error", self._error),
            web.post(f"{PREFIX}/init/error", self._init_error),
        ]

    async def initialised(self) -> None:
        await self._waiting.wait()

    async def run(self, request: Request) -> Outcome:
        """Gives the runtime an invocation; returns when it has answered and waits again."""
        running = _Running(request)
        self._offers.put_nowait(running)
        await running.finished.wait()
        assert running.outcome is not None
        return running.outcome

    def _finish_answered(self) -> None:
        for request_id, running in list(self._running.items()):
            if running.outcome:
                running.finished.set()
                del self._running[request_id]

    async def _next(self, http: web.Request) -> web.Response:
        self._finish_answered()
        if len(self._running) >= self._concurrency:
            return refusal(403, "InvalidStateTransition", "Transition from Running to Ready")
        self._waiting.set()
        running = await self._offers.get()
        request = running.request
        self._running[request.id] = running
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request.id,
            "Lambda-Runtime-Deadline-Ms": str(request.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": request.function_arn,
            "Lambda-Runtime-Trace-Id": request.trace_id,
            "Lambda-Runtime-Invocation-Id": request.invocation_id,
        }
        return web.Response(body=request.payload, content_type="application/json", headers=headers)

    async def _response(self, http: web.Request) -> web.Response:
        payload = await http.read()
        running = self._find(http)
        if isinstance(running, web.Response):
            return running
        if len(payload) > RESPONSE_BYTES_MAX:
            message = f"Response payload size exceeded maximum allowed ({RESPONSE_BYTES_MAX} bytes)"
            running.outcome = Outcome(b"", "Function.ResponseSizeTooLarge")
            return refusal(413, "RequestEntityTooLarge", message)
        running.outcome = Outcome(payload)
        return json_response(202, {"status": "OK"})

    async def _error(self, http: web.Request) -> web.Response:
        payload = await http.read()
        running = self._find(http)
        if isinstance(running, web.Response):
            return running
        running.outcome = Outcome(payload, error_type_of(http, "Function"))
        return json_response(202, {"status": "OK"})

    async def _init_error(self, http: web.Request) -> web.Response:
        if self._waiting.is_set():
            message = "State transition from Ready to InitError is not allowed"
            return refusal(403, "InvalidStateTransition", message)
        self._on_init_error(error_type_of(http, "Runtime"))
        return json_response(202, {"status": "OK"})

    def _find(self, http: web.Request) -> _Running | web.Response:
        """The invocation that the call is about, or the refusal it gets."""
        running = self._running.get(http.match_info["id"])
        if running is None or running.outcome:
            return refusal(400, "InvalidRequestID", "Invalid request ID")
        expected = running.request.invocation_id
        if http.headers.get("Lambda-Runtime-Invocation-Id", expected) != expected:
            return refusal(400, "InvalidInvocationId", "Invalid invocation ID")
        return running


def error_type_of(http: web.Request, prefix: str) -> str:
    """Types that are neither the runtime's nor the function's become unknown."""
    error_type = http.headers.get("Lambda-Runtime-Function-Error-Type", "")
    known = error_type.startswith(("Runtime.", "Function."))
    return error_type if known else f"{prefix}.Unknown"
