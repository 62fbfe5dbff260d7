# SPDX-License-Identifier: MIT
"""moto's Kinesis with IAM enforcement: a wrong signature or a missing permission fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config

from lambda_environment.settings import Credentials

from .child_server import ChildServer
from .record import Record

REGION = "us-east-1"
ACCOUNT = "123456789012"
# How many calls moto lets anybody make, as it does at its start.
CHECK_ALL, CHECK_NONE = 0, 1_000_000


class MotoServer:
    """The server and its administrator, whom it lets do everything."""

    def __init__(self, managed_policies: bool = False) -> None:
        """With `managed_policies` it knows those of AWS, such as AWSLambdaBasicExecutionRole."""
        self._options = ["--managed-policies"] if managed_policies else []

    def __enter__(self) -> MotoServer:
        self._server = ChildServer("kinesis.moto_main", self._options)
        try:
            self._server.wait_until_ready()
            self._administrator = self._create_administrator()
            self._server.call("/moto-api/reset-auth", CHECK_ALL)
        except BaseException:
            self._server.stop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._server.stop()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def administrator(self) -> Credentials:
        return self._administrator

    @contextmanager
    def unchecked(self) -> Iterator[None]:
        """Anybody may do everything meanwhile. moto takes good signatures of Lambda's API for bad
        ones."""
        self._server.call("/moto-api/reset-auth", CHECK_NONE)
        try:
            yield
        finally:
            self._server.call("/moto-api/reset-auth", CHECK_ALL)

    def let_functions_answer(self) -> None:
        """Invocations succeed from now on, without a function being run; else moto has Docker run
        it."""
        self._server.call("/moto-api/config", {"lambda": {"use_docker": False}})

    def client(self, service: str = "kinesis", credentials: Credentials | None = None) -> Any:
        """boto3's client; the administrator's unless told otherwise."""
        credentials = credentials or self._administrator
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    def create_stream(self, name: str, shards: int = 2) -> MotoStream:
        kinesis = self.client()
        kinesis.create_stream(StreamName=name, ShardCount=shards)
        kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
        return MotoStream(self, name)

    def create_role(self, name: str, allowed: dict[str, Any]) -> str:
        """The ARN of a role that anybody may assume, and that may do what the statement says."""
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        iam = self.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy(allowed))
        return arn

    def assume(self, role_arn: str) -> Credentials:
        """What a function with this role is given."""
        sts = self.client("sts")
        given = sts.assume_role(RoleArn=role_arn, RoleSessionName="function")["Credentials"]
        return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def counts(self, operation: str) -> dict[int, int]:
        """How often the operation was called, by status of the answer."""
        counts = self._server.call("/counts")
        found = (key.split() for key in counts if key.startswith(f"{operation} "))
        return {int(status): counts[f"{name} {status}"] for name, status in found}

    def _create_administrator(self) -> Credentials:
        self._administrator = Credentials("nobody", "nothing")
        iam = self.client("iam")
        iam.create_user(UserName="administrator")
        document = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
        iam.put_user_policy(UserName="administrator", PolicyName="all", PolicyDocument=document)
        key = iam.create_access_key(UserName="administrator")["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


class MotoStream:
    """A stream, and the credentials of a role that may do nothing but PutRecords on it."""

    def __init__(self, server: MotoServer, name: str) -> None:
        self._server = server
        self.name = name
        self.region = REGION
        self.arn = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}"
        allowed = {"Effect": "Allow", "Action": "kinesis:PutRecords", "Resource": self.arn}
        self.writer_arn = server.create_role(f"writer-of-{name}"[:64], allowed)
        self.credentials = server.assume(self.writer_arn)
        self._calls_before = server.counts("PutRecords")

    @property
    def variables(self) -> dict[str, str]:
        """What makes the extension write to this stream."""
        return {
            "AWS_KINESIS_STREAM_NAME": self.name,
            "AWS_ENDPOINT_URL_KINESIS": self._server.endpoint,
        }

    def client(self, credentials: Credentials | None = None) -> Any:
        """boto3's client; the role's unless told otherwise."""
        return self._server.client(credentials=credentials or self.credentials)

    def records(self) -> list[Record]:
        """Everything in the stream, shard after shard."""
        return read_stream(self._server.client(), self.name)

    def calls(self) -> dict[int, int]:
        """PutRecords requests to the server since this stream was made, by status of the answer."""
        counts = self._server.counts("PutRecords")
        new = {status: counts[status] - self._calls_before.get(status, 0) for status in counts}
        return {status: count for status, count in new.items() if count}


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def read_stream(kinesis: Any, stream: str) -> list[Record]:
    pages = kinesis.get_paginator("list_shards").paginate(StreamName=stream)
    shards = [shard["ShardId"] for page in pages for shard in page["Shards"]]
    return [record for shard in shards for record in _read_shard(kinesis, stream, shard)]


def _read_shard(kinesis: Any, stream: str, shard: str) -> list[Record]:
    iterator = kinesis.get_shard_iterator(
        StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records: list[Record] = []
    while iterator:
        page = kinesis.get_records(ShardIterator=iterator, Limit=1000)
        records += [Record(item["Data"], item["PartitionKey"]) for item in page["Records"]]
        behind = page["MillisBehindLatest"]
        iterator = page.get("NextShardIterator") if page["Records"] or behind else None
    return records
