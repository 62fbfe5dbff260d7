# SPDX-License-Identifier: MIT
"""The local Lambda environment delivers logs as the Logs API does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from lambda_environment import events
from lambda_environment.awake_clock import AwakeClock
from lambda_environment.events import Event
from lambda_environment.log_batch import BatchBuilder
from lambda_environment.log_delivery import LogDelivery, Subscription

SPLIT = Path(__file__).parents[1] / "data" / "batches" / "split"


def line(text: str) -> Event:
    return events.event("function", text)


class Consumer:
    """A listener that answers as it is told and remembers what it took."""

    def __init__(self, port: int = 0) -> None:
        self.bodies: list[bytes] = []
        self.statuses: list[int] = []
        self.paths: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self.at_once = self.most_at_once = 0
        application = web.Application(client_max_size=8 * 1024 * 1024)
        application.router.add_route("*", "/{tail:.*}", self._take)
        self.server = TestServer(application, port=port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}/"

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for body in self.bodies for event in json.loads(body)]

    @property
    def records(self) -> list[str]:
        return [event["record"] for event in self.events]

    async def _take(self, request: web.Request) -> web.Response:
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        body = await request.read()
        await self.open.wait()
        self.at_once -= 1
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.bodies.append(body)
            self.paths.append(f"{request.method} {request.path}")
        return web.Response(status=status)


@pytest.fixture
async def consumer() -> AsyncIterator[Consumer]:
    consumer = Consumer()
    async with consumer.server:
        yield consumer


Deliver = Callable[..., LogDelivery]
SUBSCRIPTION = Subscription(
    extension_name="log-shipper",
    types=("platform", "function"),
    schema_version="2021-03-18",
    max_items=1000,
    max_bytes=262144,
    timeout_ms=25,
    url="",
)


@pytest.fixture
async def deliver(consumer: Consumer) -> AsyncIterator[Deliver]:
    """deliver(max_items=…, …) makes a delivery to the consumer."""
    made: list[LogDelivery] = []

    def make(
        clock: AwakeClock | None = None,
        backlog_bytes: int = 1 << 24,
        timeout_s: float = 10,
        chunked: bool = False,
        **wanted: Any,
    ) -> LogDelivery:
        wanted.setdefault("url", consumer.url)
        subscription = replace(SUBSCRIPTION, **wanted)
        made.append(
            LogDelivery(subscription, clock or AwakeClock(), backlog_bytes, timeout_s, chunked)
        )
        return made[-1]

    yield make
    for delivery in made:
        await delivery.stop()


# Batches


def test_a_batch_closes_at_max_items() -> None:
    builder = BatchBuilder(max_items=3, max_bytes=1000)
    closed = [batch for number in range(7) for batch in builder.add(line(str(number)))]
    assert [batch.events for batch in closed] == [3, 3]
    assert builder.events == 1


def test_a_batch_closes_once_it_holds_max_bytes() -> None:
    builder = BatchBuilder(max_items=1000, max_bytes=1000)
    closed = [batch for number in range(20) for batch in builder.add(line("x" * 200))]
    assert closed
    assert all(1000 <= len(batch.body) <= 2 * 1000 + 100 for batch in closed)


def bodies_of(builder: BatchBuilder, *added: Event) -> list[bytes]:
    closed = [batch for event in added for batch in builder.add(event)]
    return [batch.body for batch in [*closed, builder.close()]]


def test_a_record_over_max_bytes_is_cut_in_the_shape_seen_in_production() -> None:
    expected = json.loads((SPLIT / "structured-330k-expected.json").read_bytes())
    added = [
        Event(
            event["type"],
            f'{{"time":"{event["time"]}","type":"{event["type"]}","record":'.encode(),
            events.compact_json(event["record"]),
        )
        for event in expected
    ]
    bodies = bodies_of(BatchBuilder(max_items=1000, max_bytes=262144), *added)
    assert bodies == [(SPLIT / f"structured-330k-{part}of2.body").read_bytes() for part in (1, 2)]


def test_a_cut_record_shares_its_bodies_with_whole_ones() -> None:
    before, large, after = line("before"), line("é" * 1200), line("after")
    first, second, third = bodies_of(BatchBuilder(1000, 1000), before, large, after)
    head = large.head
    assert first == b"[" + before.raw + b"," + head + large.record[:1000] + b"}]"
    assert second == b"[" + head + large.record[1000:2000] + b"}]"
    assert third == b"[" + head + large.record[2000:] + b"}," + after.raw + b"]"


# Delivery


async def test_events_wait_for_the_timeout_and_then_go_together(
    consumer: Consumer, deliver: Deliver
) -> None:
    loop = asyncio.get_running_loop()
    delivery, began = deliver(timeout_ms=50), loop.time()
    for text in "abc":
        delivery.add(line(text))
    await delivery_is_empty(delivery)
    assert loop.time() - began >= 0.05
    assert len(consumer.bodies) == 1
    assert consumer.records == ["a", "b", "c"]
    assert consumer.paths == ["POST /"]


async def test_a_full_batch_does_not_wait(consumer: Consumer, deliver: Deliver) -> None:
    delivery = deliver(timeout_ms=30_000)
    for number in range(1000):
        delivery.add(line(str(number)))
    await delivery_is_empty(delivery)
    assert consumer.records == [str(number) for number in range(1000)]


async def test_requests_come_one_at_a_time_and_in_order(
    consumer: Consumer, deliver: Deliver
) -> None:
    delivery = deliver()
    for number in range(10_000):
        delivery.add(line(str(number)))
    await delivery.delivered()
    assert len(consumer.bodies) == 10
    assert consumer.most_at_once == 1
    assert consumer.records == [str(number) for number in range(10_000)]


@pytest.mark.parametrize("status", [400, 500, 503])
async def test_a_refused_request_is_sent_again(
    consumer: Consumer, deliver: Deliver, status: int
) -> None:
    consumer.statuses = [status, status]
    delivery = deliver()
    delivery.add(line("a"))
    delivery.flush()
    delivery.add(line("b"))
    await delivery.delivered()
    assert consumer.records == ["a", "b"]
    assert delivery.figures.statuses == [status, status, 200, 200]


async def test_delivery_waits_for_a_listener_that_is_not_there_yet(
    consumer: Consumer, deliver: Deliver
) -> None:
    url, port = consumer.url, consumer.server.port
    await consumer.server.close()
    delivery = deliver(url=url)
    delivery.add(line("a"))
    await until(lambda: bool(delivery.figures.statuses))
    late = Consumer(port)
    async with late.server:
        await delivery.delivered()
    assert late.records == ["a"]
    assert delivery.figures.statuses[0] == 0


async def test_an_unanswered_request_is_sent_again(consumer: Consumer, deliver: Deliver) -> None:
    consumer.open.clear()
    delivery = deliver(timeout_s=0.05)
    delivery.add(line("a"))
    await until(lambda: 0 in delivery.figures.statuses)
    consumer.open.set()
    await delivery.delivered()
    assert "a" in consumer.records


async def test_what_a_slow_listener_leaves_behind_is_dropped_and_counted(
    consumer: Consumer, deliver: Deliver
) -> None:
    consumer.open.clear()
    delivery = deliver(backlog_bytes=300_000)
    for number in range(5000):
        delivery.add(line(f"{number:04} " + "x" * 200))
    consumer.open.set()
    await delivery.delivered()
    delivery.add(line("after"))
    await delivery.delivered()
    records = [event["record"] for event in consumer.events if event["type"] == "function"]
    dropped = [event for event in consumer.events if event["type"] == "platform.logsDropped"]
    assert len(dropped) == 1
    assert dropped[0]["record"]["droppedRecords"] == 5000 - (len(records) - 1)
    assert dropped[0]["record"]["droppedBytes"] == delivery.figures.dropped_bytes
    assert records[-1] == "after"
    assert records[0].startswith("0000 ")
    assert consumer.events[-2] == dropped[0]


async def test_nothing_is_sent_while_the_environment_is_frozen(
    consumer: Consumer, deliver: Deliver
) -> None:
    clock = AwakeClock()
    delivery = deliver(clock, timeout_ms=25)
    delivery.add(line("a"))
    clock.freeze()
    await asyncio.sleep(0.1)
    assert delivery.figures.requests == 0
    clock.thaw()
    await delivery_is_empty(delivery)
    assert consumer.records == ["a"]


async def test_the_timeout_goes_on_after_a_freeze_where_it_stood(
    consumer: Consumer, deliver: Deliver
) -> None:
    clock = AwakeClock()
    delivery = deliver(clock, timeout_ms=200)
    delivery.add(line("a"))
    clock.freeze()
    await asyncio.sleep(0.3)
    thawed = asyncio.get_running_loop().time()
    clock.thaw()
    await delivery_is_empty(delivery)
    assert asyncio.get_running_loop().time() - thawed >= 0.15


async def test_a_body_of_the_test_arrives_as_it_is_and_in_its_place(
    consumer: Consumer, deliver: Deliver
) -> None:
    delivery = deliver(timeout_ms=30_000)
    before, after = line("before"), line("after")
    delivery.add(before)
    delivery.add_body(b'not json "]')
    delivery.add(after)
    await delivery.delivered()
    assert consumer.bodies == [b"[" + before.raw + b"]", b'not json "]', b"[" + after.raw + b"]"]


async def test_bodies_may_be_chunked_and_put(consumer: Consumer, deliver: Deliver) -> None:
    delivery = deliver(chunked=True, method="PUT")
    large = line("x" * 100_000)
    delivery.add(large)
    await delivery.delivered()
    assert consumer.bodies == [b"[" + large.raw + b"]"]
    assert consumer.paths == ["PUT /"]


async def test_only_what_was_subscribed_to_is_covered(deliver: Deliver) -> None:
    old = deliver(schema_version="2020-08-15", types=("platform",)).subscription
    new = deliver(types=("platform", "extension")).subscription
    done, logged = events.runtime_done("id", "success"), line("a")
    assert [new.covers(variant) for variant in done] == [True, False]
    assert [old.covers(variant) for variant in done] == [False, False]
    assert not new.covers(logged)
    assert new.covers(events.event("extension", "a"))


JSON_LINE = '{"level":"INFO","n":12345678901234567890}\n'


@pytest.mark.parametrize(
    ("schema", "log_format", "record"),
    [
        ("2021-03-18", "JSON", JSON_LINE),
        ("2022-07-01", "JSON", JSON_LINE),
        ("2022-12-13", "JSON", json.loads(JSON_LINE)),
        ("2025-01-29", "JSON", json.loads(JSON_LINE)),
        ("2025-01-29", "Text", JSON_LINE),
    ],
)
async def test_a_line_that_is_json_is_an_object_where_schema_and_log_format_have_it_so(
    deliver: Deliver, schema: str, log_format: str, record: object
) -> None:
    subscription = deliver(schema_version=schema).subscription
    for text, expected in [(JSON_LINE, record), ("text\n", "text\n"), ("[1]\n", "[1]\n")]:
        variants = events.function_line(events.head_of("function"), text, log_format)
        [covered] = filter(subscription.covers, variants)
        assert covered.parsed()["record"] == expected


async def delivery_is_empty(delivery: LogDelivery) -> None:
    """Without the flush that delivered() makes."""
    await until(lambda: not delivery.pending)


async def until(condition: Callable[[], bool]) -> None:
    """For what no event tells of; the test's own timeout ends it."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.001)
