"""Access lists (EIP-2930), where they make a transaction cheaper.

A listed account costs 2,400 gas and a listed slot 1,900; both are then warm (100). Unlisted they cost 2,600 and 2,100
at first touch (EIP-2929): each entry saves 100 gas, if it is really touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import requests
from web3 import Web3
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint

AccessList = tuple[dict[str, Any], ...]
"""As in a transaction: each entry an address and its storage keys."""

ACCOUNT_COST = 2_400
SAVED = 100


def listed(w3: Web3, request: dict[str, Any], block: Any = "latest") -> AccessList:
    """What a call touches in a block (named as in JSON-RPC) according to the node, without entries that cost more than
    they save; empty if the node does not say."""
    try:
        answer = w3.provider.make_request(RPCEndpoint("eth_createAccessList"), [_hexed(request), block])
    except (requests.exceptions.RequestException, Web3Exception, ValueError):
        return ()
    result = answer.get("result")
    if not isinstance(result, dict) or result.get("error"):
        return ()
    return worthwhile(result.get("accessList") or (), (str(request["from"]), str(request["to"])))


def worthwhile(entries: Sequence[Any], warm: Sequence[str]) -> AccessList:
    """The entries that save gas; an account that is `warm` anyway only if its slots save more than it costs."""
    known = {address.lower() for address in warm}
    found = []
    for entry in entries:
        keys = list(entry["storageKeys"])
        if entry["address"].lower() not in known or len(keys) * SAVED > ACCOUNT_COST:
            found.append({"address": Web3.to_checksum_address(entry["address"]), "storageKeys": keys})
    return tuple(found)


def _hexed(request: dict[str, Any]) -> dict[str, Any]:
    return {key: hex(value) if isinstance(value, int) else value for key, value in request.items()}
