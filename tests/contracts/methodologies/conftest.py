"""Fixtures for the tests of the methodologies: a stage on which one eth_call is one whole determination."""

from __future__ import annotations

import pytest

from tests.contracts.methodologies.scene import TOKENS, Scene
from tests.helpers.chain import Chain


@pytest.fixture(scope="module")
def scene(module_isolation: None, chain: Chain) -> Scene:
    """A stage, and tokens at all addresses of TOKENS."""
    deployer = chain.account("deployer")
    stage = chain.deploy("Stage", sender=deployer)
    code = chain.code(chain.deploy("StageToken", sender=deployer).address)
    for token in TOKENS:
        chain.cheats.set_code(token, code)
    return Scene(chain, stage)


@pytest.fixture(scope="module")
def owner(chain: Chain) -> str:
    """Stands for the timelock."""
    return chain.account("timelock")


@pytest.fixture
def stranger(chain: Chain) -> str:
    """An account without any role."""
    return chain.account("stranger")
