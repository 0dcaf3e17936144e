"""Validates the results of all JSON-RPC methods, in this one place.

A malformed result counts as a failure of its endpoint, like a broken connection: the keeper tries another one. The
checks drop fields of blocks, logs and receipts that the keeper does not read, so that a chain's own fields (a longer
`extraData` of a proof of authority, a rollup's fees) cannot cause errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from eth_utils import keccak

Check = Callable[[Any, Any], Any]
"""Takes a request's parameters and its result; returns the usable result. Raises ValueError, naming the field."""

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA = re.compile(r"0x([0-9a-fA-F]{2})*")
SMALL = 1 << 63
"""Upper bound (exclusive) of blocks, times, gas and gas prices (wei), so that the journal can store them."""
_NONCES = 1 << 64
_WORD = 32
_ADDRESS = 20
_DYNAMIC_FEE = 2
"""From this transaction type on, a receipt must have `effectiveGasPrice` (EIP-1559)."""


def check(method: str, params: Any, result: Any) -> Any:
    """The usable result. Raises ValueError, with method and field, if it is malformed."""
    checker = CHECKS.get(method)
    if checker is None:
        return result
    try:
        return checker(params, result)
    except ValueError as error:
        raise ValueError(f"{method}: {error}") from None


def quantity(value: Any, what: str = "result", below: int = SMALL, least: int = 0) -> int:
    """A number in JSON-RPC's encoding (0x hex), from `least` to below `below`. Raises ValueError."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise ValueError(f"{what} is no quantity")
    number = int(value, 16)
    if not least <= number < below:
        raise ValueError(f"{what} is out of range")
    return number


def data(value: Any, what: str = "result", size: int | None = None) -> str:
    """Bytes in JSON-RPC's encoding (0x hex), returned unchanged; `size`: their number. Raises ValueError."""
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise ValueError(f"{what} is no data")
    if size is not None and len(value) != 2 + 2 * size:
        raise ValueError(f"{what} has not {size} bytes")
    return value


def _number(below: int = SMALL, least: int = 0) -> Check:
    def checked(_: Any, result: Any) -> Any:
        quantity(result, below=below, least=least)
        return result

    return checked


def _bytes(_: Any, result: Any) -> Any:
    return data(result)


def _text(_: Any, result: Any) -> Any:
    if not isinstance(result, str):
        raise ValueError("result is no text")
    return result


def _syncing(_: Any, result: Any) -> Any:
    """False, or an object with the block reached."""
    if result is False:
        return False
    block = _object(result).get("currentBlock")
    quantity(block, "currentBlock")
    return {"currentBlock": block}


def _object(value: Any, what: str = "result") -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is no object")
    return value


def _list(value: Any, what: str = "result") -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{what} is no list")
    return value


def _block(params: Any, result: Any) -> Any:
    """A block: number, hash, time, and base fee and gas limit if given. None: the node does not know the block."""
    named = params[0] if isinstance(params, list | tuple) and params else None
    if result is None and named not in ("latest", "pending", "safe", "finalized", "earliest"):
        return None
    block = _object(result)
    found: dict[str, Any] = {
        "number": block.get("number"),
        "hash": data(block.get("hash"), "hash", _WORD),
        "timestamp": block.get("timestamp"),
    }
    for name in ("number", "timestamp"):
        quantity(block.get(name), name)
    for name in ("baseFeePerGas", "gasLimit"):
        if block.get(name) is not None:
            quantity(block[name], name)
            found[name] = block[name]
    if isinstance(named, str) and named.startswith("0x"):
        by_hash = len(named) == 2 + 2 * _WORD
        asked, got = (named.lower(), found["hash"].lower()) if by_hash else (int(named, 16), int(found["number"], 16))
        if asked != got:
            raise ValueError("is another block")
    return found


def _receipt(params: Any, result: Any) -> Any:
    """A mined transaction's receipt; None: not mined, as far as the endpoint knows."""
    if result is None:
        return None
    receipt = _object(result)
    digest = data(receipt.get("transactionHash"), "transactionHash", _WORD)
    if params and str(params[0]).lower() != digest.lower():
        raise ValueError("transactionHash is another")
    if receipt.get("blockHash") is None and receipt.get("blockNumber") is None:
        return None  # some clients give a receipt for a pending transaction
    found = {"transactionHash": digest, "blockHash": data(receipt.get("blockHash"), "blockHash", _WORD)}
    for name, below, least in (("blockNumber", SMALL, 0), ("status", 2, 0), ("gasUsed", SMALL, 1)):
        quantity(receipt.get(name), name, below, least)
        found[name] = receipt[name]
    kind = quantity(receipt.get("type") or "0x0", "type")
    if "effectiveGasPrice" in receipt or kind >= _DYNAMIC_FEE:
        quantity(receipt.get("effectiveGasPrice"), "effectiveGasPrice")
        found["effectiveGasPrice"] = receipt["effectiveGasPrice"]
    if receipt.get("l1Fee") is not None:  # an OP-stack chain's fee for the data
        quantity(receipt["l1Fee"], "l1Fee")
        found["l1Fee"] = receipt["l1Fee"]
    for entry in _list(receipt.get("logs") or [], "logs"):
        if str(_object(entry, "logs").get("blockHash") or found["blockHash"]).lower() != found["blockHash"].lower():
            raise ValueError("logs are of another block")
    return found


def _logs(params: Any, result: Any) -> Any:
    """Events in the chain's order. Raises ValueError if one does not match the filter."""
    asked = params[0] if params and isinstance(params[0], dict) else {}
    found = [_log(asked, _object(entry, "log")) for entry in _list(result)]
    return sorted(found, key=lambda entry: (int(entry["blockNumber"], 16), int(entry["logIndex"], 16)))


def _log(asked: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    if entry.get("removed"):
        raise ValueError("log is removed")
    topics = _list(entry.get("topics"), "topics")
    found: dict[str, Any] = {
        "address": data(entry.get("address"), "address", _ADDRESS),
        "topics": [data(topic, "topics", _WORD) for topic in topics],
        "data": data(entry.get("data"), "data"),
        "blockHash": data(entry.get("blockHash"), "blockHash", _WORD),
        "transactionHash": data(entry.get("transactionHash"), "transactionHash", _WORD),
    }
    for name in ("blockNumber", "logIndex", "transactionIndex"):
        quantity(entry.get(name), name)
        found[name] = entry[name]
    wanted = asked.get("address")
    if wanted and found["address"].lower() not in _lowered(wanted):
        raise ValueError("address is none of those asked for")
    for place, choice in enumerate(asked.get("topics") or []):
        if choice and (place >= len(topics) or topics[place].lower() not in _lowered(choice)):
            raise ValueError("topics are none of those asked for")
    first, last = span_of(asked)
    number = int(found["blockNumber"], 16)
    if (first is not None and number < first) or (last is not None and number > last):
        raise ValueError("blockNumber is outside the range asked for")
    return found


def span_of(asked: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """First and last block of a filter for events; None where it has no block number."""
    ends = []
    for name in ("fromBlock", "toBlock"):
        end = asked.get(name)
        ends.append(end if isinstance(end, int) else int(end, 16) if isinstance(end, str) and end[:2] == "0x" else None)
    return ends[0], ends[1]


def _lowered(wanted: Any) -> list[str]:
    return [str(each).lower() for each in (wanted if isinstance(wanted, list | tuple) else [wanted])]


def _fee_history(params: Any, result: Any) -> Any:
    """Tips of the last blocks: a list per block, with one tip per percentile requested."""
    asked = len(params[2]) if len(params) > 2 and params[2] else 0
    rewards = _list(_object(result).get("reward"), "reward")
    if not rewards or any(len(_list(each, "reward")) != asked for each in rewards):
        raise ValueError("reward lacks what was asked for")
    for each in rewards:
        for tip in each:
            quantity(tip, "reward")
    return {"reward": rewards}


def _access_list(_: Any, result: Any) -> Any:
    """An access list, with `error` if the call failed."""
    found = _object(result)
    if "accessList" not in found and not found.get("error"):
        raise ValueError("accessList is missing")
    entries = []
    for entry in _list(found.get("accessList") or [], "accessList"):
        address = data(_object(entry, "accessList").get("address"), "address", _ADDRESS)
        keys = [data(key, "storageKeys", _WORD) for key in _list(entry.get("storageKeys") or [], "storageKeys")]
        entries.append({"address": address, "storageKeys": keys})
    return {"accessList": entries, "error": str(found["error"])} if found.get("error") else {"accessList": entries}


def _sent(params: Any, result: Any) -> Any:
    """The hash of the transaction sent."""
    raw = params[0] if params else None
    raw = raw if isinstance(raw, bytes) else bytes.fromhex(str(raw).removeprefix("0x"))
    if data(result, size=_WORD).lower() != "0x" + keccak(raw).hex():
        raise ValueError("result is another transaction's hash")
    return result


CHECKS: dict[str, Check] = {
    "eth_chainId": _number(least=1),
    "eth_blockNumber": _number(),
    "eth_getBlockByNumber": _block,
    "eth_getBlockByHash": _block,
    "eth_call": _bytes,
    "eth_getCode": _bytes,
    "eth_getBalance": _number(1 << 256),
    "eth_getTransactionCount": _number(_NONCES),
    "eth_getTransactionReceipt": _receipt,
    "eth_getLogs": _logs,
    "eth_estimateGas": _number(least=1),
    "eth_createAccessList": _access_list,
    "eth_gasPrice": _number(),
    "eth_maxPriorityFeePerGas": _number(),
    "eth_feeHistory": _fee_history,
    "eth_sendRawTransaction": _sent,
    "eth_syncing": _syncing,
    "web3_clientVersion": _text,
}
