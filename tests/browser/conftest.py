"""Fixtures: a fund and a browser."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from web3 import Web3

from ballast.fund_file import FundConfig
from lab.localnet.market import Market
from lab.localnet.world import World
from tests.browser.browser import Browser, chromium, executable
from tests.keeper.deployed_fund import Field, deployed

FEE = 95 * 10**14
"""A year, 18 decimals."""


@pytest.fixture(scope="module")
def prices(w3: Web3, world: World) -> Market:
    """The market, whose prices a test may move."""
    return Market(w3, world)


@pytest.fixture(scope="module")
def field(
    module_isolation: None, world: World, w3: Web3, prices: Market, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Field]:
    """The fund of April 2021 at the local mainnet's prices, with a streaming fee."""

    def with_fee(config: FundConfig) -> FundConfig:
        return config.model_copy(update={"streaming_fee": FEE})

    with deployed(world, w3, tmp_path_factory.mktemp("book"), market=prices, change=with_fee) as found:
        yield found


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless Chromium. Without one these tests fail in continuous integration (CI is set), elsewhere they are
    skipped."""
    path = executable()
    if path is None:
        missing = "no Chromium: 'make test-page' installs it as root; else install it, or name one with CHROMIUM="
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with chromium(path, tmp_path_factory.mktemp("browser")) as found:
        yield found
