"""The bench with an upkeep before it, once per module; nothing is determined yet."""

from __future__ import annotations

import pytest

from tests.contracts.upkeep.scene import Scene, deploy_upkeep
from tests.helpers.bench import build
from tests.helpers.chain import Chain


@pytest.fixture(scope="module")
def scene(module_isolation: None, chain: Chain) -> Scene:
    """A seeded fund and its upkeep."""
    bench = build(chain)
    return Scene(bench, deploy_upkeep(bench, owner=bench.owner), chain.account("anybody"))
