"""Deployment of a fund with anchors on the fork, and what is refused before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ape
import pytest
from web3 import Web3

from ballast.abi import call_data
from ballast.book import Book
from ballast.deployment.creation import anchor_rows
from ballast.deployment.deploy import deploy_fund
from ballast.fund_file import FundConfig
from ballast.parts import Anchor
from ballast.preflight import DeployError, preflight
from lab.localnet.market import Market
from lab.localnet.month_file import Month
from lab.localnet.rpc import send
from lab.localnet.world import World
from lab.testbed.funding import deal_seed
from tests.helpers.chain import Chain
from tests.helpers.v3 import AheadOfFeeds, anchor_pools, open_invented, open_pools, stir, with_anchors

WINDOW = 1_800
NOBODY = "0x00000000000000000000000000000000DeaDBeef"


@pytest.fixture(scope="module")
def pools(module_isolation: None, chain: Chain, world: World, month: Month) -> World:
    """The local mainnet with the invented V3 pools, at rest for longer than a window."""
    found = open_invented(chain, world, month)
    chain.move_to(chain.now() + 2 * WINDOW)
    Market(chain.rpc, world).post_feeds()
    return found


@pytest.fixture(scope="module")
def anchored(config: FundConfig, pools: World) -> FundConfig:
    """The month's fund with an anchor for each token that has a pool."""
    return with_anchors(config, pools, window=WINDOW, bound=2 * 10**16)


@pytest.fixture(scope="module")
def account(anchored: FundConfig) -> Any:
    """Who deploys, with the seed."""
    found = ape.accounts.test_accounts[0]
    deal_seed(found, anchored)
    return found


def uni_with(config: FundConfig, **terms: Any) -> FundConfig:
    """The fund with other terms for UNI's anchor."""
    components = tuple(
        c.model_copy(update={"anchor": Anchor.model_validate({**c.anchor.model_dump(), **terms})})
        if c.symbol == "UNI" and c.anchor is not None
        else c
        for c in config.components
    )
    return config.model_copy(update={"components": components})


def test_deploys_with_anchors(anchored: FundConfig, account: Any, tmp_path: Path) -> None:
    book = deploy_fund(ape.project, account, anchored, book_path=tmp_path / "book.json")
    assert Book.load(tmp_path / "book.json") == book
    oracle = ape.project.AnchoredOracle.at(book["oracle"])
    first = ape.project.ChainlinkOracle.at(book["first_oracle"])
    assert (oracle.FIRST(), oracle.owner(), first.owner()) == (first.address, book["timelock"], book["timelock"])
    assert ape.project.Rebalancer.at(book["rebalancer"]).ORACLE() == oracle.address
    assert len(anchor_rows(anchored)) == 8
    for token, pool, window, bound in anchor_rows(anchored):
        found = oracle.anchors(token)
        assert (found.pool, found.window, found.bound) == (pool, window, bound)
        assert abs(oracle.anchorPrice(token) - oracle.price(token)) * 1_000 < oracle.price(token)


def refused(w3: Web3, account: Any, config: FundConfig, *words: str) -> None:
    """Refused with one line that has all these words, and nothing sent."""
    before = account.nonce
    with pytest.raises(DeployError) as caught:
        preflight(w3, account.address, config)
    line = str(caught.value)
    assert "\n" not in line
    for word in words:
        assert word in line, line
    assert account.nonce == before


def test_pools_that_are_no_anchors(w3: Web3, pools: World, anchored: FundConfig, account: Any) -> None:
    listed = anchor_pools(pools)
    uni, snx = pools.token("UNI"), pools.token("SNX")
    refused(w3, account, uni_with(anchored, pool=NOBODY), f"UNI: anchor {NOBODY}", "no pool of Uniswap V3")
    refused(w3, account, uni_with(anchored, pool=uni.pools[0].pair), "UNI: anchor", "no pool of Uniswap V3")
    refused(w3, account, uni_with(anchored, pool=listed[snx.address]), "trades", snx.address, "expected UNI and WETH")
    other = anchored.model_copy(update={"uniswap_v3_factory": NOBODY})
    with pytest.raises(DeployError) as caught:
        preflight(w3, account.address, other)
    head, *lines = str(caught.value).splitlines()
    assert head == "8 problems:" and len(lines) == 8
    assert all(line.endswith(f"not a pool of uniswap_v3_factory {NOBODY}") for line in lines)


def test_a_pool_that_keeps_too_few_observations(
    chain: Chain, w3: Web3, pools: World, anchored: FundConfig, account: Any
) -> None:
    pool = anchor_pools(pools)[pools.token("UNI").address]
    longer = uni_with(anchored, window=3_000)
    words = ("UNI", pool, "keeps 200 observations", "expected at least 252 for a window of 3000 s")
    refused(w3, account, longer, *words, "anyone can call increaseObservationCardinalityNext(252)")
    more = call_data("increaseObservationCardinalityNext(uint16)", 252)
    send(chain.rpc, chain.account("anyone"), pool, more, gas=10_000_000)
    refused(w3, account, longer, *words, "grows to 252")


def test_a_pool_that_is_too_young(
    chain: Chain, w3: Web3, pools: World, month: Month, anchored: FundConfig, account: Any
) -> None:
    uni = pools.token("UNI").address
    found = open_pools(chain, pools, month, [f"{uni},,10000,,,1000,200"])
    stir(chain, found)
    young = uni_with(anchored, pool=anchor_pools(found, 10_000)[uni])
    refused(w3, account, young, "UNI", "its oldest observation is younger than 1800 s")
    chain.move_to(chain.now() + WINDOW)
    preflight(w3, account.address, young)


def test_a_pool_that_disagrees_with_the_feed(
    chain: Chain, w3: Web3, pools: World, anchored: FundConfig, account: Any
) -> None:
    market = AheadOfFeeds(chain.rpc, pools)
    market.move(pools.token("UNI").address, 8)
    market.arbitrage(0)
    chain.move_to(chain.now() + WINDOW)
    refused(w3, account, anchored, "UNI", "says 31.5", "the feed 29.2", "expected at most 5 % apart")
