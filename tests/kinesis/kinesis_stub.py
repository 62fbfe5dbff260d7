# SPDX-License-Identifier: MIT
"""A fast Kinesis that checks every signature and fails when a test wants it to."""

from __future__ import annotations

import base64
import copy
import json
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lambda_environment.settings import Credentials

from .behaviour import Behaviour
from .certificate import Certificates, make_certificates
from .child_server import ChildServer
from .record import Record
from .signature import key_id_of

CREDENTIALS = Credentials("ASIAEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "token==")
TLS_NAMES = ["kinesis.us-east-1.amazonaws.com", "localhost", "127.0.0.1"]


@dataclass(frozen=True)
class StubRequest:
    """One PutRecords request as the stub saw it."""

    at: float
    """time.monotonic() of this machine"""
    connection: int
    """The sender's port: the same number, the same connection."""
    status: int
    """0 when it was not answered"""
    error_type: str
    records: int
    bytes: int
    failed: tuple[int, ...]
    headers: dict[str, str]

    @property
    def key_id(self) -> str:
        """Whose signature it claims to have."""
        return key_id_of(self.headers)


class KinesisStub:
    """Runs in a process of its own, so that it does not disturb what is measured here."""

    def __init__(
        self,
        stream: str = "logs",
        region: str = "us-east-1",
        credentials: Credentials = CREDENTIALS,
        tls_folder: Path | None = None,
        tls_names: list[str] = TLS_NAMES,
        port: int = 0,
    ) -> None:
        """With a folder for its certificates it speaks TLS, with a port it listens there."""
        self.stream = stream
        self.region = region
        self.credentials = credentials
        self.certificates: Certificates | None = None
        self._port = port
        if tls_folder:
            self.certificates = make_certificates(tls_folder, tls_names)

    def __enter__(self) -> KinesisStub:
        settings = {"stream": self.stream, "region": self.region}
        settings["credentials"] = asdict(self.credentials)
        arguments = ["--settings", json.dumps(settings)]
        if self.certificates:
            arguments += ["--certificate", str(self.certificates.server)]
        self._server = ChildServer("kinesis.stub_main", arguments, self._port, control=True)
        try:
            self._server.wait_until_ready()
        except BaseException:
            self._server.stop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._server.stop()

    def new_stream(self) -> KinesisStub:
        """A stream of its own on the same server, which knows nothing of the others."""
        other = copy.copy(self)
        other.stream = f"logs-{uuid.uuid4().hex[:12]}"
        self._server.call("/streams", other.stream)
        return other

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def endpoint(self) -> str:
        scheme, host = ("https", "localhost") if self.certificates else ("http", "127.0.0.1")
        return f"{scheme}://{host}:{self.port}"

    @property
    def variables(self) -> dict[str, str]:
        """What makes the extension write to this server."""
        variables = {
            "AWS_KINESIS_STREAM_NAME": self.stream,
            "AWS_ENDPOINT_URL_KINESIS": self.endpoint,
        }
        if self.certificates:
            variables["AWS_CA_BUNDLE"] = str(self.certificates.authority)
        return variables

    def behave(self, behaviour: Behaviour) -> None:
        """Adds to the script: earlier ones come first; after the last the stub is normal again."""
        self._call("behave", asdict(behaviour))

    def recover(self) -> None:
        """Forgets what is left of the script."""
        self._call("recover", None)

    def accept_only(self, *credentials: Credentials) -> None:
        """From now on other credentials get UnrecognizedClientException."""
        self._call("credentials", [asdict(item) for item in credentials])

    def set_clock(self, offset_s: float) -> None:
        """From now on the service's clock is so much ahead of this machine's."""
        self._call("clock", offset_s)

    def refuse_cbor(self, status: int, error_type: str = "") -> None:
        """From now on this is the answer to every request in CBOR, of which nothing is stored."""
        self._call("refuse_cbor", [status, error_type])

    def requests(self) -> list[StubRequest]:
        """Every request so far, refused ones too."""
        found = self._list("requests")
        return [StubRequest(**{**item, "failed": tuple(item["failed"])}) for item in found]

    def records(self) -> list[Record]:
        """The records that were answered with a sequence number, in the order they came."""
        found = self._list("records")
        return [Record(base64.b64decode(data, validate=True), key) for data, key in found]

    def _call(self, action: str, value: Any) -> None:
        self._server.call(f"/streams/{self.stream}/{action}", [value])

    def _list(self, what: str) -> Any:
        return self._server.call(f"/streams/{self.stream}/{what}")
