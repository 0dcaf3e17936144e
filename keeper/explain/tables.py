"""Formats a determination as tables with the arithmetic, and as JSON with integers as decimal strings."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from ballast.book import Book
from ballast.rule.methodology import Cap, Decision, Flag, Status
from ballast.units import WAD
from ballast.values import percent
from keeper.explain.explanation import Explanation
from keeper.explain.recompute import Difference, Start, Target
from keeper.output.flags import FLAGS, flags
from keeper.output.tables import figures_table, head_table, usd, when


def explain_json(found: Explanation, book: Book) -> dict[str, Any]:
    """The explanation as JSON types. USD, prices, fractions: 18 decimals; supplies: whole tokens; units: token wei per
    1e18 shares."""
    targets = {} if found.start is None else {t.token: t for t in found.start.targets}
    return {
        "fund": book.fund,
        "period": found.label,
        "methodology": found.methodology,
        "kind": "fixed_weight" if found.rule is None else "market_cap",
        "block": found.block,
        "time": found.time,
        "nav_usd": str(found.nav),
        "divisor": str(found.divisor),
        "cap": None if found.rule is None else found.rule.cap.name.lower(),
        "cap_weight": None if found.rule is None else str(found.rule.cap_weight),
        "constituents": [
            {
                **_row_json(d, book),
                "source": found.sources.get(d.token),
                "origin": origin(found, book, d),
                "price_usd": str(d.price),
                "market_cap_usd": None if found.rule is None else str(d.basis * d.price),
                "weight": str(d.weight),
                "status": d.status.name.lower(),
                "target_unit": str(targets[d.token].unit) if d.token in targets else None,
            }
            for d in found.decisions
        ],
        "skipped": None
        if found.skipped is None
        else dict(zip(("difference", "band"), map(str, found.skipped), strict=True)),
        "start": None if found.start is None else _start_json(found.start, book),
        "agrees": not found.differences,
        "differences": [
            {
                "stage": d.stage,
                "symbol": _symbol(book, d.token),
                "token": d.token,
                "figure": d.what,
                "chain": d.chain,
                "keeper": d.keeper,
            }
            for d in found.differences
        ],
    }


def _start_json(start: Start, book: Book) -> dict[str, Any]:
    return {
        "block": start.block,
        "time": start.time,
        "nav_usd": str(start.nav),
        "divisor": str(start.divisor),
        "targets": [
            {
                **_row_json(t, book),
                "confirmed_at_start": Flag.CONFIRMED_AT_START in t.flags,
                "side": t.side.name.lower(),
                "price_usd": str(t.price),
                "unit_held": str(t.unit_held),
                "target_unit": str(t.unit),
            }
            for t in start.targets
        ],
        "counts_otherwise": [
            {**_row_json(d, book), "status": d.status.name.lower()} for d in start.confirmed if d.token in start.changed
        ],
    }


def _row_json(row: Decision | Target, book: Book) -> dict[str, Any]:
    return {
        "symbol": _symbol(book, row.token),
        "token": row.token,
        "basis": str(row.basis),
        "flags": flags(row.flags),
    }


def explain_tables(found: Explanation, book: Book) -> RenderableType:
    """Tables of the determination, the start if there was one, and the differences."""
    parts: list[RenderableType] = [_head(found, book), _constituents(found, book)]
    if found.start is not None:
        parts += [_start_head(found.start), _targets(found.start, book)]
        if found.start.changed:
            parts.append(_changed(found, found.start, book))
    if found.differences:
        parts += ["The keeper's own computation DIFFERS:", _differences(found.differences, book)]
    else:
        parts.append("The keeper's own computation agrees to the wei.")
    return Group(*parts)


def _head(found: Explanation, book: Book) -> Table:
    head = head_table(f"{book.fund}, {found.label}")
    head.add_row("determined", f"{when(found.time)}, block {found.block}")
    head.add_row("methodology", found.methodology)
    if found.skipped is not None:
        difference, band = map(percent, found.skipped)
        head.add_row("skipped", f"half the sum of what the weights were off: {difference}, below the band of {band}")
    head.add_row("NAV", f"${usd(found.nav)} of a share, less what is frozen")
    if found.rule is None:
        head.add_row("weights", "given")
        return head
    rule = found.rule
    head.add_row("divisor D", f"{found.divisor:,} = sum(supply x price) / NAV")
    head.add_row("weight", "price x supply / D / NAV; above the cap: the cap, and the others share the rest")
    words = {
        Cap.NONE: "none",
        Cap.HARD: percent(rule.cap_weight),
        Cap.FLEXIBLE: f"{percent(rule.cap_weight)}, flexible",
    }
    head.add_row("cap", words[rule.cap])
    head.add_row(
        "members", f"the {rule.top_n} largest, floor {percent(rule.floor_weight)}, entry {percent(rule.entry_weight)}"
    )
    for source in sorted(set(found.sources.values())):
        head.add_row("supplies", f"{_kind(book, source)}: {source}")
    return head


def _constituents(found: Explanation, book: Book) -> Table:
    fixed = found.rule is None
    figures = ("price $", "weight") if fixed else ("supply", "price $", "market cap $", "weight")
    table = figures_table(("component",), figures, ("status", "why" if fixed else "supply from, why"))
    for d in found.decisions:
        none = d.token not in found.candidates
        supply = [] if fixed else ["-" if none else f"{d.basis:,}"]
        size = [] if fixed else ["-" if none else f"{d.basis * d.price // WAD:,}"]
        origins = [origin(found, book, d)] if none or not fixed else []
        table.add_row(
            _symbol(book, d.token),
            *supply,
            usd(d.price) if d.price else "none",
            *size,
            percent(d.weight),
            d.status.name.lower(),
            ", ".join([*origins, *flags(d.flags)]),
        )
    included = [d for d in found.decisions if d.status is Status.INCLUDED]
    blank = [] if fixed else [""]
    total = [] if fixed else [f"{sum(d.basis * d.price for d in included) // WAD:,}"]
    table.add_section()
    table.add_row("included", *blank, "", *total, percent(sum(d.weight for d in included)), str(len(included)), "")
    return table


def _start_head(start: Start) -> Table:
    head = head_table("start")
    head.add_row("started", f"{when(start.time)}, block {start.block}")
    head.add_row("NAV", f"${usd(start.nav)} of a share")
    if start.divisor:
        head.add_row("divisor D", f"{start.divisor:,}")
    return head


def _targets(start: Start, book: Book) -> Table:
    table = figures_table(("component", "side"), ("price $", "unit held", "target unit"), ("why",))
    for t in start.targets:
        why = f"{FLAGS[Flag.CONFIRMED_AT_START]}: {t.basis:,}" if Flag.CONFIRMED_AT_START in t.flags else ""
        price = usd(t.price) if t.price else "none"
        table.add_row(_symbol(book, t.token), t.side.name.lower(), price, str(t.unit_held), str(t.unit), why)
    return table


def _changed(found: Explanation, start: Start, book: Book) -> Table:
    """Rows that differ from the determination since the start; the next month compares with them."""
    figure = "weight" if found.rule is None else "supply"
    title = "counts otherwise since the start"
    table = figures_table(("component",), (figure,), ("status", "why"), title=title)
    determined = {d.token: d for d in found.decisions}
    for d in start.confirmed:
        if d.token in start.changed:
            was = determined[d.token]
            status = d.status.name.lower()
            if was.status is not d.status:
                status += f" (determined: {was.status.name.lower()})"
            table.add_row(_symbol(book, d.token), f"{d.basis:,}", status, ", ".join(flags(d.flags)))
    return table


def _differences(differences: tuple[Difference, ...], book: Book) -> Table:
    table = figures_table(("stage", "component", "figure"), ("on chain", "keeper"))
    for d in differences:
        table.add_row(d.stage, _symbol(book, d.token), d.what, d.chain, d.keeper)
    return table


def origin(found: Explanation, book: Book, decision: Decision) -> str:
    """The source of a candidate's supply in one word; "no candidate" for a component that is not one."""
    if decision.token not in found.candidates:
        return "no candidate"
    source = found.sources.get(decision.token)
    return "given" if source is None else _kind(book, source)


def _kind(book: Book, source: str) -> str:
    return {book.contracts.get("posted_supply"): "posted", book.contracts.get("locked_supply"): "computed"}.get(
        source, "other"
    )


def _symbol(book: Book, token: str) -> str:
    """The symbol of a token, or its address if the book does not know it; "fund" for no token."""
    return book.symbol(token) or "fund"
