"""Operations of a fund's timelock (OpenZeppelin's TimelockController) from its events, oldest first.

An id says everything about an operation but its delay: the same calls with the same predecessor and salt cannot be
pending twice. One that was cancelled may be scheduled again; then the later one counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from eth_abi import encode
from eth_utils import keccak

NOTHING = bytes(32)
"""As predecessor: none. As salt: none."""


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
    """One event of the timelock. `arguments` by the event's own names; `time`: of its block, Unix seconds."""

    name: str
    arguments: dict[str, Any]
    block: int
    time: int
    transaction: str
    sender: str


@dataclass(frozen=True)
class Operation:
    """`id` is 0x and 64 digits; `delay` in seconds; `scheduled` and `block`: when it was; `proposer`: who sent the
    transaction; `ended`: time of its end, None while it is open; `done`: whether it was executed."""

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
        """From when on it may be executed, Unix seconds."""
        return self.scheduled + self.delay

    @property
    def open(self) -> bool:
        """Whether it is neither done nor cancelled."""
        return self.ended is None

    def state(self, now: int) -> OperationState:
        """At the time `now` of a block."""
        if self.ended is not None:
            return OperationState.DONE if self.done else OperationState.CANCELLED
        return OperationState.READY if now >= self.ready else OperationState.PENDING

    @property
    def single(self) -> bool:
        """Whether `schedule` made it, and not `scheduleBatch`."""
        return len(self.calls) == 1 and operation_id(self.calls, self.predecessor, self.salt, single=True) == self.id


@dataclass
class Register:
    """Operations as the events come in. Events of one transaction come in their order."""

    operations: dict[str, Operation] = field(default_factory=dict)

    def take(self, event: TimelockEvent) -> None:
        """One event, later than all before it."""
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
    """What the timelock calls an operation: of `scheduleBatch`, or of `schedule` where it is a single call."""
    listed = tuple(calls)
    if single:
        (call,) = listed
        types, values = ["address", "uint256", "bytes"], [call.target, call.value, call.data]
    else:
        types = ["address[]", "uint256[]", "bytes[]"]
        values = [[c.target for c in listed], [c.value for c in listed], [c.data for c in listed]]
    return "0x" + keccak(encode([*types, "bytes32", "bytes32"], [*values, predecessor, salt])).hex()
