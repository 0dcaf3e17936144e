"""Posts a month's circulating supplies, as the fund's poster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ape
import click
from ape.cli import account_option
from eth_utils import to_checksum_address
from rich.console import Console
from rich.table import Table
from web3.exceptions import Web3Exception

from ballast.abi import call_data, encode_call
from ballast.cli import FundCommand, agree, book_option, fund_argument, open_fund, send, sent_line
from ballast.costs import cost_of, lacks_ether, require_none
from ballast.fund_file import FundError
from ballast.supplies import PostedEntry, Verdict, change, judge, parse_supplies, summary
from ballast.units import DAY_S
from ballast.values import NO_ADDRESS, percent
from scripts._supplies import Fund, candidates_of, read, text_of, why

POST = "post((address,uint88,uint40)[])"


@click.command(cls=FundCommand)
@fund_argument
@click.option("--from", "source", required=True, help="The list: a file, or an https address; see the documentation.")
@account_option(prompt=False)  # type: ignore[untyped-decorator]
@click.option("--dry", is_flag=True, help="Check and show, send nothing; needs no account.")
@click.option("--yes", is_flag=True, help="Do not ask before it is sent.")
@book_option
def cli(provider: Any, fund: Path, source: str, account: Any, dry: bool, yes: bool, book_file: Path | None) -> None:
    """Post the supplies of a list for the fund described in the file FUND, in one transaction of its poster.

    Each is held against the one that stands, the one that the last started month confirmed, and what exists of the
    token. If one cannot be posted, nothing is.
    """
    console = Console()
    entries = parse_supplies(text_of(source))
    on = read(ape.project, open_fund(ape.project, provider, fund, book_file))
    tokens = candidates_of(on, entries)
    verdicts = [_verdict(on, token, entry) for token, entry in zip(tokens, entries, strict=True)]
    console.print(_table(on, tokens, entries, verdicts))
    poster = "nobody" if on.poster == NO_ADDRESS else on.poster
    console.print(f"poster {poster}; next determination {on.due()}", soft_wrap=True)
    _require_sound(on, tokens, verdicts)
    posts = [
        (token, entry.supply, entry.date)
        for token, entry, verdict in zip(tokens, entries, verdicts, strict=True)
        if not verdict.stands
    ]
    if not posts:
        console.print("nothing to post: all of them stand")
        return
    if not dry:
        _require_poster(on, account)
    if closed := on.closed():
        raise FundError(f"supplies: {closed}; nothing was sent")
    if (refusal := _refusal(on, posts)) is not None:
        raise FundError(f"supplies: {refusal}; nothing was sent")
    if dry:
        return
    cost = cost_of(on.on.w3, account.address, [(on.supplies, encode_call(POST, posts))])
    require_none(lacks_ether(on.on.w3, account.address, cost.wei))
    agree(account, f"Post {len(posts)} supplies of {on.on.book.fund} ({cost})?", yes)
    receipt = send(account, on.supplies, encode_call(POST, posts))
    console.print(f"posted {len(posts)} supplies", soft_wrap=True)
    console.print(sent_line(on.on.book.chain_id, receipt), soft_wrap=True)


def _verdict(fund: Fund, token: str, entry: PostedEntry) -> Verdict:
    """Judges an entry by what the fund records, and then, if it may be posted now, by a trial post of it alone."""
    verdict = judge(entry, fund.standings[token], fund.terms)
    if verdict.reason or verdict.stands or fund.poster == NO_ADDRESS or fund.closed():
        return verdict
    return Verdict(_refusal(fund, [(token, entry.supply, entry.date)]) or "")


def _refusal(fund: Fund, posts: Sequence[tuple[str, int, int]]) -> str | None:
    """Why the contract would refuse these posts of its poster; None where it would accept them."""
    call = {"from": fund.poster, "to": fund.supplies, "data": call_data(POST, list(posts))}
    try:
        fund.on.w3.eth.call(call)  # type: ignore[arg-type]
    except (Web3Exception, ValueError) as error:
        return why(error)
    return None


def _require_sound(fund: Fund, tokens: Sequence[str], verdicts: Sequence[Verdict]) -> None:
    symbols = [fund.on.book.symbol(token) for token in tokens]
    wrong = [(symbol, v.reason) for symbol, v in zip(symbols, verdicts, strict=True) if v.reason]
    if wrong:
        raise FundError(f"{summary(wrong, len(tokens))}; nothing was sent")


def _require_poster(fund: Fund, account: Any) -> None:
    if fund.poster == NO_ADDRESS:
        raise FundError("supplies: the fund has no poster; have the timelock name one (setPoster), or post itself")
    if account is None:
        raise FundError(f"account: none given, expected the poster's, {fund.poster}; name it with --account")
    if to_checksum_address(account.address) != fund.poster:
        raise FundError(
            f"account {account.address}: is not the poster, expected {fund.poster}; take that account, or have the "
            "timelock name another (setPoster)"
        )


def _table(fund: Fund, tokens: Sequence[str], entries: Sequence[PostedEntry], verdicts: Sequence[Verdict]) -> Table:
    table = Table(title=f"Supplies of {fund.on.book.fund}, whole tokens", title_justify="left")
    for column in ("token", "confirmed", "posted", "new", "change", "age", "verdict"):
        table.add_column(column, justify="left" if column in ("token", "verdict") else "right")
    for token, entry, verdict in zip(tokens, entries, verdicts, strict=True):
        standing = fund.standings[token]
        moved = change(entry.supply, standing.confirmed)
        age = fund.terms.now - entry.date
        table.add_row(
            fund.on.book.symbol(token),
            f"{standing.confirmed:,}" if standing.confirmed else "-",
            f"{standing.supply:,}" if standing.supply else "-",
            f"{entry.supply:,}",
            "-" if moved is None else percent(moved),
            f"{age // DAY_S} days" if age >= 0 else "-",
            "stands" if verdict.stands else verdict.reason or "ok",
        )
    return table
