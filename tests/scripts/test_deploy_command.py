"""`ape run deploy` as a person runs it: one consent, one password, Ctrl-C, a kill, a node that fails."""

from __future__ import annotations

import os
import signal
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
from ballast.deployment.journal import DeploymentJournal, journal_path
from ballast.fund_file import FundConfig
from lab.localnet.market import Market
from lab.testbed.funding import as_yaml, deal
from tests.keeper.endpoints import KEY, SEND, EndpointProxy, endpoint
from tests.scripts.conftest import WriteFund
from tests.scripts.terminal import CTRL_C, PASSWORD, Terminal, key_file, terminal

ALIAS = "ballast-test-deployer"
COMPONENTS = 4
"""As few as a cap of 25 % allows."""


@dataclass(frozen=True)
class Person:
    """Somebody with an encrypted key file that Ape knows, and all that the fund takes."""

    address: str
    fund: Path
    book: Path

    def deploys(self, url: str, *options: str) -> AbstractContextManager[Terminal]:
        command = ["ape", "run", "deploy", str(self.fund), "--book", str(self.book), "--account", ALIAS]
        inherited = {name: value for name, value in os.environ.items() if name != "SOLCX_BINARY_PATH"}
        return terminal([*command, "--rpc", url, *options], inherited)


@pytest.fixture
def person(config: FundConfig, write_fund: WriteFund, market: Market, tmp_path: Path) -> Iterator[Person]:
    small = config.model_copy(update={"components": config.components[:COMPONENTS]})
    market.post_feeds()
    made, payer = Account.create(), ape.accounts.test_accounts[3]
    payer.transfer(made.address, 10**18)
    for component, amount in zip(small.seeded(), small.seed_amounts(), strict=True):
        deal(payer, component.token, made.address, amount)
    with key_file(ALIAS, made):
        yield Person(made.address, write_fund(as_yaml(small)), tmp_path / "book.json")


@pytest.fixture
def proxy() -> Iterator[EndpointProxy]:
    provider: Any = ape.networks.active_provider
    with endpoint(str(provider.http_uri)) as found:
        yield found


def agrees(shell: Terminal) -> None:
    shell.answer("Send them? [y/N]", "y")
    shell.answer_hidden("Enter passphrase", PASSWORD)


def test_ctrl_c_and_a_kill_and_again(person: Person, proxy: EndpointProxy, w3: Web3) -> None:
    """Each run asks twice in all, whatever it sends."""
    shells: list[Terminal] = []

    def at_send(number: int, do: Any) -> None:
        first = proxy.methods.count(SEND)

        def before(_trip: tuple[str, ...]) -> None:
            if proxy.methods.count(SEND) == first + number and _trip == (SEND,):
                do(shells[-1])

        proxy.before = before

    at_send(4, lambda shell: shell.type(CTRL_C))
    with person.deploys(proxy.url) as shell:
        shells.append(shell)
        agrees(shell)
        assert shell.end() == 128 + signal.SIGINT
    assert "stopped; the same command goes on from what stands" in shell.shown
    assert "Traceback" not in shell.shown

    at_send(5, Terminal.kill)
    with person.deploys(proxy.url) as shell:
        shells.append(shell)
        agrees(shell)
        assert shell.end() == -signal.SIGKILL
    assert not person.book.exists()

    proxy.before = None
    with person.deploys(proxy.url) as shell:
        shells.append(shell)
        agrees(shell)
        assert shell.end() == 0, shell.shown
    book = Book.load(person.book)
    index = ape.project.IndexToken.at(book["index_token"])
    assert index.balanceOf(person.address) > 0
    journal = DeploymentJournal.load(journal_path(person.book))
    assert journal is not None
    assert (
        w3.eth.get_transaction_count(Web3.to_checksum_address(person.address))
        == len({sent.nonce for sent in journal.sent})
        == len({sent.step for sent in journal.sent})
    )
    for one in shells:
        assert one.shown.count("Send them?") == one.shown.count("Enter passphrase") == 1
        assert "Sign:" not in one.shown and "Leave" not in one.shown and KEY not in one.shown
    assert f"{len(book.contracts)} contracts" in shells[0].shown
    assert "going on: " in shells[1].shown and "going on: " in shells[2].shown


def test_a_no_sends_nothing(person: Person, proxy: EndpointProxy) -> None:
    with person.deploys(proxy.url) as shell:
        shell.answer("Send them? [y/N]", "n")
        assert shell.end() == 1
    assert SEND not in proxy.methods
    assert not person.book.exists() and not journal_path(person.book).exists()


def test_a_node_that_refuses_and_one_that_dies(person: Person, proxy: EndpointProxy) -> None:
    proxy.fails = 429
    with person.deploys(proxy.url, "--yes") as shell:
        assert shell.end() == 1
    lines = [line for line in shell.shown.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1 and "its limit is used up (HTTP 429)" in lines[0]

    proxy.fails = None

    def dies(trip: tuple[str, ...]) -> None:
        if proxy.methods.count(SEND) == 3:
            proxy.fails = 502

    proxy.before = dies
    with person.deploys(proxy.url, "--yes") as shell:
        shell.answer_hidden("Enter passphrase", PASSWORD)
        assert shell.end() == 1
    assert proxy.methods.count(SEND) >= 3
    lines = [line for line in shell.shown.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1 and "is out of order for now (HTTP 502)" in lines[0], shell.shown
    assert "the same command goes on from what stands" in shell.shown
    assert KEY not in shell.shown
