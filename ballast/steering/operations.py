"""Rebuilds the operations of a fund's timelock (OpenZeppelin's TimelockController) from its events, oldest first.

An id covers everything of an operation except its delay: the same calls with the same predecessor and salt cannot be
pending twice. A cancelled one may be scheduled again; then the later one counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from eth_abi import encode
from eth_utils import keccak

NOTHING = bytes(32)
"""No predecessor, or no salt."""


class OperationState(StrEnum):
    """Pending: the delay is not over. Ready: it may be executed, unless a predecessor is missing."""

    PENDING = "pending"
    READY = "ready"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class TimelockCall:
    """One call of an operation. `value` is in wei."""

    target: str
    value: int
    data: bytes


@dataclass(frozen=True)
class TimelockEvent:
    """One event of the timelock. `arguments`: by the event's own names; `time`: of its block, Unix seconds; `sender`:
    who scheduled, "" for other events."""

    name: str
    arguments: dict[str, Any]
    block: int
    time: int
    transaction: str
    sender: str


@dataclass(frozen=True)
class Operation:
    """An operation. `id`: 0x and 64 digits; `delay`: seconds; `scheduled` and `block`: time (Unix seconds) and block of
    scheduling; `proposer`: who scheduled it; `ended`: time of its end, None while it is open; `done`: whether it was
    executed."""

    id: str
    calls: tuple[TimelockCall, ...]
    predecessor: bytes
    salt: bytes
    delay: int
    block: int
    scheduled: int
    proposer: str
    transaction: str
    ended: int | None = None
    done: bool = False

    @property
    def ready(self) -> int:
        """Earliest time of execution, Unix seconds."""
        return self.scheduled + self.delay

    @property
    def open(self) -> bool:
        """Whether it is neither done nor cancelled."""
        return self.ended is None

    def state(self, now: int) -> OperationState:
        """Its state at the block time `now`."""
        if self.ended is not None:
            return OperationState.DONE if self.done else OperationState.CANCELLED
        return OperationState.READY if now >= self.ready else OperationState.PENDING

    @property
    def single(self) -> bool:
        """Whether `schedule` created it, not `scheduleBatch`."""
        return len(self.calls) == 1 and operation_id(self.calls, self.predecessor, self.salt, single=True) == self.id


@dataclass
class Register:
    """Collects operations from events, which must come in the chain's order."""

    operations: dict[str, Operation] = field(default_factory=dict)

    def take(self, event: TimelockEvent) -> None:
        """Applies an event, later than all before it."""
        if "id" not in event.arguments:
            return
        key = "0x" + bytes(event.arguments["id"]).hex()
        known = self.operations.get(key)
        match event.name:
            case "CallScheduled":
                self.operations[key] = self._scheduled(key, event, known)
            case "CallSalt" if known is not None:
                self.operations[key] = replace(known, salt=bytes(event.arguments["salt"]))
            case "CallExecuted" | "Cancelled" if known is not None:
                self.operations[key] = replace(known, ended=event.time, done=event.name == "CallExecuted")
            case _:
                pass

    @staticmethod
    def _scheduled(key: str, event: TimelockEvent, known: Operation | None) -> Operation:
        given = event.arguments
        call = TimelockCall(given["target"], given["value"], bytes(given["data"]))
        if known is not None and known.open and given["index"]:
            return replace(known, calls=(*known.calls, call))
        return Operation(
            id=key,
            calls=(call,),
            predecessor=bytes(given["predecessor"]),
            salt=NOTHING,
            delay=given["delay"],
            block=event.block,
            scheduled=event.time,
            proposer=event.sender,
            transaction=event.transaction,
        )


def operations_of(events: Iterable[TimelockEvent]) -> tuple[Operation, ...]:
    """All operations, in the order in which they were first scheduled."""
    register = Register()
    for event in events:
        register.take(event)
    return tuple(register.operations.values())


def operation_id(calls: Iterable[TimelockCall], predecessor: bytes, salt: bytes, *, single: bool = False) -> str:
    """The timelock's id of an operation of `scheduleBatch`, or with `single` of `schedule`."""
    listed = tuple(calls)
    if single:
        (call,) = listed
        types, values = ["address", "uint256", "bytes"], [call.target, call.value, call.data]
    else:
        types = ["address[]", "uint256[]", "bytes[]"]
        values = [[c.target for c in listed], [c.value for c in listed], [c.data for c in listed]]
    return "0x" + keccak(encode([*types, "bytes32", "bytes32"], [*values, predecessor, salt])).hex()
