# SPDX-License-Identifier: MIT
"""The container image of docs/deploy.md: its Dockerfile's lines, carried out on folders.

There is no Docker here. COPY is done as Docker's reference has it, for what the page uses of it;
anything else fails.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cloud import STREAM_VARIABLE, Cloud
from deploy_page import ROOT, Section

STREAM = "logs-of-images"
EXTENSION = "extensions/kinesis-stream-logs-extension"
COPY = re.compile(r"COPY (?:--chmod=(?P<mode>[0-7]{3}) )?(?P<source>[\w./-]+/) (?P<target>/\S+/)")


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """The build context, as the first step leaves it."""
    folder = tmp_path / "image"
    folder.mkdir()
    script = Section("Container image").script()
    variables = {**os.environ, "IMAGE_FOLDER": str(folder)}
    subprocess.run(["bash", "-euc", script], cwd=ROOT, env=variables, check=True)
    return folder


@pytest.fixture
def image(context: Path, tmp_path: Path) -> Path:
    """The root of the file system that the page's Dockerfile makes of it."""
    root = tmp_path / "root"
    for instruction in "".join(Section("Container image").blocks("dockerfile")).splitlines():
        copy(instruction, context, root)
    return root


def copy(instruction: str, context: Path, root: Path) -> None:
    """COPY of what is in a folder, with its modes. New folders get 755."""
    found = COPY.fullmatch(instruction)
    assert found, f"not a COPY that this test knows: {instruction}"
    for file in sorted((context / found["source"]).rglob("*")):
        assert file.is_file(), f"{file} is not a file"
        target = root / found["target"].lstrip("/") / file.relative_to(context / found["source"])
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        shutil.copy(file, target)
        if found["mode"]:
            target.chmod(int(found["mode"], 8))


def test_the_extension_and_nothing_else_is_where_lambda_looks_for_extensions(image: Path) -> None:
    files = [str(path.relative_to(image)) for path in image.rglob("*") if path.is_file()]

    assert files == [f"opt/{EXTENSION}"]


def test_each_user_of_the_image_may_run_it(image: Path) -> None:
    assert (image / "opt" / EXTENSION).stat().st_mode & 0o777 == 0o755


def test_it_is_the_binary_of_the_layer(image: Path, opt: Path) -> None:
    assert (image / "opt" / EXTENSION).read_bytes() == (opt / EXTENSION).read_bytes()


def test_a_function_of_an_image_gets_the_variable_and_its_logs_arrive(
    cloud: Cloud, image: Path, tmp_path: Path
) -> None:
    cloud.create_function("shop", image=True)
    cloud.run_script(steps_2_to_4_of_the_cli(), tmp_path)
    function = cloud.function("shop")

    assert function["Environment"]["Variables"] == {"STAGE": "prod", STREAM_VARIABLE: STREAM}
    cloud.invoke(function, image / "opt")


def steps_2_to_4_of_the_cli() -> str:
    """As the page says: without the line `Layers`."""
    _, *steps = Section("AWS CLI").blocks("sh")
    without = re.sub(r"^ *Layers: .*\n", "", "".join(steps), flags=re.MULTILINE)
    return f"FUNCTION=shop STREAM={STREAM}\n{without}"
