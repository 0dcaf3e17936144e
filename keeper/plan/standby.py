"""Whose turn it is, where several keepers carry the same fund. They share nothing but the chain.

A keeper of rank 0 acts as soon as something is possible. One of rank r acts only on what has been possible for r turns
of blocks while the fund stood still: what another keeper does moves the fund, and the count begins again. So each turn
that passes without a transaction says that the keepers before this one are not there.
"""

from __future__ import annotations

from dataclasses import dataclass

from ballast.networks.presets import Network
from ballast.units import BLOCK_S
from keeper.state import Action, FundState


@dataclass(frozen=True)
class Thing:
    """Something to do in a fund that stands still. Each batch moves `tat`, each other action the next one's name or
    period."""

    action: Action
    period: int
    tat: int


def thing_of(state: FundState) -> Thing:
    """What there is to do."""
    period = state.period if state.action is Action.DETERMINE else state.month_period
    return Thing(state.action, period, state.progress.tat)


@dataclass(frozen=True)
class Since:
    """The first block of the node's count, and its time (Unix seconds), in which a thing was seen to be possible."""

    thing: Thing
    block: int
    time: int


def since(before: Since | None, state: FundState, possible: bool) -> Since | None:
    """The count after a look at `state`; `before`: after the look before it.

    A plan that is possible, then for a block not, then again is the same thing all along: the fund has not moved. A
    chain that has gone back behind the first block counts afresh.
    """
    thing = thing_of(state)
    if before is not None and before.thing == thing and before.block <= state.block:
        return before
    return Since(thing, state.block, state.time) if possible else None


@dataclass(frozen=True)
class Turn:
    """Rank among the keepers of a fund, 0 first, and how many blocks each waits for those before it. `seconds`: the
    same as chain time, where blocks do not come at even times; 0: blocks count."""

    rank: int = 0
    blocks: int = 5
    seconds: int = 0

    @property
    def wait(self) -> int:
        """Blocks that a thing must have been possible for. One look more, and this keeper has taken over."""
        return self.rank * self.blocks

    def begins(self, first: Since) -> int:
        """The block from which this keeper acts; where time counts, about that block."""
        return first.block + self.wait

    def has_come(self, first: Since, block: int, time: int) -> bool:
        """Whether this keeper acts in a block of this number and time."""
        if self.seconds:
            return time - first.time >= self.rank * self.seconds
        return block >= self.begins(first)


def turn_on(network: Network, rank: int, blocks: int) -> Turn:
    """The turn of a keeper on a network; `blocks`: of Ethereum's."""
    by_time = network.rollup is not None
    return Turn(rank, network.blocks(blocks), blocks * BLOCK_S if by_time else 0)
