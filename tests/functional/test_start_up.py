# SPDX-License-Identifier: MIT
"""Before it asks for the first event, which the function's cold start waits for, the extension does
nothing that can wait: no name is looked up, no certificate read, no one but the platform called."""

from __future__ import annotations

import re
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from outcome import on_free_port

from bench.platform_peer import PlatformPeer

ENDPOINT = "https://kinesis.us-east-1.amazonaws.com"
NEXT = "GET /2020-01-01/extension/event/next"


def calls_before_the_first_next(
    binary: Path, folder: Path, more_variables: dict[str, str]
) -> tuple[str, list[str]]:
    """The platform's address, and the system calls."""
    trace = folder / "trace"
    with closing(PlatformPeer()) as platform:
        variables = {
            "AWS_LAMBDA_RUNTIME_API": platform.address,
            "AWS_KINESIS_STREAM_NAME": "logs",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "a secret",
            "TMPDIR": str(folder),
            # For an ASan build: the search for leaks does not work under strace.
            "ASAN_OPTIONS": "detect_leaks=0",
            **on_free_port(),
            **more_variables,
        }
        command = ["strace", "-f", "-s", "200", "-o", trace]
        command += [part for name, value in variables.items() for part in ("-E", f"{name}={value}")]
        process = subprocess.Popen([*command, binary], stdout=subprocess.DEVNULL)
        try:
            platform.wait_for_next()
            deadline = int(time.time() * 1000) + 2_000
            platform.answer_next({"eventType": "SHUTDOWN", "deadlineMs": deadline})
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()
            process.wait()
        calls = trace.read_text().splitlines()
        [first, *_] = [number for number, call in enumerate(calls) if NEXT in call]
        return platform.address, calls[:first]


@pytest.mark.parametrize("bundle", ["default", "AWS_CA_BUNDLE", "system"])
def test_nothing_that_can_wait_is_done_before_the_first_event(
    extension_binary: Path, tmp_path: Path, bundle: str
) -> None:
    file = tmp_path / "authorities.pem"
    file.write_text("never read")
    variables = {
        "default": {},
        "AWS_CA_BUNDLE": {"AWS_CA_BUNDLE": str(file)},
        "system": {"AWS_ENDPOINT_URL": "https://kinesis.example"},
    }[bundle]
    address, calls = calls_before_the_first_next(extension_binary, tmp_path, variables)
    port = address.partition(":")[2]
    connections = [call for call in calls if " connect(" in call]
    assert connections, "at least the platform is called"
    assert [call for call in connections if f"htons({port})" not in call] == []
    assert [call for call in calls if re.search(r"SOCK_DGRAM|/dev/random", call)] == []
    assert [call for call in calls if re.search(r'open(at)?\(.*"[^"]*(/ssl/|\.pem)', call)] == []
