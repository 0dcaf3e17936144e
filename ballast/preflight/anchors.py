"""Checks of the anchors: the oracle's own requirements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from eth_utils import to_checksum_address

from ballast.fund_file import FundConfig
from ballast.parts import Anchor, Component
from ballast.preflight.chain import Reader
from ballast.preflight.problems import Problem

MAX_DISAGREEMENT = Decimal("0.05")
"""Largest difference between an anchor and the feed at listing, as in the oracle."""


def check(
    reader: Reader, config: FundConfig, component: Component, anchor: Anchor, prices: Mapping[str, Decimal]
) -> Iterator[Problem]:
    """Problems of an anchor. `prices`: USD for a whole token, of all tokens with sound feeds, WETH included."""
    where = f"{component.symbol}: anchor {anchor.pool}"
    fee = reader.number(anchor.pool, "fee()")
    sides = [reader.view(anchor.pool, f"{side}()", ["address"]) for side in ("token0", "token1")]
    if fee is None or None in sides:
        yield Problem(f"{where}: no pool of Uniswap V3 there on this chain")
        return
    tokens = [str(to_checksum_address(side[0])) for side in sides if side is not None]
    factory = config.uniswap_v3_factory or ""
    known = reader.view(factory, "getPool(address,address,uint24)", ["address"], *tokens, fee)
    if known is None or to_checksum_address(known[0]) != anchor.pool:
        yield Problem(f"{where}: not a pool of uniswap_v3_factory {config.uniswap_v3_factory}")
        return
    decimals = {c.token: c.decimals for c in config.components} | {config.weth: 18}
    other = next((token for token in tokens if token != component.token), "")
    if component.token not in tokens or other not in decimals:
        yield Problem(
            f"{where}: trades {' and '.join(tokens)}, expected {component.symbol} and WETH or another component"
        )
        return
    few = _too_few(reader, anchor, config.block_time)
    if few is not None:
        yield Problem(f"{where}: {few}")
        return
    second = _mean_price(reader, anchor, component.token == tokens[0])
    if second is None:
        yield Problem(f"{where}: its oldest observation is younger than {anchor.window} s; wait, or shorten the window")
        return
    if component.token not in prices or other not in prices:
        return
    first = prices[component.token]
    # {USD / tok} = {other wei / wei} * {wei / tok} * {USD / other} / {other wei / other}
    second = second.scaleb(component.decimals - decimals[other]) * prices[other]
    if abs(second - first) > first * MAX_DISAGREEMENT:
        yield Problem(
            f"{where}: says {second:.6g} USD over {anchor.window} s, the feed {first:.6g} USD, "
            f"expected at most {MAX_DISAGREEMENT * 100:.0f} % apart"
        )


def _too_few(reader: Reader, anchor: Anchor, block_time: int) -> str | None:
    needed = anchor.observations(block_time)
    slot = reader.view(anchor.pool, "slot0()", ["uint160", "int24", "uint16", "uint16", "uint16", "uint8", "bool"])
    kept, wanted = (0, 0) if slot is None else slot[3:5]
    if kept >= needed:
        return None
    remedy = (
        f"it grows to {wanted} as it is traded in: wait"
        if wanted >= needed
        else f"anyone can call increaseObservationCardinalityNext({needed}) on it; then wait until it has filled"
    )
    return f"keeps {kept} observations, expected at least {needed} for a window of {anchor.window} s; {remedy}"


def _mean_price(reader: Reader, anchor: Anchor, forward: bool) -> Decimal | None:
    """Mean price over the window, wei of the other token for one wei of the token; exact enough to compare."""
    sums = reader.view(anchor.pool, "observe(uint32[])", ["int56[]", "uint160[]"], [anchor.window, 0])
    if sums is None:
        return None
    tick: int = (sums[0][1] - sums[0][0]) // anchor.window
    return Decimal("1.0001") ** (tick if forward else -tick)
