"""Reads what a fund's upkeep can pay."""

from __future__ import annotations

from dataclasses import dataclass

from web3 import Web3

from ballast.book import Book
from ballast.units import WAD
from keeper.errors import ChainError
from keeper.look import contracts
from keeper.look.retry import Head, ask_all
from keeper.look.rpc.endpoint import Question
from keeper.look.rpc.pool import in_block


@dataclass(frozen=True)
class Purse:
    """The upkeep in one block: `shares` that it holds (18 decimals), `price` of a whole share (wei, 0: none), wei
    `left` for the period, and its terms: `monthly` and `max_base_fee` in wei, `least_sale` a share of NAV."""

    shares: int
    price: int
    left: int
    monthly: int
    max_base_fee: int
    least_sale: int

    def worth(self, *, new_period: bool) -> int:
        """Most that the upkeep would pay for a step now, wei, rounded down; `new_period`: the step begins one."""
        return min(self.shares * self.price // WAD, self.monthly if new_period else self.left)


def read_purse(w3: Web3, book: Book, head: Head) -> Purse:
    """The upkeep in a block, in one round trip; the book must have one. Raises ChainError."""
    to = Web3.to_checksum_address(book["upkeep"])
    views = ("purse", "terms")
    questions: list[Question] = [
        ("eth_call", [{"to": to, "data": contracts.call_data("Upkeep", view)}, in_block(head.hash)]) for view in views
    ]
    purse, terms = ask_all(w3, questions, "upkeep")
    try:
        shares, price, left = contracts.returned("Upkeep", "purse", purse)
        (found,) = contracts.returned("Upkeep", "terms", terms)
    except (TypeError, ValueError, AttributeError) as error:
        raise ChainError(f"upkeep: {error}") from None
    return Purse(shares, price, left, found.monthly, found.maxBaseFee, found.leastSale)
