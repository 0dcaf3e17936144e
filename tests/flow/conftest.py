"""Fixtures: a fund in the published state before April 2021, once per module."""

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
from tests.flow.carrying import Carrier
from tests.helpers.artifacts import compiled
from tests.helpers.chain import Chain
from tests.helpers.contracts import Artifact
from tests.helpers.fund import Limits, Setup, Timetable, deploy_fund

QUICK = Limits(batch_cap=4 * 10**16, cool_off=60, max_idle=120)
"""Few batches: these tests are about how months go, not about what their batches cost."""


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


@pytest.fixture(scope="module")
def timetable() -> Timetable:
    """When things may happen; a module may override it."""
    return Timetable()


@pytest.fixture(scope="module")
def carrier(module_isolation: None, chain: Chain, world: World, month: Month, timetable: Timetable) -> Carrier:
    """A fund of 2021-03-23 without a streaming fee, and who carries it through its months."""
    return Carrier(deploy_fund(chain, world, month, Setup(fee=0, limits=QUICK, timetable=timetable)))
