"""Mints shares: in kind, for a part of every component; or through the fund's zap, for one token or ether."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ape
import click
from ape.cli import account_option
from rich.console import Console
from rich.table import Table

from ballast.cli import (
    Deployed,
    FundCommand,
    agree,
    book_option,
    checked_address,
    checked_shares,
    fund_argument,
    open_fund,
    send,
    sent_line,
)
from ballast.costs import cost_of, lacks_ether, lacks_tokens, require_none
from ballast.deployment.deploy import approvals
from ballast.fund_file import FundError
from ballast.units import WAD
from ballast.values import decimal, parse_amount
from keeper.look.lens import read_fund
from keeper.output.condition import condition
from keeper.zap.quote import ETH, NoPoolError, Pools, Quote, mint_quote, shares_for
from scripts._zap import (
    Terms,
    Zap,
    checked_deadline,
    deadline_option,
    dry_option,
    margin_of,
    money_of,
    slippage_option,
    yes_option,
)

BASE_GAS, COMPONENT_GAS = 120_000, 60_000
"""Approximate gas of a mint in kind, and of each component, with tokens that take more than most."""


@click.command(cls=FundCommand)
@fund_argument
@click.argument("shares", required=False)
@account_option()  # type: ignore[untyped-decorator]
@click.option("--receiver", help="Who gets the shares; default: the account.")
@click.option("--pay", help="Pay with this through the zap: eth, weth, usdc, a component's symbol, a token's address.")
@click.option("--spend", help="With --pay, in place of SHARES: as many as cost at most this much of it.")
@slippage_option
@deadline_option
@dry_option
@yes_option
@book_option
def cli(
    provider: Any,
    fund: Path,
    shares: str | None,
    account: Any,
    receiver: str | None,
    pay: str | None,
    spend: str | None,
    slippage: str | None,
    deadline: str,
    dry: bool,
    yes: bool,
    book_file: Path | None,
) -> None:
    """Mint SHARES whole shares (such as 1.5) of the fund described in the file FUND.

    In kind, or with --pay for one token: its zap buys the components in the pools and mints, in one transaction.
    """
    if (shares is None) == (spend is None) or (spend is not None and pay is None):
        raise FundError("shares: expected either SHARES, or --spend with --pay")
    console = Console()
    wanted, margin = None if shares is None else checked_shares(shares), margin_of(slippage, pay is not None)
    patience = checked_deadline(deadline)
    to = checked_address("receiver", receiver) if receiver else account.address
    on = open_fund(ape.project, provider, fund, book_file)
    tokens, amounts, blocked = on.index.previewMint(wanted or WAD)
    if blocked:
        raise FundError(_closed(on, blocked))
    if pay is not None:
        zap = Zap(on, console, money_of(on, "pay", pay))
        _zapped(zap, Terms(account, to, margin, patience, dry, yes), wanted, spend)
        return
    limits = [-(-amount * (WAD + margin) // WAD) for amount in amounts]
    console.print(_table(on, tokens, amounts, limits))
    if dry:
        return
    approving = [
        (token, data)
        for token, limit in zip(tokens, limits, strict=True)
        for data in approvals(on.w3, account.address, token, on.index.address, limit)
    ]
    cost = cost_of(on.w3, account.address, approving, BASE_GAS + COMPONENT_GAS * len(tokens), 1)
    wanted_tokens = [(token, *on.named(token), limit) for token, limit in zip(tokens, limits, strict=True)]
    lacking = lacks_tokens(on.w3, account.address, wanted_tokens, on.book.weth)
    require_none([*lacks_ether(on.w3, account.address, cost.wei), *lacking])
    symbols = ", ".join(dict.fromkeys(on.named(token)[0] for token, _data in approving))
    first = f"{len(approving)} approvals, so that the fund may take at most that ({symbols}), and " if approving else ""
    agree(account, f"Send {cost}: {first}the mint?", yes)
    before = on.shares_of(to)
    for token, data in approving:
        console.print(f"approving {on.named(token)[0]}")
        console.print(sent_line(on.book.chain_id, send(account, token, data)), soft_wrap=True)
    console.print("minting")
    receipt = send(account, on.index.address, bytes(on.index.mint.encode_input(wanted, to, tokens, limits)))
    console.print(f"minted {decimal(on.shares_of(to) - before, 18)} shares to {to}", soft_wrap=True)
    console.print(sent_line(on.book.chain_id, receipt), soft_wrap=True)


def _zapped(zap: Zap, terms: Terms, shares: int | None, spend: str | None) -> None:
    """Prints the quote; then, unless it is a dry run, asks, approves and mints."""
    money, account, pools = zap.money, terms.account, zap.pools()
    quote = _quote(zap, pools, shares, spend, terms.margin)
    most = quote.most(terms.margin)
    zap.show(pools, quote, "at most", most)
    if terms.dry:
        return
    gas = quote.gas * pools.gas_price
    _require(zap, account.address, most, gas)
    value = most if money.token == ETH else 0
    what = f"Pay at most {money.text(most)} for {decimal(quote.shares, 18)} shares to {terms.to}"
    zap.agree(terms, what, gas, None if value else (money.token, most))
    legs = quote.legs, quote.last_leg, zap.deadline(terms.patience), terms.to
    call = zap.contract.mint
    minted = zap.send("mint", account, call, quote.shares, money.token, most, *legs, value=value)
    (event,) = minted.decode_logs(zap.contract.ZapMinted)
    zap.say(f"minted {decimal(quote.shares, 18)} shares to {terms.to}", f"paid {money.text(event.amount)}")


def _quote(zap: Zap, pools: Pools, shares: int | None, spend: str | None, margin: int) -> Quote:
    """A quote for the shares, or for as many as `spend` buys. Raises FundError."""
    money = zap.money
    try:
        if shares is not None:
            return mint_quote(pools, shares, money.token)
        return shares_for(pools, money.token, parse_amount(spend, money.decimals), margin)
    except NoPoolError as error:
        raise zap.without_pool(error, "pay", "leave out --pay and mint in kind") from None
    except ValueError as error:
        raise FundError(f"spend: found {spend!r}, {error}") from None


def _require(zap: Zap, account: str, most: int, gas: int) -> None:
    """Raises FundError unless the account has `most` of what is paid, and `gas` wei of ether."""
    money, w3 = zap.money, zap.on.w3
    if money.token == ETH:
        require_none(lacks_ether(w3, account, gas, most))
        return
    lacking = lacks_tokens(w3, account, [(money.token, money.symbol, money.decimals, most)], zap.on.book.weth)
    require_none([*lacks_ether(w3, account, gas), *lacking])


def _closed(on: Deployed, blocked: int) -> str:
    """The message that nobody can mint, with the components (as bits) whose state stops it."""
    state = read_fund(on.w3, on.book)
    stopping = [f"{on.named(h.token)[0]} ({condition(state, h)})" for h in state.holdings if blocked >> h.index & 1]
    return f"mint: nobody can mint now because of {', '.join(stopping)}; wait until that has ended"


def _table(on: Deployed, tokens: list[str], amounts: list[int], limits: list[int]) -> Table:
    table = Table(title="What the mint takes", title_justify="left")
    table.add_column("component")
    table.add_column("amount", justify="right")
    table.add_column("at most", justify="right")
    for token, amount, limit in zip(tokens, amounts, limits, strict=True):
        symbol, decimals = on.named(token)
        table.add_row(symbol, decimal(amount, decimals), decimal(limit, decimals))
    return table
