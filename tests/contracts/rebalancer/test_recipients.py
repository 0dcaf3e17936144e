"""Where sells are sent: to the filler, or straight to whom the order names. Only what the fund then holds counts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.bench import BUYS, PERIOD, SELLS, Bench
from tests.helpers.contracts import Contract
from tests.helpers.filling import FILLER, Entries, batch, check_result, least_pays, order, sells_worth, step
from tests.helpers.fund import EXECUTION
from tests.helpers.reverts import assert_reverts
from tests.helpers.settling import ceil_div, settle, surplus_of

T = EXECUTION + 1800
FIRST, SECOND = SELLS


def refused(bench: Bench, given: Any, error: str, *args: Any) -> tuple[Any, ...]:
    return assert_reverts(bench.chain, bench.rebalancer.trade(given), error, *args, sender=bench.keeper, at=T)


def traded(bench: Bench, given: Any) -> tuple[Any, Any]:
    """Trades; the Traded event's result, and what the filler was called with."""
    receipt = bench.chain.send(bench.rebalancer.trade(given), bench.keeper, at=T)
    (event,) = bench.rebalancer.events(receipt, "Traded")
    (filled,) = bench.filler.events(receipt, "Filled")
    assert event.period == PERIOD
    return event.result, filled


def has(bench: Bench, i: int, account: Any) -> int:
    held: int = bench.chain.read(bench.tokens[i].balanceOf(account))
    return held


def test_each_entry_goes_where_it_is_sent(trading: Bench, stranger: str) -> None:
    """A sell in three parts, one of them to the filler, and another sell: it counts as if the filler had got it all."""
    sells, pays = batch(trading, T)
    parts = (sells[FIRST] // 3, sells[FIRST] // 5)
    rest = sells[FIRST] - sum(parts)
    entries: Entries = [
        (FIRST, parts[0], stranger),
        (FIRST, parts[1], trading.holder),
        (FIRST, rest, FILLER),
        (SECOND, sells[SECOND], stranger),
    ]
    fund, before = trading.fund(T), [has(trading, i, stranger) for i in SELLS]
    expected = settle(fund, T, sells, pays)
    result, filled = traded(trading, order(trading, sells, pays, entries=entries))
    check_result(result, expected)
    progress = tuple(trading.chain.read(trading.rebalancer.progress()))
    assert progress == (expected.tat, expected.spent, expected.surplus, expected.held)
    assert [has(trading, i, stranger) for i in SELLS] == [before[0] + parts[0], before[1] + sells[SECOND]]
    assert has(trading, FIRST, trading.holder) == parts[1]
    assert [has(trading, i, trading.filler) for i in SELLS] == [rest, 0]
    tokens = [trading.tokens[FIRST].address] * 3 + [trading.tokens[SECOND].address]
    assert (filled.sells, filled.amounts) == (tokens, [*parts, rest, sells[SECOND]])
    assert filled.buys == [trading.tokens[i].address for i in BUYS]


def test_the_parts_of_a_sell_are_clamped_together(trading: Bench, stranger: str) -> None:
    """However much each of them asks for, no more leaves in all than lies above target."""
    fund = trading.fund(T)
    surplus = surplus_of(fund, SECOND)
    small = sells_worth(fund, fund.capacity // 2, [SECOND])[SECOND]
    assert 0 < small < surplus
    # Nearly all of it is sent to the fund itself, so the batch stays within the bucket.
    most = surplus - small
    entries: Entries = [(SECOND, most, trading.index), (SECOND, 2 * small, FILLER), (SECOND, 10**30, FILLER)]
    pays = least_pays(fund, T, {SECOND: small})
    _, filled = traded(trading, order(trading, {}, pays, entries=entries))
    assert filled.amounts == [most, small, 0]
    assert trading.holdings()[SECOND] == fund.holdings[SECOND].balance - small
    assert has(trading, SECOND, trading.filler) == small


def test_all_of_a_surplus_in_two_parts_leaves_the_target(trading: Bench) -> None:
    fund = trading.fund(T)
    target = ceil_div(fund.holdings[FIRST].target.unit * fund.shares, 10**18)
    surplus = fund.holdings[FIRST].balance - target
    entries: Entries = [(FIRST, surplus, FILLER), (FIRST, surplus, FILLER)]
    pays = least_pays(fund, T, {FIRST: surplus})
    expected = settle(fund, T, {FIRST: surplus}, pays)
    given = order(trading, {}, pays, entries=entries)
    assert expected.error is not None and expected.error[0] == "AboveCapacity"
    # Counted once: twice the surplus would be twice the value.
    refused(trading, given, *expected.error)


def test_what_is_sent_to_the_fund_itself_is_not_sold(trading: Bench) -> None:
    sells, pays = batch(trading, T)
    nothing: Entries = [(i, amount, trading.index) for i, amount in sells.items()]
    refused(trading, order(trading, {}, pays, entries=nothing), "NothingSold")
    # The filler is told of an amount that it does not have; what counts is the other sell alone.
    fund = trading.fund(T)
    entries: Entries = [(FIRST, sells[FIRST], trading.index), (SECOND, sells[SECOND], FILLER)]
    alone = {SECOND: sells[SECOND]}
    pays = least_pays(fund, T, alone)
    result, filled = traded(trading, order(trading, {}, pays, entries=entries))
    check_result(result, settle(fund, T, alone, pays))
    assert filled.amounts == [sells[FIRST], sells[SECOND]]
    assert trading.holdings()[FIRST] == fund.holdings[FIRST].balance


@pytest.mark.parametrize("who", ["rebalancer", "token", "oracle", "opener", "account", "share holder"])
def test_whoever_gets_the_sells_the_fund_is_paid(trading: Bench, stranger: str, who: str) -> None:
    """A batch that only sends out is refused, one that pays the least allowed passes, and nobody else gains by it."""
    known: dict[str, Contract | str] = {
        "rebalancer": trading.rebalancer,
        "token": trading.tokens[FIRST],
        "oracle": trading.oracle,
        "opener": trading.opener,
        "account": stranger,
        "share holder": trading.holder,
    }
    recipient = known[who]
    sells, pays = batch(trading, T)
    fund = trading.fund(T)
    entries: Entries = [(i, amount, recipient) for i, amount in sells.items()]
    unpaid = settle(fund, T, sells, dict.fromkeys(pays, 0))
    assert unpaid.error is not None and unpaid.error[0] == "BelowTolerance"
    refused(trading, order(trading, {}, dict.fromkeys(pays, 0), entries=entries), *unpaid.error)
    before = [has(trading, i, recipient) for i in SELLS]
    result, _ = traded(trading, order(trading, {}, pays, entries=entries))
    check_result(result, settle(fund, T, sells, pays))
    assert [has(trading, i, recipient) - b for i, b in zip(SELLS, before, strict=True)] == [sells[i] for i in SELLS]
    supply, pending = trading.chain.read(trading.index.totalSupply()), trading.chain.read(trading.index.pendingFee())
    assert supply - pending == fund.shares


def test_a_part_that_comes_back_is_not_sold(trading: Bench) -> None:
    """The filler returns what one entry gave it, and pays for the other."""
    fund = trading.fund(T)
    sells = sells_worth(fund, fund.capacity)
    half = sells[FIRST] // 2
    entries: Entries = [
        (FIRST, half, FILLER),
        (FIRST, sells[FIRST] - half, trading.holder),
        (SECOND, sells[SECOND], FILLER),
    ]
    kept = {FIRST: sells[FIRST] - half, SECOND: sells[SECOND]}
    pays = least_pays(fund, T, kept)
    back = [step(trading.tokens[FIRST].transfer(trading.index, half))]
    result, _ = traded(trading, order(trading, {}, pays, entries=entries, steps=back))
    check_result(result, settle(fund, T, kept, pays))


def test_indexes_ascend_though_one_may_stand_again(trading: Bench) -> None:
    for indexes in ((FIRST, SECOND, FIRST), (SECOND, FIRST, FIRST), (FIRST, SECOND, SECOND, FIRST)):
        entries: Entries = [(i, 1, FILLER) for i in indexes]
        refused(trading, order(trading, {}, {5: 1}, entries=entries), "IndexesNotAscending", FIRST)
