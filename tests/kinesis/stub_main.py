# SPDX-License-Identifier: MIT
"""The stub's server: PutRecords in JSON 1.1 or CBOR, signatures checked, faults on demand.

python -m kinesis.stub_main --fd N --settings JSON [--certificate PEM --control-fd N]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import random
import socket
import ssl
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from lambda_environment.settings import Credentials

from .behaviour import Behaviour, Script
from .child_server import end_with_parent
from .protocol import CBOR, JSON, PROTOCOLS, Protocol
from .signature import Refused, key_id_of, verify

TARGET = "Kinesis_20131202.PutRecords"
BODY_BYTES_MAX = 16 * 1024 * 1024
# Limits of the service, on data and keys, however they are written.
RECORDS_MAX = 500
RECORD_BYTES_MAX = 1024 * 1024
REQUEST_BYTES_MAX = 10 * 1024 * 1024


@dataclass
class Request:
    """One request as it came, and what became of it."""

    at: float
    connection: int
    status: int
    error_type: str
    records: int
    bytes: int
    failed: list[int]
    headers: dict[str, str]


class Stream:
    """A stream, who may write to it, and what it does to requests."""

    def __init__(self, credentials: Credentials, region: str, stream: str) -> None:
        self.name = stream
        self._credentials = [credentials]
        self._region = region
        self._script = Script()
        self._clock_offset = timedelta()
        self._cbor_refusal: tuple[int, str] | None = None
        self._chance = random.Random(1)
        self._requests: list[Request] = []
        # Bodies are kept as they are and taken apart only when a test asks for the records.
        self._stored: list[tuple[Protocol, bytes, list[int]]] = []
        self._sequence = 0

    async def put_records(self, http: web.Request, body: bytes) -> web.StreamResponse:
        connection = http.transport.get_extra_info("peername")[1] if http.transport else 0
        headers = dict(http.headers)
        request = Request(time.monotonic(), connection, 0, "", 0, len(body), [], headers)
        self._requests.append(request)
        now = datetime.now(UTC) + self._clock_offset
        try:
            verify(self._signer(http), self._region, http.headers, body, now)
            answer = await self._serve(http, request, body, self._script.next())
        except Refused as refused:
            request.status, request.error_type = 403, refused.error_type
            answer = error(protocol_of(http), 403, refused.error_type, str(refused))
        answer.headers["Date"] = format_datetime(now, usegmt=True)
        return answer

    def _signer(self, http: web.Request) -> Credentials:
        """Who claims to have signed; somebody else when that one is not known."""
        claimed = key_id_of(http.headers)
        known = [item for item in self._credentials if item.access_key_id == claimed]
        return (known or self._credentials)[0]

    async def _serve(
        self, http: web.Request, request: Request, body: bytes, behaviour: Behaviour
    ) -> web.StreamResponse:
        if behaviour.hang:
            await asyncio.Event().wait()
        if behaviour.close:
            return hang_up(http)
        answer = self._answer(http, request, body, behaviour)
        if behaviour.store_and_close:
            return hang_up(http)
        await asyncio.sleep(behaviour.delay_s)
        return answer

    def _answer(
        self, http: web.Request, request: Request, body: bytes, behaviour: Behaviour
    ) -> web.Response:
        protocol = protocol_of(http)
        if self._cbor_refusal and protocol is CBOR:
            request.status, request.error_type = self._cbor_refusal
            return error(JSON, *self._cbor_refusal, "made by a test")
        request.records = protocol.count(body)
        request.status, request.error_type = behaviour.status, behaviour.error_type
        if behaviour.status != 200:
            return error(protocol, behaviour.status, behaviour.error_type, behaviour.message)
        mistake = self._mistake(http, request, body)
        if mistake:
            request.status, request.error_type = 400, mistake[0]
            return error(protocol, 400, *mistake)
        request.failed = behaviour.failing(request.records, self._chance)
        self._stored.append((protocol, body, request.failed))
        return self._result(protocol, request, behaviour)

    def _mistake(self, http: web.Request, request: Request, body: bytes) -> tuple[str, str] | None:
        if http.headers.get("X-Amz-Target") != TARGET:
            return "UnknownOperationException", "only PutRecords is served"
        protocol = PROTOCOLS.get(http.headers.get("Content-Type", ""))
        if not protocol:
            return "SerializationException", f"Content-Type is none of {', '.join(PROTOCOLS)}"
        if not 1 <= request.records <= RECORDS_MAX:
            return "InvalidArgumentException", f"{request.records} records"
        # A body this small cannot break the limits on bytes.
        if len(body) > RECORD_BYTES_MAX and (mistake := _size_mistake(protocol, body)):
            return "InvalidArgumentException", mistake
        if protocol.stream_of(body) != self.name:
            return "ResourceNotFoundException", "no such stream"
        return None

    def _result(self, protocol: Protocol, request: Request, behaviour: Behaviour) -> web.Response:
        failed = set(request.failed)
        failure = {"ErrorCode": behaviour.error_code, "ErrorMessage": behaviour.message}
        results: list[dict[str, str]] = []
        for place in range(request.records):
            self._sequence += 1
            stored = {"SequenceNumber": str(self._sequence), "ShardId": "shardId-000000000000"}
            results.append(failure if place in failed else stored)
        body = protocol.written({"FailedRecordCount": len(failed), "Records": results})
        if behaviour.cut:
            body = body[: len(body) // 2]
        return web.Response(body=body, content_type=protocol.content_type)

    # What the test wants and sees.

    def behave(self, wanted: dict[str, Any]) -> None:
        wanted["fail_records"] = tuple(wanted["fail_records"])
        self._script.add(Behaviour(**wanted))

    def recover(self, _: Any) -> None:
        self._script = Script()

    def accept_only(self, credentials: list[dict[str, Any]]) -> None:
        self._credentials = [Credentials(**item) for item in credentials]

    def set_clock(self, offset_s: float) -> None:
        self._clock_offset = timedelta(seconds=offset_s)

    def refuse_cbor(self, refusal: tuple[int, str]) -> None:
        self._cbor_refusal = refusal

    def requests(self) -> list[dict[str, Any]]:
        return [asdict(request) for request in self._requests]

    def records(self) -> list[list[str]]:
        return [
            [base64.b64encode(data).decode(), key]
            for protocol, body, failed in self._stored
            for place, (data, key) in enumerate(protocol.records(body))
            if place not in failed
        ]


class KinesisApplication:
    """All streams. A request for one that does not exist goes to the first, which refuses it."""

    def __init__(self, credentials: Credentials, region: str, stream: str) -> None:
        self._settings = (credentials, region)
        self._first = Stream(credentials, region, stream)
        self._streams = {stream: self._first}

    def service(self) -> web.Application:
        application = web.Application(client_max_size=BODY_BYTES_MAX)
        application.router.add_post("/", self._put_records)
        return application

    def control(self) -> web.Application:
        application = web.Application(client_max_size=BODY_BYTES_MAX)
        application.router.add_post("/streams", self._add_stream)
        application.router.add_post("/streams/{name}/{action}", self._act)
        application.router.add_get("/streams/{name}/{list}", self._list)
        return application

    async def _put_records(self, http: web.Request) -> web.StreamResponse:
        body = await http.read()
        name = protocol_of(http).stream_of(body)
        stream = self._streams.get(name or "", self._first)
        return await stream.put_records(http, body)

    async def _add_stream(self, http: web.Request) -> web.Response:
        name = await http.json()
        self._streams[name] = Stream(*self._settings, name)
        return web.json_response({})

    async def _act(self, http: web.Request) -> web.Response:
        stream = self._streams[http.match_info["name"]]
        actions = {
            "behave": stream.behave,
            "recover": stream.recover,
            "credentials": stream.accept_only,
            "clock": stream.set_clock,
            "refuse_cbor": stream.refuse_cbor,
        }
        [value] = await http.json()
        actions[http.match_info["action"]](value)
        return web.json_response({})

    async def _list(self, http: web.Request) -> web.Response:
        stream = self._streams[http.match_info["name"]]
        lists = {"requests": stream.requests, "records": stream.records}
        return web.json_response(lists[http.match_info["list"]]())


def hang_up(http: web.Request) -> web.StreamResponse:
    assert http.transport
    http.transport.close()
    return web.StreamResponse()


def protocol_of(http: web.Request) -> Protocol:
    return PROTOCOLS.get(http.headers.get("Content-Type", ""), JSON)


def error(protocol: Protocol, status: int, error_type: str, message: str) -> web.Response:
    """Without a type it is the bare status, as something before the service would say it."""
    if not error_type:
        return web.Response(status=status)
    body = protocol.written({"__type": error_type, "message": message})
    return web.Response(status=status, body=body, content_type=protocol.content_type)


def _size_mistake(protocol: Protocol, body: bytes) -> str | None:
    sizes = [len(data) + len(key) for data, key in protocol.records(body)]
    if max(sizes) > RECORD_BYTES_MAX:
        return f"a record of {max(sizes)} bytes"
    if sum(sizes) > REQUEST_BYTES_MAX:
        return f"a request of {sum(sizes)} bytes"
    return None


async def listen(application: web.Application, fd: int, tls: ssl.SSLContext | None) -> None:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.SockSite(runner, socket.socket(fileno=fd), ssl_context=tls).start()


async def serve(arguments: argparse.Namespace) -> None:
    settings: dict[str, Any] = json.loads(arguments.settings)
    credentials = Credentials(**settings.pop("credentials"))
    kinesis = KinesisApplication(credentials, **settings)
    tls = None
    if arguments.certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(arguments.certificate)
    await listen(kinesis.service(), arguments.fd, tls)
    await listen(kinesis.control(), arguments.control_fd, None)
    end_with_parent()
    print("ready", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--control-fd", type=int, required=True)
    parser.add_argument("--settings", required=True)
    parser.add_argument("--certificate")
    asyncio.run(serve(parser.parse_args()))


main()
