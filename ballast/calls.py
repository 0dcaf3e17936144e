"""Views of any contract by signature, for what has no ABI here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_abi import decode, encode
from eth_abi.exceptions import DecodingError
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
    types = [part for part in signature[signature.index("(") + 1 : -1].split(",") if part]
    data = function_signature_to_4byte_selector(signature) + encode(types, args)
    try:
        answer = w3.eth.call({"to": Web3.to_checksum_address(to), "data": Web3.to_hex(data)}, block)
        return tuple(decode(list(returns), bytes(answer)))
    except (Web3Exception, DecodingError, ValueError, OverflowError):
        return None


def has_code(w3: Web3, address: str) -> bool:
    """Whether a contract stands there."""
    return len(w3.eth.get_code(Web3.to_checksum_address(address))) > 0
