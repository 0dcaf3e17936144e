"""Reads a rollup's fee for a batch's data, for plans (`ballast/networks/rollups.py` has the contracts to query)."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from web3 import Web3

from ballast.book import Book
from ballast.networks.presets import network_of
from ballast.networks.rollups import Question, question
from keeper.errors import ChainError
from keeper.look.retry import Head, ask_all
from keeper.look.rpc.pool import in_block

log = structlog.get_logger("keeper.look.data_fee")


class DataFees:
    """Data fees of one fund's batches. Sends no requests on a chain without such a fee."""

    def __init__(self, w3: Web3, book: Book, data: bytes) -> None:
        """`data`: call data of a representative batch."""
        self._w3 = w3
        network = network_of(book.chain_id)
        self._question = question(network, Web3.to_checksum_address(book["rebalancer"]), data)
        self._last = 0
        self._said = False

    def gas(self, head: Head, gas_price: int) -> int:
        """Cost of a batch's data, in gas at this price (wei per gas), rounded up. If the chain gives no answer: the
        last known value, at first 0, so plans go on without it."""
        if self._question is None:
            return 0
        try:
            self._last = self._asked(self._question, head, gas_price)
        except ChainError as error:
            if not self._said:
                log.warning("the fee for data is not known, plans go without it", error=str(error))
            self._said = True
        return self._last

    def _asked(self, one: Question, head: Head, gas_price: int) -> int:
        asked = ("eth_call", [{"to": one.to, "data": "0x" + one.data.hex()}, in_block(head.hash)])
        found: dict[str, int] = {}

        def fits(results: Sequence[str]) -> None:
            found[results[0]] = one.gas(bytes.fromhex(results[0][2:]), gas_price)

        (answer,) = ask_all(self._w3, [asked], "fee for data", fits=fits)
        return found[answer]
