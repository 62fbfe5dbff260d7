# SPDX-License-Identifier: MIT
"""infra/terraform, formatted, checked and run by OpenTofu, with provider/ for the AWS provider."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOFU = ROOT / "build/tofu/tofu"
OUR_PROVIDER = f"""\
provider_installation {{
  dev_overrides {{
    "hashicorp/aws" = "{TOFU.parent}"
  }}
}}
"""


class Module:
    """A copy of infra/terraform, in a checkout with a layer and the code of a function."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "infra/terraform"
        shutil.copytree(ROOT / "infra/terraform", self.folder)
        (folder / "build").mkdir()
        (folder / "build/layer-x86_64.zip").touch()
        (self.folder / "example/orders.zip").touch()
        self._configuration = folder / "tofu.rc"
        self._configuration.write_text(OUR_PROVIDER)

    def run(self, *command: str, folder: str = ".") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [TOFU, *command],
            cwd=self.folder / folder,
            env=os.environ | {"TF_CLI_CONFIG_FILE": str(self._configuration)},
            capture_output=True,
            text=True,
        )

    def passes(self, *command: str, folder: str = ".") -> str:
        done = self.run(*command, folder=folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def module(tmp_path: Path) -> Module:
    return Module(tmp_path)


def test_it_is_formatted(module: Module) -> None:
    module.passes("fmt", "-check", "-diff", "-recursive", "-no-color")


@pytest.mark.parametrize("folder", [".", "example"])
def test_it_is_valid(module: Module, folder: str) -> None:
    module.passes("get", folder=folder)
    module.passes("validate", "-no-color", folder=folder)


def test_an_argument_that_the_provider_does_not_have_is_found(module: Module) -> None:
    main = module.folder / "main.tf"
    main.write_text(main.read_text().replace("shard_count", "shards"))
    refused = module.run("validate", "-no-color")

    assert refused.returncode != 0
    assert 'An argument named "shards" is not expected here' in refused.stderr


def test_its_own_tests_pass(module: Module) -> None:

    assert ", 0 failed." in module.passes("test", "-no-color")


def test_a_policy_for_all_streams_fails_its_own_tests(module: Module) -> None:
    main = module.folder / "main.tf"
    main.write_text(main.read_text().replace("Resource = local.stream_arn", 'Resource = "*"'))
    failed = module.run("test", "-no-color")

    assert failed.returncode != 0
    assert "The role may write to this stream" in failed.stdout + failed.stderr
