"""The contracts' code: compiled in several places and by two programs, compared, and listed by hash.

Ape's output has to be the same byte by byte wherever it is made. forge names sources and remappings differently, which
changes the hash of the compiler's metadata at the code's end and nothing else: its code is compared up to there.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_utils import keccak

from keeper.check.codes import fingerprint_of, known
from tools.release.errors import ReleaseError, run

NOT_DEPLOYED = ("contracts/interfaces/", "contracts/libraries/", "contracts/testing/")
"""Folders without deployed contracts: libraries are part of the code that uses them."""
FORGE_OUT = Path(".cache") / "release" / "out"


@dataclass(frozen=True)
class Code:
    """A contract's compiled code: for its creation, and at its address with immutables of zero."""

    source: str
    creation: bytes
    runtime: bytes

    @property
    def bodies(self) -> tuple[bytes, bytes]:
        """Both without the compiler's metadata."""
        return body(self.creation), body(self.runtime)


def body(code: bytes) -> bytes:
    """Code up to the compiler's metadata, whose length is in the last two bytes."""
    return code[: -int.from_bytes(code[-2:], "big") - 2]


def by_ape(root: Path) -> dict[str, Code]:
    """Compile a checkout as `make compile` does. Raises ReleaseError."""
    environment = {
        "APE_DATA_FOLDER": str(root / ".ape"),
        "SOLCX_BINARY_PATH": str(root / ".tools" / "solc"),
        "PYTHONPATH": str(root),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    run([sys.executable, "tools/compile.py"], root, environment)
    return read_ape(root / ".build" / "__local__.json")


def read_ape(build: Path) -> dict[str, Code]:
    """The deployed contracts of Ape's build, by name."""
    types: dict[str, Any] = json.loads(build.read_text())["contractTypes"]
    return {
        name: Code(kind["sourceId"], _bytes(kind["deploymentBytecode"]), _bytes(kind["runtimeBytecode"]))
        for name, kind in sorted(types.items())
        if kind["sourceId"].startswith("contracts/")
        and not kind["sourceId"].startswith(NOT_DEPLOYED)
        and len(kind["runtimeBytecode"]["bytecode"]) > len("0x")
    }


def _bytes(entry: Mapping[str, str]) -> bytes:
    return bytes.fromhex(entry["bytecode"].removeprefix("0x"))


def by_forge(root: Path) -> dict[str, Code]:
    """Compile a checkout with forge, with the compiler's settings of lab/fuzz/contracts.toml. Raises ReleaseError."""
    settings = {
        "FOUNDRY_CONFIG": str(root / "lab" / "fuzz" / "contracts.toml"),
        "FOUNDRY_SRC": "contracts",
        "FOUNDRY_OUT": str(FORGE_OUT),
        "FOUNDRY_CACHE_PATH": str(FORGE_OUT.with_name("cache")),
    }
    tools = root / ".tools"
    command: list[str | Path] = [tools / "foundry" / "bin" / "forge", "build", "--root", root, "--offline"]
    command += ["--use", tools / "solc" / "solc-v0.8.30", "--skip", "contracts/testing/**"]
    run(command, root, settings)
    return read_forge(root / FORGE_OUT)


def read_forge(folder: Path) -> dict[str, Code]:
    """The deployed contracts among forge's artifacts, by name."""
    found: dict[str, Code] = {}
    for artifact in sorted(folder.glob("*.sol/*.json")):
        document = json.loads(artifact.read_text())
        (source,) = document["metadata"]["settings"]["compilationTarget"]
        code = [bytes.fromhex(document[key]["object"].removeprefix("0x")) for key in ("bytecode", "deployedBytecode")]
        if code[1] and source.startswith("contracts/") and not source.startswith(NOT_DEPLOYED):
            found[artifact.stem] = Code(source, *code)
    return found


def compare(first: Mapping[str, Code], others: Mapping[str, Mapping[str, Code]], *, metadata: bool) -> None:
    """Raises ReleaseError naming the contracts whose code differs from `first` in one of the others (by their name);
    `metadata`: whether the compiler's metadata counts."""
    for place, codes in others.items():
        if codes.keys() != first.keys():
            raise ReleaseError(
                f"{place}: other contracts, {sorted(codes.keys() ^ first.keys())} stand on one side only"
            )
        unlike = [
            name
            for name, code in first.items()
            if (codes[name] != code if metadata else codes[name].bodies != code.bodies)
        ]
        if unlike:
            raise ReleaseError(f"{place}: other code of {', '.join(unlike)}")


def check_keeper(codes: Mapping[str, Code]) -> None:
    """Raises ReleaseError unless `keeper check` has the fingerprints of these very contracts."""
    for name, fingerprint in known().items():
        if name not in codes or fingerprint_of(codes[name].runtime) != fingerprint:
            raise ReleaseError(f"keeper/check/codes.json: other code of {name}: run `python -m tools.export_codes`")


def listed(codes: Mapping[str, Code], commit: str, version: str, compiler: Mapping[str, Any]) -> dict[str, Any]:
    """The list of hashes (keccak-256, hex). `..._without_metadata` is the same for any build of these sources."""
    return {
        "version": version,
        "commit": commit,
        "compiler": dict(compiler),
        "contracts": {
            name: {
                "source": code.source,
                "runtime_bytes": len(code.runtime),
                "creation": keccak(code.creation).hex(),
                "runtime": keccak(code.runtime).hex(),
                "creation_without_metadata": keccak(code.bodies[0]).hex(),
                "runtime_without_metadata": keccak(code.bodies[1]).hex(),
            }
            for name, code in codes.items()
        },
    }
