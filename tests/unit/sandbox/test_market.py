"""The market's course of prices, what its journal says it spent, and the calls it makes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ballast.units import DAY_S
from keeper.errors import SettingsError
from keeper.sending.journal import Entry, Status
from sandbox.decide import POST_GAS, Decision, MarketState, Spent
from sandbox.market import DUE, FOLLOWED, MOVED, SELECTORS, Source, call_of, course_of, spent_of
from sandbox.series import Course

MARKET = "0x" + "ab" * 20
SOURCE = Source(11_155_111, MARKET, "walk", "2021-04-01", 1, 500, 360)
STATE = MarketState(10_000, 9_000, (200, 300), ())


def entry(nonce: int, action: str = MOVED, **changes: object) -> Entry:
    given = Entry(nonce, nonce, action, 0, MARKET, "0x", 900_000, 1, 1, f"0x{nonce}", "0x", 1, Status.CONFIRMED, 1)
    given = replace(given, gas_used=500_000, gas_price=1, signed_at=1_000)
    return replace(given, **changes)  # type: ignore[arg-type]


def test_a_course_is_begun_once_and_then_found(tmp_path: Path) -> None:
    path = tmp_path / "course.json"
    begun = course_of(path, SOURCE, STATE)
    assert begun == Course(10_000, 0, 360, (200, 300))
    later = replace(STATE, time=20_000, answers=(999, 999))
    assert course_of(path, SOURCE, later) == begun


@pytest.mark.parametrize(
    ("source", "state"),
    [
        (replace(SOURCE, seed=2), replace(STATE, time=20_000)),
        (replace(SOURCE, market="0x" + "cd" * 20), replace(STATE, time=20_000)),
        (SOURCE, replace(STATE, time=9_999)),
        (SOURCE, replace(STATE, answers=(1, 2, 3))),
    ],
    ids=["another seed", "another market", "a chain that began anew", "more tokens"],
)
def test_a_course_that_does_not_fit_begins_anew(source: Source, state: MarketState, tmp_path: Path) -> None:
    path = tmp_path / "course.json"
    course_of(path, SOURCE, STATE)
    assert course_of(path, source, state) == Course(state.time, 0, 360, state.answers)
    assert json.loads(path.read_text())["since"] == state.time


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"source": 1'])
def test_what_is_no_course_is_named_and_left(text: str, tmp_path: Path) -> None:
    path = tmp_path / "course.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"course\.json: is no course of prices .* move it away"):
        course_of(path, SOURCE, STATE)
    assert path.read_text() == text


def test_what_was_spent_in_a_day() -> None:
    assert spent_of([], 5_000) == Spent()
    # A post that the heartbeat asked for is not beyond what it asks for; what pools took with it is.
    entries = [entry(1, DUE, gas_used=POST_GAS - 1), entry(2, DUE), entry(3, FOLLOWED)]
    assert spent_of(entries, 5_000) == Spent(POST_GAS - 1 + 1_000_000, 500_000 - POST_GAS + 500_000)
    assert spent_of(entries, 1_000 + DAY_S) == Spent(), "a day later it is forgotten"
    assert spent_of(entries, 999 + DAY_S).total > 0


def test_what_is_open_counts_with_all_that_it_may_use_and_each_nonce_once() -> None:
    open_ = entry(4, status=Status.SUBMITTED, gas_used=None)
    assert spent_of([open_], 5_000) == Spent(900_000, 900_000)
    replaced = [entry(4, status=Status.REPLACED, gas_used=None), entry(4, gas_used=400_000)]
    assert spent_of(replaced, 5_000) == Spent(400_000, 400_000)
    bumped = [replace(open_, id=4), replace(open_, id=5)]
    assert spent_of(bumped, 5_000).total == 900_000
    assert spent_of([entry(5, status=Status.REVERTED)], 5_000).total == 500_000


def test_calls() -> None:
    assert call_of(Decision(), MARKET) is None
    calls = [
        call_of(decision, MARKET)
        for decision in (
            Decision((200, 300), (), True),
            Decision((200, 300), (1,), True),
            Decision((200, 300), (1,)),
            Decision(None, (1,)),
        )
    ]
    assert [call.action for call in calls if call] == [DUE, DUE, MOVED, FOLLOWED]
    assert {call.data[:10] for call in calls if call} == SELECTORS
    assert all(call.to == MARKET and call.deadline is None for call in calls if call)
