"""The holder page, its wallet, its endpoint and its address: another chain, declined, refused, replaced, sped up, lost,
away; which fund is meant."""

from __future__ import annotations

from urllib.parse import quote

from web3.types import Wei

from ballast.abi import encode_call
from ballast.units import WAD
from tests.browser.browser import Browser
from tests.browser.holding import FLOWS, OF_THE_PAGE, HolderSite, Page


def test_another_chain(held: HolderSite, page: Page) -> None:
    page.tab.run("testWallet.move(137)")
    page.to_mint("1")
    page.says("#mint-status", "Your wallet is on another chain (number 137)")
    assert page.tab.run("document.querySelector('#mint-button').disabled")
    page.click("#mint-status button")
    page.says("#mint-status", "approvals are missing")
    assert page.tab.run("testWallet.state.asked").count("wallet_switchEthereumChain") == 1


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


def test_sped_up_in_the_wallet(held: HolderSite, page: Page) -> None:
    """The same call under the same number with a higher fee is the same to the page."""
    page.approved("1")
    rpc = held.field.rpc
    rpc.request("evm_setAutomine", False)
    try:
        page.click("#mint-button")
        page.turn("mint", "sent")
        (first,) = rpc.request("eth_getBlockByNumber", "pending", True)["transactions"]
        bumped = {name: first[name] for name in ("from", "to", "gas", "nonce")} | {"data": first["input"]}
        second = rpc.request("eth_sendTransaction", bumped | {"gasPrice": hex(10**12)})
        assert second != first["hash"]
        rpc.request("evm_mine")
        page.says("#mint-status", "now hold 1")
        page.says("#mint-status", "mined as you sent it again, with a higher fee")
    finally:
        rpc.request("evm_setAutomine", True)
    assert held.w3.eth.get_transaction_receipt(second)["status"] == 1
    assert held.shares() == WAD


def test_read_through_a_wallet_that_comes_after_the_outage(held: HolderSite, browser: Browser) -> None:
    with held.open(browser) as page:
        page.to_mint("1")
        page.tab.call("Network.setBlockedURLs", urls=[f"*{OF_THE_PAGE}*"])
        page.says("#trouble", "The chain does not answer")
        page.says("#trouble", "Connect a wallet")
        assert "Read through my wallet" not in page.tab.text("#trouble")
        page.connect()
        page.says("#trouble", "Read through my wallet")
        page.click("#trouble button:last-of-type")
        page.tab.until("document.querySelector('#trouble').hidden")
        page.says("#asof", "read through Test wallet")
        page.click("#approve-all")
        page.says("#mint-status", "Everything is in place")
        page.click("#mint-button")
        page.says("#mint-status", "now hold 1")
        assert held.shares() == WAD
        # A wallet that goes elsewhere is read no more.
        page.tab.call("Network.setBlockedURLs", urls=[])
        page.tab.run("testWallet.move(137)")
        page.tab.until("!document.querySelector('#asof').textContent.includes('read through')")
        assert page.tab.run("document.querySelector('#trouble').hidden")
        held.measured[FLOWS] += 1


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


def test_a_fund_is_named_by_its_address_or_its_name(held: HolderSite, browser: Browser) -> None:
    index, name = held.index.address, held.field.book.fund

    def heading(wanted: str) -> str:
        with browser.tab(f"{held.url}?fund={wanted}") as tab:
            tab.until("document.querySelector('main p') !== null")
            if not tab.run("document.querySelector('#wallet').hidden"):
                tab.until("performance.getEntriesByName('first-figures').length === 1")
                return str(tab.run("document.title"))
            assert not tab.complaints
            assert all(url.startswith(held.url) for url in tab.requests), "an unknown fund asks the chain nothing"
            links = tab.run("[...document.querySelectorAll('.funds a')].map((a) => a.search)")
            assert links == [f"?fund={quote(f'1:{index}', safe='')}"]
            found = Page(tab, held).axe()
            assert not found, found
            return tab.text("main")

    shown = heading(index)
    assert shown.startswith("Fund:")
    for known in (index.lower(), name, f"1:{index}", quote(f"1:{name}")):
        assert heading(known) == shown
    for unknown in ("0x" + "12" * 20, f"137:{index}", "<b>x</b>"):
        assert f"does not know a fund “{unknown}”" in heading(quote(unknown))
    held.measured[FLOWS] += 1
