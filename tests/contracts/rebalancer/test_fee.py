"""The streaming fee accrues while the month trades, and changes none of its figures."""

from __future__ import annotations

import pytest

from ballast.units import DAY_S, WAD
from tests.helpers.bench import KINDS, SELLS, Bench, build
from tests.helpers.chain import Chain
from tests.helpers.filling import even_pays, sells_worth, trade
from tests.helpers.fund import EXECUTION
from tests.helpers.settling import surplus_of, total_value_at_start


@pytest.fixture(scope="module")
def costly(module_isolation: None, chain: Chain) -> Bench:
    """The bench with a streaming fee of 5 % a year, trading."""
    bench = build(chain, fee=5 * 10**16)
    bench.open()
    return bench


def test_the_fee_leaves_the_targets_alone(costly: Bench) -> None:
    """Shares accrue, targets are held against the shares of the start: the surplus stays what it was, to 10^-15."""
    start = costly.fund(EXECUTION)
    for days in (1, 10, 22):
        later = costly.fund(EXECUTION + days * DAY_S)
        assert later.supply - start.supply > start.supply * days // 8000
        assert start.shares - start.shares // 10**15 <= later.shares <= start.shares
        for i in SELLS:
            assert 0 <= surplus_of(later, i) - surplus_of(start, i) <= costly.holdings()[i] // 10**15 + 1


def test_collecting_the_fee_changes_no_limit(costly: Bench) -> None:
    at = EXECUTION + 9 * DAY_S
    before = costly.fund(at)
    costly.chain.send(costly.index.collectFee(), costly.keeper, at=at)
    costly.chain.send(costly.index.setStreamingFee(0), costly.owner, at=at)
    after = costly.fund(at)
    assert after.progress == before.progress
    assert abs(after.shares - before.shares) <= before.shares // 10**16 + 1
    later = costly.fund(at + DAY_S)
    assert abs(later.shares - after.shares) <= 1


def test_trading_with_a_fee_ends_at_the_targets_of_the_start(costly: Bench) -> None:
    at = EXECUTION
    while costly.chain.read(costly.rebalancer.trading()):
        at += 2 * DAY_S
        fund = costly.fund(at)
        sells = sells_worth(fund, fund.capacity)
        trade(costly, sells, even_pays(fund, total_value_at_start(fund) * fund.capacity // WAD), at)
    fund = costly.fund(at)
    shares = costly.chain.read(costly.lens.fund(costly.rebalancer), at=at).supply
    for i in SELLS:
        # Sells end at target x shares of the start; a share of today holds less by the fee of 8 days.
        unit = fund.holdings[i].balance * WAD // shares
        assert KINDS[i].target * 998 // 1000 < unit < KINDS[i].target
