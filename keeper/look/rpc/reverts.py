"""Converts each client's error for a call that reverts to one canonical form.

There is no standard for it. The canonical form is geth's: code 3, "execution reverted" with the reason of an
`Error(string)` if there is one, and the call's return data as `data`. The dialects, and their sources:

- geth, Erigon, anvil: code 3, "execution reverted: reason", data 0x… (go-ethereum `internal/ethapi/errors.go`); older:
  -32000, "err: execution reverted (supplied gas 1)" without data (go-ethereum `internal/ethapi/api.go`)
- Reth: as geth (reth `crates/rpc/rpc-eth-types/src/error/mod.rs`)
- Nethermind: as geth (`Nethermind.JsonRpc/Modules/Eth/EthRpcModule.TransactionExecutor.cs`); older: -32015, "VM
  execution error." with data "Reverted 0x…" or 0x…, or "err: 0x… (supplied gas 1)"
- Besu: -32000 or 3, "Execution reverted", data 0x… (`RpcErrorType.java`: REVERT_ERROR)
- OpenEthereum: -32015, "VM execution error." or "Transaction execution error.", data "Reverted 0x…", "Bad instruction
  fe" (`rpc/src/v1/helpers/errors.rs`)
- Hardhat: -32603 or 3, "VM Exception while processing transaction: reverted with an unrecognized custom error (return
  data: 0x…)", data {message, data, txHash} (edr `crates/edr_solidity`)
- Ganache: -32000, "VM Exception while processing transaction: revert reason", data {hash: {return: 0x…}} or
  {result: 0x…}

Hosted endpoints pass these on; some wrap an error once more, or drop its data. Other ends of a call (out of gas, an
invalid opcode) revert it too, without data: geth `core/vm/errors.go`, revm `HaltReason` as Reth and EDR print it,
OpenEthereum `ethcore/vm/src/error.rs`, Besu `RpcErrorType.java`: EXECUTION_HALTED. graph-node has a similar list in
`chain/ethereum/src/call_helper.rs`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from eth_abi import decode
from eth_abi.exceptions import DecodingError

SIMULATED = frozenset({"eth_call", "eth_estimateGas", "eth_createAccessList"})
"""Methods that may revert."""

REVERTED = "execution reverted"
CODE = 3
_REASON = "08c379a0"
_DEPTH = 5
"""Depth to which nested errors are searched."""

_DATA = frozenset({"data", "result", "return", "output"})
"""Keys under which an error has the call's return data; hex under other keys is a number or a request's id."""

_BEGINS = r"(?:^|[:=(\"'{] ?)"
"""Where a client's message begins: at the start of the text, or after a service's prefix."""
_SURELY = re.compile(
    rf"{_BEGINS}(?:(?:vm )?execution reverted|transaction reverted|vm exception)\b", re.IGNORECASE | re.MULTILINE
)
"""A certain revert: the text after these words is the contract's own, whatever it is."""
_SAYS = re.compile(rf"{_BEGINS}revert(?:ed)?(?=$|: | ?0x|\()", re.IGNORECASE | re.MULTILINE)
"""The bare word "revert", alone or before a reason or return data. Less certain: a chain can be reverted too."""
_HALTS = re.compile(
    r"out of ?gas|gas uint64 overflow|opcode ?not ?found"
    r"|(invalid|bad|unknown|undefined|not ?activated) ?(opcode|instruction|fe ?opcode)"
    r"|(invalid|bad) ?jump|stack ?(under|over)flow|stack limit reached|out of (stack|bounds|offset)"
    r"|write protection|in static context|statechangeduringstaticcall|return data out of bounds"
    r"|max call depth|call ?too ?deep|vm execution error"
    r"|could not be completed due to an exception",
    re.IGNORECASE,
)
_GAS = re.compile(
    r"gas required exceeds|intrinsic gas|exceeds (the )?(block|gas|transaction)|upper limit|insufficient", re.IGNORECASE
)
"""A refusal to run the call because its sender has too little gas or ether: not a revert."""
_NODE = re.compile(r"trie node|header not found|block not found|timed? ?out|unavailable|\btimeout\b", re.IGNORECASE)
"""The node's own failure, even if its message reads like a failed execution."""
_BARE = re.compile(r"(?:reverted)?(?:0x)?((?:[0-9a-f]{2})*)")
_EMBEDDED = re.compile(
    rf"(?:{_BEGINS}reverted|return data:|err:|custom error|output:|data=\"?)\s*\(?0x((?:[0-9a-f]{{2}})*)(?![0-9a-f])",
    re.MULTILINE,
)


def revert_of(error: Any) -> dict[str, Any] | None:
    """The canonical error for an error answer to one of `SIMULATED`; None if it does not mean that the call reverts.

    Accepts any value and raises nothing.
    """
    if not isinstance(error, dict):
        return None
    texts = list(_texts(error))
    said = "\n".join(text for text, _ in texts)
    data = _data_in(texts)
    # Bytes alone mean a revert only if they have the shape of an error with arguments, unlike a transaction's hash. A
    # block number may have that shape, in a message about the node's own failure.
    shaped = data and len(data) % 64 == 8 and f"0x{data}" in said.lower() and not _NODE.search(said)
    surely = _SURELY.search(said) is not None
    if data and (shaped or surely or _SAYS.search(said) or error.get("code") == CODE):
        return canonical(data)
    if surely:
        return canonical("")
    if _NODE.search(said) or _GAS.search(said):
        return None
    if _SAYS.search(said) or _HALTS.search(said) or (error.get("code") == CODE and data is not None):
        return canonical("")
    return None


def canonical(data: str) -> dict[str, Any]:
    """The canonical error for a call that reverted with `data` (hex digits)."""
    reason = _reason(data)
    return {"code": CODE, "message": f"{REVERTED}: {reason}" if reason else REVERTED, "data": f"0x{data}"}


def _texts(value: Any, data: bool = False, depth: int = 0) -> Iterator[tuple[str, bool]]:
    """Every string in an error, and whether it is under a key of `_DATA`; outermost first."""
    if isinstance(value, str):
        yield value, data
    elif isinstance(value, dict) and depth < _DEPTH:
        for key, inner in value.items():
            if key in ("stack", "txHash", "transactionHash", "hash", "name", "programCounter", "id", "jsonrpc"):
                continue
            yield from _texts(inner, key in _DATA, depth + 1)
    elif isinstance(value, list) and depth < _DEPTH:
        for inner in value:
            yield from _texts(inner, data, depth + 1)


def _data_in(texts: list[tuple[str, bool]]) -> str | None:
    """The longest return data found, as hex digits; None if no text has any."""
    found: list[str] = []
    for text, data in texts:
        bare = _BARE.fullmatch("".join(text.split()).lower()) if data and text.strip() else None
        if bare is not None:
            found.append(bare[1])
        else:
            found += _EMBEDDED.findall(text.lower())
    return max(found, key=len, default=None)


def _reason(data: str) -> str:
    """The reason of an `Error(string)`; empty if `data` is something else."""
    if not data.startswith(_REASON):
        return ""
    try:
        (reason,) = decode(["string"], bytes.fromhex(data[8:]))
    except (DecodingError, ValueError, OverflowError):
        return ""
    return " ".join(str(reason).split())[:200]
