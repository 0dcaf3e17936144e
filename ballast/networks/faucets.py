"""Texts about where to get the ether and the tokens of a test network.

Ether's faucets are in networks.json; a sandbox's tokens have faucets of their own. Sources of the others: LINK is from
Chainlink's faucet; WBTC and DAI of funds/sepolia.yaml are Aave's test tokens (its address book AaveV3Sepolia), from
Aave's faucet.
"""

from __future__ import annotations

from web3 import Web3

from ballast.abi import call_view
from ballast.networks.presets import network_of

SEPOLIA = 11_155_111
_AAVE = "get it from https://app.aave.com/faucet, in testnet mode"
_TOKENS = {
    (SEPOLIA, "0x779877A7B0D9E8603169DdbD7836e478b4624789"): "get it from https://faucets.chain.link/sepolia",
    (SEPOLIA, "0x29f2D40B0605204364af54EC677bD022dA425d03"): _AAVE,
    (SEPOLIA, "0xFF34B3d4Aee8ddCd6F9AFFFB6Fe49bD371b8a357"): _AAVE,
}


def ether_from(chain_id: int) -> str:
    """Remedy for too little ether."""
    return network_of(chain_id).faucet or "send it some"


def token_from(w3: Web3, token: str, weth: str) -> str:
    """Remedy for too little of a token. `weth`: the chain's."""
    chain_id = w3.eth.chain_id
    if network_of(chain_id).test and _is_sandboxs(w3, token):
        return "claim it, once a day, with `ape run sandbox claim`"
    if token == weth:
        return f"wrap ether: what is sent to {weth} comes back as WETH"
    return _TOKENS.get((chain_id, token), "buy it, or send it there")


def _is_sandboxs(w3: Web3, token: str) -> bool:
    """Whether it is a `SandboxToken`: it has a view for the market that lists it."""
    market = call_view(w3, token, "MARKET()", ["address"])
    return market is not None and int(market[0], 16) != 0
