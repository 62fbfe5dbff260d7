# SPDX-License-Identifier: MIT
"""The fixtures of the functional tests, for tests that take longer than `make test` should."""

from functional.conftest import extension_binary, kinesis_stub, lambda_environment, stub_server

__all__ = ["extension_binary", "kinesis_stub", "lambda_environment", "stub_server"]
