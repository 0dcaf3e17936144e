"""What the market posts and which pools it moves: due posts first, then what is furthest off, within the budget."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import pytest

from ballast.units import DAY_S
from sandbox.decide import (
    FOLLOW_GAS,
    POST_GAS,
    Decision,
    MarketState,
    PoolReserves,
    Spent,
    Terms,
    decide,
    pool_off_bps,
)

USD = 10**8
TERMS = Terms(post_after=2_880, moved_bps=500, band_bps=100, gas_per_day=30_000_000, decimals=(18, 18, 8))
PRICES = (2_000 * USD, 400 * USD, 50_000 * USD)
RIGHT = (PoolReserves(1, 500 * 10**18, 100 * 10**18), PoolReserves(2, 4 * 10**8, 100 * 10**18))
QUIET = MarketState(time=10_000, posted_at=9_000, answers=PRICES, pools=RIGHT)
NOTHING = Spent()


def off(pool: PoolReserves, bps: int) -> PoolReserves:
    """The pool, its token so much dearer."""
    return replace(pool, base=pool.base * (10_000 + bps) // 10_000)


def raised(bps: int, number: int) -> tuple[int, ...]:
    return tuple(p * (10_000 + bps) // 10_000 if n == number else p for n, p in enumerate(PRICES))


def test_how_far_a_pool_is_off() -> None:
    for pool in RIGHT:
        assert pool_off_bps(pool, PRICES, TERMS.decimals) == 0
        assert pool_off_bps(off(pool, 150), PRICES, TERMS.decimals) == 150
        assert pool_off_bps(off(pool, -150), PRICES, TERMS.decimals) == 150
    assert pool_off_bps(RIGHT[1], raised(100, 0), TERMS.decimals) == 100


def test_nothing_where_all_is_well() -> None:
    assert decide(QUIET, PRICES, NOTHING, TERMS) == Decision()
    assert decide(QUIET, raised(499, 1), NOTHING, TERMS) == Decision()


def test_a_post_when_the_heartbeat_asks_for_it() -> None:
    early = replace(QUIET, time=9_000 + TERMS.post_after - 1)
    wanted = raised(99, 1)
    assert decide(early, wanted, NOTHING, TERMS) == Decision()
    assert decide(replace(early, time=early.time + 1), wanted, NOTHING, TERMS) == Decision(wanted, (), True)


def test_a_price_that_has_moved_is_posted_and_its_pool_follows() -> None:
    wanted = raised(500, 2)
    assert decide(QUIET, wanted, NOTHING, TERMS) == Decision(wanted, (2,), False)
    # If ether moves, all pools follow.
    wanted = raised(-500, 0)
    assert decide(QUIET, wanted, NOTHING, TERMS) == Decision(wanted, (1, 2), False)


def test_a_pool_that_somebody_traded_in_comes_back() -> None:
    state = replace(QUIET, pools=(RIGHT[0], off(RIGHT[1], 101)))
    assert decide(state, PRICES, NOTHING, TERMS) == Decision(None, (2,))
    # One with the band's distance stays. It comes back to the price that stands, not to one that is not posted.
    assert decide(replace(QUIET, pools=(off(RIGHT[0], 100), RIGHT[1])), PRICES, NOTHING, TERMS) == Decision()
    assert decide(state, raised(99, 1), NOTHING, TERMS) == Decision(None, (2,))


def test_the_budget_goes_to_due_posts_first_and_then_to_what_is_furthest_off() -> None:
    state = replace(QUIET, pools=(off(RIGHT[0], 200), off(RIGHT[1], 300)))
    free = TERMS.gas_per_day - TERMS.heartbeat_gas
    assert decide(state, PRICES, Spent(free - 2 * FOLLOW_GAS, free - 2 * FOLLOW_GAS), TERMS).numbers == (1, 2)
    one = decide(state, PRICES, Spent(free - FOLLOW_GAS, free - FOLLOW_GAS), TERMS)
    assert (one.numbers, one.skipped) == ((2,), ("1 of 2 pools that are off their feeds",))
    none = decide(state, PRICES, Spent(free, free), TERMS)
    assert none == Decision(None, (), False, ("2 of 2 pools that are off their feeds",))
    moved = decide(QUIET, raised(600, 1), Spent(free, free), TERMS)
    assert moved == Decision(None, (), False, ("a post, though 1 prices have moved",))
    due = decide(replace(QUIET, time=20_000), PRICES, Spent(free, free), TERMS)
    assert due == Decision(PRICES, (), True)


def test_the_last_gas_goes_to_a_due_post_and_then_it_says_so() -> None:
    state = replace(QUIET, time=20_000, pools=(RIGHT[0], off(RIGHT[1], 300)))
    last = decide(state, PRICES, Spent(TERMS.gas_per_day - POST_GAS), TERMS)
    assert last == Decision(PRICES, (), True, ("1 of 1 pools that are off their feeds",))
    over = decide(state, PRICES, Spent(TERMS.gas_per_day - POST_GAS + 1), TERMS)
    assert (over.answers, over.numbers) == (None, ())
    assert "a post that the heartbeat asks for" in over.skipped[0]


@pytest.mark.parametrize("post_after", [60, 2_880, 70_000])
def test_a_days_due_posts_always_find_their_gas(post_after: int) -> None:
    """Whatever else the market would like to do: prices that never rest, pools that never stay."""
    terms = replace(TERMS, post_after=post_after)
    terms = replace(terms, gas_per_day=terms.heartbeat_gas + 2_000_000)
    sent: deque[tuple[int, int, int]] = deque()  # of a day: time, gas, beyond
    total = beyond = posted_at = decisions = 0
    pools, prices = tuple(off(pool, 500) for pool in RIGHT), raised(1_000, 1)
    for now in range(post_after, 2 * DAY_S, max(12, post_after // 5)):
        while sent and sent[0][0] <= now - DAY_S:
            _, gas, own = sent.popleft()
            total, beyond = total - gas, beyond - own
        spent = Spent(total, beyond)
        found = decide(MarketState(now, posted_at, PRICES, pools), prices, spent, terms)
        if found.answers is None and not found.numbers:
            assert now - posted_at < post_after, f"a due post was not made: {found} {spent}"
            continue
        gas = (POST_GAS if found.answers else 0) + FOLLOW_GAS * len(found.numbers)
        own = gas - POST_GAS if found.due else gas
        sent.append((now, gas, own))
        total, beyond = total + gas, beyond + own
        posted_at = now if found.answers else posted_at
        decisions += 1
        assert total <= terms.gas_per_day
    assert decisions > 3
