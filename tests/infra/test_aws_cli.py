# SPDX-License-Identifier: MIT
"""The commands of docs/deploy.md, run by bash and the AWS CLI on a function that is there."""

import re
from pathlib import Path

import pytest
from cloud import STREAM_VARIABLE, Cloud
from deploy_page import ARCHITECTURE, Section

STREAM = "lambda-logs-direct-kinesis-no-cloudwatch"


@pytest.fixture(scope="module")
def attached(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    """The function `orders` after the four steps."""
    cloud.create_function("orders")
    cloud.run_script(Section("AWS CLI").script(), tmp_path_factory.mktemp("attached"))
    return cloud


def test_the_function_keeps_what_it_had_and_gets_the_layer_and_the_stream(attached: Cloud) -> None:
    function = attached.function("orders")
    own, ours = (layer["Arn"] for layer in function["Layers"])

    assert ":layer:of-orders:" in own
    assert f":layer:kinesis-stream-logs-extension-{ARCHITECTURE}:" in ours
    assert attached.is_our_layer(ours)
    assert function["Environment"]["Variables"] == {"STAGE": "prod", STREAM_VARIABLE: STREAM}


def test_its_logs_arrive_and_are_seen_by_the_command_for_it(
    attached: Cloud, opt: Path, tmp_path: Path
) -> None:
    attached.invoke(attached.function("orders"), opt)
    _, read = Section("See the logs arrive").blocks("sh")

    assert '"record":"an order' in attached.run_script(f"STREAM={STREAM}\n{read}", tmp_path)


def test_the_command_that_invokes_is_understood(attached: Cloud, tmp_path: Path) -> None:
    invoke, _ = Section("See the logs arrive").blocks("sh")

    assert '"StatusCode": 200' in attached.run_script(f"FUNCTION=orders\n{invoke}", tmp_path)


def test_the_same_commands_bring_a_newer_version_of_the_layer(
    attached: Cloud, tmp_path: Path
) -> None:
    _, before = (layer["Arn"] for layer in attached.function("orders")["Layers"])
    attached.run_script(without_the_stream(Section("AWS CLI").script()), tmp_path)
    own, after = (layer["Arn"] for layer in attached.function("orders")["Layers"])

    assert ":layer:of-orders:" in own
    assert version_of(after) == version_of(before) + 1


def without_the_stream(script: str) -> str:
    """It is there by now."""
    return re.sub(r"^aws kinesis (create|wait|start).*\n", "", script, flags=re.MULTILINE)


def version_of(arn: str) -> int:
    return int(arn.rsplit(":", 1)[1])
