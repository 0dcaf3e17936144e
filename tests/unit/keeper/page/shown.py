"""A fund to show: that of April 2021 as it trades, with names for its components and a page in front of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ballast.book import Book, BookCandidate
from keeper.errors import ChainError
from keeper.look.fund_reader import Head
from keeper.ops.facts import Facts, FundFacts
from keeper.page.details import Details, DetailsReader
from keeper.page.samples import Samples
from keeper.page.status import StatusPage
from keeper.state import FundState
from keeper.view import View
from tests.unit.keeper.ops.facts import BOUNDS, facts_of, fund_facts, view_of
from tests.unit.keeper.simulated import WETH, Simulated, load

REBALANCER = "0x" + "ab" * 20
OTHER = "0x" + "cd" * 20
FEE = 95 * 10**14
ETH_PRICE = 1_918 * 10**18


def book_of(name: str = "fund", rebalancer: str = REBALANCER, symbols: Mapping[str, str] | None = None) -> Book:
    """An address book that knows the components of April; `symbols`: other ones, by the right one."""
    month, _ = load()
    changed = symbols or {}
    candidates = tuple(
        BookCandidate(changed.get(c.symbol, c.symbol), c.address, c.decimals, ()) for c in month.components
    )
    contracts = {"index_token": "0x" + "1d" * 20, "rebalancer": rebalancer}
    return Book(name, 1, 1, contracts, WETH, candidates)


class Fees(DetailsReader):
    """A fee as it might be read, and how often it was; `fails`: the node does not answer."""

    def __init__(self, coming: Mapping[str, int] | None = None) -> None:
        self.coming = coming
        self.asked = 0
        self.fails = False

    def read(self, head: Head, state: FundState) -> Details:
        del head, state
        self.asked += 1
        if self.fails:
            raise ChainError("streamingFee: the node does not answer")
        return Details(FEE, OTHER, 3 * 10**18, self.coming)

    def eth_price(self, head: Head) -> int:
        del head
        if self.fails:
            raise ChainError("price: the node does not answer")
        return ETH_PRICE


@dataclass
class Stage:
    """A page and what it is told. `facts` may be changed."""

    facts: Facts
    history: Samples
    fees: Fees = field(default_factory=Fees)
    page: StatusPage = field(init=False)

    def __post_init__(self) -> None:
        readers = [(fund.book, self.fees) for fund in self.facts.funds]
        self.page = StatusPage(readers, facts=lambda: self.facts, bounds=BOUNDS, samples=self.history)

    def look(self, view: View, number: int = 0) -> None:
        """A look at one of the funds."""
        fund = self.facts.funds[number]
        assert fund.pulse is not None
        funds = list(self.facts.funds)
        funds[number] = replace(fund, view=view)
        self.facts = replace(self.facts, funds=tuple(funds))
        self.page.looked(fund.name, view, fund.pulse)

    def told(self, number: int = 0) -> dict[str, Any]:
        """What the page says of a fund."""
        found: dict[str, Any] = self.page.state()["funds"][number]
        return found


@contextmanager
def stage(path: Path, *funds: FundFacts, **changes: Any) -> Iterator[Stage]:
    """A page of these funds with its samples in `path`."""
    with closing(Samples(path)) as history:
        yield Stage(facts_of(*funds, **changes), history)


def april_facts(april: Simulated, **changes: Any) -> FundFacts:
    """The fund of April as just looked at."""
    return fund_facts(april, **{"book": book_of(), **changes})


__all__ = ["ETH_PRICE", "FEE", "OTHER", "REBALANCER", "Fees", "Stage", "april_facts", "book_of", "stage", "view_of"]
