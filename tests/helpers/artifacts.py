"""The compiled contracts of an Ape project, never older than their sources (see `ballast.build`)."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from ballast.build import is_current, mark_current
from tests.helpers.contracts import Artifact


def compiled(project: Any) -> Callable[[str], Artifact]:
    """The contracts of an Ape project by name."""
    current = is_current()
    contracts = project.load_contracts(use_cache=current)
    if not current:
        mark_current()

    @cache
    def artifact(name: str) -> Artifact:
        contract = contracts[name]
        code = contract.deployment_bytecode.bytecode if contract.deployment_bytecode else ""
        abi = json.loads(contract.model_dump_json(by_alias=True, include={"abi"}))["abi"]
        return Artifact(name, abi, bytes.fromhex((code or "").removeprefix("0x")))

    return artifact
