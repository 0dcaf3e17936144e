"""Fees, wei per gas. Pure functions.

Far from an action's deadline the normal cap applies; while the market is above it, the keeper waits. In the last
`window` seconds cap and tip rise with the square of the elapsed time, so most of the rise comes just before the
deadline:

    u   = seconds elapsed of the window, 0 to window (window after the deadline)
    cap = normal + (urgent - normal) u^2 / window^2
    tip = (the node's proposal) x (1 + 3 u^2 / window^2)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from keeper.errors import FeeTooHighError

TIP_RISE = 3
"""The tip rises over the window by this many times the node's proposal."""
NOOP_ROOM = 2
"""A no-op may pay this many times the urgent cap: it uses 21,000 gas, a batch a million."""


@dataclass(frozen=True)
class Fees:
    """Wei per gas."""

    max_fee: int
    tip: int


@dataclass(frozen=True)
class Urgency:
    """Caps in wei per gas: `normal` far from a deadline, `urgent` at it. `window`: seconds before the deadline over
    which the cap rises from one to the other."""

    normal: int
    urgent: int
    window: int

    def cap(self, now: int, deadline: int | None) -> int:
        """Cap at chain time `now`, wei per gas, rounded down; the normal cap without a deadline."""
        return self.normal + self._part(self.urgent - self.normal, now, deadline)

    def tip(self, proposed: int, now: int, deadline: int | None) -> int:
        """Tip at chain time `now` if the node proposes `proposed`, wei per gas, rounded down."""
        return proposed + self._part(TIP_RISE * proposed, now, deadline)

    def market(self, base_fee: int, proposed: int, now: int, deadline: int | None) -> Fees:
        """Fees for a new transaction if the node proposes the tip `proposed`. Raises FeeTooHighError."""
        cap = self.cap(now, deadline)
        # The node's proposal decides whether the market is above the cap; urgency only uses the room below the cap.
        market_fees(base_fee, proposed, cap)
        return market_fees(base_fee, min(self.tip(proposed, now, deadline), cap - base_fee), cap)

    @property
    def noop_cap(self) -> int:
        """Cap of a no-op, wei per gas."""
        return NOOP_ROOM * self.urgent

    def noop(self, base_fee: int, proposed: int) -> Fees:
        """Fees for a no-op at the market, within its cap."""
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
    """Fees for a new transaction, with room for the base fee to double, within `most`. Raises FeeTooHighError."""
    if base_fee + tip > most:
        raise FeeTooHighError(
            f"BALLAST_MAX_FEE_GWEI: at most {_gwei(most)} gwei now, the chain asks for {_gwei(base_fee + tip)} gwei; "
            "waiting"
        )
    return Fees(min(most, 2 * base_fee + tip), tip)


def bumped_fees(old: Fees, market: Fees, most: int) -> Fees | None:
    """Fees that replace `old`: at least 9/8 of both, rounded up, as nodes require; None if above `most`."""
    max_fee = max(-(-old.max_fee * 9 // 8), market.max_fee)
    tip = max(-(-old.tip * 9 // 8), market.tip)
    if max_fee > most:
        return None
    return Fees(max_fee, min(tip, max_fee))


def capped_fees(fees: Fees, gas: int, most: int, base_fee: int) -> Fees:
    """The fees, lowered so that `gas` costs at most `most` wei. Raises FeeTooHighError if that leaves no tip."""
    max_fee = min(fees.max_fee, most // gas)
    if max_fee <= base_fee:
        raise FeeTooHighError(
            f"the node lets at most {_gwei(max_fee)} gwei through for {gas} gas, the chain asks for more than "
            f"{_gwei(base_fee)} gwei; waiting (a higher fee cap of the node helps, geth's --rpc.txfeecap)"
        )
    return Fees(max_fee, min(fees.tip, max_fee - base_fee))


def highest(fees: Iterable[Fees]) -> Fees:
    """The maximum of each fee. Fees above both replace whichever transaction a node has. Raises ValueError if empty."""
    found = list(fees)
    return Fees(max(one.max_fee for one in found), max(one.tip for one in found))


def _gwei(wei: int) -> str:
    """Wei as gwei, two decimals, rounded up."""
    hundredths = -(-wei // 10**7)
    return f"{hundredths // 100}.{hundredths % 100:02d}"
