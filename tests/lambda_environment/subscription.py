# SPDX-License-Identifier: MIT
"""A subscription to the Logs API 2020-08-15 or the Telemetry API 2022-07-01, and its mistakes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .events import LOGS_SCHEMAS, TELEMETRY_SCHEMAS
from .log_delivery import Subscription

TYPES = ("platform", "function", "extension")
HOSTS = ("sandbox.localdomain", "sandbox")
RESERVED_PORT = 9001
# Buffering: default, least, most.
BUFFERING = {
    "maxItems": (10000, 1000, 10000),
    "maxBytes": (262144, 262144, 1048576),
    "timeoutMs": (1000, 25, 30000),
}


@dataclass(frozen=True)
class LogSource:
    """One of the two APIs that deliver logs, and what tells them apart."""

    name: str
    path: str
    schemas: tuple[str, ...]
    default_schema: str | None
    invalid: str
    """The error type of a subscription that is not valid."""
    prefix: str
    """Of the other error types."""


LOGS_API = LogSource(
    name="Logs API",
    path="/2020-08-15/logs",
    schemas=LOGS_SCHEMAS,
    default_schema=LOGS_SCHEMAS[0],
    invalid="Logs.ValidationError",
    prefix="Logs",
)
TELEMETRY_API = LogSource(
    name="Telemetry API",
    path="/2022-07-01/telemetry",
    schemas=TELEMETRY_SCHEMAS,
    default_schema=None,
    invalid="ValidationError",
    prefix="Telemetry",
)


def find_mistakes(source: LogSource, wanted: Any) -> list[str]:
    """Why the platform refuses this subscription; empty when it does not."""
    if not isinstance(wanted, dict):
        return ["the request is not a JSON object"]
    mistakes = _destination_mistakes(wanted.get("destination"))
    types = wanted.get("types")
    if not types or not isinstance(types, list):
        mistakes.append("types should not be empty")
    elif unknown := [str(name) for name in types if name not in TYPES]:
        mistakes.append(f"types are not valid: {', '.join(unknown)}")
    if wanted.get("schemaVersion", source.default_schema) not in source.schemas:
        mistakes.append(f"schemaVersion is not one of {', '.join(source.schemas)}")
    return mistakes + _buffering_mistakes(wanted.get("buffering") or {})


def _destination_mistakes(destination: Any) -> list[str]:
    if not isinstance(destination, dict):
        return ["destination is missing"]
    if destination.get("protocol") != "HTTP":
        return ["destination protocol should be HTTP"]
    if destination.get("method", "POST") not in ("POST", "PUT"):
        return ["destination method should be POST or PUT"]
    try:
        uri = urlsplit(str(destination.get("URI", "")))
        port = uri.port
    except ValueError:
        return ["URI is not valid"]
    mistakes = []
    if uri.scheme != "http":
        mistakes.append("URI scheme should be http")
    if uri.hostname not in HOSTS:
        mistakes.append(f"URI host should be {' or '.join(HOSTS)}")
    if not port:
        mistakes.append("URI port is not provided")
    if port == RESERVED_PORT:
        mistakes.append(f"URI port {RESERVED_PORT} is reserved")
    return mistakes


def _buffering_mistakes(buffering: dict[str, Any]) -> list[str]:
    mistakes = []
    for name, (_, least, most) in BUFFERING.items():
        value = buffering.get(name, most)
        if type(value) is not int or not least <= value <= most:
            mistakes.append(f"buffering {name} should be between {least} and {most}")
    return mistakes


def subscription_of(source: LogSource, extension_name: str, wanted: dict[str, Any]) -> Subscription:
    buffering = {name: values[0] for name, values in BUFFERING.items()}
    buffering.update(wanted.get("buffering") or {})
    destination = wanted["destination"]
    uri = urlsplit(destination["URI"])
    return Subscription(
        extension_name=extension_name,
        types=tuple(wanted["types"]),
        schema_version=wanted.get("schemaVersion", source.default_schema),
        max_items=buffering["maxItems"],
        max_bytes=buffering["maxBytes"],
        timeout_ms=buffering["timeoutMs"],
        # The path of the URI is not used.
        url=f"http://{address_of(uri.hostname)}:{uri.port}/",
        method=destination.get("method", "POST"),
    )


def address_of(host: str | None, hosts_file: Path = Path("/etc/hosts")) -> str:
    """Where the extension listens: at the name's address when it has one, else on the loopback."""
    for line in hosts_file.read_text().splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if host in names:
            return address
    return "127.0.0.1"
