"""Uniswap V2 on a test network: the exchange that exists there, and the code to deploy one where none does."""

from __future__ import annotations

from eth_abi import encode
from eth_utils import to_checksum_address
from web3 import Web3

from ballast.abi import call_view, has_code
from ballast.networks.exchanges import V2_CODE_HASH, v2_pool_address
from ballast.networks.presets import Exchange, network_of
from ballast.packages import creation_code

_FACTORY = "@uniswap/v2-core/build/UniswapV2Factory.json"
_ROUTER = "@uniswap/v2-periphery/build/UniswapV2Router02.json"


def standing_exchange(w3: Web3, chain_id: int) -> Exchange | None:
    """The exchange known for the chain, if it is deployed, factory and router belong together, and the factory's pairs
    have Uniswap's own code: a zap finds them by its hash. None otherwise."""
    found = network_of(chain_id).uniswap_v2
    if found is None or not has_code(w3, found.factory) or not has_code(w3, found.router):
        return None
    belongs = call_view(w3, found.router, "factory()", ["address"])
    if belongs is None or to_checksum_address(belongs[0]) != found.factory:
        return None
    count = call_view(w3, found.factory, "allPairsLength()", ["uint256"])
    if count is None:
        return None
    return found if not count[0] or _has_own_code(w3, found.factory) else None


def _has_own_code(w3: Web3, factory: str) -> bool:
    first = call_view(w3, factory, "allPairs(uint256)", ["address"], 0)
    if first is None:
        return False
    sides = [call_view(w3, first[0], f"{side}()", ["address"]) for side in ("token0", "token1")]
    one, other = (str(side[0]) if side else "" for side in sides)
    if not one or not other:
        return False
    return v2_pool_address(factory, V2_CODE_HASH, one, other) == to_checksum_address(first[0])


def factory_code(setter: str) -> bytes:
    """Creation code of a factory. `setter`: who may name a recipient of a fee on swaps; there is none at first."""
    return creation_code(_FACTORY) + encode(["address"], [setter])


def router_code(factory: str, weth: str) -> bytes:
    """Creation code of a router."""
    return creation_code(_ROUTER) + encode(["address", "address"], [factory, weth])
