# SPDX-License-Identifier: MIT
"""The servers of the functional tests."""

from functional.conftest import (
    kinesis,
    kinesis_local,
    kinesis_stub,
    local_server,
    moto_server,
    stub_server,
)

__all__ = [
    "kinesis",
    "kinesis_local",
    "kinesis_stub",
    "local_server",
    "moto_server",
    "stub_server",
]
