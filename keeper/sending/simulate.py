"""Simulates a call in one block before the keeper signs it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from web3 import Web3
from web3.types import RPCEndpoint

from ballast.networks.presets import capped_by
from ballast.units import MAX_TX_GAS
from keeper.errors import ChainError, InsufficientFundsError, RejectedError, SimulationError
from keeper.look import contracts
from keeper.look.fund_reader import Head, ask
from keeper.look.rpc.refusals import Refusal, refusal_of
from keeper.sending import access
from keeper.sending.access import AccessList

TRANSFER_GAS = 21_000
"""Gas of a no-op where only a transaction itself costs gas."""
NOOP_MAX_GAS = 2_000_000
"""Highest gas limit of a no-op where its data cost gas too."""

_REVERT_DATA = re.compile(r"(?:Reverted )?(0x(?:[0-9a-fA-F]{2}){4,})")


@dataclass(frozen=True)
class Call:
    """A call to send: the action's name and its month, the contract, and data as 0x hex.

    `deadline`: chain time (Unix s) after which it is pointless, None: no deadline. The fee cap rises towards it.
    `listed`: whether it may have an access list.
    """

    action: str
    period: int
    to: str
    data: str
    deadline: int | None = None
    listed: bool = True


@dataclass(frozen=True)
class Estimate:
    """Gas limit for a call, a quarter above the node's estimate, and its access list if that makes it cheaper."""

    gas: int
    listed: AccessList


def pinned(head: Head) -> Any:
    """Block parameter by hash (EIP-1898): an error once the block has left the chain."""
    return {"blockHash": head.hash, "requireCanonical": True}


def require_success(w3: Web3, sender: str, call: Call, head: Head) -> None:
    """Raises SimulationError if the call would revert in this block, ChainError if the node gives no answer,
    InsufficientFundsError."""
    _tried(w3, sender, call, head, estimate=False)


def estimate(w3: Web3, sender: str, call: Call, head: Head, most: int = MAX_TX_GAS) -> Estimate:
    """The gas that the call uses in this block. `most`: the chain's gas limit for a transaction. Raises SimulationError
    if the call would revert, RejectedError if it uses more than `most`, ChainError, InsufficientFundsError."""
    return _tried(w3, sender, call, head, estimate=True, most=most)


def noop_gas(w3: Web3, sender: str, head: Head, most: int) -> int:
    """Gas limit of an empty transaction to the sender itself: 21,000, or a quarter above the node's estimate where the
    estimate is higher, at most `most`. An estimate above `most` counts as nonsense; without a usable one: 21,000."""
    try:
        said = _gas(w3, {"from": sender, "to": sender}, pinned(head), "gas of a no-op")
    except (_NodeError, ChainError):
        return TRANSFER_GAS
    return min(said * 5 // 4, most) if TRANSFER_GAS < said <= most else TRANSFER_GAS


def _tried(w3: Web3, sender: str, call: Call, head: Head, *, estimate: bool, most: int = MAX_TX_GAS) -> Estimate:
    request: Any = {"from": sender, "to": call.to, "data": call.data}
    block, what = pinned(head), f"simulating {call.action}"
    try:
        # eth_call first: not every node gives revert data for an estimate.
        _answer(w3, "eth_call", request, block, what)
        if not estimate:
            return Estimate(0, ())
        gas = _gas(w3, request, block, what)
        listed = access.listed(w3, request, block) if call.listed else ()
        with_list = _gas(w3, request | {"accessList": listed}, block, what) if listed else gas
    except _NodeError as error:
        raise _meant(error, call, sender, what) from None
    if gas > most:
        raise RejectedError(f"{call.action}: takes {gas} gas, a transaction may take {most}{capped_by(most)}")
    return Estimate(min(gas * 5 // 4, most), listed if with_list < gas else ())


class _NodeError(Exception):
    """An error answer: its message and its data."""

    def __init__(self, error: Any) -> None:
        said = error if isinstance(error, dict) else {"message": error}
        super().__init__(" ".join(str(said.get("message", "")).split())[:200])
        self.data = said.get("data")


def _answer(w3: Web3, method: str, request: dict[str, Any], block: Any, what: str) -> str:
    """A node's answer about a call in a block. Bypasses web3's formatters: they take any error with `data: null`, or
    with other data, for a revert, and may raise anything. Raises _NodeError, ChainError."""
    answer = ask(lambda: w3.provider.make_request(RPCEndpoint(method), [request, block]), what)
    result = answer.get("result")
    if not isinstance(result, str):
        raise _NodeError(answer.get("error", "no result"))
    return result


def _gas(w3: Web3, request: dict[str, Any], block: Any, what: str) -> int:
    said = _answer(w3, "eth_estimateGas", request, block, what)
    try:
        return int(said, 16)
    except ValueError:
        raise _NodeError(f"eth_estimateGas: {said[:40]!r} is no number") from None


def _meant(
    error: _NodeError, call: Call, sender: str, what: str
) -> ChainError | InsufficientFundsError | SimulationError:
    """The keeper's error for a node's: a revert only if the node reports one."""
    kind = refusal_of(str(error))
    data = _REVERT_DATA.fullmatch(error.data) if isinstance(error.data, str) else None
    if data is not None or kind is Refusal.REVERTED:
        return SimulationError(call.action, *contracts.describe_revert(data[1] if data else ""))
    if kind is Refusal.FUNDS:
        return InsufficientFundsError(f"account {sender}: not enough ether for gas ({what}); fund it")
    return ChainError(f"{what}: {error}")
