# SPDX-License-Identifier: MIT
"""The pieces of docs/deploy.md put into a template of SAM, which is packaged and deployed."""

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
from cloud import SAM, Cloud, zip_of
from deploy_page import ROOT, Section

TRANSLATE = ROOT / "tests/template/translate.py"
BUCKET = "sam-packages"
BEFORE = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
{resources}
  Bills:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs24.x
      Handler: app.handler
      CodeUri: bills.zip
{properties}
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In a folder with the function's code, and with the layer where the page says."""
    folder = tmp_path_factory.mktemp("sam")
    (folder / "bills.zip").write_bytes(zip_of("app.mjs"))
    (folder / "build").symlink_to(ROOT / "build")
    layer, stream, properties = Section("AWS SAM").blocks("yaml")
    text = BEFORE.format(
        resources=textwrap.indent(f"{layer}\n{stream}", "  "),
        properties=textwrap.indent(properties, "      "),
    )
    (folder / "template.yaml").write_text(text)
    return folder / "template.yaml"


def test_the_template_is_valid(cloud: Cloud, template: Path) -> None:
    cloud.run([SAM / "sam", "validate", "--lint", "--template-file", template])


def test_the_function_has_the_layer_and_its_logs_arrive(
    cloud: Cloud, template: Path, opt: Path
) -> None:
    translated = translate(cloud, package(cloud, template))
    cloud.deploy("bills", translated)

    (function,) = resources(translated, "AWS::Lambda::Function")
    assert [layer["Ref"][: len("KinesisStreamLogsExtension")] for layer in function["Layers"]] == [
        "KinesisStreamLogsExtension"
    ]
    cloud.invoke(cloud.function("bills-Bills"), opt)


def package(cloud: Cloud, template: Path) -> Path:
    """What `sam deploy` does first: the zips are in S3 then."""
    cloud.create_bucket(BUCKET)
    packaged = template.with_name("packaged.yaml")
    command = [SAM / "sam", "package", "--template-file", template, "--s3-bucket", BUCKET]
    cloud.run([*command, "--output-template-file", packaged])
    return packaged


def translate(cloud: Cloud, template: Path) -> dict[str, Any]:
    return json.loads(cloud.run([SAM / "python", TRANSLATE, template]))


def resources(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [r["Properties"] for r in template["Resources"].values() if r["Type"] == kind]
