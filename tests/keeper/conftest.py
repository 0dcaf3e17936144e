"""Fixtures: a deployed fund, once per module."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import ape
import pytest
from web3 import Web3

from ballast.deploy import deploy_fund
from localnet.market import Market
from localnet.month import load_month
from localnet.rpc import HttpRpc
from localnet.world import World
from replay.clock import BLOCK_S, Clock
from replay.funding import deal_seed, month_config
from tests.keeper.field import Field


@pytest.fixture(scope="module")
def field(module_isolation: None, world: World, w3: Web3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """The fund of April 2021 at the local mainnet's prices; the node goes on by itself from there."""
    provider = ape.networks.active_provider
    assert provider is not None
    url = str(provider.http_uri)
    rpc = HttpRpc(url)
    clock = Clock(rpc, Market(rpc, world))
    try:
        clock.jump(clock.now() + BLOCK_S)
        config = month_config(load_month(os.environ["BALLAST_MONTH"]), world)
        deployer, keeper = ape.accounts.test_accounts[0], ape.accounts.test_accounts[2]
        deal_seed(deployer, config)
        path: Path = tmp_path_factory.mktemp("book") / "book.json"
        book = deploy_fund(ape.project, deployer, config, book_path=path)
        yield Field(w3, rpc, url, clock, book, path, config, keeper)
    finally:
        rpc.request("anvil_removeBlockTimestampInterval")
        rpc.request("evm_setAutomine", True)
        rpc.close()
