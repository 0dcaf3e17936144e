"""Access lists (EIP-2930), where they make a transaction cheaper.

A listed account costs 2,400 gas and a listed slot 1,900; both are then warm (100). Unlisted, the first access costs
2,600 and 2,100 (EIP-2929). So each entry saves 100 gas if the transaction does access it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import requests
from web3 import Web3
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint

AccessList = tuple[dict[str, Any], ...]
"""As in a transaction: each entry has an address and its storage keys."""

ACCOUNT_COST = 2_400
SAVED = 100


def listed(w3: Web3, request: dict[str, Any], block: Any = "latest") -> AccessList:
    """The access list that the node computes for a call, without entries that cost more than they save; empty if the
    node gives none. `block` as in JSON-RPC."""
    try:
        answer = w3.provider.make_request(RPCEndpoint("eth_createAccessList"), [_hexed(request), block])
    except (requests.exceptions.RequestException, Web3Exception, ValueError):
        return ()
    result = answer.get("result")
    if not isinstance(result, dict) or result.get("error"):
        return ()
    return worthwhile(result.get("accessList") or (), (str(request["from"]), str(request["to"])))


def worthwhile(entries: Sequence[Any], warm: Sequence[str]) -> AccessList:
    """The entries that save gas. An account that is `warm` without a list stays only if its slots save more than
    listing the account costs."""
    known = {address.lower() for address in warm}
    found = []
    for entry in entries:
        keys = list(entry["storageKeys"])
        if entry["address"].lower() not in known or len(keys) * SAVED > ACCOUNT_COST:
            found.append({"address": Web3.to_checksum_address(entry["address"]), "storageKeys": keys})
    return tuple(found)


def _hexed(request: dict[str, Any]) -> dict[str, Any]:
    return {key: hex(value) if isinstance(value, int) else value for key, value in request.items()}
