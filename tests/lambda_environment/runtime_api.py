# SPDX-License-Identifier: MIT
"""The Runtime API 2018-06-01."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from .extensions_api import json_response, refusal

PREFIX = "/2018-06-01/runtime"
RESPONSE_BYTES_MAX = 6 * 1024 * 1024 + 100


@dataclass(frozen=True)
class Request:
    """One invocation as the runtime is given it."""

    payload: bytes
    deadline_ms: int
    function_arn: str
    trace_id: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    invocation_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True)
class Outcome:
    """How the function ended an invocation."""

    payload: bytes
    error_type: str | None = None


class RuntimeApi:
    """Serves one runtime, which has one invocation at a time."""

    def __init__(self, on_init_error: Callable[[str], None]) -> None:
        self._on_init_error = on_init_error
        self.begin()

    def begin(self) -> None:
        """Starts a life: the runtime has not yet asked for an invocation."""
        self._offers: asyncio.Queue[Request] = asyncio.Queue()
        self._waiting = asyncio.Event()
        self._finished = asyncio.Event()
        self._current: Request | None = None
        self._outcome: Outcome | None = None

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
        self._finished.clear()
        self._outcome = None
        self._offers.put_nowait(request)
        await self._finished.wait()
        assert self._outcome is not None
        return self._outcome

    async def _next(self, http: web.Request) -> web.Response:
        if self._current and not self._outcome:
            return refusal(403, "InvalidStateTransition", "Transition from Running to Ready")
        self._waiting.set()
        if self._outcome:
            self._finished.set()
        request = await self._offers.get()
        self._current = request
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
        answer = self._refusal(http)
        if answer:
            return answer
        if len(payload) > RESPONSE_BYTES_MAX:
            message = f"Response payload size exceeded maximum allowed ({RESPONSE_BYTES_MAX} bytes)"
            self._outcome = Outcome(b"", "Function.ResponseSizeTooLarge")
            return refusal(413, "RequestEntityTooLarge", message)
        self._outcome = Outcome(payload)
        return json_response(202, {"status": "OK"})

    async def _error(self, http: web.Request) -> web.Response:
        payload = await http.read()
        answer = self._refusal(http)
        if answer:
            return answer
        self._outcome = Outcome(payload, error_type_of(http, "Function"))
        return json_response(202, {"status": "OK"})

    async def _init_error(self, http: web.Request) -> web.Response:
        if self._waiting.is_set() or self._current:
            message = "State transition from Ready to InitError is not allowed"
            return refusal(403, "InvalidStateTransition", message)
        self._on_init_error(error_type_of(http, "Runtime"))
        return json_response(202, {"status": "OK"})

    def _refusal(self, http: web.Request) -> web.Response | None:
        current = self._current
        if current is None or self._outcome or http.match_info["id"] != current.id:
            return refusal(400, "InvalidRequestID", "Invalid request ID")
        given = http.headers.get("Lambda-Runtime-Invocation-Id", current.invocation_id)
        if given != current.invocation_id:
            return refusal(400, "InvalidInvocationId", "Invalid invocation ID")
        return None


def error_type_of(http: web.Request, prefix: str) -> str:
    """Types that are neither the runtime's nor the function's become unknown."""
    error_type = http.headers.get("Lambda-Runtime-Function-Error-Type", "")
    known = error_type.startswith(("Runtime.", "Function."))
    return error_type if known else f"{prefix}.Unknown"
