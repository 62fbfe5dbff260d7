# SPDX-License-Identifier: MIT
"""The account that the ways of deploying are tried in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cloud import Cloud, unpack
from deploy_page import LAYER_ZIP

from kinesis import MotoServer

LIMIT_S = 600
"""Against hanging only: compilers and command lines take their time on a busy machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(LIMIT_S))


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    with MotoServer(managed_policies=True) as server:
        yield Cloud(server)


@pytest.fixture(scope="session")
def opt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """/opt of a function with the layer."""
    return unpack(LAYER_ZIP, tmp_path_factory.mktemp("opt"))
