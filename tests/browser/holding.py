"""The holder page in a browser on the fork: built for its fund, with a wallet that forwards to the fork's node."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

from eth_typing import ChecksumAddress
from web3 import Web3

from ballast.abi import encode_call
from ballast.build import ROOT
from keeper.look import contracts
from lab.localnet.anvil import Cheats
from tests.browser.browser import Browser, Tab
from tests.keeper.deployed_fund import Field
from tools.page import ChainFacts, PayToken, TestWallet, bundle, serve

AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()
POLL_MS = 250
FLOWS = "browser_flows"
OF_THE_PAGE = "asked=by-the-page"
"""What the page's own endpoint ends with; the wallet's, which is the same node, does not."""

ORIGINAL = "0x" + "57" * 20
STRICT = bytes.fromhex(
    "5f3560e01c63095ea7b31415603d5760243515603d5763dd62ed3e60e01b5f523360045260043560245260205f60445f305afa505f5115603d575f5ffd5b365f5f375f5f365f73"
    f"{ORIGINAL[2:]}5af43d5f5f3e6067573d5ffd5b3d5ff3"
)
"""Code: approve(spender, amount) with an amount reverts where allowance(caller, spender) is not zero; all else is as in
the code at `ORIGINAL`, in the storage of whom it stands for."""


@dataclass
class HolderSite:
    """The page, its fund and the account of its wallet."""

    field: Field
    url: str
    account: ChecksumAddress
    folder: Path
    measured: dict[str, Any] = dataclasses.field(default_factory=dict)
    """What goes to out/page.json."""

    @property
    def w3(self) -> Web3:
        return self.field.w3

    def contract(self, key: str, abi: str) -> Any:
        return self.w3.eth.contract(address=Web3.to_checksum_address(self.field.book[key]), abi=contracts.abi(abi))

    @property
    def index(self) -> Any:
        return self.contract("index_token", "IndexToken")

    def shares(self) -> int:
        return int(self.index.functions.balanceOf(self.account).call())

    def token(self, address: str) -> Any:
        return self.w3.eth.contract(address=Web3.to_checksum_address(address), abi=contracts.abi("IndexToken"))

    def make_strict(self, token: str) -> None:
        """From now on the token refuses to change an approval that is not zero to another that is not, as USDT does."""
        before = self.w3.eth.get_code(Web3.to_checksum_address(token))
        cheats = Cheats(self.field.rpc)
        cheats.set_code(ORIGINAL, bytes(before))
        cheats.set_code(token, STRICT)

    def approve(self, token: str, spender: str, amount: int) -> None:
        """What the account lets somebody take, sent without the page."""
        data = encode_call("approve(address,uint256)", spender, amount)
        sent = self.w3.eth.send_transaction({"from": self.account, "to": Web3.to_checksum_address(token), "data": data})
        self.w3.eth.wait_for_transaction_receipt(sent)

    def balances(self) -> dict[str, int]:
        """What the account holds of each component."""
        return {
            h.token: self.token(h.token).functions.balanceOf(self.account).call() for h in self.field.state().holdings
        }

    @contextlib.contextmanager
    def open(self, browser: Browser, part: str = "fund", width: int = 1280, *, dark: bool = False) -> Iterator[Page]:
        """The page at one of its parts, with its first figures."""
        with browser.tab(f"{self.url}#/{part}", width, dark=dark) as tab:
            tab.until("performance.getEntriesByName('first-figures').length === 1")
            yield Page(tab, self)


def wei_of(text: str) -> int:
    """Of an exact amount with its symbol."""
    amount, symbol = text.split()
    return int(Decimal(amount).scaleb(6 if symbol == "USDC" else 18))


@dataclass
class Page:
    """An open page and what somebody does on it."""

    tab: Tab
    holding: HolderSite

    def click(self, selector: str) -> None:
        """Clicks an element once it can be seen and is enabled."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.tab.until(f"(() => {{ const e = {found}; return e && !e.disabled && e.getClientRects().length > 0; }})()")
        self.tab.run(f"{found}.click()")

    def fill(self, selector: str, text: str) -> None:
        self.tab.run(
            f"""(() => {{ const input = document.querySelector({json.dumps(selector)});
            input.value = {json.dumps(text)}; input.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()"""
        )

    def go(self, part: str) -> None:
        """To another part of the page."""
        self.tab.run(f"location.hash = '#/{part}'")
        self.tab.until(f"document.querySelector('nav [aria-current]').hash === '#/{part}'")

    def to_mint(self, shares: str) -> None:
        """So many shares in kind, as far as what is due of each."""
        self.go("mint")
        self.fill("#mint-shares", shares)
        self.tab.until("document.querySelector('#mint-list table') !== null")

    def zap(self, side: str, way: str, shares: str) -> int:
        """So many shares with or for "eth" or a token, as far as the quote; what is expected, in wei."""
        self.go(side)
        self.click(f"input[name={side}-way][value='{way}']")
        self.fill(f"#zap-{side}-shares", shares)
        shown = Decimal(shares).quantize(Decimal("0.000001"), ROUND_DOWN).normalize()
        self.says(f"#zap-{side}-button", f"{side.capitalize()} {shown:f} shares")
        return self.expected()

    def expected(self) -> int:
        """What the quote on the screen expects, in wei."""
        return wei_of(self.tab.until("document.querySelector('#view .offer .sum')?.title"))

    def limit(self) -> int:
        """The most that it takes, or the least that it brings, in wei."""
        return wei_of(self.tab.run("document.querySelector('#view .offer .terms dd').title"))

    def term(self, name: str) -> str:
        """What the quote says of one of its terms."""
        return str(
            self.tab.run(
                f"""[...document.querySelectorAll('#view .offer .terms div')].find((row) =>
                row.firstChild.textContent.startsWith({json.dumps(name)}))?.lastChild.textContent ?? ''"""
            )
        )

    def approved(self, shares: str) -> None:
        """All approvals for so many shares in kind."""
        self.to_mint(shares)
        self.click("#approve-all")
        self.says("#mint-status", "Everything is in place")

    def says(self, selector: str, text: str) -> None:
        """Waits until an element says this among other things."""
        found = f"document.querySelector({json.dumps(selector)})?.textContent ?? ''"
        self.tab.until(f"({found}).includes({json.dumps(text)})")

    def press(self, key: str) -> None:
        """A key, "Tab" or "Enter"."""
        code = {"Tab": 9, "Enter": 13}[key]
        what = {"key": key, "code": key, "windowsVirtualKeyCode": code, "text": "\r" if key == "Enter" else ""}
        self.tab.call("Input.dispatchKeyEvent", type="keyDown", **what)
        self.tab.call("Input.dispatchKeyEvent", type="keyUp", **{**what, "text": ""})

    def tab_to(self, selector: str) -> None:
        """Presses Tab until the element has the focus."""
        for _ in range(80):
            self.press("Tab")
            if self.tab.run(f"document.activeElement?.matches({json.dumps(selector)}) ?? false"):
                return
        raise AssertionError(f"Tab does not come to {selector}")

    def connect(self) -> None:
        self.click("#wallet")
        self.click("#wallet-list button:last-of-type")
        self.says("#wallet", self.holding.account[:6])

    def rows(self, selector: str) -> list[list[str]]:
        """The texts of a table's body."""
        found: list[list[str]] = self.tab.run(
            f"""[...document.querySelectorAll({json.dumps(f"{selector} tbody tr")})].map((tr) =>
            [...tr.cells].map((td) => td.textContent))"""
        )
        return found

    def turn(self, part: str, *turns: str) -> str:
        """Waits until the part's transaction has come to one of these turns; which."""
        said = f"document.querySelector('#{part}-status').dataset.turn"
        found: str = self.tab.until(f"{json.dumps(list(turns))}.includes({said}) && {said}")
        return found

    def axe(self) -> list[str]:
        """What axe finds against WCAG 2.2 A and AA and its best practices."""
        self.tab.run(f"{AXE}; 1")
        findings: list[dict[str, Any]] = self.tab.run(
            "axe.run().then((r) => r.violations.map((v) => ({ id: v.id, at: v.nodes.map((n) => n.target.join(' ')) })))"
        )
        return [f"{finding['id']}: {', '.join(finding['at'][:4])}" for finding in findings]


@contextlib.contextmanager
def holding(
    on: Field, folder: Path, account: ChecksumAddress, pay: list[PayToken] | None = None
) -> Iterator[HolderSite]:
    """The page of a fund, served until the block ends; its zap takes `pay` beside ETH."""
    out = folder / "dist"
    facts = ChainFacts("the local fork", [f"{on.url.rstrip('/')}/?{OF_THE_PAGE}"], poll_ms=POLL_MS, pay=pay or [])
    bundle([(on.book, facts)], out, TestWallet(on.url, account, on.book.chain_id))
    server = serve(out, 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield HolderSite(on, f"http://127.0.0.1:{server.server_address[1]}/", account, out)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
