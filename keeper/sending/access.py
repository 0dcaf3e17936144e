"""Lists of the accounts and storage that a transaction touches, given with it beforehand where that is cheaper.

EIP-2930: a listed account costs 2,400 gas and a listed slot 1,900, and both then count as warm (100). What is not
listed costs 2,600 and 2,100 the first time (EIP-2929): each entry saves 100 gas, if it is really touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import requests
from web3 import Web3
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint

AccessList = tuple[dict[str, Any], ...]
"""As a transaction takes it: an address and its storage keys each."""

ACCOUNT_COST = 2_400
SAVED = 100


def listed(w3: Web3, request: dict[str, Any], block: Any = "latest") -> AccessList:
    """What the node says that a call touches in a block (as JSON-RPC names it), less what is not worth its entry; empty
    where the node does not say."""
    try:
        answer = w3.provider.make_request(RPCEndpoint("eth_createAccessList"), [_hexed(request), block])
    except (requests.exceptions.RequestException, Web3Exception, ValueError):
        return ()
    result = answer.get("result")
    if not isinstance(result, dict) or result.get("error"):
        return ()
    return worthwhile(result.get("accessList") or (), (str(request["from"]), str(request["to"])))


def worthwhile(entries: Sequence[Any], warm: Sequence[str]) -> AccessList:
    """The entries that save gas: of an account that is `warm` anyway only those whose slots save more than it costs."""
    known = {address.lower() for address in warm}
    found = []
    for entry in entries:
        keys = list(entry["storageKeys"])
        if entry["address"].lower() not in known or len(keys) * SAVED > ACCOUNT_COST:
            found.append({"address": Web3.to_checksum_address(entry["address"]), "storageKeys": keys})
    return tuple(found)


def _hexed(request: dict[str, Any]) -> dict[str, Any]:
    return {key: hex(value) if isinstance(value, int) else value for key, value in request.items()}
