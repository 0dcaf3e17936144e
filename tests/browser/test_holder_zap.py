"""The holder page through the zap: quotes to the wei, in and out for ETH, WETH and USDC, permits, gifts in kind."""

from __future__ import annotations

from typing import Any

import ape
import pytest

from ballast.abi import call_data
from ballast.networks.exchanges import USDC
from ballast.units import WAD
from keeper.zap.quote import ETH, Pools, Quote, Venue, mint_quote, redeem_quote
from keeper.zap.read import read_pools
from lab.localnet.anvil import Cheats
from lab.localnet.rpc import send
from lab.localnet.world import World
from tests.browser.holding import HolderSite, Page
from tests.browser.test_page import figures


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


def pools_of(held: HolderSite, token: str) -> Pools:
    """All that the command line makes a quote of, in the latest block."""
    lens = str(ape.project.V3Lens.contract_type.runtime_bytecode.bytecode)
    return read_pools(held.w3, held.field.book, token, lens)


def address_of(held: HolderSite, way: str) -> str:
    return {"eth": ETH, "weth": held.field.book.weth, "usdc": USDC[1]}[way]


def value_of(held: HolderSite, way: str) -> str:
    """What the page's choice is called."""
    return "eth" if way == "eth" else address_of(held, way)


def wrap(held: HolderSite, amount: int) -> None:
    """Turns so much ether of the account into WETH."""
    send(held.field.rpc, held.account, held.field.book.weth, call_data("deposit()"), gas=100_000, value=amount)


def has(held: HolderSite, way: str) -> int:
    if way == "eth":
        return int(held.w3.eth.get_balance(held.account))
    return int(held.token(address_of(held, way)).functions.balanceOf(held.account).call())


def allowed(held: HolderSite, token: str) -> int:
    """What the zap may take of the account's."""
    return int(held.token(token).functions.allowance(held.account, held.field.book["zap"]).call())


def asked(page: Page, method: str) -> int:
    """How often the wallet was asked that."""
    return int(page.tab.run("testWallet.state.asked").count(method))


def check_quote(page: Page, quote: Quote, limit: int, pools: Pools) -> None:
    """What the page shows of a quote is the command line's."""
    assert (page.expected(), page.limit()) == (quote.amount, limit)
    eth = pools.eth_price / WAD
    for term, weth in (
        ("Pools", quote.fees),
        ("Price impact", quote.impact),
        ("Network fee", quote.gas * pools.gas_price),
    ):
        assert figures(page.term(term))[0] == pytest.approx(weth / WAD * eth, abs=0.011)
    assert figures(page.term("Network fee"))[1] == pytest.approx(quote.gas * pools.gas_price / WAD, rel=1e-3)


@pytest.mark.parametrize("way", ["eth", "weth", "usdc"])
def test_a_quote_is_the_command_lines(held: HolderSite, page: Page, way: str) -> None:
    """To the wei, in the same block, over pools of either kind."""
    token, shares = address_of(held, way), 3 * WAD + 123_456_789
    margin = WAD // 200
    page.zap("mint", value_of(held, way), "3.000000000123456789")
    pools = pools_of(held, token)
    bought, sold = mint_quote(pools, shares, token), redeem_quote(pools, shares, token)
    check_quote(page, bought, bought.most(margin), pools)
    page.zap("redeem", value_of(held, way), "3.000000000123456789")
    check_quote(page, sold, sold.least(margin), pools)
    venues = {part.leg.venue for quote in (bought, sold) for part in quote.parts}
    assert {Venue.UNISWAP_V2, Venue.SUSHISWAP_V2, Venue.UNISWAP_V3} <= venues
    if way == "usdc":
        assert bought.last and bought.last.leg.venue is Venue.UNISWAP_V3
    brings = {row[0]: figures(row[3]) for row in page.rows("#zap-redeem-list")}
    for part in sold.parts:
        if part.swap:
            symbol = held.field.book.symbol(part.holding.token)
            assert brings[symbol] == pytest.approx([part.swap.received / WAD], rel=1e-3)


def test_in_and_out_for_eth(held: HolderSite, page: Page) -> None:
    expected = page.zap("mint", "eth", "2.5")
    page.says("#zap-mint-status", "Everything is in place")
    before = has(held, "eth")
    page.click("#zap-mint-button")
    page.says("#zap-mint-status", "now hold 2.5")
    assert held.shares() == 25 * WAD // 10
    assert gone(held, before, zapped(held)) == pytest.approx(expected, rel=1e-6)
    page.zap("redeem", "eth", "1.5")
    page.says("#zap-redeem-status", "Your wallet will ask twice")
    page.click("[data-kind]")
    page.says("#zap-redeem-list", "given in kind")
    expected = page.expected()
    kept = next(iter(held.balances()))
    before, of_kept = has(held, "eth"), held.balances()[kept]
    page.click("#zap-redeem-button")
    page.says("#zap-redeem-status", "still hold 1")
    assert held.shares() == WAD
    assert -gone(held, before, zapped(held)) == pytest.approx(expected, rel=1e-6)
    assert held.balances()[kept] > of_kept
    assert (asked(page, "eth_signTypedData_v4"), asked(page, "eth_sendTransaction")) == (1, 2)


def test_in_and_out_for_usdc_with_permits(held: HolderSite, page: Page) -> None:
    """A domain that the token tells by its version alone, on the way in; the shares' own, on the way out."""
    expected = page.zap("mint", USDC[1], "2")
    page.says("#zap-mint-status", "Your wallet will ask twice")
    before = has(held, "usdc")
    page.click("#zap-mint-button")
    page.says("#zap-mint-status", "now hold 2")
    assert before - has(held, "usdc") == pytest.approx(expected, rel=1e-6)
    assert 0 < allowed(held, USDC[1]) < expected // 100, "what was not needed stays allowed, no more"
    state = held.field.state()
    assert expected / 10**6 == pytest.approx(2 * state.total_value / state.supply, rel=0.02)
    expected = page.zap("redeem", USDC[1], "2")
    page.says("#zap-redeem-status", "Your wallet will ask twice")
    before = has(held, "usdc")
    page.click("#zap-redeem-button")
    page.says("#zap-redeem-status", "still hold 0")
    assert has(held, "usdc") - before == pytest.approx(expected, rel=1e-6)
    assert (asked(page, "eth_signTypedData_v4"), asked(page, "eth_sendTransaction")) == (2, 2)


def test_in_and_out_for_usdc_with_approvals(held: HolderSite, page: Page) -> None:
    """As a wallet does that signs no typed data."""
    page.zap("mint", USDC[1], "1")
    page.says("#zap-mint-approve", "Approve with a transaction instead")
    page.click("#zap-mint-approve")
    page.says("#zap-mint-status", "Everything is in place")
    page.click("#zap-mint-button")
    page.says("#zap-mint-status", "now hold 1")
    page.zap("redeem", USDC[1], "1")
    page.click("#zap-redeem-approve")
    page.says("#zap-redeem-status", "Everything is in place")
    before = has(held, "usdc")
    page.click("#zap-redeem-button")
    page.says("#zap-redeem-status", "still hold 0")
    assert has(held, "usdc") > before
    assert (asked(page, "eth_signTypedData_v4"), asked(page, "eth_sendTransaction")) == (0, 4)


def test_a_token_that_wants_its_old_approval_withdrawn_first(held: HolderSite, page: Page) -> None:
    """As after a first zap with USDT, of whose approval something is left."""
    held.approve(USDC[1], held.field.book["zap"], 1)
    held.make_strict(USDC[1])
    page.zap("mint", USDC[1], "1")
    page.click("#zap-mint-approve")
    page.says("#zap-mint-status", "Everything is in place")
    assert asked(page, "eth_sendTransaction") == 2
    page.click("#zap-mint-button")
    page.says("#zap-mint-status", "now hold 1")


def test_in_and_out_for_weth(held: HolderSite, page: Page) -> None:
    """It takes no permits: one approval on the way in."""
    weth = held.field.book.weth
    wrap(held, 10 * WAD)
    expected = page.zap("mint", weth, "2")
    page.says("#zap-mint-status", "One approval is missing")
    assert "instead" not in page.tab.text("#zap-mint-approve")
    page.click("#zap-mint-approve")
    page.says("#zap-mint-status", "Everything is in place")
    before = has(held, "weth")
    page.click("#zap-mint-button")
    page.says("#zap-mint-status", "now hold 2")
    assert before - has(held, "weth") == pytest.approx(expected, rel=1e-6)
    expected = page.zap("redeem", weth, "2")
    before = has(held, "weth")
    page.click("#zap-redeem-button")
    page.says("#zap-redeem-status", "still hold 0")
    assert has(held, "weth") - before == pytest.approx(expected, rel=1e-6)
    assert asked(page, "eth_signTypedData_v4") == 1


def test_a_signature_that_is_declined(held: HolderSite, page: Page) -> None:
    page.zap("mint", USDC[1], "1")
    page.says("#zap-mint-status", "Your wallet will ask twice")
    page.tab.run("testWallet.state.declines = true")
    page.click("#zap-mint-button")
    page.says("#zap-mint-status", "You declined it in your wallet")
    assert (held.shares(), asked(page, "eth_sendTransaction")) == (0, 0)


def test_a_signature_that_the_token_does_not_take(held: HolderSite, page: Page) -> None:
    """Another account's: the trial says so, and from then on an approval is asked for."""
    page.zap("mint", USDC[1], "1")
    page.says("#zap-mint-status", "Your wallet will ask twice")
    other = list(held.w3.eth.accounts)[6]
    page.tab.run(
        f"""window.fetch_ = window.fetch; window.fetch = (url, asked) => asked.body.includes('signTypedData')
        ? window.fetch_(url, {{ ...asked, body: asked.body.replace('{held.account}', '{other}') }})
        : window.fetch_(url, asked); 1"""
    )
    page.click("#zap-mint-button")
    assert page.turn("zap-mint", "refused", "mined") == "refused"
    page.says("#zap-mint-approve", "USDC")
    assert (held.shares(), asked(page, "eth_sendTransaction")) == (0, 0)
    page.click("#zap-mint-approve")
    page.says("#zap-mint-status", "Everything is in place")
    page.click("#zap-mint-button")
    page.says("#zap-mint-status", "now hold 1")


def test_what_no_pool_takes_comes_in_kind_if_the_holder_says_so(held: HolderSite, page: Page, world: World) -> None:
    page.zap("mint", "eth", "2")
    page.click("#zap-mint-button")
    page.says("#zap-mint-status", "now hold 2")
    gone_from = world.token("AAVE")
    for pool in gone_from.pools:
        Cheats(held.field.rpc).set_code(pool.pair, b"")
    page.fill("#zap-mint-shares", "1")
    page.says("#zap-mint-status", "has enough AAVE for that")
    page.zap("redeem", "eth", "2")
    page.says("#zap-redeem-status", "No pool takes AAVE")
    assert page.tab.run("document.querySelector('#zap-redeem-button').disabled")
    page.click("#zap-redeem-unsold")
    page.says("#zap-redeem-status", "Your wallet will ask twice")
    expected, before, had = page.expected(), has(held, "eth"), held.balances()[gone_from.address]
    page.click("#zap-redeem-button")
    page.says("#zap-redeem-status", "AAVE came as it is")
    assert -gone(held, before, zapped(held)) == pytest.approx(expected, rel=1e-6)
    assert held.balances()[gone_from.address] > had
    assert held.shares() == 0
