# SPDX-License-Identifier: MIT
"""From the first event to the last: shutdown, resets, a taken port, dialects of the platform."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from outcome import (
    HOLDS,
    NO_HOLD_MS,
    assert_all_arrived,
    is_sanitized,
    messages,
    of_type,
    on_free_port,
    said,
    shut_down,
    totals,
)

from kinesis import Behaviour, KinesisStub, events_in
from lambda_environment import LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]
FUNCTIONS = Path(__file__).parent / "functions"


def test_shutdown_ships_the_last_report_and_ends_in_time_with_code_0(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # pain 20: the last platform.report
    environment = lambda_environment(kinesis_stub, HOLDS)
    invocation = environment.invoke(output=["a line\n"])
    ended = shut_down(environment)
    assert (ended.state, ended.exit_code) == ("Exited", 0)
    assert ended.duration_ms < 1000
    reports = of_type(events_in(kinesis_stub.records()), "platform.report")
    assert [report["record"]["requestId"] for report in reports] == [invocation.request_id]
    assert_all_arrived(environment, kinesis_stub)


def test_shutdown_prints_one_line_of_totals_that_add_up(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, HOLDS | on_free_port())
    environment.invoke(output=numbered_lines(500))
    shut_down(environment)
    line = totals(environment)
    records = kinesis_stub.records()
    assert line["level"] == "info"
    assert line["receivedEvents"] == line["deliveredEvents"] == len(environment.emitted)
    assert line["receivedBytes"] == sum(len(event.raw) for event in environment.emitted)
    assert line["deliveredBytes"] == line["receivedBytes"]
    assert (line["pendingEvents"], line["droppedEvents"], line["droppedBy"]) == (0, 0, {})
    assert line["requests"] == len(kinesis_stub.requests())
    assert line["records"] == len(records)
    assert len(said(environment)) == 1, "nothing else was worth saying"


@pytest.mark.parametrize("reason", ["SPINDOWN", "TIMEOUT", "FAILURE"])
def test_reads_a_deadline_in_quotes_and_a_reason_in_lower_case(
    lambda_environment: Environments, kinesis_stub: KinesisStub, reason: str
) -> None:
    environment = lambda_environment(
        kinesis_stub, HOLDS, deadline_as_string=True, lower_case_reason=True
    )
    invocation = environment.invoke(output=["a line\n"])
    assert invocation.undelivered_at_freeze == 0
    assert shut_down(environment, reason).exit_code == 0
    assert_all_arrived(environment, kinesis_stub)


def test_ends_before_the_deadline_and_counts_the_loss_when_kinesis_hangs(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # O2 and Elastic plan a shutdown that is longer than the platform allows
    kinesis_stub.behave(Behaviour(times=0, hang=True))
    variables = {"EXTENSION_LOG_FLUSH": "continuous", "EXTENSION_LOG_SPOOL_BYTES": "0"}
    environment = lambda_environment(kinesis_stub, variables)
    environment.invoke(output=numbered_lines(100))
    ended = shut_down(environment)
    assert ended.exit_code == 0
    assert is_sanitized(environment) or ended.duration_ms < 2000
    line = totals(environment)
    assert line["level"] == "warn"
    assert line["droppedEvents"] == line["receivedEvents"] == len(environment.emitted)
    assert line["droppedBy"] == {"shutdown": line["droppedEvents"]}
    assert line["pendingEvents"] == 0


def test_ends_at_once_when_there_is_nothing_to_deliver(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, HOLDS)
    ended = shut_down(environment)
    assert ended.exit_code == 0
    assert ended.duration_ms < 1000


def test_the_logs_of_a_function_that_timed_out_arrive_and_the_next_life_begins(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, HOLDS)
    timed_out = environment.invoke(output=["before the timeout\n"], duration_s=9, timeout_s=0.5)
    assert timed_out.status == "timeout"
    again = environment.invoke(output=["after the reset\n"])
    assert again.status == "success"
    assert again.init
    assert again.init.succeeded
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, kinesis_stub)


def test_the_logs_of_a_function_that_crashed_arrive_and_the_next_life_begins(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(
        kinesis_stub, HOLDS, task_root=FUNCTIONS, handler="app.crashesOnce"
    )
    assert environment.invoke({"crash": True}).status == "failure"
    assert environment.invoke({"crash": False}).payload == b'"well again"'
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, kinesis_stub)
    assert of_type(events_in(kinesis_stub.records()), "platform.fault")


def test_several_lives_on_one_fixed_port_need_no_other_port(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, HOLDS | on_free_port())
    for _ in range(3):
        environment.invoke(output=["a line\n"])
        assert shut_down(environment).exit_code == 0
    assert not messages(environment, "warn")
    assert_all_arrived(environment, kinesis_stub)


def test_takes_any_free_port_and_says_so_when_its_own_is_taken(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # pains 8 and 10: a port that another extension has
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        variables = {**HOLDS, "HTTP_LOGS_LISTENER_PORT": port}
        environment = lambda_environment(kinesis_stub, variables)
        environment.invoke(output=["a line\n"])
        shut_down(environment)
    [warning] = messages(environment, "warn")
    assert "HTTP_LOGS_LISTENER_PORT" in warning
    assert port in warning
    assert_all_arrived(environment, kinesis_stub)


def test_takes_chunked_deliveries(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    environment = lambda_environment(kinesis_stub, HOLDS, chunked_delivery=True)
    invocation = environment.invoke(output=numbered_lines(3000))
    assert invocation.undelivered_at_freeze == 0
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)


def test_a_freeze_in_between_breaks_nothing(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    # pain 11
    """Each invocation finds the connections as the last one left them, every other time closed."""
    environment = lambda_environment(kinesis_stub, HOLDS)
    for number in range(4):
        if number % 2:
            kinesis_stub.behave(Behaviour(close=True))
        invocation = environment.invoke(output=numbered_lines(50, prefix=f"invocation-{number}"))
        assert invocation.kept_awake_ms < NO_HOLD_MS
    shut_down(environment)
    assert_all_arrived(environment, kinesis_stub)
