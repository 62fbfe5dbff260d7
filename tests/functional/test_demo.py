# SPDX-License-Identifier: MIT
"""The demo shows what it promises, fails when it should, and leaves nothing running."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from scripted import SCRIPTED

DEMO = Path(__file__).parents[1] / "demo" / "demo.py"


@pytest.fixture(autouse=True)
def can_be_interrupted() -> Iterator[None]:
    """What a shell starts in the background ignores SIGINT, and so would the demo."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def start(binary: Path, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, DEMO],
        env={**os.environ, "EXTENSION_BINARY": str(binary), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def figure(output: str, name: str) -> str:
    found = re.search(rf"^{name}\s{{2,}}(.+)$", output, re.MULTILINE)
    assert found, output
    return found[1]


def test_three_invocations_arrive_complete(extension_binary: Path) -> None:
    demo = start(extension_binary)
    output, _ = demo.communicate()
    assert demo.returncode == 0, output
    assert output.count("platform.runtimeDone") == 3
    for name in ("Ada", "Grace", "Edsger"):
        assert f"INFO Hello, {name}!" in output
    assert figure(output, "events in Kinesis") == figure(output, "events emitted")
    assert figure(output, "events lost") == "0"
    assert int(figure(output, "PutRecords requests")) >= 3


def test_the_telemetry_api_can_be_chosen(extension_binary: Path) -> None:
    demo = start(extension_binary, API="telemetry")
    output, _ = demo.communicate()
    assert demo.returncode == 0, output
    assert output.count("platform.initStart") == 1
    assert figure(output, "events lost") == "0"


def test_a_managed_instance_can_be_chosen(extension_binary: Path) -> None:
    demo = start(extension_binary, KIND="managed-instances")
    output, _ = demo.communicate()
    assert demo.returncode == 0, output
    assert output.count("platform.report") == 3
    assert "platform.runtimeDone" not in output
    assert figure(output, "events lost") == "0"


def test_a_choice_that_there_is_not_is_told_plainly(extension_binary: Path) -> None:
    demo = start(extension_binary, API="metrics")
    output, _ = demo.communicate()
    assert demo.returncode == 1
    assert "API=metrics; it is logs or telemetry" in output
    assert "Traceback" not in output


def test_missing_events_make_it_fail(tmp_path: Path) -> None:
    demo = start(SCRIPTED)
    output, _ = demo.communicate()
    assert demo.returncode == 1, output
    assert figure(output, "events lost") == figure(output, "events emitted")
    assert "MISSING" in output


def test_a_missing_binary_is_told_plainly(tmp_path: Path) -> None:
    demo = start(tmp_path / "nothing")
    output, _ = demo.communicate()
    assert demo.returncode == 1
    assert "run make first" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_running(number: signal.Signals) -> None:
    demo = start(SCRIPTED)
    assert demo.stdout
    for line in demo.stdout:
        if "hello-world took" in line:
            break
    children = psutil.Process(demo.pid).children(recursive=True)
    assert len(children) == 3, "moto, the extension and the function"
    demo.send_signal(number)
    output, _ = demo.communicate()
    assert demo.returncode == 130, output
    assert "Traceback" not in output
    assert [child for child in children if child.is_running()] == []
