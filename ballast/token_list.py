"""Makes a token list for wallets and exchanges: the schema of Uniswap's token lists, in its stricter older form."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

FIRST = {"major": 1, "minor": 0, "patch": 0}

_LIST_NAME = re.compile(r"[^\w ]+", re.ASCII)
_NAME = re.compile(r"[^\w .'+\-%/:]+", re.ASCII)
_SYMBOL = re.compile(r"[^a-zA-Z0-9+\-%/$.]+")


class Token(NamedTuple):
    """A token; name and symbol from its contract."""

    address: str
    name: str
    symbol: str
    decimals: int


def token_list(
    name: str, chain_id: int, time: int, tokens: Sequence[Token], before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The list at a time (Unix seconds). Drops characters that the schema does not allow from names and symbols, and
    truncates them.

    `before`: the list that this one replaces. The version rises by the schema's rules: major if a token was removed,
    minor if one was added, patch for any other change; without a change returns that list.
    """
    entries = [_entry(chain_id, token) for token in tokens]
    called = _LIST_NAME.sub(" ", name).strip()[:20].strip() or "Index fund"
    found = {"name": called, "timestamp": f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}"}
    if before is None:
        return found | {"version": FIRST, "tokens": entries}
    if before["name"] == called and before["tokens"] == entries:
        return dict(before)
    return found | {"version": _raised(before, entries), "tokens": entries}


def _entry(chain_id: int, token: Token) -> dict[str, Any]:
    symbol = _SYMBOL.sub("", token.symbol)[:20] or token.address[:10]
    name = _NAME.sub(" ", token.name).strip()[:40].strip() or symbol
    return {
        "chainId": chain_id,
        "address": token.address,
        "name": name,
        "symbol": symbol,
        "decimals": token.decimals,
    }


def _raised(before: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    old, new = ({(t["chainId"], t["address"]) for t in tokens} for tokens in (before["tokens"], entries))
    major, minor, patch = (int(before["version"][part]) for part in ("major", "minor", "patch"))
    if old - new:
        return {"major": major + 1, "minor": 0, "patch": 0}
    if new - old:
        return {"major": major, "minor": minor + 1, "patch": 0}
    return {"major": major, "minor": minor, "patch": patch + 1}
