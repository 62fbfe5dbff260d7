# SPDX-License-Identifier: MIT
"""The platform of the bench: the Extensions API and the Logs API, with as little in between as can
be, so that what is measured is the extension. It keeps no rules; tests/lambda_environment does."""

from __future__ import annotations

import json
import queue
import re
import socket
import threading
import time
from typing import Any

LIMIT_S = 60
IDENTIFIER = "11111111-2222-4333-8444-555555555555"
REGISTERED = {
    "functionName": "orders",
    "functionVersion": "7",
    "handler": "app.handler",
    "accountId": "123456789012",
}


class PlatformPeer:
    """Answers an extension's calls; `next` when there is an event for it."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._asked: queue.Queue[int] = queue.Queue()
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self._listener: socket.socket | None = None
        self._port = 0
        self.failures: list[str] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def wait_for_next(self) -> int:
        """When the extension asked for the next event, of time.monotonic_ns()."""
        return self._asked.get(timeout=LIMIT_S)

    def answer_next(self, event: dict[str, Any]) -> None:
        self._events.put(event)

    def deliver(self, body: bytes) -> None:
        """POSTs to the listener, again and again until it takes the body."""
        if self._listener is None:
            self._listener = socket.create_connection(("127.0.0.1", self._port), LIMIT_S)
            self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = (
            "POST / HTTP/1.1\r\nHost: sandbox.localdomain\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        while True:
            self._listener.sendall(head.encode() + body)
            status = read_message(self._listener)[0].split()[1]
            if status == "200":
                return
            if status != "503":
                raise RuntimeError(f"the listener answered {status}")
            time.sleep(0.001)

    def close(self) -> None:
        self._socket.close()
        if self._listener:
            self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while True:
                    head, body = read_message(connection)
                    answer = json.dumps(self._answer(head.split()[1], body)).encode()
                    connection.sendall(
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                        f"Lambda-Extension-Identifier: {IDENTIFIER}\r\n"
                        f"Content-Length: {len(answer)}\r\n\r\n".encode()
                        + answer
                    )
            except OSError:
                return

    def _answer(self, path: str, body: bytes) -> Any:
        if path.endswith("/event/next"):
            self._asked.put(time.monotonic_ns())
            return self._events.get()
        if path.endswith("/extension/register"):
            return REGISTERED
        if path.endswith("/error"):
            self.failures.append(path)
        elif found := re.search(rb'"URI":"http://[^:/]+:(\d+)', body):
            self._port = int(found[1])
        return "OK"


def read_message(connection: socket.socket) -> tuple[str, bytes]:
    """Head and body of an HTTP message."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += receive(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    while length and len(body) < int(length[1]):
        body += receive(connection)
    return head.decode(), body


def receive(connection: socket.socket) -> bytes:
    received = connection.recv(65536)
    if not received:
        raise ConnectionError("the peer closed the connection")
    return received
