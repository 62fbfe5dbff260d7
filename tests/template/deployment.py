# SPDX-License-Identifier: MIT
"""The template deployed as `sam deploy` does it, to a CloudFormation on this machine.

`sam package` uploads what `sam build` left, SAM's translator does the work of the transform, and
moto's CloudFormation, IAM, Lambda, S3 and Kinesis make the resources.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from kinesis import MotoServer
from kinesis.moto_server import REGION
from lambda_environment import Credentials

ROOT = Path(__file__).parents[2]
SAM = ROOT / "build/sam-venv/bin"
ARCHITECTURE = platform.machine().replace("aarch64", "arm64")
BUILT = ROOT / f"build/sam/{ARCHITECTURE}/template.yaml"
TRANSLATE = Path(__file__).with_name("translate.py")
BUCKET = "deployments"
STACK = "kinesis-stream-logs-extension"


class Deployment:
    """A stack, and what is in it by the names of the template."""

    def __init__(self, server: MotoServer, folder: Path) -> None:
        self._server = server
        server.client("s3").create_bucket(Bucket=BUCKET)
        self._template = self._translate(self._package(folder / "packaged.yaml"))
        cloudformation = server.client("cloudformation")
        cloudformation.create_stack(
            StackName=STACK,
            TemplateBody=json.dumps(self._template),
            Parameters=[{"ParameterKey": "Architecture", "ParameterValue": ARCHITECTURE}],
            Capabilities=["CAPABILITY_IAM"],
        )
        (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack
        self.outputs = {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}
        with server.unchecked():
            # Its configuration, as Lambda has it; but moto forgets its layers.
            self.function = server.client("lambda").get_function_configuration(
                FunctionName=self.outputs["HelloWorldFunctionName"]
            )

    def credentials(self) -> Credentials:
        """What Lambda gives to the function. The role trusts Lambda, not the administrator."""
        with self._server.unchecked():
            return self._server.assume(self.function["Role"])

    def unpack_code(self, folder: Path) -> Path:
        """What Lambda puts into /var/task."""
        return self._unpack(self._only("AWS::Lambda::Function")["Code"], folder)

    def unpack_layer(self, folder: Path) -> Path:
        """What Lambda puts into /opt."""
        return self._unpack(self._only("AWS::Lambda::LayerVersion")["Content"], folder)

    def _package(self, packaged: Path) -> Path:
        """Uploads what was built."""
        command = [SAM / "sam", "package", "--template-file", BUILT, "--s3-bucket", BUCKET]
        command += ["--output-template-file", packaged]
        self._run(command)
        return packaged

    def _translate(self, template: Path) -> dict[str, Any]:
        return json.loads(self._run([SAM / "python", TRANSLATE, template]))

    def _run(self, command: Sequence[str | Path]) -> bytes:
        administrator = self._server.administrator
        variables = {
            "AWS_ENDPOINT_URL": self._server.endpoint,
            "AWS_ACCESS_KEY_ID": administrator.access_key_id,
            "AWS_SECRET_ACCESS_KEY": administrator.secret_access_key,
            "AWS_DEFAULT_REGION": REGION,
            "SAM_CLI_TELEMETRY": "0",
        }
        done = subprocess.run(command, env=os.environ | variables, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def _only(self, resource_type: str) -> dict[str, Any]:
        resources = self._template["Resources"].values()
        (found,) = (item for item in resources if item["Type"] == resource_type)
        return found["Properties"]

    def _read(self, content: dict[str, str]) -> bytes:
        bucket, key = content["S3Bucket"], content["S3Key"]
        return self._server.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()

    def _unpack(self, content: dict[str, str], folder: Path) -> Path:
        """With the modes of the files, of which one is executable."""
        with zipfile.ZipFile(BytesIO(self._read(content))) as archive:
            for item in archive.infolist():
                Path(archive.extract(item, folder)).chmod(item.external_attr >> 16 & 0o777)
        return folder
