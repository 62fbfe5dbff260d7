# SPDX-License-Identifier: MIT
"""Every byte that the platform delivers arrives, in its event, and nothing is made up."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable

import pytest
from delivered_bodies import BATCHES, MALFORMED, PUNCTUATION, WHOLE, elements_of, split_bodies
from outcome import HOLDS, lines_in, of_type, shut_down, totals

from kinesis import KinesisStub, MotoStream
from lambda_environment import LambdaEnvironment

Environments = Callable[..., LambdaEnvironment]
ALL_TYPES = {**HOLDS, "EXTENSION_LOG_TYPES": "platform,function,extension"}
EXACT = {**ALL_TYPES, "EXTENSION_LOG_ENRICH": "false"}


def lines_beside_the_platforms(
    environment: LambdaEnvironment, stub: KinesisStub | MotoStream
) -> list[bytes]:
    """The lines in the stream that are none of the events that the environment itself emitted."""
    own = Counter(event.raw for event in environment.emitted)
    found = []
    for line in lines_in(stub.records()):
        if own[line]:
            own[line] -= 1
        else:
            found.append(line)
    return found


def on_one_line(text: bytes) -> bytes:
    """A newline between tokens would end the line early."""
    return text.replace(b"\n", b" ").replace(b"\r", b" ")


def test_every_event_of_every_body_arrives_byte_for_byte(
    lambda_environment: Environments, kinesis: MotoStream
) -> None:
    environment = lambda_environment(kinesis, EXACT)
    expected: Counter[bytes] = Counter()
    for name in WHOLE:
        body = (BATCHES / name).read_bytes()
        expected.update(on_one_line(element) for element in elements_of(body))
        environment.invoke(output=[body])
    assert shut_down(environment).exit_code == 0
    found = Counter(lines_beside_the_platforms(environment, kinesis))
    assert sum(expected.values()) > 11_000
    assert found == expected
    assert totals(environment)["unparsedEvents"] == 0


def test_what_is_added_to_an_event_stands_behind_its_own_bytes(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    silent = {**ALL_TYPES, "EXTENSION_LOG_LEVEL": "error"}
    environment = lambda_environment(kinesis_stub, silent)
    expected = []
    for name in WHOLE:
        body = (BATCHES / name).read_bytes()
        expected += [on_one_line(element) for element in elements_of(body)]
        environment.invoke(output=[body])
    shut_down(environment)
    expected += [event.raw for event in environment.emitted]
    lines = sorted(lines_in(kinesis_stub.records()))
    for line, event in zip(lines, sorted(expected), strict=True):
        assert line.startswith(event[:-1])
        assert json.loads(line).items() >= json.loads(event).items()


@pytest.mark.parametrize(("bodies", "elements"), split_bodies())
def test_a_record_that_was_cut_across_deliveries_arrives_in_one_piece(
    lambda_environment: Environments,
    kinesis_stub: KinesisStub,
    bodies: list[bytes],
    elements: list[bytes],
) -> None:
    environment = lambda_environment(kinesis_stub, EXACT)
    environment.invoke(output=bodies)
    shut_down(environment)
    assert sorted(lines_beside_the_platforms(environment, kinesis_stub)) == sorted(elements)


def test_a_record_larger_than_a_delivery_arrives_in_one_piece(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    variables = {**HOLDS, "EXTENSION_LOG_MAX_BYTES": "262144"}
    environment = lambda_environment(kinesis_stub, variables)
    texts = ["x" * 600_000, "ä€😀" * 80_000, '"\\' * 150_000]
    invocation = environment.invoke(output=texts)
    assert invocation.undelivered_at_freeze == 0
    events = of_type(map(json.loads, lines_in(kinesis_stub.records())), "function")
    assert sorted(event["record"] for event in events) == sorted(texts)


def test_a_cut_record_whose_rest_never_comes_is_shipped_as_it_is(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, EXACT)
    head = b'[{"time":"2026-03-14T15:09:26.929Z","type":"function","record":"AAAA'
    environment.invoke(output=[head + b"}]"])
    environment.invoke(output=["the next one\n"])
    shut_down(environment)
    [line] = map(json.loads, lines_beside_the_platforms(environment, kinesis_stub))
    assert line == {"type": "extension.unparsed", "record": head[1:].decode()}


def bytes_of(event: dict[str, str]) -> bytes:
    if "recordBase64" in event:
        return base64.b64decode(event["recordBase64"], validate=True)
    return event["record"].encode()


@pytest.mark.parametrize("name", MALFORMED)
def test_a_body_that_is_not_what_it_should_be_is_shipped_all_the_same(
    lambda_environment: Environments, kinesis_stub: KinesisStub, name: str
) -> None:
    # Logz.io ends its shipping at one batch that cannot be parsed
    body = (BATCHES / "malformed" / name).read_bytes()
    environment = lambda_environment(kinesis_stub, EXACT)
    environment.invoke(output=[body, "the next one\n"])
    assert shut_down(environment).exit_code == 0
    # 0: no answer, as to a last report that comes when the extension has ended
    statuses = set(environment.deliveries[0].statuses) - {0}
    assert statuses == {200}, "else it would come again for ever"
    rest, unparsed = body, 0
    for line in lines_beside_the_platforms(environment, kinesis_stub):
        event = json.loads(line)
        if event["type"] == "extension.unparsed":
            unparsed += 1
            line = bytes_of(event)
        at = rest.index(line)
        assert not rest[:at].strip(PUNCTUATION)
        rest = rest[at + len(line) :]
    assert not rest.strip(PUNCTUATION)
    assert totals(environment)["unparsedEvents"] == unparsed == 1


def test_bytes_that_are_no_text_are_kept_as_base64(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    body = bytes(range(256))
    environment = lambda_environment(kinesis_stub, HOLDS)
    environment.invoke(output=[body])
    shut_down(environment)
    events = map(json.loads, lines_in(kinesis_stub.records()))
    [event] = of_type(events, "extension.unparsed")
    assert base64.b64decode(event["recordBase64"]) == body
    assert event["record"].startswith("\x00\x01")
    assert "\ufffd" in event["record"]


def test_whole_events_around_a_broken_one_are_events(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    good = [
        b'{"time":"2026-03-14T15:09:26.%03dZ","type":"function","record":"good %d"}' % (n, n)
        for n in range(3)
    ]
    broken = b'{"time":"2026-03-14T15:09:26.100Z","type":"function","record":"broken'
    environment = lambda_environment(kinesis_stub, EXACT)
    environment.invoke(output=[b"[" + b",".join([good[0], good[1], broken, good[2]]) + b"]"])
    shut_down(environment)
    lines = lines_beside_the_platforms(environment, kinesis_stub)
    assert lines[:2] == good[:2]
    assert lines[3] == good[2]
    assert json.loads(lines[2])["record"].encode() == broken
