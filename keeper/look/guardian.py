"""Reads who may use a fund's brakes, and whether its rebalancer would refuse a brake before it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_typing import HexStr
from web3 import Web3
from web3.exceptions import ContractLogicError
from web3.types import TxParams

from ballast.book import Book
from keeper.errors import ChainError
from keeper.look import contracts
from keeper.look.retry import ask


@dataclass(frozen=True)
class Roles:
    """The accounts that may use the fund's brakes. `owner` is the timelock."""

    guardian: str
    owner: str


def read_roles(w3: Web3, book: Book) -> Roles:
    """The roles in the latest block. Raises ChainError."""
    rebalancer = w3.eth.contract(address=Web3.to_checksum_address(book["rebalancer"]), abi=contracts.abi("Rebalancer"))
    guardian, owner = (
        ask(lambda view=view: rebalancer.functions[view]().call(), view)  # type: ignore[misc]
        for view in ("guardian", "owner")
    )
    return Roles(guardian, owner)


def refused(w3: Web3, book: Book, sender: str, function: str, *arguments: Any) -> tuple[str, tuple[Any, ...]] | None:
    """The error, with its arguments, with which the rebalancer would refuse a call in the latest block; None if it
    would not. Raises ChainError."""
    request: TxParams = {
        "from": Web3.to_checksum_address(sender),
        "to": Web3.to_checksum_address(book["rebalancer"]),
        "data": HexStr(contracts.call_data("Rebalancer", function, *arguments)),
    }
    try:
        ask(lambda: w3.eth.call(request), function)
    except ChainError as error:
        cause = error.__cause__
        if not isinstance(cause, ContractLogicError):
            raise
        data = cause.data if isinstance(cause.data, str) else ""
        return contracts.decoded_revert(data)
    return None
