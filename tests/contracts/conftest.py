"""Fixtures for the tests of the contracts. `fund` stands once per module; each test begins where its fixtures ended."""

from __future__ import annotations

import pytest

from lab.localnet.month_file import Month
from lab.localnet.world import World
from tests.helpers.chain import Chain
from tests.helpers.fund import Fund, Setup, deploy_fund, fund_holder


@pytest.fixture(scope="session")
def setup() -> Setup:
    """What `fund` is deployed with; a module may override it."""
    return Setup()


@pytest.fixture(scope="module")
def fund(module_isolation: None, chain: Chain, world: World, month: Month, setup: Setup) -> Fund:
    """A fund in the published state before the rebalance of April 2021, at the local mainnet's prices, 2021-03-23."""
    return deploy_fund(chain, world, month, setup)


@pytest.fixture(scope="module")
def holder(fund: Fund) -> str:
    """An account that can pay for any mint."""
    return fund_holder(fund, "holder")


@pytest.fixture
def stranger(chain: Chain) -> str:
    """An account without any role."""
    return chain.account("stranger")
