# SPDX-License-Identifier: MIT
"""An extension with nothing to do does nothing: no thread of it wakes up now and then.

On Lambda the environment is awake, and billed, for as long as the function runs.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from outcome import on_free_port

from bench.extension_process import ExtensionProcess
from bench.platform_peer import PlatformPeer
from kinesis import KinesisStub, events_in

WATCHED_S = 2
WAKEUPS_MAX = 2
SETTLED_S = 0.3
LIMIT_S = 30
REQUEST = "00000000-0000-4000-8000-000000000001"


class Idle:
    """The extension beside a platform that asks nothing of it."""

    def __init__(self, binary: Path, variables: dict[str, str], folder: Path) -> None:
        self.platform = PlatformPeer()
        wanted = {
            **variables,
            **on_free_port(),
            "AWS_LAMBDA_RUNTIME_API": self.platform.address,
            "TMPDIR": str(folder),
        }
        self.process = ExtensionProcess(binary, wanted, folder / "output")
        self.platform.wait_for_next()

    def close(self) -> None:
        self.process.kill()
        self.platform.close()

    def sleeps(self) -> list[int]:
        """How often each of its two threads went to sleep; a sanitizer has one of its own."""
        return [
            sleeps_of(task)
            for task in Path(f"/proc/{self.process.pid}/task").iterdir()
            if int(task.name) == self.process.pid or (task / "comm").read_text().startswith("MHD")
        ]

    def wait_until_settled(self) -> None:
        """What there was to do is done when both have slept on for a while."""
        deadline = time.monotonic() + LIMIT_S
        before, now = [], self.sleeps()
        while (before != now or len(now) != 2) and time.monotonic() < deadline:
            threading.Event().wait(SETTLED_S)
            before, now = now, self.sleeps()
        assert len(now) == 2, "the main thread and the listener"

    def assert_stays_asleep(self) -> None:
        self.wait_until_settled()
        before = sum(self.sleeps())
        threading.Event().wait(WATCHED_S)
        assert sum(self.sleeps()) - before <= WAKEUPS_MAX

    def invoke(self, kinesis: KinesisStub) -> None:
        """One invocation, whose logs arrive; then the next event is asked for."""
        self.platform.answer_next(
            {
                "eventType": "INVOKE",
                "requestId": REQUEST,
                "deadlineMs": int(time.time() * 1000) + 60_000,
            }
        )
        start = f'{{"requestId":"{REQUEST}","version":"7"}}'
        done = f'{{"requestId":"{REQUEST}","status":"success"}}'
        self.platform.deliver(
            b"[%s]"
            % b",".join(
                [
                    event("platform.start", start),
                    event("function", '"a line\\n"'),
                    event("platform.runtimeDone", done),
                ]
            )
        )
        self.platform.wait_for_next()
        deadline = time.monotonic() + LIMIT_S
        while len(events_in(kinesis.records())) < 3 and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        assert len(events_in(kinesis.records())) == 3


def event(event_type: str, record: str) -> bytes:
    time_ = "2026-01-02T03:04:05.678Z"
    return f'{{"time":"{time_}","type":"{event_type}","record":{record}}}'.encode()


def sleeps_of(task: Path) -> int:
    found = re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text(), re.M)
    assert found
    return int(found[1])


@pytest.fixture(params=["end", "continuous", "adaptive"])
def idle(
    request: pytest.FixtureRequest,
    extension_binary: Path,
    kinesis_stub: KinesisStub,
    tmp_path: Path,
) -> Iterator[Idle]:
    credentials = kinesis_stub.credentials
    variables = {
        **kinesis_stub.variables,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token or "",
        "EXTENSION_LOG_FLUSH": request.param,
    }
    with closing(Idle(extension_binary, variables, tmp_path)) as made:
        yield made


def test_sleeps_until_the_first_invocation(idle: Idle) -> None:
    idle.assert_stays_asleep()


def test_sleeps_once_all_logs_have_arrived(idle: Idle, kinesis_stub: KinesisStub) -> None:
    idle.invoke(kinesis_stub)
    idle.assert_stays_asleep()
