"""Redeems shares in kind: gives shares, gets a part of every component."""

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
)
from ballast.config import FundError
from ballast.values import WAD, decimal


@click.command(cls=FundCommand)
@fund_argument
@click.argument("shares")
@account_option()  # type: ignore[untyped-decorator]
@click.option("--to", "receiver", help="Who gets the components; default: the account.")
@click.option("--slippage", default="0.1 %", show_default=True, help="How much less than the preview is accepted.")
@click.option("--skip", "skipped", multiple=True, help="Forfeit this component (symbol or address); may be repeated.")
@book_option
def cli(
    provider: Any,
    fund: Path,
    shares: str,
    account: Any,
    receiver: str | None,
    slippage: str,
    skipped: tuple[str, ...],
    book_file: Path | None,
) -> None:
    """Redeem SHARES whole shares (such as 1.5, or "all") of the fund described in the file FUND."""
    console = Console()
    margin = checked_slippage(slippage)
    wanted = None if shares == "all" else checked_shares(shares)
    to = checked_address("to", receiver) if receiver else account.address
    on = open_fund(ape.project, provider, fund, book_file)
    require_funds(on.w3, account.address)
    held = on.shares_of(account.address)
    amount = held if wanted is None else wanted
    if amount == 0 or amount > held:
        raise FundError(
            f"account {account.address}: holds {decimal(held, 18)} shares, expected at least "
            f"{decimal(amount, 18) if amount else 'some'}"
        )
    tokens, amounts = on.index.previewRedeem(amount)
    skip = _skip(on, list(tokens), skipped)
    limits = [0 if skip >> i & 1 else value * (WAD - margin) // WAD for i, value in enumerate(amounts)]
    console.print(_table(on, tokens, amounts, limits, skip))
    receipt = on.index.redeem(amount, to, tokens, limits, skip, sender=account)
    console.print(f"redeemed {decimal(amount, 18)} shares to {to}", soft_wrap=True)
    console.print(f"transaction {receipt.txn_hash}, {receipt.gas_used:,} gas", soft_wrap=True)


def _skip(on: Deployed, tokens: list[str], skipped: tuple[str, ...]) -> int:
    """Bit i set: component i is forfeited."""
    skip = 0
    for key in skipped:
        component = on.component(key)
        if component.token not in tokens:
            raise FundError(f"skip: {component.symbol} is not held now, expected a component of the list")
        skip |= 1 << tokens.index(component.token)
    return skip


def _table(on: Deployed, tokens: list[str], amounts: list[int], limits: list[int], skip: int) -> Table:
    table = Table(title="What the redemption pays", title_justify="left")
    table.add_column("component")
    table.add_column("amount", justify="right")
    table.add_column("at least", justify="right")
    for i, (token, amount, limit) in enumerate(zip(tokens, amounts, limits, strict=True)):
        symbol, decimals = on.named(token)
        forfeited = skip >> i & 1
        table.add_row(
            symbol,
            "forfeited" if forfeited else decimal(amount, decimals),
            "-" if forfeited else decimal(limit, decimals),
        )
    return table
