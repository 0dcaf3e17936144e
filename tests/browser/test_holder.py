"""The holder page on a chain: every flow begins with clicks and ends with what the chain says."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from eth_utils import to_checksum_address
from web3.types import Wei

from ballast.abi import encode_call
from ballast.units import DAY_S, WAD
from lab.localnet.anvil import ROOT, Cheats
from lab.localnet.market import Market
from lab.localnet.world import World
from tests.browser.browser import Browser
from tests.browser.holding import HolderSite, Page, dollar, holding
from tests.browser.test_page import figures, when
from tests.keeper.deployed_fund import Field
from tools.page import TEST_ACCOUNT, fund_wallet

FLOWS = "browser_flows"
MOST_SCRIPT = 300_000


@pytest.fixture(scope="module")
def held(
    field: Field, world: World, prices: Market, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HolderSite]:
    """The page of a fund in the middle of a month with a batch done; the wallet has all that shares take."""
    folder = tmp_path_factory.mktemp("holder")
    with field.keeper(folder) as keeper:
        keeper.to_trading()
        keeper.until(lambda: bool(field.events("Traded")))
    account = field.w3.eth.accounts[TEST_ACCOUNT]
    fund_wallet(field.w3, field.book, account)
    with holding(field, folder, account, [dollar(field, world, account)]) as found:
        found.measured = {"script_bytes": (found.folder / "app.js").stat().st_size, "axe_findings": 0, FLOWS: 0}
        yield found
    target = ROOT / "out" / "page.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(found.measured, indent=1) + "\n")


@pytest.fixture
def page(held: HolderSite, browser: Browser) -> Iterator[Page]:
    """The page with its wallet connected; nothing may complain or ask anybody but its own files and the chain."""
    with held.open(browser) as found:
        found.connect()
        yield found
        assert not found.tab.complaints
        assert all(url.startswith((held.url, held.field.url)) for url in found.tab.requests)
        held.measured[FLOWS] += 1


def test_what_is_shown_is_what_the_chain_says(held: HolderSite, browser: Browser) -> None:
    with held.open(browser) as page:
        state = held.field.state()
        held.measured["first_figures_ms"] = round(
            page.tab.run("performance.getEntriesByName('first-figures')[0].startTime")
        )
        assert figures(page.tab.text("#nav")) == pytest.approx([state.nav / state.supply], abs=0.0051)
        shown = page.rows("#part-holdings")
        assert len(shown) == len(state.holdings)
        by_symbol = {held.field.book.symbol(h.token): h for h in state.holdings}
        for row in shown:
            h = by_symbol[row[0]]
            value = h.value(h.balance)
            target = h.value(h.unit * state.shares // WAD if h.unit or h.side else h.balance)
            assert figures(row[2]) == pytest.approx([100 * value / state.nav], abs=0.0051)
            assert figures(row[3]) == pytest.approx([100 * target / state.nav], abs=0.0051)
        assert "April 2021 is being traded" in page.tab.text("#standing")
        page.tab.until("document.querySelector('#part-months tbody') !== null")
        (event,) = held.field.events("Traded")[:1]
        batches = held.field.events("Traded")
        out, into = (sum(e["args"]["result"][name] for e in batches) / WAD for name in ("valueOut", "valueIn"))
        (month,) = page.rows("#part-months")
        assert (month[0], month[1], month[3]) == ("April 2021", "open", str(len(batches)))
        assert figures(month[4]) == pytest.approx([out], abs=0.51)
        assert figures(month[5]) == pytest.approx([abs(out - into)], abs=0.51)
        assert event["args"]["period"] == state.month_period


def test_what_a_month_traded_as_csv(held: HolderSite, browser: Browser) -> None:
    event = held.field.events("Traded")[0]
    receipt = held.w3.eth.get_transaction_receipt(event["transactionHash"])
    index = held.index.address
    changes: dict[str, int] = {}
    for log in receipt["logs"]:
        if log["address"] in {h.token for h in held.field.state().holdings} and len(log["topics"]) == 3:
            sides = [to_checksum_address(topic[-20:]) for topic in log["topics"][1:]]
            amount = int.from_bytes(log["data"], "big") * ((sides[1] == index) - (sides[0] == index))
            changes[log["address"]] = changes.get(log["address"], 0) + amount
    with held.open(browser) as page:
        page.tab.until("document.querySelector('#part-months button') !== null")
        page.tab.run(
            "URL.createObjectURL = (blob) => { blob.text().then((text) => { window.saved = text; }); return '#'; }; 1"
        )
        page.click("#part-months button")
        text = page.tab.until("window.saved")
    rows = [
        row for row in csv.DictReader(io.StringIO(text)) if row["transaction"] == event["transactionHash"].to_0x_hex()
    ]
    decimals = {c.token: c.decimals for c in held.field.book.candidates}
    told = {row["token"]: int(Decimal(row["change"]).scaleb(decimals[row["token"]])) for row in rows}
    assert told == {token: change for token, change in changes.items() if change}
    assert {Decimal(row["batch_sold_usd"]) for row in rows} == {
        Decimal(event["args"]["result"]["valueOut"]).scaleb(-18)
    }


def test_a_hostile_symbol_is_text(held: HolderSite, browser: Browser, tmp_path: Path) -> None:
    book = held.field.book
    hostile = "<img src=x onerror=document.title='taken'>"
    changed = replace(book, candidates=tuple(replace(c, symbol=hostile) for c in book.candidates))
    with holding(replace(held.field, book=changed), tmp_path, held.account) as found, found.open(browser) as page:
        page.says("#part-holdings", hostile[:20])
        assert page.tab.run("document.querySelectorAll('img').length") == 1
        assert "taken" not in page.tab.run("document.title")


def test_why_the_weights_are_what_they_are(held: HolderSite, browser: Browser) -> None:
    (event,) = held.field.events("Determined")
    told = {held.field.book.symbol(c["token"]): c for c in event["args"]["constituents"]}
    total = sum(c["basis"] * c["price"] for c in told.values() if c["status"] == 0)
    with held.open(browser) as page:
        rows = page.rows("#part-why")
        assert {row[0] for row in rows} == told.keys()
        for symbol, supply, _, market_cap, plain, weight, why in rows:
            c = told[symbol]
            assert figures(supply) == [c["basis"]]
            assert figures(market_cap) == pytest.approx([c["basis"] * c["price"] / WAD], abs=0.51)
            assert figures(weight) == pytest.approx([c["weight"] / 1e16], abs=0.0051)
            assert figures(plain) == pytest.approx([100 * c["basis"] * c["price"] / total], abs=0.0051)
            # The arithmetic that is written out ends at the weight that the contract stored.
            assert weight in why


def test_mint_in_kind(held: HolderSite, page: Page) -> None:
    before = held.balances()
    due = [h.token for h in held.field.state().holdings if h.balance]
    page.to_mint("2.5")
    page.says("#mint-status", f"{len(due)} approvals are missing")
    page.click(f"[data-token='{due[0]}']")
    page.says("#mint-status", f"{len(due) - 1} approvals are missing")
    page.click("#approve-all")
    page.says("#mint-status", "Everything is in place")
    allowed = [held.token(t).functions.allowance(held.account, held.index.address).call() for t in before]
    page.click("#mint-button")
    page.says("#mint-status", "now hold 2.5")
    assert held.shares() == 25 * WAD // 10
    after = held.balances()
    assert all(before[token] - after[token] <= most for token, most in zip(before, allowed, strict=True))
    assert all(before[token] > after[token] for token in due)
    page.go("me")
    page.says("#my-value", "$")
    state = held.field.state()
    assert figures(page.tab.text("#my-value")) == pytest.approx([2.5 * state.nav / state.supply], abs=0.0051)
    page.says("main", "Minted")


def test_redeem_in_kind(held: HolderSite, page: Page) -> None:
    page.approved("3")
    page.click("#mint-button")
    page.says("#mint-status", "now hold 3")
    before = held.balances()
    page.go("redeem")
    page.says("#redeem-shares-hint", "You hold 3 shares")
    page.fill("#redeem-shares", "1.25")
    page.says("#redeem-button", "Redeem 1.25 shares")
    least = {row[0]: figures(row[2])[0] for row in page.rows("#redeem-list")}
    page.click("#redeem-button")
    page.says("#redeem-status", "still hold 1.75")
    assert held.shares() == 175 * WAD // 100
    for token, amount in held.balances().items():
        candidate = held.field.book.candidate(token)
        assert candidate and (amount - before[token]) / 10**candidate.decimals >= least.get(candidate.symbol, 0)
    page.go("me")
    page.says("main", "Redeemed")


def test_another_chain(held: HolderSite, page: Page) -> None:
    page.tab.run("testWallet.move(137)")
    page.to_mint("1")
    page.says("#mint-status", "Your wallet is on another chain (number 137)")
    assert page.tab.run("document.querySelector('#mint-button').disabled")
    page.click("#mint-status button")
    page.says("#mint-status", "approvals are missing")
    assert page.tab.run("testWallet.state.asked").count("wallet_switchEthereumChain") == 1


def test_too_little(held: HolderSite, page: Page) -> None:
    page.to_mint("100000")
    page.says("#mint-status", "You hold too little of")
    assert "missing" in page.rows("#mint-list")[0][3]
    page.click(".amount button")
    page.says("#mint-status", "approvals are missing")
    most = float(page.tab.run("document.querySelector('#mint-shares').value"))
    assert 1_900 < most < 2_001
    page.fill("#mint-shares", "1,5")
    page.says("#mint-shares-error", "without commas")


def test_declined_in_the_wallet(held: HolderSite, page: Page) -> None:
    page.approved("1")
    page.tab.run("testWallet.state.declines = true")
    page.click("#mint-button")
    assert page.turn("mint", "rejected", "mined") == "rejected"
    page.says("#mint-status", "You declined it in your wallet")
    page.tab.run("testWallet.state.declines = false")
    assert held.shares() == 0
    page.click("#mint-button")
    page.says("#mint-status", "now hold 1")


def test_refused_by_the_contracts(held: HolderSite, page: Page) -> None:
    page.approved("1")
    token = held.field.state().holdings[0].token
    sent = page.tab.run("testWallet.state.asked").count("eth_sendTransaction")
    # Nobody looks meanwhile: the wallet withdraws an approval elsewhere, and the click comes before the next look.
    page.tab.run("window.fetch_ = window.fetch; window.fetch = () => new Promise(() => {})")
    withdrawn = encode_call("approve(address,uint256)", held.index.address, 0)
    sent_elsewhere = held.w3.eth.send_transaction({"from": held.account, "to": token, "data": withdrawn})
    held.w3.eth.wait_for_transaction_receipt(sent_elsewhere)
    page.tab.run("window.fetch = window.fetch_; document.querySelector('#mint-button').click()")
    assert page.turn("mint", "refused", "mined") == "refused"
    page.says("#mint-status", "Nothing was sent")
    assert page.tab.run("testWallet.state.asked").count("eth_sendTransaction") == sent
    assert held.shares() == 0


def test_suspended(held: HolderSite, page: Page) -> None:
    token = held.field.state().holdings[2].token
    page.approved("1")
    page.click("#mint-button")
    page.says("#mint-status", "now hold 1")
    suspend = encode_call("suspend(address)", token)
    guardian = held.w3.eth.accounts[0]
    held.w3.eth.send_transaction({"from": guardian, "to": held.field.book["rebalancer"], "data": suspend})
    page.fill("#mint-shares", "2")
    page.says("#mint-status", f"Nobody can mint now: {held.field.book.symbol(token)} is suspended")
    until = next(h.suspended_until for h in held.field.state().holdings if h.token == token)
    page.says("#mint-status", when(until))
    assert page.tab.run("document.querySelector('#mint-button').disabled")
    page.go("redeem")
    page.fill("#redeem-shares", "1")
    page.says("#redeem-button", "Redeem 1 shares")
    page.click("#redeem-button")
    page.says("#redeem-status", "still hold 0")
    assert held.shares() == 0


def as_owner(held: HolderSite, key: str, data: bytes) -> None:
    """The timelock calls a contract of the fund."""
    owner = held.field.book["timelock"]
    with Cheats(held.field.rpc).acting_as(owner, 10**20):
        held.w3.eth.send_transaction({"from": owner, "to": held.field.book[key], "data": data})


def test_at_the_cap(held: HolderSite, page: Page) -> None:
    whole = held.field.state().supply // WAD
    as_owner(held, "index_token", encode_call("setSupplyCap(uint32)", whole + 2))
    page.to_mint("5")
    page.says("#mint-status", "The fund's cap leaves room for")
    room = figures(page.tab.text("#mint-status .what"))[0]
    assert 1 < room <= 2
    as_owner(held, "index_token", encode_call("setSupplyCap(uint32)", whole))
    page.says("#mint-status", "The fund's cap is reached")


def test_what_cannot_move_is_left_behind_on_request(held: HolderSite, page: Page) -> None:
    page.approved("1")
    page.click("#mint-button")
    page.says("#mint-status", "now hold 1")
    token = held.field.state().holdings[1].token
    symbol = held.field.book.symbol(token)
    # balanceOf answers 10^18, all else reverts.
    code = bytes.fromhex("5f3560e01c6370a0823114610012575f5ffd5b670de0b6b3a76400005f5260205ff3")
    Cheats(held.field.rpc).set_code(token, code)
    page.go("redeem")
    page.fill("#redeem-shares", "1")
    page.says("#redeem-button", "Redeem 1 shares")
    page.click("#redeem-button")
    page.says("#redeem-status", f"{symbol} cannot be paid now")
    page.click(f"[data-skip='{token}']")
    page.click("#redeem-button")
    page.says("#redeem-status", f"{symbol} was left behind")
    assert held.shares() == 0


def test_replaced_and_lost(held: HolderSite, page: Page) -> None:
    page.approved("1")
    rpc = held.field.rpc
    rpc.request("evm_setAutomine", False)
    try:
        page.click("#mint-button")
        page.turn("mint", "sent")
        nonce = held.w3.eth.get_transaction_count(held.account)
        fee = Wei(10**12)
        held.w3.eth.send_transaction(
            {"from": held.account, "to": held.account, "value": Wei(0), "nonce": nonce, "gasPrice": fee, "gas": 21_000}
        )
        rpc.request("evm_mine")
        page.turn("mint", "replaced")
        page.says("#mint-status", "sent another transaction in its place")
        page.click("#mint-button")
        page.turn("mint", "sent")
        pending = rpc.request("eth_getBlockByNumber", "pending", False)["transactions"]
        assert rpc.request("anvil_dropTransaction", pending[0]) == pending[0]
        page.turn("mint", "dropped")
        page.says("#mint-status", "The network has lost the transaction")
    finally:
        rpc.request("evm_setAutomine", True)
    assert held.shares() == 0


def test_the_chain_does_not_answer(held: HolderSite, browser: Browser) -> None:
    with held.open(browser) as page:
        page.connect()
        page.to_mint("1")
        page.says("#mint-status", "approvals are missing")
        network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        page.tab.call("Network.emulateNetworkConditions", offline=True, **network)
        page.says("#trouble", "The chain does not answer")
        page.says("#mint-status", "nothing can be sent until it answers again")
        assert page.tab.run("document.querySelector('#mint-button').disabled")
        page.tab.call("Network.emulateNetworkConditions", offline=False, **network)
        page.tab.until("document.querySelector('#trouble').hidden")
        page.says("#mint-status", "approvals are missing")
        held.measured[FLOWS] += 1


def test_what_the_timelock_has_pending(held: HolderSite, browser: Browser) -> None:
    data = encode_call("setStreamingFee(uint256)", 10**16)
    signature = "schedule(address,uint256,bytes,bytes32,bytes32,uint256)"
    call = encode_call(signature, held.index.address, 0, data, bytes(32), bytes(32), 3 * DAY_S)
    proposer = held.w3.eth.accounts[0]
    sent = held.w3.eth.send_transaction({"from": proposer, "to": held.field.book["timelock"], "data": call})
    block = held.w3.eth.wait_for_transaction_receipt(sent)["blockNumber"]
    ready = held.w3.eth.get_block(block)["timestamp"] + 3 * DAY_S
    with held.open(browser) as page:
        page.says("#part-pending", "index token: setStreamingFee(fee: 10000000000000000)")
        page.says("#part-pending", when(ready))
        held.measured[FLOWS] += 1


def gone(held: HolderSite, before: int, receipt: Any) -> int:
    """ETH that left the account but for gas."""
    fee: int = receipt["gasUsed"] * receipt["effectiveGasPrice"]
    return before - held.w3.eth.get_balance(held.account) - fee


def zapped(held: HolderSite) -> Any:
    """The receipt of the account's last zap."""
    hashes = held.field.rpc.request("eth_getBlockByNumber", "latest", False)["transactions"]
    receipt = held.w3.eth.get_transaction_receipt(hashes[-1])
    assert receipt["to"] == held.field.book["zap"]
    return receipt


def test_in_and_out_for_eth(held: HolderSite, page: Page) -> None:
    page.go("mint")
    page.click("input[name=mint-way][value=eth]")
    page.fill("#zap-mint-shares", "2.5")
    page.says("#zap-mint-status", "Everything is in place")
    expected = figures(page.tab.text("#view .offer .sum"))[0]
    before = held.w3.eth.get_balance(held.account)
    page.click("#zap-mint-button")
    page.says("#zap-mint-status", "now hold 2.5")
    assert held.shares() == 25 * WAD // 10
    assert gone(held, before, zapped(held)) / WAD == pytest.approx(expected, rel=1e-3)
    page.go("redeem")
    page.click("input[name=redeem-way][value=eth]")
    page.fill("#zap-redeem-shares", "1.5")
    page.says("#zap-redeem-status", "Your wallet will ask twice")
    page.click("[data-kind]")
    page.says("#zap-redeem-list", "given in kind")
    expected = figures(page.tab.text("#view .offer .sum"))[0]
    kept = next(iter(held.balances()))
    before, of_kept = held.w3.eth.get_balance(held.account), held.balances()[kept]
    page.click("#zap-redeem-button")
    page.says("#zap-redeem-status", "still hold 1")
    assert held.shares() == WAD
    assert -gone(held, before, zapped(held)) / WAD == pytest.approx(expected, rel=1e-3)
    assert held.balances()[kept] > of_kept
    asked = page.tab.run("testWallet.state.asked")
    assert (asked.count("eth_signTypedData_v4"), asked.count("eth_sendTransaction")) == (1, 2)


def test_in_and_out_for_a_token(held: HolderSite, page: Page) -> None:
    page.go("mint")
    token = page.tab.run("[...document.querySelectorAll('input[name=mint-way]')].at(-1).value")
    coin = held.token(token).functions
    page.click(f"input[name=mint-way][value='{token}']")
    page.fill("#zap-mint-shares", "2")
    page.says("#zap-mint-status", "One approval is missing")
    page.click("#zap-mint-approve")
    page.says("#zap-mint-status", "Everything is in place")
    before = coin.balanceOf(held.account).call()
    page.click("#zap-mint-button")
    page.says("#zap-mint-status", "now hold 2")
    state = held.field.state()
    worth = 2 * state.nav / state.supply
    assert (before - coin.balanceOf(held.account).call()) / WAD == pytest.approx(worth, rel=0.02)
    page.go("redeem")
    page.click(f"input[name=redeem-way][value='{token}']")
    page.fill("#zap-redeem-shares", "2")
    page.click("#zap-redeem-approve")
    page.says("#zap-redeem-status", "Everything is in place")
    before = coin.balanceOf(held.account).call()
    page.click("#zap-redeem-button")
    page.says("#zap-redeem-status", "still hold 0")
    assert (coin.balanceOf(held.account).call() - before) / WAD == pytest.approx(worth, rel=0.02)


def test_by_keyboard_alone(held: HolderSite, browser: Browser) -> None:
    with held.open(browser, "mint") as page:
        page.tab_to(".skip")
        page.press("Enter")
        page.tab.until("document.activeElement.id === 'view'")
        assert page.tab.text("#heading") == "Mint shares"
        page.tab_to("#mint-shares")
        page.tab.call("Input.insertText", text="1")
        page.says("#mint-status", "Connect a wallet to mint")
        page.tab_to("#mint-status button")
        page.press("Enter")
        page.tab.until("document.querySelector('#wallets').open")
        page.press("Enter")
        page.says("#wallet", held.account[:6])
        page.says("#mint-status", "approvals are missing")
        page.tab_to("#mint-list button")
        page.press("Enter")
        page.tab.until("document.querySelector('#mint-list .good') !== null")
        assert not page.tab.complaints
        held.measured[FLOWS] += 1


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280], ids=["phone", "desktop"])
def test_everybody_can_read_it(held: HolderSite, browser: Browser, width: int, dark: bool) -> None:
    folder = ROOT / "out" / "holder-page"
    folder.mkdir(parents=True, exist_ok=True)
    with held.open(browser, width=width, dark=dark) as page:
        page.tab.until("document.querySelector('.chart') !== null")
        page.connect()
        for part in ("fund", "mint", "redeem", "me"):
            page.go(part)
            if part in ("mint", "redeem"):
                page.fill(f"#{part}-shares", "1")
                page.tab.until(f"document.querySelector('#{part}-list table') !== null")
            else:
                page.says("main", "$")
            found = page.axe()
            held.measured["axe_findings"] += len(found)
            assert not found, found
            assert page.tab.run("document.documentElement.scrollWidth") == width
            page.tab.screenshot(folder / f"{part}-{width}-{'dark' if dark else 'light'}.png")
        page.go("mint")
        page.click("input[name=mint-way][value=eth]")
        page.fill("#zap-mint-shares", "1")
        page.says("#zap-mint-status", "Everything is in place")
        assert not page.axe(), page.axe()
        page.click("#wallet")
        assert not page.axe(), page.axe()
        assert not page.tab.complaints


def test_the_script_is_small(held: HolderSite) -> None:
    assert held.measured["script_bytes"] < MOST_SCRIPT
    html = (held.folder / "index.html").read_text()
    assert "unsafe" not in html and f"connect-src {held.field.url.rstrip('/')}" in html
