# SPDX-License-Identifier: MIT
"""Each fault, in each flush mode, passing by or met by a shutdown in the middle of it.

Whatever it is: the function's invocations succeed and are held no longer than allowed, the ledger
is exact, and everything that was accepted is in the stream in the end. What was on disk comes
through the next process. Only where an answer was lost may an event be there twice, with the same
eventId.

pain 7 ("no route": a VPC without egress), pains 11, 12, 13, 23, 24; Sumo's dropped 5xx and
lambda-promtail's swallowed error ("garbage").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

import pytest
from conftest import environments_for
from fault_proxy import LOSES_THE_ANSWER, FaultProxy, Wire, fault_proxy
from outcome import (
    assert_ledger_is_exact,
    assert_same_events,
    lives,
    on_free_port,
    shut_down,
    without_repeats,
)

from kinesis import Behaviour, KinesisStub, compare, events_in
from lambda_environment import LambdaEnvironment, numbered_lines

Environments = Callable[..., LambdaEnvironment]
MODES = ("end", "continuous", "adaptive")
HOLD_MS = 200
# What a starved test machine may add to a hold; one without an end would last to the deadline.
SLACK_MS = 2000
REQUESTS_HIT = 3
# So many requests are in flight at most.
LANES = 4
AT_ONCE = 12
# Of so many on a busy machine, each has less than a small function has of a processor.
KILL_GRACE_S = 5.0


@dataclass(frozen=True)
class Fault:
    behaviour: Behaviour | None = None
    """Of the service,"""
    wire: Wire | None = None
    """or of the way there,"""
    variables: dict[str, str] = field(default_factory=dict)
    """or of what the first of two lives was told; it does not pass by."""
    delivers: bool = False
    """Although it is there, everything is delivered before the shutdown."""
    protocol: str = "json"
    """Of the first life; the second one speaks JSON."""

    @property
    def may_repeat(self) -> bool:
        behaviour = self.behaviour
        stored = behaviour is not None and (behaviour.store_and_close or behaviour.cut)
        return stored or self.wire in LOSES_THE_ANSWER

    def begin(self, stub: KinesisStub, proxy: FaultProxy, times: int) -> None:
        if self.behaviour:
            stub.behave(Behaviour(**{**vars(self.behaviour), "times": times}))
        if self.wire:
            proxy.meet(self.wire, times)

    def end(self, stub: KinesisStub, proxy: FaultProxy) -> None:
        if self.behaviour:
            # What is still on its way at a shutdown meets the fault, too, else its answer is lost.
            proxy.settle()
        stub.recover()
        proxy.recover()


FAULTS = {
    "throttled": Fault(Behaviour(status=400, error_type="ProvisionedThroughputExceededException")),
    "half of the records fail": Fault(Behaviour(fail_share=0.5), delivers=True),
    "all records fail": Fault(Behaviour(fail_share=1.0, error_code="InternalFailure")),
    "500": Fault(Behaviour(status=500, error_type="InternalFailure")),
    "503": Fault(Behaviour(status=503, error_type="ServiceUnavailable")),
    "closed before": Fault(Behaviour(close=True)),
    "closed after": Fault(Behaviour(store_and_close=True)),
    "cut answer": Fault(Behaviour(cut=True)),
    "late": Fault(Behaviour(delay_s=0.3), delivers=True),
    "reset before": Fault(wire=Wire.RESET_BEFORE),
    "reset after": Fault(wire=Wire.RESET_AFTER),
    "hangs": Fault(wire=Wire.HANG),
    "no answer": Fault(wire=Wire.NO_ANSWER),
    "slow": Fault(wire=Wire.SLOW, delivers=True),
    "garbage": Fault(wire=Wire.GARBAGE),
    "truncated": Fault(wire=Wire.TRUNCATED),
    "refused": Fault(wire=Wire.REFUSED),
    "no such name": Fault(variables={"AWS_ENDPOINT_URL_KINESIS": "http://kinesis.invalid"}),
    "no route": Fault(variables={"AWS_ENDPOINT_URL_KINESIS": "http://192.0.2.1"}),
}
# Those that concern what is in the bodies.
IN_CBOR = ("half of the records fail", "all records fail", "cut answer", "garbage", "truncated")
FAULTS |= {f"{name}, in CBOR": replace(FAULTS[name], protocol="cbor") for name in IN_CBOR}


@dataclass
class Story:
    """One fault, in one mode: two lives, one after the other over the same /tmp."""

    make: Environments
    stub: KinesisStub
    fault: Fault
    mode: str
    passes: bool
    """Before the shutdown."""
    tmp: Path

    def __str__(self) -> str:
        return f"{self.mode}, {'passes by' if self.passes else 'shutdown in the middle'}"

    def run(self) -> None:
        with fault_proxy(self.stub) as proxy:
            first = self.live_with_fault(proxy)
            self.fault.end(self.stub, proxy)
            second = self.live(proxy, {})
            shut_down(second)
        self.check([first, second])

    def live(self, proxy: FaultProxy, more: dict[str, str]) -> LambdaEnvironment:
        variables = {"EXTENSION_LOG_FLUSH": self.mode, "EXTENSION_LOG_HOLD_MS": str(HOLD_MS)}
        variables |= proxy.variables | on_free_port() | more
        return self.make(
            self.stub, variables, temporary_directory=self.tmp, kill_grace_s=KILL_GRACE_S
        )

    def live_with_fault(self, proxy: FaultProxy) -> LambdaEnvironment:
        protocol = {"EXTENSION_LOG_KINESIS_PROTOCOL": self.fault.protocol}
        environment = self.live(proxy, self.fault.variables | protocol)
        self.invoke(environment, "before", 50)
        self.fault.begin(self.stub, proxy, REQUESTS_HIT if self.passes else 0)
        for number in range(3):
            self.invoke(environment, f"during-{number}", 200)
        if self.passes:
            self.fault.end(self.stub, proxy)
            self.invoke(environment, "after", 50)
        ended = shut_down(environment)
        assert (ended.state, ended.exit_code) == ("Exited", 0), "killed by the platform"
        return environment

    def invoke(self, environment: LambdaEnvironment, prefix: str, count: int) -> None:
        lines = numbered_lines(count, prefix=prefix)
        invocation = environment.invoke(output=lines, duration_s=0.05)
        assert invocation.status == "success"
        assert invocation.kept_awake_ms < HOLD_MS + SLACK_MS

    def check(self, environments: list[LambdaEnvironment]) -> None:
        arrived = events_in(self.stub.records())
        distinct = without_repeats(arrived)
        totals = [line for environment in environments for line in lives(environment)]
        for line in totals:
            assert_ledger_is_exact(line)
        assert totals[-1]["spooledEvents"] == 0
        assert sum(line["droppedEvents"] for line in totals) == 0
        assert sum(line["deliveredEvents"] for line in totals) == len(distinct)
        assert totals[1]["replayedEvents"] == totals[0]["spooledEvents"]
        assert totals[1]["replayedBytes"] == totals[0]["spooledBytes"]
        emitted = [event for environment in environments for event in environment.emitted]
        comparison = compare(emitted, distinct)
        assert not comparison.missing, f"{len(comparison.missing)}: {comparison.missing[:3]}"
        assert not comparison.repeated
        assert_same_events(arrived)
        if not self.passes:
            assert bool(totals[0]["spooledEvents"]) != self.fault.delivers
            assert (len(arrived) > len(distinct)) == self.fault.may_repeat
        assert self.fault.may_repeat or len(distinct) == len(arrived)


def stories(
    make: Environments, server: KinesisStub, name: str, tmp: Path
) -> Iterator[tuple[str, Story]]:
    """In each mode, with each end; each with a stream and a /tmp of its own."""
    fault = FAULTS[name]
    for mode, passes in product(MODES, [False] if fault.variables else [True, False]):
        folder = tmp / name / f"{mode}-{passes}"
        folder.mkdir(parents=True)
        yield name, Story(make, server.new_stream(), fault, mode, passes, folder)


def selected_faults(request: pytest.FixtureRequest) -> list[str]:
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    faults = [getattr(item, "callspec", None) for item in items if item.module is request.module]
    return [spec.params["fault"] for spec in faults if spec and "fault" in spec.params]


@pytest.fixture(scope="module")
def failures(
    request: pytest.FixtureRequest,
    extension_binary: Path,
    stub_server: KinesisStub,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, list[str]]:
    """What went wrong with each fault. The stories mostly wait, so many run at once."""
    tmp = tmp_path_factory.mktemp("faults")
    found: dict[str, list[str]] = {}
    with environments_for(lambda: extension_binary) as make, ThreadPoolExecutor(AT_ONCE) as pool:
        told = [
            (name, story, pool.submit(story.run))
            for fault in selected_faults(request)
            for name, story in stories(make, stub_server, fault, tmp)
        ]
        for name, story, future in told:
            if error := future.exception():
                found.setdefault(name, []).append(f"{story}: {error!r}")
    return found


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_loses_nothing_and_costs_the_function_no_more_than_the_hold(
    failures: dict[str, list[str]], fault: str
) -> None:
    assert not failures.get(fault), "\n".join(failures[fault])


# Faults that need a server of their own


@pytest.mark.parametrize("offset_s", [3600, -3600], ids=["ahead", "behind"])
@pytest.mark.parametrize("mode", MODES)
def test_a_clock_that_is_wrong_costs_one_attempt(
    lambda_environment: Environments, kinesis_stub: KinesisStub, mode: str, offset_s: float
) -> None:
    """The service's Date is what the next attempt is signed with."""
    kinesis_stub.set_clock(offset_s)
    environment = lambda_environment(kinesis_stub, {"EXTENSION_LOG_FLUSH": mode} | on_free_port())
    for number in range(3):
        environment.invoke(output=[f"invocation {number}\n"], duration_s=0.1)
    refused = [request for request in kinesis_stub.requests() if request.status != 200]
    assert {request.error_type for request in refused} == {"InvalidSignatureException"}
    assert len(refused) <= LANES, "no more than were on their way when the first was refused"
    kinesis_stub.set_clock(0)
    environment.invoke(output=["right again\n"], duration_s=0.1)
    assert shut_down(environment).exit_code == 0
    [line] = lives(environment)
    assert_ledger_is_exact(line)
    assert line["deliveredEvents"] == len(environment.emitted)
    assert not compare(environment.emitted, events_in(kinesis_stub.records())).missing
    refused_again = [request for request in kinesis_stub.requests() if request.status != 200]
    assert len(refused) < len(refused_again) <= 2 * LANES


@pytest.mark.parametrize("mode", MODES)
def test_a_certificate_that_is_not_trusted_gets_nothing_and_what_is_on_disk_arrives_later(
    lambda_environment: Environments, kinesis_tls_stub: KinesisStub, tmp_path: Path, mode: str
) -> None:
    trusted = {"EXTENSION_LOG_FLUSH": mode, "EXTENSION_LOG_HOLD_MS": "200"} | on_free_port()
    wrong = {"AWS_CA_BUNDLE": str(Path("/etc/ssl/certs/ca-certificates.crt"))}
    tmp = tmp_path / "tmp"
    tmp.mkdir()
    first = lambda_environment(kinesis_tls_stub, trusted | wrong, temporary_directory=tmp)
    assert first.invoke(output=numbered_lines(100)).kept_awake_ms < HOLD_MS + SLACK_MS
    assert shut_down(first).exit_code == 0
    assert kinesis_tls_stub.requests() == []
    second = lambda_environment(kinesis_tls_stub, trusted, temporary_directory=tmp)
    assert shut_down(second).exit_code == 0
    events = events_in(kinesis_tls_stub.records())
    comparison = compare([*first.emitted, *second.emitted], events)
    assert not comparison.missing
    assert not comparison.repeated
    for line in [*lives(first), *lives(second)]:
        assert_ledger_is_exact(line)
