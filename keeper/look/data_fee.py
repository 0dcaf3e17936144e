"""What a rollup asks for a transaction's data, beside the gas of its execution.

OP-stack chains take it from the sender as ether on top, and a contract of every such chain says how much
(`GasPriceOracle.getL1Fee`). Arbitrum counts it as gas, which is part of every estimate and receipt there; its nodes say
how much (`NodeInterface.gasEstimateL1Component`; no contract stands there, the node answers calls to it).
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from eth_abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils import keccak
from web3 import Web3

from ballast.abi import encode_call
from ballast.book import Book
from ballast.networks import Network, network_of
from keeper.errors import ChainError
from keeper.look import contracts
from keeper.look.retry import Head, ask_all
from keeper.look.rpc.pool import in_block
from keeper.plan.order import FILLER, data_of, hop_word
from keeper.pools.venues import PoolKind

GAS_PRICE_ORACLE = "0x420000000000000000000000000000000000000F"
"""Of OP-stack chains: specs.optimism.io, predeploys."""
NODE_INTERFACE = "0x00000000000000000000000000000000000000C8"
"""Of Arbitrum: docs.arbitrum.io, NodeInterface."""
ENVELOPE = 110
"""About the bytes of a signed transaction beside its call data and its signature, which the chain adds by itself."""
_WORDS = {"op-stack": ["uint256"], "arbitrum": ["uint64", "uint256", "uint256"]}

log = structlog.get_logger("keeper.look.data_fee")


def whole_batch(book: Book) -> bytes:
    """Call data as long, and as hard to compress, as that of a batch that trades every component in its first pool."""
    traded = [candidate for candidate in book.candidates if candidate.pools]
    count = len(traded)
    digests = [keccak(text=candidate.token) for candidate in traded]
    amounts = [int.from_bytes(digest[:11], "big") for digest in digests]
    hops = [
        hop_word(candidate.pools[0].pair, PoolKind.V2, 0, 0, int.from_bytes(digest[:8], "big"))  # type: ignore[arg-type]
        for candidate, digest in zip(traded, digests, strict=True)
    ]
    value = int.from_bytes(keccak(text=book.fund)[:11], "big")
    places = list(range(count))
    order = places, amounts, [FILLER] * count, places, value, book["filler"], data_of(hops)
    return bytes.fromhex(contracts.call_data("Rebalancer", "trade", order)[2:])


class DataFees:
    """Of one fund's batches. Asks nothing on a chain that has none."""

    def __init__(self, w3: Web3, book: Book) -> None:
        self._w3 = w3
        self._network: Network = network_of(book.chain_id)
        self._to = Web3.to_checksum_address(book["rebalancer"])
        self._data = b"" if self._network.rollup is None else whole_batch(book)
        self._last = 0
        self._said = False

    def gas(self, head: Head, gas_price: int) -> int:
        """What a batch's data costs, in gas at this price (wei), rounded up. What the chain does not say stays as it
        was last, 0 at first: a plan is then made without it."""
        if self._network.rollup is None:
            return 0
        try:
            self._last = self._asked(head, max(1, gas_price))
        except ChainError as error:
            if not self._said:
                log.warning("the fee for data is not known, plans go without it", error=str(error))
            self._said = True
        return self._last

    def _asked(self, head: Head, gas_price: int) -> int:
        if self._network.rollup == "op-stack":
            to, call = GAS_PRICE_ORACLE, encode_call("getL1Fee(bytes)", self._data + b"\xff" * ENVELOPE)
        else:
            to = NODE_INTERFACE
            call = encode_call("gasEstimateL1Component(address,bool,bytes)", self._to, False, self._data)
        question = ("eth_call", [{"to": to, "data": "0x" + call.hex()}, in_block(head.hash)])
        found: dict[str, int] = {}

        def fits(results: Sequence[str]) -> None:
            found[results[0]] = self._decoded(results[0])

        (answer,) = ask_all(self._w3, [question], "fee for data", fits=fits)
        said = found[answer]
        return said if self._network.rollup == "arbitrum" else -(-said // gas_price)

    def _decoded(self, answer: str) -> int:
        """Wei on an OP-stack chain, gas on Arbitrum. Raises ValueError for what is neither."""
        try:
            return int(decode(_WORDS[str(self._network.rollup)], bytes.fromhex(answer[2:]))[0])
        except (DecodingError, OverflowError) as error:
            raise ValueError(f"is no fee ({error})") from None
