# SPDX-License-Identifier: MIT
"""What README.md and the pages beside it say is what the program and the repository have."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
README = REPOSITORY / "README.md"
PAGES = [
    README,
    *sorted((REPOSITORY / "docs").rglob("*.md")),
    Path(__file__).with_name("README.md"),
]
PRINT_SETTINGS = REPOSITORY / "build/tools/print_settings"
DEMO = REPOSITORY / "tests/demo/demo.py"
ELLIPSIS = "…"
PORT_IS_TAKEN = "HTTP_LOGS_LISTENER_PORT"
"""Said when something else on this machine has port 1234, which the README does not show."""


def between(marker: str) -> str:
    """The README's text between `<!-- marker: begin …-->` and `<!-- marker: end -->`."""
    pattern = rf"<!-- {marker}: begin [^\n]*-->\n(.*?)<!-- {marker}: end -->"
    found = re.search(pattern, README.read_text(), re.DOTALL)
    assert found, f"README.md has no part that is marked {marker}"
    return found[1]


def code_block(marker: str) -> list[str]:
    block = re.fullmatch(r"```\n(.*)```\n", between(marker), re.DOTALL)
    assert block, f"the part {marker} is not one block of code"
    return block[1].splitlines()


def shape_of(line: str) -> str:
    """A pattern for lines that differ in numbers, identifiers and blanks only; … is anything."""
    pieces = re.split(rf"({ELLIPSIS}|\b[0-9a-f]{{8}}\b|\d+(?:\.\d+)?|\s+)", line)
    return "".join(map(shape_of_piece, pieces))


def shape_of_piece(piece: str) -> str:
    if piece == ELLIPSIS:
        return ".*"
    if piece.isspace():
        return r"\s+"
    if re.fullmatch(r"[0-9a-f]{8}", piece):
        return "[0-9a-f]{8}"
    return r"\d+(?:\.\d+)?" if piece[:1].isdigit() else re.escape(piece)


def shape_of_block(lines: list[str]) -> str:
    return "".join(r"(?:.*\n)*" if line == ELLIPSIS else shape_of(line) + r"\n" for line in lines)


def anchor_of(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def anchors_in(page: Path) -> set[str]:
    return {anchor_of(found) for found in re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)}


def links_in(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", page.read_text())


@pytest.mark.parametrize(
    ("shown", "real", "same"),
    [
        ("took 5.2 ms", "took 11 ms", True),
        ("took 5.2 ms", "took ages", False),
        ("time  1c4efc65  Hello", "time  d6d4527b   Hello", True),
        ("Goodbye, Ad…", "Goodbye, Ada.", True),
        ("Goodbye, Ada.", "Goodbye, Ada!", False),
    ],
)
def test_lines_have_the_same_shape_when_only_numbers_and_blanks_differ(
    shown: str, real: str, same: bool
) -> None:
    assert bool(re.fullmatch(shape_of(shown), real)) == same


def test_the_table_of_settings_is_what_the_program_prints() -> None:
    if not PRINT_SETTINGS.exists():
        target = PRINT_SETTINGS.relative_to(REPOSITORY)
        pytest.fail(f"{target} is not there; run make {target}", pytrace=False)
    printed = subprocess.run([PRINT_SETTINGS], check=True, capture_output=True, text=True).stdout
    assert between("settings") == printed


def test_the_demo_prints_what_is_shown(extension_binary: Path) -> None:
    demo = subprocess.run(
        [sys.executable, DEMO],
        env={**os.environ, "EXTENSION_BINARY": str(extension_binary), "COLUMNS": "120"},
        capture_output=True,
        text=True,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    printed = "".join(
        line for line in demo.stdout.splitlines(keepends=True) if PORT_IS_TAKEN not in line
    )
    assert re.fullmatch(shape_of_block(code_block("demo")), printed), printed


def test_what_is_shown_of_the_tests_ends_with_a_line_of_totals_without_failures() -> None:
    assert re.fullmatch(r"\d+ passed, 0 failed", code_block("test")[-1])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_each_make_target_that_is_named_exists(page: Path) -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z][a-z-]*)(?=[ `\n])", page.read_text(), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    broken = []
    for link in links_in(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in anchors_in(target)):
            broken.append(link)
    assert not broken


def test_the_parameters_of_the_template_are_those_that_are_described() -> None:
    template = (REPOSITORY / "template.yaml").read_text()
    section = re.search(r"^Parameters:\n(.*?)^\S", template, re.MULTILINE | re.DOTALL)
    assert section
    parameters = dict(
        re.findall(r"^  (\w+):\n(?:    .*\n)*?    Default: (\S+)", section[1], re.MULTILINE)
    )
    described = dict(re.findall(r"^\| `(\w+)` \| `(\S+)` \| ", README.read_text(), re.MULTILINE))
    assert parameters
    assert {name: described.get(name) for name in parameters} == parameters
