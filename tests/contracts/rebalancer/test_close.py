"""close(), and the batch that closes the month by itself."""

from __future__ import annotations

from tests.helpers.bench import BUYS, PERIOD, Bench, not_due
from tests.helpers.filling import batch, order, sells_worth, trade
from tests.helpers.fund import EXECUTION, PERIOD_END
from tests.helpers.reverts import assert_reverts
from tests.helpers.settling import goal_of

AFTER = PERIOD_END + 1


def test_ends_a_period_that_is_over(trading: Bench, stranger: str) -> None:
    call = trading.rebalancer.close()
    assert_reverts(trading.chain, call, "NotDue", *not_due("Close", "Due"), at=PERIOD_END)
    assert trading.due(PERIOD_END) == ("Trade", "Due", AFTER)
    assert trading.due(AFTER) == ("Close", "Due", AFTER)
    fund = trading.fund()
    receipt = trading.chain.send(call, stranger, at=AFTER)
    (event,) = trading.rebalancer.events(receipt, "Closed")
    deficit = fund.opening.buyTargets - fund.progress.held
    assert tuple(event) == (PERIOD, fund.progress.surplus, deficit, 0)
    assert trading.due(AFTER)[0] == "Determine"
    assert_reverts(trading.chain, call, "NotDue", *not_due("Close", "Due"), at=AFTER)


def test_no_batch_after_the_period(trading: Bench) -> None:
    sells, pays = batch(trading, PERIOD_END)
    call = trading.rebalancer.trade(order(trading, sells, pays))
    assert_reverts(trading.chain, call, "NotDue", *not_due("Trade", "Due"), at=AFTER)
    trading.chain.send(call, trading.keeper, at=PERIOD_END)


def test_the_last_batch_closes(trading: Bench) -> None:
    """All surplus is sold at fair value: one batch of the cap after another, each after a cool-off."""
    time, batches = EXECUTION, 0
    while trading.chain.read(trading.rebalancer.trading()):
        time += 1800
        sells, pays = batch(trading, time)
        trade(trading, sells, pays, time)
        batches += 1
        assert batches < 6
    progress = trading.chain.read(trading.rebalancer.progress())
    assert progress.surplus <= 2 * 10**13
    assert batches == 4  # 7 % of NAV at 2 % each
    assert trading.due(time) == ("None", "Done", AFTER)
    call = trading.rebalancer.trade(order(trading, sells, pays))
    assert_reverts(trading.chain, call, "NotDue", *not_due("Trade", "Done"), at=time + 1800)


def test_a_filled_buy_side_closes(trading: Bench) -> None:
    """A filler that gives all buys what they lack ends the month, whatever surplus is left."""
    time = EXECUTION + 1800
    fund = trading.fund(time)
    sells = sells_worth(fund, 10**15)
    pays = {i: goal_of(fund, i) - fund.holdings[i].balance + 5 for i in BUYS}
    receipt = trading.chain.send(trading.rebalancer.trade(order(trading, sells, pays)), trading.keeper, at=time)
    (event,) = trading.rebalancer.events(receipt, "Closed")
    assert event.surplus > fund.progress.surplus * 98 // 100
    assert event.deficit <= fund.limits.dust
    assert trading.due(time) == ("None", "Done", AFTER)
