"""Publishes the sources of a deployed fund's contracts on Etherscan and Sourcify, which compile and compare them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from dotenv import dotenv_values
from rich.console import Console
from rich.table import Table
from web3 import Web3

from ballast.book import Book
from ballast.cli import FundCommand, book_option, default_book, fund_argument
from ballast.deployment.journal import DeploymentJournal, journal_path
from ballast.fund_file import FundError, load_fund
from ballast.networks.presets import Network, network_of
from ballast.verification.compiler_input import Compiled, compiled, made_by, standard_input
from ballast.verification.creation_transactions import Creation, creations
from ballast.verification.services import (
    ETHERSCAN,
    POLL_S,
    SOURCIFY,
    Etherscan,
    Job,
    Said,
    Sourcify,
    Verdict,
    Verifier,
    VerifyError,
    verify,
)

KEY = "ETHERSCAN_API_KEY"
DONE = (Verdict.VERIFIED, Verdict.ALREADY)
NAMES = ("etherscan", "sourcify")


@click.command(cls=FundCommand)
@fund_argument
@click.option("--on", "wanted", type=click.Choice(NAMES), multiple=True, help="Only there; default: both.")
@click.option("--etherscan-url", default=ETHERSCAN, show_default=True, help="Of an API that answers as Etherscan's v2.")
@click.option("--sourcify-url", default=SOURCIFY, show_default=True, help="Of a Sourcify server.")
@click.option("--contract", "only", multiple=True, metavar="NAME", help="Only this one, by its name in the book.")
@click.option("--poll", type=click.FloatRange(min=0), default=POLL_S, show_default=True, help="Seconds between looks.")
@book_option
def cli(
    provider: Any,
    fund: Path,
    wanted: tuple[str, ...],
    etherscan_url: str,
    sourcify_url: str,
    only: tuple[str, ...],
    poll: float,
    book_file: Path | None,
) -> None:
    """Verify the sources of all contracts of FUND's address book. Sends no transaction.

    Etherscan takes an API key, ETHERSCAN_API_KEY in the environment or in .env. What is verified already is done: a run
    that was stopped is begun again.
    """
    console, config, w3 = Console(), load_fund(fund), provider.web3
    target = book_file or default_book(provider, config)
    book, chain_id = Book.load(target), int(w3.eth.chain_id)
    if book.chain_id != chain_id:
        raise FundError(f"chain id: this chain is {chain_id}, the address book is for {book.chain_id}")
    if unknown := [name for name in only if name not in book.contracts]:
        raise FundError(f"contract {unknown[0]!r}: not in the book, which has {', '.join(book.contracts)}")
    if only:
        book = replace(book, contracts={name: at for name, at in book.contracts.items() if name in only})
    urls = {"etherscan": etherscan_url, "sourcify": sourcify_url}
    verifiers = _verifiers(network_of(chain_id), wanted, urls, lambda text: _say(console, text, "yellow"))
    contracts = compiled()
    _say(console, "looking for the transactions that created the contracts")
    jobs = _jobs(w3, book, DeploymentJournal.load(journal_path(target)), contracts)
    found: dict[str, dict[str, Said]] = {name: {} for name in book.contracts}
    try:
        for name, job in jobs.items():
            for verifier in verifiers:
                said = job if isinstance(job, Said) else verify(verifier, job, poll_s=poll)
                found[name][verifier.name] = said
                _say(console, f"{name}: {verifier.name}: {said.verdict}{_because(said)}")
    finally:  # results so far, after Ctrl-C and errors too
        console.print(_table(book, [verifier.name for verifier in verifiers], found, jobs))
    left = [name for name, saids in found.items() if any(said.verdict not in DONE for said in saids.values())]
    if left:
        raise VerifyError(f"not verified: {', '.join(left)}; what was pending may be now: run the same command again")


def _say(console: Console, text: str, style: str | None = None) -> None:
    console.print(text, style=style, soft_wrap=True, markup=False, highlight=False)


def _verifiers(network: Network, wanted: Sequence[str], urls: Mapping[str, str], warn: Any) -> list[Verifier]:
    """The verifiers that serve the network. Raises VerifyError where there is none, or a wanted one lacks its key."""
    key = os.environ.get(KEY) or dotenv_values(".env").get(KEY) or ""
    found: list[Verifier] = []
    for name, serves, own in (
        ("etherscan", network.etherscan, ETHERSCAN),
        ("sourcify", network.sourcify, SOURCIFY),
    ):
        if wanted and name not in wanted:
            continue
        if not serves and urls[name] == own:
            warn(f"{name}: not known to serve {network.name}, left out; name another server with --{name}-url")
        elif name == "sourcify":
            found.append(Sourcify(urls[name]))
        elif key:
            found.append(Etherscan(key, urls[name]))
        elif wanted:
            raise VerifyError(f"{KEY}: not set; put it into the environment or .env (a free key: etherscan.io/apis)")
        else:
            warn(f"etherscan: left out, as {KEY} is not set (environment or .env; a free key: etherscan.io/apis)")
    if not found:
        raise VerifyError(f"{network.name}: nothing left to verify with")
    return found


def _jobs(
    w3: Web3, book: Book, journal: DeploymentJournal | None, contracts: tuple[Compiled, ...]
) -> dict[str, Job | Said]:
    """The job of each contract; where there is none, why."""
    created = creations(w3, book, journal)
    return {
        name: _job(book.chain_id, address, created.get(name), contracts) for name, address in book.contracts.items()
    }


def _job(chain_id: int, address: str, creation: Creation | None, contracts: tuple[Compiled, ...]) -> Job | Said:
    if creation is None:
        return Said(
            Verdict.FAILED,
            "the transaction that created it is neither in the journal nor in the blocks of the deployment; "
            "use a node that keeps old blocks",
        )
    contract = made_by(creation.code, contracts)
    if contract is None:
        return Said(Verdict.FAILED, "this build did not make it; take the release that it was deployed with")
    arguments = creation.code[len(contract.creation) :]
    given = standard_input(contract)
    return Job(chain_id, address, contract.identifier, contract.compiler, given, arguments, creation.hash)


def _because(said: Said) -> str:
    return f" ({said.words})" if said.words and said.verdict not in DONE else ""


def _table(
    book: Book, verifiers: Iterable[str], found: Mapping[str, Mapping[str, Said]], jobs: Mapping[str, Job | Said]
) -> Table:
    network = network_of(book.chain_id)
    table = Table(title=f"{book.fund} on {network.name}", title_justify="left")
    for column in ("contract", "source", "address", *verifiers):
        table.add_column(column, overflow="fold")
    for name, address in book.contracts.items():
        job = jobs[name]
        source = job.identifier.rpartition(":")[2] if isinstance(job, Job) else ""
        saids = found[name]
        verdicts = [str(saids[one].verdict) if one in saids else "" for one in verifiers]
        table.add_row(name, source, network.address_url(address) or address, *verdicts)
    return table
