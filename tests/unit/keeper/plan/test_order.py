"""Orders as the chain takes them: entries that the fund pays by itself, and hops that carry on from there."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from ballast.units import WAD
from keeper.plan.batch import Batch
from keeper.plan.order import FILLER, HopFlag, hop_word, order_of
from keeper.pools.market import market_of
from keeper.pools.venues import PoolKind
from keeper.state import Holding, PoolState, Side
from tests.unit.keeper.simulated import WETH, batch_of, opened

GAS_PRICE = 100 * 10**9
TOKENS = ["0x" + "11" * 20, "0xd" + "1" * 39, WETH]
"""The first below WETH, the second above it."""
TO = "0x" + "33" * 20


def pool(n: int, token: str, ether: int = 10_000) -> PoolState:
    """Of a token that is worth one ETH."""
    return PoolState("uniswap", f"0x{n:040x}", token, ether * WAD, ether * WAD)


class Hop(NamedTuple):
    """A word of the filler's data taken apart."""

    pool: int
    kind: int
    flags: HopFlag
    leg: int
    share: int


def hops(data: bytes) -> list[Hop]:
    words = [data[k : k + 32] for k in range(0, len(data), 32)]
    assert all(word[23] == 0 for word in words)
    return [
        Hop(int.from_bytes(w[:20], "big"), w[20], HopFlag(w[21]), w[22], int.from_bytes(w[24:], "big")) for w in words
    ]


def planned(sides: tuple[Side, Side, Side], pools: tuple[PoolState, ...]) -> Batch:
    """A batch of a fund that holds twice its target of each sell and half of each buy, in a market of these pools."""
    supply = 1_000 * WAD
    held = {Side.SELL: 2 * supply, Side.BUY: supply // 2, Side.HELD: supply}
    holdings = tuple(
        Holding(i, token, 18, held[side], 2_000 * WAD, side, WAD, 2_000 * WAD)
        for i, (token, side) in enumerate(zip(TOKENS, sides, strict=True))
    )
    state = opened(holdings, supply)
    batch = batch_of(state, market_of(WETH, pools, state), 50, GAS_PRICE)
    assert batch is not None
    return batch


def test_one_pool_pays_the_other() -> None:
    batch = planned((Side.SELL, Side.BUY, Side.HELD), (pool(7, TOKENS[0]), pool(8, TOKENS[1])))
    sells, amounts, recipients, buys, minimum, filler, data = order_of(batch, 5, TO, WETH, TOKENS)
    assert (sells, amounts, recipients) == ([0], [batch.sells[0].amount], [f"0x{7:040x}"])
    assert (buys, minimum, filler) == ([1], 5, TO)
    assert hops(data) == [
        Hop(7, PoolKind.V2, HopFlag.PAID | HopFlag.FORWARD, 0, 0),
        Hop(8, PoolKind.V2, HopFlag.CHAINED | HopFlag.HOME | HopFlag.FORWARD, 0, 0),
    ]


def test_the_lower_address_is_token0() -> None:
    """Here neither pool's token0 goes in."""
    batch = planned((Side.BUY, Side.SELL, Side.HELD), (pool(7, TOKENS[0]), pool(8, TOKENS[1])))
    sold, bought = hops(order_of(batch, 0, TO, WETH, TOKENS)[-1])
    assert (sold.pool, sold.flags, bought.pool, bought.flags) == (8, HopFlag.PAID, 7, HopFlag.CHAINED | HopFlag.HOME)


def test_parts_of_a_sell_meet_in_the_pot() -> None:
    """Two pools sell, two buy: all WETH is shared out, the last pool takes what is left."""
    sides = (Side.SELL, Side.BUY, Side.HELD)
    pools = (*(pool(n, TOKENS[0], 100) for n in (1, 2)), *(pool(n, TOKENS[1], 100) for n in (3, 4)))
    batch = planned(sides, pools)
    sells, amounts, recipients, _, _, _, data = order_of(batch, 0, TO, WETH, TOKENS)
    assert (sells, recipients) == ([0, 0], [f"0x{1:040x}", f"0x{2:040x}"])
    assert amounts == [swap.paid for swap in batch.sells[0].route.swaps]
    assert sum(amounts) == batch.sells[0].amount
    first, second, third, last = hops(data)
    assert [h.pool for h in (first, second, third, last)] == [1, 2, 3, 4]
    assert [(h.flags, h.leg, h.share) for h in (first, second)] == [
        (HopFlag.PAID | HopFlag.FORWARD, k, 0) for k in (0, 1)
    ]
    assert third.flags == last.flags == HopFlag.POT | HopFlag.HOME | HopFlag.FORWARD
    assert abs(third.share - 2**63) < 2**40 and last.share == 0


def test_wrapped_ether_is_sold_through_the_pot() -> None:
    batch = planned((Side.HELD, Side.BUY, Side.SELL), (pool(8, TOKENS[1]),))
    sells, _, recipients, _, _, _, data = order_of(batch, 0, TO, WETH, TOKENS)
    assert (sells, recipients) == ([2], [FILLER])
    assert hops(data) == [Hop(8, PoolKind.V2, HopFlag.POT | HopFlag.HOME | HopFlag.FORWARD, 0, 0)]


def test_wrapped_ether_is_bought_as_it_is() -> None:
    """Its address is above the token's, so the token goes in as token0; WETH itself passes no pool."""
    batch = planned((Side.SELL, Side.HELD, Side.BUY), (pool(7, TOKENS[0]),))
    data = order_of(batch, 0, TO, WETH, TOKENS)[-1]
    assert hops(data) == [
        Hop(7, PoolKind.V2, HopFlag.PAID | HopFlag.FORWARD, 0, 0),
        Hop(0, PoolKind.V2, HopFlag.POT | HopFlag.HOME, 0, 0),
    ]


@pytest.mark.parametrize(("field", "value"), [("leg", 256), ("leg", -1), ("share", 2**64), ("share", -1)])
def test_what_does_not_fit_is_named(field: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"hop: {field} {value}, expected 0 to "):
        hop_word(TO, PoolKind.V2, HopFlag.POT, **{field: value})
