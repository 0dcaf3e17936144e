"""Turns of standby keepers."""

from __future__ import annotations

from dataclasses import replace

from ballast.networks.presets import network_of
from keeper.plan.standby import Since, Turn, since, thing_of, turn_on
from keeper.state import Action, FundState
from tests.unit.keeper.simulated import Simulated


def moved(state: FundState, block: int, tat: int | None = None) -> FundState:
    """The same fund in another block, after a batch if `tat` is given."""
    progress = state.progress if tat is None else replace(state.progress, tat=tat)
    return replace(state, block=block, time=state.time + block, progress=progress)


def test_the_count_begins_with_what_is_possible(april: Simulated) -> None:
    state = april.state
    assert since(None, moved(state, 10), False) is None
    first = since(None, moved(state, 11), True)
    assert first == Since(thing_of(state), 11, state.time + 11)
    # The fund stands still: the count goes on, whatever the plan says of this block.
    assert since(first, moved(state, 12), False) == first
    assert since(first, moved(state, 13), True) == first


def test_whatever_moves_the_fund_begins_it_again(april: Simulated) -> None:
    state = april.state
    first = since(None, moved(state, 11), True)
    after = moved(state, 14, tat=state.progress.tat + 1)
    assert since(first, after, False) is None
    again = since(first, after, True)
    assert again is not None and again.block == 14
    for other in (replace(after, action=Action.CLOSE), replace(after, month_period=state.month_period + 1)):
        found = since(again, replace(other, block=15), True)
        assert found is not None and found.block == 15
    # A determination counts by the period that it is for, not by the month that was.
    due = replace(after, action=Action.DETERMINE)
    begun = since(None, due, True)
    assert since(begun, replace(due, period=due.period + 1), False) is None
    assert since(begun, replace(due, month_period=due.month_period + 1), False) == begun


def test_a_chain_that_goes_back_begins_it_again(april: Simulated) -> None:
    first = since(None, moved(april.state, 11), True)
    found = since(first, moved(april.state, 9), True)
    assert found is not None and found.block == 9


def test_turns_do_not_overlap(april: Simulated) -> None:
    first = Since(thing_of(april.state), 100, 0)
    assert [Turn(rank, 5).begins(first) for rank in range(3)] == [100, 105, 110]
    assert [Turn(rank, 5).wait for rank in range(3)] == [0, 5, 10]


def test_where_blocks_come_at_uneven_times_time_counts(april: Simulated) -> None:
    first = Since(thing_of(april.state), 100, 1_000)
    on_ethereum, on_base, on_arbitrum = (turn_on(network_of(number), 2, 5) for number in (1, 8453, 42161))
    assert (on_ethereum.wait, on_base.wait, on_arbitrum.wait) == (10, 60, 480)
    assert not on_ethereum.has_come(first, 109, 9_000) and on_ethereum.has_come(first, 110, 1_001)
    for turn in (on_base, on_arbitrum):
        assert not turn.has_come(first, 100_000, 1_119), "many blocks, but no two minutes"
        assert turn.has_come(first, 101, 1_120)
    assert turn_on(network_of(42161), 0, 5).has_come(first, 100, 1_000)
