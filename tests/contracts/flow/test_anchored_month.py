"""Months of a fund whose feeds have anchors beside them: pools of Uniswap V3 that follow the market while feeds lag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ballast.units import WAD
from lab.localnet.market import Market
from lab.localnet.month_file import Month
from lab.localnet.world import World
from tests.contracts.flow.carrying import TRADING, Carrier
from tests.helpers.chain import Chain
from tests.helpers.filling import least_pays, pays_worth, sells_worth
from tests.helpers.fund import EXECUTION, FOUNDED, Setup, deploy_fund
from tests.helpers.reverts import assert_reverts
from tests.helpers.settling import BUY, SELL, goal_of, surplus_of, total_value_at_start, usd
from tests.helpers.v3 import AheadOfFeeds, anchor_pools, open_invented

WINDOW = 1_800
BOUND = 2 * WAD // 100
LAG = 2
"""Percent by which the market is ahead of the feeds: what a feed with that deviation threshold does not report."""
REVERTS = bytes.fromhex("5f5ffd")


@pytest.fixture(scope="module")
def pooled(module_isolation: None, chain: Chain, world: World, month: Month) -> World:
    """The local mainnet with the invented V3 pools, traded in and then at rest for two windows."""
    chain.move_to(FOUNDED)
    found = open_invented(chain, world, month)
    chain.move_to(chain.now() + 2 * WINDOW)
    return found


def carrier_of(chain: Chain, world: World, month: Month, *, anchored: bool) -> Carrier:
    """A fund whose components have anchors where there is a pool, or none at all, and who carries it."""
    pools = anchor_pools(world) if anchored else {}
    listings = tuple((token, pool, WINDOW, BOUND) for token, pool in pools.items())
    return Carrier(deploy_fund(chain, world, month, Setup(fee=0, anchors=listings)))


def ahead(carrier: Carrier) -> Market:
    """The market as it stands ahead of the feeds: what the fund will sell has risen, what it will buy has fallen."""
    world = carrier.fund.world
    found = AheadOfFeeds(carrier.chain.rpc, world)
    for token in anchor_pools(world):
        found.move(token, LAG if world.token(token).symbol == "UNI" else -LAG)
    return found


def to_trading(carrier: Carrier, market: Market | None = None) -> Any:
    """Through the start, with the pools at this market's prices for more than a window; FundLens.fund after it."""
    carrier.to_determination()
    carrier.determine()
    if market is not None:
        carrier.move_to(EXECUTION - 2 * WINDOW)
        market.arbitrage(0)
    carrier.to_start()
    carrier.start()
    return carrier.state()


def worth(carrier: Carrier, market: Market) -> int:
    """USD of what the fund holds, at the market's prices."""
    at = carrier.state().holdings
    return sum(usd(h.balance, market.prices[h.token], h.decimals) for h in at)


def sides_of(state: Any, side: int) -> list[int]:
    return [i for i, h in enumerate(state.holdings) if h.target.side == side]


def value_of(state: Any, amounts: Mapping[int, int]) -> int:
    """USD at the feeds' prices."""
    at = state.holdings
    return sum(usd(a, at[i].price, at[i].decimals) for i, a in amounts.items())


def lacks_of(state: Any) -> dict[int, int]:
    """Token wei that each buy is short of its target."""
    return {i: max(0, goal_of(state, i) - state.holdings[i].balance) for i in sides_of(state, BUY)}


def most_of(state: Any) -> dict[int, int]:
    """Sells of about what the bucket gives, or all that is left, or what the buys that still lack something can pay."""
    sides = sides_of(state, SELL)
    left = {i: surplus_of(state, i) for i in sides}
    # What is sold may count for more than the feed says, and what is bought for less.
    total = total_value_at_start(state)
    capacity, payable = state.capacity * 95 // 100, value_of(state, lacks_of(state)) * 9 // 10 * WAD // total
    most = min(capacity, payable)
    return left if value_of(state, left) * WAD // total < most else sells_worth(state, most, sides)


def hasty(state: Any) -> tuple[dict[int, int], dict[int, int]]:
    """A batch for the least that the settlement takes now."""
    sells, lacks = most_of(state), lacks_of(state)
    largest = max(lacks, key=lambda i: value_of(state, {i: lacks[i]}))
    return sells, least_pays(state, state.time + 1, sells, largest, [*lacks])


def fairly(state: Any) -> tuple[dict[int, int], dict[int, int]]:
    """A batch that brings what the feeds say that it takes."""
    sells = most_of(state)
    return sells, pays_worth(state, value_of(state, sells), sides_of(state, BUY))


def plunder(carrier: Carrier) -> tuple[int, int]:
    """The month in the hands of a filler that takes all that the settlement lets it, at once, to the last batch: how
    many there were, and USD that they sold as the settlement counted them."""

    def greedy(state: Any) -> tuple[dict[int, int], dict[int, int]]:
        sells, pays = hasty(state)
        less = carrier.trade_call(state, sells, {i: a * 999 // 1000 for i, a in pays.items()})
        assert_reverts(carrier.chain, less, "BelowTolerance", sender=carrier.keeper, at=state.time + 1)
        return sells, pays

    count = sold = 0
    while carrier.month().phase == TRADING:
        sold += carrier.trade(greedy).valueOut
        count += 1
        assert count < 60, "the month does not end"
    return count, sold


@pytest.mark.parametrize("anchored", [True, False])
def test_a_month_of_lagging_feeds(chain: Chain, pooled: World, month: Month, anchored: bool) -> None:
    """All month the feeds stand 2 % behind the market on both sides, and whoever fills takes all he can at once: with
    anchors the fund is paid what it sells is worth and more, without them he keeps the lag."""
    carrier = carrier_of(chain, pooled, month, anchored=anchored)
    market = ahead(carrier)
    state = to_trading(carrier, market)
    assert [h.tradePrice != h.price for h in state.holdings] == [
        anchored and h.token in anchor_pools(pooled) for h in state.holdings
    ]
    before = worth(carrier, market)
    count, sold = plunder(carrier)
    carrier.check_done()
    gained = (worth(carrier, market) - before) * WAD // sold
    assert count > 5
    # What counted had to be paid, and about 0.9 % more: the first tolerances are negative.
    if anchored:
        assert 5 * WAD // 1000 < gained < 15 * WAD // 1000
    else:
        assert gained < -15 * WAD // 1000


def test_start_does_not_ask_the_anchors(chain: Chain, pooled: World, month: Month) -> None:
    """NAV, weights and targets are those of the feeds, wherever the pools stand."""
    snapshot = chain.cheats.snapshot()
    carrier = carrier_of(chain, pooled, month, anchored=True)
    with_anchors = to_trading(carrier, ahead(carrier))
    chain.cheats.revert(snapshot)
    without = to_trading(carrier_of(chain, pooled, month, anchored=False))
    assert with_anchors.opening.nav == without.opening.nav
    assert [h.target for h in with_anchors.holdings] == [h.target for h in without.holdings]


def test_dead_anchors_stop_no_month(chain: Chain, pooled: World, month: Month) -> None:
    """In the middle of the month every pool stops answering: the feeds count alone from there."""
    carrier = carrier_of(chain, pooled, month, anchored=True)
    to_trading(carrier, ahead(carrier))
    carrier.trade(hasty)
    for pool in anchor_pools(pooled).values():
        chain.cheats.set_code(pool, REVERTS)
    assert all(h.tradePrice == h.price for h in carrier.state().holdings)
    count, _ = plunder(carrier)
    carrier.check_done()
    assert count > 5


def test_anchors_held_far_away_stop_no_month(chain: Chain, pooled: World, month: Month) -> None:
    """Somebody holds every pool far off, against the fund's batches. They pull by their bound and no further, so that
    fillers that bring the feeds' values find the tolerance that they need, later, and the month ends."""
    carrier = carrier_of(chain, pooled, month, anchored=True)
    off = Market(chain.rpc, pooled)
    for token in anchor_pools(pooled):
        off.set_price(token, off.prices[token] * (150 if pooled.token(token).symbol == "UNI" else 60) // 100)
    state = to_trading(carrier, off)
    sell = next(h for h in state.holdings if h.target.side == SELL)
    assert sell.tradePrice == sell.price + sell.price * BOUND // WAD
    # The tolerance is at 2 % by then: enough for the feeds' values, but not for what counts.
    carrier.move_to(state.time + 1_150)
    state = carrier.state()
    assert 19 * WAD // 1000 < state.tolerance < 21 * WAD // 1000
    call = carrier.trade_call(state, *fairly(state))
    assert_reverts(chain, call, "BelowTolerance", sender=carrier.keeper, at=chain.now() + 1)
    count = 0
    while carrier.month().phase == TRADING:
        carrier.move_to(chain.now() + carrier.fund.setup.limits.max_idle)
        carrier.trade(fairly)
        count += 1
        assert count < 20, "the month does not end"
    carrier.check_done()
