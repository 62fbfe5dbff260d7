# SPDX-License-Identifier: MIT
"""Pictures of figures, as SVG that is fine on a light and a dark page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH = 820
LABELS = 190
ROW = 26
PANEL = 250
MARGIN = 24

_STYLE = """\
    text { font: 13px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #24292f; }
    .name { font-weight: 600; font-size: 15px; }
    .small { font-size: 12px; fill: #57606a; }
    .end { text-anchor: end; }
    .center { text-anchor: middle; }
    .page { fill: #ffffff; }
    .axis { stroke: #d0d7de; }
    .s0 { fill: #54aeff; stroke: #54aeff; } .s1 { fill: #a475f9; stroke: #a475f9; }
    .s2 { fill: #4ac26b; stroke: #4ac26b; } .s3 { fill: #d4a72c; stroke: #d4a72c; }
    .s4 { fill: #fb8f44; stroke: #fb8f44; } .s5 { fill: #afb8c1; stroke: #afb8c1; }
    .s6 { fill: #6e7781; stroke: #6e7781; }
    .line { fill: none; stroke-width: 2; }
    .dashed { stroke-dasharray: 5 4; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .small { fill: #9da7b3; }
      .page { fill: #0d1117; }
      .axis { stroke: #30363d; }
      .s6 { fill: #484f58; stroke: #484f58; }
    }
"""


@dataclass(frozen=True)
class Panel:
    """Lines over a logarithmic scale: of each name, y by x. Both have the same x."""

    title: str
    lines: Mapping[str, Mapping[int, float]]


def stacked_bars(
    title: str, description: str, rows: Sequence[tuple[str, Mapping[str, float]]]
) -> str:
    """Each row is a bar of parts, in the order of the names' first appearance."""
    names = list(dict.fromkeys(name for _, parts in rows for name in parts))
    most = max(sum(parts.values()) for _, parts in rows)
    scale = (WIDTH - LABELS - 80) / most
    body = list(_legend(names))
    for number, (label, parts) in enumerate(rows):
        y = 78 + number * ROW
        body.append(f'<text class="end" x="{LABELS - 10}" y="{y + 14}">{escape(label)}</text>')
        x = float(LABELS)
        for name, value in parts.items():
            style = f"s{names.index(name)}"
            body.append(
                f'<rect class="{style}" stroke="none" x="{x:.1f}" y="{y}"'
                f' width="{value * scale:.1f}" height="{ROW - 8}"/>'
            )
            x += value * scale
        body.append(
            f'<text class="small" x="{x + 6:.1f}" y="{y + 14}">{sum(parts.values()):.2f}</text>'
        )
    return _document(title, description, 78 + len(rows) * ROW + 8, body)


def line_panels(title: str, description: str, panels: Sequence[Panel]) -> str:
    body = list(_legend(list(panels[0].lines)))
    width = (WIDTH - MARGIN) / len(panels)
    for number, panel in enumerate(panels):
        body += _panel(panel, MARGIN + number * width, 92, width - MARGIN)
    return _document(title, description, 92 + PANEL, body)


def _panel(panel: Panel, left: float, top: float, width: float) -> Iterator[str]:
    places = sorted(next(iter(panel.lines.values())))
    most = _round_up(max(max(line.values()) for line in panel.lines.values()))
    height, first = PANEL - 40, left + 40
    span = math.log10(places[-1] / places[0]) or 1

    def point(x: int, y: float) -> tuple[float, float]:
        across = math.log10(x / places[0]) / span * (width - 60)
        return first + across, top + height * (1 - y / most)

    yield f'<text x="{left:.0f}" y="{top - 12:.0f}">{escape(panel.title)}</text>'
    for step in range(5):
        y = top + height * step / 4
        yield f'<path class="axis" d="M{first:.0f} {y:.1f}H{left + width:.0f}"/>'
        value = most * (4 - step) / 4
        yield f'<text class="small end" x="{first - 6:.0f}" y="{y + 4:.1f}">{value:g}</text>'
    for x in places:
        at = point(x, 0)[0]
        yield f'<text class="small center" x="{at:.1f}" y="{top + height + 18:.0f}">{x:,} MB</text>'
    for number, line in enumerate(panel.lines.values()):
        points = [point(x, line[x]) for x in places]
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dashed = " dashed" if number else ""
        yield f'<polyline class="line s{2 * number}{dashed}" style="fill: none" points="{way}"/>'
        for x, y in points:
            yield f'<circle class="s{2 * number}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'


def _round_up(value: float) -> float:
    """To a number that can be shown in quarters."""
    size = 10 ** math.floor(math.log10(value))
    return next(step * size for step in (1, 1.2, 1.6, 2, 3, 4, 6, 8, 10) if step * size >= value)


def _legend(names: Sequence[str]) -> Iterator[str]:
    x = float(MARGIN)
    step = 2 if len(names) == 2 else 1
    for number, name in enumerate(names):
        style = f"s{number * step}"
        yield f'<rect class="{style}" x="{x:.0f}" y="44" width="12" height="12"/>'
        yield f'<text class="small" x="{x + 18:.0f}" y="54">{escape(name)}</text>'
        x += 40 + 7 * len(name)


def _document(title: str, description: str, height: float, body: Sequence[str]) -> str:
    size = f'width="{WIDTH}" height="{height:.0f}"'
    return "\n".join(
        [
            "<!-- SPDX-License-Identifier: MIT -->",
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" {size}'
            ' role="img" aria-labelledby="title description">',
            f'  <title id="title">{escape(title)}</title>',
            f'  <desc id="description">{escape(description)}</desc>',
            f"  <style>\n{_STYLE}  </style>",
            f'  <rect class="page" {size} rx="8"/>',
            f'  <text class="name" x="{MARGIN}" y="28">{escape(title)}</text>',
            *(f"  {element}" for element in body),
            "</svg>\n",
        ]
    )
