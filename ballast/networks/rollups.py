"""A rollup's fee for a transaction's data, in addition to the gas of its execution: how to query it, and its decoding.

OP-stack chains charge the sender ether on top; a contract on every such chain returns the amount
(`GasPriceOracle.getL1Fee`). Arbitrum charges it as gas, included in every estimate and receipt; its nodes return the
amount (`NodeInterface.gasEstimateL1Component`; that address has no code, the node answers calls to it).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from eth_abi import decode
from eth_abi.exceptions import DecodingError
from web3 import Web3
from web3.exceptions import Web3Exception

from ballast.abi import encode_call
from ballast.networks.presets import Network, Rollup
from ballast.values import NO_ADDRESS

GAS_PRICE_ORACLE = "0x420000000000000000000000000000000000000F"
"""On OP-stack chains; source: specs.optimism.io, predeploys."""
NODE_INTERFACE = "0x00000000000000000000000000000000000000C8"
"""On Arbitrum; source: docs.arbitrum.io, NodeInterface."""
MAX_WEI = 10**18
"""A higher fee for one transaction's data is implausible: 24 kB of calldata on Ethereum at 100 gwei cost 0.04 ether."""
ENVELOPE = 110
"""Approximate bytes of a signed transaction without its data and its signature, which the chain adds itself."""


@dataclass(frozen=True)
class Question:
    """A call of `to` with `data` that returns the fee for one transaction's data."""

    rollup: Rollup
    to: str
    data: bytes

    def gas(self, answer: bytes, gas_price: int) -> int:
        """The fee in gas at this price (wei per gas), rounded up. Raises ValueError for a malformed or implausible
        answer."""
        types = ["uint256"] if self.rollup == "op-stack" else ["uint64", "uint256", "uint256"]
        try:
            said = int(decode(types, answer)[0])
        except (DecodingError, OverflowError) as error:
            raise ValueError(f"is no fee ({error})") from None
        by_gas = self.rollup == "arbitrum"
        if (wei := said * gas_price if by_gas else said) > MAX_WEI:
            raise ValueError(f"is no fee: {wei} wei, expected at most {MAX_WEI}")
        return said if by_gas else -(-said // max(1, gas_price))


def question(network: Network, to: str | None, data: bytes) -> Question | None:
    """The query for a transaction with this data to `to` (None: a creation); None if the chain charges no data fee."""
    if network.rollup == "op-stack":
        return Question("op-stack", GAS_PRICE_ORACLE, encode_call("getL1Fee(bytes)", data + b"\xff" * ENVELOPE))
    if network.rollup == "arbitrum":
        signature = "gasEstimateL1Component(address,bool,bytes)"
        return Question("arbitrum", NODE_INTERFACE, encode_call(signature, to or NO_ADDRESS, to is None, data))
    return None


def creation_gas(w3: Web3, network: Network, codes: Iterable[bytes], gas_price: int) -> int:
    """Cost of the data of these creations together, in gas at this price (wei per gas); 0 if the chain gives no
    answer."""
    total = 0
    for code in codes:
        asked = question(network, None, code)
        if asked is None:
            return 0
        try:
            answer = w3.eth.call({"to": Web3.to_checksum_address(asked.to), "data": "0x" + asked.data.hex()})  # type: ignore[typeddict-item]
            total += asked.gas(bytes(answer), gas_price)
        except (Web3Exception, ValueError):
            return 0
    return total
