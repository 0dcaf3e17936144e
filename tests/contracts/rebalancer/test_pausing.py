"""pauseFor() and unpause()."""

from __future__ import annotations

import pytest
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.units import DAY_S
from tests.helpers.bench import Bench, not_due
from tests.helpers.filling import batch, order, step, trade
from tests.helpers.fund import EXECUTION, PERIOD_END
from tests.helpers.reverts import assert_reverts
from tests.helpers.settling import SCALE

T = EXECUTION + 900
LONGEST = 3 * DAY_S
WINDOW = 30 * DAY_S


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
    assert tuple(trading.chain.read(trading.rebalancer.pause())) == (from_now, LONGEST - 3600)
    empty = trading.rebalancer.trade(([], [], [], [], 0, trading.filler, b""))
    for at in (T, from_now - 1):
        assert trading.due(at) == ("None", "Paused", from_now)
        assert_reverts(trading.chain, empty, "NotDue", *not_due("Trade", "Paused"), at=at)
    assert trading.due(from_now)[:2] == ("Trade", "Due")
    trade(trading, sells, pays, from_now)  # the same batch fits: time stood still for the bucket


def test_extends_nothing_beyond_the_period(trading: Bench) -> None:
    at = PERIOD_END - DAY_S
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


def left(bench: Bench, at: int) -> int:
    """For how many seconds the guardian may pause in a block of that time."""
    return int(bench.chain.read(bench.rebalancer.pause(), at=at)[1])


def refused(bench: Bench, duration: int, at: int, most: int) -> None:
    call = bench.rebalancer.pauseFor(duration)
    assert_reverts(bench.chain, call, "PauseOutOfBounds", duration, most, sender=bench.guardian, at=at)
    assert left(bench, at) == most


@pytest.mark.parametrize("duration", [0, LONGEST + 1, 2**256 - 1])
def test_duration_is_bounded(trading: Bench, duration: int) -> None:
    refused(trading, duration, T, LONGEST)
    assert trading.chain.read(trading.rebalancer.MAX_PAUSE()) == LONGEST
    assert trading.chain.read(trading.rebalancer.WINDOW()) == WINDOW


def test_three_days_in_any_thirty(trading: Bench) -> None:
    """Short pauses add up, whatever periods they lie in, to the second; thirty days after the last began all is
    free."""
    pause(trading, DAY_S, T)
    pause(trading, DAY_S, T + 10 * DAY_S)
    refused(trading, DAY_S + 1, T + 20 * DAY_S, DAY_S)
    pause(trading, DAY_S - 1, T + 20 * DAY_S)
    refused(trading, 2, T + 30 * DAY_S, 1)  # of the next period, and the first of the three lies 30 days back
    pause(trading, 1, T + 30 * DAY_S)
    refused(trading, 1, T + 60 * DAY_S - 1, 0)
    assert left(trading, T + 60 * DAY_S) == LONGEST
    pause(trading, LONGEST, T + 60 * DAY_S)


def test_at_the_edge_of_the_window(trading: Bench) -> None:
    """The longest pause, and thirty days after its beginning the longest again: no thirty days hold more than three of
    pause."""
    pause(trading, LONGEST, T)
    refused(trading, 1, T + LONGEST, 0)
    refused(trading, 1, T + WINDOW - 1, 0)
    pause(trading, LONGEST, T + WINDOW)


def test_any_pauses_keep_to_three_days_in_thirty(trading: Bench) -> None:
    """Pauses as long as the view allows, ended early or not: every window of thirty days is looked at."""

    @settings(max_examples=15, deadline=None)
    @given(
        steps=st.lists(
            st.tuples(st.integers(0, 20 * DAY_S), st.integers(1, 100), st.integers(0, 100)), min_size=2, max_size=9
        )
    )
    def check(steps: list[tuple[int, int, int]]) -> None:
        snapshot = trading.chain.cheats.snapshot()
        try:
            at, paused = T, [(0, 0)]
            for wait, part, kept in steps:
                at = max(at, paused[-1][1]) + wait
                duration = left(trading, at) * part // 100
                if duration == 0:
                    continue
                pause(trading, duration, at)
                end = at + duration
                if kept < 100 and duration > 1:
                    end = at + max(1, (duration - 1) * kept // 100)
                    trading.chain.send(trading.rebalancer.unpause(), trading.guardian, at=end)
                paused.append((at, end))
            for begin in (edge - over for pair in paused for edge in pair for over in (0, WINDOW)):
                held = [min(end, begin + WINDOW) - max(start, begin) for start, end in paused]
                assert sum(max(0, seconds) for seconds in held) <= LONGEST
        finally:
            trading.chain.cheats.revert(snapshot)

    check()


def test_an_ended_pause_gives_the_rest_back(trading: Bench) -> None:
    pause(trading, LONGEST, T)
    assert left(trading, T + 10) == 0
    trading.chain.send(trading.rebalancer.unpause(), trading.owner, at=T + 10)
    assert trading.due(T + 10)[:2] == ("Trade", "Due")
    assert left(trading, T + 10) == LONGEST - 10
    refused(trading, LONGEST - 9, T + 10, LONGEST - 10)
    pause(trading, LONGEST - 10, T + 10)


def test_not_on_top_of_another(trading: Bench) -> None:
    """A pause that runs cannot be made longer or shorter by another, not even by what is left."""
    pause(trading, DAY_S, T)
    for duration in (1, DAY_S, LONGEST):
        call = trading.rebalancer.pauseFor(duration)
        assert_reverts(trading.chain, call, "PausedBefore", T + DAY_S, sender=trading.guardian, at=T + DAY_S - 1)
    pause(trading, DAY_S, T + DAY_S)


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
    pause(trading, DAY_S, T)
    trading.mint(10**18, trading.holder, at=T + 1)
    trading.redeem(10**18, trading.holder, at=T + 2)


def test_veto_works_while_paused(trading: Bench) -> None:
    trading.chain.send(trading.rebalancer.close(), trading.keeper, at=PERIOD_END + 1)
    trading.determine(PERIOD_END + 1)
    pause(trading, DAY_S, PERIOD_END + 2)
    trading.chain.send(trading.rebalancer.veto(), trading.guardian, at=PERIOD_END + 3)
    assert trading.due(PERIOD_END + 2 + DAY_S)[1] == "Vetoed"


def test_inside_a_batch_nobody_pauses(trading: Bench) -> None:
    """Nor unpauses: the lock is named, whoever calls."""
    chain, filler = trading.chain, trading.filler
    chain.send(trading.rebalancer.setGuardian(filler), trading.owner)
    sells, pays = batch(trading, T)
    steps = [step(call, tolerated=True) for call in (trading.rebalancer.pauseFor(60), trading.rebalancer.unpause())]
    receipt = chain.send(trading.rebalancer.trade(order(trading, sells, pays, steps=steps)), trading.keeper, at=T)
    answers = [tried.answer for tried in filler.events(receipt, "Tried")]
    assert answers == [keccak(text="Locked()")[:4]] * 2
