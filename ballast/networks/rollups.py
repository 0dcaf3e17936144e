"""What a rollup asks for a transaction's data, beside the gas of its execution: whom to ask, and what the answer says.

OP-stack chains take it from the sender as ether on top, and a contract of every such chain says how much
(`GasPriceOracle.getL1Fee`). Arbitrum counts it as gas, which is part of every estimate and receipt there; its nodes say
how much (`NodeInterface.gasEstimateL1Component`; no contract stands there, the node answers calls to it).
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
"""Of OP-stack chains: specs.optimism.io, predeploys."""
NODE_INTERFACE = "0x00000000000000000000000000000000000000C8"
"""Of Arbitrum: docs.arbitrum.io, NodeInterface."""
MAX_WEI = 10**18
"""More for one transaction's data is no answer: 24 kB of call data on Ethereum at 100 gwei cost 0.04 ether."""
ENVELOPE = 110
"""About the bytes of a signed transaction beside its data and its signature, which the chain adds by itself."""


@dataclass(frozen=True)
class Question:
    """A call of `to` with `data` that asks for the fee of one transaction's data."""

    rollup: Rollup
    to: str
    data: bytes

    def gas(self, answer: bytes, gas_price: int) -> int:
        """The fee in gas at this price (wei), rounded up. Raises ValueError for what is no answer."""
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
    """About a transaction with this data to `to`, None: it creates a contract. None where data costs nothing more."""
    if network.rollup == "op-stack":
        return Question("op-stack", GAS_PRICE_ORACLE, encode_call("getL1Fee(bytes)", data + b"\xff" * ENVELOPE))
    if network.rollup == "arbitrum":
        signature = "gasEstimateL1Component(address,bool,bytes)"
        return Question("arbitrum", NODE_INTERFACE, encode_call(signature, to or NO_ADDRESS, to is None, data))
    return None


def creation_gas(w3: Web3, network: Network, codes: Iterable[bytes], gas_price: int) -> int:
    """What the data of these creations costs together, in gas at this price (wei); 0 where the chain does not say."""
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
