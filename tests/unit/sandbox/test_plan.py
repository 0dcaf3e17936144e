"""A sandbox's file: what is refused, field by field, and the fund that is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ballast.build import ROOT
from ballast.fund_file import read_texts
from ballast.networks.presets import TEST_CHAINS
from ballast.parts import MAX_PRICE
from ballast.units import WAD
from sandbox.errors import SandboxError
from sandbox.plan import Plan, fund_fields, fund_of, imagined, load_plan, parse_plan

FILE = ROOT / "funds" / "sandbox.yaml"
SEPOLIA = 11_155_111


def raw() -> Any:
    return read_texts(FILE, "sandbox")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return load_plan(FILE)


def test_the_fund_that_is_made_of_it(plan: Plan) -> None:
    placed = imagined(plan, SEPOLIA)
    config = fund_of(plan, placed)
    assert (config.chain_id, config.weth, config.uniswap_v2_factory) == (SEPOLIA, placed.tokens[0], placed.factory)
    assert len(config.components) == len(plan.components) >= 10
    for number, (made, planned) in enumerate(zip(config.components, plan.components, strict=True), 1):
        assert (made.token, made.feed.address) == (placed.tokens[number], placed.feeds[number])
        assert [pool.pair for pool in made.pools] == [placed.pairs[number - 1]]
        assert made.given_supply == planned.supply
        assert made.lockers == (None if planned.locked is None else (placed.tokens[number],))
        assert made.feed.lowest is not None and made.feed.highest is not None
        assert made.feed.lowest < planned.price < made.feed.highest <= MAX_PRICE
        # {USD} = {tok wei} * {USD / tok} / {tok wei / tok}: within a wei of the token
        value = made.seed_unit * planned.price // 10**planned.decimals
        share = plan.share_price * planned.held // WAD
        assert share - planned.price // 10**planned.decimals - 1 <= value <= share
    assert sum(c.held for c in plan.components) == WAD
    assert any(c.lockers for c in config.components) and any(c.supply for c in config.components)


def test_it_is_a_fund_on_every_test_network(plan: Plan) -> None:
    for chain_id in TEST_CHAINS:
        assert fund_of(plan, imagined(plan, chain_id)).chain_id == chain_id


def test_claims_are_worth_what_it_says(plan: Plan) -> None:
    for asset in plan.assets:
        value = plan.claim(asset) * asset.price // 10**asset.decimals
        assert plan.faucet.worth - asset.price // 10**asset.decimals - 1 <= value <= plan.faucet.worth


def test_tokens_of_other_decimals() -> None:
    given = raw()
    given["components"][0]["decimals"] = "6"
    plan = parse_plan(given)
    assert plan.claim(plan.components[0]) == 33_333_333
    assert fund_fields(plan, imagined(plan, SEPOLIA))["components"][0]["seed_unit"] == "1033333"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"share_price": "0"}, r"share_price: found '0', expected above 0"),
        ({"depth": "much"}, r"depth: found 'much', expected a price"),
        ({"feed": {"heartbeat": "3 hours", "max_age": "3 hours"}}, r"feed\.max_age: found 10800 s, expected more than"),
        ({"faucet": {"worth": "10", "wait": "1 s"}}, r"faucet\.wait: found '1 s', expected 600 to \d+ seconds"),
        ({"faucet": {"worth": "10"}}, r"faucet\.wait: missing"),
        ({"pools": "1"}, r"pools: unknown field"),
        ({"components": []}, r"components: .* at least 2"),
        ({"depth": "2000000000"}, r"components \(tREN\) supply: found 881,000,000, expected"),
        ({"numeraire": {"symbol": "tETH", "name": "T", "price": "1900", "supply": "5"}}, r"numeraire supply: found 5"),
        ({"numeraire": {"symbol": "tUNI", "name": "T", "price": "1", "supply": "9999999"}}, r"duplicate symbol 'tUNI'"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], line: str) -> None:
    with pytest.raises(SandboxError, match=line):
        parse_plan(raw() | change)


@pytest.mark.parametrize(
    ("field", "value", "line"),
    [
        ("price", "0.000000001", r"components\[0\] \(tUNI\)\.price: found 0\.000000001, expected at most 8 decimals"),
        ("price", "-1", r"components\[0\] \(tUNI\)\.price: found '-1'"),
        ("supply", "0", r"components\[0\] \(tUNI\)\.supply: found '0', expected a whole number from 1"),
        ("held", "30 %", r"components: held sums to 99 %, expected 100 %"),
        ("decimals", "2", r"components\[0\] \(tUNI\)\.decimals: found '2'"),
        ("locked", "-5", r"components\[0\] \(tUNI\)\.locked: found '-5'"),
    ],
)
def test_a_component_that_is_wrong(field: str, value: str, line: str) -> None:
    given = raw()
    given["components"][0][field] = value
    with pytest.raises(SandboxError, match=line):
        parse_plan(given)


def test_the_fund_is_checked_as_any_other() -> None:
    given = raw()
    given["fund"]["limits"]["batch_cap"] = "50 %"
    given["fund"]["timetable"]["period"] = "10 min"
    with pytest.raises(SandboxError, match=r"fund: 2 problems:\n.*limits\.batch_cap(.|\n)*timetable\.period"):
        parse_plan(given)


def test_what_the_sandbox_makes_is_not_given() -> None:
    given = raw()
    given["fund"]["weth"] = "0x" + "11" * 20
    with pytest.raises(SandboxError, match=r"fund\.weth: found one, expected none"):
        parse_plan(given)


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    with pytest.raises(SandboxError, match=r"^sandbox .*plan\.yaml: no such file"):
        load_plan(path)
    path.write_text("- 1\n")
    with pytest.raises(SandboxError, match=r"^sandbox .*plan\.yaml: expected a mapping"):
        load_plan(path)
