"""Operations of the timelock from its events."""

from __future__ import annotations

from typing import Any

from ballast.steering.operations import (
    NOTHING,
    OperationState,
    TimelockCall,
    TimelockEvent,
    operation_id,
    operations_of,
)
from tests.unit.ballast.steering.fund import AT, PROPOSER

SALT = b"\x05" * 32
CALLS = (TimelockCall(AT["rebalancer"], 0, b"\x01\x02\x03\x04"), TimelockCall(AT["oracle"], 7, b""))
ID = operation_id(CALLS, NOTHING, SALT)


def event(name: str, time: int, **arguments: Any) -> TimelockEvent:
    return TimelockEvent(name, {"id": bytes.fromhex(ID[2:]), **arguments}, time // 12, time, "0x01", PROPOSER)


def scheduled(time: int, delay: int = 100) -> list[TimelockEvent]:
    rows = [
        event(
            "CallScheduled",
            time,
            index=i,
            target=call.target,
            value=call.value,
            data=call.data,
            predecessor=NOTHING,
            delay=delay,
        )
        for i, call in enumerate(CALLS)
    ]
    return [*rows, event("CallSalt", time, salt=SALT)]


def test_a_batch_from_its_events() -> None:
    (found,) = operations_of(scheduled(1_000))
    assert (found.id, found.calls, found.salt, found.predecessor) == (ID, CALLS, SALT, NOTHING)
    assert (found.ready, found.proposer, found.open, found.single) == (1_100, PROPOSER, True, False)
    assert found.state(1_099) is OperationState.PENDING
    assert found.state(1_100) is OperationState.READY


def test_how_an_operation_ends() -> None:
    (done,) = operations_of([*scheduled(1_000), *(event("CallExecuted", 1_200, index=i) for i in range(2))])
    assert (done.state(1_200), done.ended, done.calls) == (OperationState.DONE, 1_200, CALLS)
    (gone,) = operations_of([*scheduled(1_000), event("Cancelled", 1_050)])
    assert (gone.state(9_999), gone.ended) == (OperationState.CANCELLED, 1_050)


def test_one_that_was_cancelled_is_scheduled_again() -> None:
    (found,) = operations_of([*scheduled(1_000), event("Cancelled", 1_050), *scheduled(2_000, 50)])
    assert (found.state(2_000), found.calls, found.ready) == (OperationState.PENDING, CALLS, 2_050)


def test_other_events_are_left_alone() -> None:
    change = TimelockEvent("MinDelayChange", {"oldDuration": 1, "newDuration": 2}, 1, 1, "0x01", PROPOSER)
    assert operations_of([change, event("CallExecuted", 5, index=0), event("Cancelled", 6)]) == ()


def test_a_single_call_has_another_id() -> None:
    alone = CALLS[:1]
    single, batch = (operation_id(alone, NOTHING, SALT, single=each) for each in (True, False))
    assert single != batch
    for wanted in (single, batch):
        row = (scheduled(1_000)[0], event("CallSalt", 1_000, salt=SALT))
        rows = [
            TimelockEvent(e.name, {**e.arguments, "id": bytes.fromhex(wanted[2:])}, 1, 1, "0x01", PROPOSER) for e in row
        ]
        (found,) = operations_of(rows)
        assert found.single == (wanted == single)
