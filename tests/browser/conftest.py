"""Fixtures: a fund, a browser, the holder page and what is measured of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from web3 import Web3

from ballast.build import ROOT
from ballast.fund_file import FundConfig
from lab.localnet.dollar import open_v3_pool
from lab.localnet.market import Market
from lab.localnet.world import World
from tests.browser.browser import Browser, chromium, executable
from tests.browser.holding import FLOWS, HolderSite, Page, holding
from tests.keeper.deployed_fund import Field, deployed
from tools.page import TEST_ACCOUNT, fund_wallet, give_dollar

FEE = 95 * 10**14
"""A year, 18 decimals."""
CHEAP = "UNI"
"""A component that is cheaper to buy on Uniswap V3 than elsewhere."""


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


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """What is measured of the holder page; goes to out/page.json where all its tests ran."""
    found: dict[str, Any] = {"axe_findings": 0, FLOWS: 0}
    yield found
    modules = {item.path.name for item in request.session.items if item.path.name.startswith("test_holder_")}
    there = {path.name for path in (ROOT / "tests" / "browser").glob("test_holder_*.py")}
    parts = request.config.option.keyword or any("::" in argument for argument in request.config.args)
    if modules == there and not parts:
        target = ROOT / "out" / "page.json"
        target.parent.mkdir(exist_ok=True)
        target.write_text(json.dumps(found, indent=1) + "\n")


@pytest.fixture(scope="module")
def held(
    field: Field,
    world: World,
    browser: Browser,
    measured: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[HolderSite]:
    """The page of the fund; the wallet has all that shares take, ether and dollars. The first component is cheap on
    Uniswap V3, and so is the dollar."""
    account = field.w3.eth.accounts[TEST_ACCOUNT]
    fund_wallet(field.w3, field.book, account)
    dollar = give_dollar(field.w3, field.book, account)
    cheap = world.token(CHEAP)
    deep = 20_000 * 10**18
    price = cheap.price_usd * 99 // 100
    open_v3_pool(field.rpc, world.weth, world.weth_price_usd, cheap.address, price, cheap.decimals, deep)
    with holding(field, tmp_path_factory.mktemp("holder"), account, [dollar]) as found:
        found.measured = measured
        measured["script_bytes"] = (found.folder / "app.js").stat().st_size
        yield found


@pytest.fixture
def page(held: HolderSite, browser: Browser) -> Iterator[Page]:
    """The page with its wallet connected; nothing may complain or ask anybody but its own files and the chain."""
    with held.open(browser) as found:
        found.connect()
        yield found
        assert not found.tab.complaints
        assert all(url.startswith((held.url, held.field.url)) for url in found.tab.requests)
        held.measured[FLOWS] += 1
