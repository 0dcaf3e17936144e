"""The one way for all tests to check that a call reverts: by the 4-byte selector of the raw revert data, nothing
looser."""

from __future__ import annotations

from typing import Any

from eth_abi import encode
from eth_utils import to_checksum_address

from ballast.abi import STRING_REVERT, Entry, decode_values, errors_of, selector, signature
from lab.localnet.rpc import RpcError
from tests.helpers.chain import Chain, revert_data
from tests.helpers.contracts import Artifact, Call, Contract

PANIC = bytes.fromhex("4e487b71")  # Panic(uint256)
ANY: Any = object()
"""In place of an argument of an error: any value."""


def assert_reverts(
    chain: Chain,
    call: Call,
    error: str,
    *args: Any,
    sender: str | None = None,
    at: int | None = None,
    of: Contract | Artifact | None = None,
    value: int = 0,
) -> tuple[Any, ...]:
    """Asserts that the call reverts with exactly the custom error of this name; its decoded arguments.

    The error is looked up in the ABI of the called contract, or in that of `of` where it comes from a contract called
    by it. With `args` the error's arguments must be these (ANY for one that does not matter).
    """
    entry = _error(call.abi if of is None else of.abi, error)
    data = failure(chain, call, sender=sender, at=at, value=value)
    if data[:4] != selector(entry):
        raise AssertionError(f"{call.name}: expected {signature(entry)}, reverted with {_named(data, call)}")
    given = decode_values(entry["inputs"], data[4:])
    if args:
        assert len(args) == len(given), f"{error} has {len(given)} arguments, {len(args)} were expected"
        wanted = tuple(_plain(a) for a in args)
        same = all(w is ANY or w == g for w, g in zip(wanted, given, strict=True))
        assert same, f"{call.name}: expected {error}{wanted}, found {error}{given}"
    return given


def assert_panics(chain: Chain, call: Call, code: int, *, sender: str | None = None, at: int | None = None) -> None:
    """Asserts that the call reverts with Panic(code), such as 0x11 for an overflow."""
    data = failure(chain, call, sender=sender, at=at)
    assert data == PANIC + encode(["uint256"], [code]), f"{call.name}: reverted with {_named(data, call)}"


def failure(chain: Chain, call: Call, *, sender: str | None = None, at: int | None = None, value: int = 0) -> bytes:
    """The raw revert data of a call that must revert; an AssertionError if it does not."""
    try:
        chain.raw(call, sender=sender, at=at, value=value)
    except RpcError as error:
        data = revert_data(error)
        assert data or "revert" in str(error), f"{call.name}: no revert, but: {error}"
        return data
    raise AssertionError(f"{call.name}: expected a revert, but it succeeded")


def _error(abi: Any, name: str) -> Entry:
    entries: list[Entry] = [e for e in abi if e["type"] == "error" and e["name"] == name]
    assert len(entries) == 1, f"the ABI has {len(entries)} errors {name}"
    return entries[0]


def _plain(value: Any) -> Any:
    if isinstance(value, Contract):
        return value.address
    if isinstance(value, str) and value.startswith("0x") and len(value) == 42:
        return to_checksum_address(value)
    return value


def _named(data: bytes, call: Call) -> str:
    if data[:4] == STRING_REVERT:
        return f"a text: {data[68:].rstrip(bytes(1)).decode(errors='replace')!r}"
    known = errors_of(call.abi).get(data[:4])
    return f"{signature(known) if known else 'an error that is not in the ABI'} (0x{data.hex()})"
