"""Fixtures: a fund in the published state before April 2021, once per module."""

from __future__ import annotations

import pytest

from lab.localnet.month_file import Month
from lab.localnet.world import World
from tests.contracts.flow.carrying import Carrier
from tests.helpers.chain import Chain
from tests.helpers.fund import Limits, Setup, Timetable, deploy_fund

QUICK = Limits(batch_cap=4 * 10**16, cool_off=60, max_idle=120)
"""Few batches: these tests are about how months go, not about what their batches cost."""


@pytest.fixture(scope="module")
def timetable() -> Timetable:
    """When things may happen; a module may override it."""
    return Timetable()


@pytest.fixture(scope="module")
def carrier(module_isolation: None, chain: Chain, world: World, month: Month, timetable: Timetable) -> Carrier:
    """A fund of 2021-03-23 without a streaming fee, and who carries it through its months."""
    return Carrier(deploy_fund(chain, world, month, Setup(fee=0, limits=QUICK, timetable=timetable)))
