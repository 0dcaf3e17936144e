"""Shared code of the command-line scripts: the node, a fund's file and book, consent, and one-line errors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ape
import click
from ape.cli import ConnectedProviderCommand
from ape.cli.options import NETWORK_META_KEY
from ape.exceptions import ApeException
from ape.logging import LogLevel, logger
from click.core import ParameterSource
from requests.exceptions import RequestException
from web3 import Web3
from web3.exceptions import Web3Exception

from ballast.abi import has_code
from ballast.book import Book
from ballast.build import ROOT, is_current
from ballast.errors import UserError
from ballast.fund_file import FundConfig, FundError, load_fund
from ballast.networks.presets import network_of
from ballast.parts import Component
from ballast.rpc import RpcError, bound, require_node, trouble
from ballast.units import WAD
from ballast.values import parse_address, parse_fraction, parse_shares

fund_argument = click.argument("fund", type=click.Path(path_type=Path))
book_option = click.option(
    "--book",
    "book_file",
    type=click.Path(path_type=Path),
    help="The fund's address book; default: deployments/<network>/<slug>.json.",
)


RPC_META_KEY = "ballast.rpc"
COMPILER = "SOLCX_BINARY_PATH"
"""Environment variable with the path of Ape's compiler."""


class FundCommand(ConnectedProviderCommand):  # type: ignore[misc]
    """A command on a connected chain with one-line errors, including those of the connection. The node is Ape's of
    --network, or that of --rpc.

    All errors, wrong options too, end with exit status 1: commands use 2 themselves, such as `govern plan` for a
    change.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(
            click.Option(
                ["--rpc"], metavar="URL", expose_value=False, callback=_keep_url, help="In place of --network."
            )
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            left: list[str] = super().parse_args(ctx, args)
        except click.UsageError as error:
            error.exit_code = 1
            raise
        return left

    def invoke(self, ctx: click.Context) -> Any:
        with one_line():
            find_compiler()
            require_compiled()
            _choose_node(ctx)
            return super().invoke(ctx)

    def _invoke(self, ctx: click.Context, provider: Any = None) -> Any:
        if (url := _url_of(provider)) is not None:
            bound(provider.web3, url)
        return super()._invoke(ctx, provider=provider)


def find_compiler() -> None:
    """Sets COMPILER to the compiler that `make setup` installed, unless the environment sets it. Raises FundError if
    there is none."""
    if os.environ.get(COMPILER):
        return
    folder = ROOT / ".tools" / "solc"
    if not folder.is_dir():
        raise FundError(f"set-up: no compiler in {folder}, and {COMPILER} is not set; run `make setup` first")
    os.environ[COMPILER] = str(folder)


def require_compiled() -> None:
    """Raises FundError unless the contracts are compiled from their current sources: Ape would compile them itself, for
    minutes and without any output."""
    if not is_current():
        raise FundError("contracts: not compiled since they were changed; run `make compile`")


def _keep_url(ctx: click.Context, _option: click.Parameter, url: str | None) -> None:
    ctx.meta[RPC_META_KEY] = url


def _choose_node(ctx: click.Context) -> None:
    """Makes Ape use the node of --rpc. Raises RpcError within seconds for a node that does not answer."""
    url = ctx.meta.get(RPC_META_KEY)
    if url is None:
        if (chosen := _url_of(ctx.params.get("network"))) is not None:
            require_node(chosen)
        return
    if ctx.get_parameter_source("network") is ParameterSource.COMMANDLINE:
        raise RpcError("rpc: found with --network, expected one of the two")
    require_node(url)
    ctx.meta[NETWORK_META_KEY] = {"provider": ape.networks.get_provider_from_choice(url)}


def _url_of(provider: Any) -> str | None:
    """URL of an HTTP node that Ape does not start itself, else None."""
    if getattr(provider, "name", None) != "node" or provider.network.is_dev:
        return None
    url = provider.http_uri
    return None if url is None else str(url)


def confirm(question: str, yes: bool) -> None:
    """Asks for consent before sending. Raises click's Abort if the answer is no. `yes`: does not ask."""
    if not yes:
        click.confirm(question, abort=True)


def agree(account: Any, question: str, yes: bool) -> None:
    """Asks once for consent to all transactions shown, and once for the account's password; after that nothing asks.
    Raises click's Abort if the answer is no. `yes`: asks only for the password."""
    confirm(question, yes)
    if hasattr(account, "set_autosign"):  # an account in an encrypted file would ask at each signature
        logger.set_level(LogLevel.ERROR)  # with autosign Ape warns at each signature
        account.set_autosign(True)


def send(account: Any, to: str, data: bytes, value: int = 0) -> Any:
    """Sends a call and returns Ape's receipt once it is in a block. By default Ape would wait for seven more blocks on
    mainnet, and set the estimate as gas limit, which may be too little in the next block. Raises web3's error if the
    call would be refused."""
    w3: Web3 = account.provider.web3
    gas = w3.eth.estimate_gas({"from": account.address, "to": to, "value": value, "data": data})  # type: ignore[typeddict-item]
    most = min(gas * 6 // 5, max(gas, network_of(w3.eth.chain_id).most_gas))
    return account.transfer(to, value=value, data=data, gas_limit=most, required_confirmations=0)


@contextmanager
def one_line() -> Iterator[None]:
    """Turns errors that a user can understand and fix into one line and exit status 1."""
    try:
        yield
    except UserError as error:
        raise click.ClickException(str(error)) from error
    except click.ClickException:
        raise  # before ApeException, as some of Ape's are both: click prints them in one line
    except RequestException as error:
        raise click.ClickException(trouble(error)) from error
    except (ApeException, Web3Exception) as error:
        raise click.ClickException(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"chain: {lines[0] if lines else type(error).__name__}"


def default_book(provider: Any, config: FundConfig) -> Path:
    """Default path of the address book of a fund on the connected network."""
    name = str(provider.network.name)
    folder = f"chain-{config.chain_id}" if name == "custom" else name  # "custom": Ape has no name for the chain
    return Path("deployments") / folder / f"{config.slug}.json"


@dataclass(frozen=True)
class Deployed:
    """A fund that is deployed on the connected chain."""

    config: FundConfig
    book: Book
    w3: Web3
    index: Any
    lens: Any

    def component(self, key: str) -> Component:
        """A component by symbol or address. Raises FundError."""
        for component in self.config.components:
            if key == component.symbol or key.lower() == component.token.lower():
                return component
        known = ", ".join(component.symbol for component in self.config.components)
        raise FundError(f"token {key!r}: unknown, the fund {self.config.slug!r} has {known}")

    def named(self, token: str) -> tuple[str, int]:
        """Symbol and decimals of a listed token."""
        candidate = self.book.candidate(token)
        return (candidate.symbol, candidate.decimals) if candidate else (token, 18)

    def shares_of(self, account: str) -> int:
        """Share balance, 18 decimals."""
        return int(self.index.balanceOf(account))


def open_fund(project: Any, provider: Any, fund: Path, book_file: Path | None) -> Deployed:
    """Reads file and book and checks that the book matches the connected chain. Raises FundError or BookError."""
    config = load_fund(fund)
    book = Book.load(book_file or default_book(provider, config))
    w3: Web3 = provider.web3
    if book.chain_id != w3.eth.chain_id:
        raise FundError(f"chain id: this chain is {w3.eth.chain_id}, the address book is for {book.chain_id}")
    for name in ("index_token", "rebalancer", "lens"):
        if not has_code(w3, book[name]):
            raise FundError(f"{name}: no contract at {book[name]} on this chain; is the address book of another chain?")
    index = project.IndexToken.at(book["index_token"])
    return Deployed(config, book, w3, index, project.FundLens.at(book["lens"]))


def checked_shares(text: str) -> int:
    """Whole shares from the command line, above 0, as 18 decimals. Raises FundError."""
    try:
        shares = parse_shares(text)
    except ValueError as error:
        raise FundError(f"shares: found {text!r}, {error}") from None
    if shares <= 0:
        raise FundError(f"shares: found {text!r}, expected more than 0")
    return shares


def checked_address(field: str, text: str) -> str:
    """An address from the command line; never the zero address. Raises FundError."""
    try:
        return parse_address(text)
    except ValueError as error:
        raise FundError(f"{field}: found {text!r}, {error}") from None


def checked_slippage(text: str) -> int:
    """A fraction from 0 to 10 % from the command line, as 18 decimals. Raises FundError."""
    try:
        slippage = parse_fraction(text)
    except ValueError as error:
        raise FundError(f"slippage: found {text!r}, {error}") from None
    if not 0 <= slippage <= WAD // 10:
        raise FundError(f"slippage: found {text!r}, expected 0 to 10 %")
    return slippage


def sent_line(chain_id: int, receipt: Any) -> str:
    """Text for a mined transaction: its hash and gas, and on a second line its URL in the network's explorer, if it has
    one."""
    digest = str(receipt.txn_hash)
    url = network_of(chain_id).transaction_url(digest)
    return f"transaction {digest}, {receipt.gas_used:,} gas" + ("" if url is None else f"\n{url}")


def dollars(amount: int) -> str:
    """USD with 18 decimals, to the cent, rounded down."""
    cents = amount // 10**16
    return f"{cents // 100:,}.{cents % 100:02d} USD"
