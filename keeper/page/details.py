"""Reads details that a look does not have, from time to time: fee, weights of a determination, ether's price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from web3 import Web3
from web3.contract import Contract

from ballast.abi import call_view
from ballast.book import Book
from ballast.rule.methodology import Status
from ballast.rule.packed import decision
from ballast.values import NO_ADDRESS
from keeper.look import contracts
from keeper.look.retry import Head, ask
from keeper.state import FundState, Phase

ETH = NO_ADDRESS
"""The oracle's key for ether."""


@dataclass(frozen=True)
class Details:
    """The yearly `streaming_fee` (18 decimals), its recipient, and the fee accrued but not minted yet (shares, 18
    decimals). `coming`: the determination's weights (18 decimals) by token, while the month waits for its start."""

    streaming_fee: int
    fee_recipient: str
    pending_fee: int
    coming: Mapping[str, int] | None


class DetailsReader:
    """Reads one fund's details: three calls, and one more between determination and start."""

    def __init__(self, w3: Web3, book: Book) -> None:
        self._index, self._lens = (
            w3.eth.contract(address=Web3.to_checksum_address(book[name]), abi=contracts.abi(kind), decode_tuples=True)
            for name, kind in (("index_token", "IndexToken"), ("lens", "FundLens"))
        )
        self._rebalancer = Web3.to_checksum_address(book["rebalancer"])
        self._w3 = w3
        # With anchors, only the first oracle has ether's feed.
        self._oracle = book.contracts.get("first_oracle", book["oracle"])

    def read(self, head: Head, state: FundState) -> Details:
        """The details in a block. Raises ChainError."""

        def view(contract: Contract, name: str, *args: Any) -> Any:
            return ask(lambda: contract.functions[name](*args).call(block_identifier=head.number), name)

        coming = None
        if state.phase is Phase.DETERMINED:
            found = [decision(row._asdict()) for row in view(self._lens, "constituents", self._rebalancer)]
            coming = {d.token: d.weight for d in found if d.status is Status.INCLUDED}
        fee, recipient, pending = (view(self._index, name) for name in ("streamingFee", "feeRecipient", "pendingFee"))
        return Details(fee, recipient, pending, coming)

    def eth_price(self, head: Head) -> int:
        """The oracle's price of ether in a block, USD with 18 decimals; 0: none. Raises ChainError."""
        found = ask(
            lambda: call_view(self._w3, self._oracle, "price(address)", ["uint256"], ETH, block=head.number), "price"
        )
        return int(found[0]) if found else 0
