"""A snapshot of the keeper and its funds: the source of health, metrics and alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ballast.book import Book
from keeper.look.rpc import EndpointStatus
from keeper.ops.pulse import Pulse
from keeper.ops.troubles import Defect, Trouble
from keeper.plan.month_gas import expected
from keeper.plan.standby import Since
from keeper.sending.journal import Entry
from keeper.settings import Settings
from keeper.state import Action, FundState
from keeper.view import View

MAX_BACK_OFF_S = 60.0
"""Longest wait of the loop after a failed tick, seconds."""


@dataclass(frozen=True)
class Bounds:
    """Thresholds in seconds, except `month_gas`, the approximate gas of one fund's month (None: estimated from the
    fund), and `most_batches` of a month. `tick_s`: longest time between the ends of two ticks."""

    stuck_s: int
    silent_s: int
    overdue_s: int
    open_s: int
    month_gas: int | None
    start_s: int = 30
    tick_s: float = 360.0
    most_batches: int = 84


def bounds_of(settings: Settings) -> Bounds:
    """The thresholds from the settings."""
    return Bounds(
        settings.stuck_seconds,
        settings.silent_seconds,
        settings.overdue_seconds,
        settings.open_seconds,
        settings.month_gas,
        settings.start_seconds,
        settings.stuck_seconds + max(MAX_BACK_OFF_S, settings.poll_seconds),
        settings.most_batches,
    )


@dataclass(frozen=True)
class FundFacts:
    """A fund. `view` and `pulse`: from the last successful look, None before the first; `looked_at`: its time, Unix
    seconds of this machine; `silent_s`: seconds since then, or since the keeper's start; `failing`: whether a later
    look failed, with `error`; `overdue_s`: chain time for which the due action has not been done, seconds."""

    book: Book
    view: View | None
    pulse: Pulse | None
    looked_at: float | None
    silent_s: float
    failing: bool
    overdue_s: int
    error: str = ""

    @property
    def name(self) -> str:
        return self.book.fund

    def month_gas(self, bounds: Bounds) -> int:
        """Approximate gas of its month: the setting if there is one, else estimated; 0 before the first look."""
        if bounds.month_gas is not None or self.view is None:
            return bounds.month_gas or 0
        view = self.view
        return expected(
            max(len(view.state.holdings), len(self.book.candidates)),
            view.state.total_value,
            view.state.limits.batch_cap,
            view.market.eth_price,
            view.head.base_fee,
            bounds.most_batches,
        ).gas


@dataclass(frozen=True)
class Facts:
    """The whole snapshot. `time`: Unix seconds; `beat_s`: seconds since the loop's last heartbeat; `balance`: wei, None
    before it is known; `transactions`: the journal's, oldest first; `endpoints`: empty if the connection does not track
    them; `tick_s`: seconds since the last tick ended, None before the first did."""

    time: float
    beat_s: float
    stopping: bool
    funds: tuple[FundFacts, ...]
    balance: int | None
    transactions: Sequence[Entry]
    endpoints: tuple[EndpointStatus, ...]
    tick_s: float | None = None
    troubles: tuple[Trouble, ...] = ()
    defects: tuple[Defect, ...] = ()

    def lasting(self, bounds: Bounds) -> tuple[Trouble, ...]:
        """Troubles worth reporting: final, or lasting for `start_s` or longer."""
        return tuple(each for each in self.troubles if each.final or self.time - each.since >= bounds.start_s)

    @property
    def base_fee(self) -> int | None:
        """Wei per gas in the newest block seen; None before the first look."""
        heads = [fund.view.head for fund in self.funds if fund.view is not None]
        return max(heads, key=lambda head: head.number).base_fee if heads else None

    @property
    def open_since(self) -> dict[int, int]:
        """Open nonces and when the keeper first signed each (Unix seconds), as far as the journal has it."""
        found: dict[int, int] = {}
        for entry in self.transactions:
            if entry.status.open and entry.signed_at is not None:
                found.setdefault(entry.nonce, entry.signed_at)
        return found

    @property
    def fees_paid(self) -> int:
        """Total fees of the journal's transactions, wei."""
        return sum((entry.gas_used or 0) * (entry.gas_price or 0) for entry in self.transactions)


def possible(state: FundState, possible_from: int | None) -> bool:
    """Whether the due action can be done in this block; `possible_from` is the plan's."""
    if state.action is Action.TRADE:
        return possible_from is not None and possible_from <= state.time
    return state.action is not Action.NONE


def overdue(state: FundState, possible_from: int | None, seen: Since | None, able: Since | None) -> int:
    """Chain time for which the due action has not been done, seconds.

    `able`: since when it has been possible; `seen`: since when the fund has been in its present state. An action that
    waits for a known time is not late; a batch without a known time counts from `seen`.
    """
    if state.action is Action.NONE:
        return 0
    if able is not None:
        return state.time - able.time
    if possible_from is not None or seen is None:
        return 0
    return state.time - seen.time
