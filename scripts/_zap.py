"""What mint and redeem share when they go through the fund's zap: quotes for people, and one transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import ape
import click
from rich.console import Console
from rich.table import Table
from web3.exceptions import Web3Exception

from ballast.abi import call_view, has_code
from ballast.cli import Deployed, agree, checked_slippage, dollars, send, sent_line
from ballast.costs import cost_of
from ballast.deployment.deploy import approvals
from ballast.fund_file import FundError
from ballast.networks.exchanges import USDC, exchanges_of
from ballast.units import DAY_S, WAD
from ballast.values import decimal, ether_text, parse_address, parse_duration
from keeper.look import contracts
from keeper.output.condition import without
from keeper.zap.quote import ETH, NoPoolError, Pools, Quote, Venue, ZapSwap, in_kind_usd, kept_usd, worth_usd
from keeper.zap.read import read_pools

SLIPPAGE, IN_KIND_SLIPPAGE = "0.5 %", "0.1 %"
"""Defaults of --slippage: through pools, and in kind."""

dry_option = click.option("--dry", is_flag=True, help="Show what it would come to, send nothing.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask before anything is sent.")
deadline_option = click.option(
    "--deadline", default="20 min", show_default=True, help="Until when a swap may be mined, from when it is sent."
)
slippage_option = click.option(
    "--slippage",
    help=f"How much worse than quoted it may be; default: {SLIPPAGE} through pools, {IN_KIND_SLIPPAGE} in kind.",
)

_WORDS = {
    "AboveMaxIn": "the pools ask for more than the most that may be paid; quote anew, or allow a larger --slippage",
    "BelowMinOut": "the pools pay less than the least that is accepted; quote anew, or allow a larger --slippage",
    "Late": "the deadline is over; allow a later --deadline",
    "AboveSupplyCap": "so many shares are above the fund's supply cap",
    "EthRefused": "the recipient does not take ether; name another --receiver",
}
_PLACES = {Venue.NONE: "itself", Venue.IN_KIND: "given in kind", Venue.SKIP: "forfeited"}


@dataclass(frozen=True)
class Money:
    """The token that is paid or received."""

    token: str
    symbol: str
    decimals: int

    def text(self, amount: int) -> str:
        """An amount in wei, exactly."""
        return f"{decimal(amount, self.decimals)} {self.symbol}"


def margin_of(slippage: str | None, zapped: bool) -> int:
    """The slippage given, or the default; 18 decimals."""
    return checked_slippage(slippage or (SLIPPAGE if zapped else IN_KIND_SLIPPAGE))


def checked_deadline(text: str) -> int:
    """Parses a deadline from a minute to a day; seconds. Raises FundError."""
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise FundError(f"deadline: found {text!r}, {error}") from None
    if not 60 <= seconds <= DAY_S:
        raise FundError(f"deadline: found {text!r}, expected 1 minute to 1 day")
    return seconds


def money_of(on: Deployed, option: str, key: str) -> Money:
    """The token that `eth`, `weth`, `usdc`, a component's symbol or an address names. Raises FundError."""
    if "zap" not in on.book.contracts or exchanges_of(on.book.chain_id, on.book.uniswap_v2_factory) is None:
        raise FundError(
            f"{option}: the address book of {on.book.fund!r} names no zap; leave out --{option} and do it in kind"
        )
    listed = {c.symbol.lower(): c.token for c in on.book.candidates}
    usdc = {"usdc": USDC[on.book.chain_id]} if on.book.chain_id in USDC else {}
    own = _weth_symbol(on)
    known = {"eth": ETH, "weth": on.book.weth, own.lower(): on.book.weth} | usdc | listed
    token = known.get(key.lower())
    if token == ETH:
        if call_view(on.w3, on.book.weth, "deposit()", []) is None:
            raise FundError(f"{option}: found {key!r}, but {own} in place of WETH wraps no ether; take {own}")
        return Money(ETH, "ETH", 18)
    try:
        token = token or parse_address(key)
    except ValueError:
        raise FundError(f"{option}: found {key!r}, expected {', '.join(known)} or a token's address") from None
    # Inside Ape an empty answer decodes as 0, so the code is checked first.
    answer = call_view(on.w3, token, "decimals()", ["uint256"]) if has_code(on.w3, token) else None
    if answer is None or answer[0] > 77:
        who = "; who gets it is said with --receiver" if key.startswith("0x") else ""
        raise FundError(f"{option}: no token at {token} on this chain{who}")
    symbols = dict.fromkeys(usdc.values(), "USDC") | {on.book.weth: own}
    return Money(token, symbols.get(token, on.named(token)[0]), int(answer[0]))


def _weth_symbol(on: Deployed) -> str:
    """The symbol of the contract in place of WETH: on a sandbox that is not WETH."""
    answer = call_view(on.w3, on.book.weth, "symbol()", ["string"])
    return str(answer[0]) if answer and answer[0].isalnum() and len(answer[0]) <= 12 else "WETH"


@dataclass(frozen=True)
class Terms:
    """Who sends, who receives, and how. `margin`: slippage, 18 decimals; `patience`: seconds until the deadline; `dry`:
    send nothing; `yes`: do not ask."""

    account: Any
    to: str
    margin: int
    patience: int
    dry: bool
    yes: bool


class Zap:
    """The zap of a fund, for one currency."""

    def __init__(self, on: Deployed, console: Console, money: Money) -> None:
        self.on, self.money = on, money
        self._console, self._weth = console, _weth_symbol(on)
        self.contract = ape.project.Zap.at(on.book["zap"])

    def pools(self) -> Pools:
        """All that a quote needs, from the latest block."""
        lens = ape.project.V3Lens.contract_type.runtime_bytecode.bytecode
        return read_pools(self.on.w3, self.on.book, self.money.token, str(lens))

    def without_pool(self, error: NoPoolError, option: str, remedy: str) -> FundError:
        """The error that names the tokens without a pool, and the remedy, in which {options} stands for options of the
        tokens."""
        if self.money.token in error.tokens:
            return FundError(
                f"{option}: {self.money.symbol} has no pool against WETH that is deep enough; take eth or another token"
            )
        symbols = [self.on.named(token)[0] for token in error.tokens]
        options = " ".join(f"--in-kind {symbol}" for symbol in symbols)
        return FundError(
            f"{option}: no pool of {', '.join(symbols)} against WETH is deep enough; {remedy.format(options=options)}"
        )

    def show(self, pools: Pools, quote: Quote, word: str, limit: int) -> None:
        """Prints the quote, by component and in sum; `word` and `limit` are the worst case."""
        self._console.print(self._parts(quote), self._sums(pools, quote, word, limit))

    def send(self, what: str, account: Any, call: Any, *arguments: Any, value: int = 0) -> Any:
        """Simulates a call of the zap, sends it and prints its gas. Raises FundError for what would revert."""
        data = call.encode_input(*arguments)
        try:
            self.on.w3.eth.call({"from": account.address, "to": self.contract.address, "value": value, "data": data})  # type: ignore[typeddict-item]
        except (Web3Exception, ValueError) as error:
            raise FundError(f"{what}: {_why(error)}; nothing was sent") from None
        receipt = send(account, self.contract.address, bytes(data), value)
        self.say(sent_line(self.on.book.chain_id, receipt))
        return receipt

    def say(self, *lines: str) -> None:
        """Prints them, each in one line."""
        for line in lines:
            self._console.print(line, soft_wrap=True)

    def agree(self, terms: Terms, what: str, gas: int, taken: tuple[str, int] | None) -> None:
        """Asks once for all that follows; then approves the zap for `taken`, a token and wei of it, if it is not yet
        approved. `gas`: wei that the zap's call costs."""
        spender, address = self.contract.address, terms.account.address
        calls = () if taken is None else approvals(self.on.w3, address, taken[0], spender, taken[1])
        first = f", after {len(calls)} approval{'s' if len(calls) > 1 else ''} of the zap" if calls else ""
        token = None if taken is None else taken[0]
        gas += cost_of(self.on.w3, address, [(token, data) for data in calls]).wei
        cost = f"{len(calls) + 1} transaction{'s' if calls else ''}, about {ether_text(gas)} for gas"
        agree(terms.account, f"{what}{first} ({cost})?", terms.yes)
        if taken is not None and calls:
            self.say("approving")
            for data in calls:
                self.say(sent_line(self.on.book.chain_id, send(terms.account, taken[0], data)))

    def deadline(self, seconds: int) -> int:
        """Unix time in `seconds` from now, by the chain's clock."""
        return int(self.on.w3.eth.get_block("latest")["timestamp"]) + seconds

    def _parts(self, quote: Quote) -> Table:
        table = Table(title="Component by component", title_justify="left")
        for column in ("token", "amount", "through", self._weth, "fee", "price impact"):
            table.add_column(column, justify="left" if column in ("token", "through") else "right")
        for part in quote.parts:
            symbol, decimals = self.on.named(part.holding.token)
            place = "written off" if part.holding.written_off else _PLACES.get(part.leg.venue, "")
            table.add_row(symbol, decimal(part.amount, decimals), *_through(part.swap, place))
        if quote.last:
            row = _through(quote.last, "")
            table.add_row(self.money.symbol, decimal(quote.amount - quote.direct, self.money.decimals), *row)
        return table

    def _sums(self, pools: Pools, quote: Quote, word: str, limit: int) -> Table:
        nav = pools.state.total_value * quote.shares // pools.state.supply  # {USD} = {USD} * {share} / {share}
        kept = kept_usd(quote)
        worth, gas = worth_usd(pools, quote), quote.gas * pools.gas_price
        table = Table(title=f"{decimal(quote.shares, 18)} shares, block {pools.state.block}", title_justify="left")
        table.add_column("")
        table.add_column("amount", justify="right")
        table.add_column("USD", justify="right")
        for name, text, amount in (("expected", "", quote.amount), ("worst case", f"{word} ", limit)):
            usd = worth * amount // quote.amount if quote.amount else 0
            table.add_row(
                name, f"{text}{self.money.text(amount)}", _beside(usd, nav - kept) if pools.eth_price else "no price"
            )
        for name, weth in (("pools' fees", quote.fees), ("price impact", quote.impact)):
            table.add_row(name, f"{decimal(weth, 18)} {self._weth}", _usd(pools, weth))
        table.add_row(
            f"gas, about {quote.gas:,} at {decimal(pools.gas_price, 9)} gwei",
            f"{decimal(gas, 18)} ETH",
            _usd(pools, gas),
        )
        if kept:
            table.add_row("given in kind beside that", "", dollars(kept))
        table.add_row("NAV of the shares" + (", less that" if kept else ""), "", dollars(nav - kept))
        table.add_row("in kind, at the oracle's prices", "", dollars(in_kind_usd(quote)))
        for missing in without(pools.state, self.on.book.symbol):
            table.add_row("NAV IS INCOMPLETE", f"without {missing}", "", style="bold red")
        return table


def symbols_to_tokens(on: Deployed, option: str, keys: Collection[str], held: Collection[str]) -> frozenset[str]:
    """Tokens of the listed components that symbols or addresses name. Raises FundError."""
    found = [on.component(key) for key in keys]
    for component in found:
        if component.token not in held:
            raise FundError(f"{option}: {component.symbol} is not held now, expected a component of the list")
    return frozenset(component.token for component in found)


def _through(swap: ZapSwap | None, place: str) -> tuple[str, str, str, str]:
    if swap is None:
        return place, "", "", ""
    fair = swap.weth - swap.fees - swap.impact if swap.buys else swap.weth + swap.fees + swap.impact
    fee = f"{decimal(swap.pool.fee, 4)} %"
    return swap.pool.venue, decimal(swap.weth, 18), fee, _percent(swap.impact, fair)


def _beside(usd: int, nav: int) -> str:
    """USD, and its distance from NAV."""
    if not nav:
        return dollars(usd)
    return f"{dollars(usd)}, {_percent(abs(usd - nav), nav)} {'above' if usd >= nav else 'below'} NAV"


def _percent(part: int, whole: int) -> str:
    """A percentage to two decimals, rounded up."""
    hundredths = -(-part * 10_000 // whole) if whole else 0
    return f"{hundredths // 100}.{hundredths % 100:02d} %"


def _usd(pools: Pools, weth: int) -> str:
    return dollars(weth * pools.eth_price // WAD) if pools.eth_price else "no price"


def _why(error: Exception) -> str:
    """A revert as text."""
    data = getattr(error, "data", None)
    _, name, arguments = contracts.describe_revert(data) if isinstance(data, str) else ("", "", "")
    return _WORDS.get(name) or (f"it would revert with {name}{arguments}" if name else " ".join(str(error).split()))
