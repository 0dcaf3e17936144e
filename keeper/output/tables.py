"""Formats fund and plan as tables and as JSON. Numbers become decimals only here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ballast.book import Book
from ballast.networks.presets import network_of
from ballast.units import GWEI, HOUR_S, WAD
from ballast.values import decimal, percent, time_text
from keeper.output.condition import condition, without
from keeper.plan.batch import Batch, Leg
from keeper.plan.planner import Plan
from keeper.plan.slices import Lot
from keeper.pools.market import Route
from keeper.state import FundState, Holding, Phase, Reason, Side
from keeper.view import View

_PHASE_TEXTS = {Phase.VOIDED: "voided, to be determined again"}
_REASON_TEXTS = {Reason.LOCKED: "the fund's lock is held", Reason.TOO_LATE: "too late in the period"}
"""Texts where the contracts' own names are not clear enough."""


def fund_json(view: View, book: Book) -> dict[str, Any]:
    """The fund as JSON types; integers as decimal strings, in the contracts' units."""
    s = view.state
    return {
        "fund": book.fund,
        "block": s.block,
        "time": s.time,
        "phase": s.phase.name.lower(),
        "period": s.label_of(s.period),
        "action": s.action.name.lower(),
        "reason": s.reason.name.lower(),
        "next": s.next,
        "index_token": book["index_token"],
        "total_value_usd": str(s.total_value),
        "share_usd": str(s.nav) if s.supply else None,
        "nav_without": without(s, book.symbol),
        "supply": str(s.supply),
        "eth_usd": str(view.market.eth_price),
        "bucket": {"idle": s.idle, "capacity": str(s.capacity), "tolerance": str(s.tolerance)},
        "progress": {
            "surplus": str(s.progress.surplus),
            "held": str(s.progress.held),
            "buy_targets": str(s.opening.buy_targets),
            "spent": str(s.progress.spent),
        },
        "components": [
            {
                "symbol": symbol(book, h),
                "token": h.token,
                "side": h.side.name.lower(),
                "condition": condition(s, h),
                "counts": s.counts(h),
                "balance": str(h.balance),
                "unit": str(unit(s, h)),
                "target_unit": str(h.unit) if h.unit else None,
                "target": str(s.target_balance(h)) if s.phase is Phase.TRADING else None,
                "price_usd": str(h.price),
                "trade_price_usd": str(h.trade_price or h.price),
                "weight": str(weight(s, h, h.balance)),
            }
            for h in s.holdings
        ],
    }


def plan_json(view: View, book: Book) -> dict[str, Any]:
    """The plan as JSON types; USD with 18 decimals as decimal strings."""
    s, p = view.state, view.plan
    return {
        "fund": book.fund,
        "block": s.block,
        "time": s.time,
        "action": s.action.name.lower(),
        "reason": s.reason.name.lower(),
        "next": s.next,
        "gas_price": str(view.gas_price),
        "plan": None if p is None else _plan_json(p, s, book),
    }


def _plan_json(p: Plan, state: FundState, book: Book) -> dict[str, Any]:
    return {
        "batches": p.batches,
        "possible_from": p.possible_from,
        "why": p.why,
        "interval": p.interval,
        "finish": p.finish,
        "cost_usd": str(p.cost),
        "fees_usd": str(p.fees),
        "impact_usd": str(p.impact),
        "gas": p.gas,
        "gas_usd": str(p.gas_cost),
        "components": [
            {
                "symbol": symbol(book, lot.work.holding),
                "side": lot.work.holding.side.name.lower(),
                "slices": lot.slices,
                "value_usd": str(lot.value),
                "fees_usd": str(lot.fees),
                "impact_usd": str(lot.impact),
                "gas": lot.gas * lot.slices,
            }
            for lot in p.lots
        ],
        "batch": None if p.batch is None else _batch_json(p, p.batch, [symbol(book, h) for h in state.holdings]),
    }


def _batch_json(plan: Plan, batch: Batch, symbols: Sequence[str]) -> dict[str, Any]:
    """The next batch as JSON types. `symbols`: those of the fund's components."""
    return {
        "value_out_usd": str(batch.outcome.value_out),
        "value_in_usd": str(batch.outcome.value_in),
        "min_value_in_usd": str(plan.min_value_in),
        "share_of_nav": str(batch.outcome.share),
        "gas": batch.gas,
        "sells": [_leg_json(leg, symbols) for leg in batch.sells],
        "buys": [_leg_json(leg, symbols) for leg in batch.buys],
        "direct": [
            {"sell": symbols[cross.sell], "buy": symbols[cross.buy], "swaps": _swaps_json(cross.route)}
            for cross in batch.crosses
        ],
    }


def _leg_json(leg: Leg, symbols: Sequence[str]) -> dict[str, Any]:
    return {"symbol": symbols[leg.index], "amount": str(leg.amount), "swaps": _swaps_json(leg.route)}


def _swaps_json(route: Route) -> list[dict[str, str]]:
    return [
        {"venue": swap.venue, "pair": swap.pair, "paid": str(swap.paid), "received": str(swap.received)}
        for swap in route.swaps
    ]


def fund_tables(view: View, book: Book) -> RenderableType:
    """The fund as tables."""
    s = view.state
    head = head_table(f"{book.fund}, block {s.block}")
    head.add_row("time", when(s.time))
    head.add_row("index token", book["index_token"])
    if (url := network_of(book.chain_id).address_url(book["index_token"])) is not None:
        head.add_row("", url)
    head.add_row("phase", f"{phase_text(s.phase)}, period {s.label_of(s.period)}")
    due = s.action.name.lower() if s.action else "nothing"
    head.add_row("due", f"{due} ({reason_text(s.reason)})")
    head.add_row("next", when(s.next) if s.next else "-")
    head.add_row("supply", f"{amount(s.supply, WAD)} shares")
    missing = without(s, book.symbol)
    style = "bold red" if missing else ""
    head.add_row("NAV", Text(_nav_text(s) + (f", INCOMPLETE: without {', '.join(missing)}" if missing else ""), style))
    if s.phase is Phase.TRADING:
        head.add_row("bucket", f"idle {s.idle} s, capacity {percent(s.capacity)}, tolerance {percent(s.tolerance)}")
        p = s.progress
        head.add_row("to sell", f"{percent(p.surplus)} of NAV, lost so far {percent(p.spent, 4)}")
    # A second price column only if an anchor changes the price of a batch.
    pulled = any(h.pulled for h in s.holdings)
    prices = ("price $", "in a batch $") if pulled else ("price $",)
    table = figures_table(("component", "side"), ("balance", "unit", "target unit", *prices, "weight", "target"))
    for h in s.holdings:
        target = percent(weight(s, h, s.target_balance(h))) if s.phase is Phase.TRADING else "-"
        table.add_row(
            symbol(book, h),
            condition(s, h) or h.side.name.lower(),
            amount(h.balance, h.one) if h.sound else "not readable",
            decimal(unit(s, h), h.decimals) if h.sound else "not readable",
            decimal(h.unit, h.decimals) if h.unit else "-",
            usd(h.price) if h.price else "none",
            *([usd(h.trade_price) if h.pulled else ""] if pulled else []),
            percent(weight(s, h, h.balance)),
            target,
        )
    left_out = (
        Text(f"{symbol(book, h)} counts for nothing in NAV and weights: {condition(s, h)}", "bold red")
        for h in s.holdings
        if not s.counts(h)
    )
    return Group(head, table, *left_out)


def _nav_text(state: FundState) -> str:
    """Text: value of all shares and of one."""
    share = f", ${usd(state.nav)} a share" if state.supply else ""
    return f"${usd(state.total_value)}{share}"


def plan_tables(view: View, book: Book) -> RenderableType:
    """The plan as tables."""
    s, p = view.state, view.plan
    head = head_table(f"{book.fund}, block {s.block}")
    head.add_row("time", when(s.time))
    if p is None:
        due = f"{s.action.name.lower()}, now" if s.action else f"nothing ({reason_text(s.reason)})"
        head.add_row("due", due)
        head.add_row("next", when(s.next) if s.next else "-")
        return head
    head.add_row("batches left", str(p.batches))
    head.add_row("next batch", f"{when(p.possible_from)} ({p.why})" if p.possible_from else p.why)
    if p.finish is not None:
        head.add_row("done", when(p.finish))
    head.add_row("expected cost", f"${usd(p.cost)} (fees ${usd(p.fees)}, impact ${usd(p.impact)})")
    head.add_row(
        "expected gas", f"${usd(p.gas_cost)} at {view.gas_price / GWEI:.2f} gwei, ETH ${usd(view.market.eth_price)}"
    )
    if p.batch is None:
        return Group(head, _lots_table(p.lots, view, book))
    found = p.batch.outcome
    head.add_row("next batch out", f"${usd(found.value_out)}, {percent(found.share, 4)} of NAV")
    head.add_row("next batch in", f"${usd(found.value_in)}, at least ${usd(p.min_value_in)}")
    return Group(head, _lots_table(p.lots, view, book), _legs_table(p.batch, s, book))


def _lots_table(lots: Sequence[Lot], view: View, book: Book) -> Table:
    figures = ("slices", "value $", "fees $", "impact $", "gas $")
    table = figures_table(("component", "side"), figures, title="all that is left")
    for lot in lots:
        table.add_row(
            symbol(book, lot.work.holding),
            lot.work.holding.side.name.lower(),
            str(lot.slices),
            usd(lot.value),
            usd(lot.fees),
            usd(lot.impact),
            usd(view.market.usd(lot.gas * lot.slices * view.gas_price)),
        )
    return table


def _legs_table(batch: Batch, state: FundState, book: Book) -> Table:
    table = figures_table(("component", "side"), ("amount", "value $", "WETH"), ("venues",), title="next batch")

    def add(name: str, side: str, wei: int, h: Holding, value: int, weth: str, route: Route) -> None:
        venues = ", ".join(swap.venue for swap in route.swaps if swap.venue)
        table.add_row(name, side, amount(wei, h.one), usd(value), weth, venues)

    for side, legs in ((Side.SELL, batch.sells), (Side.BUY, batch.buys)):
        for leg in legs:
            h, route = state.holdings[leg.index], leg.route
            weth = amount(route.received if side is Side.SELL else route.paid, WAD)
            add(symbol(book, h), side.name.lower(), leg.amount, h, h.trade_value(leg.amount), weth, route)
    for cross in batch.crosses:
        h, paid = state.holdings[cross.sell], cross.route.paid
        name = f"{symbol(book, h)} to {symbol(book, state.holdings[cross.buy])}"
        add(name, "direct", paid, h, h.value(paid), "-", cross.route)
    return table


def head_table(title: str) -> Table:
    """A table of names and values, without a frame."""
    return Table(show_header=False, box=None, title=title, title_justify="left")


def figures_table(
    names: Sequence[str], figures: Sequence[str], notes: Sequence[str] = (), *, title: str | None = None
) -> Table:
    """A table with columns of texts, of figures (right-aligned, never truncated), and of texts again."""
    table = Table(*names, title=title, title_justify="left")
    for figure in figures:
        table.add_column(figure, justify="right", overflow="fold")
    for note in notes:
        table.add_column(note)
    return table


def symbol(book: Book, holding: Holding) -> str:
    """The symbol of a component, or its address if the book does not know it."""
    return book.symbol(holding.token)


def unit(state: FundState, holding: Holding) -> int:
    """Token wei of a component per 1e18 shares, rounded down; 0 without shares."""
    return holding.balance * WAD // state.supply if state.supply else 0


def weight(state: FundState, holding: Holding, balance: int) -> int:
    """Weight of `balance` in NAV, 18 decimals; 0 for a component that does not count."""
    total = state.total_value
    return 0 if not state.counts(holding) or not total else holding.value(balance) * WAD // total


def phase_text(phase: Phase) -> str:
    """Text of the month's phase."""
    return _PHASE_TEXTS.get(phase, phase.name.lower())


def reason_text(reason: Reason) -> str:
    """Text of the reason for the action."""
    return _REASON_TEXTS.get(reason, reason.name.lower().replace("_", " "))


def when(time: int | None) -> str:
    """Text of a chain time, "-" for None."""
    return "-" if time is None else time_text(time)


def hours(seconds: int) -> str:
    """A duration in hours, to six significant digits."""
    return f"{seconds / HOUR_S:g} h"


def usd(value: int) -> str:
    """USD of 18 decimals with two, rounded towards zero."""
    sign = "-" if value < 0 else ""
    cents = abs(value) // 10**16
    return f"{sign}{cents // 100:,}.{cents % 100:02d}"


def amount(wei: int, one: int) -> str:
    """An amount in whole tokens with four decimals, rounded down."""
    scaled = wei * 10_000 // one
    return f"{scaled // 10_000:,}.{scaled % 10_000:04d}"
