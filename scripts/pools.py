"""Changes the pools in the address book of a deployed fund; sends no transaction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ape
import click
from rich.console import Console

from ballast.book import Book, BookPool
from ballast.cli import Deployed, FundCommand, book_option, default_book, fund_argument, open_fund
from ballast.costs import require_none
from ballast.fund_file import FundError
from ballast.pool_search import SUSHI, V2, V3, Factory, changes, depth, factories_of, found_pools, problems, with_pools
from ballast.preflight.chain import Reader
from ballast.values import decimal, parse_address, parse_amount

LEAST = "0.1"


@click.command(cls=FundCommand)
@fund_argument
@click.option("--find", is_flag=True, help="Beside the file's, those that the exchanges' factories know against WETH.")
@click.option(
    "--factory",
    "named",
    multiple=True,
    metavar="VENUE:ADDRESS",
    help=f"With --find: another factory, of {V2}, {SUSHI} or {V3}; may be repeated.",
)
@click.option(
    "--least", default=LEAST, show_default=True, help="With --find: WETH that must be in a pool, in whole tokens."
)
@click.option("--yes", is_flag=True, help="Do not ask before the address book is written.")
@book_option
def cli(
    provider: Any, fund: Path, find: bool, named: tuple[str, ...], least: str, yes: bool, book_file: Path | None
) -> None:
    """Bring the pools of FUND's address book to what its file says, or with --find to what stands on the chain.

    Shows what comes and goes, asks, and writes the book in one step. A running keeper takes it at its next look.
    """
    console = Console()

    def say(text: str) -> None:
        console.print(text, soft_wrap=True, markup=False, highlight=False)

    if named and not find:
        raise FundError("factory: expected with --find")
    on = open_fund(ape.project, provider, fund, book_file)
    reader = Reader(on.w3)
    after = with_pools(on.book, on.config, _wanted(on, reader, find, named, least, say))
    found = changes(reader, on.book, after)
    count = sum(len(candidate.pools) for candidate in after.candidates)
    for one in found:
        deep = f", {decimal(one.depth, 18)} WETH deep" if one.pool.other is None and one.comes else ""
        what = f"{one.pool.venue} {one.pool.pair}, fee {decimal(one.pool.fee_bps, 2)} %{deep}"
        say(f"{'+' if one.comes else '-'} {one.symbol}: {what}")
    for candidate in after.candidates:
        if not candidate.pools and candidate.token != after.weth:
            say(f"! {candidate.symbol}: no pool; a keeper cannot trade it")
    if after == on.book:
        say(f"nothing to change: {count} pools")
        return
    path = book_file or default_book(provider, on.config)
    if not yes:
        click.confirm(f"Write {count} pools to {path}?", abort=True)
    _require_unchanged(path, on.book)
    after.save(path)
    say(f"address book: {path}; a running keeper takes it at its next look")


def _wanted(
    on: Deployed, reader: Reader, find: bool, named: tuple[str, ...], least: str, say: Callable[[str], None]
) -> dict[str, list[BookPool]]:
    """The pools by token. Raises FundError with all problems of the file's pools; those found by `--find` that have any
    are left out."""
    config, factories = on.config, _factories(on, reader, named) if find else ()
    for factory in factories:
        say(f"factory of {factory.venue}: {factory.address}")
    enough, lens = _least(least), "v3_lens" in on.book.contracts
    wanted: dict[str, list[BookPool]] = {}
    wrong: list[str] = []
    for component in config.ordered():
        pools = list(component.book_pools())
        for pool in pools:
            wrong += [problem.text for problem in problems(reader, config, component, pool)]
            if pool.venue == V3 and not lens:
                wrong.append(f"{component.symbol}: {V3} pair {pool.pair}: the fund was deployed without v3_lens")
        known = {pool.pair for pool in pools}
        for pool in found_pools(reader, component, config.weth, factories) if component.token != config.weth else ():
            deep = depth(reader, pool, config.weth)
            if pool.pair in known or deep < enough or (pool.venue == V3 and not lens):
                continue
            if not any(problems(reader, config, component, pool)):
                pools.append(pool)
        wanted[component.token] = pools
    require_none(wrong)
    return wanted


def _factories(on: Deployed, reader: Reader, named: tuple[str, ...]) -> tuple[Factory, ...]:
    more = []
    for text in named:
        venue, _, address = text.rpartition(":")
        try:
            found = Factory(venue, parse_address(address))
        except ValueError as error:
            raise FundError(f"factory: found {text!r}, {error}") from None
        if venue not in (V2, SUSHI, V3):
            raise FundError(f"factory: found {text!r}, expected {V2}:0x..., {SUSHI}:0x... or {V3}:0x...")
        if not reader.has_code(found.address):
            raise FundError(f"factory: no contract at {found.address} on this chain")
        more.append(found)
    return tuple(dict.fromkeys((*factories_of(reader, on.config, on.book), *more)))


def _least(text: str) -> int:
    try:
        return max(1, parse_amount(text, 18))
    except ValueError as error:
        raise FundError(f"least: found {text!r}, {error}") from None


def _require_unchanged(path: Path, read: Book) -> None:
    """Raises FundError if somebody else has written the book before the user answered."""
    if Book.load(path) != read:
        raise FundError(f"address book {path}: has changed meanwhile; run the same command again")
