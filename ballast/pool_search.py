"""Finds the pools of a fund's tokens against WETH in factories on the chain, and the changes to an address book.

It takes the factories from the chain's known exchanges, and from pools that file or book name already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from eth_utils import to_checksum_address

from ballast.book import Book, BookCandidate, BookPool
from ballast.fund_file import FundConfig
from ballast.networks.exchanges import V3_FEES, exchanges_of
from ballast.networks.presets import network_of
from ballast.parts import Component, FundPool
from ballast.preflight import pools
from ballast.preflight.chain import Reader
from ballast.preflight.problems import Problem
from ballast.values import NO_ADDRESS

V2, SUSHI, V3 = "uniswap", "sushiswap", "uniswap-v3"
V2_FEE_BPS = 30


@dataclass(frozen=True)
class Factory:
    """A factory of a venue's pools."""

    venue: str
    address: str


@dataclass(frozen=True)
class Change:
    """A pool added to the book (`comes`) or removed from it. `depth`: wei of the other token in it."""

    symbol: str
    pool: BookPool
    comes: bool
    depth: int


def factories_of(reader: Reader, config: FundConfig, book: Book) -> tuple[Factory, ...]:
    """The factories of the chain's exchanges, and those that created the pools of file and book."""
    found = []
    exchanges = exchanges_of(config.chain_id, config.uniswap_v2_factory)
    if exchanges is not None:
        known = (V2, exchanges.uniswap_v2), (SUSHI, exchanges.sushiswap_v2), (V3, exchanges.uniswap_v3)
        found += [Factory(venue, address) for venue, address in known if address != NO_ADDRESS]
    network = network_of(config.chain_id)
    listed = (V2, network.uniswap_v2), (V3, network.uniswap_v3)
    found += [Factory(venue, one.factory) for venue, one in listed if one is not None]
    if config.uniswap_v3_factory is not None:
        found.append(Factory(V3, config.uniswap_v3_factory))
    named: list[tuple[str, str]] = [(pool.venue, pool.pair) for c in config.components for pool in c.pools]
    named += [(pool.venue, pool.pair) for c in book.candidates for pool in c.pools]
    for venue, pair in named:
        answer = reader.view(pair, "factory()", ["address"]) if reader.has_code(pair) else None
        if answer is not None:
            found.append(Factory(venue, str(to_checksum_address(answer[0]))))
    return tuple(one for one in dict.fromkeys(found) if reader.has_code(one.address))


def found_pools(reader: Reader, component: Component, weth: str, factories: Iterable[Factory]) -> Iterator[BookPool]:
    """The component's pools against WETH in these factories, even empty ones."""
    for factory in factories:
        if factory.venue == V3:
            for fee in V3_FEES:
                given = component.token, weth, fee
                pool = _address(reader, factory.address, "getPool(address,address,uint24)", *given)
                if pool is not None:
                    yield BookPool(V3, pool, fee // 100)
        else:
            pool = _address(reader, factory.address, "getPair(address,address)", component.token, weth)
            if pool is not None:
                yield BookPool(factory.venue, pool, V2_FEE_BPS)


def problems(reader: Reader, config: FundConfig, component: Component, pool: BookPool) -> Iterator[Problem]:
    """Problems of a pool: it does not exist, has other tokens or another fee, or is empty."""
    where = f"{component.symbol}: {pool.venue} pair {pool.pair}"
    other = pool.other or config.weth
    listed = FundPool.model_validate(
        {"venue": pool.venue, "pair": pool.pair, "fee_bps": str(pool.fee_bps)}
        | ({} if pool.other is None else {"other": pool.other})
    )
    wrong = [*pools.check(reader, where, listed, component.token, other)]
    yield from wrong
    if not wrong and not depth(reader, pool, other):
        yield Problem(f"{where}: nothing in it; add liquidity, or take another")


def depth(reader: Reader, pool: BookPool, other: str) -> int:
    """The pool's balance of the other token, wei; 0 if a pair has no reserves, or a V3 pool no liquidity at its
    price."""
    if pool.venue == V3:
        live = reader.number(pool.pair, "liquidity()")
    else:
        reserves = reader.view(pool.pair, "getReserves()", ["uint112", "uint112", "uint32"])
        live = 0 if reserves is None else min(reserves[:2])
    return (reader.number(other, "balanceOf(address)", pool.pair) or 0) if live else 0


def with_pools(book: Book, config: FundConfig, wanted: Mapping[str, Sequence[BookPool]]) -> Book:
    """The book with these pools by token. Candidates that the file no longer has keep theirs, as the fund may still
    hold them."""
    old = {candidate.token: candidate for candidate in book.candidates}
    new = {
        c.token: BookCandidate(c.symbol, c.token, c.decimals, tuple(wanted[c.token]))
        for c in config.components
        if c.token in wanted
    }
    return replace(book, candidates=tuple(sorted({**old, **new}.values(), key=lambda one: int(one.token, 16))))


def changes(reader: Reader, before: Book, after: Book) -> tuple[Change, ...]:
    """Pools added and removed, component by component."""
    found = []
    for candidate in after.candidates:
        was = before.candidate(candidate.token)
        old = () if was is None else was.pools
        for pools_, others, comes in ((candidate.pools, old, True), (old, candidate.pools, False)):
            found += [
                Change(candidate.symbol, pool, comes, depth(reader, pool, pool.other or after.weth))
                for pool in pools_
                if pool not in others
            ]
    return tuple(found)


def _address(reader: Reader, factory: str, view: str, *given: object) -> str | None:
    answer = reader.view(factory, view, ["address"], *given)
    found = None if answer is None else str(to_checksum_address(answer[0]))
    return None if found == NO_ADDRESS else found
