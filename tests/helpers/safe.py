"""Safe's own contracts, 1.4.1 as published (npm @safe-global/safe-contracts): an account of several owners."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ape.contracts import ContractContainer
from ape.types import ContractType

from ballast.build import ROOT
from ballast.values import NO_ADDRESS

ARTIFACTS = ROOT / "node_modules" / "@safe-global" / "safe-contracts" / "build" / "artifacts" / "contracts"
NOBODY = NO_ADDRESS
CALL = 0


def _container(path: str) -> ContractContainer:
    name = path.rpartition("/")[2]
    raw = json.loads((ARTIFACTS / f"{path}.sol" / f"{name}.json").read_text())
    return ContractContainer(
        ContractType.model_validate(
            {"contractName": name, "abi": raw["abi"], "deploymentBytecode": {"bytecode": raw["bytecode"]}}
        )
    )


class Safe:
    """A Safe behind Safe's proxy, deployed by `deployer`. `owners` are Ape's test accounts."""

    def __init__(self, deployer: Any, owners: Sequence[Any], threshold: int) -> None:
        singleton = deployer.deploy(_container("Safe"))
        factory = deployer.deploy(_container("proxies/SafeProxyFactory"))
        setup = singleton.setup.encode_input(
            [owner.address for owner in owners], threshold, NOBODY, b"", NOBODY, NOBODY, 0, NOBODY
        )
        receipt = factory.createProxyWithNonce(singleton.address, setup, 1, sender=deployer)
        (created,) = receipt.decode_logs(factory.ProxyCreation)
        self.contract = _container("Safe").at(created.proxy)
        self.address = str(created.proxy)

    def execute(self, transaction: dict[str, Any], signers: Sequence[Any], sender: Any) -> Any:
        """One transaction of a Transaction Builder's file, signed by these owners."""
        call = (transaction["to"], int(transaction["value"]), transaction["data"], CALL, 0, 0, 0, NOBODY, NOBODY)
        digest = self.contract.getTransactionHash(*call, self.contract.call_view_method("nonce"))
        ordered = sorted(signers, key=lambda owner: int(owner.address, 16))
        signed = [owner.sign_raw_msghash(digest) for owner in ordered]
        signatures = b"".join(bytes(one.r) + bytes(one.s) + bytes([one.v]) for one in signed)
        return self.contract.execTransaction(*call, signatures, sender=sender)
