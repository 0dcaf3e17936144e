"""Years in memory: how gaps are read, and a month that is checked by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ballast.parts import LimitsConfig
from ballast.rule.calendar import QUARTER
from ballast.rule.methodology import Cap, Rule, State
from ballast.units import DAY_S, WAD
from lab.replay import years_report
from lab.replay.year import DEFAULT_DATA
from lab.replay.year_data import YearError
from lab.replay.year_index import state_of
from lab.replay.years import SCENARIOS, Given, run, terms_of
from lab.replay.years_check import compare, part_of
from lab.replay.years_data import Migration, Policy, Years, read_years, span
from lab.replay.years_model import NEVER, Terms, Variant, carry, grown

RULE = Rule(Cap.NONE, 0, 0, 0, 10, False, 100 * DAY_S, 10 * WAD)
SHARES = 1_000 * WAD
NO_FEE = 0


def write(folder: Path, rows: str) -> Path:
    path = folder / "years.csv"
    path.write_text("date,token,price_usd,circulating_supply\n" + rows, encoding="utf-8")
    return path


def rows_of(**months: dict[str, tuple[float, int]]) -> str:
    """Rows by month (m2021_01) and token."""
    return "".join(
        f"{name[1:].replace('_', '-')}-01,{token},{price},{supply}\n"
        for name, tokens in months.items()
        for token, (price, supply) in tokens.items()
    )


def read(path: Path, months: int, policy: Policy, *migrations: Migration) -> Years:
    return read_years(path, "2021-01", months, policy, (), migrations)


# Gaps


def test_a_token_enters_after_a_season_and_what_is_missing_waits_and_goes(tmp_path: Path) -> None:
    """NEW comes in February and may enter with its third row. GONE has two rows, waits a month, and leaves at half."""
    both = {"OLD": (1.0, 100), "GONE": (4.0, 10)}
    new = {"OLD": (1.0, 100), "NEW": (3.0, 10)}
    path = write(tmp_path, rows_of(m2021_01=both, m2021_02={**both, **new}, m2021_03=new, m2021_04=new, m2021_05=new))
    years = read(path, 5, Policy(season=3, patience=1, kept=WAD // 2))
    states = {
        symbol: [state_of(snapshot, symbol).name for snapshot in years.year.snapshots] for symbol in ("NEW", "GONE")
    }
    assert states == {
        "NEW": ["LEAVING", "LEAVING", "LEAVING", "ACTIVE", "ACTIVE"],
        "GONE": ["ACTIVE", "ACTIVE", "FROZEN", "LEAVING", "LEAVING"],
    }
    assert [s.quotes["GONE"].price // WAD for s in years.year.snapshots] == [4, 4, 4, 2, 2]


def test_a_token_that_comes_back_in_time_never_left(tmp_path: Path) -> None:
    rows = {"OLD": (1.0, 100)}
    path = write(tmp_path, rows_of(m2021_01={**rows, "X": (2.0, 5)}, m2021_02=rows, m2021_03={**rows, "X": (9.0, 5)}))
    years = read(path, 3, Policy(season=3, patience=1))
    assert [state_of(s, "X") for s in years.year.snapshots] == [State.ACTIVE, State.FROZEN, State.ACTIVE]
    # What a month does depends on nothing later: without the last row the first two read the same.
    earlier = read(write(tmp_path, rows_of(m2021_01={**rows, "X": (2.0, 5)}, m2021_02=rows)), 2, Policy(patience=1))
    assert earlier.year.snapshots == years.year.snapshots[:2]


def test_a_migration_waits_for_the_new_token(tmp_path: Path) -> None:
    """Whatever the patience, OLD is frozen until NEW has a price; then it is worth a hundredth of it."""
    rest = {"OTHER": (1.0, 1_000)}
    path = write(
        tmp_path,
        rows_of(m2021_01={**rest, "LEND": (0.5, 900)}, m2021_02=rest, m2021_03={**rest, "AAVE": (60.0, 9)}),
    )
    years = read_years(path, "2021-01", 3, Policy(patience=0), ("OTHER", "LEND", "AAVE"))
    assert years.migrations == {"2021-03": (Migration("LEND", "AAVE", 100),)}
    february, march = years.year.snapshots[1:]
    assert (state_of(february, "LEND"), february.quotes["LEND"].price) == (State.FROZEN, WAD // 2)
    assert (state_of(march, "LEND"), march.quotes["LEND"].price) == (State.LEAVING, 6 * WAD // 10)
    assert state_of(march, "AAVE") is State.ACTIVE
    terms = Terms(RULE, LimitsConfig(), {"LEND": 100 * WAD, "OTHER": 50 * WAD}, SHARES, NO_FEE)
    months, _ = carry(years, terms, Variant("never", NEVER))
    # 100 LEND and 50 OTHER; from March on one AAVE of 60 dollars for the hundred.
    assert [round(month.nav / WAD, 9) for month in months] == [100, 100, 110]
    assert months[-1].held.keys() == {"AAVE", "OTHER"}


@pytest.mark.parametrize(
    ("first", "months", "words"),
    [("2020-12", None, "2020-12"), ("2021-13", None, "2021-13"), ("2021-01", 3, "at most 2 from 2021-01")],
)
def test_months_that_are_not_there(tmp_path: Path, first: str, months: int | None, words: str) -> None:
    path = write(tmp_path, rows_of(m2021_01={"X": (1.0, 1)}, m2021_02={"X": (1.0, 1)}, m2021_04={"X": (1.0, 1)}))
    assert span(path, "", None) == ("2021-01", 2)
    with pytest.raises(YearError, match=words):
        span(path, first, months)


# A month by hand


@pytest.fixture
def doubled(tmp_path: Path) -> Years:
    """Two tokens of equal market cap; a share holds 60 and 40 dollars of them."""
    rows = {"ONE": (1.0, 10**9), "TWO": (1.0, 10**9)}
    return read(write(tmp_path, rows_of(m2021_01=rows, m2021_02=rows)), 1, Policy())


def test_a_month_by_hand(doubled: Years) -> None:
    """10 of each share's 100 dollars change hands: 10,000 dollars into pools of 5 million. Each leg pays 0.3 %, and x
    into a pool of depth D loses x / D of itself: together 0.6 % and less than 2 x 10,000 / 5,000,000."""
    terms = Terms(RULE, LimitsConfig(), {"ONE": 60 * WAD, "TWO": 40 * WAD}, SHARES, NO_FEE)
    (month,), closing = carry(doubled, terms, Variant("monthly"))
    assert month.what == "traded"
    assert (month.nav, month.total) == (100 * WAD, 100_000 * WAD)
    assert month.turnover == pytest.approx(10_000 * WAD, rel=3e-4)
    assert 0.006 * 0.995 < month.cost / month.turnover < 0.006 + 2 * 10_000 / 5e6
    assert month.nav - month.nav_after == pytest.approx(month.cost / 1_000, rel=1e-6)
    assert month.held["ONE"] == pytest.approx(WAD // 2, rel=1e-3)
    # The index does it for nothing.
    assert (month.index_after, month.index.units) == (100 * WAD, {"ONE": 50 * WAD, "TWO": 50 * WAD})
    assert closing is not None and closing[0] == month.nav_after


def test_a_band_skips_what_is_within_it(doubled: Years) -> None:
    terms = Terms(RULE, LimitsConfig(), {"ONE": 52 * WAD, "TWO": 48 * WAD}, SHARES, NO_FEE)
    for band, what in ((WAD * 21 // 1000, "skipped"), (WAD * 2 // 100, "traded")):
        (month,), _ = carry(doubled, terms, Variant("banded", band=band))
        assert (month.what, month.turnover > 0) == (what, what == "traded")


def test_a_pool_without_depth_stops_the_month(doubled: Years) -> None:
    """The loss budget bounds what a month may lose: pools of 100 dollars take no 10,000."""
    terms = Terms(RULE, LimitsConfig(), {"ONE": 60 * WAD, "TWO": 40 * WAD}, SHARES, NO_FEE)
    (month,), _ = carry(doubled, terms, Variant("shallow", depth=WAD // 10_000_000))
    assert month.what == "stopped" and month.why
    assert month.unsold > 0
    assert month.cost * 200 <= month.total * 1.01
    found = years_report.totals([month], None)
    assert [row["label"] for row in found["stopped"]] == ["2021-01"]


def test_the_fee_by_hand() -> None:
    year = 31_557_600
    assert grown(99 * WAD, WAD // 100, year) == pytest.approx(100 * WAD, abs=1)
    once = grown(grown(WAD, WAD // 50, year // 3), WAD // 50, year - year // 3)
    assert once == pytest.approx(grown(WAD, WAD // 50, year), abs=2)


# All of it, on the invented year


def test_the_invented_year(tmp_path: Path) -> None:
    first, count = span(DEFAULT_DATA, "", None)
    assert (first, count) == ("2021-01", 13)
    given = Given(DEFAULT_DATA, first, count, (), 100_000)
    monthly, _ = run(given, SCENARIOS[0])
    assert [month.what for month in monthly] == ["traded"] * 13
    (quarterly,) = [run(given, s)[0] for s in SCENARIOS if s.variant.months == QUARTER]
    assert [month.what for month in quarterly[:4]] == ["traded", "between", "between", "traded"]
    (never,) = [run(given, s)[0] for s in SCENARIOS if s.name == "never rebalanced"]
    assert sum(month.cost for month in never) == 0
    figures = years_report.totals(monthly, None)
    assert 0 < figures["cost_pct_in_all"] < 2 and abs(figures["difference_pct"]) < 5
    assert years_report.tracking_error(monthly, None) < years_report.tracking_error(quarterly, None)
    years_report.draw(tmp_path / "years.png", [("monthly", monthly), ("never", never)])
    assert (tmp_path / "years.png").stat().st_size > 10_000


def test_part_of_the_years_reads_as_the_whole() -> None:
    given = Given(DEFAULT_DATA, "2021-01", 13, (), 100_000)
    years = given.years(Policy())
    part = part_of(years, "2021-04", 2)
    assert [s.label for s in part.year.snapshots] == ["2021-04", "2021-05"]
    assert part.year.closing is not None and part.year.closing.label == "2021-06"
    for ours, whole in zip(part.year.snapshots, years.year.snapshots[3:5], strict=True):
        assert ours.quotes.items() <= whole.quotes.items()
    terms = terms_of(part, 100_000, WAD)
    assert set(terms.seed) <= set(part.year.tokens)
    with pytest.raises(YearError, match="2 months from 2022-01"):
        part_of(years, "2022-01", 2)
    assert compare([], []) == []
    assert replace(part, migrations={}) == part
