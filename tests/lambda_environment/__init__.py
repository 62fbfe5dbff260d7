# SPDX-License-Identifier: MIT
"""A Lambda execution environment on this machine that keeps the platform's rules."""

from .environment import LambdaEnvironment, numbered_lines
from .results import Init, Invocation, Shutdown
from .settings import Credentials, Settings

__all__ = [
    "Credentials",
    "Init",
    "Invocation",
    "LambdaEnvironment",
    "Settings",
    "Shutdown",
    "numbered_lines",
]
