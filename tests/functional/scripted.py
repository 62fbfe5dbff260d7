# SPDX-License-Identifier: MIT
"""Environments whose extension does what a script says."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lambda_environment
from lambda_environment import LambdaEnvironment

SCRIPTED = Path(lambda_environment.__file__).parent / "scripted_extension.py"
NAME = SCRIPTED.name
HOLD = {"hold": "runtimeDone"}


@dataclass
class Scripted:
    """An environment whose extension does what a script says, and what was delivered to it."""

    environment: LambdaEnvironment
    file: Path

    @property
    def requests(self) -> list[dict[str, Any]]:
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was delivered and accepted, in order."""
        bodies = [item["body"] for item in self.requests if item["status"] == 200]
        return [event for body in bodies for event in json.loads(base64.b64decode(body))]

    def records(self, event_type: str) -> list[Any]:
        return [event["record"] for event in self.events if event["type"] == event_type]

    @property
    def said(self) -> str:
        return "".join(self.environment.extension_output)
