"""A Chainlink oracle with feeds of its own, for the tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass

from tests.helpers.chain import Chain
from tests.helpers.contracts import Call, Contract
from tests.helpers.fund import IN_ETH, PEGGED, USD

A, B, C, D = (f"0x{k:040x}" for k in (0xAA, 0xBB, 0xCC, 0xDD))
MAX_AGE = 3600
MAX_PRICE = 10**30
ETH_USD = 1942_51000000


@dataclass(frozen=True)
class Bench:
    """An oracle with feeds for A (8 decimals), B (18 decimals), C (quoted in ETH); D has none."""

    chain: Chain
    oracle: Contract
    flag: Contract
    owner: str
    eth: Contract
    a: Contract
    b: Contract
    c: Contract

    def feed(self, decimals: int, answer: int, age: int = 0) -> Contract:
        """A new feed that has answered."""
        feed = self.chain.deploy("ReferenceFeed", sender=self.owner)
        self.chain.send(feed.init("TEST / USD", decimals), self.owner)
        self.post(feed, answer, age)
        return feed

    def post(self, feed: Contract, answer: int, age: int = 0) -> None:
        """Posts an answer of this age without moving the time."""
        now = self.chain.now()
        self.chain.send(feed.post(answer, now - age), self.owner, at=now)

    def price(self, token: str, later: int = 0) -> int:
        price: int = self.chain.read(self.oracle.price(token), at=self.chain.now() + later)
        return price

    def row(
        self, token: str, feed: Contract | str, band: tuple[int, int] = (0, 0), quote: int = USD, ratio: int = 0
    ) -> tuple[str, Contract | str, int, int, int, int, int]:
        """A feed, or a peg, as the oracle takes it."""
        return (token, feed, 0 if quote == PEGGED else MAX_AGE, quote, ratio, *band)

    def set(self, token: str, feed: Contract | str, max_age: int = MAX_AGE, in_eth: bool = False) -> Call:
        """Without a band."""
        return self.oracle.setFeed((token, feed, max_age, IN_ETH if in_eth else USD, 0, 0, 0))
