"""Commands as a person with an encrypted key file runs them: one question, one password, nothing that waits unseen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ape
import pytest
from eth_account import Account
from web3 import Web3

from ballast.book import Book
from ballast.deployment.deploy import deploy_fund
from ballast.fund_file import FundConfig
from lab.localnet.market import Market
from lab.testbed.funding import as_yaml, deal, deal_seed
from tests.scripts.conftest import WriteFund
from tests.scripts.terminal import PASSWORD, Terminal, key_file, terminal

ALIAS = "ballast-test-holder"


@dataclass(frozen=True)
class Person:
    """Guardian and proposer of a fund, with all that a share takes."""

    address: str
    fund: Path
    book: Path

    def runs(self, *command: str) -> AbstractContextManager[Terminal]:
        provider: Any = ape.networks.active_provider
        given = ["ape", "run", *command, "--book", str(self.book), "--account", ALIAS, "--rpc", str(provider.http_uri)]
        return terminal(given, os.environ)


@pytest.fixture
def person(config: FundConfig, write_fund: WriteFund, market: Market, tmp_path: Path) -> Iterator[Person]:
    made, payer = Account.create(), ape.accounts.test_accounts[3]
    roles = config.roles.model_copy(update={"guardian": made.address, "proposers": (made.address, payer.address)})
    ours = config.model_copy(update={"roles": roles, "components": config.components[:4]})
    market.post_feeds()
    deal_seed(payer, ours)
    book = deploy_fund(ape.project, payer, ours, book_path=tmp_path / "book.json")
    payer.transfer(made.address, 10**18)
    tokens, amounts, _ = ape.project.IndexToken.at(book["index_token"]).previewMint(2 * 10**18)
    for token, amount in zip(tokens, amounts, strict=True):
        deal(payer, token, made.address, amount)
    with key_file(ALIAS, made):
        yield Person(made.address, write_fund(as_yaml(ours)), tmp_path / "book.json")


def carried_out(shell: Terminal, question: str) -> str:
    """Answers one question and one prompt for the password; all that was shown."""
    shell.answer(question, "y")
    shell.answer_hidden("Enter passphrase", PASSWORD)
    assert shell.end() == 0, shell.shown
    assert shell.shown.count("[y/N]") == shell.shown.count("Enter passphrase") == 1, shell.shown
    assert "Sign:" not in shell.shown and "Leave" not in shell.shown
    assert "ETH for gas" in shell.shown
    return shell.shown


def test_each_command_asks_once(person: Person, w3: Web3) -> None:
    index = ape.project.IndexToken.at(Book.load(person.book)["index_token"])

    def nonce() -> int:
        return w3.eth.get_transaction_count(Web3.to_checksum_address(person.address))

    with person.runs("mint", str(person.fund), "1") as shell:
        shown = carried_out(shell, "the mint? [y/N]")
    held = len(index.components())
    assert f"Send {held + 1} transactions, about 0.0" in shown
    assert nonce() == held + 1 and index.balanceOf(person.address) == 10**18

    with person.runs("redeem", str(person.fund), "0.5") as shell:
        assert "Send 1 transaction, about 0.0" in carried_out(shell, "? [y/N]")
    assert nonce() == held + 2 and index.balanceOf(person.address) == 10**18 // 2

    with person.runs("guard", "suspend", str(person.fund), "YFI") as shell:
        assert "(1 transaction, about 0.0" in carried_out(shell, "? [y/N]")
    with person.runs("govern", "act", str(person.fund), "end-month") as shell:
        shell_ended = shell.end()
    assert shell_ended == 1 and "would be refused" in shell.shown  # before anything is asked
    with person.runs("govern", "act", str(person.fund), "resume", "YFI") as shell:
        assert "(1 transaction, about 0.0" in carried_out(shell, "? [y/N]")
    assert nonce() == held + 4

    with person.runs("govern", "methodology", str(person.fund)) as shell:
        assert "Deploy MarketCap (1 transaction, about 0.0" in carried_out(shell, "? [y/N]")
    assert nonce() == held + 5


def test_the_zap_asks_once_for_approval_and_all(person: Person, w3: Web3) -> None:
    index = ape.project.IndexToken.at(Book.load(person.book)["index_token"])
    with person.runs("mint", str(person.fund), "0.2", "--pay", "eth") as shell:
        assert "(1 transaction, about 0.0" in carried_out(shell, "? [y/N]")
    assert index.balanceOf(person.address) == 2 * 10**17
    with person.runs("redeem", str(person.fund), "0.1", "--to", "eth") as shell:
        assert "after 1 approval of the zap (2 transactions, about 0.0" in carried_out(shell, "? [y/N]")
    assert index.balanceOf(person.address) == 10**17
    assert w3.eth.get_transaction_count(Web3.to_checksum_address(person.address)) == 3


def test_a_no_sends_nothing(person: Person, w3: Web3) -> None:
    for command in (("mint", "1"), ("guard", "suspend", "YFI")):
        words = [*command[:-1], str(person.fund), command[-1]]
        with person.runs(*words) as shell:
            shell.answer("? [y/N]", "n")
            assert shell.end() == 1
        assert "passphrase" not in shell.shown
    assert w3.eth.get_transaction_count(Web3.to_checksum_address(person.address)) == 0
