# SPDX-License-Identifier: MIT
"""Kinesis servers for tests: moto, which behaves, and a stub, which misbehaves on demand."""

from .behaviour import Behaviour
from .comparison import Comparison, compare
from .kinesis_stub import KinesisStub, StubRequest
from .moto_server import MotoServer, MotoStream
from .record import Record, events_in, payload_units

__all__ = [
    "Behaviour",
    "Comparison",
    "KinesisStub",
    "MotoServer",
    "MotoStream",
    "Record",
    "StubRequest",
    "compare",
    "events_in",
    "payload_units",
]
