"""The inputs of the checks: settings, endpoints, the funds in one block, the account. Reads each only when needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from eth_utils import to_checksum_address
from pydantic import SecretStr
from web3 import Web3
from web3.eth import Eth
from web3.providers.base import JSONBaseProvider
from web3.types import BlockData, RPCEndpoint, RPCResponse

from ballast.abi import call_data, decode_view
from ballast.book import Book, BookError
from keeper.errors import ChainError, KeeperError
from keeper.keys.load import load_signer
from keeper.look.fund_reader import FundReader
from keeper.look.retry import ask
from keeper.look.rpc import single
from keeper.look.rpc.endpoint import names_of
from keeper.pools.market import Market
from keeper.pools.venues.v3 import V3_VENUE
from keeper.settings import Secrets, Settings
from keeper.state import FundState

MAX_AT_ONCE = 50
"""Most requests in one batch: services refuse larger ones."""
SUPPLIES = ("posted_supply", "locked_supply")

T = TypeVar("T")

Question = tuple[Any, ...]
"""A contract (a name of the book, or an address), a view's signature, and its arguments."""

DEVELOPMENT = ("anvil/", "hardhat", "ganache", "foundry")
"""Client names of development chains, whose time is their own."""


@dataclass(frozen=True)
class Node:
    """One node. `name`: its host, never the path, which often contains a key."""

    name: str
    w3: Web3

    def ask(self, question: Callable[[Eth], T]) -> T:
        """The result of a query through web3. Raises ChainError."""
        return ask(lambda: question(self.w3.eth), self.name)

    def request(self, method: str, *params: Any) -> RPCResponse:
        """The raw answer to a request, which may be an error. Raises ChainError if there is none."""
        return ask(lambda: self._provider.make_request(RPCEndpoint(method), params), self.name)

    @cached_property
    def chain_id(self) -> int:
        """The node's chain. Raises ChainError."""
        return self.ask(lambda eth: eth.chain_id)

    @cached_property
    def _head(self) -> tuple[BlockData, float]:
        return self.ask(lambda eth: eth.get_block("latest")), time.time()

    @property
    def head(self) -> BlockData:
        """The latest block, as of the first access. Raises ChainError."""
        return self._head[0]

    @property
    def seen_at(self) -> float:
        """This host's time when the head was read, Unix seconds."""
        return self._head[1]

    @cached_property
    def client(self) -> str:
        """The node's client version; empty if it gives none."""
        try:
            return ask(lambda: str(self.w3.client_version), self.name)
        except ChainError:
            return ""

    def batch(self, requests: Sequence[tuple[str, list[Any]]]) -> list[RPCResponse]:
        """The answers to many requests in few round trips, or one by one if the node supports no batches. Raises
        ChainError."""
        found: list[RPCResponse] = []
        for first in range(0, len(requests), MAX_AT_ONCE):
            part = [(RPCEndpoint(method), given) for method, given in requests[first : first + MAX_AT_ONCE]]
            try:
                answers = ask(lambda p=part: self._provider.make_batch_request(p), self.name)  # type: ignore[misc]
            except ChainError:
                answers = []
            if not isinstance(answers, list) or len(answers) != len(part):
                answers = [self.request(method, *given) for method, given in part]
            found += answers
        return found

    @property
    def _provider(self) -> JSONBaseProvider:
        provider = self.w3.provider
        assert isinstance(provider, JSONBaseProvider)  # `single` makes no other
        return provider

    @property
    def development(self) -> bool:
        """Whether the node runs a development chain."""
        return self.client.lower().startswith(DEVELOPMENT)


@dataclass(frozen=True)
class CheckedFund:
    """A fund in one block, read through one endpoint."""

    book: Book
    endpoint: Node

    @cached_property
    def block(self) -> int:
        """Number of the block for all reads. Raises ChainError."""
        return int(self.endpoint.head["number"])

    @cached_property
    def seen(self) -> tuple[FundState, Market]:
        """State and market in the block. Raises ChainError."""
        return FundReader(self.endpoint.w3, self.book).read(self.block)

    @property
    def state(self) -> FundState:
        return self.seen[0]

    @property
    def market(self) -> Market:
        return self.seen[1]

    @cached_property
    def prices(self) -> dict[str, int]:
        """USD (18 decimals) of each candidate by token; 0: none. Raises ChainError."""
        tokens = [candidate.token for candidate in self.book.candidates]
        return {token: self.value("oracle", "price(address)", "uint256", token) or 0 for token in tokens}

    @cached_property
    def _answers(self) -> dict[tuple[str, str], bytes | None]:
        """Code (no data) and call results by address and data; None if the call reverted. The first access reads all
        that the book implies, in one batch."""
        return self._fetch(_questions(self.book))

    def code(self, address: str) -> bytes:
        """The code at an address, empty if none. Raises ChainError."""
        return self._known(address, "") or b""

    def view(self, to: str, signature: str, returns: Sequence[str], *args: Any) -> tuple[Any, ...] | None:
        """The result of a view of a contract (a name of the book, or an address); None if it reverts or does not
        decode. Raises ChainError."""
        answer = self._known(self.book.contracts.get(to, to), call_data(signature, *args))
        return None if answer is None else decode_view(answer, returns)

    def value(self, to: str, signature: str, kind: str, *args: Any) -> Any:
        """The result of a view that returns one value, an address checksummed; else as `view`."""
        answer = self.view(to, signature, [kind], *args)
        if answer is None:
            return None
        return to_checksum_address(answer[0]) if kind == "address" else answer[0]

    def ahead(self, questions: Iterable[Question]) -> None:
        """Prefetches the answers to these questions in one batch. Raises ChainError."""
        keys = {_key(self.book, question) for question in questions}
        self._answers.update(self._fetch(keys - self._answers.keys()))

    def _known(self, address: str, data: str) -> bytes | None:
        if (address, data) not in self._answers:
            self._answers.update(self._fetch({(address, data)}))
        return self._answers[address, data]

    def _fetch(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bytes | None]:
        block, ordered = hex(self.block), sorted(keys)
        requests: list[tuple[str, list[Any]]] = [
            ("eth_call", [{"to": address, "data": data}, block]) if data else ("eth_getCode", [address, block])
            for address, data in ordered
        ]
        answers = self.endpoint.batch(requests)
        return {key: _bytes(answer, self.endpoint.name) for key, answer in zip(ordered, answers, strict=True)}


@dataclass(frozen=True)
class CheckContext:
    """The inputs of one run of the checks. `env_file`: the file of the settings, which need not exist."""

    settings: Settings
    secrets: Secrets = field(repr=False)
    env_file: Path | None = None

    @cached_property
    def endpoints(self) -> tuple[Node, ...]:
        """A node for each URL of BALLAST_RPC_URL."""
        return _nodes(self.secrets.rpc_url)

    @cached_property
    def private(self) -> tuple[Node, ...]:
        """The private endpoint, if one is set."""
        return _nodes(self.secrets.private_rpc_url)

    @cached_property
    def books(self) -> tuple[tuple[Path, Book | str], ...]:
        """Each address book, or one line with the reason why it cannot be used."""
        return tuple((path, _book(path)) for path in self.settings.books)

    @property
    def sound_books(self) -> tuple[Book, ...]:
        return tuple(book for _, book in self.books if isinstance(book, Book))

    @cached_property
    def chain_id(self) -> int | None:
        """The expected chain: the configured one, else the first book's."""
        if self.settings.chain_id is not None:
            return self.settings.chain_id
        return next((book.chain_id for book in self.sound_books), None)

    @cached_property
    def main(self) -> Node | None:
        """The first endpoint that answers on the right chain; the checks of funds and account use it."""
        for endpoint in self.endpoints:
            try:
                if endpoint.chain_id == self.chain_id and endpoint.head["number"] >= 0:
                    return endpoint
            except Exception:  # the endpoint's own checks report it
                continue
        return None

    @cached_property
    def funds(self) -> tuple[CheckedFund, ...]:
        """The funds of all usable books; empty without an endpoint."""
        main = self.main
        return () if main is None else tuple(CheckedFund(book, main) for book in self.sound_books)

    @cached_property
    def account(self) -> str | KeeperError:
        """The keeper's address, or the error of loading its key."""
        try:
            return load_signer(self.settings, self.secrets).address
        except KeeperError as error:
            return error

    @property
    def known_account(self) -> str | None:
        """The keeper's address, None if there is none: the check of the key reports the reason."""
        return self.account if isinstance(self.account, str) else None


def _questions(book: Book) -> set[tuple[str, str]]:
    """The reads that a fund's book implies."""
    names = ("index_token", "rebalancer", "oracle", "first_oracle", "methodology", "upkeep", *SUPPLIES)
    asked: list[Question] = [(name, "owner()") for name in names if name in book.contracts]
    asked += [
        ("rebalancer", f"{view}()") for view in ("INDEX", "ORACLE", "OPENER", "CALENDAR", "methodology", "guardian")
    ]
    asked += [("index_token", "REBALANCER()"), ("oracle", "REBALANCER()"), ("index_token", "feeRecipient()")]
    asked += [(name, "REBALANCER()") for name in ("upkeep", "posted_supply") if name in book.contracts]
    asked += [("posted_supply", "poster()")] if "posted_supply" in book.contracts else []
    asked += [("fee_split", view) for view in ("INDEX()", "UPKEEP()") if "fee_split" in book.contracts]
    asked += [("filler", "WETH()"), ("timelock", "getMinDelay()")]
    sources = "first_oracle" if "first_oracle" in book.contracts else "oracle"
    found = {(address, "") for address in book.contracts.values()}
    for candidate in book.candidates:
        asked += [(candidate.token, "decimals()"), ("oracle", "price(address)", candidate.token)]
        asked.append((sources, "sources(address)", candidate.token))
        if "first_oracle" in book.contracts:
            asked += [("oracle", f"{view}(address)", candidate.token) for view in ("anchors", "anchorPrice")]
        for pool in candidate.pools:
            found.add((pool.pair, ""))
            views = ("fee", "liquidity") if pool.venue == V3_VENUE else ("getReserves",)
            asked += [(pool.pair, f"{view}()") for view in ("token0", "token1", *views)]
    return found | {_key(book, question) for question in asked}


def _key(book: Book, question: Question) -> tuple[str, str]:
    to, signature, *args = question
    return book.contracts.get(to, str(to)), str(call_data(signature, *args))


def _bytes(answer: RPCResponse, name: str) -> bytes | None:
    """A result; None for a revert. Raises ChainError for any other error."""
    result = answer.get("result")
    if isinstance(result, str):
        return bytes.fromhex(result.removeprefix("0x"))
    error: Any = answer["error"]
    if "data" in error:  # only a revert has data (`keeper/look/rpc/endpoint.py`)
        return None
    raise ChainError(f"{name}: {error['message'][:200]}")


def _nodes(setting: SecretStr | None) -> tuple[Node, ...]:
    """A node for each of the comma-separated URLs."""
    urls = [] if setting is None else [url.strip() for url in setting.get_secret_value().split(",") if url.strip()]
    return tuple(Node(name, single(url)) for url, name in zip(urls, names_of(urls), strict=True))


def _book(path: Path) -> Book | str:
    try:
        return Book.load(path)
    except BookError as error:
        return str(error)
