# SPDX-License-Identifier: MIT
"""An account on this machine (moto) with a function in it, and what is deployed there."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deploy_page import LAYER_ZIP, ROOT

from kinesis import MotoServer, compare, events_in
from kinesis.moto_server import REGION, MotoStream, policy
from lambda_environment import LambdaEnvironment, Settings

VENV = ROOT / "build/venv/bin"
SAM = ROOT / "build/sam-venv/bin"
BASIC_EXECUTION = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
STREAM_VARIABLE = "AWS_KINESIS_STREAM_NAME"


class Cloud:
    """The account, seen by its administrator."""

    def __init__(self, server: MotoServer) -> None:
        self._server = server
        server.let_functions_answer()

    def create_function(self, name: str, image: bool = False) -> None:
        """A function as many are: it logs to CloudWatch, and has a layer and a variable."""
        with self._server.unchecked():
            functions = self._server.client("lambda")
            mine = {"ZipFile": zip_of("app.mjs")}
            layer = functions.publish_layer_version(LayerName=f"of-{name}", Content=mine)
            code = {"ImageUri": f"{name}:1"} if image else mine
            packaged = {"PackageType": "Image"} if image else self._zipped(layer)
            functions.create_function(
                FunctionName=name,
                Role=self._create_role(name),
                Code=code,
                Environment={"Variables": {"STAGE": "prod"}},
                **packaged,
            )

    def run(self, command: Sequence[str | Path], folder: Path = ROOT) -> str:
        """A command on this account: `aws`, SAM and what else asks botocore for its endpoint."""
        administrator = self._server.administrator
        account = {
            "AWS_ENDPOINT_URL": self._server.endpoint,
            "AWS_ACCESS_KEY_ID": administrator.access_key_id,
            "AWS_SECRET_ACCESS_KEY": administrator.secret_access_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "SAM_CLI_TELEMETRY": "0",
            "PATH": f"{VENV}:{os.environ['PATH']}",
        }
        with self._server.unchecked():
            done = subprocess.run(
                command, cwd=folder, env=os.environ | account, capture_output=True
            )
        assert done.returncode == 0, (done.stdout + done.stderr).decode()
        return done.stdout.decode()

    def run_script(self, script: str, folder: Path) -> str:
        """In a folder for what it writes, which has the repository's build/ in it."""
        build = folder / "build"
        if not build.exists():
            build.symlink_to(ROOT / "build")
        return self.run(["bash", "-euo", "pipefail", "-c", script], folder)

    def deploy(self, name: str, template: dict[str, Any]) -> None:
        """A template in which no transform is left."""
        cloudformation = self._server.client("cloudformation")
        cloudformation.create_stack(
            StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"]
        )
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack

    def create_bucket(self, name: str) -> None:
        self._server.client("s3").create_bucket(Bucket=name)

    def upload(self, bucket: str, key: str, body: bytes) -> None:
        self._server.client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    def function(self, start_of_name: str) -> dict[str, Any]:
        """Its configuration; a stack makes up the rest of the name."""
        with self._server.unchecked():
            functions = self._server.client("lambda").list_functions()["Functions"]
        (found,) = (f for f in functions if f["FunctionName"].startswith(start_of_name))
        return found

    def is_our_layer(self, arn: str) -> bool:
        """Whether a version has the bytes of the layer's zip."""
        name, version = arn.split(":")[-2:]
        with self._server.unchecked():
            layer = self._server.client("lambda").get_layer_version(
                LayerName=name, VersionNumber=int(version)
            )
        digest = hashlib.sha256(LAYER_ZIP.read_bytes()).digest()
        return layer["Content"]["CodeSha256"] == base64.b64encode(digest).decode()

    def invoke(self, function: dict[str, Any], opt: Path) -> None:
        """Runs it with what is in /opt: its lines are in its stream, and nowhere else."""
        variables = function["Environment"]["Variables"]
        with self._server.unchecked():
            credentials = self._server.assume(function["Role"])
        settings = Settings(
            extensions=tuple((opt / "extensions").iterdir()),
            variables=variables | {"AWS_ENDPOINT_URL_KINESIS": self._server.endpoint},
            credentials=credentials,
            function_name=function["FunctionName"],
        )
        with LambdaEnvironment(settings) as environment:
            assert environment.start().succeeded
            assert environment.invoke(output=["an order"]).status == "success"
            environment.shutdown()
        arrived = MotoStream(self._server, variables[STREAM_VARIABLE]).records()
        assert not compare(environment.emitted, events_in(arrived)).missing
        logs = self._server.client("logs", credentials)
        with pytest.raises(ClientError, match="AccessDenied"):
            logs.create_log_group(logGroupName=f"/aws/lambda/{function['FunctionName']}")

    def _create_role(self, name: str) -> str:
        iam = self._server.client("iam")
        trust = policy(
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        )
        # Roles have paths: their ARN holds more than their name.
        role = iam.create_role(RoleName=name, Path="/service-role/", AssumeRolePolicyDocument=trust)
        iam.attach_role_policy(RoleName=name, PolicyArn=BASIC_EXECUTION)
        return role["Role"]["Arn"]

    @staticmethod
    def _zipped(layer: dict[str, Any]) -> dict[str, Any]:
        return {
            "Runtime": "nodejs24.x",
            "Handler": "app.handler",
            "Layers": [layer["LayerVersionArn"]],
        }


def zip_of(name: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, "export const handler = async () => {};\n")
    return packed.getvalue()


def unpack(layer: Path, opt: Path) -> Path:
    """What Lambda leaves in /opt of a layer's zip, with the modes of its files."""
    with zipfile.ZipFile(layer) as archive:
        for item in archive.infolist():
            Path(archive.extract(item, opt)).chmod(item.external_attr >> 16 & 0o777)
    return opt
