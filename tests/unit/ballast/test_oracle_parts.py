"""Bands, the sequencer and the time of blocks in a fund's file; what a rollup's fund is warned of."""

from __future__ import annotations

from typing import Any

import pytest

from ballast.build import ROOT
from ballast.deployment.creation import feed_rows, sequencer_of
from ballast.fund_file import FundConfig, FundError, load_fund, parse_fund
from ballast.oracles import ROLLUPS, rollup_warnings
from ballast.values import NO_ADDRESS, decimal_text
from lab.localnet.month_file import load_month
from tests.helpers.edits import Edit, set_field
from tests.unit.ballast.fund_edits import anchored, good

UPTIME = "0x" + "5" * 40


def banded(lowest: str | None, highest: str | None) -> Edit:
    """BBB's feed with these sides."""

    def edit(raw: dict[str, Any]) -> None:
        sides = {"lowest": lowest, "highest": highest}
        raw["components"][0]["feed"] |= {name: side for name, side in sides.items() if side is not None}

    return edit


def parsed(*edits: Edit) -> FundConfig:
    raw = good()
    for edit in edits:
        edit(raw)
    return parse_fund(raw)


def test_bands_are_read_exactly() -> None:
    config = parsed(
        banded("0.01", "64000"), set_field("eth_feed", "lowest")("1"), set_field("eth_feed", "highest")("2")
    )
    rows = feed_rows(config)
    assert rows[0] == (NO_ADDRESS, config.eth_feed.address, 5_400, 0, 0, 10**18, 2 * 10**18)
    assert [row[5:] for row in rows[1:]] == [(0, 0), (10**16, 64_000 * 10**18), (0, 0)]
    finest = parsed(banded("0.000000000000000001", "1000000000000")).ordered()[1].feed
    assert finest.band == (1, 10**30)
    assert parsed().eth_feed.band == (0, 0)


BAD: dict[str, tuple[Edit, tuple[str, ...]]] = {
    "no upper side": (banded("1", None), ("components[0] (BBB).feed.highest", "missing", "with lowest")),
    "no lower side": (banded(None, "1"), ("components[0] (BBB).feed.lowest", "missing", "with highest")),
    "inverted": (banded("2", "1"), ("(BBB).feed.lowest", str(2 * 10**18), "below highest", str(10**18))),
    "empty": (banded("1", "1.0"), ("(BBB).feed.lowest", "below highest")),
    "zero": (banded("0", "1"), ("(BBB).feed.lowest", "'0'", "above 0")),
    "negative": (banded("-1", "1"), ("(BBB).feed.lowest", "'-1'", "above 0")),
    "absurd": (banded("1", "1000000000001"), ("(BBB).feed.highest", "'1000000000001'", "at most 1,000,000,000,000")),
    "too fine": (banded("0.0000000000000000001", "1"), ("(BBB).feed.lowest", "at most 18 decimals")),
    "no price": (banded("cheap", "1"), ("(BBB).feed.lowest", "'cheap'", "a price such as")),
    "percent": (banded("5 %", "1"), ("(BBB).feed.lowest", "'5 %'", "a price such as")),
    "sequencer without an address": (set_field("sequencer")({"grace": "1 hour"}), ("sequencer.address", "missing")),
    "no grace": (
        set_field("sequencer")({"address": UPTIME, "grace": "0"}),
        ("sequencer.grace", "'0'", "1 to 86400 seconds"),
    ),
    "long grace": (
        set_field("sequencer")({"address": UPTIME, "grace": "25 hours"}),
        ("sequencer.grace", "'25 hours'", "1 to 86400 seconds"),
    ),
    "no time of blocks": (set_field("block_time")("0"), ("block_time", "'0'", "1 to 60 seconds")),
    "long blocks": (set_field("block_time")("61"), ("block_time", "'61'", "1 to 60 seconds")),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_parts_are_refused_in_one_line(name: str) -> None:
    edit, words = BAD[name]
    with pytest.raises(FundError) as caught:
        parsed(edit)
    line = str(caught.value)
    assert "\n" not in line
    for word in words:
        assert word in line, line


def test_sequencer() -> None:
    assert sequencer_of(parsed()) == (NO_ADDRESS, 0)
    assert sequencer_of(parsed(set_field("sequencer")({"address": UPTIME}))) == (UPTIME, 3_600)
    config = parsed(set_field("sequencer")({"address": UPTIME, "grace": "30 min"}))
    assert sequencer_of(config) == (UPTIME, 1_800)


def test_observations_by_the_time_of_blocks() -> None:
    config = parsed(anchored(), set_field("block_time")("2 s"))
    ((_, anchor),) = config.anchored()
    assert (parsed().block_time, config.block_time) == (12, 2)
    assert anchor.observations(config.block_time) == 1_200 // 2 + 2


CHAINS = {
    *(42161, 10, 8453, 324, 534352, 59144, 1101, 5000, 81457),
    *(421614, 11155420, 84532, 300, 534351, 59141, 2442, 5003, 168587773),
}


@pytest.mark.parametrize("chain_id", sorted(CHAINS))
def test_rollups_without_a_sequencer_are_warned(chain_id: int) -> None:
    here = set_field("chain_id")(str(chain_id))
    (line,) = rollup_warnings(parsed(here))
    for word in ("sequencer", "missing", str(chain_id), ROLLUPS[chain_id]):
        assert word in line, line
    assert rollup_warnings(parsed(here, set_field("sequencer")({"address": UPTIME}))) == ()


def test_anchors_on_a_rollup_with_the_blocks_of_mainnet_are_warned() -> None:
    here = set_field("chain_id")("8453")
    up = set_field("sequencer")({"address": UPTIME})
    slow = set_field("block_time")("12")
    (line,) = rollup_warnings(parsed(here, up, anchored(), slow))
    assert "block_time: 12 s" in line and "Base" in line
    assert rollup_warnings(parsed(here, up, anchored())) == (), "it is what the network is known to have"
    assert len(rollup_warnings(parsed(set_field("chain_id")("324"), up, anchored()))) == 1
    assert rollup_warnings(parsed(here, up, anchored(), set_field("block_time")("2"))) == ()
    assert len(rollup_warnings(parsed(here, anchored(), slow))) == 2


@pytest.mark.parametrize("chain_id", [1, 11155111, 31337])
def test_other_chains_are_not_warned(chain_id: int) -> None:
    assert set(ROLLUPS) == CHAINS
    assert rollup_warnings(parsed(set_field("chain_id")(str(chain_id)), anchored())) == ()


def test_bands_of_the_funds_that_come_along() -> None:
    """Each published price lies inside its band with a factor of ten to spare, and YFI's and COMP's feeds cannot be
    exchanged."""
    config = load_fund(ROOT / "funds" / "dpi.yaml")
    month = load_month(ROOT / "data" / "months" / "dpi-2021-04.json")
    for component in config.components:
        price = month.component(component.symbol).price_usd
        lowest, highest = component.feed.band
        assert 0 < 10 * lowest < price < highest // 10
    bands = {component.symbol: component.feed.band for component in config.components}
    prices = {symbol: month.component(symbol).price_usd for symbol in ("YFI", "COMP")}
    assert not bands["YFI"][0] <= prices["COMP"] <= bands["YFI"][1]
    assert not bands["COMP"][0] <= prices["YFI"] <= bands["COMP"][1]
    assert all(c.feed.lowest and c.feed.highest for c in load_fund(ROOT / "funds" / "sepolia.yaml").components)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1, "0.000000000000000001"), (10**18, "1"), (15 * 10**17, "1.5"), (-(10**18), "-1"), (10**21, "1000")],
)
def test_decimal_text(value: int, text: str) -> None:
    assert decimal_text(value) == text
