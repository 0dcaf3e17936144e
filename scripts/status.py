"""Shows a fund as it stands: what it holds, what a share is worth, and what is due next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ape
import click
from rich.console import Console
from rich.table import Table

from ballast.cli import Deployed, FundCommand, book_option, dollars, fund_argument, open_fund
from ballast.values import WAD, decimal
from keeper.look.lens import read_fund
from keeper.output.condition import condition
from keeper.output.tables import percent, period_text, weight, when
from keeper.state import FundState, Phase

PHASES = ("idle", "determined", "vetoed", "trading", "void, to be determined again")
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
    state = read_fund(on.w3, on.book)
    console.print(_holdings(on, state))
    console.print(_summary(on, state))
    for holding in state.holdings:
        if not state.counts(holding):
            symbol = on.named(holding.token)[0]
            console.print(
                f"{symbol} counts for nothing in NAV and weights: {condition(state, holding)}", soft_wrap=True
            )


def _holdings(on: Deployed, state: FundState) -> Table:
    table = Table(title=f"{on.config.name} ({on.config.symbol}) at {when(state.time)}", title_justify="left")
    table.add_column("component")
    for column in ("unit", "price", "weight", "target unit"):
        table.add_column(column, justify="right")
    table.add_column("state")
    for holding in state.holdings:
        symbol, decimals = on.named(holding.token)
        unit = holding.balance * WAD // (state.supply or 1)
        table.add_row(
            symbol,
            decimal(unit, decimals) if holding.sound else "not readable",
            dollars(holding.price) if holding.price else "none",
            percent(weight(state, holding, holding.balance)),
            decimal(holding.unit, decimals) if holding.unit else "-",
            condition(state, holding),
        )
    return table


def _summary(on: Deployed, state: FundState) -> Table:
    table = Table(show_header=False)
    table.add_column()
    table.add_column()
    table.add_row("supply", f"{decimal(state.supply, 18)} shares")
    without = [on.named(h.token)[0] for h in state.holdings if not state.counts(h)]
    nav = f"{dollars(state.nav)}, {dollars(state.nav * WAD // state.supply)} a share" if state.supply else "-"
    table.add_row("NAV", nav + (f", without {', '.join(without)}" if without else ""))
    table.add_row("period", f"{period_text(state.period)}, {PHASES[state.phase]}")
    next_look = f", next look {when(state.next)}" if state.next else ""
    table.add_row("due now", f"{ACTIONS[state.action]} ({REASONS[state.reason]}){next_look}")
    if state.phase is Phase.TRADING:
        left = percent(state.progress.surplus, 3)
        table.add_row("trading", f"{left} of NAV left to sell, capacity {percent(state.capacity)}")
    table.add_row("index token", str(on.book["index_token"]))
    return table
