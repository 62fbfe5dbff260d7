# SPDX-License-Identifier: MIT
"""docs/deploy.md, read as those read it who type what it shows."""

from __future__ import annotations

import platform
import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/deploy.md"
ARCHITECTURE = platform.machine().replace("aarch64", "arm64")
LAYER_ZIP = ROOT / f"build/layer-{ARCHITECTURE}.zip"
FENCED = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


class Section:
    """What stands under a heading, with this machine's architecture put in as the page says."""

    def __init__(self, heading: str) -> None:
        found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.S | re.M)
        assert found, f"{PAGE.name} has no {heading}"
        self.text = found[1].replace("x86_64", ARCHITECTURE)

    @property
    def steps(self) -> list[int]:
        return [int(number) for number in re.findall(r"^(\d+)\. ", self.text, re.MULTILINE)]

    def blocks(self, language: str) -> list[str]:
        return [textwrap.dedent(f[3]) for f in FENCED.finditer(self.text) if f[2] == language]

    def script(self) -> str:
        """Its shell commands, one block after the other. What make makes is there already."""
        lines = "".join(self.blocks("sh")).splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith("make layer "))


def ways() -> list[str]:
    """The headings of the ways of deploying, as the table at the top names them."""
    return re.findall(r"^\|[^|]+\| \[([^\]]+)\]\(#", PAGE.read_text(), re.MULTILINE)
