# SPDX-License-Identifier: MIT
"""PutRecords on the wire, in each of the two protocols that Kinesis takes it in."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import cbor2


class Json:
    """JSON 1.1. Whole bodies are parsed only when a test asks for the records."""

    content_type = "application/x-amz-json-1.1"
    _stream = re.compile(rb'"Stream(?:Name|ARN)"\s*:\s*"(?:[^"]*/)?([^"/]+)"')

    def stream_of(self, body: bytes) -> str | None:
        named = self._stream.search(body)
        return named[1].decode() if named else None

    def count(self, body: bytes) -> int:
        # In the JSON that clients write no string can hold these bytes.
        return body.count(b'"PartitionKey":')

    def records(self, body: bytes) -> list[tuple[bytes, str]]:
        """Data and partition key of each."""
        records = json.loads(body)["Records"]
        return [
            (base64.b64decode(record["Data"], validate=True), record["PartitionKey"])
            for record in records
        ]

    def written(self, answer: dict[str, Any]) -> bytes:
        return json.dumps(answer).encode()


class Cbor:
    """application/x-amz-cbor-1.1, read and written by a library of its own."""

    content_type = "application/x-amz-cbor-1.1"

    def stream_of(self, body: bytes) -> str | None:
        request = cbor2.loads(body)
        named = request.get("StreamARN", request.get("StreamName"))
        return named.rpartition("/")[2] if named else None

    def count(self, body: bytes) -> int:
        return len(self.records(body))

    def records(self, body: bytes) -> list[tuple[bytes, str]]:
        records = [(item["Data"], item["PartitionKey"]) for item in cbor2.loads(body)["Records"]]
        assert all(type(data) is bytes and type(key) is str for data, key in records)
        return records

    def written(self, answer: dict[str, Any]) -> bytes:
        return cbor2.dumps(answer)


Protocol = Json | Cbor

JSON, CBOR = Json(), Cbor()
PROTOCOLS: dict[str, Protocol] = {JSON.content_type: JSON, CBOR.content_type: CBOR}
