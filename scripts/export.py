"""Writes the files of a fund for integrators: its addresses, and a token list."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ape
import click
from rich.console import Console
from web3 import Web3

from ballast.abi import call_view
from ballast.cli import FundCommand, book_option, fund_argument, open_fund
from ballast.files import replace_json
from ballast.fund_file import FundError
from ballast.token_list import Token, token_list


@click.command(cls=FundCommand)
@fund_argument
@click.option(
    "--out", "folder", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="Where to."
)
@book_option
def cli(provider: Any, fund: Path, folder: Path, book_file: Path | None) -> None:
    """Write addresses and a token list of the fund described in the file FUND.

    <slug>.addresses.json has every contract and the components that are held now, <slug>.tokenlist.json the share and
    those components in the schema of Uniswap's token lists. A list that is there already is replaced by its next
    version.
    """
    on = open_fund(ape.project, provider, fund, book_file)
    listed = [str(component.token) for component in on.index.components()]
    tokens = [_token(on.w3, address, on.book.symbol(address)) for address in listed]
    share = _token(on.w3, on.book["index_token"], on.config.symbol)
    time = int(on.w3.eth.get_block("latest")["timestamp"])
    path = folder / f"{on.config.slug}.tokenlist.json"
    lists = token_list(on.config.name, on.book.chain_id, time, [share, *tokens], _before(path))
    addresses = {
        "name": share.name,
        "symbol": share.symbol,
        "chainId": on.book.chain_id,
        "deployedBlock": on.book.deployed_block,
        "weth": on.book.weth,
        "contracts": on.book.contracts,
        "components": {token.symbol: token.address for token in tokens},
    }
    for target, content in ((folder / f"{on.config.slug}.addresses.json", addresses), (path, lists)):
        replace_json(target, content, indent=2)
        Console().print(f"{target}", soft_wrap=True)


def _token(w3: Web3, address: str, symbol: str) -> Token:
    """A token as its contract describes it; the book's symbol where it returns none, as the old ones in bytes32."""
    decimals = call_view(w3, address, "decimals()", ["uint8"])
    if decimals is None:
        raise FundError(f"token {address}: does not say its decimals")
    name, own = (call_view(w3, address, view, ["string"]) for view in ("name()", "symbol()"))
    called = own[0] if own else symbol
    return Token(address, name[0] if name else called, called, decimals[0])


def _before(path: Path) -> dict[str, Any] | None:
    """The existing list. Raises FundError if it is no token list."""
    if not path.exists():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text())
        token_list("", 1, 0, [], found)
    except (ValueError, KeyError, TypeError) as error:
        raise FundError(f"token list {path}: none that this command wrote ({error}); remove it") from None
    return found
