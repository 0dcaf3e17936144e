"""Reads a sandbox's market in one block, in one round trip."""

from __future__ import annotations

from typing import Any

from web3 import Web3

from ballast.abi import call_data, decode_view
from keeper.errors import ChainError
from keeper.look.fund_reader import Head
from keeper.look.retry import ask_all
from keeper.look.rpc.endpoint import Question
from keeper.sending.simulate import pinned
from sandbox.book import SandboxBook
from sandbox.decide import MarketState, PoolReserves

ROUND = ("uint80", "int256", "uint256")
RESERVES = ("uint112", "uint112", "uint32")


class MarketReader:
    """One sandbox on one chain, read-only."""

    def __init__(self, w3: Web3, book: SandboxBook) -> None:
        self._w3 = w3
        self.book = book
        self._calls = [(book.market, call_data("latest(uint256)", asset.number)) for asset in book.assets]
        self._calls += [(one.pair, call_data("getReserves()")) for one in book.components if one.pair]

    def owner(self) -> str:
        """The account that may post and trade. Raises ChainError."""
        question: Question = ("eth_call", [{"to": self.book.market, "data": call_data("owner()")}, "latest"])
        (answer,) = ask_all(self._w3, [question], "the market's owner")
        return str(Web3.to_checksum_address(_decoded(answer, ("address",), "the market's owner")[0]))

    def read(self, head: Head) -> MarketState:
        """The market in that block. Raises ChainError."""
        questions: list[Question] = [("eth_call", [{"to": to, "data": data}, pinned(head)]) for to, data in self._calls]
        answers = ask_all(self._w3, questions, "the market")
        assets = self.book.assets
        rounds = [_decoded(answer, ROUND, "a feed's round") for answer in answers[: len(assets)]]
        for asset, (_, price, _) in zip(assets, rounds, strict=True):
            if price <= 0:
                raise ChainError(f"price of {asset.symbol}: the node answered {price}, expected one above 0")
        pools = []
        paired = [one for one in self.book.components if one.pair]
        for asset, answer in zip(paired, answers[len(assets) :], strict=True):
            first, second, _ = _decoded(answer, RESERVES, f"reserves of {asset.symbol}")
            ascends = int(asset.token, 16) < int(self.book.numeraire.token, 16)
            token, base = (first, second) if ascends else (second, first)
            if token and base:
                pools.append(PoolReserves(asset.number, token, base))
        return MarketState(head.time, rounds[0][2], tuple(answer for _, answer, _ in rounds), tuple(pools))


def _decoded(answer: Any, returns: tuple[str, ...], what: str) -> tuple[Any, ...]:
    found = decode_view(bytes.fromhex(str(answer).removeprefix("0x")), returns)
    if found is None:
        raise ChainError(
            f"{what}: the node answered {answer!r}, expected {', '.join(returns)}; is the book's market there?"
        )
    return found
