"""mint and redeem where components are suspended, written off, stuck, or cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ape
import pytest

from ballast.abi import call_data
from ballast.book import Book
from ballast.fund_file import FundConfig
from ballast.units import WAD
from ballast.values import decimal
from lab.localnet.rpc import HttpRpc, Rpc, send
from lab.testbed.funding import as_yaml, deal
from scripts.mint import cli as mint
from scripts.redeem import cli as redeem
from tests.helpers.spoiled import REVERTS
from tests.scripts.conftest import Invoke, Ran, WriteFund


class Stand:
    """A deployed fund, its owner's calls, and the scripts on it."""

    def __init__(self, invoke: Invoke, account: Any, fund: Path, path: Path) -> None:
        self._invoke = invoke
        self.account = account
        self._here: dict[str, Any] = {"provider": ape.networks.active_provider, "fund": fund, "book_file": path}
        self.book = Book.load(path)
        self.index = ape.project.IndexToken.at(self.book["index_token"])
        self.rpc: Rpc = HttpRpc(str(ape.networks.active_provider.http_uri))

    def token(self, symbol: str) -> str:
        return next(c.token for c in self.book.candidates if c.symbol == symbol)

    def own(self, signature: str, *args: Any) -> None:
        """Calls the rebalancer as the timelock, without its delay."""
        owner = self.book["timelock"]
        self.rpc.request("anvil_impersonateAccount", owner)
        self.rpc.request("anvil_setBalance", owner, hex(10**20))
        send(self.rpc, owner, self.book["rebalancer"], call_data(signature, *args), gas=5_000_000)

    def becomes(self, symbol: str, code: str) -> None:
        """Gives a token other code."""
        self.rpc.request("anvil_setCode", self.token(symbol), code)

    def stuck(self, symbol: str) -> None:
        """The token no longer transfers; its balances stay."""
        other = self.account.deploy(ape.project.StuckToken)
        self.becomes(symbol, self.rpc.request("eth_getCode", other.address, "latest"))

    def balance(self, symbol: str) -> int:
        return int(ape.project.ReferenceToken.at(self.token(symbol)).balanceOf(self.account.address))

    def redeem(self, shares: str, *skipped: str) -> Ran:
        own = {"shares": shares, "skipped": skipped, "to": None, "in_kind": ()}
        return self._invoke(redeem, **own, **self._usual, **self._here)

    def mint(self, shares: str) -> Ran:
        return self._invoke(mint, shares=shares, pay=None, spend=None, **self._usual, **self._here)

    @property
    def _usual(self) -> dict[str, Any]:
        """The options that both have."""
        return {
            "account": self.account,
            "receiver": None,
            "slippage": None,
            "deadline": "20 min",
            "dry": False,
            "yes": True,
        }


@pytest.fixture
def stand(
    invoke: Invoke,
    write_fund: WriteFund,
    config: FundConfig,
    book_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Stand:
    monkeypatch.setenv("COLUMNS", "200")
    return Stand(invoke, ape.accounts.test_accounts[3], write_fund(as_yaml(config)), book_file)


def test_redeem_asks_before_it_forfeits_what_cannot_be_paid(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    stand.stuck("LRC")
    stand.becomes("SNX", REVERTS)
    nonce, held = stand.account.nonce, stand.index.balanceOf(stand.account.address)
    uni = stand.balance("UNI")
    cases = [([], ["LRC", "SNX"]), (["SNX"], ["LRC"]), (["LRC"], ["SNX"])]
    for skipped, asked in cases:
        capsys.readouterr()
        ran = stand.redeem("10", *skipped)
        assert ran.code == 1 and stand.account.nonce == nonce
        options = " ".join(f"--skip {symbol}" for symbol in asked)
        line = "cannot be paid now; wait, or forfeit what the shares have of it with "
        assert ran.errors == f"Error: redeem: {', '.join(asked)} {line}{options} (or --skip auto)\n"
        shown = capsys.readouterr().out
        assert ("balance not readable" in shown) == ("SNX" in asked)
        assert ("does not move" in shown) == ("LRC" in asked)
    # What moving it would have paid is shown in tokens and USD.
    capsys.readouterr()
    stand.redeem("10", "SNX")
    row = next(line for line in capsys.readouterr().out.splitlines() if "LRC" in line)
    tokens, amounts, _ = stand.index.previewRedeem(10 * WAD)
    lost = amounts[list(tokens).index(stand.token("LRC"))]
    assert lost > 0 and decimal(lost, 18) in row and " USD" in row

    for named in (["auto"], ["LRC", "SNX"]):
        assert stand.redeem("10", *named).code == 0
    assert stand.index.balanceOf(stand.account.address) == held - 20 * WAD
    assert stand.balance("UNI") > uni and capsys.readouterr().out.count("forfeited") >= 4


def test_a_component_that_moves_is_not_skipped_by_auto(stand: Stand) -> None:
    """Suspended or not: redeem pays it."""
    stand.own("suspend(address)", stand.token("UNI"))
    uni = stand.balance("UNI")
    assert stand.redeem("10", "auto").code == 0
    assert stand.balance("UNI") > uni


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda stand: stand.own("suspend(address)", stand.token("LRC")), "LRC (suspended until the owner ends it)"),
        (lambda stand: stand.becomes("SNX", REVERTS), "SNX (balance not readable)"),
    ],
)
def test_mint_says_in_one_line_why_nobody_can(stand: Stand, spoil: Callable[[Stand], None], why: str) -> None:
    nonce = stand.account.nonce
    spoil(stand)
    ran = stand.mint("1")
    assert (ran.code, stand.account.nonce) == (1, nonce)
    assert ran.errors == f"Error: mint: nobody can mint now because of {why}; wait until that has ended\n"


def test_what_is_written_off_is_neither_asked_for_nor_paid(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    lrc = stand.token("LRC")
    stand.own("suspend(address)", lrc)
    stand.own("writeOff(address)", lrc)
    stand.becomes("LRC", REVERTS)
    tokens, amounts, blocked = stand.index.previewMint(2 * WAD)
    assert blocked == 0 and [t for t, amount in zip(tokens, amounts, strict=True) if not amount] == [lrc]
    for token, amount in zip(tokens, amounts, strict=True):
        if amount:
            deal(stand.account, token, stand.account.address, amount)
    assert stand.mint("1").code == 0
    capsys.readouterr()
    assert stand.redeem("1").code == 0
    assert "written off: not paid" in capsys.readouterr().out
