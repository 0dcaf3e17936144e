"""Views of any contract by signature, for what has no ABI here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_typing import HexStr
from eth_utils import function_signature_to_4byte_selector
from web3 import Web3
from web3.exceptions import Web3Exception
from web3.types import BlockIdentifier


def call_view(
    w3: Web3, to: str, signature: str, returns: Sequence[str], *args: Any, block: BlockIdentifier = "latest"
) -> tuple[Any, ...] | None:
    """Result of a view given as `name(type,type)`, or None if nothing sound comes back.

    Raises what requests raises where the node does not answer at all.
    """
    try:
        answer = w3.eth.call({"to": Web3.to_checksum_address(to), "data": view_data(signature, *args)}, block)
    except (Web3Exception, ValueError):
        return None
    return decode_view(bytes(answer), returns)


def view_data(signature: str, *args: Any) -> HexStr:
    """The data of a call of `name(type,type)`."""
    types = [part for part in signature[signature.index("(") + 1 : -1].split(",") if part]
    return Web3.to_hex(function_signature_to_4byte_selector(signature) + encode(types, args))


def decode_view(answer: bytes, returns: Sequence[str]) -> tuple[Any, ...] | None:
    """What a view answered, or None if it is nothing sound."""
    try:
        return tuple(decode(list(returns), answer))
    except (DecodingError, ValueError, OverflowError):
        return None


def has_code(w3: Web3, address: str) -> bool:
    """Whether a contract stands there."""
    return len(w3.eth.get_code(Web3.to_checksum_address(address))) > 0
