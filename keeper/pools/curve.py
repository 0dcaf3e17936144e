"""Combines several pools of the same two tokens in one direction: an amount splits so that marginal prices are equal.

A stretch of constant product takes x and pays a b g / (a + g x)^2 at the margin, with a, b its reserves in and out and
g = 1 - fee. With A = a / g and L = sqrt(a b / g), so that x + A = s L, that is 1 / s^2: all pools pay the same where s
is the same. Sums over the stretches that are open at s give

    X = s sum(L) - sum(A)        Y = sum(b) - sum(L) / s        (X + sum(A)) (sum(b) - Y) = sum(L)^2

so together they are a constant product again, without a fee. A stretch opens at s = A / L (its price before any trade)
and closes when it has taken all it can. Between these points the sums do not change: a curve is a list of such pieces.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

from keeper.pools.venues import MILLION, Pool, Segment

_FINE = 64
"""Fractional bits of A, L and X in this module: amounts of coarse tokens (few decimals) stay exact enough."""
_STEEP = 96
"""Fractional bits of s."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A segment of pool `pool` (position) in the terms above. `closes`: s at which it has taken `most`; None: never."""

    pool: int
    a: int
    l: int  # noqa: E741 (the letter of the formula)
    b: int
    opens: int
    closes: int | None
    most: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """From X = `start` on: sum of L, sum of A less what closed stretches took, sum of b plus what those paid out."""

    start: int
    paid_out: int
    l: int  # noqa: E741
    a: int
    b: int


class Curve:
    """Pools combined, for swaps that pay `token_in`. Amounts are wei."""

    def __init__(self, pools: Sequence[Pool], token_in: str) -> None:
        """Raises ValueError without a pool."""
        if not pools:
            raise ValueError("a curve over no pools")
        self.pools = tuple(pools)
        self.token_in = token_in
        self._stretches = [
            _stretch(position, segment)
            for position, pool in enumerate(self.pools)
            for segment in pool.segments(token_in)
        ]
        ends = [[segment.most_in for segment in pool.segments(token_in)] for pool in self.pools]
        self._ends = [None if None in own else sum(most or 0 for most in own) for own in ends]
        self._pieces, self._most = _pieces(self._stretches)
        self._starts = [piece.start for piece in self._pieces]
        self._outs = [piece.paid_out for piece in self._pieces]

    @property
    def most_in(self) -> int | None:
        """Most that all pools together can take; None: unlimited."""
        return None if self._most is None else self._most[0] >> _FINE

    @property
    def most_out(self) -> int:
        """All pools together pay out less than this, or at most this if what they can take is limited."""
        return (self._pieces[-1].b if self._most is None else self._most[1]) >> _FINE

    def out(self, amount: int) -> int:
        """Approximate output for `amount` (each pool rounds on its own); ignores the pools' limits."""
        piece = self._pieces[bisect_right(self._starts, amount << _FINE) - 1]
        return (piece.b - piece.l * piece.l // ((amount << _FINE) + piece.a)) >> _FINE

    def into(self, amount: int) -> int:
        """Approximate input for an output of `amount`. Raises ValueError if the pools do not have that much."""
        if amount >= self.most_out:
            raise ValueError(f"amount out {amount}: more than the pools hold")
        piece = self._pieces[bisect_right(self._outs, amount << _FINE) - 1]
        return (piece.l * piece.l // (piece.b - (amount << _FINE)) - piece.a) >> _FINE

    def at_start(self, amount: int) -> int:
        """Output for `amount` at the price of the first wei, net of fees."""
        piece = self._pieces[0]
        # {out} = {in} * L^2 / A^2
        return amount * piece.l * piece.l // (piece.a * piece.a)

    def near(self, bps: int) -> int:
        """Input that moves the marginal price by about `bps` basis points."""
        piece = self._pieces[0]
        # The price goes with s^2, so s moves by half of `bps`.
        slope = (piece.a << _STEEP) // piece.l * (20_000 + bps) // 20_000
        return sum(_taken(stretch, slope) for stretch in self._stretches) >> _FINE

    def split(self, amount: int) -> tuple[int, ...]:
        """Parts of `amount` for each pool; they add up to it. Raises ValueError if the pools cannot take that much.

        The rounding remainder (below one wei per pool) goes to the pool with the largest part that has room.
        """
        if self._most is not None and amount << _FINE > self._most[0]:
            raise ValueError(f"amount in {amount}: more than the pools take")
        piece = self._pieces[bisect_right(self._starts, amount << _FINE) - 1]
        slope = (((amount << _FINE) + piece.a) << _STEEP) // piece.l
        parts = [0] * len(self.pools)
        for stretch in self._stretches:
            parts[stretch.pool] += _taken(stretch, slope)
        found = [part >> _FINE for part in parts]
        left = amount - sum(found)
        for position in sorted(range(len(found)), key=lambda k: -found[k]):
            most = self._ends[position]
            more = left if most is None else min(left, most - found[position])
            found[position] += more
            left -= more
        return tuple(found)

    def parts_out(self, amount: int) -> tuple[int, ...]:
        """Parts of the output `amount` from each pool; they add up to it. Raises ValueError as `into`."""
        if amount >= self.most_out:
            raise ValueError(f"amount out {amount}: more than the pools hold")
        piece = self._pieces[bisect_right(self._outs, amount << _FINE) - 1]
        slope = (piece.l << _STEEP) // (piece.b - (amount << _FINE))
        parts = [0] * len(self.pools)
        for stretch in self._stretches:
            taken = _taken(stretch, slope)
            if taken:
                parts[stretch.pool] += stretch.b - stretch.l * stretch.l // (taken + stretch.a)
        found = [part >> _FINE for part in parts]
        found[found.index(max(found))] += amount - sum(found)
        return tuple(found)


def _stretch(pool: int, segment: Segment) -> _Stretch:
    kept = MILLION - segment.fee
    a = (segment.reserve_in << _FINE) * MILLION // kept
    l = isqrt((segment.reserve_in * segment.reserve_out << 2 * _FINE) * MILLION // kept)  # noqa: E741
    most = (segment.most_in or 0) << _FINE
    closes = None if segment.most_in is None else ((a + most) << _STEEP) // l
    return _Stretch(pool, a, l, segment.reserve_out << _FINE, (a << _STEEP) // l, closes, most)


def _taken(stretch: _Stretch, slope: int) -> int:
    """Input that a stretch has taken at s = `slope`."""
    if slope <= stretch.opens:
        return 0
    if stretch.closes is not None and slope >= stretch.closes:
        return stretch.most
    return max(0, (slope * stretch.l >> _STEEP) - stretch.a)


def _pieces(stretches: Sequence[_Stretch]) -> tuple[list[_Piece], tuple[int, int] | None]:
    """The pieces by rising X, and the total input and output at the end; None: no end."""
    events = [(stretch.opens, 1, stretch) for stretch in stretches]
    events += [(stretch.closes, 0, stretch) for stretch in stretches if stretch.closes is not None]
    events.sort(key=lambda event: event[:2])
    pieces: list[_Piece] = []
    total, a, b, start, paid_out = 0, 0, 0, 0, 0
    for slope, opening, stretch in events:
        if total:
            start = max(start, (slope * total >> _STEEP) - a)
            paid_out = max(paid_out, b - (total << _STEEP) // slope)
        if opening:
            total, a, b = total + stretch.l, a + stretch.a, b + stretch.b
        else:
            paid = stretch.b - stretch.l * stretch.l // (stretch.a + stretch.most)
            total, a, b = total - stretch.l, a - stretch.a - stretch.most, b - stretch.b + paid
        if total:
            pieces.append(_Piece(start, paid_out, total, a, b))
    return pieces, None if total else (sum(stretch.most for stretch in stretches), paid_out)
