"""Prices over time: as recorded, to the unit, or walked; the same on every machine."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import pytest

from ballast.units import DAY_S
from sandbox.__main__ import RECORDED
from sandbox.errors import SandboxError
from sandbox.series import LEVEL, Course, Recorded, Walk, recorded

WALKED = 76_876_117
RESERVES = RECORDED.parents[1] / "reserves" / "v2_pairs_months.csv"
STEADY = Recorded({"WETH": (100, 200, 400), "AAA": (1_000, 1_000, 500)})


def test_days_and_between() -> None:
    assert [STEADY.level("WETH", day * DAY_S) for day in range(3)] == [100, 200, 400]
    assert STEADY.level("WETH", DAY_S // 2) == 150
    assert STEADY.level("AAA", DAY_S + DAY_S // 4) == 875


def test_there_and_back() -> None:
    levels = [STEADY.level("WETH", day * DAY_S) for day in range(9)]
    assert levels == [100, 200, 400, 200, 100, 200, 400, 200, 100]


def test_a_test_token_follows_what_it_is_named_after_and_others_the_numeraire() -> None:
    assert STEADY.level("tAAA", 2 * DAY_S) == STEADY.level("AAA", 2 * DAY_S) == 500
    assert STEADY.level("tNEW", DAY_S) == STEADY.level("tWETH", DAY_S) == 200


def test_the_recorded_series_as_it_is_in_the_file() -> None:
    with RECORDED.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert (rows[0]["date"], rows[-1]["date"], len(rows)) == ("2021-01-20", "2021-07-31", 193)
    found = recorded(RECORDED, "2021-04-01")
    first = next(n for n, row in enumerate(rows) if row["date"] == "2021-04-01")
    for symbol in ("WETH", "AAVE", "UNI", "YFI"):
        for days in (0, 30):
            expected = round(float(rows[first + days][symbol]) * LEVEL)
            assert found.level(symbol, days * DAY_S) == expected, (symbol, days)


def test_the_recorded_series_is_that_of_the_pools() -> None:
    """On the days of which the reserves are here too."""
    deepest: dict[tuple[str, str], tuple[float, float]] = {}
    with RESERVES.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            key, found = (row["date"], row["token"]), (float(row["weth_reserve"]), float(row["token_reserve"]))
            deepest[key] = max(deepest.get(key, found), found)
    with RECORDED.open(encoding="utf-8", newline="") as stream:
        series = {row["date"]: row for row in csv.DictReader(stream)}
    held = 0
    for (date, token), (weth, tokens) in deepest.items():
        if date in series and token in series[date]:
            day = series[date]
            assert float(day[token]) / float(day["WETH"]) == pytest.approx(weth / tokens, rel=2e-5), (date, token)
            held += 1
    assert held > 30


@pytest.mark.parametrize(
    ("text", "begins", "said"),
    [
        ("date,WETH\n2021-01-01,1\n2021-01-02,2\n", "2021-01-03", "BALLAST_MARKET_BEGINS: '2021-01-03' is no day"),
        ("date,WETH\n2021-01-01,1\n2021-01-02,2\n", "yesterday", "expected 2021-01-01 to 2021-01-02"),
        ("date,WETH\n2021-01-01,1\n2021-01-03,2\n", "2021-01-01", "a row for each day"),
        ("date,WETH\n2021-01-01,1\n2021-01-02,0\n", "2021-01-01", "price '0', expected one above 0"),
        ("date,WETH\n2021-01-01,1\n2021-01-02,x\n", "2021-01-01", "prices in each row"),
        ("date,AAA\n2021-01-01,1\n2021-01-02,2\n", "2021-01-01", "a column WETH"),
        ("", "2021-01-01", "prices in each row"),
    ],
)
def test_what_is_no_series_is_refused(text: str, begins: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "series.csv"
    path.write_text(text)
    with pytest.raises(SandboxError, match=said):
        recorded(path, begins)
    with pytest.raises(SandboxError, match="cannot be read"):
        recorded(tmp_path / "none.csv", begins)


def test_a_walk_is_the_same_for_the_same_seed_alone() -> None:
    times = range(0, 40 * DAY_S, DAY_S)
    walked = [Walk(7, 500).level("tAAVE", time) for time in times]
    again = Walk(7, 500)
    assert [again.level("tAAVE", time) for time in reversed(times)] == walked[::-1]
    assert [Walk(8, 500).level("tAAVE", time) for time in times] != walked
    assert [Walk(7, 500).level("tUNI", time) for time in times] != walked
    # As it was first: a change would move every sandbox's prices at its next start.
    assert walked[0] == LEVEL
    assert Walk(1, 500).level("tAAVE", 10 * DAY_S + 1) == WALKED


def test_a_walk_moves_as_much_as_it_is_told_and_turns_in_the_end() -> None:
    walk = Walk(3, 500)
    levels = [walk.level(f"t{token}", day * DAY_S) for token in range(4) for day in range(300)]
    moves = [abs(b / a - 1) for a, b in pairwise(levels) if b != LEVEL]
    assert 0.03 < (sum(move * move for move in moves) / len(moves)) ** 0.5 < 0.07
    wild = Walk(3, 5_000)
    levels = [wild.level("tAAVE", day * DAY_S) for day in range(300)]
    assert LEVEL / 2.72 < min(levels) < LEVEL / 2.7
    assert LEVEL * 2.7 < max(levels) < LEVEL * 2.72


def test_a_course_goes_on_from_the_prices_it_began_with() -> None:
    course = Course(since=1_000, at=DAY_S, speed=DAY_S // 10, answers=(7, 3_000))
    assert course.at_time(STEADY, ("tWETH", "tAAA"), 1_000) == (7, 3_000)
    assert course.at_time(STEADY, ("tWETH", "tAAA"), 1_010) == (14, 1_500)
    assert course.at_time(STEADY, ("tWETH", "tAAA"), 900) == (7, 3_000), "not before it began"
    assert Course(0, 0, 1, (1,)).at_time(Recorded({"WETH": (100, 1)}), ("tWETH",), DAY_S) == (1,), "never nothing"
