"""A fund's file as a file: what is none, how YAML's numbers are read, and the funds that come with the project."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
import yaml
from eth_utils import to_checksum_address

from ballast.build import ROOT
from ballast.deployment.creation import created_address
from ballast.fund_file import FundError, load_fund, parse_fund
from lab.localnet.addresses import FOLDER, listed_pairs, origins, usd_feeds
from lab.localnet.month_file import load_month
from tests.unit.ballast.fund_edits import A, good


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "fund.yaml"
    with pytest.raises(FundError, match=r"fund\.yaml: no such file"):
        load_fund(path)
    path.write_text("name: A\nsymbol: [x\nslug: {")
    with pytest.raises(FundError, match=r"not YAML \(line 3, column 5: expected ',' or '\]', but got ':'\)$"):
        load_fund(path)
    path.write_text("- a\n- b\n")
    with pytest.raises(FundError, match="expected a mapping"):
        load_fund(path)
    path.write_text(yaml.safe_dump(good()) + "name: Again\n")
    with pytest.raises(FundError, match="field 'name' stands twice"):
        load_fund(path)


def test_numbers_in_yaml_are_text_first(tmp_path: Path) -> None:
    """An address without quotes and a fraction that is no binary one come out as they stand."""
    path = tmp_path / "fund.yaml"
    text = yaml.safe_dump(good()).replace("'", "") + "streaming_fee: 0.0095\n"
    assert f"token: {A}" in text
    path.write_text(text)
    config = load_fund(path)
    assert config.streaming_fee == 95 * 10**14
    assert config.ordered()[0].token == A


def test_dpi_is_the_published_fund_at_mainnet_addresses() -> None:
    config = load_fund(ROOT / "funds" / "dpi.yaml")
    month = load_month(ROOT / "data" / "months" / "dpi-2021-04.json")
    feeds, pairs = usd_feeds(), listed_pairs()
    assert config.weth == origins()["WETH9"].address
    assert config.eth_feed.address == feeds["ETH"]
    assert config.methodology.cap_weight == month.cap_weight
    assert len(config.components) == len(month.components) == 14
    stand_ins = set()
    for component in config.components:
        published = month.component(component.symbol)
        assert component.token == published.address
        assert (component.decimals, component.supply) == (published.decimals, published.supply)
        assert component.seed_unit == published.current_unit
        for pool in component.pools:
            assert pool.pair == pairs[pool.venue, component.token]
        assert component.pools
        if component.symbol in feeds:
            assert component.feed.address == feeds[component.symbol]
        else:
            stand_ins.add(component.symbol)
    assert stand_ins == {"REN", "LRC", "MTA", "CREAM", "FARM"}


def test_the_lockers_of_dpi_are_those_with_a_source() -> None:
    """As its comments say: put in place of the supplies, they make a fund."""
    text = (ROOT / "funds" / "dpi.yaml").read_text(encoding="utf-8")
    listed = re.compile(r"    supply: (\d+)\n    # (lockers:.*\n)((?:    #   - .*\n)*)")
    computed = listed.sub(lambda m: f"    known_supply: {m[1]}\n    {m[2]}{m[3].replace('#', ' ')}", text)
    config = parse_fund(yaml.load(computed, Loader=yaml.BaseLoader))
    with (FOLDER / "mainnet_lockers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row["source"] and row["name"] for row in rows)
    found = {(c.symbol, c.token, locker) for c in config.components for locker in c.lockers or ()}
    assert found == {(row["symbol"], row["token"], to_checksum_address(row["locker"])) for row in rows}
    assert len(found) == len(rows)
    assert sum(c.lockers is not None for c in config.components) == 7
    published = load_fund(ROOT / "funds" / "dpi.yaml")
    assert [c.given_supply for c in config.components] == [c.supply for c in published.components]


def test_sepolia_is_a_whole_fund() -> None:
    config = load_fund(ROOT / "funds" / "sepolia.yaml")
    assert config.chain_id == 11_155_111
    assert {component.symbol for component in config.components} == {"WETH", "LINK", "WBTC", "DAI"}


@pytest.mark.parametrize("name", ["WETH9", "UniswapV2Factory", "UniswapV2Router02"])
def test_created_addresses_are_those_of_mainnet(name: str) -> None:
    origin = origins()[name]
    assert created_address(origin.deployer, origin.nonce) == origin.address
