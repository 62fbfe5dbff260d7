# SPDX-License-Identifier: MIT
"""The Logs API 2020-08-15 and the Telemetry API 2022-07-01: who subscribed to what, and where
events go."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from functools import partial

from aiohttp import web

from . import events
from .awake_clock import AwakeClock
from .events import TELEMETRY, Event
from .extensions_api import ExtensionsApi, json_response, refusal
from .log_delivery import DeliveryFigures, LogDelivery, Subscription
from .settings import Settings
from .subscription import LOGS_API, TELEMETRY_API, LogSource, find_mistakes, subscription_of

MANAGED_SCHEMAS = ("2025-01-29",)
# From a readable socket to the end of a request aiohttp needs about five rounds of the loop.
ANSWER_ROUNDS = 20


class LogsApi:
    def __init__(self, settings: Settings, clock: AwakeClock, extensions: ExtensionsApi) -> None:
        self._settings = settings
        self._clock = clock
        self._extensions = extensions
        self._deliveries: dict[str, LogDelivery] = {}
        self._ended: list[LogDelivery] = []
        self.open = True
        self.emitted: list[Event] = []
        self._early: list[Event] = []

    def begin(self) -> None:
        """Starts a life: there are no subscribers, and there may be some until init is over."""
        self.open = True
        self._early.clear()

    def routes(self) -> list[web.RouteDef]:
        settings = self._settings
        schemas = MANAGED_SCHEMAS if settings.managed else settings.telemetry_schemas
        telemetry = replace(TELEMETRY_API, schemas=schemas)
        sources = (LOGS_API, telemetry)
        return [web.put(source.path, partial(self._subscribe, source)) for source in sources]

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

    def emit(self, *variants: Event) -> None:
        """Something happens. Without a subscriber for one of its variants nobody hears of it."""
        for event in variants:
            if self.open:
                self._early.append(event)
            takers = [d for d in self._deliveries.values() if d.subscription.covers(event)]
            if takers:
                self.emitted.append(event)
            for delivery in takers:
                self._give(event, delivery)

    def _give(self, event: Event, delivery: LogDelivery) -> None:
        if event.type not in self._settings.lost_events:
            delivery.add(event)

    def _replay(self, delivery: LogDelivery) -> None:
        """What happened in this init before the subscription, which the Telemetry API keeps."""
        for event in filter(delivery.subscription.covers, self._early):
            if event not in self.emitted:
                self.emitted.append(event)
            self._give(event, delivery)

    def emit_lines(self, event_type: str, lines: list[str]) -> None:
        """Many lines logged at the same moment."""
        head = events.head_of(event_type)
        for line in lines:
            self.emit(Event(event_type, head, events.compact_json(line)))

    def emit_function_lines(self, lines: list[str]) -> None:
        head = events.head_of("function")
        for line in lines:
            self.emit(*events.function_line(head, line, self._settings.log_format))

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

    async def _subscribe(self, source: LogSource, request: web.Request) -> web.Response:
        extension = self._extensions.identify(request)
        if isinstance(extension, web.Response):
            return extension
        if self._settings.local_emulator:
            return refusal(202, f"{source.prefix}.NotSupported", f"{source.name} is not supported")
        if not self.open:
            message = f"{source.name} subscription is closed"
            return refusal(403, f"{source.prefix}.SubscriptionClosed", message)
        try:
            wanted = json.loads(await request.read())
        except ValueError as error:
            return refusal(400, source.invalid, f"not a JSON document: {error}")
        mistakes = find_mistakes(source, wanted) or self._conflicts(source, extension.name)
        if self._settings.managed and source is LOGS_API:
            mistakes = ["Logs API is not supported on Lambda Managed Instances"]
        if mistakes:
            return refusal(400, source.invalid, "; ".join(mistakes))
        await self._deliver_to(subscription_of(source, extension.name, wanted))
        self.emit(*events.subscription(extension.name, wanted["types"]))
        return json_response(200, "OK")

    def _conflicts(self, source: LogSource, extension_name: str) -> list[str]:
        """An extension that has subscribed to one of the APIs may not subscribe to the other."""
        delivery = self._deliveries.get(extension_name)
        if delivery is None or delivery.subscription.schema_version in source.schemas:
            return []
        return [f"{extension_name} is subscribed to another API already"]

    async def _deliver_to(self, subscription: Subscription) -> None:
        """A second subscription of the same extension takes the place of its first."""
        previous = self._deliveries.pop(subscription.extension_name, None)
        if previous:
            await previous.stop()
            self._ended.append(previous)
        delivery = LogDelivery(
            subscription,
            self._clock,
            self._settings.delivery_backlog_bytes,
            self._settings.delivery_timeout_s,
            self._settings.chunked_delivery,
        )
        self._deliveries[subscription.extension_name] = delivery
        if previous is None and subscription.schema_version in TELEMETRY:
            self._replay(delivery)
