"""A batch as the rebalancer and its filler take it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_abi import encode

from keeper.batch import Batch, Leg
from keeper.state import WAD

_HOPS = "(address,uint256,uint256)[]"


def order_of(batch: Batch, min_value_in: int, filler: str) -> tuple[Any, ...]:
    """The `Order` of a batch for UniswapV2Filler. `min_value_in` is USD with 18 decimals.

    The batch that empties the surplus asks for a millionth more: the contract clamps to what is there when it is mined,
    so that a mint in between leaves nothing behind.
    """
    amounts = [leg.amount + leg.amount // 10**6 + 1 if batch.empties else leg.amount for leg in batch.sells]
    return (
        [leg.index for leg in batch.sells],
        amounts,
        [leg.index for leg in batch.buys],
        min_value_in,
        filler,
        encode([_HOPS, _HOPS], [_sell_hops(batch.sells), _buy_hops(batch.buys)]),
    )


def _sell_hops(legs: Sequence[Leg]) -> list[tuple[str, int, int]]:
    """Share of each hop in its leg; the filler gives what rounding leaves to the leg's last hop."""
    return [
        (swap.pair, position, swap.paid * WAD // leg.route.paid)
        for position, leg in enumerate(legs)
        for swap in leg.route.swaps
    ]


def _buy_hops(legs: Sequence[Leg]) -> list[tuple[str, int, int]]:
    """Share of each hop in all the WETH; the filler gives what rounding leaves to the last hop."""
    total = sum(leg.route.paid for leg in legs)
    return [
        (swap.pair, position, swap.paid * WAD // total) for position, leg in enumerate(legs) for swap in leg.route.swaps
    ]
