# SPDX-License-Identifier: MIT
"""read_schema.py FOLDER: writes schema.json, what the AWS provider's resources in infra/ may have.

FOLDER is an unpacked package @cdktf/provider-aws of npm (`npm pack` fetches it), whose classes are
generated from the provider's own schema. They do not say which optional attributes the provider
computes when they are not given; here these are `arn` and `id`.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

RESOURCES = (
    "aws_iam_role",
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
    "aws_kinesis_stream",
    "aws_lambda_function",
    "aws_lambda_layer_version",
)
DATA_SOURCES = ("aws_kinesis_stream", "aws_partition")
SCHEMA = Path(__file__).with_name("schema.json")
# As cdktf names them, in the notation of `terraform providers schema -json`.
TYPES = {
    "string": "string",
    "number": "number",
    "boolean": "bool",
    "stringList": ["list", "string"],
    "numberList": ["list", "number"],
    "stringMap": ["map", "string"],
}
COMPUTED_WHEN_NOT_GIVEN = ("arn", "id")
COMPUTED_TYPES = {
    "string": "string",
    "number": "number",
    "cdktf.IResolvable": "bool",
    "string[]": ["list", "string"],
    "cdktf.StringMap": ["map", "string"],
}
ATTRIBUTE = re.compile(
    r'^ +(\w+): \{\n +value: .*\n +isBlock: (\w+),\n +type: "(\w+)",\n +storageClassType: "(\w+)"',
    re.MULTILINE,
)
VERSION = re.compile(r"providers/hashicorp/aws/([\d.]+)/docs")


class Module:
    """One resource or data source of the package: its types and its code."""

    def __init__(self, package: Path, terraform_name: str) -> None:
        folder = package / "lib" / terraform_name.replace("_", "-")
        self.types = (folder / "index.d.ts").read_text()
        self.code = (folder / "index.js").read_text()
        self.name = terraform_name.title().replace("_", "")

    def schema(self) -> dict[str, Any]:
        start = self.code.index("synthesizeHclAttributes()")
        configured = self._block(self.code[start:], f"{self.name}Config")
        configured["attributes"] = self._computed() | configured["attributes"]
        return {"block": configured}

    def _block(self, code: str, interface: str) -> dict[str, Any]:
        """The attributes that code puts together, up to the end of its object."""
        attributes, blocks = {}, {}
        optional = self._optional(interface)
        for name, is_block, kind, storage in ATTRIBUTE.findall(code[: code.index("};")]):
            if is_block == "true":
                blocks[name] = self._nested(kind, storage, camel(name) in optional)
            else:
                need = "optional" if camel(name) in optional else "required"
                attributes[name] = {"type": of_kind(kind, TYPES[storage]), need: True}
                if need == "optional" and name in COMPUTED_WHEN_NOT_GIVEN:
                    attributes[name]["computed"] = True
        return {"attributes": attributes, "block_types": blocks}

    def _nested(self, kind: str, storage: str, optional: bool) -> dict[str, Any]:
        interface = storage.removesuffix("List")
        function = interface[0].lower() + interface[1:] + "ToHclTerraform(struct) {"
        nesting = {"struct": "single"}.get(kind, kind)
        block = self._block(self.code[self.code.index(function) :], interface)
        return {"nesting_mode": nesting, "block": block, "min_items": int(not optional)}

    def _optional(self, interface: str) -> set[str]:
        return set(re.findall(r"readonly (\w+)\?:", self._body("interface", interface)))

    def _computed(self) -> dict[str, Any]:
        getters = re.findall(r"^    get (\w+)\(\): (.+);$", self._body("class", self.name), re.M)
        return {
            snake(name): {"type": COMPUTED_TYPES[kind], "computed": True}
            for name, kind in getters
            if kind in COMPUTED_TYPES and not name.endswith("Input")
        }

    def _body(self, kind: str, name: str) -> str:
        found = re.search(rf"{kind} {name} .*?^}}", self.types, re.DOTALL | re.MULTILINE)
        assert found, f"there is no {kind} {name}"
        return found[0]


def of_kind(kind: str, attribute_type: str | list[str]) -> str | list[str]:
    return ["set", attribute_type[1]] if kind == "set" else attribute_type


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def snake(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


def main() -> None:
    package = Path(sys.argv[1])
    resources = {name: Module(package, name.removeprefix("aws_")) for name in RESOURCES}
    data = {name: Module(package, name.replace("aws", "data_aws", 1)) for name in DATA_SOURCES}
    version = VERSION.search(next(iter(resources.values())).types)
    assert version
    schemas = {
        "version": version[1],
        "resource_schemas": {name: module.schema() for name, module in resources.items()},
        "data_source_schemas": {name: module.schema() for name, module in data.items()},
    }
    SCHEMA.write_text(json.dumps(schemas, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
