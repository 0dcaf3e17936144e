"""Deploys a fund that is described in a YAML file, seeds it, and writes its address book."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ape
import click
from ape.cli import account_option
from rich.console import Console
from rich.table import Table

from ballast.cli import FundCommand, book_option, default_book, fund_argument
from ballast.deploy import deploy_fund
from ballast.fund_file import FundError, load_fund


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
def cli(provider: Any, fund: Path, account: Any, book_file: Path | None, unsafe: bool) -> None:
    """Deploy the fund described in the file FUND."""
    console = Console()
    config = load_fund(fund)
    target = book_file or default_book(provider, config)
    if target.exists():
        raise FundError(f"address book {target}: exists already; remove it, or name another with --book")
    with console.status("deploying") as status:
        book = deploy_fund(
            ape.project,
            account,
            config,
            book_path=target,
            progress=status.update,
            unsafe=unsafe,
            warn=lambda text: console.print(text, style="yellow", soft_wrap=True, markup=False),
        )
    table = Table(title=f"{config.name} ({config.symbol}) on chain {book.chain_id}", title_justify="left")
    table.add_column("contract")
    table.add_column("address")
    for name, address in book.contracts.items():
        table.add_row(name, address)
    console.print(table)
    console.print(f"address book: {target}", soft_wrap=True)
