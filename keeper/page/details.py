"""Details that a look does not hold, read now and then: the fee, and the weights fixed by a determination."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from web3 import Web3

from ballast.book import Book
from ballast.rule.methodology import Status
from ballast.rule.packed import decision
from keeper.look import contracts
from keeper.look.retry import Head, ask
from keeper.state import FundState, Phase


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
        self._index = w3.eth.contract(
            address=Web3.to_checksum_address(book["index_token"]), abi=contracts.abi("IndexToken")
        )
        self._lens = w3.eth.contract(address=Web3.to_checksum_address(book["lens"]), abi=contracts.abi("FundLens"))
        self._rebalancer = Web3.to_checksum_address(book["rebalancer"])

    def read(self, head: Head, state: FundState) -> Details:
        """The details in a block. Raises ChainError."""
        block, functions = head.number, self._index.functions
        coming = None
        if state.phase is Phase.DETERMINED:
            rows = ask(
                lambda: self._lens.functions.constituents(self._rebalancer).call(block_identifier=block),
                "constituents",
            )
            found = [decision(dict(zip(_FIELDS, row, strict=True))) for row in rows]
            coming = {d.token: d.weight for d in found if d.status is Status.INCLUDED}
        return Details(
            streaming_fee=ask(lambda: functions.streamingFee().call(block_identifier=block), "streamingFee"),
            fee_recipient=ask(lambda: functions.feeRecipient().call(block_identifier=block), "feeRecipient"),
            pending_fee=ask(lambda: functions.pendingFee().call(block_identifier=block), "pendingFee"),
            coming=coming,
        )


_FIELDS = ("token", "basis", "status", "flags", "price", "weight", "confirmed", "member")
