"""Quotes of the zap: amounts as the contracts round them, the best pool, the limits, what cannot be traded."""

from __future__ import annotations

from dataclasses import replace
from math import isqrt

import pytest

from ballast.networks.exchanges import EXCHANGES, USDC, V3_FEES, v2_pool_address, v3_pool_address
from ballast.units import GWEI, WAD
from keeper.pools.venues import Pool
from keeper.pools.venues.v2 import V2Pool
from keeper.pools.venues.v3 import V3Pool
from keeper.state import Holding, Side
from keeper.zap.quote import (
    ETH,
    MINT,
    REDEEM,
    Leg,
    NoPoolError,
    Pools,
    Venue,
    in_kind_usd,
    mint_quote,
    redeem_quote,
    shares_for,
    worth_usd,
)
from lab.localnet.addresses import listed_pairs, listed_v3_pools
from tests.unit.keeper.simulated import WETH, opened

A, B, C, PAY = ("0x" + f"{n:040x}" for n in (1, 2, 3, 4))
SUPPLY = 1000 * WAD
V2, SUSHI, V3 = Leg(Venue.UNISWAP_V2), Leg(Venue.SUSHISWAP_V2), Leg(Venue.UNISWAP_V3, 3000)
Venued = tuple[tuple[Leg, Pool], ...]


def held(token: str, balance: int, price: int = 20 * WAD, **more: bool) -> Holding:
    return Holding(0, token, 18, balance, price, Side.HELD, 0, price, **more)


def pair(token: str, tokens: int, weth: int, name: str = "uniswap") -> V2Pool:
    return V2Pool(name, f"0x{tokens:040x}", (token, WETH), (tokens, weth))


def v3(token: str, tokens: int, weth: int, fee: int = 3000) -> V3Pool:
    """A pool with this much on each side, over all prices that are known."""
    price, liquidity = isqrt((weth << 192) // tokens), isqrt(tokens * weth)
    tick = next(t for t in range(-200_000, 200_000, 60) if 1.0001**t > weth / tokens) - 1
    return V3Pool("0x" + "33" * 20, (token, WETH), fee, 60, price, tick, liquidity, (), (), -10, 10)


def pools(*holdings: Holding, gas_price: int = 0, **by_token: Venued) -> Pools:
    named = {"A": A, "B": B, "C": C, "PAY": PAY}
    found = {named[name]: given for name, given in by_token.items()}
    return Pools(opened(holdings, SUPPLY), WETH, found, 2000 * WAD, gas_price)


def test_a_mint_rounds_as_fund_and_zap_do() -> None:
    """7 of 1000 shares of 10^18 + 1 wei, up; then what the pair asks for: rounded down and one more, by hand."""
    (part,) = mint_quote(pools(held(A, WAD + 1), A=((V2, pair(A, 100 * WAD, WAD)),)), 7 * WAD, ETH).parts
    assert part.amount == 7 * WAD // 1000 + 1
    assert part.swap is not None
    out = part.amount
    assert part.swap.paid == WAD * out * 1000 // ((100 * WAD - out) * 997) + 1


def test_a_pair_gets_a_wei_more_also_where_nothing_is_rounded() -> None:
    """5000 x 997 x 1000 / ((1997 - 997) x 997) is 5000 without a rest; the zap pays 5001."""
    given = pools(held(A, 997_000), A=((V2, pair(A, 1997, 5000)),))
    assert mint_quote(given, WAD, ETH).amount == 5001


@pytest.mark.parametrize(("gas_price", "leg"), [(0, V3), (GWEI, V3), (10_000 * GWEI, V2)])
def test_the_best_pool_is_the_best_with_its_gas(gas_price: int, leg: Leg) -> None:
    """The V3 pool is deeper; its swap takes more gas."""
    own: Venued = ((V2, pair(A, 100_000 * WAD, 1000 * WAD)), (V3, v3(A, 110_000 * WAD, 1100 * WAD)))
    given = pools(held(A, 10_000 * WAD), A=own, gas_price=gas_price)
    for quote in (mint_quote(given, 100 * WAD, ETH), redeem_quote(given, 100 * WAD, ETH)):
        assert quote.parts[0].leg == leg
        assert quote.legs == leg.number.to_bytes(4)


def test_the_cheaper_of_two_pairs_each_way() -> None:
    own: Venued = ((V2, pair(A, 100 * WAD, WAD)), (SUSHI, pair(A, 99 * WAD, WAD, "sushiswap")))
    given = pools(held(A, 10 * WAD), A=own)
    assert mint_quote(given, WAD, ETH).parts[0].leg == V2
    assert redeem_quote(given, WAD, ETH).parts[0].leg == SUSHI


def test_what_is_paid_is_fees_impact_and_a_fair_price() -> None:
    """0.1 of a pair's 100 at 0.01 WETH: fair 0.001 WETH, 0.3 % fee, and about 0.1 % impact; on the way out as well."""
    given = pools(held(A, 100 * WAD), A=((V2, pair(A, 100 * WAD, WAD)),))
    for quote, sign in ((mint_quote(given, WAD, ETH), 1), (redeem_quote(given, WAD, ETH), -1)):
        fair = WAD // 1000
        assert abs(quote.amount - sign * (quote.fees + quote.impact) - fair) <= 1
        assert abs(quote.fees * 1000 - 3 * fair) < fair // 50
        assert abs(quote.impact * 1000 - fair) < fair // 50
        assert in_kind_usd(quote) == 2 * WAD  # 0.1 at 20 USD
        assert worth_usd(given, quote) == quote.amount * 2000
        costs = MINT if sign > 0 else REDEEM
        assert quote.gas == costs.base + costs.component + costs.hop_v2


def test_a_token_is_swapped_once_for_all_and_a_component_that_is_paid_with_not_at_all() -> None:
    own = held(B, 50 * WAD)
    given = pools(
        held(A, 100 * WAD),
        own,
        held(WETH, WAD),
        A=((V2, pair(A, 100 * WAD, WAD)),),
        B=((V2, pair(B, 100 * WAD, WAD)),),
    )
    with_eth, with_b = mint_quote(given, WAD, ETH), mint_quote(given, WAD, B)
    assert with_eth.last is None and with_eth.last_leg == 0
    first = with_eth.parts[0].swap
    assert first is not None and with_b.last is not None
    assert with_b.direct == 50 * WAD // 1000
    assert with_b.parts[1].swap is None
    assert with_b.last.received == first.paid + WAD // 1000
    assert with_b.amount == with_b.direct + with_b.last.paid
    assert with_b.last_leg == V2.number == 1 << 24
    out = redeem_quote(given, WAD, B)
    first = out.parts[0].swap
    assert first is not None and out.last is not None
    assert out.last.paid == first.received + WAD // 1000
    assert out.amount == out.direct + out.last.received
    assert mint_quote(given, WAD, WETH).amount == with_eth.amount


def test_what_has_no_pool_is_named_together() -> None:
    """None at all, or one that does not have as much; on the way out it may be given in kind, or forfeited."""
    given = pools(held(A, 10 * WAD), held(B, 10 * WAD), held(C, 10 * WAD), A=((V2, pair(A, WAD // 1000, WAD)),))
    with pytest.raises(NoPoolError) as refused:
        mint_quote(given, 200 * WAD, ETH)
    assert refused.value.tokens == (A, B, C)
    with pytest.raises(NoPoolError) as refused:
        redeem_quote(given, 200 * WAD, ETH)
    assert refused.value.tokens == (B, C)
    quote = redeem_quote(given, 200 * WAD, ETH, in_kind=[B], skipped=[C])
    assert quote.legs == b"\x01\0\0\0\x04\0\0\0\x05\0\0\0"
    assert quote.parts[0].swap is not None
    assert quote.amount == quote.parts[0].swap.received
    with pytest.raises(NoPoolError) as refused:
        redeem_quote(given, 200 * WAD, PAY, in_kind=[B, C])
    assert refused.value.tokens == (PAY,)


def test_what_is_written_off_is_neither_bought_nor_sold() -> None:
    given = pools(held(A, WAD, written_off=True), held(WETH, WAD))
    for quote in (mint_quote(given, WAD, ETH), redeem_quote(given, WAD, ETH)):
        assert quote.parts[0].amount == 0
        assert quote.amount == WAD // 1000


def test_limits_are_rounded_for_the_holder() -> None:
    quote = mint_quote(pools(held(WETH, 1_001 * WAD)), 1, ETH)
    assert quote.amount == 2  # 1.001, up
    big = replace(quote, amount=10_001)
    assert big.most(5 * WAD // 1000) == 10_052  # 10051.005
    assert big.least(5 * WAD // 1000) == 9_951  # 9950.995
    assert big.most(0) == big.least(0) == 10_001


@pytest.mark.parametrize("budget", [10**12, WAD, 300 * WAD])
def test_as_many_shares_as_an_amount_buys(budget: int) -> None:
    """The worst case is within it, and a trillionth more would not be; also more shares than there are."""
    given = pools(held(A, WAD), held(WETH, WAD // 10), A=((V2, pair(A, 10_000 * WAD, 100 * WAD)),))
    slippage = 5 * WAD // 1000
    quote = shares_for(given, ETH, budget, slippage)
    assert quote.most(slippage) <= budget
    more = quote.shares + quote.shares // 10**11 + 2
    assert mint_quote(given, more, ETH).most(slippage) > budget


def test_an_amount_that_buys_nothing() -> None:
    with pytest.raises(ValueError, match="buys no share"):
        shares_for(pools(held(WETH, WAD)), ETH, 0, 0)
    with pytest.raises(NoPoolError):
        shares_for(pools(held(A, WAD)), ETH, WAD, 0)


def test_pools_are_where_mainnet_has_them() -> None:
    """Of USDC on both V2 exchanges, and in each listed fee tier of V3."""
    at, dollar = EXCHANGES[1], USDC[1]
    pairs, tiers = listed_pairs(), listed_v3_pools()
    assert v2_pool_address(at.uniswap_v2, at.uniswap_v2_code, WETH, dollar) == pairs["uniswap", dollar]
    assert v2_pool_address(at.sushiswap_v2, at.sushiswap_v2_code, dollar, WETH) == pairs["sushiswap", dollar]
    for fee in V3_FEES[1:]:
        assert v3_pool_address(at.uniswap_v3, WETH, dollar, fee) == tiers[dollar, fee]
