"""Simulating a call in one block before it is signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from web3 import Web3
from web3.exceptions import ContractLogicError, Web3Exception

from keeper.errors import ChainError, InsufficientFundsError, RevertedError, SimulationError
from keeper.look import contracts
from keeper.look.chain import Head
from keeper.sending import access
from keeper.sending.access import AccessList
from keeper.sending.refusals import refusal


@dataclass(frozen=True)
class Call:
    """A call to send: the action's name and its month, contract, and data as 0x... .

    `deadline`: chain time (Unix s) until which it makes sense, None: no end. The fee cap rises towards it. `listed`:
    whether it may have an access list.
    """

    action: str
    period: int
    to: str
    data: str
    deadline: int | None = None
    listed: bool = True


@dataclass(frozen=True)
class Estimate:
    """Gas limit for a call, a quarter above the estimate, and its access list if that makes it cheaper."""

    gas: int
    listed: AccessList


def pinned(head: Head) -> Any:
    """Block parameter by hash (EIP-1898): an error once the block has left the chain."""
    return {"blockHash": head.hash, "requireCanonical": True}


def require_success(w3: Web3, sender: str, call: Call, head: Head) -> None:
    """Raises SimulationError if the call would revert in this block, ChainError if the node does not say."""
    _tried(w3, sender, call, head, estimate=False)


def estimate(w3: Web3, sender: str, call: Call, head: Head) -> Estimate:
    """What the call takes in this block. Raises SimulationError if it would revert there, ChainError,
    InsufficientFundsError."""
    return _tried(w3, sender, call, head, estimate=True)


def _tried(w3: Web3, sender: str, call: Call, head: Head, *, estimate: bool) -> Estimate:
    request: Any = {"from": sender, "to": call.to, "data": call.data}
    block = pinned(head)
    try:
        # A call first: not every node gives revert data for an estimate.
        w3.eth.call(request, block_identifier=block)
        if not estimate:
            return Estimate(0, ())
        gas = w3.eth.estimate_gas(request, block_identifier=block)
        listed = access.listed(w3, request, block) if call.listed else ()
        with_list = w3.eth.estimate_gas(request | {"accessList": listed}, block_identifier=block) if listed else gas
    except ContractLogicError as error:
        data = error.data if isinstance(error.data, str) else ""
        selector, name, arguments = contracts.describe_revert(data)
        raise SimulationError(call.action, selector, name, arguments) from None
    except (requests.exceptions.RequestException, Web3Exception, ValueError) as error:
        what = f"simulating {call.action}"
        found = refusal(error, what, sender)
        if isinstance(found, RevertedError):
            raise SimulationError(call.action, "", "", "") from None
        if isinstance(found, ChainError | InsufficientFundsError):
            raise found from error
        raise ChainError(f"{what}: {' '.join(str(error).split())[:200]}") from error
    return Estimate(gas * 5 // 4, listed if with_list < gas else ())
