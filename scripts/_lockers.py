"""Reports the largest holders of a candidate, to review which of them are lockers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ape
import click
from eth_utils import to_checksum_address
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from ballast.abi import call_view
from ballast.cli import Deployed, FundCommand, book_option, fund_argument, open_fund
from ballast.fund_file import FundError
from ballast.units import WAD
from ballast.values import decimal, percent
from scripts._holders import MAX_BLOCKS, Holder, holders, inflows, sourced

WIDTH = 120
"""Least columns of the report, also where a pipe has no width: an address that is cut short cannot be looked up."""


@click.command(cls=FundCommand)
@fund_argument
@click.argument("token")
@click.option("--from-block", type=click.IntRange(min=0), help="First block; default: so many BLOCKS back.")
@click.option(
    "--blocks", type=click.IntRange(1, MAX_BLOCKS), default=50_000, show_default=True, help="How many blocks are read."
)
@click.option("--top", type=click.IntRange(1, 100), default=20, show_default=True, help="How many holders are shown.")
@book_option
def lockers(
    provider: Any, fund: Path, token: str, from_block: int | None, blocks: int, top: int, book_file: Path | None
) -> None:
    """Report who holds most of TOKEN, a component of the fund in FUND by symbol or address.

    Looks at whoever was sent any of it in the blocks read, and at the lockers that are known; the balances are those
    of the latest block. Who received nothing in these blocks does not show: read the token's first blocks as well.
    """
    on = open_fund(ape.project, provider, fund, book_file)
    component, head = on.component(token), on.w3.eth.block_number
    first = max(0, head - blocks + 1) if from_block is None else from_block
    last = min(head, first + blocks - 1)
    if first > head:
        raise FundError(f"from-block: found {first}, expected at most the latest block {head}")
    total = call_view(on.w3, component.token, "totalSupply()", ["uint256"], block=head)
    if not total or not total[0]:
        raise FundError(f"token {component.symbol}: does not say how much of it exists")
    known = _known(on, component.token)
    listed = frozenset((*(component.lockers or ()), *_on_chain(on, component.token)))
    console = Console()
    if console.width < WIDTH:
        console = Console(width=WIDTH)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(f"transfers of {component.symbol}", total=last - first + 1)
        taken = inflows(on.w3, component.token, first, last, lambda b: progress.update(task, completed=b - first + 1))
        accounts = tuple(dict.fromkeys((*known, *listed, *taken)))
        reading = progress.add_task("balances", total=len(accounts))
        found = holders(on.w3, component.token, accounts, head, lambda n: progress.update(reading, completed=n))
    title = f"Largest holders of {component.symbol} at block {head}, seen in blocks {first} to {last}"
    console.print(_table(title, found[:top], known, listed, total[0], component.decimals))
    locked = sum(holder.balance for holder in found if holder.account in listed)
    console.print(
        f"{len(listed)} lockers hold {percent(locked * WAD // total[0])} of {decimal(total[0], component.decimals)} "
        f"{component.symbol}; a locker should be one that nobody can empty within a transaction",
        soft_wrap=True,
    )


def _known(on: Deployed, token: str) -> Mapping[str, str]:
    """Names of the accounts to look at whatever they received."""
    names = sourced(token) if on.book.chain_id == 1 else {}
    return {**names, on.book["index_token"]: "this fund"}


def _on_chain(on: Deployed, token: str) -> tuple[str, ...]:
    """The lockers of the token in the fund's contract for computed supplies."""
    source = on.book.contracts.get("locked_supply")
    answer = call_view(on.w3, source, "lockers(address)", ["address[]"], token) if source else None
    return tuple(to_checksum_address(locker) for locker in answer[0]) if answer else ()


def _table(
    title: str,
    found: tuple[Holder, ...],
    known: Mapping[str, str],
    listed: frozenset[str],
    total: int,
    decimals: int,
) -> Table:
    table = Table(title=title, title_justify="left")
    for column in ("holder", "balance", "share", "kind", "locker", "name"):
        table.add_column(column, justify="right" if column in ("balance", "share") else "left")
    for holder in found:
        table.add_row(
            holder.account,
            decimal(holder.balance, decimals),
            percent(holder.balance * WAD // total),
            "contract" if holder.is_contract else "account",
            "yes" if holder.account in listed else "-",
            known.get(holder.account, ""),
        )
    return table
