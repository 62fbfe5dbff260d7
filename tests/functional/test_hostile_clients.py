# SPDX-License-Identifier: MIT
"""Other code in the environment can reach the listener: whatever it sends, the platform goes on."""

from __future__ import annotations

import os
import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from outcome import (
    HOLDS,
    NO_HOLD_MS,
    assert_all_arrived,
    assert_memory_within,
    free_port,
    of_type,
    shut_down,
    totals,
)

from kinesis import KinesisStub, compare, events_in
from lambda_environment import LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]
# As many as the listener takes at once.
CONNECTIONS = 32


def connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), 5)
    connection.settimeout(5)
    return connection


@contextmanager
def many_that_send(port: int, text: bytes, count: int) -> Iterator[None]:
    """So many connections that send this and then stand still."""
    with ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(connect(port))
            connection.sendall(text)
        yield


def answer_to(port: int, text: bytes) -> bytes:
    """The status line; empty when the listener just hangs up."""
    with connect(port) as connection:
        connection.sendall(text)
        try:
            return connection.makefile("rb").readline().strip()
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n[",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n[",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n[",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
        b"\x00" * 5000,
    ],
    ids=["silent", "slow head", "slow body", "huge length", "huge chunk", "TLS", "zeros"],
)
def test_connections_that_stand_still_do_not_stop_the_platforms_deliveries(
    lambda_environment: Environments, kinesis_stub: KinesisStub, text: bytes
) -> None:
    port = free_port()
    variables = {**HOLDS, "HTTP_LOGS_LISTENER_PORT": str(port)}
    environment = lambda_environment(kinesis_stub, variables)
    assert environment.invoke(output=["before\n"]).undelivered_at_freeze == 0
    # One place is the platform's, whose connection lives on.
    with many_that_send(port, text, CONNECTIONS - 1):
        invocation = environment.invoke(output=numbered_lines(2000), timeout_s=9)
        assert invocation.undelivered_at_freeze == 0
        assert invocation.kept_awake_ms < NO_HOLD_MS
    assert_memory_within(environment, environment.process.peak_memory_kb, (8 + 10) * 1024)
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, kinesis_stub)


@contextmanager
def many_that_connect(port: int, count: int) -> Iterator[None]:
    """So many connections that are never spoken on; most of them wait to be accepted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, soft + count), hard))
    try:
        with ExitStack() as stack:
            for _ in range(count):
                connection = stack.enter_context(socket.socket())
                connection.setblocking(False)
                connection.connect_ex(("127.0.0.1", port))
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_thousands_of_connections_do_not_stop_the_platforms_deliveries(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    port = free_port()
    variables = {**HOLDS, "HTTP_LOGS_LISTENER_PORT": str(port)}
    environment = lambda_environment(kinesis_stub, variables)
    assert environment.invoke(output=["before\n"]).undelivered_at_freeze == 0
    with many_that_connect(port, 3000):
        for number in range(3):
            lines = numbered_lines(500, prefix=f"meanwhile-{number}")
            invocation = environment.invoke(output=lines, timeout_s=9)
            assert invocation.undelivered_at_freeze == 0
            assert invocation.kept_awake_ms < NO_HOLD_MS
    assert_memory_within(environment, environment.process.peak_memory_kb, (8 + 10) * 1024)
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, kinesis_stub)


@contextmanager
def that_never_stop(port: int, head: bytes, piece: bytes, count: int) -> Iterator[None]:
    """So many connections that send a head and then a piece every few milliseconds."""
    done = threading.Event()

    def send() -> None:
        with connect(port) as connection, suppress(OSError):
            connection.sendall(head)
            while not done.wait(0.02):
                connection.sendall(piece)

    threads = [threading.Thread(target=send) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"x"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n[", b" "),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"8000\r\n" + b" " * 0x8000 + b"\r\n",
        ),
        (b"", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"),
    ],
    ids=["slow head", "slow body", "endless chunks", "huge lengths"],
)
def test_clients_that_never_stop_do_not_stop_the_platforms_deliveries(
    lambda_environment: Environments, kinesis_stub: KinesisStub, head: bytes, piece: bytes
) -> None:
    """Slowloris: each byte comes before any time limit on silence."""
    port = free_port()
    variables = {**HOLDS, "HTTP_LOGS_LISTENER_PORT": str(port)}
    environment = lambda_environment(kinesis_stub, variables)
    assert environment.invoke(output=["before\n"]).undelivered_at_freeze == 0
    with thawed(environment), that_never_stop(port, head, piece, CONNECTIONS - 1):
        for number in range(5):
            lines = numbered_lines(200, prefix=f"meanwhile-{number}")
            invocation = environment.invoke(output=lines, duration_s=0.2, timeout_s=9)
            assert invocation.undelivered_at_freeze == 0
            assert invocation.kept_awake_ms < NO_HOLD_MS
    assert_memory_within(environment, environment.process.peak_memory_kb, (8 + 10) * 1024)
    assert shut_down(environment).exit_code == 0
    assert not compare(environment.emitted, events_in(kinesis_stub.records())).missing


def test_clients_that_hold_all_places_from_the_start_do_not_keep_the_platform_out(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    port = free_port()
    variables = {**HOLDS, "HTTP_LOGS_LISTENER_PORT": str(port)}
    environment = lambda_environment(kinesis_stub, variables)
    slow_head = b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: "
    with thawed(environment), that_never_stop(port, slow_head, b"x", CONNECTIONS + 8):
        for number in range(3):
            invocation = environment.invoke(output=[f"line {number}\n"], duration_s=0.2)
            assert invocation.undelivered_at_freeze == 0
            assert invocation.kept_awake_ms < NO_HOLD_MS
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, kinesis_stub)


def test_what_is_no_delivery_is_refused_and_changes_nothing(
    lambda_environment: Environments, kinesis_stub: KinesisStub
) -> None:
    port = free_port()
    variables = {**HOLDS, "HTTP_LOGS_LISTENER_PORT": str(port)}
    environment = lambda_environment(kinesis_stub, variables)
    environment.invoke(output=["before\n"])
    refusals = {
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n": b"405",
        b"DELETE /logs HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n": b"405",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n": b"413",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: minus\r\n\r\n": b"400",
        b"hello\r\n\r\n": b"",
    }
    with thawed(environment):
        for text, status in refusals.items():
            answer = answer_to(port, text)
            assert answer == b"" or answer.split()[1].startswith(status or b"4"), text
    environment.invoke(output=["after\n"])
    assert shut_down(environment).exit_code == 0
    assert_all_arrived(environment, kinesis_stub)
    assert totals(environment)["receivedEvents"] == len(environment.emitted)


@pytest.mark.parametrize("method", [b"POST", b"PUT"])
def test_a_delivery_by_any_path_and_either_method_is_taken(
    lambda_environment: Environments, kinesis_stub: KinesisStub, method: bytes
) -> None:
    port = free_port()
    variables = {**HOLDS, "HTTP_LOGS_LISTENER_PORT": str(port)}
    environment = lambda_environment(kinesis_stub, variables)
    body = b'[{"time":"t","type":"function","record":"from elsewhere"}]'
    head = b" /any/path?x=1 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    with thawed(environment):
        assert answer_to(port, method + head + body) == b"HTTP/1.1 200 OK"
    environment.invoke(output=["a line\n"])
    shut_down(environment)
    events = of_type(events_in(kinesis_stub.records()), "function")
    assert sorted(event["record"] for event in events) == ["a line\n", "from elsewhere"]


@contextmanager
def thawed(environment: LambdaEnvironment) -> Iterator[None]:
    """Lets the extension run between invocations, as it does while the function runs."""
    os.killpg(environment.process.pid, signal.SIGCONT)
    try:
        yield
    finally:
        os.killpg(environment.process.pid, signal.SIGSTOP)
