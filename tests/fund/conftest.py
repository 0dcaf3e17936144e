"""Fixtures for the tests of the contracts. `fund` stands once per module; each test begins where its fixtures ended."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import ape
import pytest
from web3 import Web3

from localnet.anvil import ROOT
from localnet.month import Month, load_month
from localnet.rpc import Web3Rpc
from localnet.world import World
from tests.helpers.artifacts import compiled
from tests.helpers.chain import Chain
from tests.helpers.contracts import Artifact
from tests.helpers.fund import Fund, Setup, deploy_fund, fund_holder


@pytest.fixture(scope="session")
def artifacts() -> Callable[[str], Artifact]:
    """The project's contracts by name."""
    return compiled(ape.project)


@pytest.fixture(scope="session")
def chain(w3: Web3, artifacts: Callable[[str], Artifact]) -> Chain:
    """The fork."""
    return Chain(Web3Rpc(w3), artifacts)


@pytest.fixture(scope="session")
def month() -> Month:
    """The published month that the local mainnet stands in."""
    return load_month(Path(os.environ.get("BALLAST_MONTH", ROOT / "data" / "months" / "dpi-2021-04.json")))


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
