"""What to pay for one gas: pure, in wei.

How much is too much depends on what is at stake. Far from the deadline of an action the cap is the normal one, and
above it the keeper waits. Within the last `window` seconds before the deadline cap and tip rise with the square of the
time gone, so that most of the rise comes when little time is left:

    u   = how many of the window's seconds are gone, 0 to window (all of them after the deadline)
    cap = normal + (urgent - normal) u^2 / window^2
    tip = (what the node proposes) x (1 + 3 u^2 / window^2)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from keeper.errors import FeeTooHighError

TIP_RISE = 3
"""How many times the node's proposal the tip gains over the window."""
NOOP_ROOM = 2
"""A no-op may pay this many times the urgent cap for one gas: it takes 21,000, a batch a million."""


@dataclass(frozen=True)
class Fees:
    """Wei per gas."""

    max_fee: int
    tip: int


@dataclass(frozen=True)
class Urgency:
    """Caps for one gas, wei: far from a deadline and at it; `window`: seconds before it in which the cap rises."""

    normal: int
    urgent: int
    window: int

    def cap(self, now: int, deadline: int | None) -> int:
        """Most to pay for one gas at chain time `now`, wei, rounded down; the normal cap without a deadline."""
        return self.normal + self._part(self.urgent - self.normal, now, deadline)

    def tip(self, proposed: int, now: int, deadline: int | None) -> int:
        """Tip at chain time `now` where the node proposes `proposed`, wei, rounded down."""
        return proposed + self._part(TIP_RISE * proposed, now, deadline)

    def market(self, base_fee: int, proposed: int, now: int, deadline: int | None) -> Fees:
        """Fees for a new transaction where the node proposes the tip `proposed`. Raises FeeTooHighError."""
        cap = self.cap(now, deadline)
        # What the node proposes decides whether it is too dear; urgency takes what is left below the cap.
        market_fees(base_fee, proposed, cap)
        return market_fees(base_fee, min(self.tip(proposed, now, deadline), cap - base_fee), cap)

    @property
    def noop_cap(self) -> int:
        """Most that a no-op pays for one gas, wei."""
        return NOOP_ROOM * self.urgent

    def noop(self, base_fee: int, proposed: int) -> Fees:
        """What the chain asks, as far as a no-op may go."""
        tip = min(proposed, self.noop_cap)
        return Fees(min(2 * base_fee + tip, self.noop_cap), tip)

    def _part(self, rise: int, now: int, deadline: int | None) -> int:
        if deadline is None:
            return 0
        if self.window == 0:
            return rise if now >= deadline else 0
        gone = min(self.window, max(0, now - (deadline - self.window)))
        return rise * gone**2 // self.window**2


def market_fees(base_fee: int, tip: int, most: int) -> Fees:
    """Fees for a new transaction: room for the base fee to double, within `most`. Raises FeeTooHighError."""
    if base_fee + tip > most:
        raise FeeTooHighError(
            f"BALLAST_MAX_FEE_GWEI: at most {_gwei(most)} gwei now, the chain asks for {_gwei(base_fee + tip)} gwei; "
            "waiting"
        )
    return Fees(min(most, 2 * base_fee + tip), tip)


def bumped_fees(old: Fees, market: Fees, most: int) -> Fees | None:
    """Fees that replace `old`: at least 9/8 of both of its fees, as nodes ask; None if that is above `most`."""
    max_fee = max(-(-old.max_fee * 9 // 8), market.max_fee)
    tip = max(-(-old.tip * 9 // 8), market.tip)
    if max_fee > most:
        return None
    return Fees(max_fee, min(tip, max_fee))


def highest(fees: Iterable[Fees]) -> Fees:
    """The most of each: what replaces all of them replaces whichever a node has. Raises ValueError if there are
    none."""
    found = list(fees)
    return Fees(max(one.max_fee for one in found), max(one.tip for one in found))


def _gwei(wei: int) -> str:
    """Wei in gwei for people, two digits, rounded up."""
    hundredths = -(-wei // 10**7)
    return f"{hundredths // 100}.{hundredths % 100:02d}"
