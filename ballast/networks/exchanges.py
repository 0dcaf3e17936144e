"""The exchanges that a zap swaps on, by chain: their factories, and the hashes of their pools' creation code, which
with the tokens give a pool's address (CREATE2)."""

from __future__ import annotations

from typing import NamedTuple

from eth_abi import encode
from eth_utils import keccak, to_checksum_address

from ballast.values import NO_ADDRESS

V2_CODE_HASH = bytes.fromhex("96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f")
"""Of the pairs of Uniswap V2."""
SUSHISWAP_CODE_HASH = bytes.fromhex("e18a34eb0e04b04f7a0ac29a6e80748dca96319b42c54d679cb821dca90c6303")
"""Of the pairs of SushiSwap."""
V3_CODE_HASH = bytes.fromhex("e34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54")
"""Of the pools of Uniswap V3."""


class Exchanges(NamedTuple):
    """As the zap's constructor takes them."""

    uniswap_v2: str
    uniswap_v2_code: bytes
    sushiswap_v2: str
    sushiswap_v2_code: bytes
    uniswap_v3: str
    uniswap_v3_code: bytes


EXCHANGES = {
    1: Exchanges(
        "0x5C69bEe701ef814a2B6a3EDD4B1652CB9cc5aA6f",
        V2_CODE_HASH,
        "0xC0AEe478e3658e2610c5F7A4A2E1777cE9e4f2Ac",
        SUSHISWAP_CODE_HASH,
        "0x1F98431c8aD98523631AE4a59f267346ea31F984",
        V3_CODE_HASH,
    ),
}
"""By chain id. Funds on other chains have a zap only where their file names a factory of Uniswap V2."""

USDC = {1: "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"}
"""Circle's dollar by chain id: what a command means by "usdc"."""

V3_FEES = (100, 500, 3_000, 10_000)
"""Millionths that pools of Uniswap V3 take on mainnet."""


def exchanges_of(chain_id: int, uniswap_v2: str | None) -> Exchanges | None:
    """Those of a fund's zap. `uniswap_v2`: the factory that the fund's file names in their place."""
    if uniswap_v2 is None:
        return EXCHANGES.get(chain_id)
    return Exchanges(uniswap_v2, V2_CODE_HASH, NO_ADDRESS, bytes(32), NO_ADDRESS, bytes(32))


def v2_pool_address(factory: str, code_hash: bytes, one: str, other: str) -> str:
    """Where a factory of the Uniswap V2 family puts the pair of two tokens (CREATE2), whether or not there is one."""
    salt = keccak(b"".join(bytes.fromhex(token[2:]) for token in _sorted(one, other)))
    return _created(factory, salt, code_hash)


def v3_pool_address(factory: str, one: str, other: str, fee: int, code_hash: bytes = V3_CODE_HASH) -> str:
    """Where Uniswap V3's factory puts the pool of two tokens and a fee in millionths (CREATE2)."""
    salt = keccak(encode(["address", "address", "uint24"], [*_sorted(one, other), fee]))
    return _created(factory, salt, code_hash)


def _sorted(one: str, other: str) -> list[str]:
    """As every pool orders its tokens."""
    return sorted((one, other), key=lambda token: int(token, 16))


def _created(factory: str, salt: bytes, code_hash: bytes) -> str:
    return str(to_checksum_address(keccak(b"\xff" + bytes.fromhex(factory[2:]) + salt + code_hash)[-20:]))
