# SPDX-License-Identifier: MIT
"""Reads what the extension left on disk, by the description of the format alone (segment.h)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

DIRECTORY = "kinesis-stream-logs-extension"
MAGIC = b"KSLSEG01"
ENTRY = struct.Struct("<IIIQ")


def spooled_records(temporary_directory: Path) -> Iterator[bytes]:
    """The data of each record in whole segments. Raises ValueError for one that is not whole."""
    for path in sorted(segments(temporary_directory)):
        yield from records_of(path.read_bytes())


def segments(temporary_directory: Path) -> list[Path]:
    return list((temporary_directory / DIRECTORY).glob("*.segment"))


def other_files(temporary_directory: Path) -> list[str]:
    """Files set aside, or left half written."""
    files = (temporary_directory / DIRECTORY).glob("[!.]*")
    return [path.name for path in files if path.suffix != ".segment"]


def records_of(segment: bytes) -> Iterator[bytes]:
    checksum, size = struct.unpack_from("<IQ", segment, len(MAGIC))
    checked = segment[len(MAGIC) + 4 :]
    if not segment.startswith(MAGIC) or zlib.crc32(checked) != checksum:
        raise ValueError("not a whole segment")
    body = zlib.decompress(checked[8:], wbits=-15)
    if len(body) != size:
        raise ValueError(f"a segment of {len(body)} bytes says that it has {size}")
    (count,) = struct.unpack_from("<I", body)
    entries = list(ENTRY.iter_unpack(body[4 : 4 + count * ENTRY.size]))
    at = 4 + count * ENTRY.size + sum(entry[1] for entry in entries)
    for length, *_ in entries:
        yield body[at : at + length]
        at += length
