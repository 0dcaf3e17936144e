"""Texts about what keeps a component out of NAV and trading. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from keeper.state import FundState, Holding

UNTIL_ENDED = 2**40 - 1
"""`suspended_until` of a suspension by the owner, which lasts until the owner ends it."""


def condition(state: FundState, holding: Holding) -> str:
    """Why a component does not count in NAV or is not traded; empty if nothing is wrong with it."""
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
    """Components that do not count in NAV, with the reason: "UNI (no price)"; without those written off, which never
    will."""
    return [
        f"{symbol(h.token)} ({condition(state, h)})"
        for h in state.holdings
        if not state.counts(h) and not h.written_off
    ]


def suspension(until: int) -> str:
    """Text about a suspension that lasts until this time (Unix seconds)."""
    if until >= UNTIL_ENDED:
        return "suspended until the owner ends it"
    return f"suspended until {datetime.fromtimestamp(until, UTC):%Y-%m-%d %H:%M} UTC"


def lacking(state: FundState) -> list[Holding]:
    """Active components that should count but do not: NAV and weights leave them out."""
    return [h for h in state.holdings if state.active(h) and not state.counts(h)]
