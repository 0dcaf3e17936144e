"""The holder page in the middle of a month: what it shows is what the chain says, for everybody to read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from eth_utils import to_checksum_address

from ballast.abi import encode_call
from ballast.build import ROOT
from ballast.networks.exchanges import USDC
from ballast.units import DAY_S, WAD
from tests.browser.browser import Browser
from tests.browser.holding import FLOWS, HolderSite, holding
from tests.browser.test_page import figures, when
from tests.keeper.deployed_fund import Field

MAX_SCRIPT = 300_000


@pytest.fixture(scope="module")
def field(field: Field, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """With a batch of the month done."""
    with field.keeper(tmp_path_factory.mktemp("month")) as keeper:
        keeper.to_trading()
        keeper.until(lambda: bool(field.events("Traded")))
    yield field


def test_what_is_shown_is_what_the_chain_says(held: HolderSite, browser: Browser) -> None:
    with held.open(browser) as page:
        state = held.field.state()
        held.measured["first_figures_ms"] = round(
            page.tab.run("performance.getEntriesByName('first-figures')[0].startTime")
        )
        assert figures(page.tab.text("#nav")) == pytest.approx([state.total_value / state.supply], abs=0.0051)
        shown = page.rows("#part-holdings")
        assert len(shown) == len(state.holdings)
        by_symbol = {held.field.book.symbol(h.token): h for h in state.holdings}
        for row in shown:
            h = by_symbol[row[0]]
            value = h.value(h.balance)
            target = h.value(h.unit * state.shares // WAD if h.unit or h.side else h.balance)
            assert figures(row[2]) == pytest.approx([100 * value / state.total_value], abs=0.0051)
            assert figures(row[3]) == pytest.approx([100 * target / state.total_value], abs=0.0051)
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
        page.tab_to("#approve-all")
        page.press("Enter")
        page.says("#mint-status", "Everything is in place")
        page.tab_to("#mint-button")
        page.press("Enter")
        page.says("#mint-status", "now hold 1")
        page.tab_to("nav [href='#/redeem']")
        page.press("Enter")
        page.tab_to("#redeem-shares")
        page.tab.call("Input.insertText", text="1")
        page.says("#redeem-button", "Redeem 1 shares")
        page.press("Enter")
        page.says("#redeem-status", "still hold 0")
        assert held.shares() == 0
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

        def look(name: str) -> None:
            """Nothing is found against it, nothing stands out of it; a picture."""
            found = page.axe()
            held.measured["axe_findings"] += len(found)
            assert not found, found
            assert page.tab.run("document.documentElement.scrollWidth") == width
            page.tab.screenshot(folder / f"{name}-{width}-{'dark' if dark else 'light'}.png")

        for part in ("fund", "mint", "redeem", "me"):
            page.go(part)
            if part in ("mint", "redeem"):
                page.fill(f"#{part}-shares", "1")
                page.tab.until(f"document.querySelector('#{part}-list table') !== null")
            else:
                page.says("main", "$")
            look(part)
        for part, way in (("mint", USDC[1]), ("redeem", "eth")):
            page.zap(part, way, "1")
            page.says(f"#zap-{part}-list", "Impact")
            look(f"zap-{part}")
        page.click("#wallet")
        assert not page.axe(), page.axe()
        assert not page.tab.complaints


def test_the_script_is_small(held: HolderSite) -> None:
    assert held.measured["script_bytes"] < MAX_SCRIPT
    html = (held.folder / "index.html").read_text()
    assert "unsafe" not in html and f"connect-src {held.field.url.rstrip('/')}" in html
