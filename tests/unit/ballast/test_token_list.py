"""Token lists hold the rules of Uniswap's schema, whatever a token calls itself, and their versions rise as it says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from ballast.token_list import FIRST, Token, token_list

TIME = 1_617_235_200
A, B = (Token("0x" + digit * 40, f"Token {digit}", f"T{digit}", 18) for digit in "ab")
ODD = Token("0x" + "c" * 40, "<b>Ødd</b> \u202etoken\n" + "x" * 60, "$ODD <img>\u200b" + "y" * 30, 255)
NAMELESS = Token("0x" + "d" * 40, "", "\u4e2d", 0)


def broken(found: dict[str, Any]) -> list[str]:
    """The rules of the schema that a list breaks, in its older form, which is stricter about names."""
    version, tokens = found["version"], found["tokens"]
    rules = {
        "fields": set(found) == {"name", "timestamp", "version", "tokens"},
        "name": re.fullmatch(r"[A-Za-z0-9_ ]{1,20}", found["name"]),
        "timestamp": datetime.fromisoformat(found["timestamp"]).tzinfo is not None,
        "version": set(version) == {"major", "minor", "patch"}
        and all(isinstance(part, int) and part >= 0 for part in version.values()),
        "tokens": 1 <= len(tokens) <= 10_000,
        "token fields": all(set(t) == {"chainId", "address", "name", "symbol", "decimals"} for t in tokens),
        "chainId": all(isinstance(t["chainId"], int) and t["chainId"] >= 1 for t in tokens),
        "address": all(re.fullmatch(r"0x[a-fA-F0-9]{40}", t["address"]) for t in tokens),
        "token name": all(re.fullmatch(r"[ A-Za-z0-9_.'+\-%/:]{1,40}", t["name"]) for t in tokens),
        "symbol": all(re.fullmatch(r"[a-zA-Z0-9+\-%/$.]{1,20}", t["symbol"]) for t in tokens),
        "decimals": all(isinstance(t["decimals"], int) and 0 <= t["decimals"] <= 255 for t in tokens),
    }
    return [rule for rule, holds in rules.items() if not holds]


@pytest.mark.parametrize("name", ["DeFi Pulse Index", "An index with a very long name", "Größe: #1!", "…"])
def test_every_list_holds_the_rules(name: str) -> None:
    found = token_list(name, 1, TIME, [A, ODD, NAMELESS])
    assert broken(found) == []
    assert datetime.fromisoformat(found["timestamp"]) == datetime.fromtimestamp(TIME, UTC)
    assert found["tokens"][0] == {"chainId": 1, "address": A.address, "name": A.name, "symbol": "Ta", "decimals": 18}
    assert [t["symbol"] for t in found["tokens"][1:]] == ["$ODDimgyyyyyyyyyyyyy", "0xdddddddd"]


def test_versions_rise_as_the_schema_says() -> None:
    first = token_list("Fund", 1, TIME, [A])
    assert first["version"] == FIRST
    assert token_list("Fund", 1, TIME + 5, [A], first) == first
    grown = token_list("Fund", 1, TIME, [A, B], first)
    assert grown["version"] == {"major": 1, "minor": 1, "patch": 0}
    renamed = token_list("Fund", 1, TIME, [A, B._replace(name="Other")], grown)
    assert renamed["version"] == {"major": 1, "minor": 1, "patch": 1}
    assert token_list("Fund", 1, TIME, [B], renamed)["version"] == {"major": 2, "minor": 0, "patch": 0}
    assert token_list("Fund", 5, TIME, [A, B], renamed)["version"] == {"major": 2, "minor": 0, "patch": 0}
