# SPDX-License-Identifier: MIT
"""Fixtures of the functional tests: the binary, the Kinesis servers and the Lambda environment.

README.md beside this file shows how they are used.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from outcome import is_sanitized_binary
from scripted import SCRIPTED, Scripted

from kinesis import KinesisLocal, KinesisStub, LocalStream, MotoServer, MotoStream
from lambda_environment import LambdaEnvironment, Settings

REPOSITORY = Path(__file__).resolve().parents[2]
KINESIS_LOCAL = REPOSITORY / "build/kinesis-local/node_modules/kinesis-local"
BINARY = REPOSITORY / "build/extensions/kinesis-stream-logs-extension"
SANITIZER_OPTIONS = ("ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")
SANITIZED_KILL_GRACE_S = 5.0
SANITIZER_REPORTS = ("Sanitizer:", "runtime error:")

Kinesis = KinesisStub | MotoStream | LocalStream
EnvironmentFactory = Callable[..., LambdaEnvironment]


@pytest.fixture(scope="session")
def extension_binary() -> Path:
    """The extension under test: EXTENSION_BINARY, else the development build."""
    binary = Path(os.environ.get("EXTENSION_BINARY", BINARY)).resolve()
    if not os.access(binary, os.X_OK):
        pytest.fail(f"{binary} is not there or not executable; run make first", pytrace=False)
    return binary


@pytest.fixture(scope="session")
def moto_server() -> Iterator[MotoServer]:
    """The one moto server of the test run; tests want `kinesis`, a stream of their own on it."""
    with MotoServer() as server:
        yield server


@pytest.fixture
def kinesis(moto_server: MotoServer) -> MotoStream:
    """A new stream on moto, with credentials that may only PutRecords on it."""
    return moto_server.create_stream(f"logs-{uuid.uuid4().hex[:12]}")


@pytest.fixture(scope="session")
def stub_server() -> Iterator[KinesisStub]:
    """The one stub of the test run; tests want `kinesis_stub`, a stream of their own on it."""
    with KinesisStub() as stub:
        yield stub


@pytest.fixture
def kinesis_stub(stub_server: KinesisStub) -> KinesisStub:
    """A fast Kinesis whose answers a test can spoil: kinesis_stub.behave(Behaviour(…))."""
    return stub_server.new_stream()


@pytest.fixture
def kinesis_tls_stub(tmp_path: Path) -> Iterator[KinesisStub]:
    """The same over TLS, with a certificate authority of its own (AWS_CA_BUNDLE is set)."""
    with KinesisStub(tls_folder=tmp_path) as stub:
        yield stub


@pytest.fixture(scope="session")
def local_server() -> Iterator[KinesisLocal]:
    """The one kinesis-local of the test run; tests want `kinesis_local`."""
    if not KINESIS_LOCAL.exists():
        pytest.fail(f"{KINESIS_LOCAL} is not there; `make functional` makes it", pytrace=False)
    with KinesisLocal(KINESIS_LOCAL) as server:
        yield server


@pytest.fixture
def kinesis_local(local_server: KinesisLocal) -> LocalStream:
    """A new stream on a server that speaks JSON and CBOR and is not ours."""
    return local_server.create_stream(f"logs-{uuid.uuid4().hex[:12]}")


@pytest.fixture
def lambda_environment(request: pytest.FixtureRequest) -> Iterator[EnvironmentFactory]:
    """Makes environments: lambda_environment(kinesis, variables={…}, **settings).

    It runs `extension_binary` (unless `extensions` says otherwise) with the variables and the
    credentials of the given Kinesis, plus `variables`; other names are those of Settings. It has
    been through its init, which must have succeeded, unless `start=False`. Without `task_root` the
    function is synthetic. At the end of the test everything is stopped, and the test fails when the
    extension left a process behind or a sanitizer complained.
    """
    with environments_for(lambda: request.getfixturevalue("extension_binary")) as make:
        yield make


@contextmanager
def environments_for(find_binary: Callable[[], Path]) -> Iterator[EnvironmentFactory]:
    """What `lambda_environment` is, for as long as somebody wants it. Threads may share it."""
    environments: list[LambdaEnvironment] = []

    def make(
        kinesis: Kinesis | None = None,
        variables: dict[str, str] | None = None,
        start: bool = True,
        **settings: Any,
    ) -> LambdaEnvironment:
        if "extensions" not in settings:
            settings["extensions"] = (find_binary(),)
        if any(map(is_sanitized_binary, settings["extensions"])):
            settings.setdefault("kill_grace_s", SANITIZED_KILL_GRACE_S)
        if kinesis:
            settings.setdefault("credentials", kinesis.credentials)
        wanted = {**sanitizer_options(), **(kinesis.variables if kinesis else {})}
        wanted |= variables or {}
        environment = LambdaEnvironment(Settings(variables=wanted, **settings)).__enter__()
        environments.append(environment)
        if start:
            init = environment.start()
            assert init.succeeded, f"{init}\n{''.join(environment.extension_output)}"
        return environment

    yield make
    for environment in environments:
        environment.close()
    left = processes_by_environment()
    for environment in environments:
        check_what_is_left(environment, left.get(environment.address, []))


def sanitizer_options() -> dict[str, str]:
    return {name: os.environ[name] for name in SANITIZER_OPTIONS if name in os.environ}


def check_what_is_left(environment: LambdaEnvironment, processes: list[int]) -> None:
    output = "".join(environment.extension_output)
    print(f"--- the extension said:\n{output}")
    assert not processes, "the extension left a process behind"
    assert not [word for word in SANITIZER_REPORTS if word in output], output


def processes_by_environment() -> dict[str | None, list[int]]:
    """Processes by the address of the environment that they belong to, whoever started them."""
    found: dict[str | None, list[int]] = {}
    for process in psutil.process_iter():
        found.setdefault(runtime_api_of(process), []).append(process.pid)
    return found


def runtime_api_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("AWS_LAMBDA_RUNTIME_API")
    except psutil.Error:
        return None


@pytest.fixture
def scripted(lambda_environment: Any, tmp_path: Path) -> Any:
    """scripted({…}, **settings) makes an environment whose extension follows the script."""

    def make(script: dict[str, Any] | None = None, **settings: Any) -> Scripted:
        file = tmp_path / "deliveries"
        variables = {"SCRIPT": json.dumps(script or {}), "DELIVERIES": str(file)}
        variables |= settings.pop("variables", {})
        settings.setdefault("extensions", (SCRIPTED,))
        return Scripted(lambda_environment(variables=variables, **settings), file)

    return make
