# SPDX-License-Identifier: MIT
"""The stack of template.yaml at work: its function in the local Lambda environment, with the layer,
the variables and the role that the stack gave it, against a Kinesis that enforces IAM."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployment import Deployment

from kinesis import MotoServer, compare, events_in
from kinesis.moto_server import MotoStream
from lambda_environment import Credentials, LambdaEnvironment, Settings

Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def server() -> Iterator[MotoServer]:
    with MotoServer(managed_policies=True) as server:
        yield server


@pytest.fixture(scope="module")
def deployment(server: MotoServer, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return Deployment(server, tmp_path_factory.mktemp("deployment"))


@pytest.fixture(scope="module")
def credentials(deployment: Deployment) -> Credentials:
    return deployment.credentials()


@pytest.fixture
def client(server: MotoServer, credentials: Credentials) -> Client:
    """A client of a service with the function's role."""
    return lambda service: server.client(service, credentials)


def test_the_function_logs_to_the_stream_of_the_stack(
    server: MotoServer, deployment: Deployment, credentials: Credentials, tmp_path: Path
) -> None:
    extensions = deployment.unpack_layer(tmp_path / "opt") / "extensions"
    function = deployment.function
    settings = Settings(
        extensions=tuple(extensions.iterdir()),
        variables=function["Environment"]["Variables"]
        | {"AWS_ENDPOINT_URL_KINESIS": server.endpoint},
        credentials=credentials,
        task_root=deployment.unpack_code(tmp_path / "task"),
        handler=function["Handler"],
        function_name=function["FunctionName"],
        memory_mb=function["MemorySize"],
        timeout_s=function["Timeout"],
    )
    with LambdaEnvironment(settings) as environment:
        assert environment.start().succeeded
        assert environment.invoke(payload={"name": "Kinesis"}).status == "success"
        ended = environment.shutdown("SPINDOWN")
    assert {end.exit_code for end in ended.values()} == {0}
    arrived = events_in(stream_of(server, deployment).records())
    assert any(event["type"] == "function" for event in arrived)
    assert not compare(environment.emitted, arrived).missing


def test_the_role_lets_the_function_put_records_into_the_stream_of_the_stack_only(
    server: MotoServer, deployment: Deployment, client: Client
) -> None:
    server.create_stream("another")
    own, record = deployment.outputs["KinesisStreamName"], {"Data": b"x", "PartitionKey": "x"}
    client("kinesis").put_records(StreamName=own, Records=[record])
    with pytest.raises(ClientError, match="AccessDenied"):
        client("kinesis").put_records(StreamName="another", Records=[record])


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("kinesis", "put_record", {"StreamName": "{stream}", "Data": b"", "PartitionKey": "x"}),
        ("kinesis", "describe_stream_summary", {"StreamName": "{stream}"}),
        ("kinesis", "list_shards", {"StreamName": "{stream}"}),
        ("kinesis", "delete_stream", {"StreamName": "{stream}"}),
        ("s3", "list_buckets", {}),
        ("logs", "create_log_group", {"logGroupName": "/aws/lambda/hello-world"}),
        ("logs", "create_log_stream", {"logGroupName": "/aws/lambda/x", "logStreamName": "x"}),
        (
            "logs",
            "put_log_events",
            {
                "logGroupName": "/aws/lambda/x",
                "logStreamName": "x",
                "logEvents": [{"timestamp": 1, "message": "x"}],
            },
        ),
    ],
)
def test_the_role_lets_the_function_do_nothing_else(
    deployment: Deployment, client: Client, service: str, operation: str, arguments: dict[str, Any]
) -> None:
    stream = deployment.outputs["KinesisStreamName"]
    given = {key: stream if value == "{stream}" else value for key, value in arguments.items()}
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(client(service), operation)(**given)


def stream_of(server: MotoServer, deployment: Deployment) -> MotoStream:
    return MotoStream(server, deployment.outputs["KinesisStreamName"])
