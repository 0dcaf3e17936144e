"""The contract's bucket (its rate limit) in Python, to the last digit: what a batch may be worth, what it may lose, and
when.

Fractions and shares of NAV have 18 decimals, times with X24 are seconds x 2**24. `now` is the chain time.
"""

from __future__ import annotations

from dataclasses import dataclass

from ballast.units import WAD
from keeper.state import TAT_SCALE, Limits, Progress

SCALE = TAT_SCALE


@dataclass(frozen=True)
class Sale:
    """What a batch sells, as a share of NAV: `value` at fresh prices, rounded up, `at_start` at start prices, down."""

    value: int
    at_start: int


def idle_x24(tat: int, now: int, max_idle: int) -> int:
    """Seconds x 2**24 that the bucket has been idle, at most `max_idle` seconds; 0 while `tat` is in the future."""
    return min(max(0, now * SCALE - tat), max_idle * SCALE)


def capacity(idle: int, limits: Limits) -> int:
    """Most value of a batch after `idle` (X24), share of NAV, rounded down."""
    return min(limits.batch_cap, idle * limits.batch_cap // (limits.cool_off * SCALE))


def open_tolerance(idle: int, limits: Limits) -> int:
    """Tolerance after `idle` (X24), linear from first to last, rounded down; ignores the loss budget."""
    rise = limits.last_tolerance - limits.first_tolerance
    return limits.first_tolerance + rise * idle // (limits.max_idle * SCALE)


def tolerance(idle: int, limits: Limits, progress: Progress, sale: Sale | None = None) -> int:
    """Tolerance of a batch after `idle` (X24), rounded down; without a `sale`, of any batch that sells at start prices.

    It is the open tolerance, capped so that the batch loses at most its part of the remaining budget: the part of the
    remaining surplus that it sells, both at start prices.
    """
    opened = open_tolerance(idle, limits)
    sold = sale or Sale(progress.surplus, progress.surplus)
    if opened <= 0 or sold.value == 0 or progress.surplus == 0:
        return opened
    part = min(sold.at_start, progress.surplus)
    return min(opened, budget_left(limits, progress) * part * WAD // (progress.surplus * sold.value))


def budget_left(limits: Limits, progress: Progress) -> int:
    """Share of NAV that the month may still lose."""
    return max(0, limits.loss_budget - progress.spent)


def consume(tat: int, now: int, value: int, limits: Limits) -> int:
    """The new tat after a batch of `value` (share of NAV) at `now`, rounded up."""
    used = -(-value * limits.cool_off * SCALE // limits.batch_cap)
    return max(tat, (now - limits.max_idle) * SCALE) + used


def widest_tolerance(limits: Limits, progress: Progress, sale: Sale) -> int:
    """The tolerance of a batch once the bucket has been idle for `max_idle`."""
    return tolerance(limits.max_idle * SCALE, limits, progress, sale)


def possible_from(limits: Limits, progress: Progress, sale: Sale, loss: int, now: int) -> int | None:
    """First second from `now` on at which a batch may lose the fraction `loss` of its value.

    `loss` is negative for a gain. None: never, with these limits and this progress.
    """
    if sale.value > limits.batch_cap or widest_tolerance(limits, progress, sale) < loss:
        return None
    for_value = -(-sale.value * limits.cool_off * SCALE // limits.batch_cap)
    rise = limits.last_tolerance - limits.first_tolerance
    over = max(0, loss - limits.first_tolerance)
    for_loss = -(-over * limits.max_idle * SCALE // rise) if over else 0
    needed = max(for_value, for_loss)
    if needed > limits.max_idle * SCALE:
        return None
    return max(now, -(-(progress.tat + needed) // SCALE))
