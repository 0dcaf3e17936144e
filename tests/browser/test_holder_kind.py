"""The holder page in kind: mint and redeem, and every state that stands in the way, begun with clicks and read back
from the chain."""

from __future__ import annotations

import pytest

from ballast.abi import encode_call
from ballast.units import WAD
from lab.localnet.anvil import Cheats
from tests.browser.holding import HolderSite, Page
from tests.browser.test_page import figures, when


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
    assert figures(page.tab.text("#my-value")) == pytest.approx([2.5 * state.total_value / state.supply], abs=0.0051)
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


def test_a_component_that_wants_its_old_approval_withdrawn_first(held: HolderSite, page: Page) -> None:
    token = held.field.state().holdings[0].token
    held.approve(token, held.index.address, 1)
    held.make_strict(token)
    page.approved("1")
    due = sum(h.balance > 0 for h in held.field.state().holdings)
    assert page.tab.run("testWallet.state.asked").count("eth_sendTransaction") == due + 1
    page.click("#mint-button")
    page.says("#mint-status", "now hold 1")


def test_nav_without_a_price_is_said_on_each_part(held: HolderSite, page: Page) -> None:
    assert page.tab.run("document.querySelector('#incomplete').hidden")
    config = held.field.config
    blind = config.components[0]
    before = held.field.state()
    held.field.rpc.request("anvil_setCode", blind.feed.address, "0x")
    held.field.rpc.request("anvil_mine", "0x1")
    assert held.field.state().total_value < before.total_value
    for part in ("fund", "mint", "redeem", "me"):
        page.go(part)
        page.says("#incomplete", f"too low: without {blind.symbol} (no price now).")
        assert not page.tab.run("document.querySelector('#incomplete').hidden")


def test_suspended(held: HolderSite, page: Page) -> None:
    token = held.field.state().holdings[2].token
    page.approved("1")
    page.click("#mint-button")
    page.says("#mint-status", "now hold 1")
    suspend = encode_call("suspend(address)", token)
    guardian = held.w3.eth.accounts[0]
    sent = held.w3.eth.send_transaction({"from": guardian, "to": held.field.book["rebalancer"], "data": suspend})
    held.w3.eth.wait_for_transaction_receipt(sent)
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
        sent = held.w3.eth.send_transaction({"from": owner, "to": held.field.book[key], "data": data})
        held.w3.eth.wait_for_transaction_receipt(sent)


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


def test_the_fund_is_locked(held: HolderSite, page: Page) -> None:
    """A component that calls the fund while it is transferred meets the lock: the page says it before anything is
    sent."""
    page.approved("1")
    token = held.field.state().holdings[0].token
    index = held.index.address[2:]
    collect = encode_call("collectFee()").hex()
    # balanceOf and allowance answer 10^24; all else calls the fund's collectFee and reverts with what that says.
    code = (
        "5f3560e01c8063 70a08231 14 6047 57 63 dd62ed3e 14 6047 57"
        f"63 {collect} 60e0 1b 5f 52 5f 5f 6004 5f 5f 73 {index} 5a f1 50 3d 5f 5f 3e 3d 5f fd"
        "5b 69d3c21bcecceda1000000 5f 52 6020 5f f3"
    )
    Cheats(held.field.rpc).set_code(token, bytes.fromhex(code.replace(" ", "")))
    sent = page.tab.run("testWallet.state.asked").count("eth_sendTransaction")
    page.fill("#mint-shares", "0.5")
    page.says("#mint-button", "Mint 0.5 shares")
    page.says("#mint-status", "Everything is in place")
    page.click("#mint-button")
    assert page.turn("mint", "refused", "mined") == "refused"
    page.says("#mint-status", "The fund is in the middle of another operation")
    page.says("#mint-status", "Try again with the next block")
    assert page.tab.run("testWallet.state.asked").count("eth_sendTransaction") == sent
    assert held.shares() == 0
