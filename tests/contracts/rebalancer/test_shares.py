"""Limits are per share: minting, redeeming and the fee in mid-rebalance change none of them and cost nobody."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.units import WAD
from tests.helpers.bench import BUYS, KINDS, SELLS, SUPPLY, Bench
from tests.helpers.filling import batch, even_pays, order, sells_worth, trade
from tests.helpers.fund import EXECUTION
from tests.helpers.settling import SCALE, surplus_of, total_value_at_start

T = EXECUTION + 1800


def per_share(bench: Bench) -> list[int]:
    """What backs 10^9 shares of each component, down."""
    supply = bench.chain.read(bench.index.totalSupply())
    return [balance * 10**27 // supply for balance in bench.holdings()]


def finish(bench: Bench, between: Callable[[int, int], None]) -> list[int]:
    """Trades the month to its end at the least allowed, with something between the batches; what backs a share."""
    at, count = EXECUTION, 0
    while bench.chain.read(bench.rebalancer.trading()):
        at += 1800
        sells, pays = batch(bench, at)
        trade(bench, sells, pays, at)
        between(count, at)
        count += 1
        assert count < 8
    return per_share(bench)


def test_the_month_ends_the_same_whoever_comes_and_goes(trading: Bench) -> None:
    """The same batches per share, in a fund that stays as it is and in one that grows and shrinks by a multiple."""

    def nothing(count: int, at: int) -> None:
        """Nobody comes, nobody goes."""

    def crowd(count: int, at: int) -> None:
        if count % 2 == 0:
            trading.mint(7 * SUPPLY, trading.holder, at=at)
        else:
            trading.redeem(6 * SUPPLY, trading.holder, at=at)

    snapshot = trading.chain.cheats.snapshot()
    quiet = finish(trading, nothing)
    trading.chain.cheats.revert(snapshot)
    busy = finish(trading, crowd)
    assert trading.chain.read(trading.index.totalSupply()) > 2 * SUPPLY
    for i, (a, b) in enumerate(zip(quiet, busy, strict=True)):
        # `batch` leaves up to 10^15 USD wei of a batch unsold, and each mint rounds up by a token wei.
        tolerated = a // 10**6 + 10**27 // SUPPLY + 1
        assert abs(a - b) <= tolerated, f"component {i}"


@pytest.mark.parametrize("when", ["before", "between"])
def test_to_come_and_go_in_mid_rebalance_gains_nothing(trading: Bench, stranger: str, when: str) -> None:
    if when == "between":
        sells, pays = batch(trading, T)
        trade(trading, sells, pays, T)
    before = per_share(trading)

    @settings(max_examples=12, deadline=None)
    @given(shares=st.one_of(st.integers(1, 10**6), st.integers(1, 100 * SUPPLY)))
    def check(shares: int) -> None:
        snapshot = trading.chain.cheats.snapshot()
        try:
            _, cost, _ = trading.chain.read(trading.index.previewMint(shares))
            trading.mint(shares, stranger)
            middle = per_share(trading)
            assert all(b >= a for a, b in zip(before, middle, strict=True))
            trading.redeem(shares, stranger)
            gained = [trading.chain.read(token.balanceOf(stranger)) for token in trading.tokens]
            assert all(paid >= got for paid, got in zip(cost, gained, strict=True))
            assert all(b >= a for a, b in zip(middle, per_share(trading), strict=True))
        finally:
            trading.chain.cheats.revert(snapshot)

    check()


def test_limits_scale_with_the_supply(trading: Bench) -> None:
    sells, pays = batch(trading, T)
    trade(trading, sells, pays, T)
    before = trading.fund(T + 600)
    trading.mint(4 * SUPPLY, trading.holder, at=T + 1)
    after = trading.fund(T + 600)
    assert after.shares == 5 * before.shares
    assert after.progress == before.progress
    assert after.opening == before.opening
    assert (after.idle, after.capacity, after.tolerance) == (before.idle, before.capacity, before.tolerance)
    for i in SELLS:
        assert 0 <= surplus_of(after, i) - 5 * surplus_of(before, i) <= 5
    assert total_value_at_start(after) == after.opening.nav * 5 * SUPPLY // WAD


@pytest.mark.parametrize("last", [False, True], ids=["first batch", "last batch"])
@pytest.mark.parametrize("wei", [1, 1000])
def test_a_donation_does_not_stop_an_honest_batch(trading: Bench, last: bool, wei: int) -> None:
    """The batch was prepared before somebody gave the fund a few wei of everything it trades."""
    at = T
    if last:
        while trading.fund(at).progress.surplus > 2 * 10**16:
            sells, pays = batch(trading, at)
            trade(trading, sells, pays, at)
            at += 1800
    fund = trading.fund(at)
    sells = {i: surplus_of(fund, i) for i in SELLS} if last else sells_worth(fund, fund.capacity)
    value = min(fund.capacity, fund.progress.surplus) * total_value_at_start(fund) // WAD
    prepared = order(trading, sells, even_pays(fund, value * 9999 // 10000))
    for i in (*SELLS, *BUYS):
        trading.give(i, trading.index, wei)
    before = trading.holdings()
    receipt = trading.chain.send(trading.rebalancer.trade(prepared), trading.keeper, at=at)
    after = trading.holdings()
    assert {i: before[i] - after[i] for i in sells} == sells
    assert len(trading.rebalancer.events(receipt, "Closed")) == last


def test_a_donation_moves_no_bucket(trading: Bench) -> None:
    before = trading.fund(T)
    for i in range(len(KINDS)):
        trading.give(i, trading.index, 10 ** KINDS[i].decimals * 1000)
    after = trading.fund(T)
    assert after.progress == before.progress
    assert (after.capacity, after.tolerance) == (before.capacity, before.tolerance)
    assert before.progress.tat < T * SCALE
