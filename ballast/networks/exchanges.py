"""The exchanges that a zap uses, by chain: their factories, and the hashes of their pools' creation code, which
together with the tokens give a pool's address (CREATE2)."""

from __future__ import annotations

from typing import NamedTuple

from eth_abi import encode
from eth_utils import keccak, to_checksum_address

from ballast.values import NO_ADDRESS

V2_CODE_HASH = bytes.fromhex("96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f")
"""Hash of the creation code of Uniswap V2's pairs."""
SUSHISWAP_CODE_HASH = bytes.fromhex("e18a34eb0e04b04f7a0ac29a6e80748dca96319b42c54d679cb821dca90c6303")
"""Hash of the creation code of SushiSwap's pairs."""
V3_CODE_HASH = bytes.fromhex("e34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54")
"""Hash of the creation code of Uniswap V3's pools."""


class Exchanges(NamedTuple):
    """The exchanges as argument of the zap's constructor."""

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
"""By chain id. Funds on other chains have a zap only if their file names a factory of Uniswap V2."""

USDC = {1: "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"}
"""Circle's USDC by chain id: the token that commands call "usdc"."""

V3_FEES = (100, 500, 3_000, 10_000)
"""Fee tiers of Uniswap V3 on mainnet, millionths."""


def exchanges_of(chain_id: int, uniswap_v2: str | None) -> Exchanges | None:
    """The exchanges of a fund's zap; None if it has none. `uniswap_v2`: the factory that the fund's file names instead
    of the chain's exchanges."""
    if uniswap_v2 is None:
        return EXCHANGES.get(chain_id)
    return Exchanges(uniswap_v2, V2_CODE_HASH, NO_ADDRESS, bytes(32), NO_ADDRESS, bytes(32))


def v2_pool_address(factory: str, code_hash: bytes, one: str, other: str) -> str:
    """Address of the pair of two tokens from a factory of the Uniswap V2 family (CREATE2), whether or not it exists."""
    salt = keccak(b"".join(bytes.fromhex(token[2:]) for token in _sorted(one, other)))
    return _created(factory, salt, code_hash)


def v3_pool_address(factory: str, one: str, other: str, fee: int, code_hash: bytes = V3_CODE_HASH) -> str:
    """Address of the pool of two tokens and a fee (millionths) from Uniswap V3's factory (CREATE2), whether or not it
    exists."""
    salt = keccak(encode(["address", "address", "uint24"], [*_sorted(one, other), fee]))
    return _created(factory, salt, code_hash)


def _sorted(one: str, other: str) -> list[str]:
    """Two tokens in pool order: by address."""
    return sorted((one, other), key=lambda token: int(token, 16))


def _created(factory: str, salt: bytes, code_hash: bytes) -> str:
    return str(to_checksum_address(keccak(b"\xff" + bytes.fromhex(factory[2:]) + salt + code_hash)[-20:]))
