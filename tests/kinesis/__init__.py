# SPDX-License-Identifier: MIT
"""Kinesis servers for tests: moto and kinesis-local, which behave, and a stub, which misbehaves on
demand. And an STS."""

from .behaviour import Behaviour
from .comparison import Comparison, compare
from .kinesis_local import KinesisLocal, LocalStream
from .kinesis_stub import KinesisStub, StubRequest
from .moto_server import MotoServer, MotoStream
from .record import Record, events_in, payload_units
from .sts_stub import StsStub

__all__ = [
    "Behaviour",
    "Comparison",
    "KinesisLocal",
    "KinesisStub",
    "LocalStream",
    "MotoServer",
    "MotoStream",
    "Record",
    "StsStub",
    "StubRequest",
    "compare",
    "events_in",
    "payload_units",
]
