"""A year's data, its seed, the index beside the fund, and what the report makes of it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from ballast.rule.arithmetic import period_start, usd
from ballast.rule.methodology import Cap, Rule, State
from ballast.units import DAY_S, WAD
from lab.localnet.addresses import stand_in
from lab.localnet.month_file import load_month
from lab.localnet.reserves import ReserveRow, pools_of
from lab.replay import year_report
from lab.replay.year import DEFAULT_DATA, SEED_NAV
from lab.replay.year_data import (
    DECIMALS,
    DEPTH,
    WETH_USD,
    Year,
    YearError,
    address_of,
    read_year,
    seed_units,
    weth_depth,
    write_month,
)
from lab.replay.year_index import Index, IndexMonth, state_of, worth
from lab.replay.year_months import MonthResult

RULE = Rule(
    cap=Cap.HARD,
    cap_weight=25 * WAD // 100,
    floor_weight=5 * WAD // 1000,
    entry_weight=2 * WAD // 100,
    top_n=10,
    floor_each=False,
    max_supply_age=100 * 86_400,
    max_supply_jump=10 * WAD,
)
HEADER = "date,token,price_usd,circulating_supply,market_cap_usd\n"


@pytest.fixture(scope="module")
def year() -> Year:
    return read_year(DEFAULT_DATA, "2021-01", 12)


@pytest.fixture(scope="module")
def steps(year: Year) -> list[IndexMonth]:
    index = Index(RULE, year.tokens, seed_units(year.snapshots[0], RULE.top_n, SEED_NAV))
    return [index.step(snapshot, period_start(snapshot.period, 7 * DAY_S)) for snapshot in year.snapshots]


def write(folder: Path, rows: str) -> Path:
    path = folder / "prices.csv"
    path.write_text(HEADER + rows, encoding="utf-8")
    return path


# The data


def test_our_own_year_has_fourteen_tokens_and_a_closing_day(year: Year) -> None:
    assert len(year.tokens) == 14
    assert "ETH" not in year.tokens
    assert [snapshot.label for snapshot in year.snapshots] == [f"2021-{month:02d}" for month in range(1, 13)]
    assert year.closing is not None
    assert year.closing.label == "2022-01"
    assert list(year.tokens.values()) == sorted(year.tokens.values(), key=lambda token: int(token, 16))


def test_prices_are_floored_to_the_feeds_decimals_and_supplies_to_whole_tokens(tmp_path: Path) -> None:
    path = write(tmp_path, "2021-01-01,AAA,1.1234567899,1000.9,1\n2021-01-01,BBB,2e3,8.5e+04,1\n")
    quotes = read_year(path, "2021-01", 1).snapshots[0].quotes
    assert (quotes["AAA"].price, quotes["AAA"].supply) == (1_123_456_780_000_000_000, 1000)
    assert (quotes["BBB"].price, quotes["BBB"].supply) == (2_000 * WAD, 85_000)


def test_a_missing_row_keeps_the_last_figures_and_leaves(tmp_path: Path) -> None:
    rows = "2021-01-01,AAA,1,100,1\n2021-01-01,BBB,5,10,1\n2021-02-01,AAA,2,100,1\n2021-02-01,CCC,7,10,1\n"
    first, second = read_year(write(tmp_path, rows), "2021-01", 2).snapshots
    assert (second.quotes["BBB"].price, second.quotes["BBB"].listed) == (5 * WAD, False)
    assert (first.quotes["CCC"].price, first.quotes["CCC"].listed) == (7 * WAD, False)
    assert [state_of(second, symbol) for symbol in ("AAA", "BBB", "CCC")] == [State.ACTIVE, State.LEAVING, State.ACTIVE]


def test_a_pool_is_as_deep_as_it_was_seen_that_day(tmp_path: Path) -> None:
    """The deepest pair counts, on its day alone; where nothing was seen it is a part of the market cap."""
    rows = "2021-01-01,UNI,5,100\n2021-01-01,AAVE,90,10\n2021-02-01,UNI,5,100\n2021-02-01,AAVE,90,10\n"
    uni = address_of("UNI")
    seen = [ReserveRow(date(2021, 2, 1), venue, uni, wei, None) for venue, wei in (("uniswap", 7), ("sushiswap", 9))]
    first, second = read_year(write(tmp_path, rows), "2021-01", 2, reserves=seen).snapshots
    assert weth_depth(second, "UNI") == 9
    assert weth_depth(first, "UNI") == 500 * WAD * DEPTH // first.weth_price
    assert weth_depth(second, "AAVE") == 900 * WAD * DEPTH // second.weth_price


def test_eth_is_the_price_of_weth_and_without_it_a_stated_one_counts(tmp_path: Path) -> None:
    rows = "2021-01-01,AAA,1,100,1\n2021-01-01,ETH,730.5,1,1\n2021-02-01,AAA,2,100,1\n"
    first, second = read_year(write(tmp_path, rows), "2021-01", 2).snapshots
    assert (first.weth_price, second.weth_price) == (7305 * WAD // 10, WETH_USD)


def test_candidates_are_the_known_defi_tokens_unless_others_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, "2021-01-01,AAVE,90,100,1\n2021-01-01,LINK,10,100,1\n2021-01-01,UNI,5,100,1\n")
    assert set(read_year(path, "2021-01", 1).tokens) == {"AAVE", "UNI"}
    assert set(read_year(path, "2021-01", 1, ("LINK", "UNI")).tokens) == {"LINK", "UNI"}
    with pytest.raises(YearError, match="DOGE not in"):
        read_year(path, "2021-01", 1, ("DOGE",))


def test_addresses_are_mainnets_where_known() -> None:
    assert address_of("UNI") == "0x1f9840a85d5aF5bf1D1762F925BDADdC4201F984"
    assert address_of("ALDER") == stand_in("token.ALDER")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("2021-01-01,AAA,1,100,1\n2021-01-01,AAA,1,100,1\n", "line 3: AAA stands twice"),
        ("2021-13-01,AAA,1,100,1\n", "line 2: date"),
        ("2021-01-01,AAA,free,100,1\n", "line 2: price_usd: 'free'"),
        ("2021-01-01,AAA,0,100,1\n", "line 2: price_usd: '0'"),
        ("2021-01-01,AAA,1,0.5,1\n", "line 2: circulating_supply: '0.5'"),
        ("2021-01-01,AAA,1,NaN,1\n", "line 2: circulating_supply: 'NaN'"),
        ("2020-12-01,AAA,1,100,1\n", "no rows on 2021-01-01"),
    ],
)
def test_unfit_data_is_refused_with_its_line(tmp_path: Path, rows: str, message: str) -> None:
    with pytest.raises(YearError, match=message):
        read_year(write(tmp_path, rows), "2021-01", 1)


def test_a_missing_column_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("date,token,price_usd\n", encoding="utf-8")
    with pytest.raises(YearError, match="'circulating_supply': missing"):
        read_year(path, "2021-01", 1)
    with pytest.raises(YearError, match="cannot be read"):
        read_year(tmp_path / "none.csv", "2021-01", 1)


# The seed and the local mainnet


def test_the_seed_is_the_ten_largest_at_their_market_cap_weights(year: Year) -> None:
    first = year.snapshots[0]
    units = seed_units(first, 10, SEED_NAV)
    assert len(units) == 10
    smallest_in = min(first.quotes[symbol].market_cap for symbol in units)
    assert all(q.market_cap < smallest_in for s, q in first.quotes.items() if s not in units and q.listed)
    # Each unit loses less than a wei, so NAV less than a price for each.
    assert 0 <= SEED_NAV - worth(units, first) < sum(first.quotes[symbol].price for symbol in units) // WAD + 10
    total = sum(first.quotes[symbol].market_cap for symbol in units)
    value = usd(units["ALDER"], first.quotes["ALDER"].price, DECIMALS)
    assert abs(value * total - SEED_NAV * first.quotes["ALDER"].market_cap) <= 25 * total


def test_the_month_file_gives_every_pool_its_depth(year: Year, tmp_path: Path) -> None:
    path = tmp_path / "month.json"
    units = seed_units(year.snapshots[0], 10, SEED_NAV)
    write_month(path, year, units, 1_000 * WAD, 25 * WAD // 100)
    month = load_month(path)
    assert month.period == (2021, 1)
    assert {c.symbol: c.current_unit for c in month.components if c.current_unit} == units
    pools = pools_of(month, ()).pools
    assert len(pools) == 14
    for component, pool in zip(month.components, pools, strict=True):
        wanted = weth_depth(year.snapshots[0], component.symbol)
        assert abs(pool.weth_wei - wanted) * 10**6 < wanted
        cap = component.price_usd * (component.supply or 0)
        assert abs(wanted * month.weth_price_usd // WAD - cap * DEPTH // WAD) <= month.weth_price_usd // WAD + 1


# The index


def test_the_index_shows_every_rule_in_our_own_year(year: Year, steps: list[IndexMonth]) -> None:
    members = [set(step.weights) for step in steps]
    labels = [snapshot.label for snapshot in year.snapshots]
    moves = {
        label: (sorted(after - before), sorted(before - after))
        for label, before, after in zip(labels[1:], members, members[1:], strict=False)
        if before != after
    }
    assert moves == {"2021-04": ([], ["LARCH"]), "2021-09": ([], ["HOLLY"]), "2021-10": (["OAK"], [])}
    assert steps[0].weights["ALDER"] == RULE.cap_weight
    quotes = [snapshot.quotes["CEDAR"].supply for snapshot in year.snapshots]
    assert quotes[4] > quotes[3] * 3 // 2
    assert not year.snapshots[2].quotes["WILLOW"].listed
    assert year.snapshots[3].quotes["WILLOW"].listed


def test_the_index_weighs_to_one_and_keeps_its_level_through_a_rebalance(year: Year, steps: list[IndexMonth]) -> None:
    for snapshot, step in zip(year.snapshots, steps, strict=True):
        # The rule divides by market cap over NAV, a floored number of about 1e8: weights are that exact, no more.
        caps = sum(snapshot.quotes[symbol].market_cap for symbol in step.weights)
        precision = 2 * step.level * WAD // caps
        assert abs(WAD - sum(step.weights.values())) <= precision
        after = worth(step.units, snapshot)
        assert abs(step.level - after) * WAD <= precision * step.level
        assert max(step.weights.values()) <= RULE.cap_weight
        for symbol, weight in step.weights.items():
            held = usd(step.units[symbol], snapshot.quotes[symbol].price, DECIMALS)
            assert abs(held * WAD // after - weight) <= precision


def test_the_index_moves_with_its_prices_between_months(year: Year, steps: list[IndexMonth]) -> None:
    for step, later, snapshot in zip(steps, steps[1:], year.snapshots[1:], strict=False):
        assert later.level == worth(step.units, snapshot)


# The report


def result(year: Year, step: IndexMonth, nav: int, index: int) -> MonthResult:
    return MonthResult(
        label=year.snapshots[0].label,
        what="traded",
        weights=step.weights,
        weights_held=step.weights,
        entries=("OAK",),
        exits=(),
        clamped=(),
        agrees=True,
        batches=3,
        transactions=5,
        foreign=0,
        gas=1_000,
        trading_s=5_400,
        done=True,
        turnover=200_000 * WAD,
        cost=1_000 * WAD,
        residual=WAD // 10_000,
        nav=nav,
        nav_after=nav - WAD // 10,
        shares=10_000 * WAD,
        index=step,
        index_after=index,
    )


def test_the_report_states_what_it_says(year: Year, steps: list[IndexMonth], tmp_path: Path) -> None:
    month = result(year, steps[0], 100 * WAD, 100 * WAD)
    values = year_report.figures(year, "x.csv", [month], (99 * WAD, 110 * WAD), 9_900 * WAD, WAD // 100)
    row = values["months"][0]
    assert row["constituents"] == list(steps[0].weights)
    assert row["weights"]["ALDER"] == 25.0
    assert (row["entries"], row["exits"]) == (["OAK"], [])
    assert (row["turnover_usd"], row["cost_usd"], row["cost_pct_nav"]) == (200_000.0, 1_000.0, 0.1)
    assert (row["nav_usd"], row["tracking_difference_pct"], row["residual_pct_nav"]) == (99.9, -0.1, 0.01)
    assert row["hours"] == 1.5
    totals = values["totals"]
    assert (totals["tracking_difference_pct"], totals["fee_paid_pct"], totals["cost_bps"]) == (-10.0, 1.0, 50.0)
    assert totals["closed_on"] == "2022-01-01"
    assert json.loads(json.dumps(values)) == values
    year_report.draw(tmp_path / "year.png", values)
    assert (tmp_path / "year.png").read_bytes().startswith(b"\x89PNG")


def test_without_a_closing_day_the_last_month_is_the_end(year: Year, steps: list[IndexMonth]) -> None:
    month = result(year, steps[0], 100 * WAD, 100 * WAD)
    totals = year_report.figures(year, "x.csv", [month], None, 10_000 * WAD, 0)["totals"]
    assert (totals["closed_on"], totals["nav_usd"], totals["tracking_difference_pct"]) == (None, 99.9, -0.1)
