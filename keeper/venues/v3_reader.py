"""Reads pools of Uniswap V3 in a block, all in one call."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from eth_typing import ChecksumAddress
from web3 import Web3

from keeper import contracts
from keeper.venues.v3 import V3Pool, pool_of

SPAN = 5_000
"""Ticks that are read on each side of a price, about a factor 1.65. No batch may move a price that far."""

log = structlog.get_logger("keeper.venues")


class V3Reader:
    """The pools at these addresses, through the lens."""

    def __init__(self, w3: Web3, lens: ChecksumAddress, pools: Sequence[ChecksumAddress]) -> None:
        self._lens = w3.eth.contract(address=lens, abi=contracts.abi("V3Lens"), decode_tuples=True)
        self._pools = tuple(pools)

    def read(self, block: int) -> tuple[V3Pool, ...]:
        """The pools as they stand in a block. What is no pool, or has no liquidity, is left out.

        Raises what web3 raises.
        """
        states = self._lens.functions.states(self._pools, SPAN).call(block_identifier=block)
        found = []
        for address, state in zip(self._pools, states, strict=True):
            pool = pool_of(address, state)
            if pool is None:
                log.warning("no pool of Uniswap V3 with liquidity", pool=address, block=block)
            else:
                found.append(pool)
        return tuple(found)
