"""Deployment of a whole fund on the fork."""

from __future__ import annotations

import os
from pathlib import Path

import ape

from ballast.book import Book
from ballast.deploy import deploy_fund
from localnet.market import Market
from localnet.month import load_month
from localnet.world import World
from replay.funding import deal_seed, month_config


def test_deploys_the_published_month(world: World, market: Market, tmp_path: Path) -> None:
    month = load_month(os.environ["BALLAST_MONTH"])
    config = month_config(month, world)
    account = ape.accounts.test_accounts[0]
    market.post_feeds()
    deal_seed(account, config)
    book = deploy_fund(ape.project, account, config, book_path=tmp_path / "book.json")
    assert Book.load(tmp_path / "book.json") == book
    index = ape.project.IndexToken.at(book["index_token"])
    for component in config.seeded():
        balance = ape.project.ReferenceToken.at(component.token).balanceOf(index.address)
        assert balance * 10**18 // index.accruedSupply() == component.seed_unit
