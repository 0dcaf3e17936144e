"""Gas of a sandbox, to show before anything is sent: as measured, plus a margin that a test checks."""

from __future__ import annotations

from ballast.preflight import DEPLOYMENT_GAS

FACTORY = 3_100_000
ROUTER = 4_800_000
MARKET = 2_750_000
LIST, EACH_LISTED = 150_000, 285_000
OPEN, EACH_OPENED = 60_000, 2_700_000
FUND = DEPLOYMENT_GAS
"""Contracts, approvals and seed."""
POST = 80_000
MARGIN = 5
"""Most per cent by which these exceed the gas of a whole sandbox."""
MOST = 80_000_000
"""Gas of a whole sandbox with 10 components, Uniswap V2 included."""


def of_step(name: str, assets: int, pools: int) -> int:
    """Gas of a step: "factory", "router", "market", "list" of `assets` tokens, or the opening of `pools` pools."""
    if pools:
        return OPEN + EACH_OPENED * pools
    if name == "list":
        return LIST + EACH_LISTED * assets
    return {"factory": FACTORY, "router": ROUTER, "market": MARKET}[name]
