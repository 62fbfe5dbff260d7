# SPDX-License-Identifier: MIT
"""infra/cdk: its types, what `cdk synth` makes of it, and that a stack deployed."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cloud import STREAM_VARIABLE, VENV, Cloud
from deploy_page import ARCHITECTURE, LAYER_ZIP, ROOT, Section

CDK = ROOT / "build/cdk/node_modules"
OF_THIS_MACHINE = f"Architecture.{ARCHITECTURE.upper().replace('ARM64', 'ARM_64')}"
ASSETS = "cdk-hnb659fds-assets-123456789012-us-east-1"
PUBLISHED = (
    f"arn:aws:lambda:us-east-1:123456789012:layer:kinesis-stream-logs-extension-{ARCHITECTURE}:7"
)
IMPORTS = """\
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { orders, stack } from './app.ts';
import { KinesisStreamLogs } from './kinesis-stream-logs.ts';
"""
EXISTING = {"stream": "logs-of-all", "layerArn": PUBLISHED}


class App:
    """infra/cdk in a folder with its packages, for a function with some code."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for file in (ROOT / "infra/cdk").iterdir():
            if file.is_file():
                shutil.copy(file, folder)
        (folder / "node_modules").symlink_to(CDK)
        self.replace("Architecture.X86_64", OF_THIS_MACHINE)
        (folder / "orders").mkdir()
        (folder / "orders/app.mjs").write_text("export const handler = async () => {};\n")

    def replace(self, old: str, new: str) -> None:
        """In app.ts, where it stands once."""
        source = (self.folder / "app.ts").read_text()
        assert source.count(old) == 1, f"app.ts has {old} {source.count(old)} times"
        (self.folder / "app.ts").write_text(source.replace(old, new))

    def run(self, *command: str) -> None:
        variables = {"PATH": f"{VENV}:{os.environ['PATH']}", "CDK_DISABLE_CLI_TELEMETRY": "true"}
        done = subprocess.run(
            [CDK / ".bin" / command[0], *command[1:]],
            cwd=self.folder,
            env=os.environ | variables,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def synth(self, **context: str) -> dict[str, Any]:
        """The template that `cdk deploy` would hand to CloudFormation; its assets lie beside it."""
        options = [option for item in context.items() for option in ("-c", "=".join(item))]
        self.run("cdk", "synth", "--quiet", "--no-notices", "--no-version-reporting", *options)
        return json.loads((self.folder / "cdk.out/orders.template.json").read_text())


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(tmp_path)


def only(template: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = (r for r in template["Resources"].values() if r["Type"] == kind)
    return found["Properties"]


def kinds(template: dict[str, Any]) -> set[str]:
    return {resource["Type"] for resource in template["Resources"].values()}


def test_the_construct_and_what_the_page_shows_of_it_have_the_right_types(app: App) -> None:
    (shown,) = Section("AWS CDK").blocks("ts")
    app.replace("const orders =", "export { stack, orders };\nconst orders =")
    (app.folder / "shown.ts").write_text(IMPORTS + shown.replace("this", "stack"))
    app.run("tsc")


def test_a_function_gets_a_layer_made_of_the_zip_and_its_logs_arrive_in_a_new_stream(
    app: App, cloud: Cloud, opt: Path
) -> None:
    template = app.synth(layerZip=str(LAYER_ZIP))
    layer, function = (only(template, f"AWS::Lambda::{k}") for k in ("LayerVersion", "Function"))
    asset = app.folder / "cdk.out" / f"asset.{layer['Content']['S3Key']}"

    assert asset.read_bytes() == LAYER_ZIP.read_bytes()
    assert layer["CompatibleArchitectures"] == function["Architectures"] == [ARCHITECTURE]
    assert only(template, "AWS::Kinesis::Stream")["StreamEncryption"]["EncryptionType"] == "KMS"
    cloud.deploy("orders", with_assets(cloud, template, app.folder / "cdk.out"))
    deployed = cloud.function("orders-Orders")
    assert deployed["Environment"]["Variables"]["STAGE"] == "prod"
    cloud.invoke(deployed, opt)


def test_a_layer_a_stream_and_logs_in_cloudwatch_are_left_as_they_are_when_asked_for(
    app: App,
) -> None:
    app.replace("stream: stream() }", "stream: stream(), denyCloudWatchLogs: false }")
    template = app.synth(**EXISTING)
    function = only(template, "AWS::Lambda::Function")
    (statement,) = only(template, "AWS::IAM::Policy")["PolicyDocument"]["Statement"]

    assert kinds(template).isdisjoint({"AWS::Kinesis::Stream", "AWS::Lambda::LayerVersion"})
    assert function["Layers"] == [PUBLISHED]
    assert function["Environment"]["Variables"] == {"STAGE": "prod", STREAM_VARIABLE: "logs-of-all"}
    assert (statement["Effect"], statement["Action"]) == ("Allow", "kinesis:PutRecords")
    assert text_of(statement["Resource"]).endswith(":stream/logs-of-all")


def text_of(joined: dict[str, Any]) -> str:
    _, pieces = joined["Fn::Join"]
    return "".join(piece if isinstance(piece, str) else "*" for piece in pieces)


def with_assets(cloud: Cloud, template: dict[str, Any], out: Path) -> dict[str, Any]:
    """The template without what `cdk bootstrap` makes, and its zips in S3."""
    cloud.create_bucket(ASSETS)
    for resource in template["Resources"].values():
        for name in {"Code", "Content"} & resource["Properties"].keys():
            key = resource["Properties"][name]["S3Key"]
            cloud.upload(ASSETS, key, zipped(out / f"asset.{key}"))
    return {"Resources": template["Resources"]}


def zipped(asset: Path) -> bytes:
    """A folder's asset is zipped only by `cdk deploy`."""
    if asset.exists():
        return asset.read_bytes()
    folder = asset.with_suffix("")
    return Path(shutil.make_archive(str(folder), "zip", folder)).read_bytes()
