# SPDX-License-Identifier: MIT
"""docs/deploy.md as a whole."""

import pytest
from deploy_page import Section, ways


def test_there_is_a_way_for_each_tool() -> None:
    assert ways() == ["AWS SAM", "AWS CLI", "Terraform", "AWS CDK", "Container image"]


@pytest.mark.parametrize("way", ways())
def test_each_way_has_five_steps_from_nothing_to_logs(way: str) -> None:
    section = Section(way)

    assert section.steps == [1, 2, 3, 4, 5]
    assert "make layer" in section.blocks("sh")[0]
    assert "(#see-the-logs-arrive)" in section.text.split("\n5. ")[1]
