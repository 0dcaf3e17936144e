"""Reads interventions in a fund's month from its events: vetoes, ends, skips, pauses, states of components. No batches.

Every look already has the state itself. So the keeper reads events only when a look shows a change, and only as far
back as the change can be. After its start it searches only the newest blocks; older events stay unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import structlog
from web3 import Web3

from ballast.book import Book
from ballast.networks.presets import network_of
from keeper.errors import ChainError
from keeper.look import contracts
from keeper.look.history import CHUNK, REORG
from keeper.look.retry import Head, ask, block_time
from keeper.output.condition import suspension
from keeper.state import FundState, Phase

log = structlog.get_logger("keeper.look.fund_reader")

AGAIN = 5
"""Blocks after a change for which events are read again: their node may lag behind the one that gave the state."""
MAX_CHUNKS = 10
"""Most requests for events per look; with `CHUNK` blocks each about three days of mainnet."""


class What(StrEnum):
    """Kinds of interventions."""

    VETOED = "vetoed"
    ENDED = "ended"
    TAKEN_OUT = "taken_out"
    SKIPPED = "skipped"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    WRITTEN_OFF = "written_off"
    PAUSED = "paused"
    UNPAUSED = "unpaused"


@dataclass(frozen=True)
class Intervention:
    """An intervention at chain time `time`. `period`: the month concerned, None if it concerns no month; `token`: the
    component concerned; `by`: who did it, if the event has it; `until`: end of a suspension or a pause."""

    what: What
    block: int
    time: int
    period: int | None = None
    token: str | None = None
    by: str | None = None
    until: int = 0


def words(told: Intervention, name: str) -> str:
    """An intervention as a sentence; `name`: the component's."""
    match told.what:
        case What.VETOED:
            text = f"vetoed by {told.by}: nothing is traded this month"
        case What.ENDED:
            text = f"ended as it stood by {told.by}: what was traded stays traded"
        case What.TAKEN_OUT:
            text = f"{name} taken out of this month's trading"
        case What.SKIPPED:
            text = "skipped, as the weights were within its band: nothing is traded this month"
        case What.SUSPENDED:
            text = f"{name} {suspension(told.until)}"
        case What.RESUMED:
            text = f"{name} no longer suspended"
        case What.WRITTEN_OFF:
            text = f"{name} written off, for good"
        case What.PAUSED:
            text = f"paused by the guardian until {datetime.fromtimestamp(told.until, UTC):%Y-%m-%d %H:%M} UTC"
        case What.UNPAUSED:
            text = "the pause is ended"
    return text


def ended(state: FundState, told: Iterable[Intervention]) -> Intervention | None:
    """The intervention that ended the month early, None if there was none or the month is not over."""
    if state.phase is not Phase.IDLE:
        return None
    return next((one for one in told if one.what is What.ENDED and one.period == state.month_period), None)


def skipped(state: FundState, told: Iterable[Intervention]) -> bool:
    """Whether the month's start found the fund within its band, as far as the known events show."""
    return any(one.what is What.SKIPPED and one.period == state.month_period for one in told)


def symbol_of(book: Book, token: str | None) -> str:
    """The symbol of a component, or its address if the book does not know it."""
    return book.symbol(token or "")


class Chronicle:
    """Reads the interventions of one fund. Works on without them if no node gives events."""

    def __init__(self, w3: Web3, book: Book) -> None:
        self._w3 = w3
        self._book = book
        self._first_block = book.deployed_block
        self._reorg = network_of(book.chain_id).blocks(REORG)
        self._rebalancer = w3.eth.contract(
            address=Web3.to_checksum_address(book["rebalancer"]), abi=contracts.abi("Rebalancer")
        )
        self._index = w3.eth.contract(
            address=Web3.to_checksum_address(book["index_token"]), abi=contracts.abi("IndexToken")
        )
        self._topics = {
            contracts.topic(contract, name): (source, name)
            for contract, source, names in (
                ("Rebalancer", self._rebalancer, ("Vetoed", "MonthEnded", "TakenOut", "Skipped", "PausedUntil")),
                ("IndexToken", self._index, ("StateSet",)),
            )
            for name in names
        }
        self._seen: object = None
        self._next = 0
        self._from = 0
        self._until = -1
        self._told: tuple[Intervention, ...] = ()
        self._refused = False

    def told(self, head: Head, state: FundState) -> tuple[Intervention, ...]:
        """Interventions since the month's determination, oldest first; the known ones if no node gives events."""
        key = _key(state)
        if key != self._seen:
            self._from = self._first_block if not self._next else max(self._first_block, self._next - self._reorg)
            self._seen, self._until = key, head.number + AGAIN
        if head.number <= self._until:
            first = self._from
            try:
                fresh = self._read(first, head.number, state.determined_at)
            except ChainError as error:
                if not self._refused:
                    log.warning("events not available, states are told without their time", error=str(error))
                self._refused, self._until = True, head.number + AGAIN
                return self._told
            for one in fresh:
                if one not in self._told:
                    log.info(words(one, symbol_of(self._book, one.token)), block=one.block)
            self._told = tuple(
                one
                for one in (*(old for old in self._told if old.block < first), *fresh)
                if one.time >= state.determined_at
            )
            self._refused, self._from = False, max(first, head.number - self._reorg)
        self._next = head.number + 1
        return self._told

    def _read(self, first: int, last: int, since: int) -> list[Intervention]:
        found: list[Intervention] = []
        for _ in range(MAX_CHUNKS):
            start = max(first, last - CHUNK + 1)
            found = [*self._logs(start, last), *found]
            if start <= first or block_time(self._w3, start) < since:
                break
            last = start - 1
        return found

    def _logs(self, first: int, last: int) -> list[Intervention]:
        logs = ask(
            lambda: self._w3.eth.get_logs(
                {
                    "address": [self._rebalancer.address, self._index.address],
                    "fromBlock": first,
                    "toBlock": last,
                    "topics": [list(self._topics)],
                }
            ),
            "events of the fund",
        )
        return [self._one(entry) for entry in logs]

    def _one(self, entry: Any) -> Intervention:
        source, name = self._topics[entry["topics"][0].to_0x_hex()]
        args = source.events[name]().process_log(entry)["args"]
        block, time = entry["blockNumber"], block_time(self._w3, entry["blockNumber"])
        match name:
            case "Vetoed":
                return Intervention(What.VETOED, block, time, args["period"], by=args["by"])
            case "MonthEnded":
                return Intervention(What.ENDED, block, time, args["period"], by=args["by"])
            case "Skipped":
                return Intervention(What.SKIPPED, block, time, args["period"])
            case "TakenOut":
                return Intervention(What.TAKEN_OUT, block, time, args["period"], args["token"])
            case "PausedUntil":
                return Intervention(
                    What.PAUSED if args["until"] > time else What.UNPAUSED, block, time, until=args["until"]
                )
        what = What.WRITTEN_OFF if args["writtenOff"] else What.SUSPENDED if args["suspendedUntil"] else What.RESUMED
        return Intervention(what, block, time, None, args["token"], until=args["suspendedUntil"])


def _key(state: FundState) -> object:
    """Part of the state; every intervention changes it."""
    return (
        state.phase,
        state.month_period,
        state.determined_at,
        state.paused_until,
        tuple((h.token, h.suspended_until, h.written_off, h.side) for h in state.holdings),
    )
