"""A fund as data: what is right is read exactly (what is wrong: test_bad_fund_files.py)."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from ballast.build import ROOT
from ballast.deployment.creation import anchor_rows, feed_rows, order
from ballast.fund_file import FundError, load_fund, parse_fund
from ballast.networks.exchanges import v3_pool_address
from ballast.parts import STATES
from ballast.values import NO_ADDRESS
from tests.helpers.edits import set_field
from tests.unit.ballast.fund_edits import WEEK, A, B, C, anchored, fixed, good, without


def test_values_are_read_exactly() -> None:
    config = parse_fund(good())
    assert config.eth_feed.max_age == 5_400
    assert config.methodology.cap_weight == 5 * 10**17
    assert config.seed_shares == 15 * 10**17
    assert config.streaming_fee == 95 * 10**14
    assert [component.symbol for component in config.ordered()] == ["AAA", "BBB", "CCC"]
    assert [component.symbol for component in config.seeded()] == ["AAA", "BBB"]
    # 3 x 1.5 = 4.5 and 7 x 1.5 = 10.5, rounded up
    assert config.seed_amounts() == (5, 11)
    assert [component.basis for component in config.constituents()] == [1_000, 20, 5]
    assert [component.state for component in config.components] == ["active"] * 3
    assert config.methodology.as_tuple() == (1, 5 * 10**17, 0, 0, 50, False, 100 * 86_400, 25 * 10**16, 1)
    assert config.ordered()[0].book_pools()[0].pair == C
    assert feed_rows(config)[0] == (NO_ADDRESS, config.eth_feed.address, 5_400, 0, 0, 0, 0)
    assert [row[0] for row in feed_rows(config)[1:]] == [A, B, C]
    assert config.limits.as_tuple() == (
        -15 * 10**15,
        4 * 10**16,
        2 * 10**16,
        5 * 10**15,
        10**17,
        2 * 10**13,
        600,
        1_800,
    )
    assert config.limits.band == 0
    assert config.timetable.as_tuple() == (1, 0, 0, 7 * 86_400, 259_200, 172_800, 0, 0)


def test_anchors() -> None:
    raw = good()
    assert (parse_fund(raw).anchored(), parse_fund(raw).uniswap_v3_factory) == ((), None)
    assert "first_oracle" not in order(parse_fund(raw))
    anchored()(raw)
    raw["components"][1]["anchor"] = {"pool": B}
    raw["limits"] = {"last_tolerance": "4 %"}
    config = parse_fund(raw)
    assert anchor_rows(config) == [(A, B, 1_800, 2 * 10**16), (B, C, 1_200, 15 * 10**15)]
    assert [anchor.observations(config.block_time) for _, anchor in config.anchored()] == [152, 102]
    assert order(config)[5:7] == ("first_oracle", "oracle")


def test_the_anchor_that_dpi_yaml_describes() -> None:
    text = (ROOT / "funds" / "dpi.yaml").read_text()
    for name in ("anchor", "uniswap_v3_factory"):
        assert text.count(f"# {name}: ") == 1
        text = text.replace(f"# {name}: ", f"{name}: ")
    ((component, anchor),) = parse_fund(yaml.load(text, Loader=yaml.BaseLoader)).anchored()
    factory = parse_fund(yaml.load(text, Loader=yaml.BaseLoader)).uniswap_v3_factory
    weth = load_fund(ROOT / "funds" / "dpi.yaml").weth
    assert (component.symbol, anchor.window, anchor.bound) == ("UNI", 1_800, 2 * 10**16)
    assert anchor.pool == v3_pool_address(factory or "", component.token, weth, 3000)


def test_right_weights_are_taken() -> None:
    raw = good()
    fixed("50 %", "30 %", "20 %")(raw)
    assert sum(component.basis for component in parse_fund(raw).components) == 10**18


def test_equal_weights_share_every_wei() -> None:
    raw = good()
    raw["methodology"] = {"kind": "equal_weight"}
    for component in raw["components"]:
        component.pop("supply", None)
    config = parse_fund(raw)
    third = 10**18 // 3
    assert config.weights() == (third + 1, third, third)
    raw["components"][2]["state"] = "leaving"
    assert parse_fund(raw).weights() == (5 * 10**17, 5 * 10**17)
    raw["components"][0]["weight"] = "50 %"
    with pytest.raises(FundError, match=r"\(BBB\).*expected none of them"):
        parse_fund(raw)


def test_the_whole_rule_is_read() -> None:
    raw = good()
    raw["methodology"] |= {
        "cap": "flexible",
        "floor_weight": "0.5 %",
        "entry_weight": "2 %",
        "top_n": "10",
        "nav_floor": "component",
        "max_supply_age": "45 days",
        "max_supply_jump": "10 %",
        "cap_passes": "3",
    }
    config = parse_fund(raw)
    assert config.methodology.as_tuple() == (
        2,
        5 * 10**17,
        5 * 10**15,
        2 * 10**16,
        10,
        True,
        45 * 86_400,
        10**17,
        3,
    )


def test_a_poster_needs_something_to_post() -> None:
    raw = good()
    assert parse_fund(raw).roles.poster is None
    set_field("roles", "poster")("deployer")(raw)
    assert parse_fund(raw).roles.poster == "deployer"
    for component in (computed := copy.deepcopy(raw))["components"]:
        if component.pop("supply", None):
            component |= {"lockers": [C], "known_supply": "7"}
    with pytest.raises(FundError, match=r"roles\.poster: found one, expected none"):
        parse_fund(computed)
    fixed("50 %", "30 %", "20 %")(raw)
    with pytest.raises(FundError, match=r"roles\.poster: found one, expected none, as no"):
        parse_fund(raw)


def test_states_and_lockers() -> None:
    """A component whose supply is computed has no basis of its own, and is weighed all the same."""
    raw = good()
    without("components", 1, "supply")(raw)
    raw["components"][1] |= {"lockers": [B, C], "known_supply": "7"}
    raw["components"][0]["state"] = "leaving"
    config = parse_fund(raw)
    first, second, _ = config.constituents()
    assert (first.symbol, first.basis, first.lockers, first.given_supply) == ("AAA", 0, (B, C), 7)
    assert second.given_supply == second.supply == 20
    assert (second.state, STATES.index(second.state)) == ("leaving", 2)
    assert order(config)[6:8] == ("posted_supply", "locked_supply")
    fixed("50 %", "30 %", "20 %")(rest := good())
    assert not {"posted_supply", "locked_supply"} & set(order(parse_fund(rest)))
    # Whatever the fund: the upkeep needs the rebalancer to stand, and no address before it may move.
    assert order(config)[-4:] == order(parse_fund(rest))[-4:] == ("rebalancer", "upkeep", "zap", "nav_feed")


def test_a_component_without_a_basis_is_held_and_leaves() -> None:
    raw = good()
    without("components", 1, "supply")(raw)
    config = parse_fund(raw)
    assert [component.symbol for component in config.constituents()] == ["BBB", "CCC"]
    assert [component.symbol for component in config.seeded()] == ["AAA", "BBB"]


def test_periods_of_other_lengths() -> None:
    quarter = parse_fund(changed(period="3 months", begins="2021-01-01"))
    assert quarter.timetable.as_tuple() == (3, 0, 0, 7 * 86_400, 259_200, 172_800, 1_609_459_200, 0)
    week = parse_fund(changed(**WEEK, begins="2021-01-04 12:00", band="1 %"))
    assert week.timetable.as_tuple() == (7 * 86_400, 0, 0, 172_800, 86_400, 86_400, 1_609_761_600, 0)
    assert week.limits.band == 10**16
    hours = {"period": "2 hours", "notice": "30 min", "min_notice": "12 min", "min_trading": "10 min"}
    short = parse_fund(changed(chain_id="11155111", **hours))
    assert (short.timetable.period, short.limits.max_step) == (7_200, 10**17), "on test chains with a month's limits"


def changed(chain_id: str = "1", band: str = "0", **timetable: str) -> dict[str, Any]:
    """The fund with another timetable, and limits of a week."""
    raw = good()
    scaled = {} if chain_id != "1" else {"loss_budget": "0.4 %", "max_step": "10 %"}
    return raw | {"chain_id": chain_id, "timetable": timetable, "limits": {"band": band, **scaled}}
