"""Samples of a fund over time: when one is kept, how long, and through a restart."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from ballast.units import DAY_S, HOUR_S
from keeper.errors import SettingsError
from keeper.page import samples as module
from keeper.page.samples import EVERY_S, OLDEST_S, Samples, sample_of
from keeper.state import FundState, Phase, Progress
from tests.unit.keeper.simulated import Simulated

FUND = (1, "0xab")


@pytest.fixture
def history(tmp_path: Path) -> Iterator[Samples]:
    with closing(Samples(tmp_path / "deep" / "history.sqlite")) as found:
        yield found


@pytest.fixture
def state(april: Simulated) -> FundState:
    """As it trades; two components are enough here."""
    return replace(april.state, holdings=april.state.holdings[:2])


def times(history: Samples) -> list[int]:
    return [sample.time for sample in history.all_of(*FUND)]


def test_keeps_what_a_fund_was_like(history: Samples, state: FundState) -> None:
    assert history.add(*FUND, state)
    (found,) = history.all_of(*FUND)
    assert found == sample_of(state)
    assert (found.total_value, found.supply, found.phase) == (state.total_value, state.supply, Phase.TRADING)
    assert sum(part.weight for part in found.parts) == pytest.approx(10**18, abs=2)
    assert [part.unit for part in found.parts] == [holding.unit for holding in state.holdings]


def test_one_in_ten_minutes_and_one_for_each_change(history: Samples, state: FundState) -> None:
    t, p = state.time, state.progress
    assert history.add(*FUND, state)
    assert not history.add(*FUND, replace(state, time=t + EVERY_S - 1))
    assert history.add(*FUND, replace(state, time=t + EVERY_S))
    batch = replace(state, time=t + EVERY_S + 12, progress=Progress(p.tat, p.spent + 1, p.surplus, p.held))
    assert history.add(*FUND, batch)
    assert not history.add(*FUND, replace(batch, time=batch.time + 12, supply=batch.supply + 1))
    assert history.add(*FUND, replace(batch, time=batch.time + 24, phase=Phase.IDLE))
    assert len(times(history)) == 4


def test_without_prices_only_what_moves_on_is_kept(history: Samples, state: FundState) -> None:
    first, second = state.holdings
    stale = replace(state, holdings=(replace(first, price=0), second))
    history.add(*FUND, state)
    assert not history.add(*FUND, replace(stale, time=state.time + 3 * EVERY_S))
    assert history.add(*FUND, replace(stale, time=state.time + 4 * EVERY_S, phase=Phase.IDLE))
    assert history.add(*FUND, replace(state, time=state.time + 5 * EVERY_S, phase=Phase.IDLE))
    assert [sample.priced for sample in history.all_of(*FUND)] == [True, False, True]
    # What is suspended is out of NAV by its state; what cannot be read should be in it.
    suspended = replace(stale, holdings=(replace(first, price=0, suspended_until=stale.time + 1), second))
    assert sample_of(suspended).priced
    unread = replace(state, holdings=(replace(first, balance=0, price=0, sound=False), second))
    assert not sample_of(unread).priced


def test_time_does_not_run_back(history: Samples, state: FundState) -> None:
    history.add(*FUND, state)
    assert not history.add(*FUND, replace(state, time=state.time - HOUR_S, phase=Phase.IDLE))
    assert not history.add(*FUND, replace(state, phase=Phase.IDLE))
    assert times(history) == [state.time]


def test_a_restart_goes_on(tmp_path: Path, state: FundState) -> None:
    for later, kept in ((0, True), (HOUR_S, True), (HOUR_S + 60, False)):
        with closing(Samples(tmp_path / "h.sqlite")) as history:
            assert history.add(*FUND, replace(state, time=state.time + later)) is kept
    with closing(Samples(tmp_path / "h.sqlite")) as history:
        assert times(history) == [state.time, state.time + HOUR_S]


def test_funds_are_apart(history: Samples, state: FundState) -> None:
    history.add(*FUND, state)
    assert history.add(2, "0xab", state) and history.add(1, "0xcd", state)
    assert len(history.all_of(*FUND)) == 1
    assert history.month(1, "0xef", state.month_period) == (None, None)


def test_the_older_the_fewer(history: Samples, state: FundState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIERS", ((2 * HOUR_S, HOUR_S), (6 * HOUR_S, 3 * HOUR_S)))
    monkeypatch.setattr(module, "OLDEST_S", 12 * HOUR_S)
    first = state.time - state.time % (3 * HOUR_S)
    for step in range(120):
        assert history.add(*FUND, replace(state, time=first + step * EVERY_S))
    now = first + 119 * EVERY_S
    for span, since, until in ((EVERY_S, now - 2 * HOUR_S, now), (HOUR_S, now - 6 * HOUR_S, now - 2 * HOUR_S),
                               (3 * HOUR_S, now - 12 * HOUR_S, now - 6 * HOUR_S)):  # fmt: skip
        some = [time for time in times(history) if since <= time < until]
        assert some, span
        assert all(b - a == span for a, b in pairwise(some[1:])), span
    assert times(history)[0] >= now - 12 * HOUR_S
    assert times(history)[-1] == now


def test_thinning_keeps_where_a_phase_began(
    history: Samples, state: FundState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIERS", ((HOUR_S, 6 * HOUR_S),))
    start = state.time - state.time % (6 * HOUR_S)
    for later, phase in ((0, Phase.DETERMINED), (600, Phase.TRADING), (1_200, Phase.TRADING), (1_800, Phase.IDLE)):
        history.add(*FUND, replace(state, time=start + later, phase=phase))
    history.add(*FUND, replace(state, time=start + DAY_S, phase=Phase.IDLE))
    assert times(history) == [start, start + 600, start + 1_800, start + DAY_S]
    opened, closed = history.month(*FUND, state.month_period)
    assert opened is not None and closed is not None
    assert (opened.time, closed.time) == (start + 600, start + 1_800)


def test_never_more_than_so_many(history: Samples, state: FundState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 5)
    for step in range(9):
        history.add(*FUND, replace(state, time=state.time + step, supply=state.supply, month_period=step))
    assert times(history) == [state.time + step for step in range(4, 9)]


def test_nothing_outlives_its_time(history: Samples, state: FundState) -> None:
    history.add(*FUND, state)
    history.add(*FUND, replace(state, time=state.time + OLDEST_S + 1))
    assert times(history) == [state.time + OLDEST_S + 1]


def test_a_file_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    path.write_bytes(b"no database at all, but long enough to be looked at" * 40)
    with pytest.raises(SettingsError, match=f"BALLAST_HISTORY: {path} is not usable"):
        Samples(path)


def test_a_locked_file_is_an_error_and_not_the_end(tmp_path: Path, state: FundState) -> None:
    path = tmp_path / "h.sqlite"
    with closing(Samples(path)) as history, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SettingsError, match="BALLAST_HISTORY"):
            history.add(*FUND, state)
        other.execute("ROLLBACK")
        assert history.add(*FUND, state)
