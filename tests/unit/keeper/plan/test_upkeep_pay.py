"""A step goes through the fund's upkeep where that pays more than it takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ballast.units import ETHER, GWEI, WAD
from keeper.look.purse import Purse
from keeper.plan.batch import Batch
from keeper.plan.planner import plan
from keeper.plan.upkeep_pay import over, pays
from keeper.state import Action, FundState
from tests.unit.keeper.simulated import GAS_PRICE, SLIPPAGE_BPS, load, pace, trading

FEE = 30 * GWEI
FULL = Purse(50 * WAD, ETHER // 20, ETHER // 2, ETHER // 2, 100 * GWEI, 10**15)
STEPS = (Action.DETERMINE, Action.START, Action.TRADE, Action.CLOSE)


@pytest.fixture(scope="module")
def fund() -> tuple[FundState, Batch]:
    """A fund that trades, and its next batch."""
    simulated = trading(*load())
    batch = plan(simulated.state, simulated.market, GAS_PRICE, pace(None, 14, 600, 0), SLIPPAGE_BPS).batch
    assert batch is not None and batch.outcome.sale.at_start > FULL.least_sale
    return simulated.state, batch


@pytest.mark.parametrize("action", STEPS)
def test_the_purse_must_be_worth_more_than_the_gas_on_top(fund: tuple[FundState, Batch], action: Action) -> None:
    state, batch = replace(fund[0], action=action), fund[1]
    assert pays(FULL, state, batch, FEE)
    gas = over(state) * FEE
    assert pays(replace(FULL, shares=-(-(gas + 1) * WAD // FULL.price)), state, batch, FEE)
    assert not pays(replace(FULL, shares=gas * WAD // FULL.price), state, batch, FEE)
    assert not pays(replace(FULL, price=0), state, batch, FEE)
    # A determination begins a period of its own.
    spent = replace(FULL, left=0)
    assert pays(spent, state, batch, FEE) == (action is Action.DETERMINE)
    assert not pays(replace(spent, monthly=0), state, batch, FEE)
    # At twice the cap and above, what is paid may not even cover what it takes more.
    assert pays(FULL, state, batch, 2 * FULL.max_base_fee - 1)
    assert not pays(FULL, state, batch, 2 * FULL.max_base_fee)
    assert not pays(FULL, state, batch, 0)


def test_a_batch_that_is_too_small_goes_to_the_fund(fund: tuple[FundState, Batch]) -> None:
    state, batch = fund
    dear = replace(FULL, least_sale=batch.outcome.sale.at_start + 1)
    assert not pays(dear, state, batch, FEE)
    # Unless it ends the month: nothing is left to sell, or to buy.
    after = batch.outcome.progress
    for ends in (replace(after, surplus=state.limits.dust), replace(after, held=state.opening.buy_targets)):
        last = replace(batch, outcome=replace(batch.outcome, progress=ends))
        assert pays(dear, state, last, FEE)
    assert not pays(FULL, state, None, FEE)
    assert not pays(FULL, replace(state, action=Action.NONE), batch, FEE)
