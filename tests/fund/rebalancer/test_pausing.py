"""pauseFor() and unpause()."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.bench import PERIOD, Bench, not_due
from tests.helpers.filling import batch, trade
from tests.helpers.fund import DAY, EXECUTION, PERIOD_END
from tests.helpers.reverts import assert_reverts
from tests.helpers.settling import SCALE

T = EXECUTION + 900
LONGEST = 3 * DAY


def pause(bench: Bench, duration: int, at: int) -> None:
    receipt = bench.chain.send(bench.rebalancer.pauseFor(duration), bench.guardian, at=at)
    (event,) = bench.rebalancer.events(receipt, "PausedUntil")
    assert event.until == at + duration


def idle(bench: Bench, at: int) -> int:
    fund = bench.fund(at)
    return int(min(max(0, at * SCALE - fund.progress.tat), fund.limits.maxIdle * SCALE))


def test_stops_trade_until_it_expires(trading: Bench) -> None:
    sells, pays = batch(trading, T)
    from_now = T + 3600
    pause(trading, 3600, T)
    assert tuple(trading.chain.read(trading.rebalancer.pause())) == (from_now, PERIOD)
    empty = trading.rebalancer.trade(([], [], [], [], 0, trading.filler, b""))
    for at in (T, from_now - 1):
        assert trading.due(at) == ("None", "Paused", from_now)
        assert_reverts(trading.chain, empty, "NotDue", *not_due("Trade", "Paused"), at=at)
    assert trading.due(from_now)[:2] == ("Trade", "Due")
    trade(trading, sells, pays, from_now)  # the same batch fits: time stood still for the bucket


def test_extends_nothing_beyond_the_period(trading: Bench) -> None:
    at = PERIOD_END - DAY
    pause(trading, LONGEST, at)
    call = trading.rebalancer.close()
    assert_reverts(trading.chain, call, "NotDue", *not_due("Close", "Paused"), at=at + LONGEST - 1)
    assert trading.due(at + LONGEST)[:2] == ("Close", "Due")
    trading.chain.send(call, trading.keeper, at=at + LONGEST)


@pytest.mark.parametrize("way", ["expiry", "unpause"])
def test_the_bucket_stands_still(trading: Bench, way: str) -> None:
    @settings(max_examples=8, deadline=None)
    @given(rested=st.integers(0, 4000), duration=st.integers(2, LONGEST), part=st.integers(1, 10**6))
    def check(rested: int, duration: int, part: int) -> None:
        snapshot = trading.chain.cheats.snapshot()
        try:
            at = EXECUTION + 1 + rested
            before = idle(trading, at)
            pause(trading, duration, at)
            end = at + duration
            if way == "unpause":
                end = at + max(1, duration * part // 10**6 - 1)
                receipt = trading.chain.send(trading.rebalancer.unpause(), trading.guardian, at=end)
                assert trading.rebalancer.events(receipt, "PausedUntil")[0].until == end
            assert trading.due(end)[:2] == ("Trade", "Due")
            assert idle(trading, end) == before
            fund = trading.fund(end)
            assert fund.capacity == min(2 * 10**16, before * 2 * 10**16 // (600 * SCALE))
        finally:
            trading.chain.cheats.revert(snapshot)

    check()


def test_the_bucket_stands_still_also_after_batches(trading: Bench) -> None:
    at = EXECUTION + 1800
    sells, pays = batch(trading, at)
    trade(trading, sells, pays, at)
    before = idle(trading, at + 100)
    assert 1300 * SCALE <= before < 1301 * SCALE
    pause(trading, 5000, at + 100)
    assert idle(trading, at + 5100) == before


def test_once_in_a_period(trading: Bench) -> None:
    pause(trading, 60, T)
    again = trading.rebalancer.pauseFor(60)
    for at in (T + 30, T + 60, T + DAY, PERIOD_END):
        assert_reverts(trading.chain, again, "PauseUsed", PERIOD, sender=trading.guardian, at=at)
    pause(trading, 60, PERIOD_END + 1)


def test_not_on_top_of_last_period_s(trading: Bench) -> None:
    at = PERIOD_END - 10
    pause(trading, DAY, at)
    again = trading.rebalancer.pauseFor(60)
    call_at = PERIOD_END + 1
    assert_reverts(trading.chain, again, "PauseUsed", PERIOD + 1, sender=trading.guardian, at=call_at)
    pause(trading, 60, at + DAY)


def test_an_ended_pause_counts_as_used(trading: Bench) -> None:
    pause(trading, DAY, T)
    trading.chain.send(trading.rebalancer.unpause(), trading.owner, at=T + 10)
    assert trading.due(T + 10)[:2] == ("Trade", "Due")
    call = trading.rebalancer.pauseFor(60)
    assert_reverts(trading.chain, call, "PauseUsed", PERIOD, sender=trading.guardian, at=T + 11)


@pytest.mark.parametrize("duration", [0, LONGEST + 1, 2**256 - 1])
def test_duration_is_bounded(trading: Bench, duration: int) -> None:
    call = trading.rebalancer.pauseFor(duration)
    assert_reverts(trading.chain, call, "PauseOutOfBounds", duration, LONGEST, sender=trading.guardian, at=T)
    assert trading.chain.read(trading.rebalancer.MAX_PAUSE()) == LONGEST


def test_who_may_pause(trading: Bench, stranger: str) -> None:
    for account in (stranger, trading.owner, trading.keeper):
        call = trading.rebalancer.pauseFor(60)
        assert_reverts(trading.chain, call, "NotGuardian", account, sender=account, at=T)


def test_who_may_unpause(trading: Bench, stranger: str) -> None:
    pause(trading, 60, T)
    call = trading.rebalancer.unpause()
    for account in (stranger, trading.keeper):
        assert_reverts(trading.chain, call, "NotGuardian", account, sender=account, at=T + 1)
    trading.chain.send(call, trading.guardian, at=T + 1)


def test_unpause_needs_a_pause(trading: Bench) -> None:
    call = trading.rebalancer.unpause()
    assert_reverts(trading.chain, call, "NotPaused", sender=trading.guardian, at=T)
    pause(trading, 60, T)
    assert_reverts(trading.chain, call, "NotPaused", sender=trading.guardian, at=T + 60)


def test_holders_come_and_go_while_paused(trading: Bench) -> None:
    pause(trading, DAY, T)
    trading.mint(10**18, trading.holder, at=T + 1)
    trading.redeem(10**18, trading.holder, at=T + 2)


def test_veto_works_while_paused(trading: Bench) -> None:
    trading.chain.send(trading.rebalancer.close(), trading.keeper, at=PERIOD_END + 1)
    trading.determine(PERIOD_END + 1)
    pause(trading, DAY, PERIOD_END + 2)
    trading.chain.send(trading.rebalancer.veto(), trading.guardian, at=PERIOD_END + 3)
    assert trading.due(PERIOD_END + 2 + DAY)[1] == "Vetoed"
