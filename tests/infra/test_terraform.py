# SPDX-License-Identifier: MIT
"""infra/terraform, read: its names and arguments, against the schema of the AWS provider.

`make terraform` has OpenTofu check and run it, which takes minutes to build.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
import pytest
from deploy_page import ROOT, Section

MODULE = ROOT / "infra/terraform"
SCHEMA = json.loads((ROOT / "tests/terraform/provider/schema.json").read_text())
KINDS = {"resource": "resource_schemas", "data": "data_source_schemas"}
OF_EVERY_BLOCK = {"count", "lifecycle"}
OF_EVERY_MODULE = {"source"}
REFERENCE = re.compile(r"(?<![\w.])((?:var|local|(?:data\.)?aws_\w+)\.\w+)")


class Configuration:
    """The .tf files of a folder, or what a page shows of them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.parsed = hcl2.loads(text)

    @classmethod
    def of(cls, folder: Path) -> "Configuration":
        return cls("\n".join(file.read_text() for file in sorted(folder.glob("*.tf"))))

    def labelled(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The blocks of a kind with one label."""
        for item in self.parsed.get(kind, []):
            for name, body in item.items():
                yield unquoted(name), body

    def resources(self) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
        """Kind, type, name and body of each resource and data source."""
        for kind in KINDS:
            for resource_type, named in self.labelled(kind):
                for name, body in named.items():
                    yield kind, resource_type, unquoted(name), body

    def variables(self) -> dict[str, bool]:
        """Each variable, and whether it has to be given."""
        return {name: "default" not in body for name, body in self.labelled("variable")}

    def names(self) -> set[str]:
        """What can be referred to: var.x, local.x, aws_type.x and data.aws_type.x."""
        resources = {
            f"{'data.' if kind == 'data' else ''}{resource_type}.{name}"
            for kind, resource_type, name, _ in self.resources()
        }
        local = {
            f"local.{name}" for block in self.parsed.get("locals", []) for name in given(block)
        }
        return resources | local | {f"var.{name}" for name in self.variables()}

    def references(self) -> set[str]:
        return set(REFERENCE.findall(re.sub("#.*", "", self.text)))


def unquoted(name: str) -> str:
    return name.strip('"')


def given(body: dict[str, Any]) -> set[str]:
    """The arguments and blocks; the parser adds what it says itself, in underscores."""
    return {unquoted(name) for name in body if not name.startswith("__")}


SHOWN = {
    "example": Configuration.of(MODULE / "example"),
    "page": Configuration("\n".join(Section("Terraform").blocks("hcl"))),
}
FOLDERS = [MODULE, MODULE / "example"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_provider_knows_each_argument_and_none_is_missing(folder: Path) -> None:
    resources = list(Configuration.of(folder).resources())
    assert resources
    for kind, resource_type, name, body in resources:
        block = SCHEMA[KINDS[kind]][resource_type]["block"]
        known = block["attributes"] | block["block_types"]
        needed = {n for n, a in block["attributes"].items() if a.get("required")}
        assert given(body) - OF_EVERY_BLOCK <= known.keys(), f"{resource_type}.{name}"
        assert needed <= given(body), f"{resource_type}.{name}"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_is_referred_to_is_there(folder: Path) -> None:
    configuration = Configuration.of(folder)
    referred = configuration.references()

    assert referred
    assert referred <= configuration.names()


@pytest.mark.parametrize("shown", SHOWN)
def test_the_module_has_each_variable_that_it_is_given_and_none_is_missing(shown: str) -> None:
    ((_, call),) = SHOWN[shown].labelled("module")
    variables = Configuration.of(MODULE).variables()

    assert given(call) - OF_EVERY_MODULE <= variables.keys()
    assert {name for name, needed in variables.items() if needed} <= given(call)


@pytest.mark.parametrize("shown", SHOWN)
def test_the_function_takes_what_the_module_puts_out(shown: str) -> None:
    outputs = {name for name, _ in Configuration.of(MODULE).labelled("output")}
    taken = set(re.findall(r"module\.kinesis_logs\.(\w+)", SHOWN[shown].text))

    assert taken == {"layers", "environment"}
    assert taken <= outputs


def test_the_page_names_variables_that_there_are() -> None:
    named = re.findall(r"`(\w+_\w+)(?: = \w+)?`", Section("Terraform").text)

    assert {"layer_arn", "layer_zip", "create_stream"} <= set(named)
    assert set(named) <= Configuration.of(MODULE).variables().keys()
