"""What keeps a component out of NAV and trading, in words. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from keeper.state import FundState, Holding

UNTIL_ENDED = 2**40 - 1
"""A suspension of the owner's: it has no end of its own."""


def condition(state: FundState, holding: Holding) -> str:
    """Why a component does not count, or is not traded; empty where nothing is wrong with it."""
    found = []
    if holding.written_off:
        found.append("written off")
    elif state.suspended(holding):
        found.append(suspension(holding.suspended_until))
    if not holding.sound:
        found.append("balance not readable")
    elif not holding.price:
        found.append("no price")
    elif state.active(holding) and not state.counts(holding):
        found.append("balance or price above all measure")
    return ", ".join(found)


def without(state: FundState, symbol: Callable[[str], str]) -> list[str]:
    """What is held and does not count in NAV, and why: "UNI (no price)". What is written off is out of it for good."""
    return [
        f"{symbol(h.token)} ({condition(state, h)})"
        for h in state.holdings
        if not state.counts(h) and not h.written_off
    ]


def suspension(until: int) -> str:
    """A suspension that lasts until then."""
    if until >= UNTIL_ENDED:
        return "suspended until the owner ends it"
    return f"suspended until {datetime.fromtimestamp(until, UTC):%Y-%m-%d %H:%M} UTC"


def lacking(state: FundState) -> list[Holding]:
    """Active components that should count and do not: NAV and weights are without them."""
    return [h for h in state.holdings if state.active(h) and not state.counts(h)]
