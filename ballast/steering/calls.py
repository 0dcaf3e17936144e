"""Decodes one call of the timelock into words, with a warning for each threat by an owner in docs/threat-model.md.

`decode` never fails: it shows unknown calls as hexadecimal digits, with a warning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_abi.exceptions import DecodingError
from eth_utils import is_checksum_address, to_checksum_address

from ballast import abi
from ballast.abi import Entry
from ballast.steering import owner_abi
from ballast.steering.dangers import Said, explain
from ballast.steering.in_force import snake
from ballast.steering.operations import TimelockCall
from ballast.steering.words import Context, text
from ballast.values import decimal

MAX_DEPTH = 4
"""Levels of nested batches that are decoded."""
ANYONES = frozenset(
    ("collectFee", "determine", "start", "trade", "close", "perform", "performUpkeep", "acceptOwnership")
)
"""Functions that need no text and no warning: the caller gains and changes nothing by them."""


@dataclass(frozen=True)
class Decoded:
    """A decoded call. `contract`: the release's contract that it goes to, "" if it is none of them or unknown;
    `function`: "" if unknown; `words`: one sentence; `warnings`: a sentence each."""

    target: str
    contract: str
    function: str
    words: str
    warnings: tuple[str, ...]


def decode(context: Context, target: str, data: bytes, value: int = 0, depth: int = 0) -> Decoded:
    """Decodes a call of the timelock to `target` with `data` and `value` wei."""
    target = to_checksum_address(target)
    contract = context.kind(target)
    warnings = []
    if value:
        warnings.append(f"sends {decimal(value, 18)} ether of the timelock to {context.name(target)}")
    if context.contract(target) is None:
        known = f", a {contract} of this release" if contract else ""
        warnings.append(f"goes to {context.name(target)}{known}, which is no contract of the fund")
    entry = owner_abi.functions(contract).get(data[:4]) if len(data) >= 4 else None
    arguments = None if entry is None else _arguments(entry, data)
    if entry is None or arguments is None:
        said = _unknown(context, target, data, value)
        return Decoded(target, contract, "", said.words, (*warnings, *said.warnings))
    name = str(entry["name"])
    if abi.encode_call(entry, *arguments) != data:
        warnings.append(f"{name}: more bytes follow than its arguments are")
    found = _nested(context, name, arguments, depth) if contract == "Timelock" else None
    found = found or explain(context, contract, name, arguments)
    if found is None:
        shown = ", ".join(
            f"{snake(part['name'])} {text(context, snake(part['name']), item)}"
            for part, item in zip(entry["inputs"], arguments, strict=True)
        )
        strange = () if name in ANYONES else (f"{contract}.{name} is nothing that an owner of a fund needs",)
        found = Said(shown or "no arguments", strange)
    where = "" if context.contract(target) else f" at {target}"
    return Decoded(target, contract, name, f"{contract}{where}.{name}: {found.words}", (*warnings, *found.warnings))


def same_effect(one: TimelockCall, other: TimelockCall) -> bool:
    """Whether two calls do the same. Ignores the date of posted supplies: it is that of the proposal."""
    if (one.target, one.value) != (other.target, other.value):
        return False
    post = owner_abi.function("PostedSupply", "post")
    if one.data[:4] == other.data[:4] == abi.selector(post):
        posts = [_arguments(post, data) for data in (one.data, other.data)]
        if None not in posts:
            first, second = ([(row.token, row.wholeTokens) for row in rows] for (rows,) in posts)  # type: ignore[misc]
            return first == second
    return one.data == other.data


def addresses_in(context: Context, target: str, data: bytes, depth: int = 0) -> frozenset[str]:
    """Every address in a call, its target included: the caller should read them before it decodes the call."""
    entry = owner_abi.functions(context.kind(target)).get(data[:4])
    arguments = () if entry is None else _arguments(entry, data) or ()
    found = {to_checksum_address(target), *_flat(arguments)}
    if entry is not None and context.kind(target) == "Timelock" and depth < MAX_DEPTH:
        for inner, _, payload in _inner(str(entry["name"]), arguments) or ():
            found |= addresses_in(context, inner, payload, depth + 1)
    return frozenset(found)


def _flat(value: Any) -> set[str]:
    if isinstance(value, (list, tuple)):
        return {address for item in value for address in _flat(item)}
    return {value} if isinstance(value, str) and is_checksum_address(value) else set()


def _arguments(entry: Entry, data: bytes) -> tuple[Any, ...] | None:
    try:
        return abi.decode_values(entry["inputs"], data[4:])
    except (DecodingError, OverflowError, ValueError):
        return None


def _unknown(context: Context, target: str, data: bytes, value: int) -> Said:
    where = context.name(target)
    if not data:
        paid = f"pays {decimal(value, 18)} ether to {where}" if value else f"calls {where} without data"
        return Said(paid, ())
    shown = "0x" + (data.hex() if len(data) <= 68 else f"{data[:68].hex()}... ({len(data)} bytes)")
    return Said(
        f"{where}: unknown call {shown}", ("cannot be decoded: do not let it pass without knowing what it does",)
    )


def _inner(name: str, arguments: tuple[Any, ...]) -> list[tuple[Any, ...]] | None:
    """Target, value and data of the calls inside a call of the timelock to itself; None for any other call."""
    if name in ("schedule", "execute"):
        return [arguments[:3]]
    if name in ("scheduleBatch", "executeBatch"):
        targets, values, payloads = arguments[:3]
        return list(zip(targets, values, payloads, strict=False))
    return None


def _nested(context: Context, name: str, arguments: tuple[Any, ...], depth: int) -> Said | None:
    """Words for a call of the timelock to itself that contains others; None for any other call."""
    inner = _inner(name, arguments)
    if inner is None:
        return None
    if depth >= MAX_DEPTH:
        return Said(f"{len(inner)} calls, not taken apart", ("carries calls inside of calls, too deep to be shown",))
    found = [decode(context, target, payload, value, depth + 1) for target, value, payload in inner]
    verb = "schedules" if name.startswith("schedule") else "executes"
    warnings = [f"{verb} further calls from inside an operation, where few look for them"]
    if name.endswith("Batch") and len({len(each) for each in arguments[:3]}) > 1:
        warnings.append("its lists differ in length: it will revert")
    warnings += [f"inside: {warning}" for call in found for warning in call.warnings]
    return Said(f"{verb} [{'; '.join(call.words for call in found)}]", tuple(warnings))
