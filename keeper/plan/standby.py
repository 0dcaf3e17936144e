"""Decides whose turn it is if several keepers run the same fund. They share nothing but the chain.

A keeper of rank 0 acts as soon as something is possible. One of rank r acts only if it has been possible for r turns of
blocks while the fund did not change: another keeper's action changes the fund and restarts the count. So each turn
without a transaction shows that the keepers before this one are down.
"""

from __future__ import annotations

from dataclasses import dataclass

from ballast.networks.presets import Network
from ballast.units import BLOCK_S
from keeper.state import Action, FundState


@dataclass(frozen=True)
class Thing:
    """Something to do in a fund; equal as long as the fund does not change. Each batch changes `tat`, each other action
    changes the next action or its period."""

    action: Action
    period: int
    tat: int


def thing_of(state: FundState) -> Thing:
    """What there is to do in this state."""
    period = state.period if state.action is Action.DETERMINE else state.month_period
    return Thing(state.action, period, state.progress.tat)


@dataclass(frozen=True)
class Since:
    """The first block in which a thing was seen to be possible: the node's block number, and time in Unix seconds."""

    thing: Thing
    block: int
    time: int


def since(before: Since | None, state: FundState, possible: bool) -> Since | None:
    """Since when the thing in `state` has been possible; `before`: the result of the previous look.

    A plan that is possible, then for one block not, then again, is the same thing: the fund has not changed. After a
    reorganization below the first block the count starts again.
    """
    thing = thing_of(state)
    if before is not None and before.thing == thing and before.block <= state.block:
        return before
    return Since(thing, state.block, state.time) if possible else None


@dataclass(frozen=True)
class Turn:
    """Rank among the keepers of a fund, 0 first, and how many blocks each rank waits. `seconds`: that wait as chain
    time, where blocks come at uneven times; 0: blocks count."""

    rank: int = 0
    blocks: int = 5
    seconds: int = 0

    @property
    def wait(self) -> int:
        """Blocks for which a thing must have been possible before this keeper takes over."""
        return self.rank * self.blocks

    def begins(self, first: Since) -> int:
        """The block from which this keeper acts; if time counts, approximately."""
        return first.block + self.wait

    def has_come(self, first: Since, block: int, time: int) -> bool:
        """Whether this keeper acts in a block of this number and time."""
        if self.seconds:
            return time - first.time >= self.rank * self.seconds
        return block >= self.begins(first)


def turn_on(network: Network, rank: int, blocks: int) -> Turn:
    """The turn of a keeper on a network; `blocks`: Ethereum blocks."""
    by_time = network.rollup is not None
    return Turn(rank, network.blocks(blocks), blocks * BLOCK_S if by_time else 0)
