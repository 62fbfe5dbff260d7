# SPDX-License-Identifier: MIT
"""The binary of the layer needs nothing beside itself: it runs in an empty root directory.

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
from outcome import HOLDS, assert_all_arrived, messages, shut_down
from own_network import name_server, own_network

from kinesis import KinesisStub
from lambda_environment import LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]
REPOSITORY = Path(__file__).resolve().parents[2]
NAME = "kinesis-stream-logs-extension"
ENDPOINT = "kinesis.us-east-1.amazonaws.com"
BUDGET_BYTES = 6 * 1024 * 1024
LAUNCHER = """#!{python} -IS
import os
os.chroot({root!r})
os.chdir("/")
os.execv("/{name}", ["{name}"])
"""


@pytest.fixture(scope="session")
def layer_binary() -> Path:
    """LAYER_BINARY, else what `make layer` has made for this machine."""
    machine = platform.machine().replace("aarch64", "arm64")
    made = REPOSITORY / f"build/layer-{machine}/extensions/{NAME}"
    binary = Path(os.environ.get("LAYER_BINARY", made)).resolve()
    if not os.access(binary, os.X_OK):
        pytest.fail(f"{binary} is not there or not executable; run make layer first", pytrace=False)
    return binary


@pytest.fixture
def root(layer_binary: Path, tmp_path: Path) -> Path:
    """A root directory with the binary in it and nothing else."""
    root = tmp_path / "root"
    root.mkdir()
    shutil.copy(layer_binary, root / NAME)
    return root


@pytest.fixture
def launcher(root: Path, tmp_path: Path) -> Path:
    """What the platform starts: the binary, inside of `root`."""
    launcher = tmp_path / "launcher" / NAME
    launcher.parent.mkdir()
    launcher.write_text(LAUNCHER.format(python=sys.executable, root=str(root), name=NAME))
    launcher.chmod(0o755)
    return launcher


@pytest.fixture
def network() -> Iterator[None]:
    """A network in which the real endpoint's name leads here."""
    with own_network(), name_server([ENDPOINT]):
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


def test_it_registers_ships_and_ends_in_an_empty_root_directory(
    lambda_environment: Environments, kinesis_stub: KinesisStub, launcher: Path
) -> None:
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
        assert environment.invoke(output=["a line\n"]).kept_awake_ms < 600
    assert shut_down(environment).exit_code == 0


def test_it_stays_small(layer_binary: Path) -> None:
    # pain 18: the layer's size
    assert layer_binary.stat().st_size <= BUDGET_BYTES
