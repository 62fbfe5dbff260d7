# SPDX-License-Identifier: MIT
"""An STS that knows AssumeRole only, checks who asks, and fails when a test wants it to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from lambda_environment.settings import Credentials

from .signature import Refused, verify

ANSWER = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult>
    <AssumedRoleUser><AssumedRoleId>ARO:x</AssumedRoleId><Arn>{arn}</Arn></AssumedRoleUser>
    <Credentials>
      <AccessKeyId>{credentials.access_key_id}</AccessKeyId>
      <SecretAccessKey>{credentials.secret_access_key}</SecretAccessKey>
      <SessionToken>
       {credentials.session_token}
      </SessionToken>
      <Expiration>{expiration}</Expiration>
    </Credentials>
  </AssumeRoleResult>
  <ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata>
</AssumeRoleResponse>
"""
ERROR = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>
  <RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId>
</ErrorResponse>
"""


class StsStub:
    """Gives the credentials of one role to whoever signs as `caller` and knows the external id."""

    def __init__(self, caller: Credentials, role_arn: str, external_id: str = "") -> None:
        self.caller = caller
        self.role_arn = role_arn
        self.external_id = external_id
        self.region = "us-east-1"
        self.given: list[str] = []
        """The ids of the keys that were given, call by call."""
        self.asked: list[dict[str, str]] = []
        """The parameters of each call."""
        self._credentials: Credentials | None = None
        self._lifetime_s = 3600.0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))

    @property
    def variables(self) -> dict[str, str]:
        """What makes the extension assume the role here."""
        variables = {
            "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{self._server.server_port}",
            "EXTENSION_LOG_ROLE_ARN": self.role_arn,
        }
        if self.external_id:
            variables["EXTENSION_LOG_ROLE_EXTERNAL_ID"] = self.external_id
        return variables

    def give(self, credentials: Credentials | None, lifetime_s: float = 3600.0) -> None:
        """From now on these; None: nobody may have any."""
        self._credentials, self._lifetime_s = credentials, lifetime_s

    @contextmanager
    def running(self) -> Iterator[StsStub]:
        thread = threading.Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, str]:
        now = datetime.now(UTC)
        try:
            verify(self.caller, self.region, headers, body, now, service="sts")
        except Refused as refused:
            return _error(403, refused.error_type, str(refused))
        asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self.asked.append(asked)
        known = asked["RoleArn"] == self.role_arn
        known = known and asked.get("ExternalId", "") == self.external_id
        if not known or asked["Action"] != "AssumeRole" or self._credentials is None:
            message = f"User: me is not authorized to perform: sts:AssumeRole on {self.role_arn}"
            return _error(403, "AccessDenied", message)
        self.given.append(self._credentials.access_key_id)
        expiration = (now + timedelta(seconds=self._lifetime_s)).isoformat(timespec="milliseconds")
        return 200, ANSWER.format(
            arn=self.role_arn, credentials=self._credentials, expiration=expiration
        )


def _error(status: int, code: str, message: str) -> tuple[int, str]:
    return status, ERROR.format(code=code, message=escape(message))


def _handler_of(stub: StsStub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, text = stub.answer(dict(self.headers), body)
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    return Handler
