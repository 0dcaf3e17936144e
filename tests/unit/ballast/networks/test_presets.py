"""The networks: the list of test networks is the contracts', what is listed is well-formed and sourced, a fund's file
may name one."""

from __future__ import annotations

import json
import re

import pytest
from eth_utils import is_checksum_address

from ballast.build import ROOT
from ballast.fund_file import FundError, parse_fund
from ballast.networks.exchanges import EXCHANGES
from ballast.networks.presets import FILE, NETWORKS, TEST_CHAINS, by_slug, network_of
from tests.unit.ballast.fund_edits import good

RAW = json.loads(FILE.read_text())
PRESETS = {
    *("mainnet", "sepolia", "hoodi", "base", "base-sepolia"),
    *("arbitrum", "arbitrum-sepolia", "optimism", "op-sepolia", "local", "local-geth"),
}


def test_the_contracts_list_the_same_test_networks() -> None:
    source = (ROOT / "contracts" / "libraries" / "TestChains.sol").read_text()
    names = dict(re.findall(r"constant (\w+) = (\d+);", source))
    returned = re.search(r"return ([^;]+);", source)
    assert returned is not None
    asked = re.findall(r"chainId == (\w+)", returned[1])
    assert sorted(int(names[name]) for name in asked) == sorted(TEST_CHAINS)
    assert len(names) == len(asked) == 7


def test_every_network_has_a_name_of_its_own() -> None:
    assert {network.slug for network in NETWORKS.values()} == PRESETS
    assert len(NETWORKS) == len(RAW["networks"]) == len(PRESETS)
    for slug in PRESETS:
        network = by_slug(slug)
        assert network is not None and network_of(network.chain_id) is network


@pytest.mark.parametrize("raw", RAW["networks"], ids=lambda raw: raw["slug"])
def test_addresses_are_checksummed_and_what_is_known_has_a_source(raw: dict[str, object]) -> None:
    flat: list[object] = [raw["weth"], raw["sequencer_feed"], *raw["feeds"].values()]  # type: ignore[attr-defined]
    for name in ("uniswap_v2", "uniswap_v3"):
        flat += raw[name].values() if isinstance(raw[name], dict) else []  # type: ignore[attr-defined]
    for address in flat:
        assert address is None or is_checksum_address(address), address
    source = raw["source"]
    assert isinstance(source, dict)
    free = {"chain_id", "slug", "name", "test", "rollup", "source"}
    for field, value in raw.items():
        if field not in free and value not in (None, False, {}):
            assert field in source, f"{field} has no source"
    for field, keys in source.items():
        for key in re.sub(r"\([^)]*\)", "", keys).split(","):
            assert key.strip() in RAW["sources"], f"{field}: {key}"


def test_mainnet_is_as_its_deployers_made_it() -> None:
    made = json.loads((ROOT / "data" / "addresses" / "mainnet_deployments.json").read_text())
    at = {one["contract"]: one["address"] for one in made}
    mainnet = network_of(1)
    assert mainnet.uniswap_v2 is not None and mainnet.uniswap_v3 is not None
    assert mainnet.weth == at["WETH9"]
    assert (mainnet.uniswap_v2.factory, mainnet.uniswap_v2.router) == (at["UniswapV2Factory"], at["UniswapV2Router02"])
    assert mainnet.uniswap_v3.factory == at["UniswapV3Factory"] == EXCHANGES[1].uniswap_v3
    assert mainnet.uniswap_v2.factory == EXCHANGES[1].uniswap_v2


def test_blocks_of_a_rollup_are_shorter() -> None:
    assert [network_of(number).blocks(5) for number in (1, 8453, 42161, 31337, 777)] == [5, 30, 240, 5, 5]
    assert [network_of(number).date_s for number in (1, 8453, 42161, 31337, 777)] == [12, 2, 1, 12, 12]


def test_only_where_the_cap_holds() -> None:
    assert [network_of(number).transaction_gas for number in (1, 8453, 42161, 777)] == [2**24, 2**24, None, 2**24]


def test_links_to_an_explorer() -> None:
    assert network_of(84532).transaction_url("0xab") == "https://sepolia.basescan.org/tx/0xab"
    assert network_of(1).address_url("0xab") == "https://etherscan.io/address/0xab"
    assert network_of(31337).transaction_url("0xab") is None


def test_a_fund_s_file_may_name_its_network() -> None:
    raw = good()
    del raw["chain_id"], raw["weth"]
    found = parse_fund({**raw, "network": "base-sepolia"})
    assert (found.chain_id, found.block_time) == (84532, 2)
    assert found.weth == "0x4200000000000000000000000000000000000006"
    given = parse_fund({**raw, "network": "base-sepolia", "block_time": "4", "weth": good()["weth"]})
    assert (given.block_time, given.weth) == (4, good()["weth"])
    assert parse_fund({**raw, "chain_id": "42161", "weth": good()["weth"]}).block_time == 1


def test_a_network_that_is_none() -> None:
    raw = good()
    with pytest.raises(FundError, match=r"chain_id: found beside network, expected one of the two"):
        parse_fund({**raw, "network": "sepolia"})
    del raw["chain_id"]
    with pytest.raises(FundError, match=r"network: found 'goerli', expected one of mainnet, sepolia, .* or .*chain_id"):
        parse_fund({**raw, "network": "goerli"})
    del raw["weth"]
    with pytest.raises(FundError, match="weth: missing"):
        parse_fund({**raw, "network": "hoodi"})


def test_the_documents_table_is_the_list() -> None:
    text = (ROOT / "docs" / "operations" / "networks.md").read_text()
    rows = [
        [cell.strip(" `") for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| `")
    ]
    listed = [network for network in NETWORKS.values() if network.block_ms is not None]
    assert [row[0] for row in rows] == [network.slug for network in listed]
    for row, on in zip(rows, listed, strict=True):
        known = [on.uniswap_v2, on.uniswap_v3, on.sequencer_feed]
        said = ["-" if each is None else "yes" for each in known]
        assert row[1:4] == [on.name, str(on.chain_id), "yes" if on.test else "-"]
        assert row[4:7] == [on.rollup or "-", f"{(on.block_ms or 0) / 1000:g} s", on.weth or "-"]
        assert [row[7], row[8], row[10]] == said and row[9] == (str(len(on.feeds)) if on.feeds else "-")
