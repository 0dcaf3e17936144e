"""The holder page as static files: `python -m tools.page build` from the address books in deployments/, and
`python -m tools.page open` on the local fund of `make fund`, with a funded test wallet.

A build needs Node and what package.json names; it sends no requests. Endpoints of chains are in web/chains.json,
explorers in ballast/networks/networks.json.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypedDict

import click
from eth_typing import ChecksumAddress
from web3 import HTTPProvider, Web3

from ballast.abi import encode_call
from ballast.book import Book
from ballast.build import BUILD, ROOT
from ballast.errors import UserError
from ballast.networks.exchanges import V3_FEES, exchanges_of
from ballast.networks.presets import network_of
from ballast.units import WAD
from keeper.zap.quote import ETH, MINT, REDEEM
from lab.localnet.dollar import DOLLAR, give_dollars, open_dollar
from lab.localnet.rpc import Web3Rpc, read
from sandbox.book import sandbox_path

BOOKS = ROOT / "deployments"
LOCAL = BOOKS / "local-fork"
DIST = ROOT / "web" / "dist"
CHAINS = ROOT / "web" / "chains.json"
TEST_ACCOUNT = 5
"""Index of the test wallet's account on the local node: the first ones are deployer, holder and keeper."""
TEST_SHARES = 1_000 * WAD
"""Shares that the test wallet can mint, at least, with what it is given."""
TEST_DOLLARS = 10**6 * 10**6
"""USDC wei."""


class PayToken(TypedDict):
    """A token in the page's format; the address is checksummed."""

    symbol: str
    token: str
    decimals: int


@dataclass(frozen=True)
class ChainFacts:
    """What the page needs to know of a chain. `explorer`: without a slash at the end, None where there is none. `pay`:
    tokens that the zap takes and gives besides ETH and WETH."""

    name: str
    endpoints: list[str]
    explorer: str | None = None
    currency: str = "ETH"
    poll_ms: int = 12_000
    pay: list[PayToken] = field(default_factory=list)


@dataclass(frozen=True)
class TestWallet:
    """An account whose key the node at `url` has."""

    url: str
    account: str
    chain_id: int


def known_chains() -> dict[int, ChainFacts]:
    """The chains of web/chains.json by number, with their names and explorers from ballast's networks."""
    told = {network_of(int(number)): facts for number, facts in json.loads(CHAINS.read_text()).items()}
    return {on.chain_id: ChainFacts(name=on.name, explorer=on.explorer, **facts) for on, facts in told.items()}


def swaps_of(book: Book) -> dict[str, Any] | None:
    """The exchanges of a fund's zap, the fees of V3 pools, and a zap's gas, as the page's `Swaps`; None where there
    are no zaps."""
    found = exchanges_of(book.chain_id, book.uniswap_v2_factory)
    if found is None:
        return None
    exchanges = {
        name: value if isinstance(value, str) else "0x" + value.hex() for name, value in found._asdict().items()
    }
    gas = {"mint": asdict(MINT), "redeem": asdict(REDEEM)}
    return {"exchanges": exchanges, "v3_fees": list(V3_FEES), "gas": gas}


def bundle(funds: Iterable[tuple[Book, ChainFacts]], out: Path, wallet: TestWallet | None = None) -> None:
    """Writes the page of these funds to a folder, which is replaced. Raises subprocess.CalledProcessError."""
    config = {
        "funds": [{**asdict(book), "chain": asdict(facts), "swaps": swaps_of(book)} for book, facts in funds],
        "test_wallet": None if wallet is None else asdict(wallet),
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(config, file)
        file.flush()
        subprocess.run(["node", str(ROOT / "web" / "build.mjs"), file.name, str(out)], check=True)


class Handler(SimpleHTTPRequestHandler):
    """Serves the built files with their headers."""

    def end_headers(self) -> None:
        headers = json.loads((Path(self.directory) / "headers.json").read_text())
        for name, value in {**headers, "Cache-Control": "no-store"}.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Logs nothing."""


def serve(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of the folder at 127.0.0.1, not yet running. `port` 0: any that is free."""
    return ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Handler, directory=str(folder)))


def fund_wallet(w3: Web3, book: Book, account: ChecksumAddress) -> None:
    """Gives the account twice what `TEST_SHARES` take of each component; the local mainnet's tokens have an open
    mint."""
    abi = json.loads((ROOT / "keeper" / "abi" / "IndexToken.json").read_text())
    index = w3.eth.contract(address=Web3.to_checksum_address(book["index_token"]), abi=abi)
    tokens, amounts, _ = index.functions.previewMint(TEST_SHARES).call()
    for token, amount in zip(tokens, amounts, strict=True):
        data = encode_call("mint(address,uint256)", account, 2 * amount)
        w3.eth.send_transaction({"from": account, "to": token, "data": data})


def give_dollar(w3: Web3, book: Book, account: ChecksumAddress) -> PayToken:
    """Deploys USDC on the local chain, where it is not there yet, and gives the account `TEST_DOLLARS`; the token for
    the page."""
    rpc = Web3Rpc(w3)
    if not w3.eth.get_code(Web3.to_checksum_address(DOLLAR)):
        types = json.loads(BUILD.read_text())["contractTypes"]
        code = bytes.fromhex(types["ReferenceDollar"]["runtimeBytecode"]["bytecode"].removeprefix("0x"))
        price = int(
            read(rpc, book.contracts.get("first_oracle", book["oracle"]), "price(address)", ["uint256"], ETH)[0]
        )
        open_dollar(rpc, code, book.weth, price)
    give_dollars(rpc, account, TEST_DOLLARS)
    return {"symbol": "USDC", "token": DOLLAR, "decimals": 6}


@click.group()
def main() -> None:
    """Build or open the holder page."""


@main.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=DIST, show_default=True)
def build(out: Path) -> None:
    """Every address book in deployments/ whose chain web/chains.json knows, as static files."""
    chains = known_chains()
    paths = [path for path in sorted(BOOKS.glob("*/*.json")) if path.parent != LOCAL]
    of_sandboxes = {sandbox_path(path) for path in paths}
    try:
        books = [Book.load(path) for path in paths if path not in of_sandboxes]
    except UserError as error:
        raise click.ClickException(str(error)) from None
    funds = [(book, chains[book.chain_id]) for book in books if book.chain_id in chains]
    if not funds:
        raise click.ClickException(f"{BOOKS}: no address book of a chain in {CHAINS.name}; deploy a fund first")
    bundle(funds, out)
    size = (out / "app.js").stat().st_size
    click.echo(f"{out}: {len(funds)} funds, {size:,} bytes of script; serve it with the headers of headers.json")


@main.command(name="open")
@click.option("--port", type=click.IntRange(0, 65_535), default=8090, show_default=True, help="0: any that is free.")
@click.option("--browser/--no-browser", default=True, help="Open it in this machine's browser.")
def open_(port: int, browser: bool) -> None:
    """The local fund of `make fund`, until Ctrl-C, with a test wallet that holds all it takes."""
    try:
        server = serve(DIST, port)
    except OSError as error:
        raise click.ClickException(f"--port {port}: {error.strerror}; name another one") from None
    with server:
        account = _build_local()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        click.echo(f"{address}  (test wallet {account}; Ctrl-C ends it)")
        if browser:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("ended")


def _build_local() -> ChecksumAddress:
    """Builds the page of the local fund and gives its test wallet all it needs; the wallet's account."""
    paths = sorted(LOCAL.glob("*.json"))
    settings = ROOT / ".env"
    if not paths or not settings.exists():
        raise click.ClickException("no local fund: run 'make fund' in another terminal first")
    book = Book.load(paths[0])
    lines = settings.read_text().splitlines()
    url = next(line.partition("=")[2] for line in lines if line.startswith("BALLAST_RPC_URL="))
    w3 = Web3(HTTPProvider(url))
    account = w3.eth.accounts[TEST_ACCOUNT]
    fund_wallet(w3, book, account)
    facts = ChainFacts("the local fork", [url], poll_ms=2_000, pay=[give_dollar(w3, book, account)])
    bundle([(book, facts)], DIST, TestWallet(url, account, book.chain_id))
    return account


if __name__ == "__main__":
    sys.exit(main())
