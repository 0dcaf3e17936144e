"""Pairs of the Uniswap V2 family: one constant product without an end, 0.3 % of what goes in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isqrt

from keeper.pools import amm
from keeper.pools.venues import Segment
from keeper.state import PoolState

FEE = 3_000
KIND = 0


@dataclass(frozen=True)
class V2Pool:
    """A pair with `reserves` of its `tokens`, in wei, in the contract's order."""

    venue: str
    address: str
    tokens: tuple[str, str]
    reserves: tuple[int, int]
    kind: int = KIND
    fee: int = FEE

    def amount_out(self, token_in: str, amount: int) -> int:
        """See `Pool`."""
        return amm.amount_out(self._side(token_in), amount)

    def amount_in(self, token_in: str, amount: int) -> int:
        """See `Pool`."""
        return amm.amount_in(self._side(token_in), amount)

    def segments(self, token_in: str) -> tuple[Segment, ...]:
        """See `Pool`."""
        side = self._side(token_in)
        return (Segment(side.reserve_in, side.reserve_out, None, self.fee),)

    def at_price(self, numerator: int, denominator: int) -> V2Pool:
        """See `Pool`; the product of the reserves stays, their fee's growth is left out. Unchanged where a reserve
        would round to 0."""
        product = self.reserves[0] * self.reserves[1]
        second = isqrt(product * numerator // denominator)
        if second == 0 or product // second == 0:
            return self
        return replace(self, reserves=(product // second, second))

    def _side(self, token_in: str) -> amm.Reserves:
        first, second = self.reserves
        return amm.Reserves(first, second) if token_in == self.tokens[0] else amm.Reserves(second, first)


def pool_of(state: PoolState, weth: str) -> V2Pool:
    """The pair whose reserves against WETH were read."""
    if int(state.token, 16) < int(weth, 16):
        return V2Pool(state.venue, state.pair, (state.token, weth), (state.token_reserve, state.weth_reserve))
    return V2Pool(state.venue, state.pair, (weth, state.token), (state.weth_reserve, state.token_reserve))
