"""Two keepers of the same fund, each with a key and journal of its own, and a clock that waits for those at work."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ape

from ballast.units import BLOCK_S
from lab.testbed.clock import next_look
from tests.keeper.deployed_fund import Field, Running

TURN = 4
"""Blocks that the standby waits."""


@dataclass
class Pair:
    """`first` and `standby`; `working`: those that the clock waits for. `turns`: the blocks from which the standby was
    to act, as its pulses said."""

    field: Field
    first: Running
    standby: Running
    addresses: tuple[str, str]
    working: list[Running]
    turns: set[int] = dataclasses.field(default_factory=set)

    def nonces(self) -> tuple[int, int]:
        """Transactions of each on the chain."""
        first, standby = (self.field.w3.eth.get_transaction_count(address) for address in self.addresses)  # type: ignore[arg-type]
        return first, standby

    def until(self, reached: Callable[[], bool], steps: int = 400) -> None:
        """Lets time pass as those at work wait for it, block by block where it is for their turn."""
        clock = self.field.clock
        for _ in range(steps):
            number, now = clock.latest()
            pulses = [keeper.look() for keeper in self.working]
            if reached():
                return
            if clock.latest()[0] != number:
                continue
            turns = {pulse["acts_from"] for pulse in pulses} - {None}
            self.turns |= turns
            clock.step(now + BLOCK_S if turns else next_look(now, pulses[0]["possible_from"], clock.next_rest()))
        raise AssertionError(f"not reached after {steps} steps: {self.first.log()}\n{self.standby.log()}")

    def authors(self, name: str) -> list[tuple[int, str]]:
        """Block and sender of each event of that name."""
        eth = self.field.w3.eth
        return [
            (event["blockNumber"], eth.get_transaction(event["transactionHash"])["from"])
            for event in self.field.events(name)
        ]


@contextlib.contextmanager
def pair(field: Field, folder: Path, **changes: Any) -> Iterator[Pair]:
    """Runs both until the block ends."""
    other = ape.accounts.test_accounts[3]
    folders = [folder / name for name in ("first", "standby")]
    for each in folders:
        each.mkdir()
    rank = {"BALLAST_STANDBY_RANK": "1", "BALLAST_STANDBY_BLOCKS": str(TURN), "BALLAST_PRIVATE_KEY": other.private_key}
    with field.keeper(folders[0], **changes) as first, field.keeper(folders[1], **rank, **changes) as standby:
        yield Pair(field, first, standby, (str(field.account.address), str(other.address)), [first, standby])
