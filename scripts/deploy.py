"""Deploys a fund from its YAML file, seeds it, and writes its address book."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ape
import click
from ape.cli import account_option
from rich.console import Console
from rich.table import Table

from ballast.cli import FundCommand, agree, book_option, default_book, fund_argument
from ballast.deployment.deploy import Bill, deploy_fund
from ballast.deployment.journal import journal_path
from ballast.fund_file import FundConfig, FundError, load_fund
from ballast.networks.presets import network_of
from ballast.values import ether_text
from scripts._found import require_first

LOOKED_AT = 60
"""Number of the account's last nonces searched for a fund of the same name: some three deployments."""


@click.command(cls=FundCommand)
@fund_argument
@account_option()  # type: ignore[untyped-decorator]
@book_option
@click.option(
    "--unsafe",
    is_flag=True,
    help="Let pass, with a warning, what only a fund of your own may do: no timelock delay, one proposer alone, a "
    "notice too short for an override, a feed of another name without a pool to compare, one wei worth more than dust.",
)
@click.option("--another", is_flag=True, help="Deploy it though the account has deployed a fund of this name.")
@click.option("--yes", is_flag=True, help="Do not ask before the first transaction.")
def cli(
    provider: Any, fund: Path, account: Any, book_file: Path | None, unsafe: bool, another: bool, yes: bool
) -> None:
    """Deploy the fund described in the file FUND. Stopped anywhere, the same command goes on from what stands."""
    console = Console()
    config = load_fund(fund)
    target = book_file or default_book(provider, config)
    journal = journal_path(target)
    if target.exists():
        raise FundError(f"address book {target}: exists already; remove it, or name another with --book")
    if not journal.exists() and not another:
        require_first(provider.web3, account.address, config, LOOKED_AT)

    def say(text: str, style: str | None = None) -> None:
        console.print(text, style=style, soft_wrap=True, markup=False, highlight=False)

    def consent(bill: Bill) -> None:
        say(_told(bill, account, config, provider))
        agree(account, "Send them?", yes)

    try:
        book = deploy_fund(
            ape.project,
            account,
            config,
            book_path=target,
            progress=say,
            unsafe=unsafe,
            warn=lambda text: say(text, "yellow"),
            consent=consent,
        )
    except BaseException:  # Ctrl-C too
        if journal.exists():
            say(f"stopped; the same command goes on from what stands (journal: {journal})")
        raise
    table = Table(title=f"{config.name} ({config.symbol}) on chain {book.chain_id}", title_justify="left")
    table.add_column("contract")
    table.add_column("address", overflow="fold")
    for name, address in book.contracts.items():
        table.add_row(name, network_of(book.chain_id).address_url(address) or address)
    console.print(table)


def _told(bill: Bill, account: Any, config: FundConfig, provider: Any) -> str:
    """A summary of what is about to be sent."""
    begun = "going on: " if bill.begun else ""
    rest = bill.transactions - len(bill.contracts)
    price = f"at most about {ether_text(bill.wei)} for gas"
    return (
        f"{config.name} from {account.address} on chain {provider.web3.eth.chain_id}: {begun}{bill.transactions} "
        f"transactions ({len(bill.contracts)} contracts, {rest} approvals and seed), {price}"
    )
