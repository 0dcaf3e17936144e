"""Measured gas of a batch, all in one place to update it after new measurements."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.pools.venues import PoolKind


@dataclass(frozen=True)
class GasCosts:
    """Gas of a batch: base, per component sold and bought, per swap in a pool. `data`: cost of its data on a rollup, in
    gas; it counts for costs, not towards a transaction's gas limit."""

    trade: int = 97_000
    sell: int = 24_000
    buy: int = 25_000
    hop_v2: int = 48_500
    hop_v3: int = 75_000
    data: int = 0

    def hop(self, kind: int) -> int:
        """Gas of one swap in a pool of this `PoolKind`. Raises ValueError for any other."""
        if kind == PoolKind.V2:
            return self.hop_v2
        if kind == PoolKind.V3:
            return self.hop_v3
        raise ValueError(f"kind of pool: {kind}, expected a PoolKind")


MEASURED = GasCosts()
