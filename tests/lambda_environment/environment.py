# SPDX-License-Identifier: MIT
"""The local Lambda environment for tests and the demo: calls that block, one after another."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from .events import Event
from .functions import NodeFunction
from .log_delivery import DeliveryFigures
from .processes import Process
from .results import Init, Invocation, Shutdown
from .runtime_api import Output
from .sandbox import Sandbox
from .settings import Credentials, Settings

T = TypeVar("T")
# Longer than any invocation a test makes; only so that a mistake cannot hang a test run for ever.
CALL_LIMIT_S = 300


class LambdaEnvironment:
    """One execution environment, in a thread of its own.

        settings = Settings(extensions=(binary,), task_root=hello_world)
        with LambdaEnvironment(settings) as environment:
            environment.start()
            invocation = environment.invoke({"name": "world"})
            ended = environment.shutdown()

    Between two calls the environment is frozen, as on Lambda, unless it is a Managed Instance.
    Leaving the block kills what is left.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._sandbox = Sandbox(settings)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._open = False

    def __enter__(self) -> LambdaEnvironment:
        self._thread.start()
        self._open = True
        try:
            self._wait_for(self._sandbox.open())
        except BaseException:
            self._stop_loop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        if self._open:
            self._open = False
            try:
                self._wait_for(self._sandbox.close())
            finally:
                self._stop_loop()

    def _stop_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # The life cycle.

    def start(self) -> Init:
        """The init phase. A failed one is tried again inside the first invocation."""
        return self._wait_for(self._sandbox.start())

    def invoke(
        self,
        payload: Any = None,
        *,
        output: Output | Callable[[str], Output] = (),
        duration_s: float = 0.0,
        timeout_s: float | None = None,
    ) -> Invocation:
        """One invocation, ended by the freeze.

        `output` and `duration_s` are for the synthetic function (no task root): each str is one
        function record, each bytes a delivery of its own that reaches the listener as it is, and
        with a Failure the runtime crashes. A callable is given the request id and returns them.
        """
        body = json.dumps(payload).encode()
        return self._wait_for(self._sandbox.invoke(body, output, duration_s, timeout_s))

    def invoke_together(
        self,
        payloads: Sequence[Any],
        *,
        output: Output | Callable[[str], Output] = (),
        duration_s: float = 0.0,
        timeout_s: float | None = None,
    ) -> list[Invocation]:
        """One invocation for each payload, all at once, on Managed Instances."""
        assert self.settings.managed
        return self._wait_for(self._invoke_all(payloads, output, duration_s, timeout_s))

    async def _invoke_all(self, payloads: Sequence[Any], *how: Any) -> list[Invocation]:
        bodies = [json.dumps(payload).encode() for payload in payloads]
        return await asyncio.gather(*(self._sandbox.invoke(body, *how) for body in bodies))

    def shutdown(self, reason: str = "SPINDOWN") -> dict[str, Shutdown]:
        """How each extension ended, by its name. The next invoke() starts a new life."""
        return self._wait_for(self._sandbox.shutdown(reason))

    def give_credentials(
        self, credentials: Credentials | None, lifetime_s: float = 3600.0, status: int = 200
    ) -> None:
        """What the credentials endpoint gives from now on; with another status, only that."""

        async def give() -> None:
            self._sandbox.credentials_api.set(credentials, lifetime_s, status)

        self._wait_for(give())

    # What can be seen from outside.

    @property
    def credentials_given(self) -> list[str]:
        """The id of the key in each answer of the credentials endpoint."""
        return list(self._sandbox.credentials_api.given)

    @property
    def address(self) -> str:
        """Host and port of the APIs, as in AWS_LAMBDA_RUNTIME_API."""
        return self._sandbox.address

    @property
    def init(self) -> Init:
        """The latest init."""
        return self._sandbox.init

    @property
    def process(self) -> Process:
        """The process of the first extension: pid, memory_kb, peak_memory_kb, cpu_s, stopped."""
        return self._sandbox.processes[self.settings.extensions[0].name]

    @property
    def function_process(self) -> Process | None:
        """The process of the function; None when it is synthetic or has ended."""
        function = self._sandbox.function
        return function.process if isinstance(function, NodeFunction) else None

    @property
    def extension_output(self) -> list[str]:
        """What the extensions wrote to stdout and stderr, line by line."""
        return list(self._sandbox.extension_output)

    @property
    def emitted(self) -> list[Event]:
        """Every event that was subscribed to, in order, whether or not it was delivered."""
        return list(self._sandbox.logs.emitted)

    @property
    def deliveries(self) -> list[DeliveryFigures]:
        """Requests, answers and dropped events of each subscription there has been."""
        return self._sandbox.logs.figures

    @property
    def pending(self) -> int:
        """Events emitted but not yet acknowledged by a listener."""
        return self._sandbox.logs.pending

    def emitted_of(self, *types: str) -> list[dict[str, Any]]:
        """The emitted events of these types, parsed."""
        return [event.parsed() for event in self.emitted if event.type in types]

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(CALL_LIMIT_S)
        except BaseException:
            future.cancel()
            raise


def numbered_lines(count: int, size: int = 200, prefix: str = "line") -> list[str]:
    """Distinct lines of exactly `size` bytes, newline included."""
    lines = (f"{prefix}-{number:08d} " for number in range(count))
    return [line.ljust(size - 1, "x") + "\n" for line in lines]
