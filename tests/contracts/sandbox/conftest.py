"""A market of three test tokens on a chain with a test network's number: on mainnet's it refuses to exist."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from ballast.units import DAY_S, ETHER
from lab.localnet.anvil import anvil
from lab.localnet.rpc import HttpRpc
from sandbox.uniswap import factory_code
from tests.helpers.chain import Chain
from tests.helpers.contracts import Artifact, Call, Contract

SEPOLIA = 11_155_111
FIRST = 1_790_000_000
PRICES = (1_900 * 10**8, 30 * 10**8, 35_000 * 10**8)
"""USD with 8 decimals of the numeraire and two others, the second of which has 8 decimals."""
DECIMALS = (18, 18, 8)
CLAIM = (1, 30, 2)
WAIT = DAY_S
STOCK, GIVEN, LOCKED = 1_000_000, 500, 2_000
"""Whole tokens."""
DEPTH = 250_000
"""USD on each side of a pool."""


@dataclass(frozen=True)
class Market:
    """A market with its pools, and who operates it."""

    chain: Chain
    operator: str
    market: Contract

    def token(self, number: int) -> Contract:
        return self.chain.at("SandboxToken", self.chain.read(self.market.token(number)))

    def feed(self, number: int) -> Contract:
        return self.chain.at("SandboxFeed", self.chain.read(self.market.feed(number)))

    def reserves(self, number: int) -> tuple[int, int]:
        """Token wei and numeraire wei in the pool."""
        pair = self.chain.read(self.market.pair(number))
        token, base = self.token(number), self.token(0)
        return self.chain.read(token.balanceOf(pair)), self.chain.read(base.balanceOf(pair))


@pytest.fixture(scope="module")
def sepolia(artifacts: Callable[[str], Artifact]) -> Iterator[Chain]:
    """A chain of its own."""
    with anvil(chain_id=SEPOLIA, timestamp=FIRST) as url:
        rpc = HttpRpc(url)
        try:
            yield Chain(rpc, artifacts)
        finally:
            rpc.close()


def deploy_market(chain: Chain, operator: str) -> Contract:
    """A market over a factory of its own, with nothing listed."""
    factory = chain.send(Call(None, factory_code(operator), "factory", []), operator)["contractAddress"]
    return chain.deploy("SandboxMarket", operator, factory, sender=operator)


def listings() -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for number, (price, decimals, claim) in enumerate(zip(PRICES, DECIMALS, CLAIM, strict=True)):
        wei = 10**decimals
        terms = f"Test {number}", f"t{number}", decimals, claim * wei, WAIT
        rows.append((terms, price, GIVEN * wei, STOCK * wei, LOCKED * wei))
    return rows


def openings() -> list[tuple[int, int, int]]:
    base = DEPTH * 10**8 * ETHER // PRICES[0]
    return [(n, DEPTH * 10**8 * 10 ** DECIMALS[n] // PRICES[n], base) for n in range(1, len(PRICES))]


@pytest.fixture(scope="module")
def made(sepolia: Chain) -> Market:
    operator = sepolia.account("operator")
    market = deploy_market(sepolia, operator)
    sepolia.send(market.list(listings()), operator)
    sepolia.send(market.open(openings()), operator)
    return Market(sepolia, operator, market)


@pytest.fixture
def opened(made: Market) -> Iterator[Market]:
    """With its pools. What a test does to it is undone."""
    snapshot = made.chain.cheats.snapshot()
    try:
        yield made
    finally:
        made.chain.cheats.revert(snapshot)
