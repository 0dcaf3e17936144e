"""What the page shows beyond a look: the fee, and the weights that a determination has fixed. Read now and then."""

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
    """`streaming_fee` a year (18 decimals), who gets it, and what has accrued and not been minted yet (shares of 18
    decimals). `coming`: weights (18 decimals) of the month's determination by token, while it waits for its start."""

    streaming_fee: int
    fee_recipient: str
    pending_fee: int
    coming: Mapping[str, int] | None


class DetailsReader:
    """Reads them for one fund: three calls, and one more between determination and start."""

    def __init__(self, w3: Web3, book: Book) -> None:
        self._index = w3.eth.contract(
            address=Web3.to_checksum_address(book["index_token"]), abi=contracts.abi("IndexToken")
        )
        self._lens = w3.eth.contract(address=Web3.to_checksum_address(book["lens"]), abi=contracts.abi("FundLens"))
        self._rebalancer = Web3.to_checksum_address(book["rebalancer"])

    def read(self, head: Head, state: FundState) -> Details:
        """As they stand in a block. Raises ChainError."""
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
