# SPDX-License-Identifier: MIT
"""The figures as tables, for the terminal and for the parts of the documentation that are marked
`<!-- bench NAME: begin -->`, and as pictures."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable
from pathlib import Path

from .cases import USUAL_LINE_BYTES
from .charts import Panel, line_panels, stacked_bars
from .results import CaseResult, GrowthResult, Results, budgets, median, megabytes

MATRIX_HEAD = (
    "| shipped as | line, B | CPU, ms/MB | in the kernel | floor | CPU / floor (least-most)"
    " | with sockets | events/s | peak, MB | kept awake, ms | wire bytes a byte | PUT units a MB |"
)
GROWTH_HEAD = "| flush | logged, MB | runs | CPU, ms/MB | events/s | peak, MB |"
BUDGET_HEAD = "| | budget | measured | |"
PART_NAMES = {
    "split": "read once",
    "gzip": "gzip",
    "base64": "base64",
    "sha256": "SHA-256",
    "aes": "AES-GCM",
}


def rule(head: str) -> str:
    return "|" + "---|" * (head.count("|") - 1)


def matrix_row(one: CaseResult) -> str:
    least, most = one.ratio_spread
    cells = [
        f"`{one.case.way.name}`",
        f"{one.case.line_bytes:,}",
        f"{one.cpu_ms:.2f}",
        f"{one.kernel_ms:.1f}",
        f"{one.floor_ms:.2f}",
        f"{one.ratio:.2f} ({least:.2f}-{most:.2f})",
        f"{one.ratio_with_sockets:.2f}",
        f"{one.events_per_s:,.0f}",
        f"{one.peak_mb:.1f}",
        f"{median(one.kept_awake_ms):.1f}",
        f"{one.wire_bytes_per_byte:.2f}",
        f"{one.units_per_mb:.0f} ({one.units_per_least:.2f})",
    ]
    return f"| {' | '.join(cells)} |"


def growth_row(one: GrowthResult) -> str:
    cells = [
        f"`{one.flush}`",
        f"{one.logged_mb:,}",
        str(len(one.runs)),
        f"{one.cpu_ms:.2f}",
        f"{one.events_per_s:,.0f}",
        f"{one.peak_mb:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def budget_rows(results: Results) -> Iterable[str]:
    for one in budgets(results):
        unit = f" {one.unit}" if one.unit else ""
        kept = "kept" if one.is_kept else "**missed**"
        yield f"| {one.name} | {one.limit:.4g}{unit} | {one.measured:.2f}{unit} | {kept} |"


def floor_row(one: CaseResult) -> str:
    parts = [f"{one.floor_parts_ms.get(part, 0):.2f}" for part in PART_NAMES]
    name = f"| `{one.case.way.name}` | {one.case.line_bytes:,} |"
    return f"{name} {' | '.join(parts)} | {one.floor_ms:.2f} | {one.sockets_ms:.2f} |"


# --- the terminal ---


def print_matrix_head() -> None:
    print(f"{MATRIX_HEAD}\n{rule(MATRIX_HEAD)}", flush=True)


def print_case(one: CaseResult) -> None:
    print(matrix_row(one), flush=True)


def print_growth_head() -> None:
    print(f"\n{GROWTH_HEAD}\n{rule(GROWTH_HEAD)}", flush=True)


def print_growth(one: GrowthResult) -> None:
    print(growth_row(one), flush=True)


def print_budgets(results: Results) -> None:
    print("", BUDGET_HEAD, rule(BUDGET_HEAD), *budget_rows(results), sep="\n", flush=True)


# --- the documentation ---


def write(results: Results, repository: Path, how: str) -> None:
    page = repository / "docs/performance.md"
    replace(page, "machine", [machine(results, how)])
    replace(page, "budgets", table(BUDGET_HEAD, budget_rows(results)))
    replace(page, "matrix", table(MATRIX_HEAD, map(matrix_row, results.cases)))
    head = f"| shipped as | line, B | {' | '.join(PART_NAMES.values())} | floor | sockets |"
    replace(page, "floor", table(head, map(floor_row, results.cases)))
    replace(page, "growth", table(GROWTH_HEAD, map(growth_row, results.growth)))
    replace(repository / "README.md", "headlines", table("| | |", headlines(results)))
    images = repository / "docs/images"
    (images / "performance-cpu.svg").write_text(cpu_picture(results))
    (images / "performance-growth.svg").write_text(growth_picture(results))


def table(head: str, rows: Iterable[str]) -> list[str]:
    return [head, rule(head), *rows]


def replace(page: Path, name: str, lines: list[str]) -> None:
    """The lines of a page between the marks of that name."""
    pattern = rf"(<!-- bench {name}: begin -->\n).*?(<!-- bench {name}: end -->)"
    text, count = re.subn(
        pattern,
        lambda found: "\n".join([found[1].rstrip(), *lines, found[2]]),
        page.read_text(),
        flags=re.DOTALL,
    )
    if count != 1:
        raise RuntimeError(f"{page} has no part that is marked 'bench {name}'")
    page.write_text(text)


def machine(results: Results, how: str) -> str:
    text = Path("/proc/cpuinfo").read_text()
    names = re.findall(r"^model name\s*: (.*)$", text, re.MULTILINE)
    flags = set(re.findall(r"^(?:flags|Features)\s*: (.*)$", text, re.MULTILINE)[0].split())
    shown = [flag for flag in ("sha_ni", "sha2", "vaes", "avx2", "avx512f") if flag in flags]
    return (
        f"{names[0] if names else platform.machine()}, {os.cpu_count()} processors,"
        f" with {', '.join(shown)}; Linux {platform.release()}; {how}."
    )


def headlines(results: Results) -> Iterable[str]:
    usual = results.case(f"ndjson/{USUAL_LINE_BYTES}")
    burst = results.bursts[0]
    start_ms = median(one.start_ms for one in results.starts)
    idle_mb = max(megabytes(one.idle_kb) for one in results.starts)
    longest = max(results.growth, key=lambda one: one.logged_mb)
    yield f"| exec to the first `event/next` | {start_ms:.1f} ms |"
    yield f"| resident, idle | {idle_mb:.1f} MB |"
    burst_mb = f"{burst.logs_bytes / 1e6:.0f} MB"
    yield f"| resident, peak of a burst of {burst_mb} | {megabytes(burst.peak_kb):.1f} MB |"
    yield (
        f"| CPU for each MB of logs, lines of {USUAL_LINE_BYTES} B | {usual.cpu_ms:.1f} ms,"
        f" {usual.ratio:.2f} times what the libraries need for the same bytes |"
    )
    yield f"| events a second | {usual.events_per_s:,.0f} |"
    yield f"| kept awake after `platform.runtimeDone` | {median(usual.kept_awake_ms):.1f} ms |"
    yield f"| PUT payload units for each MB of logs | {usual.units_per_mb:.0f} |"
    yield f"| lost or repeated, in {longest.logged_mb:,} MB and all other runs | 0 events |"


def cpu_picture(results: Results) -> str:
    rows = []
    for one in results.cases:
        if one.case.line_bytes == USUAL_LINE_BYTES or one.case.way.name == "ndjson":
            parts = {PART_NAMES[part]: one.floor_parts_ms.get(part, 0) for part in PART_NAMES}
            parts["the kernel, about"] = one.kernel_ms
            parts["all else"] = max(0.0, one.cpu_ms - one.floor_ms - one.kernel_ms)
            rows.append((f"{one.case.way.name}, {one.case.line_bytes:,} B", parts))
    return stacked_bars(
        "CPU for each MB of logs, in ms",
        "Bars of what the libraries alone need for the same bytes, and of what the extension needs"
        " beyond it, in the kernel and elsewhere. The tables of this page have the figures.",
        rows,
    )


def growth_picture(results: Results) -> str:
    def lines(of: str) -> dict[str, dict[int, float]]:
        found: dict[str, dict[int, float]] = {}
        for one in results.growth:
            found.setdefault(one.flush, {})[one.logged_mb] = getattr(one, of)
        return found

    return line_panels(
        "From 1 to 1,000 MB of logs",
        "Peak memory and CPU for each MB over the amount of logs, for both ways to flush. The"
        " tables of this page have the figures.",
        [Panel("resident, peak, MB", lines("peak_mb")), Panel("CPU, ms/MB", lines("cpu_ms"))],
    )
