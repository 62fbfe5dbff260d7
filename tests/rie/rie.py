# SPDX-License-Identifier: MIT
"""AWS's Runtime Interface Emulator (RIE), which `sam local` and AWS's images of Lambda run, too.

It comes with the SAM CLI. It plays two kinds of environment: on demand, where it takes
subscriptions to logs and delivers none, and Managed Instances, where it has the Telemetry API.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from outcome import free_port
from root_directory import RootDirectory

from kinesis.child_server import comes_to_listen

FUNCTION = Path(__file__).parent / "function"
RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")
NAMES = {"x86_64": "x86_64", "aarch64": "arm64"}
PROGRAM = Path("samcli/local/rapid") / f"aws-lambda-rie-{NAMES[platform.machine()]}"
BOOTSTRAP = "/var/task/bootstrap"
INVOKE = "/2015-03-31/functions/function/invocations"
# It shuts down in 2 s, and starts in less; only so that a test which fails does not hang.
LIMIT_S = 60
TRIES = 3
TAKEN = "address already in use"
# Its answer when no runtime waits for an event.
BUSY = b"Runtime.Unavailable"
# What it says of an extension that had to be killed, on demand and on Managed Instances.
KILLED = ("did not exit after deadline", 'msg="Sending SIGKILL to process" name=extension-')


def lambda_root(path: Path, emulator: Path, extension: Path) -> RootDirectory:
    """The file system of an environment: the layer, the function, and AWS's runtime client."""
    root = RootDirectory(path)
    root.put(emulator, "rie")
    root.put(extension, f"opt/extensions/{extension.name}")
    for name in RUNTIME_CLIENT:
        root.put_distribution(name, "var/task")
    for file in FUNCTION.iterdir():
        root.put(file, f"var/task/{file.name}")
    root.put_libraries()
    return root


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Emulator:
    """Runs in `root`; with `concurrency` it is a Managed Instance."""

    def __init__(
        self, root: RootDirectory, variables: Mapping[str, str], log: Path, concurrency: int = 0
    ) -> None:
        self._root = root
        self._variables = dict(variables)
        self._log = log
        self._concurrency = concurrency
        if concurrency:
            self._variables["AWS_LAMBDA_MAX_CONCURRENCY"] = str(concurrency)

    def __enter__(self) -> Emulator:
        """It takes port numbers, not sockets: somebody else may take them before it does."""
        for _ in range(TRIES):
            self._start()
            if comes_to_listen(self._process, self._port) or TAKEN not in self.output:
                break
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        for process in self._processes():
            with suppress(psutil.Error):
                process.kill()

    @property
    def runtime_api(self) -> str:
        return f"127.0.0.1:{self._runtime_port}"

    @property
    def output(self) -> str:
        """Of the emulator, of the extension and of the function; lines may come in any order."""
        return self._log.read_text(errors="replace")

    @property
    def extension_lines(self) -> list[dict[str, Any]]:
        """The extension's own."""
        return [
            json.loads(line)
            for line in self.output.splitlines()
            if line.startswith('{"time":') and '"message":' in line
        ]

    def extensions(self) -> list[list[str]]:
        """The command lines of those that run."""
        commands = [process.info["cmdline"] for process in self._processes()]
        return [command for command in commands if "/opt/extensions/" in "".join(command or [])]

    def invoke(self, **event: Any) -> Answer:
        """Any thread. On a Managed Instance that is busy, it waits; on demand, one at a time."""
        end = time.monotonic() + LIMIT_S
        while BUSY in (answer := self._ask(event)).body and time.monotonic() < end:
            time.sleep(0.01)
        return answer

    def invoke_together(self, events: Iterable[dict[str, Any]]) -> list[Answer]:
        """As many at once as there are runtimes."""
        with ThreadPoolExecutor(self._concurrency) as pool:
            return list(pool.map(lambda event: self.invoke(**event), events))

    def wait_for_output(self, line: str) -> None:
        """Until the emulator has read it."""
        end = time.monotonic() + LIMIT_S
        while line not in self.output.splitlines():
            assert time.monotonic() < end, self.output
            time.sleep(0.01)

    def kill_runtime(self) -> None:
        """With all of its processes, one for each invocation that may run at once."""
        for child in psutil.Process(self._process.pid).children():
            if BOOTSTRAP in child.cmdline():
                os.killpg(child.pid, signal.SIGKILL)

    def shut_down(self) -> None:
        """As when the environment is no longer wanted. The extension must not have to be killed."""
        self._process.send_signal(signal.SIGTERM)
        self.wait()
        assert self._process.returncode == 0, self.output

    def wait(self) -> None:
        """Until it has ended by itself."""
        self._process.wait(LIMIT_S)
        assert not [words for words in KILLED if words in self.output], self.output

    def _processes(self) -> Iterator[psutil.Process]:
        """Of the extension and of the function, of which the emulator may leave some behind."""
        for process in psutil.process_iter(["cmdline"]):
            with suppress(psutil.Error):
                if process.environ().get("AWS_LAMBDA_RUNTIME_API") == self.runtime_api:
                    yield process

    def _ask(self, event: dict[str, Any]) -> Answer:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{INVOKE}",
            data=json.dumps(event).encode(),
            headers={"Content-Type": "application/json"},
        )
        began = time.monotonic()
        try:
            answer = urllib.request.urlopen(request, timeout=LIMIT_S)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            return Answer(answer.status, answer.read(), time.monotonic() - began)

    def _start(self) -> None:
        self._port, self._runtime_port = free_port(), free_port()
        command = ["setpriv", "--pdeathsig=TERM", "/usr/sbin/chroot", self._root.path, "/rie"]
        command += ["--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"]
        command += ["--runtime-api-address", self.runtime_api]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                env=self._variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
