"""Compares a determination with the fund: which components come and leave, and changes of weights and supplies. Pure.

Weights have 18 decimals, supplies are whole tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ballast.rule.types import Decision, Flag, Status
from ballast.units import WAD
from ballast.values import percent
from keeper.output.flags import flags
from keeper.output.tables import weight
from keeper.state import FundState

MAX_NAMED = 5
"""Most changes of weight in a summary, the largest first."""
MIN_NAMED = WAD // 1000
"""A summary leaves out smaller changes of weight."""


@dataclass(frozen=True)
class Change:
    """One row of a determination compared with the fund. `held`: whether the fund holds any; `now` and `then`: weight
    in NAV and in the determination, None if frozen, which stays as held; `supply`: as read; `before`: as the last
    started month confirmed it, 0: nothing."""

    token: str
    status: Status
    held: bool
    now: int
    then: int | None
    supply: int
    before: int
    flags: Flag

    @property
    def comes(self) -> bool:
        """Whether the fund buys it for the first time."""
        return self.status is Status.INCLUDED and not self.held

    @property
    def leaves(self) -> bool:
        """Whether the fund sells all of it."""
        return self.held and self.status in (Status.LEAVING, Status.OUTSIDE)

    @property
    def move(self) -> int:
        """Change of its weight."""
        return 0 if self.then is None else self.then - self.now


def changes(decisions: Iterable[Decision], state: FundState) -> tuple[Change, ...]:
    """The determination compared with the fund, heaviest first; leaves out rows without flags that are neither held nor
    included."""
    holdings = {h.token: h for h in state.holdings if h.balance or not h.sound}
    found = []
    for d in decisions:
        holding = holdings.get(d.token)
        if holding is None and d.status is not Status.INCLUDED and not d.flags:
            continue
        now = 0 if holding is None else weight(state, holding, holding.balance)
        then = None if d.status is Status.FROZEN else d.weight if d.status is Status.INCLUDED else 0
        found.append(Change(d.token, d.status, holding is not None, now, then, d.basis, d.confirmed, d.flags))
    return tuple(sorted(found, key=lambda c: (-max(c.now, c.then or 0), c.token)))


def summary(rows: Sequence[Change], name: Callable[[str], str]) -> str:
    """The changes in one line: components that come and leave, the largest moves, every flag. `name`: a token's
    symbol."""
    parts = [
        *_listed("comes in", [f"{name(c.token)} ({percent(c.then or 0)})" for c in rows if c.comes]),
        *_listed("leaves", [f"{name(c.token)} ({percent(c.now)})" for c in rows if c.leaves]),
        *_listed("frozen", [name(c.token) for c in rows if c.status is Status.FROZEN and c.held]),
    ]
    moved = [c for c in rows if not c.comes and not c.leaves and abs(c.move) >= MIN_NAMED]
    largest = sorted(moved, key=lambda c: (-abs(c.move), c.token))[:MAX_NAMED]
    parts += [f"{name(c.token)} {percent(c.now)} to {percent(c.then or 0)}" for c in largest]
    parts += [f"{name(c.token)} {', '.join(flags(c.flags))}" for c in rows if c.flags]
    return "; ".join(parts) or "no weight changes by a tenth of a percent"


def supply_change(change: Change) -> str:
    """Change of the supply since the last started month, to a hundredth of a percent, rounded towards zero."""
    if not change.before:
        return "new"
    apart = (change.supply - change.before) * WAD
    part = apart // change.before if apart >= 0 else -(-apart // change.before)
    return f"{'+' if part >= 0 else ''}{percent(part)}"


def _listed(what: str, names: Sequence[str]) -> list[str]:
    return [f"{what}: {', '.join(names)}"] if names else []
