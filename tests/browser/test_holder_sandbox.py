"""The holder page on a sandbox, whose stand-in for WETH wraps no ether: it offers what works, and that works."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import ape
import pytest
from web3 import HTTPProvider, Web3

from ballast.abi import encode_call
from ballast.book import Book
from ballast.units import WAD
from lab.localnet.anvil import anvil
from lab.localnet.rpc import HttpRpc
from sandbox.book import SandboxBook
from sandbox.plan import load_plan
from sandbox.up import Files, sandbox_up
from tests.browser.browser import Browser
from tests.browser.holding import HolderSite, Page, holding
from tests.scripts.test_sandbox import FILE, FIRST, SEPOLIA
from tools.page import TEST_ACCOUNT

WAYS = "[...document.querySelectorAll('input[name={}-way]')].map((input) => input.parentElement.textContent)"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HolderSite, SandboxBook]]:
    """The page of a sandbox; the wallet has claimed its tokens."""
    files = Files(tmp_path_factory.mktemp("box") / "sandbox.json")
    with anvil(chain_id=SEPOLIA, timestamp=FIRST) as url:
        with ape.networks.parse_network_choice(url):
            account = ape.accounts.test_accounts[3]
            plan, quiet = load_plan(FILE), lambda _text: None
            book = sandbox_up(ape.project, account, plan, files, progress=quiet, warn=quiet, consent=lambda _bill: None)
        w3, rpc = Web3(HTTPProvider(url)), HttpRpc(url)
        holder = w3.eth.accounts[TEST_ACCOUNT]
        data = encode_call("claimAll(address)", holder)
        sent = w3.eth.send_transaction({"from": holder, "to": Web3.to_checksum_address(book.market), "data": data})
        assert w3.eth.wait_for_transaction_receipt(sent)["status"] == 1
        field: Any = SimpleNamespace(w3=w3, rpc=rpc, url=url, book=Book.load(files.fund_book))
        with holding(field, tmp_path_factory.mktemp("page"), holder) as found:
            yield found, book
        rpc.close()


@pytest.fixture
def page(box: tuple[HolderSite, SandboxBook], browser: Browser) -> Iterator[Page]:
    with box[0].open(browser) as found:
        found.connect()
        yield found
        assert not found.tab.complaints


def test_no_ether_is_offered_and_the_token_in_its_place_works(box: tuple[HolderSite, SandboxBook], page: Page) -> None:
    site, book = box
    name, token = book.numeraire.symbol, book.numeraire.token
    for side, all_of_them in (("mint", "All components"), ("redeem", "All components, as they are")):
        page.go(side)
        assert page.tab.run(WAYS.format(side)) == [all_of_them, name]

    before = site.token(token).functions.balanceOf(site.account).call()
    page.zap("mint", token, "2")
    page.says("#zap-mint-list", f" {name}")
    page.says("#zap-mint-status", "Your wallet will ask twice")
    page.click("#zap-mint-button")
    page.says("#zap-mint-status", "now hold 2")
    assert site.shares() == 2 * WAD
    paid = before - site.token(token).functions.balanceOf(site.account).call()
    page.zap("redeem", token, "2")
    page.says("#zap-redeem-status", "Your wallet will ask twice")
    page.click("#zap-redeem-button")
    page.says("#zap-redeem-status", "still hold 0")
    left = before - site.token(token).functions.balanceOf(site.account).call()
    assert 0 < left < paid // 50, "what pools and fund keep of both ways"
