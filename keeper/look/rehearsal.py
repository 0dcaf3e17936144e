"""Simulates calls one after the other in a block, and views after them, without sending any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from web3 import Web3
from web3.types import RPCEndpoint

from ballast.steering.operations import TimelockCall
from keeper.errors import ChainError
from keeper.look.retry import Head, ask

METHOD = "eth_simulateV1"
REVERTED = 3
"""JSON-RPC error code of a call that reverts."""


@dataclass(frozen=True)
class CallOutcome:
    """Result of a simulated call. `data`: its return data, or its revert data."""

    success: bool
    data: bytes


@dataclass(frozen=True)
class Rehearsal:
    """Results of a simulation. `together`: whether each call saw the effects of those before it. `views`: results of
    the views after all calls; empty if the calls were not simulated together."""

    outcomes: tuple[CallOutcome, ...]
    views: tuple[CallOutcome, ...]
    together: bool


def rehearse(
    w3: Web3,
    head: Head,
    sender: str,
    calls: Sequence[TimelockCall],
    views: Sequence[TimelockCall] = (),
    time: int | None = None,
) -> Rehearsal | None:
    """Simulates the calls from `sender` on top of a block, at the Unix time `time` (None: the block's own).

    If the node cannot simulate them together, simulates each alone; but returns None if `time` is later than the block,
    as only a joint simulation can change the time. Raises ChainError.
    """
    wanted = [_request(sender, call) for call in (*calls, *views)]
    block: dict[str, Any] = {"calls": wanted}
    if time is not None and time > head.time:
        block["blockOverrides"] = {"time": hex(time)}
    answer = _asked(w3, METHOD, [{"blockStateCalls": [block]}, hex(head.number)])
    if "result" in answer:
        outcomes = [_outcome(one) for one in answer["result"][-1]["calls"]]
        return Rehearsal(tuple(outcomes[: len(calls)]), tuple(outcomes[len(calls) :]), together=True)
    if time is not None and time > head.time:
        return None
    return Rehearsal(tuple(_alone(w3, head, request) for request in wanted[: len(calls)]), (), together=False)


def _request(sender: str, call: TimelockCall) -> dict[str, str]:
    return {"from": sender, "to": call.target, "value": hex(call.value), "data": "0x" + call.data.hex()}


def _outcome(found: Any) -> CallOutcome:
    success = int(found["status"], 16) == 1
    data = found.get("returnData") or "0x"
    if not success and data == "0x":
        data = (found.get("error") or {}).get("data") or "0x"
    return CallOutcome(success, bytes.fromhex(data.removeprefix("0x")))


def _alone(w3: Web3, head: Head, request: dict[str, str]) -> CallOutcome:
    answer = _asked(w3, "eth_call", [request, hex(head.number)])
    if "result" in answer:
        return CallOutcome(True, bytes.fromhex(answer["result"].removeprefix("0x")))
    error = answer.get("error") or {}
    data = error.get("data")
    if error.get("code") != REVERTED and not isinstance(data, str):
        raise ChainError(f"trying a call: {' '.join(str(error.get('message', error)).split())[:200]}")
    return CallOutcome(False, bytes.fromhex(data.removeprefix("0x")) if isinstance(data, str) else b"")


def _asked(w3: Web3, method: str, params: Any) -> Any:
    """The node's raw answer, a result or an error."""
    return ask(lambda: w3.provider.make_request(RPCEndpoint(method), params), "trying the calls")
