# SPDX-License-Identifier: MIT
"""What `make release` leaves: layers, a bill of materials for each, licences and checksums."""

import json
import os
import subprocess
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NAME = "kinesis-stream-logs-extension"
ARCHITECTURES = ("x86_64", "arm64")
EXECUTABLE = 0o755


@pytest.fixture(scope="module")
def release() -> Path:
    """Made by make as somebody types it."""
    ours = {"ARCH", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES"}
    environment = {key: value for key, value in os.environ.items() if key not in ours}
    subprocess.run(["make", "release"], cwd=ROOT, env=environment, check=True)
    return ROOT / "build/release"


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def bill_of(release: Path, architecture: str) -> dict[str, Any]:
    return json.loads(only(release, f"*-{architecture}.cdx.json").read_text())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_zip_is_a_layer_with_the_extension_and_nothing_else(
    release: Path, architecture: str
) -> None:
    with zipfile.ZipFile(only(release, f"*-{architecture}.zip")) as layer:
        (item,) = layer.infolist()
    assert item.filename == f"extensions/{NAME}"
    assert item.external_attr >> 16 & 0o777 == EXECUTABLE


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_bill_names_every_static_library_with_its_version(
    release: Path, architecture: str
) -> None:
    linked = (ROOT / f"build/libraries/{architecture}/VERSIONS").read_text().splitlines()[1:]
    named = {item["name"]: item["version"] for item in bill_of(release, architecture)["components"]}
    assert {tuple(line.split()) for line in linked} <= set(named.items())
    assert set(named) - {line.split()[0] for line in linked} == {
        "ca-certificates",
        "gcc-12",
        "glibc",
    }


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_bill_is_of_this_zip(release: Path, architecture: str) -> None:
    digest = sha256(only(release, f"*-{architecture}.zip").read_bytes()).hexdigest()
    (stated,) = bill_of(release, architecture)["metadata"]["component"]["hashes"]
    assert stated == {"alg": "SHA-256", "content": digest}


def test_the_licences_of_everything_linked_are_there(release: Path) -> None:
    text = (release / "LICENSES.txt").read_text()
    packages = ["libcurl4-openssl-dev", "libmicrohttpd-dev", "libcjson-dev", "libssl-dev"]
    packages += ["libc-ares-dev", "libdeflate-dev", "libc6-dev", "gcc-12-base", "ca-certificates"]
    assert not [name for name in packages if f"===== {name} =====" not in text]
    assert (ROOT / "LICENSE").read_text() in text


def test_the_checksums_are_of_all_files(release: Path) -> None:
    lines = (release / "SHA256SUMS").read_text().splitlines()
    stated = {name: digest for digest, name in (line.split() for line in lines)}
    assert stated == {
        file.name: sha256(file.read_bytes()).hexdigest()
        for file in release.iterdir()
        if file.name != "SHA256SUMS"
    }
