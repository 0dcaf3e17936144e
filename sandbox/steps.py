"""The transactions that make a sandbox's market, one after the other; the journal shows which are done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from eth_abi import encode
from eth_utils import to_checksum_address
from web3 import Web3

from ballast.abi import call_view, encode_call
from ballast.deployment.creation import created_address
from ballast.deployment.resume import standing
from ballast.deployment.sender import DeploymentSender, content_of, receipt_of
from ballast.networks.exchanges import V2_CODE_HASH, v2_pool_address
from ballast.networks.presets import Exchange
from sandbox.errors import SandboxError
from sandbox.plan import Placed, Plan
from sandbox.uniswap import factory_code, router_code

AT_ONCE = 5
"""Pools opened in one transaction; each is a contract of its own."""
CREATED = ("factory", "market", "router")
TERMS = "(string,string,uint8,uint256,uint256)"
LISTING = f"({TERMS},uint64,uint256,uint256,uint256)"
OPENING = "(uint256,uint256,uint256)"


@dataclass(frozen=True)
class Step:
    """A transaction. `pools`: how many it opens."""

    name: str
    pools: int = 0


def steps_of(plan: Plan, standing_exchange: Exchange | None) -> tuple[Step, ...]:
    """All that make the market, in order. `standing_exchange`: the one that the chain has already."""
    count = len(plan.components)
    opens = [
        Step(f"open {first}-{(last := min(first + AT_ONCE - 1, count))}", last - first + 1)
        for first in range(1, count + 1, AT_ONCE)
    ]
    if standing_exchange is not None:
        return (Step("market"), Step("list"), *opens)
    return (Step("factory"), Step("market"), Step("list"), Step("router"), *opens)


@dataclass(frozen=True)
class Made:
    """The result when all steps are done."""

    market: str
    exchange: Exchange
    placed: Placed


class Builder:
    """Makes the market of a plan, or the rest of it. `market_code`: of `SandboxMarket`, without arguments."""

    def __init__(
        self,
        w3: Web3,
        sender: DeploymentSender,
        operator: str,
        plan: Plan,
        exchange: Exchange | None,
        market_code: bytes,
    ) -> None:
        self._w3, self._sender, self._operator, self._plan = w3, sender, operator, plan
        self._market_code = market_code
        self._stands = standing(w3, sender.journal, CREATED)
        self._exchange = None if "factory" in self._stands else exchange
        self._called = self._calls_done()

    @property
    def began(self) -> bool:
        """Whether any of its contracts is deployed."""
        return bool(self._stands)

    @property
    def market(self) -> str | None:
        """The market, once all its tokens are listed."""
        stands = self._stands.get("market")
        return stands.address if stands is not None and "list" in self._called else None

    def left(self) -> Iterator[Step]:
        """The steps that are not done yet."""
        for step in steps_of(self._plan, self._exchange):
            if step.name not in self._stands and step.name not in self._called:
                yield step

    def data_left(self, seeds: dict[str, int]) -> Iterator[bytes]:
        """Approximate data of the steps that are not done yet: what is not deployed yet has the operator's address."""
        at = self._operator
        for step in self.left():
            match step.name:
                case "factory":
                    yield factory_code(at)
                case "market":
                    yield self._market_code + encode(["address", "address"], [at, at])
                case "router":
                    yield router_code(at, at)
                case "list":
                    yield self._list_data(seeds)
                case _:
                    yield self._open_data(step)

    def build(self, seeds: dict[str, int]) -> Made:
        """Sends the rest. `seeds`: token wei by symbol that the fund's seed takes. Raises the sender's DeployError, and
        SandboxError for what is deployed and differs from this file."""
        chain_id = self._w3.eth.chain_id
        if self._exchange is None:
            factory = self._create("factory", factory_code(self._operator))
        else:
            factory = self._exchange.factory
        arguments = encode(["address", "address"], [self._operator, factory])
        market = self._create("market", self._market_code + arguments)
        self._call("list", self._list_data(seeds), market, self._is_listed)
        tokens = self._read_all(market, "token")
        router = self._create("router", router_code(factory, tokens[0])) if self._exchange is None else None
        exchange = self._exchange or Exchange(factory, str(router))
        for step in steps_of(self._plan, self._exchange):
            if step.pools:
                opened = partial(self._is_open, number=self._openings(step)[0][0])
                self._call(step.name, self._open_data(step), market, opened)
        pairs = self._pairs(market, factory, tokens)
        feeds = self._read_all(market, "feed")
        placed = Placed(chain_id=chain_id, factory=factory, tokens=tokens, feeds=feeds, pairs=pairs)
        return Made(market, exchange, placed)

    def _listings(self, seeds: dict[str, int]) -> Iterator[tuple[Any, ...]]:
        plan = self._plan
        for asset in plan.assets:
            wei = 10**asset.decimals
            given = seeds.get(asset.symbol, 0)
            locked = (getattr(asset, "locked", None) or 0) * wei
            terms = asset.name, asset.symbol, asset.decimals, plan.claim(asset), plan.faucet.wait
            yield terms, asset.answer, given, asset.supply * wei - given, locked

    def _list_data(self, seeds: dict[str, int]) -> bytes:
        return encode_call(f"list({LISTING}[])", [*self._listings(seeds)])

    def _open_data(self, step: Step) -> bytes:
        return encode_call(f"open({OPENING}[])", self._openings(step))

    def _openings(self, step: Step) -> list[tuple[int, int, int]]:
        first = int(step.name.removeprefix("open ").split("-")[0])
        numbers = range(first, first + step.pools)
        return [(number, *self._plan.depths(self._plan.components[number - 1])) for number in numbers]

    def _pairs(self, market: str, factory: str, tokens: tuple[str, ...]) -> tuple[str, ...]:
        pairs = self._read_all(market, "pair", first=1)
        for token, pair in zip(tokens[1:], pairs, strict=True):
            right = v2_pool_address(factory, V2_CODE_HASH, token, tokens[0])
            if pair != right:
                raise SandboxError(f"factory {factory}: its pair is at {pair}, expected {right}: not Uniswap V2's code")
        return pairs

    def _read_all(self, market: str, view: str, first: int = 0) -> tuple[str, ...]:
        found = []
        for number in range(first, len(self._plan.assets)):
            answer = call_view(self._w3, market, f"{view}(uint256)", ["address"], number)
            if answer is None:
                raise SandboxError(f"market {market}: does not answer {view}({number})")
            found.append(str(to_checksum_address(answer[0])))
        return tuple(found)

    # Each step once

    def _create(self, name: str, code: bytes) -> str:
        stands = self._stands.get(name)
        if stands is not None:
            _require_same(name, stands.content, content_of(code))
            return str(to_checksum_address(stands.address))
        at = created_address(
            self._operator, self._w3.eth.get_transaction_count(Web3.to_checksum_address(self._operator))
        )
        self._sender.create(name, code, at)
        return at

    def _call(self, name: str, data: bytes, to: str, done: Callable[[str], bool]) -> None:
        content = self._called.get(name)
        if content is not None:
            _require_same(name, content, content_of(data, to))
            return
        if done(to):
            raise SandboxError(
                f"{name}: is done in the market {to}, but this node knows no transaction of the journal that did it; "
                "use a node that keeps receipts, or name another --book to begin anew"
            )
        self._sender.send(name, data, to)

    def _is_listed(self, market: str) -> bool:
        count = call_view(self._w3, market, "count()", ["uint256"])
        return count is not None and count[0] > 0

    def _is_open(self, market: str, number: int) -> bool:
        pair = call_view(self._w3, market, "pair(uint256)", ["address"], number)
        held = pair and call_view(self._w3, pair[0], "balanceOf(address)", ["uint256"], self._operator)
        return bool(held and held[0])

    def _calls_done(self) -> dict[str, str]:
        """Content of this market's successful calls, by step."""
        done = {}
        for sent in self._sender.journal.sent:
            if sent.step in CREATED or sent.step in done or "market" not in self._stands:
                continue
            receipt = receipt_of(self._w3, sent.hash)
            if receipt is not None and receipt["status"] == 1:
                done[sent.step] = sent.content
        return done


def _require_same(name: str, stands: str, right: str) -> None:
    if stands != right:
        raise SandboxError(
            f"{name}: stands, but file or contracts have changed since; take those that it was begun with, or name "
            "another --book to begin anew"
        )
