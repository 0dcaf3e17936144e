"""The pools that a keeper may use, and the routes of an amount over them.

A sell ends in WETH, a buy starts there; pools directly between two components are in `direct`. Over several pools an
amount splits so that marginal prices are equal, and a route uses a pool only if that saves more than the gas of one
more swap. Amounts are wei.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import median_low

from ballast.units import WAD
from ballast.values import NO_ADDRESS
from keeper.pools.curve import Curve
from keeper.pools.venues import MILLION, Pool, PoolKind
from keeper.pools.venues.v2 import pool_of
from keeper.state import FundState, Holding, PoolState

NO_PAIR = NO_ADDRESS
"""Stands for a pair if the token is WETH itself."""

MAX_POOLS = 4
"""The deepest pools kept per token; more would have too many subsets to compare."""

ENDLESS = 2**256
"""More token wei than can exist."""

HopCosts = Mapping[int, int]
"""Gas cost of one more swap, WETH wei by `PoolKind`."""

_NEAR_BPS = 100
"""A pool's depth is the input that moves its price this far."""


@dataclass(frozen=True)
class Swap:
    """One swap: input `paid` and output `received` in wei; `fee` in millionths of the input."""

    venue: str
    pair: str
    paid: int
    received: int
    kind: PoolKind = PoolKind.V2
    fee: int = 0


@dataclass(frozen=True)
class Route:
    """Swaps that carry an amount of one token to or from WETH, or to another token."""

    swaps: tuple[Swap, ...]

    @property
    def paid(self) -> int:
        return sum(swap.paid for swap in self.swaps)

    @property
    def received(self) -> int:
        return sum(swap.received for swap in self.swaps)

    @property
    def hops(self) -> int:
        """Number of swaps that use a pool."""
        return sum(swap.pair != NO_PAIR for swap in self.swaps)

    @property
    def fees(self) -> int:
        """The pools' fees, in the input token, rounded down per swap."""
        return sum(swap.paid * swap.fee // MILLION for swap in self.swaps)


@dataclass(frozen=True)
class Market:
    """Pools against WETH by token, deepest first, and the USD price of one ETH (18 decimals) that they imply. `direct`:
    pools between two other tokens, keyed by both in ascending order."""

    weth: str
    pools: Mapping[str, tuple[Pool, ...]]
    eth_price: int
    direct: Mapping[tuple[str, str], tuple[Pool, ...]] = field(default_factory=dict)
    _curves: dict[tuple[bool, str, tuple[str, ...]], Curve] = field(default_factory=dict, repr=False, compare=False)

    def tradable(self, token: str) -> bool:
        """Whether the token can be swapped to WETH and back."""
        return token == self.weth or bool(self.pools.get(token))

    def usd(self, weth: int) -> int:
        """USD (18 decimals) of WETH wei, rounded down."""
        return weth * self.eth_price // WAD

    def weth_of(self, usd: int) -> int:
        """WETH wei of USD, rounded down; 0 without a price."""
        return usd * WAD // self.eth_price if self.eth_price else 0

    def price(self, holding: Holding) -> int:
        """USD (18 decimals) of a whole token at its deepest pool's marginal price, rounded down; 0 without a pool."""
        pools = self.pools.get(holding.token, ())
        if not pools:
            return 0
        side = pools[0].segments(holding.token)[0]
        # {USD / whole tok} = {WETH wei} * {tok wei / whole tok} * {USD / ETH} / ({tok wei} * {1e18})
        return side.reserve_out * holding.one * self.eth_price // (side.reserve_in * WAD)

    def recovered(self, state: FundState) -> Market:
        """The market expected once all pools have returned to the oracle's prices, as deep as now. Where the oracle has
        a second source, uses the price that counts for a batch, as that source is the pools of the market."""
        if not self.eth_price:
            return self
        pools = dict(self.pools)
        for holding in state.holdings:
            if state.counts(holding) and holding.token in pools:
                # {WETH wei / token wei} = {USD / whole tok} * {1e18} / ({tok wei / whole tok} * {USD / ETH})
                price = (holding.trade_price or holding.price) * WAD, holding.one * self.eth_price
                pools[holding.token] = tuple(
                    pool.at_price(*(price if pool.tokens[0] == holding.token else price[::-1]))
                    for pool in pools[holding.token]
                )
        return Market(self.weth, pools, self.eth_price, self._direct_at(state))

    def _direct_at(self, state: FundState) -> dict[tuple[str, str], tuple[Pool, ...]]:
        """The direct pools at the oracle's prices; unchanged if a price is missing."""
        known = {h.token: h for h in state.holdings if state.counts(h)}
        found = {}
        for (first, second), pools in self.direct.items():
            if first in known and second in known:
                one, other = known[first], known[second]
                # {wei of second / wei of first} = {USD / wei of first} / {USD / wei of second}
                price = one.price * other.one, other.price * one.one
                found[first, second] = tuple(pool.at_price(*price) for pool in pools)
            else:
                found[first, second] = pools
        return found

    def between(self, one: str, other: str) -> tuple[Pool, ...]:
        """The pools of exactly these two tokens, neither of which is WETH."""
        return self.direct.get(ascending(one, other), ())

    def pools_of(self, token: str, route: Route) -> tuple[Pool, ...]:
        """The pools of a token that a route uses."""
        used = {swap.pair for swap in route.swaps}
        return tuple(pool for pool in self.pools.get(token, ()) if pool.address in used)

    def curve(self, token: str, pools: Sequence[Pool], *, selling: bool) -> Curve:
        """These pools of a token combined, in one direction."""
        key = selling, token, tuple(pool.address for pool in pools)
        if key not in self._curves:
            self._curves[key] = Curve(pools, token if selling else self.weth)
        return self._curves[key]

    def sell(self, token: str, amount: int, hop_costs: HopCosts) -> Route:
        """The route that brings most WETH for `amount`, net of gas. Raises ValueError if no subset of the pools takes
        that much."""
        if token == self.weth:
            return Route((Swap("", NO_PAIR, amount, amount),))
        best: tuple[int, Curve] | None = None
        for pools in _subsets(self.pools[token]):
            curve = self.curve(token, pools, selling=True)
            if curve.most_in is not None and amount > curve.most_in:
                continue
            brings = curve.out(amount) - sum(hop_costs[pool.kind] for pool in pools)
            if best is None or brings > best[0]:
                best = brings, curve
        if best is None:
            raise ValueError(f"amount in {amount}: more than the pools of {token} take")
        return _spent(best[1], amount)

    def venues_to_buy(self, token: str, amount: int, hop_costs: HopCosts) -> tuple[Pool, ...]:
        """The pools over which `amount` costs least WETH, gas included; empty if they do not have that much."""
        best: tuple[int, tuple[Pool, ...]] | None = None
        for pools in _subsets(self.pools.get(token, ())):
            curve = self.curve(token, pools, selling=False)
            if amount >= curve.most_out:
                continue
            cost = curve.into(amount) + sum(hop_costs[pool.kind] for pool in pools)
            if best is None or cost < best[0]:
                best = cost, pools
        return best[1] if best else ()

    def buy(self, token: str, pools: Sequence[Pool], amount: int) -> Route:
        """The cheapest way to `amount` over exactly these pools. Raises ValueError if they do not have that much."""
        if token == self.weth:
            return Route((Swap("", NO_PAIR, amount, amount),))
        curve = self.curve(token, pools, selling=False)
        swaps = (
            Swap(pool.venue, pool.address, pool.amount_in(self.weth, part), part, pool.kind, pool.fee)
            for pool, part in zip(curve.pools, curve.parts_out(amount), strict=True)
            if part
        )
        return Route(tuple(swaps))

    def cross(self, paid: str, received: str, amount: int) -> Route:
        """The route of `amount` of one token directly to another, over all their pools. Raises ValueError if they do
        not take that much."""
        return _spent(Curve(self.between(paid, received), paid), amount)

    def most_to_buy(self, token: str, pools: Sequence[Pool]) -> int:
        """Most token wei that these pools sell for WETH; `ENDLESS` for WETH itself."""
        if token == self.weth:
            return ENDLESS
        return max(0, self.curve(token, pools, selling=False).most_out - 1)

    def cost(self, token: str, pools: Sequence[Pool], amount: int) -> int:
        """WETH wei that `amount` costs over these pools, at most: each pool rounds up on its own. Raises ValueError if
        they do not have that much."""
        if token == self.weth or amount == 0:
            return amount
        return self.curve(token, pools, selling=False).into(amount) + 2 * len(pools)


def _spent(curve: Curve, amount: int) -> Route:
    """The route of `amount` of the curve's token, split over its pools."""
    swaps = (
        Swap(pool.venue, pool.address, part, pool.amount_out(curve.token_in, part), pool.kind, pool.fee)
        for pool, part in zip(curve.pools, curve.split(amount), strict=True)
        if part
    )
    return Route(tuple(swaps))


def market_of(weth: str, pools: Iterable[PoolState | Pool], state: FundState) -> Market:
    """The market in a block, without pools that are empty or do not exist."""
    by_token: dict[str, list[tuple[int, Pool]]] = {}
    direct: dict[tuple[str, str], tuple[Pool, ...]] = {}
    for entry in pools:
        if isinstance(entry, PoolState):
            if entry.token_reserve <= 0 or entry.weth_reserve <= 0:
                continue
            pool: Pool = pool_of(entry, weth)
        else:
            pool = entry
        if not all(pool.segments(token) for token in pool.tokens):
            continue
        if weth not in pool.tokens:
            pair = ascending(*pool.tokens)
            direct[pair] = (*direct.get(pair, ()), pool)
            continue
        token = pool.tokens[0] if pool.tokens[1] == weth else pool.tokens[1]
        by_token.setdefault(token, []).append((Curve([pool], weth).near(_NEAR_BPS), pool))
    found = {}
    for token, own in by_token.items():
        own.sort(key=lambda entry: (-entry[0], entry[1].address))
        found[token] = tuple(pool for _, pool in own[:MAX_POOLS])
    return Market(weth, found, _eth_price(found, state), direct)


def ascending(one: str, other: str) -> tuple[str, str]:
    """Two tokens in pool order: by address."""
    return (one, other) if int(one, 16) < int(other, 16) else (other, one)


def _eth_price(pools: Mapping[str, Sequence[Pool]], state: FundState) -> int:
    """USD of one ETH (18 decimals): the median over all pools of the price that pool and oracle together imply; 0
    without a pool."""
    implied = []
    for holding in state.holdings:
        for pool in pools.get(holding.token, ()) if state.counts(holding) else ():
            side = pool.segments(holding.token)[0]
            implied.append(holding.price * side.reserve_in * WAD // (holding.one * side.reserve_out))
    return median_low(implied) if implied else 0


def _subsets(pools: Sequence[Pool]) -> Iterable[tuple[Pool, ...]]:
    """All subsets of at least one pool, small ones first."""
    for size in range(1, len(pools) + 1):
        yield from combinations(pools, size)
