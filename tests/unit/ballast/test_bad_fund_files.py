"""A fund as data: what is wrong is refused in one line that names it."""

from __future__ import annotations

import pytest

from ballast.fund_file import FundError, parse_fund
from ballast.values import NO_ADDRESS
from tests.helpers.edits import Edit, set_field
from tests.unit.ballast.fund_edits import FEED, WEEK, A, anchored, both, fixed, good, without

BAD: dict[str, tuple[Edit, tuple[str, ...]]] = {
    "missing field": (without("symbol"), ("symbol: missing",)),
    "unknown field": (set_field("colour")("red"), ("colour: unknown field",)),
    "unknown field inside": (set_field("limits")({"slipage": "1 %"}), ("limits.slipage: unknown field",)),
    "missing feed": (without("components", 1, "feed"), ("components[1] (AAA).feed: missing",)),
    "zero address": (
        set_field("components", 0, "token")(NO_ADDRESS),
        ("components[0] (BBB).token", NO_ADDRESS, "other than zero"),
    ),
    "zero role": (set_field("roles", "guardian")(NO_ADDRESS), ("roles.guardian", "other than zero")),
    "zero feed": (
        set_field("components", 0, "feed", "address")(NO_ADDRESS),
        ("components[0] (BBB).feed.address", "zero"),
    ),
    "short address": (set_field("weth")("0xC02a"), ("weth", "'0xC02a'", "40 hexadecimal digits")),
    "wrong checksum": (
        set_field("weth")("0xc02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"),
        ("weth", "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2", "checksum"),
    ),
    "supply 0": (set_field("components", 2, "supply")("0"), ("components[2] (CCC).supply", "'0'", "from 1 to")),
    "supply no number": (set_field("components", 2, "supply")("many"), ("components[2] (CCC).supply", "'many'")),
    "no supply and no unit": (without("components", 2, "supply"), ("(CCC) supply: missing",)),
    "weight in a market-cap fund": (
        set_field("components", 1, "weight")("50 %"),
        ("(AAA) weight", "market_cap", "supply"),
    ),
    "state": (set_field("components", 0, "state")("gone"), ("components[0] (BBB).state", "'gone'", "'leaving'")),
    "frozen with fixed weights": (
        both(fixed("50 %", "30 %", "20 %"), set_field("components", 0, "state")("frozen")),
        ("components (BBB) state: found 'frozen' with fixed_weight", "expected active"),
    ),
    "leaving with fixed weights": (
        both(fixed("50 %", "30 %", "20 %"), set_field("components", 0, "state")("leaving")),
        ("components (BBB) state: found 'leaving' with fixed_weight", "expected active", "sold in the first month"),
    ),
    "lockers beside a supply": (set_field("components", 0, "lockers")([A]), ("(BBB) lockers", "in place of supply")),
    "lockers with fixed weights": (
        both(fixed("50 %", "30 %", "20 %"), set_field("components", 0, "lockers")([A])),
        ("(BBB) lockers", "market_cap"),
    ),
    "a known supply beside a posted one": (
        set_field("components", 0, "known_supply")("5"),
        ("components[0] (BBB).known_supply", "expected with lockers"),
    ),
    "computed supplies that nobody vouched for": (
        both(
            *[without("components", i, "supply") for i in range(3)],
            *[set_field("components", i, "lockers")([A]) for i in range(3)],
        ),
        ("components (BBB) known_supply: no constituent has", "at least one"),
    ),
    "no pass of the cap": (set_field("methodology", "cap_passes")("0"), ("methodology.cap_passes", "from 1 to 10")),
    "passes without a cap": (
        both(
            set_field("methodology", "cap")("none"),
            without("methodology", "cap_weight"),
            set_field("methodology", "cap_passes")("2"),
        ),
        ("methodology.cap_passes", "found 2", "cap hard or flexible"),
    ),
    "entry below the floor": (
        both(set_field("methodology", "floor_weight")("2 %"), set_field("methodology", "entry_weight")("1 %")),
        ("methodology.entry_weight", "at least floor_weight"),
    ),
    "top none": (set_field("methodology", "top_n")("0"), ("methodology.top_n", "'0'", "from 1 to 50")),
    "supply jump": (
        set_field("methodology", "max_supply_jump")("0"),
        ("methodology.max_supply_jump", "'0'", "above 0"),
    ),
    "supply age": (set_field("methodology", "max_supply_age")("0"), ("methodology.max_supply_age", "'0'")),
    "nav floor": (set_field("methodology", "nav_floor")("each"), ("methodology.nav_floor", "'each'", "'component'")),
    "duplicate token": (set_field("components", 0, "token")(A), ("duplicate token", A, "BBB and AAA")),
    "duplicate symbol": (set_field("components", 0, "symbol")("AAA"), ("duplicate symbol", "'AAA'")),
    "no components": (set_field("components")([]), ("components", "at least 1 item")),
    "decimals": (set_field("components", 0, "decimals")("28"), ("components[0] (BBB).decimals", "'28'", "0 to 27")),
    "venue": (set_field("components", 1, "pools", 0, "venue")("curve"), ("pools[0].venue", "'curve'", "'uniswap'")),
    "feed age": (set_field("eth_feed", "max_age")("9 days"), ("eth_feed.max_age", "'9 days'", "691200")),
    "ETH feed in ETH": (set_field("eth_feed", "quoted_in_eth")("true"), ("eth_feed.quoted_in_eth", "ETH/USD")),
    "no flag": (set_field("eth_feed", "quoted_in_eth")("yes"), ("eth_feed.quoted_in_eth", "'yes'", "true or false")),
    "nothing seeded": (
        both(set_field("components", 0, "seed_unit")("0"), set_field("components", 1, "seed_unit")("0")),
        ("every seed_unit is 0",),
    ),
    "seed too small": (set_field("seed_shares")("0.9"), ("seed_shares", "'0.9'", "at least 1 share")),
    "seed above the cap": (set_field("supply_cap")("1"), ("supply_cap", "1", "at least seed_shares")),
    "fee": (set_field("streaming_fee")("6 %"), ("streaming_fee", "'6 %'", "0 to 5 %")),
    "methodology": (set_field("methodology", "kind")("equal"), ("methodology.kind", "'equal'", "'fixed_weight'")),
    "cap without weight": (without("methodology", "cap_weight"), ("methodology.cap_weight", "hard")),
    "cap nobody can fill": (set_field("methodology", "cap_weight")("30 %"), ("cap_weight", "3 constituents")),
    "weights do not sum": (fixed("50 %", "30 %", "19 %"), ("weights sum to 990000000000000000", str(10**18))),
    "cap with fixed weights": (
        both(
            fixed("50 %", "30 %", "20 %"),
            set_field("methodology", "cap")("hard"),
            set_field("methodology", "cap_weight")("40 %"),
        ),
        ("methodology.cap", "'hard'", "none"),
    ),
    "tolerance": (set_field("limits")({"last_tolerance": "11 %"}), ("limits.last_tolerance", "'11 %'", "0 to 10 %")),
    "tolerances crossed": (
        set_field("limits")({"first_tolerance": "3 %", "last_tolerance": "2 %"}),
        ("limits.first_tolerance", "at most last_tolerance"),
    ),
    "batch cap": (set_field("limits")({"batch_cap": "0"}), ("limits.batch_cap", "'0'", "at most 10 %")),
    "idle": (set_field("limits")({"cool_off": "1 hour"}), ("limits.max_idle", "at least cool_off 3600 s")),
    "dust": (set_field("limits")({"dust": "1 %"}), ("limits.dust", "'1 %'", "0.1 %")),
    "notice": (set_field("timetable")({"notice": "15 days"}), ("timetable.notice", "1296000 s", "1 to 14 days")),
    "old notice": (
        set_field("timetable")({"notice_days": "9"}),
        ("timetable.notice_days", "'9'", "in its place notice: 9 days"),
    ),
    "notice too long": (
        set_field("timetable")({"notice": "1 day", "min_notice": "2 days"}),
        ("timetable.min_notice", "172800", "at most notice, 86400 s"),
    ),
    "period": (set_field("timetable")({"period": "2 months"}), ("timetable.period", "'2 months'", '"3 months"')),
    "period too long": (set_field("timetable")({"period": "93 days"}), ("timetable.period", "'93 days'", "92 days")),
    "period too short": (set_field("timetable")({"period": "3599 s"}), ("timetable.period", "'3599 s'", "1 hour")),
    "no month in a number": (set_field("timetable")({"period": "1"}), ("timetable.period", "'1'", '"1 month"')),
    "day of a week": (
        set_field("timetable")(WEEK | {"day": "last_day"}),
        ("timetable.day", "last_day", "use notice"),
    ),
    "notice of a week": (
        set_field("timetable")(WEEK | {"min_notice": "59 min"}),
        ("timetable.min_notice", "3540 s", "at least 3600 s"),
    ),
    "notice of a month": (
        set_field("timetable")({"min_notice": "23 hours"}),
        ("timetable.min_notice", "82800 s", "at least a day"),
    ),
    "all of a week": (
        set_field("timetable")(WEEK | {"min_trading": "4 days"}),
        ("timetable.min_trading", "345600 s", "together shorter than a period"),
    ),
    "budget of a week": (
        set_field("timetable")(WEEK),
        ("limits.loss_budget", str(5 * 10**15), str(2 * 10**16 * 7 // 30)),
    ),
    "hours on mainnet": (
        set_field("timetable")({"period": "2 hours", "notice": "30 min", "min_notice": "12 min", "min_trading": "0"}),
        ("timetable.period", "7200 s", "at least a day"),
    ),
    "begins": (set_field("timetable")({"begins": "soon"}), ("timetable.begins", "'soon'", "Unix seconds")),
    "fixed day": (
        set_field("timetable")({"day": "fixed_day", "fixed_day": "21"}),
        ("timetable.fixed_day", "21", "1 to 20"),
    ),
    "day": (set_field("timetable")({"day": "someday"}), ("timetable.day", "'someday'", "'last_day'")),
    "trading too long": (
        set_field("timetable")({"min_trading": "19 days"}),
        ("timetable.min_trading", str(18 * 86_400)),
    ),
    "no proposers": (set_field("roles", "proposers")([]), ("roles.proposers", "at least 1 item")),
    "poster": (set_field("roles", "poster")("somebody"), ("roles.poster", "'somebody'", "expected an address")),
    "slug": (set_field("slug")("My Fund"), ("slug", "'My Fund'", "lower-case")),
    "chain id": (set_field("chain_id")("mainnet"), ("chain_id", "'mainnet'", "whole number")),
    "anchor without a factory": (both(anchored(), without("uniswap_v3_factory")), ("uniswap_v3_factory: expected",)),
    "factory without an anchor": (
        set_field("uniswap_v3_factory")(FEED),
        ("uniswap_v3_factory: expected", "only there"),
    ),
    "anchor without a pool": (both(anchored(), without("components", 0, "anchor", "pool")), ("anchor.pool: missing",)),
    "short window": (anchored(window="599 s"), ("(BBB).anchor.window", "'599 s'", "600 to 86400 seconds")),
    "long window": (anchored(window="2 days"), ("(BBB).anchor.window", "'2 days'", "600 to 86400 seconds")),
    "no bound": (anchored(bound="0 %"), ("(BBB).anchor.bound", "'0 %'", "above 0 and at most 5 %")),
    "wide bound": (anchored(bound="5.1 %"), ("(BBB).anchor.bound", "'5.1 %'", "above 0 and at most 5 %")),
    "bound beyond the tolerance": (
        both(anchored(), set_field("limits")({"last_tolerance": "2 %"})),
        ("(BBB) anchor.bound", "found 15000000000000000", "at most 10000000000000000", "half of last_tolerance"),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_funds_are_refused_in_one_line(name: str) -> None:
    edit, words = BAD[name]
    raw = good()
    edit(raw)
    with pytest.raises(FundError) as caught:
        parse_fund(raw)
    line = str(caught.value)
    assert "\n" not in line
    for word in words:
        assert word in line, line


def test_equal_weights_hold_nothing_frozen() -> None:
    """It would be sold: what is not active has no weight."""
    raw = good()
    raw["methodology"] = {"kind": "equal_weight"}
    for component in raw["components"]:
        component.pop("supply", None)
    raw["components"][1]["state"] = "frozen"
    with pytest.raises(
        FundError, match=r"^components \(AAA\) state: found 'frozen' with equal_weight, expected active or"
    ):
        parse_fund(raw)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    raw = good()
    raw["chain_id"] = "none"
    del raw["components"][0]["feed"]
    raw["components"][1]["seed_unit"] = "-1"
    with pytest.raises(FundError) as caught:
        parse_fund(raw)
    head, *lines = str(caught.value).splitlines()
    assert head == "3 problems:"
    assert [line.split(":")[0] for line in lines] == [
        "chain_id",
        "components[0] (BBB).feed",
        "components[1] (AAA).seed_unit",
    ]
    # What several fields say together is looked at once each of them is sound.
    raw = good()
    fixed("50 %", "30 %", "19 %")(raw)
    raw["components"][0]["state"] = raw["components"][1]["state"] = "frozen"
    raw["supply_cap"] = "1"
    with pytest.raises(FundError) as caught:
        parse_fund(raw)
    head, *lines = str(caught.value).splitlines()
    assert head == "4 problems:"
    found = [line.split(":")[0] for line in lines]
    assert found == ["components", "components (BBB) state", "components (AAA) state", "supply_cap"]
