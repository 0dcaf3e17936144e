"""A fund on a test network that needs nothing but test ether: test tokens, feeds, pools and the fund, from one file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ape
import click
from ape.cli import account_option
from web3 import Web3

from ballast.abi import call_view, encode_call
from ballast.book import Book
from ballast.cli import FundCommand, agree, book_option, checked_address, default_book
from ballast.costs import cost_of, lacks_ether, require_none
from ballast.deployment.deploy import sender_of
from ballast.deployment.journal import journal_path
from ballast.fund_file import FundError
from ballast.networks.presets import network_of
from ballast.values import decimal, ether_text, time_text
from sandbox.book import SandboxBook
from sandbox.plan import fund_of, imagined, load_plan
from sandbox.up import Bill, Files, require_standing, require_test_network, sandbox_up

PLAN = Path("funds/sandbox.yaml")

Say = Callable[[str], None]

plan_argument = click.argument("plan", type=click.Path(path_type=Path), default=PLAN)


@click.group()
def cli() -> None:
    """Make a whole market and a fund on a test network."""


@cli.command(cls=FundCommand)
@plan_argument
@account_option()  # type: ignore[untyped-decorator]
@book_option
@click.option("--yes", is_flag=True, help="Do not ask before the first transaction.")
def up(provider: Any, plan: Path, account: Any, book_file: Path | None, yes: bool) -> None:
    """Make the sandbox of the file PLAN (funds/sandbox.yaml). Stopped anywhere, the same command goes on."""
    require_test_network(provider.web3.eth.chain_id)
    found = load_plan(plan)
    files = _files(provider, found, book_file)

    def consent(bill: Bill) -> None:
        click.echo(_told(bill, account, len(found.components), provider))
        agree(account, "Send them?", yes)

    try:
        book = sandbox_up(
            ape.project,
            account,
            found,
            files,
            progress=click.echo,
            warn=lambda text: click.secho(text, fg="yellow"),
            consent=consent,
        )
    except BaseException:  # Ctrl-C too
        if journal_path(files.sandbox).exists() and not files.sandbox.exists():
            click.echo(f"stopped; the same command goes on from what stands (journal: {journal_path(files.sandbox)})")
        raise
    _tell(click.echo, book, files)
    click.echo(f"sandbox book: {files.sandbox}")
    click.echo("next:")
    for command, purpose in _next(files, account.alias or "ME"):
        click.echo(f"  {command}\n      {purpose}")


def _next(files: Files, alias: str) -> Sequence[tuple[str, str]]:
    """The next commands, and what each is for. The node's URL may hold a key, so it is not shown."""
    market = f"python -m sandbox market --account {alias} --book {files.sandbox}"
    options = f"--book {files.fund_book} --rpc URL --account {alias}"
    return (
        (f"python -m keeper init --rpc URL --book {files.fund_book}", "settings of keeper and market, a keeper's key"),
        (market, "in a terminal of its own: moves the prices, posts the feeds, has the pools follow"),
        ("python -m keeper run", "in a terminal of its own: carries the fund through its periods"),
        (f"ape run sandbox claim {options}", "test tokens from every faucet"),
        (f"ape run mint {files.fund} 1 {options}", "a share, in kind"),
    )


@cli.command(cls=FundCommand)
@plan_argument
@book_option
def status(provider: Any, plan: Path, book_file: Path | None) -> None:
    """Show what stands of the sandbox of the file PLAN."""
    files = _files(provider, load_plan(plan), book_file)
    _tell(click.echo, _standing(provider, files), files)


@cli.command(cls=FundCommand)
@plan_argument
@account_option()  # type: ignore[untyped-decorator]
@book_option
@click.option("--to", "receiver", help="Who gets them; default: the account.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def claim(provider: Any, plan: Path, account: Any, book_file: Path | None, receiver: str | None, yes: bool) -> None:
    """Claim test tokens from every faucet that gives some now."""
    w3: Web3 = provider.web3
    to = account.address if receiver is None else checked_address("to", receiver)
    book = _standing(provider, _files(provider, load_plan(plan), book_file))
    _require_open(w3, book, to)
    before, data = _held(w3, book, to), encode_call("claimAll(address)", to)
    cost = cost_of(w3, account.address, [(book.market, data)])
    require_none(lacks_ether(w3, account.address, cost.wei))
    agree(account, f"Claim for {to} ({cost})?", yes)
    sender_of(account, "claim", None, click.echo).send("claim", data, book.market)
    for asset, had, has in zip(book.assets, before, _held(w3, book, to), strict=True):
        given = f"{decimal(has - had, asset.decimals)} {asset.symbol}" if has > had else f"no {asset.symbol} yet"
        click.echo(given)


def _standing(provider: Any, files: Files) -> SandboxBook:
    """The book of a sandbox that is deployed on the connected chain. Raises FundError."""
    if provider.network.name == "local" and not files.sandbox.exists():
        raise FundError(
            f"{files.sandbox}: no such file, as this is Ape's own chain; name the sandbox's node with --rpc"
        )
    book = SandboxBook.load(files.sandbox)
    require_standing(provider.web3, book)
    return book


def _require_open(w3: Web3, book: SandboxBook, account: str) -> None:
    """Raises FundError where no faucet gives the account anything now."""
    found = [call_view(w3, asset.token, "claimableFrom(address)", ["uint256"], account) for asset in book.assets]
    first = min(int(answer[0]) if answer else 0 for answer in found)
    if first > int(w3.eth.get_block("latest")["timestamp"]):
        raise FundError(f"claim: every faucet gave {account} already, the first gives again from {time_text(first)}")


def _held(w3: Web3, book: SandboxBook, account: str) -> list[int]:
    """Balances of all test tokens, token wei."""
    found = [call_view(w3, asset.token, "balanceOf(address)", ["uint256"], account) for asset in book.assets]
    return [int(answer[0]) if answer else 0 for answer in found]


def _files(provider: Any, plan: Any, book_file: Path | None) -> Files:
    config = fund_of(plan, imagined(plan, provider.web3.eth.chain_id))
    return Files(book_file or default_book(provider, config))


def _told(bill: Bill, account: Any, components: int, provider: Any) -> str:
    """A summary of what is about to be sent."""
    begun = "going on: " if bill.begun else ""
    parts = f"{components} test tokens with feeds and pools, and their fund"
    also = ", Uniswap V2 too" if bill.own_exchange else ""
    return (
        f"sandbox of {parts}{also}, from {account.address} on chain {provider.web3.eth.chain_id}: {begun}"
        f"{bill.transactions} transactions, at most about {bill.gas:,} gas, {ether_text(bill.wei)} at the price now; "
        "a fund to try out, not for money: its roles are all this account's, its notice is short (warnings will say so)"
    )


def _tell(say: Say, book: SandboxBook, files: Files) -> None:
    """Prints the addresses, each in a line that can be copied whole, with their pages in the network's explorer."""

    def tell(name: str, address: str, more: str = "") -> None:
        say(f"{name:10} {address}{more}")
        if (url := network_of(book.chain_id).address_url(address)) is not None:
            say(f"{'':10} {url}")

    for asset in book.assets:
        pool = f"  pool {asset.pair}" if asset.pair else "  in place of WETH"
        tell(asset.symbol, asset.token, f"  feed {asset.feed}{pool}")
    for name in ("market", "factory", "router", "operator"):
        tell(name, getattr(book, name))
    fund = Book.load(files.fund_book)
    for key, name in (("index_token", "shares"), ("rebalancer", "rebalancer"), ("timelock", "timelock")):
        tell(name, fund[key])
    say(f"fund       {files.fund} and {files.fund_book}")
