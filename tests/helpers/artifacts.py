"""The compiled contracts, never older than their sources.

Ape compiles the files that have changed, but not the files that import them: after a change of a library the contracts
that use it stay as they were. So everything is compiled anew whenever a source, or the build itself, is not what it was
after the last whole compilation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from typing import Any

from localnet.anvil import ROOT
from tests.helpers.contracts import Artifact

BUILD = ROOT / ".build" / "__local__.json"
STAMP = ROOT / ".build" / "whole.sha256"


def state() -> str:
    """Digest of all sources and of the build that belongs to them."""
    digest = hashlib.sha256()
    for source in sorted((ROOT / "contracts").rglob("*.sol")):
        digest.update(str(source.relative_to(ROOT)).encode() + bytes(1) + source.read_bytes() + bytes(1))
    digest.update(BUILD.read_bytes() if BUILD.is_file() else b"")
    return digest.hexdigest()


def compiled(project: Any) -> Callable[[str], Artifact]:
    """The contracts of an Ape project by name."""
    current = STAMP.is_file() and STAMP.read_text() == state()
    contracts = project.load_contracts(use_cache=current)
    if not current:
        STAMP.write_text(state())

    @cache
    def artifact(name: str) -> Artifact:
        contract = contracts[name]
        code = contract.deployment_bytecode.bytecode if contract.deployment_bytecode else ""
        abi = json.loads(contract.model_dump_json(by_alias=True, include={"abi"}))["abi"]
        return Artifact(name, abi, bytes.fromhex((code or "").removeprefix("0x")))

    return artifact
