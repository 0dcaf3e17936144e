"""What a sandbox takes, told before anything is sent: as measured, and a little more, as a test holds it to."""

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
"""Per cent by which these are more than a whole sandbox takes, at most."""
MOST = 80_000_000
"""A whole sandbox with 10 components, Uniswap V2 included."""


def of_step(name: str, assets: int, pools: int) -> int:
    """Gas of a step: "factory", "router", "market", "list" of so many tokens, or the opening of so many pools."""
    if pools:
        return OPEN + EACH_OPENED * pools
    if name == "list":
        return LIST + EACH_LISTED * assets
    return {"factory": FACTORY, "router": ROUTER, "market": MARKET}[name]
