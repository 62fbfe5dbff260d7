# SPDX-License-Identifier: MIT
"""A function that says and does what its event asks for."""

import os
import sys
import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    say(event)
    time.sleep(event.get("seconds", 0))
    if "exit_code" in event:
        os._exit(event["exit_code"])
    return {"requestId": context.aws_request_id}


def say(event: dict[str, Any]) -> None:
    """One write a line: processes that run at once share stdout, which has no buffer."""
    for number in range(event.get("lines", 0)):
        sys.stdout.write(f"{event['name']} {number}\n")
