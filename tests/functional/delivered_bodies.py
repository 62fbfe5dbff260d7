# SPDX-License-Identifier: MIT
"""Bodies of tests/data/batches, and what of each has to arrive."""

from __future__ import annotations

import json
from pathlib import Path

BATCHES = Path(__file__).resolve().parents[1] / "data" / "batches"
WHOLE = sorted(path.name for path in BATCHES.glob("*.json") if path.name != "manifest.json")
MALFORMED = sorted(path.name for path in (BATCHES / "malformed").iterdir())
PUNCTUATION = b"[], \r\n\t"


def elements_of(body: bytes) -> list[bytes]:
    """The bytes of each element of a JSON array, exactly as they are."""
    text = body.decode()
    decoder = json.JSONDecoder()
    found = []
    at = text.index("[") + 1
    while text[at:].lstrip(" \r\n\t,")[:1] not in ("]", ""):
        at += len(text[at:]) - len(text[at:].lstrip(" \r\n\t,"))
        _, end = decoder.raw_decode(text, at)
        found.append(text[at:end].encode())
        at = end
    return found


def split_bodies() -> list[tuple[list[bytes], list[bytes]]]:
    """For each record that was cut across bodies: the bodies, and the elements that they make."""
    manifest = json.loads((BATCHES / "split/manifest.json").read_text())
    return [
        (
            [(BATCHES / post).read_bytes() for post in case["posts"]],
            elements_of((BATCHES / case["expected"]).read_bytes()),
        )
        for case in manifest["cases"]
    ]
