"""Mints shares in kind: gives a part of every component, gets shares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ape
import click
from ape.cli import account_option
from rich.console import Console
from rich.table import Table

from ballast.cli import (
    Deployed,
    FundCommand,
    book_option,
    checked_address,
    checked_shares,
    checked_slippage,
    fund_argument,
    open_fund,
    require_funds,
    require_tokens,
)
from ballast.deploy import approve
from ballast.fund_file import FundError
from ballast.units import WAD
from ballast.values import decimal
from keeper.look.lens import read_fund
from keeper.output.condition import condition


@click.command(cls=FundCommand)
@fund_argument
@click.argument("shares")
@account_option()  # type: ignore[untyped-decorator]
@click.option("--to", "receiver", help="Who gets the shares; default: the account.")
@click.option("--slippage", default="0.1 %", show_default=True, help="How much more than the preview may be taken.")
@book_option
def cli(
    provider: Any, fund: Path, shares: str, account: Any, receiver: str | None, slippage: str, book_file: Path | None
) -> None:
    """Mint SHARES whole shares (such as 1.5) of the fund described in the file FUND."""
    console = Console()
    wanted, margin = checked_shares(shares), checked_slippage(slippage)
    to = checked_address("to", receiver) if receiver else account.address
    on = open_fund(ape.project, provider, fund, book_file)
    require_funds(on.w3, account.address)
    tokens, amounts, blocked = on.index.previewMint(wanted)
    if blocked:
        raise FundError(_closed(on, blocked))
    limits = [-(-amount * (WAD + margin) // WAD) for amount in amounts]
    require_tokens(on, account.address, tokens, limits)
    console.print(_table(on, tokens, amounts, limits))
    before = on.shares_of(to)
    with console.status("approving") as status:
        for token, limit in zip(tokens, limits, strict=True):
            approve(account, token, on.index.address, limit)
        status.update("minting")
        receipt = on.index.mint(wanted, to, tokens, limits, sender=account)
    console.print(f"minted {decimal(on.shares_of(to) - before, 18)} shares to {to}", soft_wrap=True)
    console.print(f"transaction {receipt.txn_hash}, {receipt.gas_used:,} gas", soft_wrap=True)


def _closed(on: Deployed, blocked: int) -> str:
    """Why nobody can mint: the components, as bits, whose state stops it."""
    state = read_fund(on.w3, on.book)
    stopping = [f"{on.named(h.token)[0]} ({condition(state, h)})" for h in state.holdings if blocked >> h.index & 1]
    return f"mint: nobody can mint now because of {', '.join(stopping)}; wait until that has ended"


def _table(on: Deployed, tokens: list[str], amounts: list[int], limits: list[int]) -> Table:
    table = Table(title="What the mint takes", title_justify="left")
    table.add_column("component")
    table.add_column("amount", justify="right")
    table.add_column("at most", justify="right")
    for token, amount, limit in zip(tokens, amounts, limits, strict=True):
        symbol, decimals = on.named(token)
        table.add_row(symbol, decimal(amount, decimals), decimal(limit, decimals))
    return table
