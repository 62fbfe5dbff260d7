# SPDX-License-Identifier: MIT
"""What template.yaml deploys, read after SAM's own translation and with the parameters put in."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SAM_PYTHON = ROOT / "build/sam-venv/bin/python"
STREAM_ARN = "KinesisLogStream.Arn"
NO_VALUE = "<AWS::NoValue>"


class Stack:
    """A translated template and the values of its parameters."""

    def __init__(self, template: dict[str, Any], **parameters: Any) -> None:
        defaults = {name: p["Default"] for name, p in template["Parameters"].items()}
        self.values = defaults | parameters
        self.conditions = template["Conditions"]
        self.resources = self._resolve(template["Resources"])
        self.outputs = self._resolve(template["Outputs"])

    def only(self, resource_type: str) -> dict[str, Any]:
        (found,) = (r for r in self.resources.values() if r["Type"] == resource_type)
        return found["Properties"]

    def statements(self) -> dict[str, dict[str, Any]]:
        policies = self.only("AWS::IAM::Role")["Policies"]
        return {s["Sid"]: s for p in policies for s in p["PolicyDocument"]["Statement"]}

    def _resolve(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._resolve(item) for item in node]
        if not isinstance(node, dict):
            return node
        match list(node.items()):
            case [("Ref", name)]:
                return self.values.get(name, f"<{name}>")
            case [("Fn::GetAtt", [name, attribute])]:
                return f"{name}.{attribute}"
            case [("Fn::Sub", text)]:
                return re.sub(r"\$\{([\w:.]+)\}", lambda m: str(self._resolve({"Ref": m[1]})), text)
            case [("Fn::Equals", [left, right])]:
                return self._resolve(left) == self._resolve(right)
            case [("Fn::If", [condition, yes, no])]:
                return self._resolve(yes if self._resolve(self.conditions[condition]) else no)
        resolved = {key: self._resolve(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value != NO_VALUE}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    command = [SAM_PYTHON, Path(__file__).with_name("translate.py"), ROOT / "template.yaml"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def test_the_function_may_put_records_into_this_stream_and_do_nothing_else(
    template: dict[str, Any],
) -> None:
    allowed = [s for s in Stack(template).statements().values() if s["Effect"] == "Allow"]

    assert [(s["Action"], s["Resource"]) for s in allowed] == [("kinesis:PutRecords", STREAM_ARN)]


def test_everything_that_sams_managed_policy_allows_is_denied(template: dict[str, Any]) -> None:
    stack = Stack(template)
    (managed,) = stack.only("AWS::IAM::Role")["ManagedPolicyArns"]
    deny = stack.statements()["CloudWatchLogsDeny"]

    assert managed.endswith("/AWSLambdaBasicExecutionRole")
    assert deny["Effect"] == "Deny"
    assert deny["Action"] == ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    assert deny["Resource"] == "arn:<AWS::Partition>:logs:*:*:*"


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_the_function_carries_the_layer_of_its_own_architecture(
    template: dict[str, Any], architecture: str
) -> None:
    stack = Stack(template, Architecture=architecture)
    function = stack.only("AWS::Lambda::Function")
    (layer_name,) = (n for n, r in stack.resources.items() if "LayerVersion" in r["Type"])

    assert function["Layers"] == [f"<{layer_name}>"]
    assert function["Architectures"] == [architecture]
    assert stack.resources[layer_name]["Properties"]["CompatibleArchitectures"] == [architecture]


def test_the_extension_is_told_the_stream_of_this_stack(template: dict[str, Any]) -> None:
    variables = Stack(template).only("AWS::Lambda::Function")["Environment"]["Variables"]

    assert variables == {"AWS_KINESIS_STREAM_NAME": "<KinesisLogStream>"}


def test_the_stream_is_encrypted(template: dict[str, Any]) -> None:
    encryption = Stack(template).only("AWS::Kinesis::Stream")["StreamEncryption"]

    assert encryption == {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}


def test_a_provisioned_stream_has_the_shards_asked_for(template: dict[str, Any]) -> None:
    stream = Stack(template, KinesisShardCount=3).only("AWS::Kinesis::Stream")

    assert stream["StreamModeDetails"] == {"StreamMode": "PROVISIONED"}
    assert stream["ShardCount"] == 3


def test_an_on_demand_stream_names_no_shards(template: dict[str, Any]) -> None:
    stream = Stack(template, KinesisStreamMode="ON_DEMAND").only("AWS::Kinesis::Stream")

    assert stream["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    assert "ShardCount" not in stream


def test_the_retention_stays_within_what_kinesis_accepts(template: dict[str, Any]) -> None:
    retention = template["Parameters"]["KinesisRetentionHours"]
    stream = Stack(template, KinesisRetentionHours=48).only("AWS::Kinesis::Stream")

    assert (retention["Default"], retention["MinValue"], retention["MaxValue"]) == (24, 24, 8760)
    assert stream["RetentionPeriodHours"] == 48


@pytest.mark.parametrize("output", ["InvokeCommand", "ReadCommand"])
def test_the_commands_in_the_outputs_are_shell(template: dict[str, Any], output: str) -> None:
    command = Stack(template).outputs[output]["Value"].replace("<", "").replace(">", "")

    subprocess.run(["bash", "-n", "-c", command], check=True)


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_sam_builds_the_layer_for_the_architecture_of_the_template(architecture: str) -> None:
    assert arch_of_sams_make(architecture).stdout.strip() == architecture
    assert arch_of_sams_make(architecture, ARCH=architecture).returncode == 0


def test_sam_refuses_an_architecture_that_is_not_the_templates() -> None:
    refused = arch_of_sams_make("x86_64", ARCH="arm64")

    assert refused.returncode != 0
    assert "sam build --parameter-overrides Architecture=arm64" in refused.stderr


def arch_of_sams_make(architecture: str, **variables: str) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if k not in ("ARCH", "MAKEFLAGS", "MAKELEVEL")}
    command = ["make", "--no-print-directory", "--makefile", f".make/sam/{architecture}/Makefile"]
    command += ["--eval", "show-arch: ; @echo $$ARCH", "show-arch"]
    environment = inherited | variables
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
