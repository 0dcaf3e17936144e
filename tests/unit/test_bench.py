"""What the benchmark computes from its measurements, and the basket it measures with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ballast.reference import WAD, Line, market_cap_units
from bench.basket import CAP, basket
from bench.errors import BenchError
from bench.report import Change, Row, changes, load_snapshot, rows_of, save, save_snapshot
from bench.run import SIZES
from bench.trace import add_up, lines_of


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
    lines = [Line(c.supply, c.unit, c.price, 18) for c in components]
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
