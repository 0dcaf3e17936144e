"""Quotes the price of a mint or the proceeds of a redemption through the zap, to the wei, with the pools of one block.
Pure.

The zap uses one pool per component, always against WETH, and one more if the holder pays or receives another token.
Each is the best one, gas included. Amounts are token wei, USD has 18 decimals.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum

from ballast.units import WAD
from ballast.values import NO_ADDRESS
from keeper.pools.venues import MILLION, Pool, PoolKind
from keeper.pools.venues.v2 import V2Pool
from keeper.pools.venues.v3 import V3Pool
from keeper.state import FundState, Holding

ETH = NO_ADDRESS
"""Stands for ether itself in place of a token."""


class Venue(IntEnum):
    """Where the zap trades a component, or how it treats it (`Legs.Venue`)."""

    NONE = 0
    UNISWAP_V2 = 1
    SUSHISWAP_V2 = 2
    UNISWAP_V3 = 3
    IN_KIND = 4
    SKIP = 5


@dataclass(frozen=True)
class Gas:
    """Measured gas of a zap: base, per component, and per swap in a pool."""

    base: int
    component: int
    hop_v2: int
    hop_v3: int

    def hop(self, pool: Pool) -> int:
        """Gas of one swap in this pool."""
        return self.hop_v3 if pool.kind is PoolKind.V3 else self.hop_v2


MINT = Gas(base=85_000, component=19_500, hop_v2=44_000, hop_v3=64_000)
REDEEM = Gas(base=80_000, component=17_000, hop_v2=48_000, hop_v3=60_000)


class NoPoolError(ValueError):
    """No pool of the zap can trade the amounts of these tokens."""

    def __init__(self, tokens: Collection[str]) -> None:
        super().__init__(f"no pool against WETH that is deep enough: {', '.join(tokens)}")
        self.tokens = tuple(tokens)


@dataclass(frozen=True)
class Leg:
    """A leg of the zap's argument. `fee`: millionths, for Uniswap V3 alone."""

    venue: Venue
    fee: int = 0

    @property
    def number(self) -> int:
        """The leg packed into four bytes."""
        return self.venue << 24 | self.fee


NOTHING = Leg(Venue.NONE)


@dataclass(frozen=True)
class ZapSwap:
    """One swap, with its costs in WETH wei: `fees` (rounded down) go to the pool's liquidity providers, `impact` is the
    loss because the swap moves the price."""

    leg: Leg
    pool: Pool
    paid: int
    received: int
    buys: bool
    """Whether WETH is the input."""
    fees: int
    impact: int

    @property
    def weth(self) -> int:
        """The amount on the WETH side, wei."""
        return self.paid if self.buys else self.received


@dataclass(frozen=True)
class Part:
    """A component of a quote. No swap: it is the pay or receive token or WETH, or in kind, or skipped, or the amount is
    0."""

    holding: Holding
    amount: int
    leg: Leg
    swap: ZapSwap | None = None


@dataclass(frozen=True)
class Pools:
    """The inputs of a quote, in one block: the fund, the zap's pools against WETH by token, the oracle's USD price of
    one ETH (0: none), and wei per gas."""

    state: FundState
    weth: str
    by_token: Mapping[str, tuple[tuple[Leg, Pool], ...]]
    eth_price: int
    gas_price: int


@dataclass(frozen=True)
class Quote:
    """A zap of `shares` for `amount` of `token` (`ETH`: ether). `last`: the swap between WETH and that token."""

    shares: int
    token: str
    amount: int
    parts: tuple[Part, ...]
    last: ZapSwap | None
    gas: int
    direct: int
    """The part of `amount` that is a component itself."""
    weth: int
    """The rest in WETH wei: its value at the price of the last swap's pool before the swap."""

    @property
    def legs(self) -> bytes:
        """The components' legs, encoded for the zap."""
        return b"".join(part.leg.number.to_bytes(4) for part in self.parts)

    @property
    def last_leg(self) -> int:
        """The last swap's leg, encoded for the zap; 0 without one."""
        return self.last.leg.number if self.last else 0

    @property
    def swaps(self) -> tuple[ZapSwap, ...]:
        """All swaps, that of the pay or receive token last."""
        found = (*(part.swap for part in self.parts), self.last)
        return tuple(swap for swap in found if swap is not None)

    @property
    def fees(self) -> int:
        """WETH wei of fees to the pools' liquidity providers."""
        return sum(swap.fees for swap in self.swaps)

    @property
    def impact(self) -> int:
        """WETH wei lost because the swaps move prices."""
        return sum(swap.impact for swap in self.swaps)

    def most(self, slippage: int) -> int:
        """`maxIn` of a mint at this slippage (18 decimals), rounded up."""
        return -(-self.amount * (WAD + slippage) // WAD)

    def least(self, slippage: int) -> int:
        """`minOut` of a redemption at this slippage (18 decimals), rounded up."""
        return -(-self.amount * (WAD - slippage) // WAD)


def mint_quote(pools: Pools, shares: int, token: str) -> Quote:
    """The price of exactly `shares`. Raises NoPoolError for components that cannot be bought, or for `token`.

    Ignores suspended and unreadable components: with one the fund itself refuses the mint.
    """
    supply = pools.state.supply

    def part(holding: Holding) -> Part:
        # {tok} = {tok} * {share} / {share}, rounded up as in the fund
        amount = 0 if holding.written_off else -(-holding.balance * shares // supply)
        if not amount or holding.token in (pools.weth, token):
            return Part(holding, amount, NOTHING)
        swap = _cheapest(pools, holding.token, pools.weth, amount)
        return Part(holding, amount, swap.leg, swap)

    parts = _every(pools.state.holdings, part)
    direct, weth = _sides(pools, parts, token, lambda swap: swap.paid)
    last = None
    if token not in (ETH, pools.weth) and weth:
        last = _cheapest(pools, token, token, weth)
    worth = last.received + last.fees + last.impact if last else weth
    used = _gas(MINT, parts, last)
    return Quote(shares, token, direct + (last.paid if last else weth), parts, last, used, direct, worth)


def redeem_quote(
    pools: Pools, shares: int, token: str, in_kind: Collection[str] = (), skipped: Collection[str] = ()
) -> Quote:
    """The proceeds of exactly `shares`, without the components paid out in kind (`in_kind`) or forfeited (`skipped`),
    both addresses. Raises NoPoolError for components that cannot be sold, or for `token`."""
    supply = pools.state.supply

    def part(holding: Holding) -> Part:
        # {tok} = {tok} * {share} / {share}, rounded down as in the fund
        amount = 0 if holding.written_off else holding.balance * shares // supply
        if holding.token in skipped:
            return Part(holding, amount, Leg(Venue.SKIP))
        if not amount or holding.token in in_kind:
            return Part(holding, amount, Leg(Venue.IN_KIND))
        if holding.token in (pools.weth, token):
            return Part(holding, amount, NOTHING)
        swap = _dearest(pools, holding.token, holding.token, amount)
        return Part(holding, amount, swap.leg, swap)

    parts = _every(pools.state.holdings, part)
    direct, weth = _sides(pools, parts, token, lambda swap: swap.received)
    last = None
    if token not in (ETH, pools.weth) and weth:
        last = _dearest(pools, token, pools.weth, weth)
    worth = last.paid - last.fees - last.impact if last else weth
    used = _gas(REDEEM, parts, last)
    return Quote(shares, token, direct + (last.received if last else weth), parts, last, used, direct, worth)


def shares_for(pools: Pools, token: str, most: int, slippage: int) -> Quote:
    """The mint of the most shares that cost at most `most` in the worst case at this slippage (18 decimals), to about
    one part in a trillion. Raises NoPoolError if the pools cannot even supply one share wei, ValueError if `most` does
    not pay for one."""
    best: Quote | None = None

    def affordable(shares: int) -> Quote | None:
        try:
            found = mint_quote(pools, shares, token)
        except NoPoolError:
            return None
        return found if found.most(slippage) <= most else None

    low, high = 0, pools.state.supply
    while found := affordable(high):
        low, high, best = high, 2 * high, found
    while high - low > max(1, high >> 40):
        middle = (low + high) // 2
        if found := affordable(middle):
            low, best = middle, found
        else:
            high = middle
    if best is None:
        mint_quote(pools, 1, token)
        raise ValueError("buys no share, expected more")
    return best


def in_kind_usd(quote: Quote) -> int:
    """Value of a quote's components at the oracle's prices, USD, each rounded down; without those without a price."""
    return sum(part.holding.value(part.amount) for part in quote.parts)


def kept_usd(quote: Quote) -> int:
    """Value of what a redemption pays out in kind, at the oracle's prices, USD; without forfeited components."""
    return sum(part.holding.value(part.amount) for part in quote.parts if part.leg.venue is Venue.IN_KIND)


def worth_usd(pools: Pools, quote: Quote) -> int:
    """Value of the amount paid or received, USD: WETH at the oracle's price of ETH, and a component at its own."""
    own = sum(part.holding.value(quote.direct) for part in quote.parts if part.holding.token == quote.token)
    return own + quote.weth * pools.eth_price // WAD


def _gas(gas: Gas, parts: tuple[Part, ...], last: ZapSwap | None) -> int:
    swaps = [part.swap for part in parts if part.swap] + ([last] if last else [])
    return gas.base + gas.component * len(parts) + sum(gas.hop(swap.pool) for swap in swaps)


def _every(holdings: tuple[Holding, ...], part: Callable[[Holding], Part]) -> tuple[Part, ...]:
    """The part of each component. Raises one NoPoolError for all that have no pool."""
    found: list[Part] = []
    missing: list[str] = []
    for holding in holdings:
        try:
            found.append(part(holding))
        except NoPoolError as error:
            missing += error.tokens
    if missing:
        raise NoPoolError(missing)
    return tuple(found)


def _sides(pools: Pools, parts: tuple[Part, ...], token: str, of: Callable[[ZapSwap], int]) -> tuple[int, int]:
    """The amounts paid or received as `token` itself, and as WETH."""
    direct = sum(p.amount for p in parts if p.leg == NOTHING and p.holding.token == token != pools.weth)
    weth = sum(p.amount for p in parts if p.leg == NOTHING and p.holding.token == pools.weth)
    return direct, weth + sum(of(part.swap) for part in parts if part.swap)


def _cheapest(pools: Pools, token: str, paid: str, amount: int) -> ZapSwap:
    """The swap for exactly `amount` out, in the pool of `token` where it costs least, gas included."""

    def cost(swap: ZapSwap) -> int:
        return swap.paid + _gas_in(pools, swap, paid, MINT)

    swaps = _swaps(pools, token, paid, lambda pool: (_asked(pool, paid, amount), amount))
    return min(swaps, key=cost)


def _dearest(pools: Pools, token: str, paid: str, amount: int) -> ZapSwap:
    """The swap of exactly `amount` in, in the pool of `token` where it brings most, net of gas."""

    def brings(swap: ZapSwap) -> int:
        return swap.received - _gas_in(pools, swap, token if paid == pools.weth else pools.weth, REDEEM)

    swaps = _swaps(pools, token, paid, lambda pool: (amount, pool.amount_out(paid, amount)))
    return max(swaps, key=brings)


def _swaps(pools: Pools, token: str, paid: str, amounts: Callable[[Pool], tuple[int, int]]) -> list[ZapSwap]:
    """The swap in each pool of the token that can do it. Raises NoPoolError if none can."""
    found = []
    for leg, pool in pools.by_token.get(token, ()):
        try:
            amount_in, amount_out = amounts(pool)
        except ValueError:  # it does not have, or take, that much
            continue
        if amount_in and amount_out:
            found.append(_swap(leg, pool, paid, paid == pools.weth, amount_in, amount_out))
    if not found:
        raise NoPoolError([token])
    return found


def _swap(leg: Leg, pool: Pool, paid: str, buys: bool, amount_in: int, amount_out: int) -> ZapSwap:
    side = pool.segments(paid)[0]
    if buys:
        fees = amount_in * pool.fee // MILLION
        impact = amount_in - fees - amount_out * side.reserve_in // side.reserve_out
    else:
        fair = amount_in * side.reserve_out // side.reserve_in
        fees = fair * pool.fee // MILLION
        impact = fair - fees - amount_out
    return ZapSwap(leg, pool, amount_in, amount_out, buys, fees, max(0, impact))


def _gas_in(pools: Pools, swap: ZapSwap, token: str, gas: Gas) -> int:
    """Cost of the swap's gas in `token`, one of its pool's."""
    cost = gas.hop(swap.pool) * pools.gas_price
    if token == pools.weth:
        return cost
    side = swap.pool.segments(token)[0]
    return cost * side.reserve_in // side.reserve_out


def _asked(pool: Pool, token_in: str, amount: int) -> int:
    """What the zap pays a pool for exactly `amount`. A V2 pool gets the amount rounded down plus one wei, even if it
    was exact; a V3 pool the input of its exact-output swap. Raises ValueError if the pool does not have that much."""
    if isinstance(pool, V3Pool):
        return pool.swap_out(token_in, amount).amount_in
    (side,) = pool.segments(token_in)
    if not isinstance(pool, V2Pool) or amount >= side.reserve_out:
        raise ValueError(f"pool {pool.address}: does not have {amount}")
    return side.reserve_in * amount * 1000 // ((side.reserve_out - amount) * 997) + 1
