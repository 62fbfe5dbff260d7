# SPDX-License-Identifier: MIT
"""What a process writes, as the records that the platform makes of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

READ_BYTES = 256 * 1024
# Header of a frame on a runtime's log descriptor: type (4), length (4), microseconds (8).
FRAME_HEADER_BYTES = 16

OnRecord = Callable[[str], None]


class Output:
    """The reading end of a pipe. `drain` takes what is in the pipe at this moment."""

    def __init__(self, on_record: OnRecord) -> None:
        self._fd, self.writing_end = os.pipe()
        os.set_blocking(self._fd, False)
        self._on_record = on_record
        self._pending = b""
        self._open = True
        asyncio.get_running_loop().add_reader(self._fd, self._read)

    def started(self) -> None:
        """The child has its own copy of the writing end now."""
        os.close(self.writing_end)

    def drain(self) -> None:
        while self._open and self._read():
            pass
        self._finish()

    def close(self) -> None:
        if self._open:
            self.drain()
        if self._open:
            self._close()

    def _read(self) -> bool:
        try:
            data = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._finish()
            self._close()
            return False
        self._take(data)
        return True

    def _close(self) -> None:
        self._open = False
        asyncio.get_running_loop().remove_reader(self._fd)
        os.close(self._fd)

    def _take(self, data: bytes) -> None:
        raise NotImplementedError

    def _finish(self) -> None:
        """What is left without an end."""


class Lines(Output):
    """Every line is a record that keeps its newline; so is what has no newline at a drain."""

    def _take(self, data: bytes) -> None:
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            self._on_record((line + b"\n").decode(errors="replace"))

    def _finish(self) -> None:
        if self._pending:
            text, self._pending = self._pending, b""
            self._on_record(text.decode(errors="replace"))


class Frames(Output):
    """Every frame is a record, however many lines it has: how managed runtimes log."""

    def _take(self, data: bytes) -> None:
        self._pending += data
        while len(self._pending) >= FRAME_HEADER_BYTES:
            end = FRAME_HEADER_BYTES + int.from_bytes(self._pending[4:8], "big")
            if len(self._pending) < end:
                return
            self._on_record(self._pending[FRAME_HEADER_BYTES:end].decode(errors="replace"))
            self._pending = self._pending[end:]
