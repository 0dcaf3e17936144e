"""Reads all Uniswap V3 pools in a block with one call."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from web3 import Web3

from keeper.look import contracts
from keeper.pools.venues.v3 import V3Pool, pool_of

SPAN = 5_000
"""Ticks read on each side of a price, about a factor 1.65. No batch may move a price that far."""

log = structlog.get_logger("keeper.look")


class V3Reader:
    """The pools at these addresses, through the lens. `request`: the call that reads their state."""

    def __init__(self, lens: str, pools: Sequence[str]) -> None:
        self._pools = tuple(Web3.to_checksum_address(pool) for pool in pools)
        data = contracts.call_data("V3Lens", "states", self._pools, SPAN)
        self.request = {"to": Web3.to_checksum_address(lens), "data": data}

    def pools(self, answer: str, block: int) -> tuple[V3Pool, ...]:
        """The pools, from the call's answer in this block, without addresses that are no pool or have no liquidity.

        Raises ValueError if the answer is not the lens's.
        """
        (states,) = contracts.returned("V3Lens", "states", answer)
        found = []
        for address, state in zip(self._pools, states, strict=True):
            pool = pool_of(address, state)
            if pool is None:
                log.warning("no pool of Uniswap V3 with liquidity", pool=address, block=block)
            else:
                found.append(pool)
        return tuple(found)
