"""A pool whose depth has an end, as one with ticks: what its segments say, to the wei."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.pools.venues import MILLION, PoolKind, Segment


@dataclass(frozen=True)
class SteppedPool:
    """One direction is enough: whatever goes in, the segments are the same."""

    parts: tuple[Segment, ...]
    venue: str = "stepped"
    address: str = "0x" + "99" * 20
    kind: PoolKind = PoolKind.V3
    tokens: tuple[str, str] = ("0x" + "11" * 20, "0x" + "22" * 20)

    @property
    def fee(self) -> int:
        return self.parts[0].fee

    def segments(self, token_in: str) -> tuple[Segment, ...]:
        assert token_in in self.tokens
        return self.parts

    def amount_out(self, token_in: str, amount: int) -> int:
        out, left = 0, amount
        for segment in self.segments(token_in):
            taken = left if segment.most_in is None else min(left, segment.most_in)
            kept = taken * (MILLION - segment.fee)
            out += segment.reserve_out * kept // (segment.reserve_in * MILLION + kept)
            left -= taken
        if left:
            raise ValueError(f"amount in {amount}: {left} too much")
        return out

    def amount_in(self, token_in: str, amount: int) -> int:
        low, high = -1, sum(segment.most_in or 10**30 for segment in self.segments(token_in))
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.amount_out(token_in, middle) >= amount else (middle, high)
        return high

    def at_price(self, numerator: int, denominator: int) -> SteppedPool:
        raise NotImplementedError(f"{numerator} / {denominator}")
