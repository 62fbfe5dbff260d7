# SPDX-License-Identifier: MIT
"""The way of a log line costs no more instructions than it did (docs/performance.md)."""

from __future__ import annotations

import pytest

from bench.cases import COUNTED_CASES, Case
from bench.instructions import (
    ARCHITECTURE,
    REPOSITORY,
    allocations,
    bounds,
    count,
    own_instructions,
)
from bench.log_bodies import bodies_of

TOLERANCE = 1.10

# Without the instructions that OpenSSL and glibc look for first.
OTHER_PROCESSOR = {
    "OPENSSL_ia32cap": "~0x200000200000000:~0x20",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX2_Usable,-ERMS",
}


@pytest.mark.parametrize("case", COUNTED_CASES, ids=lambda case: case.name)
def test_a_byte_of_logs_costs_no_more_instructions(case: Case) -> None:
    counted, bound = count(case), bounds()[case.name]
    print(f"{counted:.2f} instructions a byte, {bound} when the bound was made")
    assert 0 < counted <= bound * TOLERANCE, (
        f"{case.name}: {counted:.2f} instructions a byte on {ARCHITECTURE}, {bound} before;"
        " if that has to be, make instructions RENEW=1"
    )


def test_no_memory_is_allocated_for_an_event() -> None:
    """The same bytes as many lines and as few; answers tell of records, of which there are more."""
    [many, few] = [case for case in COUNTED_CASES if case.name in ("ndjson/100", "ndjson/10000")]
    more_events = bodies_of(many.line_bytes).events - bodies_of(few.line_bytes).events
    more_allocations = allocations(many) - allocations(few)
    print(f"{more_allocations} allocations more for {more_events} events more")
    assert more_allocations < more_events / 5


def test_what_is_counted_does_not_depend_on_the_processor() -> None:
    [case] = [case for case in COUNTED_CASES if case.name == "ndjson/200"]
    assert count(case, OTHER_PROCESSOR) == pytest.approx(count(case), rel=0.001)


def test_counts_our_own_functions_and_not_what_they_call() -> None:
    profile = f"""\
fl=(1) {REPOSITORY}/src/base/buf.c
fn=(1) buf_append
10 5
fi=(2) /usr/include/string.h
+3 7
cfi=(3) ???
cfn=(2) memcpy
calls=2 0
* 1000
-1 2
fl=(3)
fn=(2)
0 1000
fl=(4) {REPOSITORY}/tests/bench/hot_path.c
fn=(3) ship
1 400
fl=(1)
fn=(4) buf_done
20 6
"""
    assert own_instructions(profile.splitlines()) == 5 + 7 + 2 + 6
