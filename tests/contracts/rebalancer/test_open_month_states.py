"""A state counts at once, in an open month too: what was left of the component leaves the month with it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from ballast.units import DAY_S, WAD
from tests.helpers.bench import BUYS, HELD, KINDS, LIMITS, NEWCOMER, PERIOD, SELLS, Bench
from tests.helpers.broken import UNSOUND, breaks
from tests.helpers.chain import Receipt
from tests.helpers.contracts import Call
from tests.helpers.filling import FILLER, batch, least_pays, order, sells_worth, trade
from tests.helpers.fund import EXECUTION, PERIOD_END
from tests.helpers.packed import kept
from tests.helpers.reverts import assert_reverts
from tests.helpers.settling import BUY, SELL, goal_of, surplus_of, usd

T = EXECUTION + 1800
IDLE, TRADING = 0, 3


def suspend(bench: Bench, i: int, at: int, account: str | None = None) -> Receipt:
    return bench.chain.send(bench.rebalancer.suspend(bench.tokens[i]), account or bench.guardian, at=at)


def left(fund: Any, gone: Collection[int]) -> tuple[int, int, int]:
    """Surplus, held and buy targets as shares of NAV at start prices, added up from the balances of what is not
    gone."""
    surplus = held = goals = 0
    for i, holding in enumerate(fund.holdings):
        target = holding.target
        if i in gone or target.side not in (SELL, BUY):
            continue
        if target.side == SELL:
            surplus += usd(surplus_of(fund, i), target.price, holding.decimals)
        else:
            goals += usd(goal_of(fund, i), target.price, holding.decimals)
            held += usd(min(holding.balance, goal_of(fund, i)), target.price, holding.decimals)
    nav = fund.opening.nav * fund.shares // WAD
    held_share, goal_share = held * WAD // nav, min(goals * WAD // nav, fund.opening.buyTargets)
    return min(surplus * WAD // nav, fund.progress.surplus), min(held_share, goal_share), goal_share


def figures(bench: Bench) -> tuple[int, int, int]:
    progress, opening = bench.chain.read(bench.rebalancer.progress()), bench.chain.read(bench.rebalancer.opening())
    return progress.surplus, progress.held, opening.buyTargets


@pytest.mark.parametrize("account", ["guardian", "owner"])
@pytest.mark.parametrize("i", [*SELLS, *BUYS])
def test_it_leaves_the_month(trading: Bench, i: int, account: str) -> None:
    """What it had left to sell leaves the surplus, what it had left to buy the buy targets; nothing else changes."""
    before = trading.fund(T)
    receipt = suspend(trading, i, T, getattr(trading, account))
    fund = trading.fund(T)
    (event,) = trading.rebalancer.events(receipt, "TakenOut")
    assert event == (PERIOD, trading.tokens[i].address, fund.opening.targets)
    assert figures(trading) == left(before, {i})
    for k, (now, then) in enumerate(zip(fund.holdings, before.holdings, strict=True)):
        assert tuple(now.target) == ((0, KINDS[i].target, 0) if k == i else tuple(then.target))
    assert (fund.progress.tat, fund.progress.spent) == (before.progress.tat, before.progress.spent)
    assert (fund.opening.nav, fund.opening.end) == (before.opening.nav, before.opening.end)
    assert not trading.rebalancer.events(receipt, "Closed")
    other_sell, other_buy = next(k for k in SELLS if k != i), next(k for k in BUYS if k != i)
    for sells, buys in (([i], [other_buy]), ([other_sell], [i])):
        call: Call = trading.rebalancer.trade((sells, [10**6], [FILLER], buys, 0, trading.filler, b""))
        assert_reverts(trading.chain, call, "WrongSide", trading.tokens[i], 0, sender=trading.keeper, at=T)


def test_batches_go_on_without_it(trading: Bench) -> None:
    """To the end of the month, each as the model says, with what is left shared by the buys that are left."""
    suspend(trading, SELLS[1], T)
    suspend(trading, BUYS[0], T)
    held, at = trading.holdings(), T
    buys = [i for i in BUYS if i != BUYS[0]]
    while trading.chain.read(trading.rebalancer.trading()):
        fund = trading.fund(at)
        sells = sells_worth(fund, min(fund.capacity, fund.progress.surplus), [SELLS[0]])
        trade(trading, sells, least_pays(fund, at, sells, buys[-1], buys), at)
        at += 1800
        assert at < PERIOD_END
    after = trading.holdings()
    assert [after[i] for i in (SELLS[1], BUYS[0])] == [held[i] for i in (SELLS[1], BUYS[0])]
    surplus, bought, goals = figures(trading)
    assert surplus <= LIMITS.dust or bought + LIMITS.dust >= goals


@pytest.mark.parametrize("side", ["sells", "buys"])
def test_a_month_with_nothing_else_left_ends(trading: Bench, side: str) -> None:
    gone = SELLS if side == "sells" else BUYS
    for i in gone[:-1]:
        suspend(trading, i, T)
        assert trading.chain.read(trading.rebalancer.month()).phase == TRADING
    receipt = suspend(trading, gone[-1], T + 1)
    assert len(trading.rebalancer.events(receipt, "TakenOut")) == 1
    (event,) = trading.rebalancer.events(receipt, "Closed")
    assert (event.surplus if side == "sells" else event.deficit) == 0
    assert trading.due(T + 2) == ("None", "Done", PERIOD_END + 1)


def test_one_that_is_not_traded_changes_nothing(trading: Bench) -> None:
    before = trading.fund(T)
    receipt = suspend(trading, HELD, T)
    assert not trading.rebalancer.events(receipt, "TakenOut")
    fund = trading.fund(T)
    assert (fund.opening, fund.progress, fund.month) == (before.opening, before.progress, before.month)


def test_after_batches_mints_and_gifts(trading: Bench) -> None:
    """All is per share, gifts to a sell do not add to the surplus, and gifts to a buy count as held."""
    sells, pays = batch(trading, T)
    trade(trading, sells, pays, T)
    trading.mint(333 * WAD + 7, trading.holder, at=T + 1)
    trading.give(SELLS[0], trading.index, 10**20)
    trading.give(BUYS[2], trading.index, 10**17)
    before = trading.fund(T + 2)
    suspend(trading, BUYS[0], T + 2)
    found = figures(trading)
    assert found == left(before, {BUYS[0]})
    assert found[0] == before.progress.surplus, "though there is more to sell"


def test_it_stays_out_of_the_month(trading: Bench) -> None:
    """Resumed, or with the guardian's suspension run out, it is traded again from the next start on."""
    suspend(trading, NEWCOMER, T, trading.owner)
    suspend(trading, SELLS[0], T)
    trading.chain.send(trading.rebalancer.resume(trading.tokens[NEWCOMER]), trading.owner, at=T + 1)
    for at in (T + 2, T + 7 * DAY_S):
        fund = trading.fund(at)
        assert [tuple(fund.holdings[i].target) for i in (NEWCOMER, SELLS[0])] == [
            (0, KINDS[NEWCOMER].target, 0),
            (0, KINDS[SELLS[0]].target, 0),
        ]
    # Taken out once, a second suspension finds nothing to take out.
    receipt = suspend(trading, NEWCOMER, T + 3)
    assert not trading.rebalancer.events(receipt, "TakenOut")


def test_while_paused(trading: Bench) -> None:
    trading.chain.send(trading.rebalancer.pauseFor(DAY_S), trading.guardian, at=T)
    before = trading.fund(T)
    suspend(trading, BUYS[1], T)
    assert figures(trading) == left(before, {BUYS[1]})
    trading.chain.send(trading.rebalancer.writeOff(trading.tokens[BUYS[1]]), trading.owner, at=T + 1)
    assert figures(trading) == left(before, {BUYS[1]})


@pytest.mark.parametrize("fault", UNSOUND)
def test_one_whose_balance_cannot_be_read(trading: Bench, fault: str) -> None:
    """It goes like any other, and another broken one beside it counts for nothing on either side."""
    breaks(trading.chain, trading.tokens[SELLS[0]], UNSOUND[fault])
    breaks(trading.chain, trading.tokens[BUYS[1]], UNSOUND[fault])
    before = trading.fund(T)
    suspend(trading, SELLS[0], T)
    assert figures(trading) == left(before, {SELLS[0], BUYS[1]})
    suspend(trading, BUYS[1], T)
    assert figures(trading) == left(before, {SELLS[0], BUYS[1]})
    assert trading.chain.read(trading.rebalancer.month()).phase == TRADING
    fund = trading.fund(T)
    assert tuple(fund.holdings[2].target) == (SELL, KINDS[2].target, kept(KINDS[2].price))
    sells = sells_worth(fund, 10**16, [2])
    call = trading.rebalancer.trade(order(trading, sells, least_pays(fund, T, sells, 5, [1, 5])))
    trading.chain.send(call, trading.keeper, at=T)
