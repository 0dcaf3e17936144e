"""What the planner's tests share."""

from __future__ import annotations

import pytest

from tests.unit.keeper.simulated import Simulated, load, trading


@pytest.fixture(scope="module")
def april() -> Simulated:
    return trading(*load())
