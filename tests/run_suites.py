# SPDX-License-Identifier: MIT
"""Runs test suites one after the other, shows each while it runs, and ends with one line of totals.

A unit test program counts the tests that cmocka ran in it, a fuzz target counts as one test,
pytest counts its own, and each command of the SAM CLI counts as one. Everything runs, even when
something before it has failed.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / "build/venv/bin"
SAM = ROOT / "build/sam-venv/bin/sam"
SAM_BUILD = ROOT / "build/sam"
CORPUS = ROOT / "tests/fuzz/corpus"


@dataclass
class Count:
    """How many tests ended in which way."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"

    @property
    def ran(self) -> int:
        return self.passed + self.failed + self.skipped


def run_unit(programs: Sequence[str]) -> Count:
    return sum(map(unit_program, programs), Count())


def unit_program(
    program: str, variables: dict[str, str] | None = None, emulator: Sequence[str] = ()
) -> Count:
    """One cmocka program. Unless something in it failed, only its tests' own messages are shown."""
    done = subprocess.run(
        [*emulator, program],
        cwd=ROOT,
        env=os.environ | (variables or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output = done.stdout.decode(errors="replace")
    count = Count(*(cmocka_total(output, word) for word in ("PASSED", "FAILED", "SKIPPED")))
    if done.returncode and not count.failed:
        count.failed = 1  # a sanitizer or a signal ended it before cmocka could count
    name = program.removeprefix("build/unit/").removeprefix("build/emulated/")
    print(f"  {name}: {count if count.ran else 'no test ran'}", flush=True)
    if done.returncode or not count.ran:
        print(output, flush=True)
    else:
        sys.stdout.writelines(f"    {line}\n" for line in messages(output))
    return count if count.ran else Count(failed=1)


def messages(output: str) -> list[str]:
    """What tests print, such as which vectors are not there; cmocka's own lines begin with a [."""
    return [line for line in output.splitlines() if line and not line.startswith("[")]


def run_torture(programs: Sequence[str]) -> Count:
    """Several programs at once: each runs its tests many times. Tests that fail leave files."""
    return run_at_once(unit_program, programs)


def run_emulated(emulator: str, programs: Sequence[str]) -> Count:
    """Unit tests of another architecture's code; several at once, because emulation is slow."""
    return run_at_once(partial(unit_program, emulator=emulator.split()), programs)


def run_at_once(run: Callable[..., Count], programs: Sequence[str]) -> Count:
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(os.cpu_count()) as pool:
        return sum(pool.map(partial(run, variables={"TMPDIR": scratch}), programs), Count())


def cmocka_total(output: str, word: str) -> int:
    """cmocka closes each group of tests with lines like `[  PASSED  ] 3 test(s).`"""
    return sum(map(int, re.findall(rf"\[\s+{word}\s+\] (\d+) test", output)))


def run_fuzz_replay(programs: Sequence[str]) -> Count:
    return sum(map(fuzz_target, programs), Count())


def fuzz_target(program: str) -> Count:
    target = Path(program).name.removeprefix("fuzz_")
    inputs = sorted(str(path) for path in (CORPUS / target).rglob("*") if path.is_file())
    done = subprocess.run(
        [program, *inputs], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    survived = done.returncode == 0 and bool(inputs)
    print(f"  {target}: {len(inputs)} inputs{'' if survived else ': FAILED'}", flush=True)
    if not survived:
        print(done.stdout.decode(errors="replace"), flush=True)
    return Count(passed=int(survived), failed=int(not survived))


def run_functional(binary: str) -> Count:
    variables = {"EXTENSION_BINARY": str(ROOT / binary)}
    return run_pytest("tests/functional", variables, as_root())


def run_rie(_: str) -> Count:
    return run_pytest("tests/rie", {}, as_root())


def as_root() -> list[str]:
    """Some of these tests need chroot and low ports; other users have them in namespaces."""
    namespaces = ["unshare", "--map-root-user", "--net"]
    if os.geteuid() == 0 or subprocess.run([*namespaces, "true"]).returncode:
        return []
    return [*namespaces, "/usr/bin/python3", str(ROOT / "tests/functional/own_network.py")]


def run_pytest(folder: str, variables: dict[str, str], prefix: Sequence[str] = ()) -> Count:
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        command = [*prefix, VENV / "python", "-m", "pytest", "--verbose", "--no-header"]
        command += [f"--junit-xml={report}", folder]
        environment = clean_environment() | variables
        status = subprocess.run(command, cwd=ROOT, env=environment).returncode
        count = junit_count(report)
    if status and not count.failed:
        count.failed = 1  # pytest itself could not do its work
    return count


def junit_count(report: Path) -> Count:
    if not report.exists():
        return Count()
    suites = ElementTree.parse(report).iter("testsuite")
    total = Count()
    for suite in suites:
        ran, failures, errors, skipped = (
            int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")
        )
        failed = failures + errors
        total += Count(max(ran - failed - skipped, 0), failed, skipped)
    return total


def run_instructions(_: str) -> Count:
    return run_pytest("tests/bench", {})


def run_template(_: str) -> Count:
    """The template as SAM sees it, what SAM builds from it, and what tests/template says of it."""
    count = run_command("sam validate", [SAM, "validate", "--lint"])
    for architecture in ("x86_64", "arm64"):
        count += sam_build(architecture, SAM_BUILD / architecture)
    return count + run_pytest("tests/template", {})


def run_infra(_: str) -> Count:
    return run_pytest("tests/infra", {})


def sam_build(architecture: str, folder: Path) -> Count:
    command = [SAM, "build", "--build-dir", folder]
    command += ["--parameter-overrides", f"Architecture={architecture}"]
    count = run_command(f"sam build {architecture}", command)
    built = machine_of_executable(folder / "KinesisStreamLogsApiExtensionLayer")
    return count + check(f"sam build {architecture}: the extension is there", built == architecture)


def machine_of_executable(layer: Path) -> str | None:
    """The architecture in the head of the layer's ELF file, which has to be executable."""
    extension = layer / "extensions/kinesis-stream-logs-extension"
    if not extension.is_file() or extension.stat().st_mode & 0o777 != 0o755:
        return None
    machine = int.from_bytes(extension.read_bytes()[18:20], "little")
    return {62: "x86_64", 183: "arm64"}.get(machine)


def run_command(name: str, command: Sequence[str | Path]) -> Count:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=clean_environment() | sam_variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    count = check(name, done.returncode == 0)
    if count.failed:
        print(done.stdout.decode(errors="replace"), flush=True)
    return count


def check(name: str, holds: bool) -> Count:
    print(f"  {name}: {'passed' if holds else 'FAILED'}", flush=True)
    return Count(passed=int(holds), failed=int(not holds))


def sam_variables() -> dict[str, str]:
    """No telemetry, no region of the user's, and the Node.js of the tests with its npm."""
    return {
        "SAM_CLI_TELEMETRY": "0",
        "NODE_DISABLE_COMPILE_CACHE": "1",  # npm's would stay in /tmp
        "AWS_DEFAULT_REGION": "us-east-1",
        "PATH": f"{VENV}:{os.environ['PATH']}",
    }


def clean_environment() -> dict[str, str]:
    """Without what make passes down to the makes that run under it, here those of SAM."""
    passed_down = {"ARCH", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES"}
    return {name: value for name, value in os.environ.items() if name not in passed_down}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unit", nargs="*", metavar="PROGRAM")
    parser.add_argument("--torture", nargs="*", metavar="PROGRAM")
    parser.add_argument("--fuzz-replay", nargs="*", metavar="PROGRAM")
    parser.add_argument("--emulated", nargs="*", metavar="PROGRAM")
    parser.add_argument("--emulator", default="", metavar="COMMAND")
    parser.add_argument("--instructions", action="store_const", const="instructions")
    parser.add_argument("--functional", metavar="BINARY")
    parser.add_argument("--rie", action="store_const", const="rie")
    parser.add_argument("--template", action="store_const", const="template")
    parser.add_argument("--infra", action="store_const", const="infra")
    return parser.parse_args()


def run_suite(name: str, run: Callable[[], Count]) -> Count:
    print(f"== {name}", flush=True)
    started = time.monotonic()
    count = run()
    if not count.ran:
        print(f"  no {name} test ran", flush=True)
        count.failed = 1
    print(f"== {name}: {count} ({time.monotonic() - started:.1f} s)\n", flush=True)
    return count


def main() -> int:
    asked = arguments()
    suites: list[tuple[str, Callable[..., Count], object]] = [
        ("unit", run_unit, asked.unit),
        ("torture", run_torture, asked.torture),
        ("fuzz-replay", run_fuzz_replay, asked.fuzz_replay),
        ("emulated", partial(run_emulated, asked.emulator), asked.emulated),
        ("instructions", run_instructions, asked.instructions),
        ("functional", run_functional, asked.functional),
        ("rie", run_rie, asked.rie),
        ("template", run_template, asked.template),
        ("infra", run_infra, asked.infra),
    ]
    total = Count()
    for name, run, argument in suites:
        if argument is not None:
            total += run_suite(name, lambda run=run, argument=argument: run(argument))
    if total.skipped and os.environ.get("CI") == "true":
        print("A skipped test is a failed test in CI.")
        total = Count(total.passed, total.failed + total.skipped)
    print(total)
    # Nothing at all is what a mistake in the Makefile looks like.
    return 1 if total.failed or not total.ran else 0


if __name__ == "__main__":
    sys.exit(main())
