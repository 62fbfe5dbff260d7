# SPDX-License-Identifier: MIT
"""tinyproxy between the extension and Kinesis."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from outcome import free_port

START_LIMIT_S = 30
REQUEST = re.compile(r"Request \(file descriptor \d+\): (\S+) (\S+)")


class RealProxy:
    """With a user and a password it wants both from everybody."""

    def __init__(self, folder: Path, user: str = "", password: str = "") -> None:
        self.port = free_port()
        self.user = user
        self.password = password
        self._log = folder / "tinyproxy.log"
        self._settings = folder / "tinyproxy.conf"
        lines = [f"Port {self.port}", "Listen 127.0.0.1", "Timeout 60", "LogLevel Info"]
        if user:
            lines.append(f"BasicAuth {user} {password}")
        self._settings.write_text("\n".join(lines) + "\n")

    @property
    def url(self) -> str:
        who = f"{self.user}:{self.password}@" if self.user else ""
        return f"http://{who}127.0.0.1:{self.port}"

    def requests(self) -> list[tuple[str, str]]:
        """Method and target of each request that it got."""
        return REQUEST.findall(self._log.read_text())

    def run(self) -> subprocess.Popen[bytes]:
        program = shutil.which("tinyproxy")
        assert program, "tinyproxy is not installed: make functional does that"
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                [program, "-d", "-c", str(self._settings)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        deadline = time.monotonic() + START_LIMIT_S
        while b"Accepting connections" not in self._log.read_bytes():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise RuntimeError(f"tinyproxy did not start: {self._log.read_text()}")
            time.sleep(0.01)
        return process


@contextmanager
def real_proxy(folder: Path, user: str = "", password: str = "") -> Iterator[RealProxy]:
    proxy = RealProxy(folder, user, password)
    process = proxy.run()
    try:
        yield proxy
    finally:
        process.kill()
        process.wait()
