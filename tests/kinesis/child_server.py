# SPDX-License-Identifier: MIT
"""A server in a process of its own, which ends with its parent however that one ends."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent.parent
START_LIMIT_S = 60
STOP_LIMIT_S = 5


def listening_socket(port: int = 0) -> socket.socket:
    """On the loopback, on a free port unless one is given. The child inherits it, so that nobody
    else can take the port meanwhile."""
    return socket.create_server(("127.0.0.1", port), backlog=128)


def comes_to_listen(process: subprocess.Popen[bytes], port: int) -> bool:
    """Waits for a server that was not given its socket; False when it has ended instead."""
    end = time.monotonic() + START_LIMIT_S
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), STOP_LIMIT_S).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return True
    return False


def end_with_parent() -> None:
    """For the child: its stdin is a pipe that the parent keeps open for as long as it lives."""

    def wait() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


class ChildServer:
    """Runs `python -m MODULE --fd N …` and talks HTTP to it."""

    def __init__(
        self, module: str, arguments: Sequence[str] = (), port: int = 0, control: bool = False
    ) -> None:
        """With `control`, control requests have a port of their own (--control-fd N)."""
        with listening_socket(port) as service, listening_socket() as other:
            self.port = service.getsockname()[1]
            self._control_port = other.getsockname()[1] if control else self.port
            descriptors = [service.fileno(), *([other.fileno()] if control else [])]
            options = zip(("--fd", "--control-fd"), map(str, descriptors), strict=False)
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *chain.from_iterable(options), *arguments],
                cwd=TESTS,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=descriptors,
                process_group=0,
            )

    def wait_until_ready(self) -> None:
        """The child says so with its first line."""
        assert self._process.stdout
        timer = threading.Timer(START_LIMIT_S, self._process.kill)
        timer.start()
        try:
            if not self._process.stdout.readline():
                raise RuntimeError(f"{self._process.args} did not start")
        finally:
            timer.cancel()

    def call(self, path: str, body: Any = None) -> Any:
        """A control request: POST with a body, else GET; JSON both ways."""
        data = None if body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self._control_port}{path}"
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as answer:
            return json.load(answer)

    def stop(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
