"""The pools a keeper may use, and the routes of an amount over them.

Every route goes through WETH: a sell ends there, a buy begins there. A pool is used only where it saves more than the
gas of one more hop. Amounts are wei; `hop_cost` is the gas cost of a hop in WETH wei.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import isqrt
from statistics import median_low

from keeper import amm
from keeper.state import WAD, FundState, PoolState

NO_PAIR = "0x" + "00" * 20
"""In place of a pair where the token is WETH itself."""

MOST_POOLS = 4
"""Of one token, the deepest; the ways to choose among more are too many to look at."""


@dataclass(frozen=True)
class Swap:
    """One swap against WETH: what goes in and what comes out, in wei."""

    venue: str
    pair: str
    paid: int
    received: int


@dataclass(frozen=True)
class Route:
    """Swaps that carry an amount of one token to or from WETH."""

    swaps: tuple[Swap, ...]

    @property
    def paid(self) -> int:
        return sum(swap.paid for swap in self.swaps)

    @property
    def received(self) -> int:
        return sum(swap.received for swap in self.swaps)

    @property
    def hops(self) -> int:
        """Swaps that go through a pool."""
        return sum(swap.pair != NO_PAIR for swap in self.swaps)


@dataclass(frozen=True)
class Market:
    """Pools by token, deepest first, and the USD price of one ETH (18 decimals) that they imply."""

    weth: str
    pools: Mapping[str, tuple[PoolState, ...]]
    eth_price: int

    def tradable(self, token: str) -> bool:
        """Whether the token can be turned into WETH and back."""
        return token == self.weth or bool(self.pools.get(token))

    def usd(self, weth: int) -> int:
        """USD (18 decimals) of WETH wei, rounded down."""
        return weth * self.eth_price // WAD

    def weth_of(self, usd: int) -> int:
        """WETH wei of USD, rounded down; 0 without a price."""
        return usd * WAD // self.eth_price if self.eth_price else 0

    def recovered(self, state: FundState) -> Market:
        """The market as it is expected once all pools have come back to the oracle's prices: as deep as now."""
        pools = {token: tuple(self._recovered(pool, state) for pool in own) for token, own in self.pools.items()}
        return Market(self.weth, pools, self.eth_price)

    def _recovered(self, pool: PoolState, state: FundState) -> PoolState:
        holding = next((h for h in state.holdings if h.token == pool.token), None)
        if holding is None or not holding.price or not self.eth_price:
            return pool
        # {WETH wei}: sqrt({tok} * {WETH} * {USD / whole tok} / ({tok / whole tok} * {USD / ETH} / {1e18}))
        depth = pool.token_reserve * pool.weth_reserve
        weth = isqrt(depth * holding.price * WAD // (holding.one * self.eth_price))
        if weth == 0 or depth // weth == 0:
            return pool
        return replace(pool, weth_reserve=weth, token_reserve=depth // weth)

    def sell(self, token: str, amount: int, hop_cost: int) -> Route:
        """The route that brings most WETH for `amount`, gas taken off."""
        if token == self.weth:
            return Route((Swap("", NO_PAIR, amount, amount),))
        routes = (_sell(subset, amount) for subset in _subsets(self.pools[token]))
        return max(routes, key=lambda route: route.received - route.hops * hop_cost)

    def venues_to_buy(self, token: str, amount: int, hop_cost: int) -> tuple[PoolState, ...]:
        """The pools over which `amount` costs least WETH, gas included; empty if they do not have that much."""
        best: tuple[int, tuple[PoolState, ...]] | None = None
        for subset in _subsets(self.pools.get(token, ())):
            if amount >= sum(pool.token_reserve for pool in subset):
                continue
            cost = amm.best_in(_buying(subset), amount) + len(subset) * hop_cost
            if best is None or cost < best[0]:
                best = cost, subset
        return best[1] if best else ()

    def buy(self, token: str, pools: Sequence[PoolState], amount: int) -> Route:
        """The cheapest way to `amount` over exactly these pools."""
        if token == self.weth:
            return Route((Swap("", NO_PAIR, amount, amount),))
        parts = amm.split_out(_buying(pools), amount)
        swaps = (
            Swap(pool.venue, pool.pair, amm.amount_in(side, part), part)
            for pool, side, part in zip(pools, _buying(pools), parts, strict=True)
        )
        return Route(tuple(swap for swap in swaps if swap.received))

    def cost(self, token: str, pools: Sequence[PoolState], amount: int) -> int:
        """WETH wei that `amount` costs over these pools. Raises ValueError if they do not have that much."""
        if token == self.weth or amount == 0:
            return amount
        return amm.best_in(_buying(pools), amount)


def market_of(weth: str, pools: Iterable[PoolState], state: FundState) -> Market:
    """The market in a block. Pools that are empty or do not exist are left out."""
    by_token: dict[str, list[PoolState]] = {}
    for pool in pools:
        if pool.token_reserve > 0 and pool.weth_reserve > 0:
            by_token.setdefault(pool.token, []).append(pool)
    for own in by_token.values():
        own.sort(key=lambda pool: (-pool.weth_reserve, pool.pair))
        del own[MOST_POOLS:]
    found = {token: tuple(own) for token, own in by_token.items()}
    return Market(weth, found, _eth_price(found, state))


def _eth_price(pools: Mapping[str, Sequence[PoolState]], state: FundState) -> int:
    """USD of one ETH: the median over all pools of what their price and the oracle's imply. 0 if there is none."""
    implied = [
        holding.price * pool.token_reserve * WAD // (holding.one * pool.weth_reserve)
        for holding in state.holdings
        if holding.price
        for pool in pools.get(holding.token, ())
    ]
    return median_low(implied) if implied else 0


def _subsets(pools: Sequence[PoolState]) -> Iterable[tuple[PoolState, ...]]:
    """All choices of at least one pool, small ones first."""
    for size in range(1, len(pools) + 1):
        yield from combinations(pools, size)


def _buying(pools: Sequence[PoolState]) -> list[amm.Reserves]:
    return [amm.Reserves(pool.weth_reserve, pool.token_reserve) for pool in pools]


def _sell(pools: Sequence[PoolState], amount: int) -> Route:
    sides = [amm.Reserves(pool.token_reserve, pool.weth_reserve) for pool in pools]
    parts = amm.split_in(sides, amount)
    swaps = (
        Swap(pool.venue, pool.pair, part, amm.amount_out(side, part))
        for pool, side, part in zip(pools, sides, parts, strict=True)
    )
    return Route(tuple(swap for swap in swaps if swap.paid))
