# SPDX-License-Identifier: MIT
"""The binary of the layer needs nothing beside itself: it runs in an empty root directory.

The one of the other architecture runs there with an emulator, which needs nothing else either.
Needs root, for chroot and for the ports 53 and 443; `make functional` runs it in namespaces else.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from outcome import HOLDS, NO_HOLD_MS, assert_all_arrived, messages, shut_down
from own_network import name_server, own_network

from kinesis import KinesisStub
from lambda_environment import LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]
REPOSITORY = Path(__file__).resolve().parents[2]
NAME = "kinesis-stream-logs-extension"
ENDPOINT = "kinesis.us-east-1.amazonaws.com"
BUDGET_BYTES = 6 * 1024 * 1024
ARCHITECTURES = ("x86_64", "arm64")
HERE = platform.machine().replace("aarch64", "arm64")
EMULATORS = {"x86_64": "qemu-x86_64-static", "arm64": "qemu-aarch64-static"}
LAUNCHER = """#!{python} -IS
import os
os.chroot({root!r})
os.chdir("/")
os.execv({command[0]!r}, {command!r})
"""


def layer_of(architecture: str) -> Path:
    binary = REPOSITORY / f"build/layer-{architecture}/extensions/{NAME}"
    if not os.access(binary, os.X_OK):
        why = f"{binary} is not there; run make layer ARCH={architecture} first"
        pytest.fail(why, pytrace=False)
    return binary


def root_with(architecture: str, root: Path) -> list[str]:
    """Puts the binary into `root`, and its emulator when it needs one: the command to start it."""
    root.mkdir()
    shutil.copy(layer_of(architecture), root / NAME)
    if architecture == HERE:
        return [f"/{NAME}"]
    emulator = shutil.which(EMULATORS[architecture])
    assert emulator, f"{EMULATORS[architecture]} is not there; run make build/packages/emulator"
    shutil.copy(emulator, root / "emulator")
    return ["/emulator", "-0", f"/opt/extensions/{NAME}", f"/{NAME}"]


def launcher_of(command: list[str], root: Path, folder: Path) -> Path:
    """What the platform starts: the command, inside of `root`."""
    folder.mkdir()
    launcher = folder / NAME
    launcher.write_text(LAUNCHER.format(python=sys.executable, root=str(root), command=command))
    launcher.chmod(0o755)
    return launcher


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root directory with this machine's binary in it and nothing else."""
    root = tmp_path / "root"
    root_with(HERE, root)
    return root


@pytest.fixture
def launcher(root: Path, tmp_path: Path) -> Path:
    return launcher_of([f"/{NAME}"], root, tmp_path / "launcher")


@pytest.fixture
def names() -> list[str]:
    """Those that lead here; others do not exist."""
    return [ENDPOINT]


@pytest.fixture
def network(names: list[str]) -> Iterator[None]:
    """A network in which the real endpoint's name leads here."""
    with own_network(), name_server(names):
        yield


@pytest.fixture
def real_endpoint(network: None, tmp_path: Path) -> Iterator[KinesisStub]:
    """Kinesis under its real name and port, with a certificate of a private authority."""
    (tmp_path / "certificates").mkdir()
    with KinesisStub(tls_folder=tmp_path / "certificates", tls_names=[ENDPOINT], port=443) as stub:
        yield stub


def name_servers_of(root: Path) -> None:
    (root / "etc").mkdir()
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_registers_ships_and_ends_in_an_empty_root_directory(
    lambda_environment: Environments, kinesis_stub: KinesisStub, tmp_path: Path, architecture: str
) -> None:
    command = root_with(architecture, tmp_path / "root")
    launcher = launcher_of(command, tmp_path / "root", tmp_path / "launcher")
    environment = lambda_environment(kinesis_stub, HOLDS, extensions=(launcher,))
    invocation = environment.invoke(output=numbered_lines(1000))
    assert invocation.undelivered_at_freeze == 0
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, kinesis_stub)


def test_it_ships_over_tls_to_the_real_endpoint_with_the_authority_it_is_given(
    real_endpoint: KinesisStub, lambda_environment: Environments, launcher: Path, root: Path
) -> None:
    name_servers_of(root)
    assert real_endpoint.certificates
    shutil.copy(real_endpoint.certificates.authority, root / "authority.pem")
    variables = {
        **HOLDS,
        "AWS_KINESIS_STREAM_NAME": real_endpoint.stream,
        "AWS_CA_BUNDLE": "/authority.pem",
    }
    environment = lambda_environment(
        variables=variables, credentials=real_endpoint.credentials, extensions=(launcher,)
    )
    for _ in range(3):
        invocation = environment.invoke(output=numbered_lines(1000))
        assert invocation.undelivered_at_freeze == 0
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, real_endpoint)
    assert {request.headers["Host"] for request in real_endpoint.requests()} == {ENDPOINT}


def test_it_trusts_amazon_alone_when_it_is_given_no_authority(
    real_endpoint: KinesisStub, lambda_environment: Environments, launcher: Path, root: Path
) -> None:
    name_servers_of(root)
    variables = {
        **HOLDS,
        "AWS_KINESIS_STREAM_NAME": real_endpoint.stream,
        "EXTENSION_LOG_HOLD_MS": "300",
    }
    environment = lambda_environment(
        variables=variables, credentials=real_endpoint.credentials, extensions=(launcher,)
    )
    assert environment.invoke(output=["a line\n"]).status == "success"
    assert shut_down(environment).exit_code == 0
    assert real_endpoint.requests() == []
    assert any("certificate" in warning for warning in messages(environment, "warn"))


def test_a_name_that_does_not_exist_for_a_while_loses_nothing(
    names: list[str],
    real_endpoint: KinesisStub,
    lambda_environment: Environments,
    launcher: Path,
    root: Path,
) -> None:
    # pain 7
    name_servers_of(root)
    assert real_endpoint.certificates
    shutil.copy(real_endpoint.certificates.authority, root / "authority.pem")
    variables = {
        **HOLDS,
        "AWS_KINESIS_STREAM_NAME": real_endpoint.stream,
        "AWS_CA_BUNDLE": "/authority.pem",
        "EXTENSION_LOG_HOLD_MS": "300",
    }
    environment = lambda_environment(
        variables=variables, credentials=real_endpoint.credentials, extensions=(launcher,)
    )
    names.clear()
    for number in range(2):
        invocation = environment.invoke(output=numbered_lines(10, prefix=f"unknown-{number}"))
        assert invocation.status == "success"
        assert invocation.kept_awake_ms < 600
    names.append(ENDPOINT)
    environment.invoke(output=numbered_lines(10, prefix="known"))
    assert messages(environment, "warn")
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, real_endpoint)


def test_a_name_server_that_never_answers_holds_nothing_up(
    lambda_environment: Environments, kinesis_stub: KinesisStub, launcher: Path, root: Path
) -> None:
    # pain 7
    (root / "etc").mkdir()
    # An address for documentation, where nobody is.
    (root / "etc/resolv.conf").write_text("nameserver 192.0.2.1\n")
    variables = {
        **HOLDS,
        "AWS_KINESIS_STREAM_NAME": kinesis_stub.stream,
        "EXTENSION_LOG_HOLD_MS": "300",
    }
    environment = lambda_environment(
        variables=variables, credentials=kinesis_stub.credentials, extensions=(launcher,)
    )
    for _ in range(2):
        assert environment.invoke(output=["a line\n"]).kept_awake_ms < NO_HOLD_MS
    assert shut_down(environment).exit_code == 0


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_stays_small(architecture: str) -> None:
    # pain 18: the layer's size
    assert layer_of(architecture).stat().st_size <= BUDGET_BYTES
