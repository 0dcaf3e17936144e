"""Time on a local chain: it stands still until it is moved, and the market keeps up with it.

Every block comes one block interval after the last unless the time is set, so a run does not depend on how fast the
machine is. The base fee is held constant: empty blocks would let it fall to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from ballast.units import BLOCK_S, GWEI
from lab.localnet.anvil import Cheats
from lab.localnet.market import REST_S, Market, PoolState, V3PoolState
from lab.localnet.rpc import Rpc

GAS_PRICE_GWEI = 100
"""The assumed gas price: base fee of every block, and the price at which gas is valued."""
FEEDS_EVERY_S = 3_000
"""Feeds are posted again before an hour has passed."""
LOOK_EVERY_S = 600
"""Longest jump while a month is being traded."""
OFF_REFERENCE = 1e-6
"""Relative distance from the reference price at which a pool counts as moved."""


class Clock:
    """Moves the chain's time, posts the feeds and lets the arbitrageur trade as it passes."""

    def __init__(self, rpc: Rpc, market: Market, gas_price_gwei: int = GAS_PRICE_GWEI) -> None:
        self._rpc = rpc
        self._market = market
        self._base_fee = gas_price_gwei * GWEI
        self._posted = 0
        rpc.request("anvil_setBlockTimestampInterval", BLOCK_S)
        self._hold_base_fee()

    def base_fee(self, gwei: int) -> None:
        """Sets the base fee of every further block."""
        self._base_fee = gwei * GWEI

    def feeds_are_old(self) -> None:
        """Makes the next step post the feeds again."""
        self._posted = 0

    def latest(self) -> tuple[int, int]:
        """Number and time of the latest block."""
        return Cheats(self._rpc).latest()

    def now(self) -> int:
        """Time of the latest block, Unix seconds."""
        return self.latest()[1]

    def jump(self, time: int) -> None:
        """Moves to `time`, with feeds posted one block before it."""
        self._post(time - BLOCK_S)
        self.pass_to(time)

    def step(self, time: int) -> None:
        """Mines one block at or before `time`: the feeds' next answers if they are due by then, else `time` itself.

        A single block a step, so that whoever acts on the chain sees each state before it changes.
        """
        if time - self._posted >= FEEDS_EVERY_S:
            self._post(min(time, self.now() + BLOCK_S))
        else:
            self.pass_to(time)

    def pass_to(self, time: int) -> None:
        """Mines a block at `time` in which the arbitrageur restores all pools that have rested by then. Posts no
        feeds."""
        passing = time - self.now()
        self._next_block_at(time)
        # A pool that has rested at `time` has rested for `passing` seconds less now.
        if not self._market.arbitrage(max(REST_S - passing, 0)):
            self._rpc.request("evm_mine")
        self._hold_base_fee()

    def next_rest(self) -> int | None:
        """When the next pool off its reference will have rested; None if there is none."""
        return next_rest((*self._market.pools(), *self._market.v3_pools()), self.now())

    def _post(self, time: int) -> None:
        self._next_block_at(time)
        self._market.post_feeds()
        self._posted = self.now()
        self._hold_base_fee()

    def _next_block_at(self, time: int) -> None:
        self._hold_base_fee()
        self._rpc.request("evm_setNextBlockTimestamp", max(time, self.now() + 1))

    def _hold_base_fee(self) -> None:
        self._rpc.request("anvil_setNextBlockBaseFeePerGas", hex(self._base_fee))


def next_rest(pools: Iterable[PoolState | V3PoolState], now: int) -> int | None:
    """Earliest time after `now` at which a pool that is off its reference has rested."""
    times = [pool.last_touched + REST_S for pool in pools if abs(pool.off_by) > OFF_REFERENCE]
    return min((time for time in times if time > now), default=None)


def next_look(now: int, possible_from: int | None, rest: int | None) -> int:
    """Where to move the time next while a month is traded and the keeper waits for `possible_from`."""
    if possible_from is not None and possible_from <= now:
        return now + BLOCK_S  # it could act and has not: give it the next block
    wanted = [time for time in (possible_from, rest) if time is not None]
    return max(now + 1, min([*wanted, now + LOOK_EVERY_S]))
