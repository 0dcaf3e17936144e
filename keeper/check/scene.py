"""What the checks look at: the settings, the endpoints, the funds in one block, the account. Everything is read when it
is first asked for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from web3 import Web3
from web3.types import BlockData

from ballast.book import Book, BookError
from ballast.calls import call_view
from keeper.chain import Chain, ask, connect
from keeper.errors import ChainError, SettingsError
from keeper.market import Market
from keeper.settings import Secrets, Settings, load_account
from keeper.state import FundState

DEVELOPMENT = ("anvil/", "hardhat", "ganache", "foundry")
"""How nodes of development chains name themselves; their time is their own."""


@dataclass(frozen=True)
class Endpoint:
    """One node. `name` is its host, never the path, which often carries a key; `number` counts those of one kind."""

    name: str
    w3: Web3

    @cached_property
    def chain_id(self) -> int:
        """Raises ChainError."""
        return ask(lambda: self.w3.eth.chain_id, self.name)

    @cached_property
    def _head(self) -> tuple[BlockData, float]:
        block = ask(lambda: self.w3.eth.get_block("latest"), self.name)
        return block, time.time()

    @property
    def head(self) -> BlockData:
        """The latest block when it was first asked. Raises ChainError."""
        return self._head[0]

    @property
    def seen_at(self) -> float:
        """Unix seconds of this host when the head was asked."""
        return self._head[1]

    @cached_property
    def client(self) -> str:
        """What the node calls itself; empty where it does not say."""
        try:
            return ask(lambda: str(self.w3.client_version), self.name)
        except ChainError:
            return ""

    @property
    def development(self) -> bool:
        """Whether it is a node of a development chain."""
        return self.client.lower().startswith(DEVELOPMENT)


@dataclass(frozen=True)
class Fund:
    """A fund in one block, seen through one endpoint."""

    path: Path
    book: Book
    endpoint: Endpoint

    @property
    def w3(self) -> Web3:
        return self.endpoint.w3

    @cached_property
    def block(self) -> int:
        """The block in which everything is read. Raises ChainError."""
        return int(self.endpoint.head["number"])

    @cached_property
    def seen(self) -> tuple[FundState, Market]:
        """Raises ChainError."""
        return Chain(self.w3, self.book).read(self.block)

    @property
    def state(self) -> FundState:
        return self.seen[0]

    @property
    def market(self) -> Market:
        return self.seen[1]

    @cached_property
    def prices(self) -> dict[str, int]:
        """USD (18 decimals) of each candidate by token; 0: none. Raises ChainError."""
        found = {}
        for candidate in self.book.candidates:
            answer = self.view("oracle", "price(address)", ["uint256"], candidate.token)
            found[candidate.token] = 0 if answer is None else int(answer[0])
        return found

    def code(self, address: str) -> bytes:
        """Raises ChainError."""
        where = Web3.to_checksum_address(address)
        return bytes(ask(lambda: self.w3.eth.get_code(where, self.block), self.endpoint.name))

    def view(self, to: str, signature: str, returns: Sequence[str], *args: Any) -> tuple[Any, ...] | None:
        """A view of a contract (a name of the book, or an address); None if nothing sound comes back. Raises
        ChainError."""
        address = self.book.contracts.get(to, to)
        return ask(lambda: call_view(self.w3, address, signature, returns, *args, block=self.block), self.endpoint.name)

    def address_of(self, to: str, signature: str) -> str | None:
        """A view that answers an address. Raises ChainError."""
        answer = self.view(to, signature, ["address"])
        return None if answer is None else str(Web3.to_checksum_address(answer[0]))


@dataclass(frozen=True)
class Scene:
    """Everything that one run of the checks looks at. `env_file`: where settings were read from, if it exists."""

    settings: Settings
    secrets: Secrets = field(repr=False)
    env_file: Path | None = None

    @cached_property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """One for each URL of BALLAST_RPC_URL."""
        return tuple(_endpoints(split(self.secrets.rpc_url.get_secret_value())))

    @cached_property
    def private(self) -> tuple[Endpoint, ...]:
        """The private endpoint, if one is set."""
        url = self.secrets.private_rpc_url
        return () if url is None else tuple(_endpoints(split(url.get_secret_value())))

    @cached_property
    def books(self) -> tuple[tuple[Path, Book | str], ...]:
        """Each address book, or in one line why it cannot be used."""
        return tuple((path, _book(path)) for path in map(Path, split(str(self.settings.book))))

    @property
    def sound_books(self) -> tuple[tuple[Path, Book], ...]:
        return tuple((path, book) for path, book in self.books if isinstance(book, Book))

    @cached_property
    def chain_id(self) -> int | None:
        """The chain to be on: as configured, else the first book's."""
        if self.settings.chain_id is not None:
            return self.settings.chain_id
        return next((book.chain_id for _, book in self.sound_books), None)

    @cached_property
    def main(self) -> Endpoint | None:
        """The first endpoint that answers on the right chain: what everything else is asked of."""
        for endpoint in self.endpoints:
            try:
                if endpoint.chain_id == self.chain_id and endpoint.head["number"] >= 0:
                    return endpoint
            except Exception:  # whatever is wrong with it is said by the endpoint's own checks
                continue
        return None

    @cached_property
    def funds(self) -> tuple[Fund, ...]:
        """The funds of all books that can be used; empty without an endpoint."""
        main = self.main
        return () if main is None else tuple(Fund(path, book, main) for path, book in self.sound_books)

    @cached_property
    def account(self) -> str:
        """The keeper's address. Raises SettingsError."""
        return str(load_account(self.settings, self.secrets).address)

    @property
    def known_account(self) -> str | None:
        """The same, None where there is none: the check of the key says why."""
        try:
            return self.account
        except SettingsError:
            return None

    def hidden(self, text: str) -> str:
        """The text without anything secret that it might carry."""
        for secret in (self.secrets.rpc_url, self.secrets.private_rpc_url, self.secrets.private_key):
            for part in split(secret.get_secret_value()) if secret is not None else ():
                text = text.replace(part, "***")
        return text


def split(text: str) -> list[str]:
    """The parts of a setting that may name several, separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _endpoints(urls: Sequence[str]) -> list[Endpoint]:
    found: list[Endpoint] = []
    hosts = [urlsplit(url).netloc.rpartition("@")[2] for url in urls]
    for position, (url, host) in enumerate(zip(urls, hosts, strict=True)):
        same = hosts[:position].count(host)
        found.append(Endpoint(host if not same else f"{host} #{same + 1}", connect(url)))
    return found


def _book(path: Path) -> Book | str:
    try:
        return Book.load(path)
    except BookError as error:
        return str(error)
    except (OSError, UnicodeDecodeError) as error:
        return f"address book {path}: cannot be read ({error})"
