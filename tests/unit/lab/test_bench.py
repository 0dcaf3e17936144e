"""What the benchmark computes from its measurements, and the basket it measures with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ballast.build import ROOT
from ballast.rule.arithmetic import Cost, PricedComponent, market_cap_units
from ballast.units import WAD
from lab.bench.basket import CAP, basket
from lab.bench.errors import BenchError
from lab.bench.least import Gas, Work, least
from lab.bench.month_bench import leaf, pool_of, slice_of
from lab.bench.months import files, merged
from lab.bench.months_report import markdown
from lab.bench.report import Change, Row, changes, load_snapshot, rows_of, save, save_snapshot
from lab.bench.rounds import Item, Round, next_round, swapped
from lab.bench.run import SIZES
from lab.bench.trace import add_up, lines_of
from lab.localnet.month_file import load_month
from lab.localnet.world import Token, WorldPool
from lab.replay.measure import Component, MonthOutcome


@pytest.mark.parametrize("n", SIZES)
def test_basket_sells_half_and_buys_half_of_the_value(n: int) -> None:
    components = basket(n)
    assert [c.sold for c in components] == [k % 2 == 0 for k in range(n)]
    out = sum((c.unit - c.target) * c.price for c in components if c.sold)
    into = sum((c.target - c.unit) * c.price for c in components if not c.sold)
    # Both sides move the same value, up to what the rule's divisions lose.
    nav = sum(c.unit * c.price for c in components)
    assert abs(out - into) <= nav // 10**12
    assert out > nav // 200


@pytest.mark.parametrize("n", SIZES)
def test_basket_targets_follow_the_rule_with_its_cap_binding(n: int) -> None:
    components = basket(n)
    lines = [PricedComponent(c.supply, c.unit, c.price, 18) for c in components]
    assert [c.target for c in components] == market_cap_units(lines, CAP)
    assert [c.target for c in components] != market_cap_units(lines)


def test_basket_moves_less_than_one_batch_may() -> None:
    for n in SIZES:
        components = basket(n)
        nav = sum(c.unit * c.price for c in components)
        sold = sum((c.unit - c.target) * c.price for c in components if c.sold)
        assert WAD // 500 < sold * WAD // nav < WAD // 50


def test_rows_leave_gaps_where_a_competitor_has_no_such_operation() -> None:
    ours = {10: {"mint": 5, "determine": 7}, 5: {"mint": 4}}
    rows = rows_of(ours, {10: {"mint": 9}}, {5: {"mint": 3}})
    assert rows == [
        Row("mint", 5, 4, None, 3),
        Row("mint", 10, 5, 9, None),
        Row("determine", 10, 7, None, None),
    ]


def test_saving_keeps_the_other_keys_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "out" / "bench.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"planner_ms": 12, "gas": [{"op": "old"}]}))
    save(path, [Row("mint", 10, 5, 9, None)])
    assert json.loads(path.read_text()) == {
        "planner_ms": 12,
        "gas": [{"op": "mint", "n": 10, "ours": 5, "set_v2": 9, "floor": None}],
    }


@pytest.mark.parametrize(("text", "said"), [("{", "not JSON"), ("[1]", "holds a list, expected an object")])
def test_saving_refuses_a_file_that_is_no_object(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bench.json"
    path.write_text(text)
    with pytest.raises(BenchError, match=said):
        save(path, [])
    assert path.read_text() == text


def test_a_snapshot_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "gas.snapshot.json"
    gas = {5: {"mint": 100, "slice": 7}, 10: {"mint": 200}}
    save_snapshot(path, gas)
    assert load_snapshot(path) == gas


@pytest.mark.parametrize("text", ["{", "[]", '{"mint": 5}', '{"mint": {"ten": 5}}', '{"mint": {"10": "much"}}'])
def test_a_broken_snapshot_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gas.snapshot.json"
    path.write_text(text)
    with pytest.raises(BenchError, match=r"gas\.snapshot\.json: not a gas snapshot"):
        load_snapshot(path)


def test_a_missing_snapshot_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"none\.json: no such file; write it with"):
        load_snapshot(tmp_path / "none.json")


def test_changes_name_what_rose_fell_came_and_went() -> None:
    before = {5: {"mint": 100, "redeem": 50, "gone": 1, "same": 3}, 10: {"mint": 1}}
    after = {5: {"mint": 101, "redeem": 49, "new": 8, "same": 3}}
    found = changes(before, after)
    assert found == [
        Change("gone", 5, 1, None),
        Change("mint", 5, 100, 101),
        Change("new", 5, None, 8),
        Change("redeem", 5, 50, 49),
    ]
    assert [change.op for change in found if change.rose] == ["gone", "mint"]


def test_calls_of_one_kind_add_up() -> None:
    inner = {"type": "STATICCALL", "input": "0x70a08231" + "00" * 32, "gasUsed": "0xa"}
    frame = {
        "type": "CALL",
        "input": "0xaabbccdd",
        "gasUsed": "0x64",
        "calls": [inner, inner, {"type": "CREATE", "input": "0x6080", "gasUsed": "0x1e"}],
    }
    tree = add_up(frame, {"0x70a08231": "balanceOf"})
    assert (tree.gas, tree.own) == (100, 50)
    assert [" ".join(line.split()) for line in lines_of(tree)] == [
        "100 50 1 call 0xaabbccdd",
        "30 30 1 create",
        "20 20 2 staticcall balanceOf",
    ]


# Rounds of published slices

WETH = 10**18


def item(index: int, selling: bool, left: int, size: int, **more: int) -> Item:
    """A token at 1 WETH in a pool so deep that a slice moves it by 0.1 %; amounts in whole tokens."""
    fields = {"most": left, "slices": -(-left // size), **more}
    reserve = 1000 * size * WETH
    return Item(index, selling, left * WETH, fields["most"] * WETH, size * WETH, fields["slices"], reserve, reserve)


def carried(items: list[Item]) -> tuple[list[Round], list[Item]]:
    """The published rounds, one more where something is left to sell, and what is left then; pools recover."""
    rounds = max(item.slices for item in items)
    found = []
    for rounds_left in range(rounds, -1, -1):
        if rounds_left == 0 and not any(i.selling and i.left * 10**6 > i.slice for i in items):
            break
        done = next_round(items, rounds, rounds_left)
        found.append(done)
        moved = {**done.sells, **done.buys}
        amounts = {i.index: min(i.left, i.amount(moved.get(i.index, 0))) for i in items}
        items = [replace(i, left=i.left - amounts[i.index], most=i.most - amounts[i.index]) for i in items]
    return found, items


MONTHS_IN_SMALL = {
    "many sells, one buy": [item(0, True, 40, 10), item(1, True, 9, 1), item(2, True, 30, 7), item(3, False, 80, 40)],
    "one sell, many buys": [
        item(0, True, 100, 12),
        item(1, False, 9, 1),
        item(2, False, 61, 30),
        item(3, False, 30, 5),
    ],
    "both sides alike": [item(0, True, 33, 4), item(1, True, 20, 10), item(2, False, 41, 5), item(3, False, 14, 6)],
}


@pytest.mark.parametrize("items", MONTHS_IN_SMALL.values(), ids=MONTHS_IN_SMALL)
def test_rounds_sell_everything_in_at_most_one_more_than_the_longest_has_slices(items: list[Item]) -> None:
    rounds, left = carried(items)
    assert 0 <= len(rounds) - max(item.slices for item in items) <= 1
    for item_left in left:
        if item_left.selling:
            assert item_left.left * 10**6 < item_left.slice


@pytest.mark.parametrize("items", MONTHS_IN_SMALL.values(), ids=MONTHS_IN_SMALL)
def test_each_round_pays_for_itself_and_no_leg_is_above_its_slice(items: list[Item]) -> None:
    sizes = {i.index: i.weth(i.slice) for i in items}
    for done in carried(items)[0]:
        assert sum(done.sells.values()) == pytest.approx(sum(done.buys.values()), rel=1e-12)
        assert done.sells
        assert done.buys
        for index, weth in (*done.sells.items(), *done.buys.items()):
            assert 0 < weth <= sizes[index]


def test_the_side_with_more_slices_is_cut_no_further_than_published() -> None:
    items = MONTHS_IN_SMALL["many sells, one buy"]
    rounds, _ = carried(items)
    for i in items[:3]:
        assert sum(i.index in done.sells for done in rounds) == i.slices


def test_what_settlement_would_not_credit_waits_and_the_rest_goes_on() -> None:
    blocked = item(1, False, 10, 10, most=1)
    done = next_round([item(0, True, 60, 10), blocked, item(2, False, 50, 10)], 6, 5)
    assert set(done.buys) == {2}


def test_the_last_round_fills_the_buys_that_may_take_most() -> None:
    items = [item(0, True, 9, 10), item(1, False, 3, 5, most=4), item(2, False, 1, 9, most=8), item(3, False, 1, 5)]
    done = next_round(items, 4, 1)
    assert set(done.buys) == {1, 2}
    assert done.buys[2] == items[2].weth(8 * WETH)
    # less than the buys may take is not left over
    few = next_round([items[0], items[3]], 4, 1)
    assert few.buys == {3: items[3].weth(WETH)}
    assert sum(few.sells.values()) == pytest.approx(few.buys[3], rel=1e-12)


def test_swaps_follow_the_pool_formula() -> None:
    # 1000 in, of which 997 count: 997 * 2_000_000 / (1_000_000 + 997) = 1992.013... by hand
    assert swapped(1_000_000, 2_000_000, 1000) == 1992
    i = Item(0, True, 0, 0, 1, 1, 1_000_000, 2_000_000)
    assert i.weth(1000) == 1992
    assert i.amount(1992) == 1000
    assert i.weth(i.amount(1991) - 1) < 1991 <= i.weth(i.amount(1991))
    buy = replace(i, selling=False)
    assert buy.amount(1000) == swapped(2_000_000, 1_000_000, 1000)
    assert buy.amount(buy.weth(300)) >= 300 > buy.amount(buy.weth(300) - 1)


# Months


def figures(gas: int = 30, impact: float = 60.0) -> dict[str, float]:
    """An engine's month."""
    return {
        "transactions": 3,
        "gas": gas * 10**6,
        "hours": 1.5,
        "fees_usd": 10.0,
        "impact_usd": impact,
        "gas_usd_at_100_gwei": gas * 2.0,
        "cost_pct_nav": 0.1,
        "residual_pct_nav": 0.1,
        "worst_short_pct": 1.0,
    }


def month(label: str, **more: dict[str, float]) -> dict[str, Any]:
    same = {"ours": figures(10, 50), "set_v2": figures()}
    return {"label": label, "same_slices": same, "fewest": figures(6, 30), "cheapest": figures(15, 10), **more}


def test_months_measured_now_replace_those_of_before_and_leave_the_others() -> None:
    before = [month("a"), month("c")]
    fresh = month("b"), month("c", fewest=figures(7))
    assert [m["label"] for m in merged(before, fresh)] == ["a", "b", "c"]
    assert merged(before, fresh)[2] == fresh[1]
    assert merged(before, fresh)[0] == before[0]


def test_months_are_named_by_their_files() -> None:
    assert [file.stem for file in files(None)] == [
        "dpi-2021-02",
        "dpi-2021-03",
        "dpi-2021-04",
        "dpi-2021-07",
        "mvi-2021-05",
    ]
    assert [file.stem for file in files("mvi-2021-05")] == ["mvi-2021-05"]
    with pytest.raises(BenchError, match=r"--months dpi: no such month, expected one of dpi-2021-02, "):
        files("dpi")


def test_tables_give_parts_of_the_peer() -> None:
    lines = markdown([month("a-2021-01")]).splitlines()
    assert len(lines) == 2 + 4
    # gas 6 of 30, impact 30 of 60, both 42 of 120
    assert lines[4].startswith("| a-2021-01 | fewest | 3 | 6.00 | 1.50 | 10 | 30 | 12 |")
    assert lines[4].endswith("| 0.200 | 0.500 | 0.350 |")
    # gas 15 of 30, impact 10 of 60, both 40 of 120
    assert lines[5].endswith("| 0.500 | 0.167 | 0.333 |")
    assert lines[2].endswith("|  |  |  |")


def test_an_outcome_becomes_the_figures_of_a_leaf() -> None:
    share = 10**18
    component = Component(
        "A", "0x00", 18, 100 * share, before=share, target=2 * share, published=0, after=share * 19 // 10
    )
    outcome = MonthOutcome(
        label="a-2021-01",
        components=(component, Component("WETH", "0x01", 18, 2000 * share, 0, 0, 0, share // 1000)),
        batches=3,
        transactions=5,
        gas=12_000_000,
        started_at=1000,
        ended_at=1000 + 5400,
        cost=Cost(turnover=1000 * share, cost=20 * share, fees=6 * share),
        nav_before=10_000 * share,
        nav_after=9_980 * share,
        tolerances=(),
    )
    assert leaf(outcome, 2000 * share) == {
        "transactions": 5,
        "gas": 12_000_000,
        "hours": 1.5,
        "fees_usd": 6.0,
        "impact_usd": 14.0,
        "gas_usd_at_100_gwei": 2400.0,  # 12 million x 100 gwei = 1.2 ETH
        "cost_pct_nav": 0.2,
        "residual_pct_nav": 6.25,  # 10 USD of A and 2 of WETH, of 192
        "worst_short_pct": 5.0,
    }


def test_slices_are_the_published_ones_in_token_wei() -> None:
    whale = load_month(ROOT / "data" / "months" / "mvi-2021-05.json").component("WHALE")
    assert (whale.decimals, whale.max_trade_size) == (4, 810 * 10**18)
    assert slice_of(whale) == 810 * 10**4


@pytest.mark.parametrize(
    ("exchange", "venues", "taken"),
    [
        ("sushiswap", ("sushiswap", "uniswap"), "sushiswap"),
        ("uniswap", ("sushiswap", "uniswap"), "uniswap"),
        ("balancer", ("sushiswap", "uniswap"), "uniswap"),
        ("uniswap_v3", ("sushiswap", "uniswap"), "uniswap"),
        ("sushiswap", ("uniswap",), "uniswap"),
    ],
)
def test_pools_are_those_of_the_published_venue(exchange: Any, venues: tuple[str, ...], taken: str) -> None:
    published = replace(load_month(ROOT / "data" / "months" / "dpi-2021-04.json").components[0], exchange=exchange)
    pools = tuple(WorldPool(venue, f"pair on {venue}", 30) for venue in venues)
    token = Token(published.symbol, published.address, 18, "feed", False, 1, pools)
    assert pool_of(published, token).venue == taken


def test_the_least_impact_is_what_the_gas_pays_for() -> None:
    works = [Work(1e6, (1e8,)), Work(2e5, (4e6, 1e6))]
    gas = Gas(leg=26e3, hop=50e3, batch=1e5, fixed=1e6, most=1e6 + 2 * 1e5 + 2 * 2 * 76e3)
    # Two batches with both in each over one pool; the second pool and more slices are not paid for.
    assert least(works, 18, gas) == pytest.approx(1e12 / 1e8 / 2 + 4e10 / 4e6 / 2)
    # With all the gas in the world: every pool in every batch.
    rich = replace(gas, most=1e12)
    assert least(works, 18, rich) == pytest.approx(1e12 / 1e8 / 18 + 4e10 / 5e6 / 18)
    assert least(works, 18, replace(gas, most=1e6)) == float("inf")
