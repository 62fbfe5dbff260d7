# SPDX-License-Identifier: MIT
"""What is measured: ways to ship, and lengths of lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .measured_run import Load

LINE_BYTES = (100, 200, 1_000, 10_000)


@dataclass(frozen=True)
class Way:
    """A setting of the extension, and what its floor has to do."""

    name: str
    variables: Mapping[str, str] = field(default_factory=dict)
    floor_wire: str = "json"
    floor_compression: str = "none"


@dataclass(frozen=True)
class Case:
    way: Way
    line_bytes: int

    @property
    def name(self) -> str:
        return f"{self.way.name}/{self.line_bytes}"

    def load(self, megabytes: int) -> Load:
        return Load(self.line_bytes, megabytes, {**FLUSH_END, **self.way.variables})


FLUSH_END = {"EXTENSION_LOG_FLUSH": "end"}


def way(output: str, compression: str = "none", wire: str = "json") -> Way:
    name = output + (", gzip" if compression == "gzip" else "")
    variables = {"EXTENSION_LOG_FORMAT": output, "EXTENSION_LOG_COMPRESSION": compression}
    return Way(name, variables, wire, compression)


WAYS = (way("ndjson"), way("event"), way("batch"))
CASES = tuple(Case(one, line_bytes) for one in WAYS for line_bytes in LINE_BYTES)

# Of these, `make test` counts the instructions.
COUNTED_CASES = tuple(case for case in CASES if case.line_bytes == 200 or case.way.name == "ndjson")
