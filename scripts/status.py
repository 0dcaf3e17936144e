"""Shows a fund as it stands: what it holds, what a share is worth, and what is due next."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ape
import click
from rich.console import Console
from rich.table import Table

from ballast.cli import Deployed, FundCommand, book_option, dollars, fund_argument, open_fund
from ballast.reference import usd
from ballast.values import WAD, decimal

PHASES = ("idle", "determined", "vetoed", "trading")
ACTIONS = ("nothing", "determine", "start", "trade", "close")
REASONS = (
    "due",
    "the fund's lock is held",
    "paused",
    "not seeded",
    "not yet",
    "too late in the period",
    "vetoed",
    "done",
    "refused",
)


@click.command(cls=FundCommand)
@fund_argument
@book_option
def cli(provider: Any, fund: Path, book_file: Path | None) -> None:
    """Show the fund described in the file FUND as it stands now."""
    console = Console()
    on = open_fund(ape.project, provider, fund, book_file)
    state = on.lens.fund(on.book["rebalancer"])
    console.print(_holdings(on, state))
    console.print(_summary(on, state))


def _holdings(on: Deployed, state: Any) -> Table:
    table = Table(title=f"{on.config.name} ({on.config.symbol}) at {_time(state.time)}", title_justify="left")
    table.add_column("component")
    for column in ("unit", "price", "weight", "target unit"):
        table.add_column(column, justify="right")
    supply = int(state.supply) or 1
    values = [usd(h.balance, h.price, h.decimals) for h in state.holdings]
    nav = sum(values) or 1
    for holding, value in zip(state.holdings, values, strict=True):
        symbol, decimals = on.named(holding.token)
        target = holding.target[1]  # the unit; Ape gives a struct within a list's struct as a plain tuple
        table.add_row(
            symbol + (" (retired)" if holding.retired else ""),
            decimal(holding.balance * WAD // supply, decimals),
            dollars(holding.price) if holding.price else "none",
            f"{value * 10_000 // nav / 100:.2f} %",
            decimal(target, decimals) if target else "-",
        )
    return table


def _summary(on: Deployed, state: Any) -> Table:
    nav = sum(usd(h.balance, h.price, h.decimals) for h in state.holdings)
    table = Table(show_header=False)
    table.add_column()
    table.add_column()
    table.add_row("supply", f"{decimal(state.supply, 18)} shares")
    table.add_row("NAV", f"{dollars(nav)}, {dollars(nav * WAD // int(state.supply))} a share" if state.supply else "-")
    table.add_row("period", f"{state.period // 12}-{state.period % 12 + 1:02d}, {PHASES[state.month.phase]}")
    when = f", next look {_time(state.next)}" if state.next else ""
    table.add_row("due now", f"{ACTIONS[state.action]} ({REASONS[state.reason]}){when}")
    if state.month.phase == PHASES.index("trading"):
        left = f"{state.progress.surplus * 100 / WAD:.3f} % of NAV left to sell"
        table.add_row("trading", f"{left}, capacity {state.capacity * 100 / WAD:.2f} %")
    table.add_row("index token", str(on.book["index_token"]))
    return table


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
