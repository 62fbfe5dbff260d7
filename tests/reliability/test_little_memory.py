# SPDX-License-Identifier: MIT
"""Too little memory in every amount: the function runs, whatever becomes of its logs.

pain 15: an extension that ends takes the function with it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from outcome import on_free_port, shut_down

from kinesis import KinesisStub
from lambda_environment import LambdaEnvironment

Environments = Callable[..., LambdaEnvironment]
NAME = "kinesis-stream-logs-extension"
# From what the program's own pages need up to what is enough for everything.
LIMITS_KB = range(12_000, 20_000, 250)


@pytest.mark.parametrize("limit_kb", LIMITS_KB)
def test_a_function_runs_however_little_memory_the_extension_gets(
    lambda_environment: Environments,
    kinesis_stub: KinesisStub,
    extension_binary: Path,
    tmp_path: Path,
    limit_kb: int,
) -> None:
    script = tmp_path / NAME
    script.write_text(f"#!/bin/sh\nulimit -v {limit_kb}\nexec {extension_binary}\n")
    script.chmod(0o755)
    variables = {"EXTENSION_LOG_HOLD_MS": "200"} | on_free_port()
    environment = lambda_environment(kinesis_stub, variables, extensions=(script,))
    for _ in range(2):
        invocation = environment.invoke(output=["a line\n"], timeout_s=9)
        assert invocation.status == "success", invocation
    assert shut_down(environment).exit_code == 0
