# SPDX-License-Identifier: MIT
"""What is added to events, and how they are laid out in records."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from outcome import HOLDS, assert_all_arrived, lines_in, of_type, shut_down, totals

from kinesis import Behaviour, KinesisStub, events_in, payload_units
from lambda_environment import LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]
EVENT_ID = re.compile(r"([0-9a-f]{12})-(\d{12})")


def test_each_event_says_which_function_and_environment_it_is_from(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(
        kinesis_stub,
        {**HOLDS, "EXTENSION_LOG_TAGS": 'team=payments, stage = "prod" ,empty='},
        function_name="orders",
        function_version="7",
        account_id="210987654321",
    )
    environment.invoke(output=["a line\n"])
    shut_down(environment)
    events = events_in(kinesis_stub.records())
    [ids] = {tuple(event["lambda"].items()) for event in events}
    origin = dict(ids)
    assert re.fullmatch("[0-9a-f]{12}", origin.pop("environmentId"))
    assert origin == {
        "functionName": "orders",
        "functionVersion": "7",
        "accountId": "210987654321",
        "region": "us-east-1",
    }
    tags = {"team": "payments", "stage": '"prod"', "empty": ""}
    assert all(event["tags"] == tags for event in events)


def test_request_ids_are_those_of_the_invocation_and_absent_outside_of_one(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # pain 22: request ids that are wrong or missing
    environment = lambda_environment(kinesis_stub, HOLDS)
    ids = [
        environment.invoke(output=[f"{n}\n", f"{n}\n"], duration_s=0.06).request_id
        for n in range(4)
    ]
    shut_down(environment)
    events = events_in(kinesis_stub.records())
    found = sorted((event["record"], event["requestId"]) for event in of_type(events, "function"))
    assert found == sorted((f"{n}\n", ids[n]) for n in range(4) for _ in range(2))
    for event in events:
        if isinstance(event["record"], dict) and "requestId" in event["record"]:
            assert event["requestId"] == event["record"]["requestId"]
        elif event["type"].startswith("platform."):
            assert "requestId" not in event


def test_event_ids_are_unique_and_count_up_in_the_order_of_the_events(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # pain 13
    environment = lambda_environment(kinesis_stub, HOLDS)
    for number in range(3):
        environment.invoke(output=numbered_lines(1500, prefix=f"{number}"))
    shut_down(environment)
    events = events_in(kinesis_stub.records())
    in_order = sorted(events, key=lambda event: event["eventId"])
    [one_environment] = {EVENT_ID.fullmatch(event["eventId"])[1] for event in events}
    assert one_environment == events[0]["lambda"]["environmentId"]
    numbers = [int(EVENT_ID.fullmatch(event["eventId"])[2]) for event in in_order]
    assert numbers == list(range(1, len(environment.emitted) + 1))
    emitted = [event.parsed()["record"] for event in environment.emitted]
    assert [event["record"] for event in in_order] == emitted


def test_its_own_lines_do_not_feed_themselves(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # pain 27; the AWS sample prints each batch to the function's own log
    kinesis_stub.behave(Behaviour(times=4, status=500, error_type="InternalFailure"))
    all_types = {"EXTENSION_LOG_TYPES": "platform,function,extension"}
    environment = lambda_environment(kinesis_stub, {**HOLDS, **all_types})
    for _ in range(10):
        environment.invoke(output=["a line\n"])
    shut_down(environment)
    events = events_in(kinesis_stub.records())
    assert len(of_type(events, "extension")) <= 2
    assert len(of_type(events, "function")) == 10


def test_another_life_is_another_environment(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, HOLDS)
    for _ in range(2):
        environment.invoke(output=["a line\n"])
        shut_down(environment)
    events = events_in(kinesis_stub.records())
    assert len({event["lambda"]["environmentId"] for event in events}) == 2
    assert len({event["eventId"] for event in events}) == len(events)


def test_members_that_an_event_has_itself_are_not_written_twice(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    own = '{"time":"t","type":"function","record":"r","requestId":"own","lambda":1,"eventId":2}'
    environment = lambda_environment(kinesis_stub, HOLDS)
    environment.invoke(output=[f"[{own}]".encode()])
    [line] = [line for line in lines_in(kinesis_stub.records()) if b'"own"' in line]
    assert json.loads(line) == json.loads(own)
    assert line.count(b'"requestId"') == 1


def test_an_ndjson_record_is_whole_lines_each_ended_by_a_newline(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # pain 27: records that a consumer has to decode first
    variables = {**HOLDS, "EXTENSION_LOG_RECORD_BYTES": "5000"}
    environment = lambda_environment(kinesis_stub, variables)
    environment.invoke(output=numbered_lines(1000))
    shut_down(environment)
    records = kinesis_stub.records()
    sizes = [len(record.data) + len(record.partition_key) for record in records]
    assert max(sizes) <= 5000
    assert all(record.data.endswith(b"\n") for record in records)
    assert sum(size > 4500 for size in sizes) >= 0.9 * len(sizes), "records are filled"
    assert_all_arrived(environment, kinesis_stub)


def test_an_event_record_is_one_line(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, {**HOLDS, "EXTENSION_LOG_FORMAT": "event"})
    environment.invoke(output=numbered_lines(1200))
    shut_down(environment)
    records = kinesis_stub.records()
    assert len(records) == len(environment.emitted)
    assert all(len(record.lines()) == 1 for record in records)
    assert max(request.records for request in kinesis_stub.requests()) <= 500
    assert_all_arrived(environment, kinesis_stub)


def test_a_batch_record_is_a_delivery_as_it_came_and_a_newline(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    variables = {
        **HOLDS,
        "EXTENSION_LOG_FORMAT": "batch",
        "EXTENSION_LOG_ENRICH": "false",
        "EXTENSION_LOG_RECORD_BYTES": "200000",
    }
    event = b'{"time":"2026-03-14T15:09:26.929Z","type":"function","record":"number %d"}'
    bodies = [b"[" + b",".join(event % n for n in range(k, k + 9)) + b"]" for k in (0, 10, 20)]
    environment = lambda_environment(kinesis_stub, variables)
    environment.invoke(output=bodies)
    shut_down(environment)
    records = [record.data for record in kinesis_stub.records()]
    assert all(body + b"\n" in records for body in bodies)
    assert all(isinstance(json.loads(data), list) and data.endswith(b"]\n") for data in records)


def test_a_batch_that_is_too_large_for_a_record_is_several_arrays(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, {**HOLDS, "EXTENSION_LOG_FORMAT": "batch"})
    lines = numbered_lines(2000)
    environment.invoke(output=lines)
    shut_down(environment)
    arrays = [json.loads(record.data) for record in kinesis_stub.records()]
    events = [event for array in arrays for event in array]
    assert sorted(event["record"] for event in of_type(events, "function")) == lines


@pytest.mark.parametrize("key", ["random", "environment", "function", "request"])
def test_the_partition_key_is_what_was_asked_for(
    lambda_environment: Environments, kinesis_stub: KinesisStub, key: str
) -> None:
    # pain 25: uneven shards
    environment = lambda_environment(
        kinesis_stub, {**HOLDS, "EXTENSION_LOG_PARTITION_KEY": key}, function_name="orders"
    )
    ids = {environment.invoke(output=numbered_lines(500)).request_id for _ in range(2)}
    shut_down(environment)
    records = kinesis_stub.records()
    keys = {record.partition_key for record in records}
    environment_id = events_in(records)[0]["lambda"]["environmentId"]
    if key == "random":
        assert len(keys) == len(records)
    elif key == "request":
        assert ids <= keys <= ids | {environment_id}
        for record in records:
            own = {event.get("requestId", environment_id) for event in events_in([record])}
            assert own == {record.partition_key}, "a record holds one request's events"
    else:
        assert keys == {environment_id if key == "environment" else "orders"}


def test_an_event_that_is_too_large_for_a_record_arrives_in_parts_that_join_to_it(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # pain 25: what is too large is dropped; Edge Delta's records of 20 MB
    text = 'ä"\\\n€😀' * 110_000
    environment = lambda_environment(kinesis_stub, HOLDS)
    invocation = environment.invoke(output=["before\n", text, "after\n"], timeout_s=9)
    assert invocation.undelivered_at_freeze == 0
    shut_down(environment)
    parts = [event for event in events_in(kinesis_stub.records()) if "part" in event]
    parts.sort(key=lambda event: event["part"]["index"])
    assert [part["part"]["index"] for part in parts] == list(range(len(parts)))
    assert {part["part"]["count"] for part in parts} == {len(parts)}
    assert "".join(part["record"] for part in parts) == text
    assert len({part["eventId"] for part in parts}) == 1
    assert {part["requestId"] for part in parts} == {invocation.request_id}
    sizes = [len(record.data) for record in kinesis_stub.records()]
    assert len(parts) >= 2
    assert max(sizes) <= 1024 * 1024
    assert totals(environment)["droppedEvents"] == 0


def test_the_price_is_at_most_5_percent_above_the_least_possible(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, HOLDS)
    environment.invoke(output=numbered_lines(10_000), duration_s=0.3, timeout_s=9)
    shut_down(environment)
    records = kinesis_stub.records()
    size = sum(len(record.data) for record in records)
    units = payload_units(records)
    print(f"{units} PUT payload units for {size} bytes in {len(records)} records")
    assert units <= 1.05 * size / 25_000 + 5
    assert totals(environment)["payloadUnits"] == units


def test_a_loss_that_the_platform_tells_of_is_an_event_like_any_other(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    kinesis_stub.behave(Behaviour())
    environment = lambda_environment(kinesis_stub, HOLDS)
    body = b'[{"time":"t","type":"platform.logsDropped","record":{"droppedRecords":7}}]'
    environment.invoke(output=[body])
    shut_down(environment)
    [event] = of_type(events_in(kinesis_stub.records()), "platform.logsDropped")
    assert event["record"] == {"droppedRecords": 7}
