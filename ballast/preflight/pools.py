"""Checks of the pools that the file names: they trade the right tokens; also quotes their prices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from eth_utils import to_checksum_address

from ballast.parts import FundPool
from ballast.preflight.chain import Reader
from ballast.preflight.problems import Problem

_SLOT = ["uint160", "int24", "uint16", "uint16", "uint16", "uint8", "bool"]


def check(reader: Reader, where: str, pool: FundPool, token: str, other: str) -> Iterator[Problem]:
    if not reader.has_code(pool.pair):
        yield Problem(f"{where}: no contract there on this chain")
        return
    sides = [reader.view(pool.pair, f"{side}()", ["address"]) for side in ("token0", "token1")]
    found = [to_checksum_address(side[0]) for side in sides if side is not None]
    if sorted(found) != sorted([token, other]):
        right = "WETH" if pool.other is None else other
        yield Problem(f"{where}: trades {' and '.join(found) or 'nothing'}, expected the token and {right}")
        return
    if pool.venue == "uniswap-v3":
        fee = reader.number(pool.pair, "fee()")
        if fee != pool.fee_bps * 100:
            answer = "nothing" if fee is None else f"{fee} millionths"
            yield Problem(f"{where}: fee_bps: the fund says {pool.fee_bps}, the pool {answer}")


@dataclass(frozen=True)
class Quote:
    """A pool's mid price, whole other tokens for one whole token, and the whole other tokens in it."""

    price: Decimal
    depth: Decimal


def quote(reader: Reader, pool: FundPool, token: str, other: str, decimals: tuple[int, int]) -> Quote | None:
    """Quote of a pool that passed `check`, None if it is empty. `decimals`: of the token and of the other."""
    depth = reader.number(other, "balanceOf(address)", pool.pair)
    ratio = _v3_ratio(reader, pool.pair) if pool.venue == "uniswap-v3" else _v2_ratio(reader, pool.pair)
    if not depth or not ratio:
        return None
    # {other wei / tok wei}: the lower address is token0
    raw = ratio if int(token, 16) < int(other, 16) else 1 / ratio
    return Quote(raw.scaleb(decimals[0] - decimals[1]), Decimal(depth).scaleb(-decimals[1]))


def _v2_ratio(reader: Reader, pair: str) -> Decimal | None:
    """Wei of token1 for one wei of token0; None without reserves."""
    found = reader.view(pair, "getReserves()", ["uint112", "uint112", "uint32"])
    return Decimal(found[1]) / Decimal(found[0]) if found is not None and found[0] and found[1] else None


def _v3_ratio(reader: Reader, pool: str) -> Decimal | None:
    found = reader.view(pool, "slot0()", _SLOT)
    return (Decimal(found[0]) / 2**96) ** 2 if found is not None and found[0] else None
