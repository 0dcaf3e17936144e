"""The bench with an upkeep before it, once per module; nothing is determined yet."""

from __future__ import annotations

import pytest

from tests.contracts.upkeep.scene import Scene
from tests.helpers.bench import build
from tests.helpers.chain import Chain


@pytest.fixture(scope="module")
def scene(module_isolation: None, chain: Chain) -> Scene:
    """A seeded fund and its upkeep."""
    bench = build(chain)
    return Scene(bench, chain.deploy("Upkeep", bench.rebalancer, sender=bench.deployer), chain.account("anybody"))
