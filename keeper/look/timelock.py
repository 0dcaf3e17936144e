"""Reads the operations of a fund's timelock and the holders of its roles, from its events since the deployment."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

from web3 import Web3

from ballast.abi import decode_event
from ballast.book import Book
from ballast.networks.presets import network_of
from ballast.steering import owner_abi
from ballast.steering.dangers import ROLE_NAMES
from ballast.steering.operations import Operation, TimelockEvent, operations_of
from keeper.errors import ChainError
from keeper.look.history import MIN_STEP, REORG
from keeper.look.retry import Head, ask, block_time

_ROLE_EVENTS = ("RoleGranted", "RoleRevoked")


@dataclass(frozen=True)
class Timelock:
    """The timelock according to its events up to a block. `roles`: holders by name of the role (see `ROLE_NAMES`);
    `deployer`: who deployed it; `min_delay`: seconds."""

    operations: tuple[Operation, ...]
    roles: dict[str, frozenset[str]]
    deployer: str
    min_delay: int

    @property
    def open(self) -> tuple[Operation, ...]:
        """Operations that are neither done nor cancelled, earliest ready first."""
        return tuple(sorted((one for one in self.operations if one.open), key=lambda one: (one.ready, one.id)))


class TimelockReader:
    """Reads all events once, later only new ones, and the newest blocks again, as they may still change.

    `span`: most blocks per read on the way back to the deployment, so that several reads together reach it; None: all
    in the first.
    """

    def __init__(self, w3: Web3, book: Book, span: int | None = None) -> None:
        self._w3 = w3
        self._address = Web3.to_checksum_address(book["timelock"])
        self._first_block = book.deployed_block
        self._reorg = network_of(book.chain_id).blocks(REORG)
        self._span = span
        self._lowest: int | None = None
        self._begun: list[TimelockEvent] = []
        self._next = self._first_block
        self._events: list[TimelockEvent] = []
        self._senders: dict[str, str] = {}

    def read(self, head: Head) -> Timelock:
        """The timelock in this block, as far as events are read. Raises ChainError."""
        if self._lowest is None:
            self._begin(head)
        else:
            self._go_back()
        first = max(self._lowest or 0, min(self._next, head.number + 1) - self._reorg)
        kept = [event for event in self._events if event.block < first]
        self._events, self._next = [*kept, *self._read(first, head.number)], head.number + 1
        return timelock_of([*self._begun, *self._events])

    def _begin(self, head: Head) -> None:
        """Reads the blocks right after the deployment, mainly for the roles; later reads fill in the span between them
        and the newest blocks."""
        lowest = self._back_from(head.number + 1)
        if lowest > self._first_block:
            end = min(self._first_block + self._reorg, lowest - 1)
            self._begun, self._first_block = self._read(self._first_block, end), end + 1
        self._lowest = self._next = lowest

    def _go_back(self) -> None:
        """Reads the next older span, if there is one. If the node does not give it, the next read tries again: new
        events matter more."""
        if self._lowest is None or self._lowest <= self._first_block:
            return
        first = self._back_from(self._lowest)
        with contextlib.suppress(ChainError):
            older = self._read(first, self._lowest - 1)
            self._events, self._lowest = [*older, *self._events], first

    def _read(self, first: int, last: int) -> list[TimelockEvent]:
        return [self._event(entry) for entry in self._logs(first, last)]

    def _back_from(self, block: int) -> int:
        """The first block of the span that ends before `block`."""
        return self._first_block if self._span is None else max(self._first_block, block - self._span)

    def _logs(self, first: int, last: int) -> list[Any]:
        """The timelock's events. If the node refuses the range, requests its halves."""
        wanted: Any = {
            "address": self._address,
            "fromBlock": first,
            "toBlock": last,
            "topics": [list(owner_abi.events())],
        }
        try:
            return list(ask(lambda: self._w3.eth.get_logs(wanted), "events of the timelock"))
        except ChainError:
            if last - first < MIN_STEP:
                raise
        middle = (first + last) // 2
        return [*self._logs(first, middle), *self._logs(middle + 1, last)]

    def _event(self, entry: Any) -> TimelockEvent:
        definition = owner_abi.events()[entry["topics"][0].to_0x_hex()]
        digest = entry["transactionHash"].to_0x_hex()
        try:
            arguments = decode_event(definition, [bytes(topic) for topic in entry["topics"]], bytes(entry["data"]))
        except ValueError as error:
            raise ChainError(f"events of the timelock: {error}") from None
        sender = self._sender(digest) if definition["name"] == "CallScheduled" else ""
        time = block_time(self._w3, entry["blockNumber"])
        return TimelockEvent(str(definition["name"]), arguments, entry["blockNumber"], time, digest, sender)

    def _sender(self, digest: str) -> str:
        """Who scheduled in this transaction: its sender, or the contract that the sender called, such as a
        multi-signature account."""
        if digest not in self._senders:
            sent = ask(lambda: self._w3.eth.get_transaction(digest), "transaction of an operation")  # type: ignore[arg-type]
            through = sent.get("to")
            self._senders[digest] = str(sent["from"] if through in (None, self._address) else through)
        return self._senders[digest]


def timelock_of(events: list[TimelockEvent]) -> Timelock:
    """The timelock after these events."""
    roles: dict[str, set[str]] = {}
    deployer, min_delay = "", 0
    for event in events:
        given = event.arguments
        if event.name in _ROLE_EVENTS:
            holders = roles.setdefault(ROLE_NAMES.get(bytes(given["role"]), "0x" + bytes(given["role"]).hex()), set())
            (holders.add if event.name == "RoleGranted" else holders.discard)(given["account"])
            deployer = deployer or given["sender"]
        elif event.name == "MinDelayChange":
            min_delay = given["newDuration"]
    found = {role: frozenset(holders) for role, holders in roles.items()}
    return Timelock(operations_of(events), found, deployer, min_delay)
