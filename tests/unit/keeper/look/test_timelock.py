"""The timelock's operations and roles from its events, and calls tried in a block, over a node that speaks HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from eth_abi import encode
from web3 import HTTPProvider, Web3

from ballast.abi import topic, type_of
from ballast.book import Book
from ballast.steering import owner_abi
from ballast.steering.operations import NOTHING, OperationState, TimelockCall, operation_id
from keeper.errors import ChainError
from keeper.look.history import REORG
from keeper.look.rehearsal import METHOD, CallOutcome, rehearse
from keeper.look.retry import Head
from keeper.look.timelock import TimelockReader
from tests.unit.keeper.look.node import ACCOUNT, DIGEST, HEAD, Node, hash_of, node

BOOK = Book("Fund", 1, 1_000, {"timelock": ACCOUNT}, ACCOUNT, ())
SENDER, ROBOT = "0x" + "22" * 20, "0x" + "33" * 20
DEPLOYER, HOLDER = "0x" + "44" * 20, "0x" + "55" * 20
CALL = TimelockCall("0x" + "66" * 20, 0, b"\x01\x02\x03\x04")
ID = bytes.fromhex(operation_id((CALL,), NOTHING, NOTHING)[2:])
HEADED = Head(HEAD, hash_of(HEAD), 1_700_000_000 + 12 * HEAD, 0)


def event(name: str, number: int, **given: Any) -> dict[str, Any]:
    """An event of the timelock as a node gives it."""
    entry = next(one for one in owner_abi.events().values() if one["name"] == name)
    indexed = [part for part in entry["inputs"] if part.get("indexed")]
    plain = [part for part in entry["inputs"] if not part.get("indexed")]
    topics = [topic(entry), *("0x" + encode([type_of(p)], [given[p["name"]]]).hex() for p in indexed)]
    return {
        "address": ACCOUNT,
        "topics": topics,
        "data": "0x" + encode([type_of(p) for p in plain], [given[p["name"]] for p in plain]).hex(),
        "blockNumber": hex(number),
        "blockHash": hash_of(number),
        "transactionHash": DIGEST,
        "transactionIndex": "0x0",
        "logIndex": "0x0",
        "removed": False,
    }


def scheduled(number: int) -> dict[str, Any]:
    return event(
        "CallScheduled",
        number,
        id=ID,
        index=0,
        target=CALL.target,
        value=0,
        data=CALL.data,
        predecessor=NOTHING,
        delay=600,
    )


FOUNDING = [
    event("RoleGranted", 1_000, role=bytes(32), account=ACCOUNT, sender=DEPLOYER),
    event("MinDelayChange", 1_000, oldDuration=0, newDuration=172_800),
    event("RoleGranted", 1_000, role=b"\x11" * 32, account=HOLDER, sender=DEPLOYER),
]


@pytest.fixture
def served() -> Iterator[Node]:
    with node() as found:
        give(found, FOUNDING, SENDER)
        yield found


def give(served: Node, events: list[dict[str, Any]], through: str | None, most: int = 10**9) -> None:
    """The node has these events, of at most so many blocks at once. `through`: whom the transactions called."""

    def logs(question: dict[str, Any]) -> Any:
        first, last = (int(question["params"][0][name], 16) for name in ("fromBlock", "toBlock"))
        if last - first >= most:
            return {"error": {"code": -32005, "message": f"at most {most} blocks"}}
        return {"result": [one for one in events if first <= int(one["blockNumber"], 16) <= last]}

    served.says["eth_getLogs"] = logs
    served.result("eth_getTransactionByHash", {"hash": DIGEST, "from": ROBOT, "to": through})


def connected(served: Node) -> Web3:
    return Web3(HTTPProvider(served.url))


def test_roles_delay_and_deployer(served: Node) -> None:
    found = TimelockReader(connected(served), BOOK).read(HEADED)
    assert found.operations == () and found.min_delay == 172_800
    assert found.deployer.lower() == DEPLOYER
    assert found.roles["DEFAULT_ADMIN_ROLE"] == {Web3.to_checksum_address(ACCOUNT)}
    assert found.roles["0x" + "11" * 32] == {Web3.to_checksum_address(HOLDER)}
    give(served, [*FOUNDING, event("RoleRevoked", 2_000, role=b"\x11" * 32, account=HOLDER, sender=ACCOUNT)], None)
    assert TimelockReader(connected(served), BOOK).read(HEADED).roles["0x" + "11" * 32] == frozenset()


@pytest.mark.parametrize(("through", "who"), [(ACCOUNT, ROBOT), (SENDER, SENDER)])
def test_who_proposed(served: Node, through: str, who: str) -> None:
    """The sender; where it went through a contract, such as a Safe, that one."""
    give(served, [*FOUNDING, scheduled(3_000)], through)
    (operation,) = TimelockReader(connected(served), BOOK).read(HEADED).open
    assert (operation.id, operation.calls) == (
        "0x" + ID.hex(),
        (TimelockCall(Web3.to_checksum_address(CALL.target), 0, CALL.data),),
    )
    assert operation.proposer.lower() == who
    assert operation.ready == 1_700_000_000 + 12 * 3_000 + 600
    assert operation.state(HEADED.time) is OperationState.READY


def test_a_node_that_gives_few_blocks_is_asked_in_halves(served: Node) -> None:
    give(served, [*FOUNDING, scheduled(3_000)], ACCOUNT, most=500)
    assert len(TimelockReader(connected(served), BOOK).read(HEADED).open) == 1
    assert min(served.ranges) <= 500 < max(served.ranges)
    give(served, [], ACCOUNT, most=1)
    with pytest.raises(ChainError, match="events of the timelock"):
        TimelockReader(connected(served), BOOK).read(HEADED)


def test_only_what_is_new_is_read_again(served: Node) -> None:
    """And the newest blocks, since a reorganization may take an event out of them."""
    reader = TimelockReader(connected(served), BOOK)
    give(served, [*FOUNDING, scheduled(HEAD - 1)], ACCOUNT)
    assert len(reader.read(HEADED).open) == 1
    served.ranges.clear()
    give(served, [*FOUNDING], ACCOUNT)
    later = Head(HEAD, hash_of(HEAD), HEADED.time, 0)
    found = reader.read(later)
    assert found.open == () and found.min_delay == 172_800
    assert served.ranges == [REORG]


def tried(*outcomes: tuple[str, str]) -> Any:
    return {"result": [{"calls": [{"status": status, "returnData": data} for status, data in outcomes]}]}


def test_calls_are_tried_together_with_views_behind_them(served: Node) -> None:
    asked: list[Any] = []

    def answer(question: dict[str, Any]) -> Any:
        asked.append(question["params"])
        return tried(("0x1", "0x"), ("0x0", "0xdeadbeef"), ("0x1", "0x07"))

    served.says[METHOD] = answer
    found = rehearse(connected(served), HEADED, SENDER, (CALL, CALL), (CALL,), HEADED.time + 60)
    assert found is not None and found.together
    assert found.outcomes == (CallOutcome(True, b""), CallOutcome(False, bytes.fromhex("deadbeef")))
    assert found.views == (CallOutcome(True, b"\x07"),)
    ((blocks, at),) = asked
    (only,) = blocks["blockStateCalls"]
    assert only["blockOverrides"] == {"time": hex(HEADED.time + 60)} and at == hex(HEAD)
    assert [one["from"] for one in only["calls"]] == [SENDER] * 3


def test_a_node_that_cannot_is_asked_for_each_alone(served: Node) -> None:
    served.error(METHOD, -32601, "the method eth_simulateV1 does not exist")
    w3 = connected(served)
    served.result("eth_call", "0x07")
    found = rehearse(w3, HEADED, SENDER, (CALL,), (CALL,))
    assert found is not None
    assert (found.together, found.outcomes, found.views) == (False, (CallOutcome(True, b"\x07"),), ())
    served.error("eth_call", 3, "execution reverted", data="0xdeadbeef")
    found = rehearse(w3, HEADED, SENDER, (CALL,))
    assert found is not None and found.outcomes == (CallOutcome(False, bytes.fromhex("deadbeef")),)
    assert rehearse(w3, HEADED, SENDER, (CALL,), time=HEADED.time + 60) is None
    served.error("eth_call", -32000, "header not found")
    with pytest.raises(ChainError, match="trying a call: header not found"):
        rehearse(w3, HEADED, SENDER, (CALL,))


def test_the_past_is_read_in_spans_and_the_roles_at_once(served: Node) -> None:
    """A fund that is older than a span: the deployment and the newest blocks first, then what lies between."""
    old = HEAD - 250
    give(served, [*FOUNDING, scheduled(old)], SENDER)
    assert old > 1_000 + REORG
    reader = TimelockReader(connected(served), BOOK, span=100)
    first = reader.read(HEADED)
    assert first.operations == () and first.deployer.lower() == DEPLOYER
    assert first.roles["0x" + "11" * 32] == {Web3.to_checksum_address(HOLDER)}
    assert reader.read(HEADED).operations == ()
    # A node that does not give the past leaves what is known, and is asked again.
    give(served, [*FOUNDING, scheduled(old)], SENDER, most=-1)
    with pytest.raises(ChainError):
        reader.read(HEADED)
    give(served, [*FOUNDING, scheduled(old)], SENDER)
    (found,) = reader.read(HEADED).operations
    assert found.block == old and reader.read(HEADED).operations == (found,)
    # All of it, and nothing twice.
    for _ in range(HEAD // 100):
        found_all = reader.read(HEADED)
    assert found_all == TimelockReader(connected(served), BOOK).read(HEADED)
