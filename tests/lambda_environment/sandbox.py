# SPDX-License-Identifier: MIT
"""The life of one execution environment: init, invoke, freeze, thaw, reset, shutdown."""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from . import events
from .awake_clock import AwakeClock
from .credentials_api import CredentialsApi
from .extension import Extension
from .extensions_api import ExtensionsApi, refusal
from .functions import Function, NodeFunction, SyntheticFunction
from .logs_api import LogsApi
from .processes import Process
from .results import Failure, Init, Invocation, Shutdown, TimedOut
from .runtime_api import Outcome, Output, Request, RuntimeApi
from .settings import RUNTIME_SHARE_OF_SHUTDOWN, SHUTDOWN_SECONDS, Settings

CALLS = {
    "/2020-01-01/extension/register": "register",
    "/2020-01-01/extension/event/next": "next",
    "/2020-08-15/logs": "subscribe",
    "/2022-07-01/telemetry": "subscribe",
}

T = TypeVar("T")


class Sandbox:
    """One environment and its server. Everything runs in the loop that calls start()."""

    def __init__(self, settings: Settings) -> None:
        self._own_tmp = tempfile.TemporaryDirectory(prefix="lambda-tmp-")
        tmp = settings.temporary_directory or Path(self._own_tmp.name)
        variables = {"TMPDIR": str(tmp), **settings.variables}
        settings = dataclasses.replace(
            settings,
            variables=variables,
            temporary_directory=tmp,
            log_format="JSON" if settings.managed else settings.log_format,
        )
        self.settings = settings
        self.clock = AwakeClock()
        self.extensions_api = ExtensionsApi(settings, self._extension_failed)
        self.logs = LogsApi(settings, self.clock, self.extensions_api)
        concurrency = settings.concurrency if settings.managed else 1
        self.runtime_api = RuntimeApi(self._runtime_init_failed, concurrency)
        self.credentials_api = CredentialsApi(settings)
        self.function = self._make_function()
        self.initialised = False
        self._runtime_done = False
        self._restored = False
        self.extension_output: list[str] = []
        self.processes: dict[str, Process] = {}
        self.init = Init()
        self._cold = True
        self._ending = False
        self._failure: asyncio.Future[Failure] | None = None

    # The server.

    async def open(self) -> None:
        app = web.Application(middlewares=[self._faulty], client_max_size=8 * 1024 * 1024)
        for api in (self.extensions_api, self.logs, self.runtime_api, self.credentials_api):
            app.add_routes(api.routes())
        self._runner = web.AppRunner(
            app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.address = f"127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        """Whatever still runs is killed."""
        self._ending = True
        self._thaw()
        await self._kill_extensions()
        await self.function.end(0)
        await self.logs.end()
        await self._runner.cleanup()
        self._own_tmp.cleanup()

    @web.middleware
    async def _faulty(self, request: web.Request, handler: Any) -> web.StreamResponse:
        status = self.settings.answers.get(CALLS.get(request.path, ""))
        if status == 500:
            return refusal(500, "InternalServerError", "Internal Server Error")
        if status:
            return refusal(status, "Extension.RegistrationClosed", "Refused on request of the test")
        return await handler(request)

    # Init.

    async def start(self, limit_s: float | None = None, phase: str = "init") -> Init:
        """Runs the init phase: extensions, then runtime and function, until all of them wait."""
        limit_s = self.settings.init_limit_s if limit_s is None else limit_s
        began = time.monotonic()
        self._begin_life(phase)
        try:
            await self._unless_failed(self._initialise(phase), limit_s)
        except Failure as failure:
            self.init = Init(failure.error_type, str(failure), _ms_since(began))
            self._report_init(phase)
            await self._kill_all()
        else:
            self.init = Init(None, "", _ms_since(began), self._extension_init_ms())
            self._report_init(phase)
            self.initialised = True
            self._freeze()
        return self.init

    def _begin_life(self, phase: str) -> None:
        self._thaw()
        self._ending = False
        self._failure = asyncio.get_running_loop().create_future()
        self.extensions_api.begin([path.name for path in self.settings.extensions])
        self.logs.begin()
        self._cold = True
        self._runtime_done = False
        self._restored = False
        kind = self.settings.initialization_type
        self.logs.emit(events.init_start(self._function_names(), kind, phase))

    def _function_names(self) -> dict[str, str]:
        return {
            "functionName": self.settings.function_name,
            "functionVersion": self.settings.function_version,
        }

    async def _initialise(self, phase: str) -> None:
        external = self.extensions_api.extensions[:]
        for extension, path in zip(external, self.settings.extensions, strict=True):
            self._launch(extension, path)
        for extension in external:
            await extension.registered.wait()
        self.function.start(self.address)
        await self.function.initialised()
        self._runtime_init_done(phase, None)
        self.extensions_api.registration_open = False
        for extension in self.extensions_api.extensions:
            await extension.ready.wait()
            self._announce(extension)
        self.logs.open = False

    def _runtime_init_done(self, phase: str, error_type: str | None) -> None:
        if not self._runtime_done:
            self._runtime_done = True
            kind = self.settings.initialization_type
            self.logs.emit(*events.init_runtime_done(kind, phase, error_type))

    def _report_init(self, phase: str) -> None:
        init = self.init
        kind = self.settings.initialization_type
        self._runtime_init_done(phase, init.error_type)
        self.logs.emit(*events.init_report(kind, phase, init.error_type, init.duration_ms))

    def _launch(self, extension: Extension, path: Path) -> None:
        try:
            extension.launch(
                path,
                self.settings.extension_variables(self.address),
                self._extension_logged,
                partial(self._extension_exited, extension),
            )
        except OSError as error:
            self._announce(extension)
            raise Failure("Extension.LaunchError", str(error)) from error
        assert extension.process
        self.processes[extension.name] = extension.process

    def _announce(self, extension: Extension) -> None:
        self.logs.emit(
            events.extension(
                extension.name, extension.state, extension.events, extension.error_type
            )
        )

    def _extension_init_ms(self) -> dict[str, float]:
        extensions = self.extensions_api.extensions
        return {extension.name: ms for extension in extensions if (ms := extension.init_ms)}

    # Invoke.

    async def invoke(
        self,
        payload: bytes = b"{}",
        output: Output | Callable[[str], Output] = (),
        duration_s: float = 0.0,
        timeout_s: float | None = None,
    ) -> Invocation:
        """Thaws, runs one invocation until function and extensions are done, and freezes. Managed
        Instances take many at once."""
        limit_s = self.settings.timeout_s if timeout_s is None else timeout_s
        self._thaw()
        self._restore()
        init = None
        if not self.initialised:
            # Lambda calls it a suppressed init: it counts as part of the invocation. A Managed
            # Instance is not used again, so there it is the init of another one.
            init = await self.start(limit_s, "init" if self.settings.managed else "invoke")
            self._thaw()
            self._restore()
            if not init.succeeded:
                request_id = str(uuid.uuid4())
                return Invocation(
                    request_id, "failure", b"", init.error_type, init.message, init=init
                )
        request = dataclasses.replace(
            self._request(payload, limit_s), output=output, duration_s=duration_s
        )
        return await self._invoke(request, limit_s, init)

    def _request(self, payload: bytes, limit_s: float) -> Request:
        root, parent = uuid.uuid4().hex, uuid.uuid4().hex[:16]
        return Request(
            payload=payload,
            deadline_ms=int((time.time() + limit_s) * 1000),
            function_arn=self.settings.function_arn,
            trace_id=f"Root=1-{root[:8]}-{root[8:]};Parent={parent};Sampled=1",
        )

    async def _invoke(self, request: Request, limit_s: float, init: Init | None) -> Invocation:
        began = time.monotonic()
        progress = _Progress(began)
        try:
            await self._unless_failed(self._run(request, progress), limit_s)
            failure = None
        except TimedOut:
            failure = TimedOut(limit_s)
        except Failure as error:
            failure = error
        if failure and not progress.done:
            self._function_is_done(request, progress, _status_of(failure), failure.error_type)
        if failure and not isinstance(failure, TimedOut):
            message = f"Error: {failure}\n{failure.error_type}"
            self.logs.emit(events.fault(request.id, message))
        invocation = self._result(request, progress, failure, init)
        if self.settings.managed:
            await self._end_managed(request, invocation, failure)
            return invocation
        self._report(request, invocation)
        if failure:
            await self.shutdown("TIMEOUT" if isinstance(failure, TimedOut) else "FAILURE")
        else:
            self._freeze()
        return invocation

    async def _end_managed(
        self, request: Request, invocation: Invocation, failure: Failure | None
    ) -> None:
        """A timeout ends the invocation alone; any other failure ends the whole environment, and
        nothing tells of the invocations that it takes along."""
        if failure is None or isinstance(failure, TimedOut):
            report = events.managed_report(
                request.id, invocation.status, invocation.error_type, invocation.duration_ms
            )
            self.logs.emit(report)
        elif not self._ending:
            await self.shutdown("FAILURE")

    async def _run(self, request: Request, progress: _Progress) -> None:
        version = self.settings.function_version
        self.logs.emit(*events.start(request.id, version, request.trace_id))
        for extension in self.extensions_api.extensions:
            if "INVOKE" in extension.events:
                extension.send(self._invoke_event(request))
        progress.outcome = await self.function.run(request)
        status = "failure" if progress.outcome.error_type else "success"
        self._function_is_done(request, progress, status, progress.outcome.error_type)
        for extension in self.extensions_api.extensions:
            await extension.ready.wait()
        await self.logs.take_answers()
        progress.undelivered = self.logs.pending

    def _function_is_done(
        self, request: Request, progress: _Progress, status: str, error_type: str | None
    ) -> None:
        progress.done_at = time.monotonic()
        progress.status = status
        if not self.settings.managed:
            duration_ms = _ms_since(progress.began)
            self.logs.emit(*events.runtime_done(request.id, status, error_type, duration_ms))

    def _invoke_event(self, request: Request) -> dict[str, Any]:
        return {
            "eventType": "INVOKE",
            "deadlineMs": self._deadline(request.deadline_ms),
            "requestId": request.id,
            "invokedFunctionArn": request.function_arn,
            "tracing": {"type": "X-Amzn-Trace-Id", "value": request.trace_id},
        }

    def _result(
        self, request: Request, progress: _Progress, failure: Failure | None, init: Init | None
    ) -> Invocation:
        ready = [extension.ready_at for extension in self.extensions_api.extensions]
        last_ready = time.monotonic() if failure else max(ready, default=0.0)
        outcome = progress.outcome or Outcome(b"")
        return Invocation(
            request_id=request.id,
            status=_status_of(failure) if failure else progress.status,
            payload=outcome.payload,
            error_type=failure.error_type if failure else outcome.error_type,
            message=str(failure or ""),
            duration_ms=(progress.done_at - progress.began) * 1000,
            kept_awake_ms=max(0.0, last_ready - progress.done_at) * 1000,
            init=init,
            undelivered_at_freeze=progress.undelivered,
        )

    def _report(self, request: Request, invocation: Invocation) -> None:
        duration_ms = invocation.duration_ms + invocation.kept_awake_ms
        memory_kb = sum(process.peak_memory_kb for process in self._running())
        metrics = {
            "durationMs": round(duration_ms, 2),
            "billedDurationMs": int(duration_ms) + 1,
            "memorySizeMB": self.settings.memory_mb,
            "maxMemoryUsedMB": memory_kb // 1024,
        }
        if self._cold:
            metrics["initDurationMs"] = round(self.init.duration_ms, 2)
            self._cold = False
        self.logs.emit(events.end(request.id))
        spans = [events.span("extensionOverhead", invocation.kept_awake_ms)]
        status, error_type = invocation.status, invocation.error_type
        self.logs.emit(*events.report(request.id, metrics, status, error_type, spans))

    # Freeze and thaw.

    def _freeze(self) -> None:
        if self.settings.managed:
            return
        for extension in self.extensions_api.extensions:
            if extension.process:
                extension.process.freeze()
        self.function.freeze()
        self.clock.freeze()

    def _thaw(self) -> None:
        self.clock.thaw()
        self.function.thaw()
        for extension in self.extensions_api.extensions:
            if extension.process:
                extension.process.thaw()

    def _restore(self) -> None:
        """What was frozen after the init is the snapshot. Of all that a restore means to an
        extension, nothing is the same here but the events: see README.md."""
        if self.settings.snap_start and self.initialised and not self._restored:
            self._restored = True
            self.logs.emit(*events.restore_start(self._function_names()), *events.restored(0.0))

    # Shutdown.

    async def shutdown(self, reason: str = "SPINDOWN") -> dict[str, Shutdown]:
        """Ends the runtime and then the extensions, within two seconds. invoke() starts anew."""
        self._ending = True
        self._thaw()
        began = time.monotonic()
        external = [e for e in self.extensions_api.extensions if e.process]
        budget_s = SHUTDOWN_SECONDS if external else 0.0
        event = self._shutdown_event(reason, int((time.time() + budget_s) * 1000))
        await self.function.end(budget_s * RUNTIME_SHARE_OF_SHUTDOWN)
        self.logs.flush()
        left_s = budget_s - (time.monotonic() - began) + self.settings.kill_grace_s
        ended = await asyncio.gather(*(extension.end(event, left_s) for extension in external))
        await self.logs.end()
        self.initialised = False
        return {e.name: result for e, result in zip(external, ended, strict=True)}

    def _shutdown_event(self, reason: str, deadline_ms: int) -> dict[str, Any]:
        if self.settings.lower_case_reason:
            reason = reason.lower()
        deadline = self._deadline(deadline_ms)
        return {"eventType": "SHUTDOWN", "shutdownReason": reason, "deadlineMs": deadline}

    def _deadline(self, deadline_ms: int) -> int | str:
        return str(deadline_ms) if self.settings.deadline_as_string else deadline_ms

    async def _kill_all(self) -> None:
        self._ending = True
        await self._kill_extensions()
        await self.function.end(0)
        await self.logs.end()

    async def _kill_extensions(self) -> None:
        for extension in self.extensions_api.extensions:
            if extension.process:
                await extension.process.kill()

    # What may go wrong meanwhile.

    async def _unless_failed(self, work: Awaitable[T], limit_s: float) -> T:
        """The result of the work, unless something ends that has to live, or time is up."""
        assert self._failure is not None
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait(
                {task, self._failure}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED
            )
            if task.done():
                return task.result()
            if self._failure.done():
                raise self._failure.result()
            raise TimedOut(limit_s)
        finally:
            task.cancel()

    def _fail(self, failure: Failure) -> None:
        if self._failure and not self._failure.done() and not self._ending:
            self._failure.set_result(failure)

    def _extension_failed(self, extension: Extension) -> None:
        """It called init/error or exit/error."""
        self._announce(extension)
        error_type = extension.error_type or "Extension.UnknownReason"
        self._fail(Failure(error_type, f"{extension.name}: {extension.state}"))

    def _extension_exited(self, extension: Extension, status: int) -> None:
        self._fail(Failure("Extension.Crash", f"{extension.name}: exit code {status}"))

    def _runtime_init_failed(self, error_type: str) -> None:
        self._fail(Failure(error_type, "the runtime reported an init error"))

    def _runtime_exited(self, status: int) -> None:
        words = f"exit status {status}" if status >= 0 else f"signal {-status}"
        self._fail(Failure("Runtime.ExitError", f"Runtime exited with error: {words}"))

    def _extension_logged(self, text: str) -> None:
        self.extension_output.append(text)
        self.logs.emit_lines("extension", [text])

    def _running(self) -> list[Process]:
        return [process for process in self.processes.values() if process.running]

    def _make_function(self) -> Function:
        if self.settings.task_root is None:
            return SyntheticFunction(self.logs, self.settings.init_output, self.settings.init)
        return NodeFunction(self.settings, self.runtime_api, self.logs, self._runtime_exited)


@dataclass
class _Progress:
    """How far an invocation has come."""

    began: float
    done_at: float = 0.0
    status: str = ""
    outcome: Outcome | None = None
    undelivered: int = 0

    @property
    def done(self) -> bool:
        return bool(self.status)


def _status_of(failure: Failure) -> str:
    return "timeout" if isinstance(failure, TimedOut) else "failure"


def _ms_since(began: float) -> float:
    return (time.monotonic() - began) * 1000
