"""Mainnet's exchanges at their mainnet addresses: the original deployers send the published code.

To add a contract: its line in data/addresses/mainnet_deployments.json and its recipe in `recipes`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eth_abi import encode
from eth_utils import keccak, to_checksum_address

from ballast.abi import call_data
from ballast.units import ETHER
from lab.localnet import artifacts
from lab.localnet.addresses import Origin, origins
from lab.localnet.anvil import Cheats
from lab.localnet.errors import LocalnetError
from lab.localnet.rpc import Rpc, send

WETH9_CODE_HASH = "d0a06b12ac47863b5c7be4185c2deaad1c61557033f56c7d4ea74429cbb25e23"
"""Code hash of mainnet's WETH9."""

V3_OWNER = "0x1a9C8182C09F50C8318d769245beA52c32BE35BC"
"""Owner of mainnet's V3 factory: the timelock of Uniswap's governance, to which the deployer transferred it."""
V3_TICK_SPACINGS = {100: 1, 500: 10, 3000: 60, 10_000: 200}
"""Tick spacing by fee in millionths. The factory starts with all but the first, which its owner enabled."""

_DEPLOY_GAS = 10_000_000
_V3_FACTORY = "@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json"


@dataclass(frozen=True)
class Exchanges:
    """Addresses of the contracts that `deploy_exchanges` deployed."""

    weth: str
    uniswap_factory: str
    uniswap_router: str
    sushiswap_factory: str
    sushiswap_router: str
    uniswap_v3_factory: str

    def factory(self, venue: str) -> str:
        return {"uniswap": self.uniswap_factory, "sushiswap": self.sushiswap_factory}[venue]


@dataclass(frozen=True)
class Recipe:
    """How to make the creation code of one contract, arguments included."""

    origin: Origin
    code: Callable[[], bytes]


def recipes(known: dict[str, Origin]) -> list[Recipe]:
    """What to deploy, in order.

    The factories' `feeToSetter` is their deployer. `feeTo` stays empty: Uniswap's protocol fee was off, and Sushi's is
    taken from the liquidity providers, so swaps cost the same.
    """
    weth = known["WETH9"]
    uniswap, uniswap_router = known["UniswapV2Factory"], known["UniswapV2Router02"]
    sushi, sushi_router = known["SushiV2Factory"], known["SushiV2Router02"]

    def with_args(name: str, *addresses: str) -> Callable[[], bytes]:
        return lambda: artifacts.creation_code(name) + encode(["address"] * len(addresses), addresses)

    def sushi_router_code() -> bytes:
        code = artifacts.creation_code("@sushiswap/core/deployments/mainnet/UniswapV2Router.json")
        expected = encode(["address", "address"], [sushi.address, weth.address])
        if not code.endswith(expected):
            raise LocalnetError("Sushi's router: the package's code was made for another factory or WETH")
        return code

    return [
        Recipe(weth, artifacts.weth9_creation_code),
        Recipe(uniswap, with_args("@uniswap/v2-core/build/UniswapV2Factory.json", uniswap.deployer)),
        Recipe(
            uniswap_router,
            with_args("@uniswap/v2-periphery/build/UniswapV2Router02.json", uniswap.address, weth.address),
        ),
        Recipe(sushi, with_args("@sushiswap/core/deployments/mainnet/UniswapV2Factory.json", sushi.deployer)),
        Recipe(sushi_router, sushi_router_code),
        Recipe(known["UniswapV3Factory"], lambda: artifacts.creation_code(_V3_FACTORY)),
    ]


def deploy_exchanges(rpc: Rpc) -> Exchanges:
    """Deploy WETH9, Uniswap V2 and V3 and SushiSwap at their mainnet addresses."""
    known = origins()
    cheats = Cheats(rpc)
    for recipe in recipes(known):
        _deploy(rpc, cheats, recipe)
    _hand_over(rpc, cheats, known["UniswapV3Factory"])
    weth = known["WETH9"].address
    found = keccak(hexstr=rpc.request("eth_getCode", weth, "latest")).hex()
    if found != WETH9_CODE_HASH:
        raise LocalnetError(f"WETH9 at {weth}: code hash {found}, expected {WETH9_CODE_HASH}")
    return Exchanges(
        weth=weth,
        uniswap_factory=known["UniswapV2Factory"].address,
        uniswap_router=known["UniswapV2Router02"].address,
        sushiswap_factory=known["SushiV2Factory"].address,
        sushiswap_router=known["SushiV2Router02"].address,
        uniswap_v3_factory=known["UniswapV3Factory"].address,
    )


def _hand_over(rpc: Rpc, cheats: Cheats, factory: Origin) -> None:
    """Transfer the V3 factory to its owner, who enables the smallest fee, as on mainnet."""
    calls = (
        (factory.deployer, call_data("setOwner(address)", V3_OWNER)),
        (V3_OWNER, call_data("enableFeeAmount(uint24,int24)", 100, V3_TICK_SPACINGS[100])),
    )
    for sender, data in calls:
        with cheats.acting_as(sender, 1000 * ETHER):
            send(rpc, sender, factory.address, data, gas=_DEPLOY_GAS)


def _deploy(rpc: Rpc, cheats: Cheats, recipe: Recipe) -> None:
    origin = recipe.origin
    cheats.set_nonce(origin.deployer, origin.nonce)
    with cheats.acting_as(origin.deployer, 1000 * ETHER):
        receipt = send(rpc, origin.deployer, None, "0x" + recipe.code().hex(), gas=_DEPLOY_GAS)
    landed = to_checksum_address(receipt["contractAddress"])
    if landed != origin.address:
        raise LocalnetError(
            f"{origin.contract}: landed at {landed}, expected {origin.address} "
            f"from {origin.deployer} nonce {origin.nonce}"
        )
    if len(rpc.request("eth_getCode", landed, "latest")) <= 2:
        raise LocalnetError(f"{origin.contract}: no code at {landed} after deployment")
