"""What is known of the keeper and its funds at a moment: all that health, metrics and alerts are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ballast.book import Book
from keeper.ops.pulse import Pulse
from keeper.plan.standby import Since
from keeper.sending.journal import Entry
from keeper.settings import Settings
from keeper.state import Action, FundState
from keeper.view import View


@dataclass(frozen=True)
class Bounds:
    """From when on something is wrong: seconds, and about the gas of one fund's month."""

    stuck_s: int
    silent_s: int
    overdue_s: int
    open_s: int
    month_gas: int


def bounds_of(settings: Settings) -> Bounds:
    """As they are set."""
    return Bounds(
        settings.stuck_seconds,
        settings.silent_seconds,
        settings.overdue_seconds,
        settings.open_seconds,
        settings.month_gas,
    )


class Endpoint(Protocol):
    """How a node stands; `name` is its host, `head` the number of its newest block and `head_age_s` that block's age in
    seconds, None where it is not known."""

    @property
    def name(self) -> str: ...

    @property
    def healthy(self) -> bool: ...

    @property
    def reason(self) -> str: ...

    @property
    def head(self) -> int | None: ...

    @property
    def head_age_s(self) -> int | None: ...


@dataclass(frozen=True)
class FundFacts:
    """A fund. `view` and `pulse` are the last look's, None before the first; `looked_at` its time, Unix seconds of this
    machine; `silent_s` how long ago that was, or the keeper's start; `failing` whether what came after it failed;
    `overdue_s` for how long (chain time) what is due has not been done."""

    book: Book
    view: View | None
    pulse: Pulse | None
    looked_at: float | None
    silent_s: float
    failing: bool
    overdue_s: int

    @property
    def name(self) -> str:
        return self.book.fund


@dataclass(frozen=True)
class Facts:
    """All of it. `time`: Unix seconds; `beat_s`: how long ago the loop gave a sign of life; `balance`: wei, None before
    it is known; `transactions`: the journal's, oldest first; `endpoints`: none where the connection does not say."""

    time: float
    beat_s: float
    stopping: bool
    funds: tuple[FundFacts, ...]
    balance: int | None
    transactions: Sequence[Entry]
    endpoints: tuple[Endpoint, ...]

    @property
    def base_fee(self) -> int | None:
        """Wei per gas in the newest block seen; None before the first."""
        heads = [fund.view.head for fund in self.funds if fund.view is not None]
        return max(heads, key=lambda head: head.number).base_fee if heads else None

    @property
    def open_since(self) -> dict[int, int]:
        """Nonces whose fate is open, and when each was first signed (Unix seconds), as far as that is noted."""
        found: dict[int, int] = {}
        for entry in self.transactions:
            if entry.status.open and entry.signed_at is not None:
                found.setdefault(entry.nonce, entry.signed_at)
        return found

    @property
    def fees_paid(self) -> int:
        """Wei that the journal's transactions have cost."""
        return sum((entry.gas_used or 0) * (entry.gas_price or 0) for entry in self.transactions)


def possible(state: FundState, possible_from: int | None) -> bool:
    """Whether what is due can be done in this block; `possible_from`: the plan's."""
    if state.action is Action.TRADE:
        return possible_from is not None and possible_from <= state.time
    return state.action is not Action.NONE


def overdue(state: FundState, possible_from: int | None, seen: Since | None, able: Since | None) -> int:
    """Seconds of chain time for which what is due has not been done.

    `able`: since when it has been possible; `seen`: since when the fund stands as it does. What waits for a moment that
    is known is not late; a batch that no moment is known for is late like any other.
    """
    if state.action is Action.NONE:
        return 0
    if able is not None:
        return state.time - able.time
    if possible_from is not None or seen is None:
        return 0
    return state.time - seen.time
