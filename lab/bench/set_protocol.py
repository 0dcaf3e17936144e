"""Set Protocol V2 on its published build.

Set-up follows the protocol's own order: controller, factory and modules, then one SetToken whose manager trades through
the General Index Module over pools of the Uniswap V2 kind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ballast.build import ROOT
from ballast.units import WAD
from ballast.values import NO_ADDRESS
from lab.bench.errors import BenchError
from lab.testbed.chain import Build, Chain, Contract

SET_V2 = ROOT / ".tools" / "set-v2" / "protocol"
ADAPTER = "UniswapV2IndexExchangeAdapter"
FEE = 95 * WAD // 10_000
MAX_FEE = WAD // 10
REGISTRY_ID = 0
"""Index of the integration registry among the controller's resources."""


@dataclass(frozen=True)
class Protocol:
    """The contracts of one deployment with one SetToken."""

    token: Contract
    issuance: Contract
    fees: Contract
    index: Contract


def deploy(
    chain: Chain, manager: str, weth: str, routers: Mapping[str, str], units: Mapping[str, int], fee: int = FEE
) -> Protocol:
    """Deploys the protocol and a SetToken without shares.

    `routers`: router with Uniswap V2's interface by the name of its exchange adapter. `units`: token wei per 1e18
    shares, above 0, by token. `fee`: a year's streaming fee, 18 decimals.
    """

    def make(path: str, *args: str) -> Contract:
        return chain.deploy(manager, set_v2_build(path), *args)

    controller = make("Controller", manager)
    creator = make("SetTokenCreator", controller.address)
    registry = make("IntegrationRegistry", controller.address)
    issuance = make("modules/BasicIssuanceModule", controller.address)
    fees = make("modules/StreamingFeeModule", controller.address)
    index = make("modules/GeneralIndexModule", controller.address, weth)
    modules = [issuance.address, fees.address, index.address]
    controller.send(manager, "initialize", [creator.address], modules, [registry.address], [REGISTRY_ID])
    for name, router in routers.items():
        adapter = make(f"integration/index-exchange/{ADAPTER}", router)
        registry.send(manager, "addIntegration", index.address, name, adapter.address)

    creator.send(manager, "create", list(units), list(units.values()), modules, manager, "Bench Set", "BSET")
    token = Contract(chain, controller.read("getSets")[-1], set_v2_build("SetToken").abi)
    issuance.send(manager, "initialize", token.address, NO_ADDRESS)
    fees.send(manager, "initialize", token.address, (chain.account("recipient"), MAX_FEE, fee, 0))
    index.send(manager, "initialize", token.address)
    return Protocol(token, issuance, fees, index)


def set_v2_build(path: str) -> Build:
    """A contract of Set Protocol V2's published build, by its path without `.sol`.

    Raises BenchError where the build is missing.
    """
    name = path.rsplit("/", maxsplit=1)[-1]
    file = SET_V2 / f"{path}.sol" / f"{name}.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BenchError(f"{file.relative_to(ROOT)}: {error.strerror}; run 'make bench', which installs it") from None
    return Build(name, content["abi"], bytes.fromhex(content["bytecode"][2:]))
