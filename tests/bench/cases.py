# SPDX-License-Identifier: MIT
"""What is measured: ways to ship, lengths of lines, amounts of logs."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .measured_run import Load

LINE_BYTES = (100, 200, 1_000, 10_000)
USUAL_LINE_BYTES = 200
GROWTH_MB = (1, 10, 100, 1_000)
FLUSH_END = {"EXTENSION_LOG_FLUSH": "end"}
FLUSHES = {"end": FLUSH_END, "continuous": {"EXTENSION_LOG_FLUSH": "continuous"}}


@dataclass(frozen=True)
class Way:
    """Settings of the extension, and what their floor has to do."""

    name: str
    variables: Mapping[str, str] = field(default_factory=dict)
    floor_wire: str = "json"
    floor_compression: str = "none"
    processor: Mapping[str, str] = field(default_factory=dict)
    """What both are told of the processor."""

    @property
    def is_budgeted(self) -> bool:
        return self.name.startswith("ndjson")


@dataclass(frozen=True)
class Case:
    way: Way
    line_bytes: int

    @property
    def name(self) -> str:
        return f"{self.way.name}/{self.line_bytes}"

    def load(self, megabytes: int) -> Load:
        return Load(
            self.line_bytes, megabytes, {**FLUSH_END, **self.way.variables, **self.way.processor}
        )

    def small_invocations(self, count: int) -> Load:
        """Invocations that log little, as most do; what is shown is how long each is held."""
        variables = {**FLUSH_END, **self.way.variables, **self.way.processor}
        return Load(
            self.line_bytes, count, variables, bodies_an_invocation=1, body_bytes=SMALL_BODY_BYTES
        )


SMALL_BODY_BYTES = 20_000


def way(output: str, compression: str = "none", protocol: str = "json") -> Way:
    more = [part for part in (compression, protocol) if part not in ("none", "json")]
    variables = {
        "EXTENSION_LOG_FORMAT": output,
        "EXTENSION_LOG_COMPRESSION": compression,
        "EXTENSION_LOG_KINESIS_PROTOCOL": protocol,
    }
    compressed = "gzip" if output in ALWAYS_GZIP else compression
    return Way("+".join([output, *more]), variables, protocol, compressed)


FORMATS = (
    ("ndjson", "none"),
    ("event", "none"),
    ("batch", "none"),
    ("ndjson", "gzip"),
    ("batch", "gzip"),
    ("kpl", "none"),
    ("cloudwatch", "none"),
)
# Those whose records are gzip whatever the settings say.
ALWAYS_GZIP = ("cloudwatch",)
WAYS = tuple(
    way(output, compression, protocol)
    for protocol in ("json", "cbor")
    for output, compression in FORMATS
)
MATRIX = tuple(Case(one, line_bytes) for one in WAYS for line_bytes in LINE_BYTES)


def without_sha(one: Way) -> Way:
    """As on an x86-64 processor that has no instructions for SHA: OpenSSL is told so."""
    return replace(
        one, name=f"{one.name}, no SHA", processor={"OPENSSL_ia32cap": f":~{1 << 29:#x}"}
    )


PLAIN_PROCESSOR = tuple(
    Case(without_sha(one), line_bytes)
    for one in WAYS
    if one.is_budgeted
    for line_bytes in (USUAL_LINE_BYTES, 1_000)
)
CASES = MATRIX + (PLAIN_PROCESSOR if platform.machine() == "x86_64" else ())

# Of these, `make test` counts the instructions.
COUNTED_CASES = tuple(
    case for case in MATRIX if case.line_bytes == USUAL_LINE_BYTES or case.way.name == "ndjson"
)


def growth_load(megabytes: int, flush: str) -> Load:
    return Load(USUAL_LINE_BYTES, megabytes, FLUSHES[flush])


def burst_load(megabytes: int) -> Load:
    """All that a platform can send, as fast as it can, with the settings left alone."""
    return Load(USUAL_LINE_BYTES, megabytes, underway_bytes=1 << 40, bodies_an_invocation=megabytes)


START_LOAD = Load(USUAL_LINE_BYTES, 0)
