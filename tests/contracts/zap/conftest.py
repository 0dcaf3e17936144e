"""The scene, once per module."""

from __future__ import annotations

import pytest

from lab.localnet.world import World
from tests.contracts.zap.scene import Scene, build
from tests.helpers.chain import Chain


@pytest.fixture(scope="module")
def scene(module_isolation: None, chain: Chain, world: World) -> Scene:
    """Fund, zap and pools."""
    return build(chain, world)
