"""Deployment of a whole fund on the fork."""

from __future__ import annotations

from pathlib import Path

import ape
from web3 import Web3

from ballast.book import Book
from ballast.deployment.deploy import deploy_fund
from ballast.preflight import DEPLOYMENT_GAS
from lab.localnet.market import Market
from lab.localnet.month_file import Month
from lab.localnet.world import World
from lab.replay.measure import receipts_of
from lab.testbed.funding import deal_seed, month_config


def test_deploys_the_published_month(world: World, month: Month, market: Market, w3: Web3, tmp_path: Path) -> None:
    config = month_config(month, world)
    account = ape.accounts.test_accounts[0]
    market.post_feeds()
    deal_seed(account, config)
    steps: list[str] = []
    path = tmp_path / "book.json"
    book = deploy_fund(ape.project, account, config, book_path=path, progress=steps.append, unsafe=True)
    assert Book.load(tmp_path / "book.json") == book
    assert steps[0].startswith("checking")
    assert steps[1].startswith("warning: roles.proposers: found one plain account alone")
    assert steps[-1].startswith("address book")

    index = ape.project.IndexToken.at(book["index_token"])
    supply = index.totalSupply()
    assert supply == month.total_supply
    for component in config.seeded():
        balance = ape.project.ReferenceToken.at(component.token).balanceOf(index.address)
        assert balance * 10**18 // supply == component.seed_unit
        # nothing is left behind that the index token may still take
        assert ape.project.ReferenceToken.at(component.token).allowance(account.address, index.address) == 0
    assert [candidate.token for candidate in book.candidates] == [component.token for component in config.ordered()]

    upkeep = ape.project.Upkeep.at(book["upkeep"])
    assert upkeep.REBALANCER() == book["rebalancer"]
    needed, data = upkeep.checkUpkeep(b"")
    assert (needed, len(data)) == (True, 96)  # a new fund's first determination

    zap, feed = ape.project.Zap.at(book["zap"]), ape.project.NavFeed.at(book["nav_feed"])
    assert zap.FUND() == feed.FUND() == index.address
    assert feed.latestRoundData().answer > 0

    receipts = receipts_of(w3, account.address, book.deployed_block, w3.eth.block_number)
    assert len(receipts) == 14 + len(config.seeded()) + 1
    assert sum(receipt["gasUsed"] for receipt in receipts) < DEPLOYMENT_GAS
    assert sum(receipt["gasUsed"] for receipt in receipts) > DEPLOYMENT_GAS // 2
