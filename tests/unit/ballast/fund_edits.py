"""A sound fund as decoded from a file, and edits of it, for tests of what is read and what is refused."""

from __future__ import annotations

import copy
from typing import Any

from tests.helpers.edits import Edit

A, B, C = ("0x" + digit * 40 for digit in ("1", "2", "3"))
FEED = "0x" + "f" * 40
WEEK = {"period": "7 days", "notice": "2 days", "min_notice": "1 day", "min_trading": "1 day"}
ANCHOR = {"pool": C, "window": "20 min", "bound": "1.5 %"}

GOOD: dict[str, Any] = {
    "name": "Fund",
    "symbol": "FND",
    "slug": "fund",
    "chain_id": "1",
    "weth": "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
    "eth_feed": {"address": FEED, "max_age": "90 min"},
    "methodology": {"kind": "market_cap", "cap": "hard", "cap_weight": "50 %"},
    "components": [
        {
            "symbol": "BBB",
            "token": B,
            "decimals": "8",
            "feed": {"address": FEED, "max_age": "25 hours", "quoted_in_eth": "true"},
            "supply": "20",
            "seed_unit": "7",
        },
        {
            "symbol": "AAA",
            "token": A,
            "decimals": "18",
            "feed": {"address": FEED, "max_age": "1 day"},
            "supply": "1_000",
            "seed_unit": "3",
            "pools": [{"venue": "uniswap", "pair": C}],
        },
        {"symbol": "CCC", "token": C, "decimals": "18", "feed": {"address": FEED, "max_age": "600"}, "supply": "5"},
    ],
    "seed_shares": "1.5",
    "supply_cap": "1000",
    "roles": {"guardian": A, "proposers": ["deployer"], "fee_recipient": "deployer"},
}


def good() -> dict[str, Any]:
    """A copy of its own of the sound fund."""
    return copy.deepcopy(GOOD)


def without(*path: str | int) -> Edit:
    """Removes the field at `path`."""

    def edit(raw: dict[str, Any]) -> None:
        place: Any = raw
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return edit


def fixed(*weights: str) -> Edit:
    """The same fund with fixed weights."""

    def edit(raw: dict[str, Any]) -> None:
        raw["methodology"] = {"kind": "fixed_weight"}
        for component, weight in zip(raw["components"], weights, strict=True):
            del component["supply"]
            component["weight"] = weight

    return edit


def both(*edits: Edit) -> Edit:
    """These edits, one after the other."""

    def edit(raw: dict[str, Any]) -> None:
        for each in edits:
            each(raw)

    return edit


def anchored(**terms: str) -> Edit:
    """BBB with this anchor."""

    def edit(raw: dict[str, Any]) -> None:
        raw["uniswap_v3_factory"] = FEED
        raw["components"][0]["anchor"] = {**ANCHOR, **terms}

    return edit
