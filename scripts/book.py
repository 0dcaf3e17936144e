"""Writes the address book of a fund that is deployed on the chain, found there by the code of its contracts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ballast.book import Book
from ballast.cli import FundCommand, book_option, checked_address, default_book, fund_argument
from ballast.deployment.journal import DeploymentJournal, journal_path
from ballast.fund_file import FundConfig, FundError, load_fund
from scripts._found import created_by, indexes_of, rebuilt


@click.command(cls=FundCommand)
@fund_argument
@click.option("--deployer", help="The account that deployed the fund; default: that of the journal beside the book.")
@click.option("--index", help="The index token, where the account has deployed several funds of the name.")
@click.option("--block", type=click.IntRange(min=0), help="One before the deployment, for a node without old states.")
@book_option
def cli(
    provider: Any,
    fund: Path,
    deployer: str | None,
    index: str | None,
    block: int | None,
    book_file: Path | None,
) -> None:
    """Write the address book of FUND anew from the chain, if it is lost. Sends nothing.

    Looks through the contracts that the deployer has created; takes those of this release that name each other. A book
    that is there already is held against them, and stays.
    """
    console, config = Console(), load_fund(fund)
    w3, target = provider.web3, book_file or default_book(provider, config)
    if w3.eth.chain_id != config.chain_id:
        raise FundError(f"chain id: this chain is {w3.eth.chain_id}, the fund {config.slug!r} is for {config.chain_id}")
    account = _deployer(deployer, target)
    created = list(created_by(w3, account, told=console.print))
    found = rebuilt(w3, created, _index(indexes_of(w3, created, config), index, account, config), config, block)
    if target.exists():
        _compare(Book.load(target), found, target)
        console.print(f"address book {target}: as the chain has it", soft_wrap=True)
        return
    found.save(target)
    console.print(f"address book: {target}", soft_wrap=True)


def _deployer(given: str | None, target: Path) -> str:
    if given is not None:
        return checked_address("deployer", given)
    journal = DeploymentJournal.load(journal_path(target))
    if journal is None:
        raise FundError("deployer: none given, and no journal beside the address book; name it with --deployer")
    return journal.deployer


def _index(found: list[str], wanted: str | None, account: str, config: FundConfig) -> str:
    if wanted is not None:
        found = [one for one in found if one == checked_address("index", wanted)]
    if not found:
        raise FundError(f"deployer: {account} has created no index token {wanted or ''} of {config.name!r} here")
    if len(found) > 1:
        raise FundError(f"index: {account} has deployed {len(found)} of {config.name!r}, name one: {', '.join(found)}")
    return found[0]


def _compare(book: Book, found: Book, target: Path) -> None:
    names = {*book.contracts, *found.contracts}
    other = sorted(name for name in names if book.contracts.get(name) != found.contracts.get(name))
    if other:
        raise FundError(
            f"address book {target}: {', '.join(other)} differ from what the chain has; remove it, or name another "
            "file with --book, and it is written anew"
        )
