# SPDX-License-Identifier: MIT
"""A record as it is stored in a stream, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

# Kinesis bills the PUT payload unit for each 25 KB of a record. The price page does not say whether
# that means 25,000 or 25,600 bytes; the smaller one is never too cheap.
PAYLOAD_UNIT_BYTES = 25_000


@dataclass(frozen=True)
class Record:
    data: bytes
    partition_key: str

    def lines(self) -> list[bytes]:
        """The lines of an `ndjson` or `event` record, without their newlines."""
        return self.data.split(b"\n")[:-1] if self.data.endswith(b"\n") else [self.data]


def payload_units(records: Iterable[Record]) -> int:
    """Data and partition key count together."""
    sizes = (len(record.data) + len(record.partition_key.encode()) for record in records)
    return sum(-(-size // PAYLOAD_UNIT_BYTES) for size in sizes)


def events_in(records: Iterable[Record]) -> list[dict[str, Any]]:
    """The events of `ndjson` or `event` records, in the order of the records."""
    return [json.loads(line) for record in records for line in record.lines()]
