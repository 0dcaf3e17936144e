"""What a batch takes in gas, as measured; one place to measure it again."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.pools.venues import PoolKind


@dataclass(frozen=True)
class GasCosts:
    """Gas of a batch: in any case, for each component sold and bought, for each swap in a pool. `data`: what its data
    costs on a rollup, in gas; it counts for costs, not for how much a transaction may take."""

    trade: int = 97_000
    sell: int = 24_000
    buy: int = 25_000
    hop_v2: int = 48_500
    hop_v3: int = 75_000
    data: int = 0

    def hop(self, kind: int) -> int:
        """One swap in a pool of this `PoolKind`."""
        return self.hop_v3 if kind == PoolKind.V3 else self.hop_v2


MEASURED = GasCosts()
