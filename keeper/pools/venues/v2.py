"""Pairs of the Uniswap V2 family, to the wei: one unlimited constant product with a fee of 0.3 % of the input.

out = 997 in * reserveOut / (1000 reserveIn + 997 in), rounded down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isqrt

from keeper.pools.venues import PoolKind, Segment
from keeper.state import PoolState

FEE = 3_000
_KEPT, _WHOLE = 997, 1000


@dataclass(frozen=True)
class V2Pool:
    """A pair with `reserves` of its `tokens`, in wei, both above 0, in the contract's order."""

    venue: str
    address: str
    tokens: tuple[str, str]
    reserves: tuple[int, int]
    kind: PoolKind = PoolKind.V2
    fee: int = FEE

    def __post_init__(self) -> None:
        if min(self.reserves) <= 0:
            raise ValueError(f"pool {self.address}: reserves {self.reserves}, expected both above 0")

    def amount_out(self, token_in: str, amount: int) -> int:
        """See `Pool`. Raises ValueError below 0."""
        if amount < 0:
            raise ValueError(f"amount in {amount}: expected 0 or more")
        reserve_in, reserve_out = self._sides(token_in)
        return amount * _KEPT * reserve_out // (reserve_in * _WHOLE + amount * _KEPT)

    def amount_in(self, token_in: str, amount: int) -> int:
        """See `Pool`."""
        reserve_in, reserve_out = self._sides(token_in)
        if not 0 <= amount < reserve_out:
            raise ValueError(f"amount out {amount}: expected 0 to {reserve_out - 1}")
        return -(-reserve_in * amount * _WHOLE // ((reserve_out - amount) * _KEPT))

    def segments(self, token_in: str) -> tuple[Segment, ...]:
        """See `Pool`."""
        return (Segment(*self._sides(token_in), None, self.fee),)

    def at_price(self, numerator: int, denominator: int) -> V2Pool:
        """See `Pool`. Keeps the product of the reserves, ignoring its growth by fees. Returns the pool unchanged if a
        reserve would round to 0."""
        product = self.reserves[0] * self.reserves[1]
        second = isqrt(product * numerator // denominator)
        if second == 0 or product // second == 0:
            return self
        return replace(self, reserves=(product // second, second))

    def _sides(self, token_in: str) -> tuple[int, int]:
        """Reserves of the input and of the output token."""
        first, second = self.reserves
        return (first, second) if token_in == self.tokens[0] else (second, first)


def pool_of(state: PoolState, weth: str) -> V2Pool:
    """The pair with these reserves against WETH."""
    if int(state.token, 16) < int(weth, 16):
        return V2Pool(state.venue, state.pair, (state.token, weth), (state.token_reserve, state.weth_reserve))
    return V2Pool(state.venue, state.pair, (weth, state.token), (state.weth_reserve, state.token_reserve))
