"""Month files: the published ones are read to the digit, broken ones are refused with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ballast.units import WAD
from lab.localnet.errors import MonthError
from lab.localnet.month_file import first_business_day, load_month, parse_month

MONTHS = Path(__file__).resolve().parents[3] / "data" / "months"
Edit = Callable[[dict[str, Any]], object]


def raw(label: str = "dpi-2021-04") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((MONTHS / f"{label}.json").read_text(encoding="utf-8"))
    return content


def test_april_to_the_digit() -> None:
    month = load_month(MONTHS / "dpi-2021-04.json")
    assert (month.label, month.period, month.cap, month.cap_weight) == ("dpi-2021-04", (2021, 4), "hard", WAD // 4)
    assert (month.nav_floor, month.total_supply) == ("sum", 318564173063822888353616)
    assert month.weth_price_usd == 1942_510000000000000000
    assert len(month.components) == 14
    yfi = month.components[0]
    assert (yfi.symbol, yfi.decimals, yfi.supply, yfi.weight) == ("YFI", 18, 36096, None)
    assert (yfi.current_unit, yfi.published_target_unit) == (566411985921079, 634658405971623)
    assert (yfi.max_trade_size, yfi.cool_off_s, yfi.exchange) == (13_200000000000000000, 600, "sushiswap")
    assert month.component("SUSHI").address == "0x6B3595068778DD592e39A122f4f5a5cF09C90fE2"


def test_fixed_weights_and_small_decimals() -> None:
    month = load_month(MONTHS / "mvi-2021-05.json")
    assert (month.cap, month.cap_weight, month.nav_floor) == ("fixed", None, "component")
    assert sum(component.weight or 0 for component in month.components) == WAD
    assert all(component.supply is None for component in month.components)
    assert {component.decimals for component in month.components} == {4, 8, 18}


@pytest.mark.parametrize("label", ["dpi-2021-02", "dpi-2021-03", "dpi-2021-04", "dpi-2021-07", "mvi-2021-05"])
def test_published_months_are_read(label: str) -> None:
    month = load_month(MONTHS / f"{label}.json")
    assert f"{month.period[0]}-{month.period[1]:02}" in label
    assert month.source is not None and set(month.source) == {"repo", "commit", "path"}


@pytest.mark.parametrize(
    ("year", "month", "day"), [(2021, 2, 1), (2021, 4, 1), (2021, 5, 3), (2022, 1, 3), (2020, 11, 2), (2100, 8, 2)]
)
def test_first_business_day(year: int, month: int, day: int) -> None:
    assert first_business_day(year, month) == date(year, month, day)


def test_what_is_not_needed_may_be_missing() -> None:
    content = raw()
    for name in ("source", "position_multiplier"):
        del content[name]
    for component in content["components"]:
        del component["published_notional"], component["published_trades"]
    content["remark"] = "unknown fields are no error"
    assert parse_month(content).components[0].published_notional is None


def first(edit: Callable[[dict[str, Any]], object]) -> Edit:
    return lambda content: edit(content["components"][0])


def setting(**values: object) -> Edit:
    return lambda content: content.update(values)


def without(name: str) -> Edit:
    return lambda content: content.pop(name)


BROKEN: list[tuple[Edit, str]] = [
    (without("total_supply"), r"^total_supply: missing$"),
    (without("components"), r"^components: missing$"),
    (setting(components=[]), r"^components: tuple should have at least 1 item"),
    (setting(components=[7]), r"^components\[0\]: found 7, input should be a dictionary"),
    (setting(cap="soft"), r"^cap: found 'soft', expected 'none', 'hard' or 'fixed'$"),
    (setting(cap_weight=None), r"^cap_weight: None with cap 'hard', expected 1 to 1000000000000000000"),
    (setting(cap_weight="1000000000000000001"), r"^cap_weight: 1000000000000000001 with cap 'hard'"),
    (setting(cap="none"), r"^cap_weight: 250000000000000000 with cap 'none', expected null$"),
    (setting(nav_floor="none"), r"^nav_floor: found 'none', expected 'sum' or 'component'$"),
    (setting(label="dpi-april"), r"^label: 'dpi-april' gives no period, expected NAME-YYYY-MM"),
    (setting(label="dpi-2021-13"), r"^label: 'dpi-2021-13' gives no period"),
    (setting(weth_price_usd="0"), r"^weth_price_usd: found '0', expected a whole number > 0 and below 2\^256$"),
    (setting(weth_price_usd=1942.51), r"^weth_price_usd: found 1942.51, expected a whole number as a decimal string$"),
    (setting(total_supply=str(2**256)), r"^total_supply: .*expected a whole number > 0 and below 2\^256$"),
    (first(without("price_usd")), r"^components\[0\] \(YFI\)\.price_usd: missing$"),
    (first(setting(price_usd="-1")), r"^components\[0\] \(YFI\)\.price_usd: found '-1', expected"),
    (first(setting(supply="0")), r"^components\[0\] \(YFI\)\.supply: found '0', expected a whole number > 0"),
    (first(setting(weight="1")), r"^components\[0\] \(YFI\)\.weight: given with cap 'hard', expected supply instead$"),
    (first(setting(decimals=True)), r"^components\[0\] \(YFI\)\.decimals: found True, input should be a valid integer"),
    (first(setting(decimals=31)), r"^components\[0\] \(YFI\)\.decimals: found 31"),
    (
        first(setting(exchange="curve")),
        r"^components\[0\] \(YFI\)\.exchange: found 'curve', expected 'uniswap', 'sushi",
    ),
    (first(setting(max_trade_size="0")), r"^components\[0\] \(YFI\)\.max_trade_size: "),
    (first(setting(address="0x12")), r"^components\[0\] \(YFI\)\.address: found '0x12', expected an address: 0x and"),
    (
        first(setting(address="0x0bc529c00C6401aEF6D220BE8C6Ea1667F6Ad93E")),
        r"\.address: .*expected 0x0bc529c00C6401aEF6D220BE8C6Ea1667F6Ad93e \(the checksum in its capitals is wrong\)$",
    ),
    (first(setting(address="0x" + "0" * 40)), r"expected an address other than zero$"),
    (
        first(setting(address="0xc00e94cb662c3520282e6f5717214004a7f26888")),
        r"^components: duplicate address '0xc00e94Cb",
    ),
    (first(setting(symbol="COMP")), r"^components: duplicate symbol 'COMP', expected each once$"),
]


@pytest.mark.parametrize(("edit", "message"), BROKEN, ids=[message for _, message in BROKEN])
def test_broken_months_are_refused_with_the_reason(edit: Edit, message: str) -> None:
    content = raw()
    edit(content)
    with pytest.raises(MonthError, match=message) as caught:
        parse_month(content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("off", [-(10**14), 2 * 10**13, 10**14])
def test_weights_are_taken_as_they_were_rounded(off: int) -> None:
    content = raw("mvi-2021-05")
    content["components"][0]["weight"] = str(144177 * 10**12 + off)
    assert sum(component.weight or 0 for component in parse_month(content).components) == WAD + off


@pytest.mark.parametrize("off", [-(10**14) - 1, 10**14 + 1])
def test_weights_further_off_are_refused(off: int) -> None:
    content = raw("mvi-2021-05")
    content["components"][0]["weight"] = str(144177 * 10**12 + off)
    with pytest.raises(MonthError, match=rf"^components: weights sum to {WAD + off}, expected {WAD} .*within 0.01 %$"):
        parse_month(content)


def test_july_traded_on_uniswap_v3() -> None:
    month = load_month(MONTHS / "dpi-2021-07.json")
    assert [c.symbol for c in month.components if c.exchange == "uniswap_v3"] == ["UNI"]


def test_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MonthError, match=r"nothing\.json' cannot be read"):
        load_month(tmp_path / "nothing.json")
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    with pytest.raises(MonthError, match=r"broken\.json: not JSON"):
        load_month(broken)
    broken.write_text("[]", encoding="utf-8")
    with pytest.raises(MonthError, match=r"broken\.json: month: found \[\], expected an object"):
        load_month(broken)
