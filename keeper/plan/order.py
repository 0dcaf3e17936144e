"""Encodes a batch for the rebalancer and its filler."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntFlag
from typing import Any

from eth_utils import keccak

from ballast.book import Book
from ballast.values import NO_ADDRESS
from keeper.look import contracts
from keeper.plan.batch import Batch, Leg
from keeper.pools.market import NO_PAIR, Swap
from keeper.pools.venues import PoolKind

FILLER = NO_ADDRESS
"""Recipient that means the filler of the batch."""

SHARE_ONE = 1 << 64
"""100 % in the unit of hops' shares."""


class HopFlag(IntFlag):
    """Where a hop takes tokens from and sends them to, see the library `Hop`."""

    FORWARD = 1
    PAID = 2
    POT = 4
    CHAINED = 8
    HOME = 16


def hop_word(pool: str, kind: PoolKind, flags: HopFlag, leg: int = 0, share: int = 0) -> int:
    """A hop, packed for UniswapFiller.

    `leg`: position of the sell it takes from, below 256. `share`: of 2^64, 0 for all that is left.
    Raises ValueError for a value that does not fit.
    """
    for name, value, bits in (("leg", leg, 8), ("share", share, 64)):
        if not 0 <= value < 1 << bits:
            raise ValueError(f"hop: {name} {value}, expected 0 to 2^{bits} - 1")
    return int(pool, 16) << 96 | kind << 88 | flags << 80 | leg << 72 | share


def data_of(hops: Sequence[int]) -> bytes:
    """The filler's data: the hops' words, concatenated."""
    return b"".join(hop.to_bytes(32, "big") for hop in hops)


def order_of(batch: Batch, min_value_in: int, filler: str, weth: str, tokens: Sequence[str]) -> tuple[Any, ...]:
    """The `Order` of a batch for UniswapFiller. `min_value_in`: USD, 18 decimals. `tokens`: the fund's components.

    A batch that empties the surplus orders a millionth more: the contract clamps it to the surplus in the mined block,
    so that shares minted in between leave nothing behind. A sell has one entry per pool: the fund itself pays a V2
    pair, the filler pays a V3 pool. The last entry gets the rounding remainder. A direct pool pays the fund. If one
    pool sells for WETH and one buys, the first pays the second.
    """
    sells: list[int] = []
    amounts: list[int] = []
    recipients: list[str] = []
    direct: list[int] = []
    to_weth: list[int] = []
    for index, amount in batch.sold.items():
        swaps = _swaps_of(batch, index, weth, tokens)
        asked = amount + amount // 10**6 + 1 if batch.empties else amount
        parts = [swap.paid * asked // amount for swap, _ in swaps[:-1]]
        for (swap, received), part in zip(swaps, [*parts, asked - sum(parts)], strict=True):
            paid_by_fund = swap.pair != NO_PAIR and swap.kind is PoolKind.V2
            if swap.pair != NO_PAIR:
                flags = (HopFlag.PAID if paid_by_fund else HopFlag(0)) | _forward(tokens[index], received)
                hops, home = (to_weth, HopFlag(0)) if received == weth else (direct, HopFlag.HOME)
                hops.append(hop_word(swap.pair, swap.kind, flags | home, len(sells)))
            sells.append(index)
            amounts.append(part)
            recipients.append(swap.pair if paid_by_fund else FILLER)
    alone = sum(len(leg.route.swaps) for leg in batch.sells) == len(to_weth) == 1
    buys = _buy_hops(batch.buys, weth, tokens, HopFlag.CHAINED if alone else HopFlag.POT)
    return sells, amounts, recipients, [*batch.bought], min_value_in, filler, data_of([*direct, *to_weth, *buys])


def _swaps_of(batch: Batch, index: int, weth: str, tokens: Sequence[str]) -> list[tuple[Swap, str]]:
    """The swaps of a sell, each with the token received."""
    straight = [(swap, tokens[c.buy]) for c in batch.crosses if c.sell == index for swap in c.route.swaps]
    return [*straight, *((swap, weth) for leg in batch.sells if leg.index == index for swap in leg.route.swaps)]


def _buy_hops(legs: Sequence[Leg], weth: str, tokens: Sequence[str], alone: HopFlag) -> list[int]:
    """The hops of the buys, with shares of all the WETH; the last gets the rounding remainder. `alone`: flag of where a
    single hop takes its WETH from."""
    swaps: list[tuple[Leg, Swap]] = [(leg, swap) for leg in legs for swap in leg.route.swaps]
    if len(swaps) != 1 or swaps[0][1].pair == NO_PAIR:
        alone = HopFlag.POT
    total = sum(swap.paid for _, swap in swaps)
    hops = []
    for position, (leg, swap) in enumerate(swaps, 1):
        share = 0 if position == len(swaps) else max(1, swap.paid * SHARE_ONE // total)
        flags = alone | HopFlag.HOME | _forward(weth, tokens[leg.index])
        hops.append(hop_word(swap.pair, swap.kind, flags, share=share))
    return hops


def _forward(paid: str, received: str) -> HopFlag:
    """Set if the token paid is the pool's token0: the lower address."""
    return HopFlag.FORWARD if int(paid, 16) < int(received, 16) else HopFlag(0)


def whole_batch(book: Book) -> bytes:
    """Call data of the same length and compressibility as a batch that trades every component in its first pool."""
    traded = [candidate for candidate in book.candidates if candidate.pools]
    count = len(traded)
    digests = [keccak(text=candidate.token) for candidate in traded]
    amounts = [int.from_bytes(digest[:11], "big") for digest in digests]
    hops = [
        hop_word(candidate.pools[0].pair, PoolKind.V2, HopFlag(0), 0, int.from_bytes(digest[:8], "big"))
        for candidate, digest in zip(traded, digests, strict=True)
    ]
    value = int.from_bytes(keccak(text=book.fund)[:11], "big")
    places = list(range(count))
    order = places, amounts, [FILLER] * count, places, value, book["filler"], data_of(hops)
    return bytes.fromhex(contracts.call_data("Rebalancer", "trade", order)[2:])
