# SPDX-License-Identifier: MIT
"""In AWS's own emulator, with AWS's own runtime client: nothing here but the extension is ours.

Needs root, for chroot and because the emulator runs Managed Instances as another user.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from outcome import (
    HOLDS,
    NO_HOLD_MS,
    Stream,
    assert_ledger_is_exact,
    assert_same_events,
    of_type,
    on_free_port,
    without_repeats,
)
from root_directory import RootDirectory
from test_static_binary import HERE, layer_of

from kinesis import Behaviour, KinesisStub, LocalStream, MotoStream, events_in
from rie import PROGRAM, Answer, Emulator, lambda_root

Kinesis = KinesisStub | MotoStream | LocalStream
Emulators = Callable[..., Emulator]
REPOSITORY = Path(__file__).resolve().parents[2]
SAM = REPOSITORY / "build/sam-venv/lib"
NO_LOGS = "this environment delivers no logs (a local emulator?): nothing will be shipped"
# When a delivery is not answered before the next is due, the emulator drops that one and hangs.
PATIENCE = {"EXTENSION_LOG_TIMEOUT_MS": "1000"}
MISTAKE = {"EXTENSION_LOG_TIMEOUT_MS": "1"}
# The user of the runtime and of the extension on a Managed Instance.
USER = 993
# Only so that a test which fails does not hang.
LIMIT_S = 60


def has_user(user: int) -> bool:
    """Not every user exists in a user namespace, in which others than root run these tests."""
    ranges = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(int(first) <= user < int(first) + int(count) for first, _, count in ranges)


managed = pytest.mark.skipif(
    not has_user(USER), reason=f"the emulator wants to become user {USER}; run this as root"
)


@pytest.fixture(scope="session")
def root_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RootDirectory]:
    found = list(SAM.glob(f"*/site-packages/{PROGRAM}"))
    if not found:
        pytest.fail(f"no {PROGRAM.name} in {SAM}; `make functional` puts it there", pytrace=False)
    path = tmp_path_factory.mktemp("lambda") / "root"
    yield lambda_root(path, found[0], layer_of(HERE))
    shutil.rmtree(path)


@pytest.fixture
def root(root_of_all: RootDirectory) -> RootDirectory:
    """The file system of an environment, /tmp as in a new one."""
    for left in (root_of_all.path / "tmp").iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    return root_of_all


@pytest.fixture
def emulator(root: RootDirectory, tmp_path: Path) -> Iterator[Emulators]:
    """emulator(kinesis, {…}) starts one, emulator(kinesis, {…}, concurrency=n) as an instance."""
    started: list[Emulator] = []

    def start(kinesis: Kinesis, variables: dict[str, str] | None = None, **how: Any) -> Emulator:
        wanted = {**platform_variables(kinesis), **on_free_port(), **PATIENCE, **(variables or {})}
        log = tmp_path / f"output-{len(started)}"
        started.append(Emulator(root, wanted, log, **how).__enter__())
        return started[-1]

    yield start
    left = [one.extensions() for one in started]
    for one in started:
        one.__exit__()
        print(f"--- the emulator said:\n{one.output}")
    assert not any(left), left


def platform_variables(kinesis: Kinesis) -> dict[str, str]:
    """What the emulator asks its user for."""
    return {
        **kinesis.variables,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": kinesis.credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": kinesis.credentials.secret_access_key,
        "AWS_SESSION_TOKEN": kinesis.credentials.session_token or "",
    }


def assert_succeeded(answer: Answer) -> None:
    assert (answer.status, list(answer.json)) == (200, ["requestId"])


def said(emulator: Emulator) -> list[str]:
    return [line["message"] for line in emulator.extension_lines]


def totals(emulator: Emulator) -> dict[str, Any]:
    (line,) = [line for line in emulator.extension_lines if "receivedEvents" in line]
    return line


def missing_lines(stream: Stream, lines: Counter[str]) -> Counter[str]:
    arrived = of_type(events_in(stream.records()), "function")
    return lines - Counter(event["record"] for event in arrived)


def wait_for(stream: Stream, lines: Counter[str]) -> None:
    """The emulator has to have read what the function said before it is shut down."""
    give_up_at = time.monotonic() + LIMIT_S
    while missing := missing_lines(stream, lines):
        assert time.monotonic() < give_up_at, f"{missing.total()} lines: {list(missing)[:3]}"
        time.sleep(0.5)  # Reading everything is work for the server, too.


# On demand: the emulator takes the subscription and delivers nothing.


@pytest.mark.parametrize("api", ["logs", "telemetry"])
def test_without_logs_the_function_runs_as_fast_and_that_is_said_once(
    emulator: Emulators, kinesis_stub: KinesisStub, api: str
) -> None:
    environment = emulator(kinesis_stub, HOLDS | {"EXTENSION_LOG_API": api})
    assert_succeeded(environment.invoke(name="first", lines=3))
    for _ in range(5):
        answer = environment.invoke(name="more", lines=3)
        assert_succeeded(answer)
        assert answer.seconds < NO_HOLD_MS / 1000
    environment.shut_down()
    assert said(environment) == [NO_LOGS]
    assert kinesis_stub.requests() == []


@pytest.mark.parametrize(
    ("event", "told"),
    [({"exit_code": 3}, b"Runtime.ExitError"), ({"seconds": LIMIT_S}, b"timed out")],
    ids=["crash", "time-out"],
)
def test_it_starts_again_after_a_reset(
    emulator: Emulators, kinesis_stub: KinesisStub, event: dict[str, Any], told: bytes
) -> None:
    environment = emulator(kinesis_stub, {"AWS_LAMBDA_FUNCTION_TIMEOUT": "2"})
    assert_succeeded(environment.invoke(name="before"))
    assert told in environment.invoke(name="fails", **event).body
    assert_succeeded(environment.invoke(name="after"))
    environment.shut_down()
    assert said(environment) == [NO_LOGS] * 2


def test_a_mistake_in_the_settings_is_told_and_the_function_runs(
    emulator: Emulators, kinesis_stub: KinesisStub
) -> None:
    environment = emulator(kinesis_stub, MISTAKE)
    assert_succeeded(environment.invoke(name="any"))
    environment.shut_down()
    assert len(said(environment)) == 2
    assert "EXTENSION_LOG_TIMEOUT_MS=1 is not allowed" in said(environment)[0]


def test_a_mistake_stops_the_function_when_that_was_asked_for(
    emulator: Emulators, kinesis_stub: KinesisStub
) -> None:
    strict = {"EXTENSION_LOG_ON_CONFIG_ERROR": "fail"}
    environment = emulator(kinesis_stub, MISTAKE | strict)
    assert environment.invoke(name="any").status == 502
    assert "the extension fails, as EXTENSION_LOG_ON_CONFIG_ERROR=fail" in said(environment)[1]
    environment.shut_down()


# Managed Instances: the emulator delivers by the Telemetry API.


@managed
@pytest.mark.parametrize("server", ["kinesis", "kinesis_local"])
def test_nothing_of_many_invocations_at_once_is_lost(
    emulator: Emulators, request: pytest.FixtureRequest, server: str
) -> None:
    stream = request.getfixturevalue(server)
    environment = emulator(stream, concurrency=10)
    names = [f"of {number}" for number in range(50)]
    answers = environment.invoke_together({"name": name, "lines": 10} for name in names)
    for answer in answers:
        assert_succeeded(answer)
    lines = Counter(f"{name} {number}" for name in names for number in range(10))
    wait_for(stream, lines)
    environment.shut_down()

    # A request that is not answered within 5 s goes again, as on a machine that is busy.
    assert_same_events(events_in(stream.records()))
    events = without_repeats(events_in(stream.records()))
    assert Counter(event["record"] for event in of_type(events, "function")) == lines
    assert totals(environment)["deliveredEvents"] == len(events)
    assert_ledger_is_exact(totals(environment))


@managed
def test_events_belong_to_the_requests_that_they_name(
    emulator: Emulators, kinesis_stub: KinesisStub
) -> None:
    environment = emulator(kinesis_stub, concurrency=2)
    answers = [environment.invoke(name=name, lines=1) for name in ("one", "two")]
    wait_for(kinesis_stub, Counter(["one 0", "two 0"]))
    environment.shut_down()
    events = events_in(kinesis_stub.records())
    for event_type in ("platform.start", "platform.report"):
        told = {event["requestId"] for event in of_type(events, event_type)}
        assert told == {answer.json["requestId"] for answer in answers}
    # The emulator delivers every line as text, which names no request.
    assert not [event for event in of_type(events, "function") if "requestId" in event]


@managed
def test_cbor_with_gzip_is_read_back_from_kinesis_local(
    emulator: Emulators, kinesis_local: LocalStream
) -> None:
    compact = {"EXTENSION_LOG_KINESIS_PROTOCOL": "cbor", "EXTENSION_LOG_COMPRESSION": "gzip"}
    environment = emulator(kinesis_local, compact, concurrency=2)
    assert_succeeded(environment.invoke(name="any", lines=100))
    wait_for(kinesis_local, Counter(f"any {number}" for number in range(100)))
    environment.shut_down()
    assert_ledger_is_exact(totals(environment))


@managed
def test_what_kinesis_did_not_confirm_goes_again_in_the_next_environment(
    emulator: Emulators, kinesis_stub: KinesisStub
) -> None:
    kinesis_stub.behave(Behaviour(times=0, store_and_close=True))
    first = emulator(kinesis_stub, concurrency=2)
    assert_succeeded(first.invoke(name="any", lines=5))
    lines = Counter(f"any {number}" for number in range(5))
    wait_for(kinesis_stub, lines)
    first.shut_down()
    assert totals(first)["deliveredEvents"] == 0
    assert totals(first)["spooledEvents"] == totals(first)["receivedEvents"]

    kinesis_stub.recover()
    second = emulator(kinesis_stub, concurrency=2)
    assert_succeeded(second.invoke(name="other", lines=5))
    wait_for(kinesis_stub, Counter(f"other {number}" for number in range(5)))
    second.shut_down()
    assert totals(second)["replayedEvents"] == totals(first)["spooledEvents"]
    events = events_in(kinesis_stub.records())
    assert_same_events(events)
    arrived = Counter(event["record"] for event in of_type(without_repeats(events), "function"))
    assert {line: arrived[line] for line in lines} == lines


@managed
def test_the_last_words_of_a_runtime_that_is_killed_arrive(
    emulator: Emulators, kinesis_stub: KinesisStub
) -> None:
    environment = emulator(kinesis_stub, concurrency=2)
    lines = Counter(f"last words {number}" for number in range(5))
    with ThreadPoolExecutor() as pool:
        pool.submit(environment.invoke, name="last words", lines=5, seconds=LIMIT_S)
        environment.wait_for_output("last words 4")
        environment.kill_runtime()
    environment.wait()
    assert not missing_lines(kinesis_stub, lines)
    assert_ledger_is_exact(totals(environment))
    (report,) = of_type(events_in(kinesis_stub.records()), "platform.report")
    assert report["record"]["errorType"] == "Runtime.ExitError"


@managed
def test_a_mistake_ends_an_instance_when_that_was_asked_for(
    emulator: Emulators, kinesis_stub: KinesisStub
) -> None:
    strict = {"EXTENSION_LOG_ON_CONFIG_ERROR": "fail"}
    environment = emulator(kinesis_stub, MISTAKE | strict, concurrency=2)
    environment.wait()
    assert "Extension.ConfigInvalid" in environment.output
