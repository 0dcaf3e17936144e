"""Redeems shares: in kind, for a part of every component; or through the fund's zap, for one token or ether."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ape
import click
from ape.cli import account_option
from rich.console import Console
from rich.table import Table
from web3.exceptions import Web3Exception

from ballast.cli import (
    Deployed,
    FundCommand,
    agree,
    book_option,
    checked_address,
    checked_shares,
    dollars,
    fund_argument,
    open_fund,
    send,
    sent_line,
)
from ballast.costs import cost_of, lacks_ether, require_none
from ballast.fund_file import FundError
from ballast.rule.arithmetic import usd
from ballast.units import WAD
from ballast.values import decimal
from keeper.look.lens import read_fund
from keeper.zap.quote import NoPoolError, redeem_quote
from scripts._zap import (
    Terms,
    Zap,
    checked_deadline,
    deadline_option,
    dry_option,
    margin_of,
    money_of,
    slippage_option,
    symbols_to_tokens,
    yes_option,
)

AUTO = "auto"
"""In place of a component: all that cannot be paid."""


@click.command(cls=FundCommand)
@fund_argument
@click.argument("shares")
@account_option()  # type: ignore[untyped-decorator]
@click.option("--receiver", help="Who gets it; default: the account.")
@click.option("--to", help="Get this through the zap: eth, weth, usdc, a component's symbol, a token's address.")
@click.option(
    "--in-kind",
    multiple=True,
    help="With --to: give this component (symbol or address) as it is, unsold; may be repeated.",
)
@slippage_option
@deadline_option
@dry_option
@yes_option
@click.option(
    "--skip",
    "skipped",
    multiple=True,
    help='Forfeit this component (symbol or address); may be repeated. "auto": those that cannot be paid now.',
)
@book_option
def cli(
    provider: Any,
    fund: Path,
    shares: str,
    account: Any,
    receiver: str | None,
    to: str | None,
    in_kind: tuple[str, ...],
    slippage: str | None,
    deadline: str,
    dry: bool,
    yes: bool,
    skipped: tuple[str, ...],
    book_file: Path | None,
) -> None:
    """Redeem SHARES whole shares (such as 1.5, or "all") of the fund described in the file FUND.

    In kind, or with --to for one token: its zap redeems and sells the components in the pools, in one transaction. A
    component that cannot be paid now stops it, unless it is skipped: that is forfeited to the other holders.
    """
    console = Console()
    margin, patience = margin_of(slippage, to is not None), checked_deadline(deadline)
    wanted = None if shares == "all" else checked_shares(shares)
    who = checked_address("receiver", receiver) if receiver else account.address
    if in_kind and to is None:
        raise FundError("in-kind: expected with --to; without it every component is given in kind")
    on = open_fund(ape.project, provider, fund, book_file)
    held = on.shares_of(account.address)
    amount = held if wanted is None else wanted
    if amount == 0 or amount > held:
        raise FundError(
            f"account {account.address}: holds {decimal(held, 18)} shares, expected at least "
            f"{decimal(amount, 18) if amount else 'some'}"
        )
    zap = None if to is None else Zap(on, console, money_of(on, "to", to))
    payment = _Payment(on, account.address, who, amount)
    skip = payment.skip(console, skipped)
    if zap is not None:
        given = symbols_to_tokens(on, "in-kind", in_kind, payment.tokens)
        _zapped(zap, Terms(account, who, margin, patience, dry, yes), payment, skip, given)
        return
    limits = [0 if skip >> i & 1 else value * (WAD - margin) // WAD for i, value in enumerate(payment.amounts)]
    console.print(payment.table(limits, skip))
    if dry:
        return
    given_up = on.index.redeem.encode_input(amount, who, payment.tokens, limits, skip)
    cost = cost_of(on.w3, account.address, [(on.index.address, bytes(given_up))])
    require_none(lacks_ether(on.w3, account.address, cost.wei))
    agree(account, f"Send {cost}: {decimal(amount, 18)} shares for that, to {who}?", yes)
    receipt = send(account, on.index.address, bytes(given_up))
    console.print(f"redeemed {decimal(amount, 18)} shares to {who}", soft_wrap=True)
    console.print(sent_line(on.book.chain_id, receipt), soft_wrap=True)


def _zapped(zap: Zap, terms: Terms, payment: _Payment, skip: int, in_kind: frozenset[str]) -> None:
    """Prints the quote; then, unless it is a dry run, asks, approves and redeems."""
    money, shares, pools = zap.money, payment.shares, zap.pools()
    forfeited = [token for i, token in enumerate(payment.tokens) if skip >> i & 1]
    try:
        quote = redeem_quote(pools, shares, money.token, in_kind, forfeited)
    except NoPoolError as error:
        raise zap.without_pool(error, "to", "have it given as it is with {options}") from None
    least = quote.least(terms.margin)
    zap.show(pools, quote, "at least", least)
    if terms.dry:
        return
    gas = quote.gas * pools.gas_price
    require_none(lacks_ether(zap.on.w3, terms.account.address, gas))
    what = f"Give {decimal(shares, 18)} shares for at least {money.text(least)} to {terms.to}"
    zap.agree(terms, what, gas, (zap.on.index.address, shares))
    legs = payment.tokens, quote.legs, quote.last_leg, zap.deadline(terms.patience), terms.to
    redeemed = zap.send("redeem", terms.account, zap.contract.redeem, shares, money.token, least, *legs)
    (event,) = redeemed.decode_logs(zap.contract.ZapRedeemed)
    zap.say(f"redeemed {decimal(shares, 18)} shares to {terms.to}", f"received {money.text(event.amount)}")


class _Payment:
    """What a redemption pays, and what it cannot pay. Sets of components are bits, as in the contract."""

    def __init__(self, on: Deployed, account: str, to: str, shares: int) -> None:
        self._on = on
        self._account, self._to, self.shares = account, to, shares
        tokens, amounts, self._unsound = on.index.previewRedeem(shares)
        self.tokens = [str(token) for token in tokens]
        self.amounts = [int(amount) for amount in amounts]
        self._state = read_fund(on.w3, on.book)

    def skip(self, console: Console, wanted: tuple[str, ...]) -> int:
        """The components to forfeit. None is skipped unless it is named: raises FundError, after showing what skipping
        would forfeit, for what cannot be paid and is not named."""
        named = 0
        for key in wanted:
            if key == AUTO:
                continue
            component = self._on.component(key)
            if component.token not in self.tokens:
                raise FundError(f"skip: {component.symbol} is not held now, expected a component of the list")
            named |= 1 << self.tokens.index(component.token)
        stopping = self._stopping(named | self._unsound) & ~named
        if not stopping:
            return named
        console.print(self._forfeits(stopping))
        if AUTO in wanted:
            return named | stopping
        symbols = [self._on.named(token)[0] for i, token in enumerate(self.tokens) if stopping >> i & 1]
        options = " ".join(f"--skip {symbol}" for symbol in symbols)
        raise FundError(
            f"redeem: {', '.join(symbols)} cannot be paid now; wait, or forfeit what the shares have of it with "
            f"{options} (or --skip {AUTO})"
        )

    def _stopping(self, skip: int) -> int:
        """`skip`, and each component that cannot be paid even alone."""
        if self._goes(skip):
            return skip
        every = (1 << len(self.tokens)) - 1
        for i in range(len(self.tokens)):
            if not skip >> i & 1 and not self._goes(every & ~(1 << i)):
                skip |= 1 << i
        return skip

    def _goes(self, skip: int) -> bool:
        """Whether the redemption would go through without the components of `skip`."""
        least = [0] * len(self.tokens)
        data = self._on.index.redeem.encode_input(self.shares, self._to, self.tokens, least, skip)
        try:
            self._on.w3.eth.call({"from": self._account, "to": self._on.index.address, "data": data})
        except (Web3Exception, ValueError):
            return False
        return True

    def table(self, limits: list[int], skip: int) -> Table:
        """A table of what is paid."""
        table = Table(title="What the redemption pays", title_justify="left")
        table.add_column("component")
        table.add_column("amount", justify="right")
        table.add_column("at least", justify="right")
        for i, holding in enumerate(self._state.holdings):
            symbol, decimals = self._on.named(self.tokens[i])
            cells = decimal(self.amounts[i], decimals), decimal(limits[i], decimals)
            if holding.written_off:
                cells = "written off: not paid", "-"
            elif skip >> i & 1:
                cells = "forfeited", "-"
            table.add_row(symbol, *cells)
        return table

    def _forfeits(self, skip: int) -> Table:
        """A table of what cannot be paid, and what is forfeited by skipping it."""
        table = Table(title="What cannot be paid now", title_justify="left")
        table.add_column("component")
        table.add_column("why")
        table.add_column("forfeited by skipping it", justify="right")
        for i, holding in enumerate(self._state.holdings):
            if not skip >> i & 1:
                continue
            symbol, decimals = self._on.named(self.tokens[i])
            if self._unsound >> i & 1:
                table.add_row(symbol, "balance not readable", "all that the shares have of it")
                continue
            worth = dollars(usd(self.amounts[i], holding.price, decimals)) if holding.price else "no price"
            table.add_row(symbol, "does not move", f"{decimal(self.amounts[i], decimals)}, {worth}")
        return table
