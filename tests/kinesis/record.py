# SPDX-License-Identifier: MIT
"""A record as it is stored in a stream, and what it costs."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import aws_kinesis_agg
from aws_kinesis_agg.deaggregator import deaggregate_records

# Kinesis bills the PUT payload unit for each 25 KB of a record. The price page does not say whether
# that means 25,000 or 25,600 bytes; the smaller one is never too cheap.
PAYLOAD_UNIT_BYTES = 25_000
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Record:
    data: bytes
    partition_key: str

    def content(self) -> bytes:
        """What was compressed, or the sub-records one after the other, or the data as it is."""
        if self.data.startswith(GZIP_MAGIC):
            return gzip.decompress(self.data)
        if self.data.startswith(aws_kinesis_agg.MAGIC):
            return b"".join(record.data for record in self.sub_records())
        return self.data

    def sub_records(self) -> list[Record]:
        """Those of an aggregated record, as a consumer of the KPL reads them."""
        stored = {
            "kinesisSchemaVersion": "1.0",
            "sequenceNumber": "0",
            "approximateArrivalTimestamp": 0,
            "partitionKey": self.partition_key,
            "data": base64.b64encode(self.data),
        }
        parts = [part["kinesis"] for part in deaggregate_records([{"kinesis": stored}])]
        assert all("aggregated" in part for part in parts), "wrong checksum or message"
        return [Record(base64.b64decode(part["data"]), part["partitionKey"]) for part in parts]

    def lines(self) -> list[bytes]:
        """The lines of a record, without their newlines."""
        content = self.content()
        return content.split(b"\n")[:-1] if content.endswith(b"\n") else [content]


def payload_units(records: Iterable[Record]) -> int:
    """Data and partition key count together."""
    sizes = (len(record.data) + len(record.partition_key.encode()) for record in records)
    return sum(-(-size // PAYLOAD_UNIT_BYTES) for size in sizes)


def events_in(records: Iterable[Record]) -> list[dict[str, Any]]:
    """The events of records whose lines are events or arrays of them, in their order."""
    documents = (json.loads(line) for record in records for line in record.lines())
    lists = (document if isinstance(document, list) else [document] for document in documents)
    return [event for events in lists for event in events]
