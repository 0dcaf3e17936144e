"""Tables of brakes and determinations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table

from ballast.values import percent, span_text
from keeper.guard.brakes import Brake, Notice, veto_end
from keeper.guard.changes import Change, supply_change
from keeper.output.condition import condition
from keeper.output.flags import flags
from keeper.output.tables import figures_table, head_table, phase_text, when
from keeper.state import FundState, Phase, Reason

Name = Callable[[str], str]
"""A token's symbol."""


@dataclass(frozen=True)
class Possible:
    """A brake and its subject; `notice`: its effect now, or `refused`: why it is not possible."""

    brake: Brake
    subject: str
    notice: Notice | None = None
    refused: str = ""


def status_tables(
    fund: str, state: FundState, guardian: str, owner: str, possible: Sequence[Possible], name: Name
) -> RenderableType:
    """The fund's state for its guardian, and each brake."""
    head = head_table(f"{fund}, block {state.block}, {when(state.time)}")
    head.add_row("guardian", guardian)
    head.add_row("owner", f"{owner} (the timelock)")
    month = f"{state.label_of(state.month_period)}: {phase_text(state.phase)}"
    head.add_row("month", month if state.month_period else "none yet")
    if state.phase is Phase.DETERMINED and state.month_period == state.period:
        head.add_row("veto", f"open {veto_end(state)}")
    head.add_row("guardian's last stop", state.label_of(state.last_stop) if state.last_stop else "none yet")
    paused = f"until {when(state.paused_until)}" if state.reason is Reason.PAUSED else "no"
    head.add_row("paused", f"{paused}; {span_text(state.pause_left)} of pauses are left")
    for h in state.holdings:
        if not state.active(h):
            head.add_row(name(h.token), condition(state, h))
    table = Table("brake", "of", "now", "stops, or why not", "until")
    for one in possible:
        if one.notice is None:
            table.add_row(one.brake, one.subject, "no", one.refused, "")
        else:
            table.add_row(one.brake, one.subject, "possible", one.notice.stops, one.notice.until)
    return Group(head, table)


def notice_table(fund: str, brake: Brake, subject: str, found: Notice) -> Table:
    """A brake's effect, to show before it is sent."""
    head = head_table(f"{fund}: {brake}{f' {subject}' if subject else ''}")
    head.add_row("stops", found.stops)
    head.add_row("costs", found.costs)
    head.add_row("until", found.until)
    return head


def determination_tables(
    title: str, rows: Sequence[Change], origins: Mapping[str, str], reread: Sequence[str], veto: str, name: Name
) -> RenderableType:
    """A determination compared with the fund. `origins`: where each supply comes from, empty if weights are given;
    `reread`: tokens whose values start has changed; `veto`: until when it can be vetoed, or why not."""
    figures = ("weight now", "then", "change", *(("supply", "against the last month") if origins else ()))
    table = figures_table(("component", "what"), figures, ("supply from", "flags") if origins else ("flags",))
    for c in rows:
        then = "as held" if c.then is None else percent(c.then)
        move = "" if c.then is None else f"{'+' if c.move >= 0 else ''}{percent(c.move)}"
        supply = [f"{c.supply:,}" if c.token in origins else "-", supply_change(c)] if origins else []
        told = [*flags(c.flags), *(["read again at start"] if c.token in reread else [])]
        source = [origins.get(c.token, "no candidate")] if origins else []
        table.add_row(name(c.token), _what(c), percent(c.now), then, move, *supply, *source, ", ".join(told))
    head = head_table(title)
    head.add_row("veto", veto)
    return Group(head, table)


def _what(change: Change) -> str:
    if change.comes:
        return "comes in"
    if change.leaves:
        return "leaves"
    return change.status.name.lower()
