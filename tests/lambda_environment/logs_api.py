# SPDX-License-Identifier: MIT
"""The Logs API 2020-08-15: who subscribed to what, and where events go."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from . import events
from .awake_clock import AwakeClock
from .events import Event
from .extensions_api import ExtensionsApi, json_response, refusal
from .log_delivery import DeliveryFigures, LogDelivery, Subscription
from .settings import Settings

SCHEMA_VERSIONS = ("2020-08-15", "2021-03-18")
TYPES = ("platform", "function", "extension")
HOSTS = ("sandbox.localdomain", "sandbox")
RESERVED_PORT = 9001
# From a readable socket to the end of a request aiohttp needs about five rounds of the loop.
ANSWER_ROUNDS = 20
# Buffering: default, least, most.
BUFFERING = {
    "maxItems": (10000, 1000, 10000),
    "maxBytes": (262144, 262144, 1048576),
    "timeoutMs": (1000, 25, 30000),
}


class LogsApi:
    def __init__(self, settings: Settings, clock: AwakeClock, extensions: ExtensionsApi) -> None:
        self._settings = settings
        self._clock = clock
        self._extensions = extensions
        self._deliveries: dict[str, LogDelivery] = {}
        self._ended: list[LogDelivery] = []
        self.open = True
        self.emitted: list[Event] = []

    def routes(self) -> list[web.RouteDef]:
        return [web.put("/2020-08-15/logs", self._subscribe)]

    @property
    def deliveries(self) -> list[LogDelivery]:
        """Those of the extensions alive."""
        return list(self._deliveries.values())

    @property
    def pending(self) -> int:
        """Events that were emitted and not yet acknowledged."""
        return sum(delivery.pending for delivery in self.deliveries)

    @property
    def figures(self) -> list[DeliveryFigures]:
        """Of every subscription there has been."""
        return [delivery.figures for delivery in [*self._ended, *self.deliveries]]

    def emit(self, event: Event) -> None:
        """An event comes into being. Without a subscriber for it nobody hears of it."""
        takers = [d for d in self._deliveries.values() if d.subscription.covers(event)]
        if takers:
            self.emitted.append(event)
        if event.type not in self._settings.lost_events:
            for delivery in takers:
                delivery.add(event)

    def emit_lines(self, event_type: str, lines: list[str]) -> None:
        """Many lines logged at the same moment."""
        head = events.head_of(event_type)
        for line in lines:
            self.emit(Event(event_type, head, events.compact_json(line)))

    def deliver_body(self, body: bytes) -> None:
        for delivery in self.deliveries:
            delivery.add_body(body)

    def flush(self) -> None:
        """A log stream was closed, so nothing waits for more."""
        for delivery in self.deliveries:
            delivery.flush()

    async def delivered(self) -> None:
        await asyncio.gather(*(delivery.delivered() for delivery in self.deliveries))

    async def take_answers(self) -> None:
        """Lets deliveries see the answers that have come already. An extension can ask for the next
        event so soon after its answer that both are waiting here together."""
        for _ in range(ANSWER_ROUNDS):
            await asyncio.sleep(0)

    async def end(self) -> None:
        """The extensions are gone, and what was meant for them with them."""
        for delivery in self.deliveries:
            await delivery.stop()
            self._ended.append(delivery)
        self._deliveries.clear()

    async def _subscribe(self, request: web.Request) -> web.Response:
        extension = self._extensions.identify(request)
        if isinstance(extension, web.Response):
            return extension
        if self._settings.local_emulator:
            return refusal(202, "Logs.NotSupported", "Logs API is not supported")
        if not self.open:
            return refusal(403, "Logs.SubscriptionClosed", "Logs API subscription is closed")
        try:
            wanted = json.loads(await request.read())
        except ValueError as error:
            return refusal(400, "Logs.ValidationError", f"not a JSON document: {error}")
        mistakes = find_mistakes(wanted)
        if mistakes:
            return refusal(400, "Logs.ValidationError", "; ".join(mistakes))
        await self._deliver_to(subscription_of(extension.name, wanted))
        self.emit(events.logs_subscription(extension.name, wanted["types"]))
        return json_response(200, "OK")

    async def _deliver_to(self, subscription: Subscription) -> None:
        """A second subscription of the same extension takes the place of its first."""
        previous = self._deliveries.pop(subscription.extension_name, None)
        if previous:
            await previous.stop()
            self._ended.append(previous)
        self._deliveries[subscription.extension_name] = LogDelivery(
            subscription,
            self._clock,
            self._settings.delivery_backlog_bytes,
            self._settings.delivery_timeout_s,
            self._settings.chunked_delivery,
        )


def find_mistakes(wanted: Any) -> list[str]:
    """Why the platform refuses this subscription; empty when it does not."""
    if not isinstance(wanted, dict):
        return ["the request is not a JSON object"]
    mistakes = _destination_mistakes(wanted.get("destination"))
    types = wanted.get("types")
    if not types or not isinstance(types, list):
        mistakes.append("types should not be empty")
    elif unknown := [str(name) for name in types if name not in TYPES]:
        mistakes.append(f"types are not valid: {', '.join(unknown)}")
    if wanted.get("schemaVersion", SCHEMA_VERSIONS[0]) not in SCHEMA_VERSIONS:
        mistakes.append(f"schemaVersion is not one of {', '.join(SCHEMA_VERSIONS)}")
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


def subscription_of(extension_name: str, wanted: dict[str, Any]) -> Subscription:
    buffering = {name: values[0] for name, values in BUFFERING.items()}
    buffering.update(wanted.get("buffering") or {})
    destination = wanted["destination"]
    uri = urlsplit(destination["URI"])
    return Subscription(
        extension_name=extension_name,
        types=tuple(wanted["types"]),
        schema_version=wanted.get("schemaVersion", SCHEMA_VERSIONS[0]),
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
