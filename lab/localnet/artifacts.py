"""Bytecode for the local chain: published builds from npm packages, and our own stand-ins compiled here."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from eth_utils import keccak

from ballast import packages
from ballast.build import ROOT
from ballast.files import replace_json
from lab.localnet.errors import LocalnetError

SOLC = ROOT / ".tools" / "solc" / "solc-v0.8.30"
SOURCES = ("ReferenceFeed", "ReferenceToken", "ReferenceMarket", "V3Market")
CACHE = ROOT / ".run" / "localnet-contracts.json"

_WETH_METADATA_NPM = bytes.fromhex("65e46f67b61c7c2ca43a3eacf670bec034e3618634abe6c16bb0cb1d8d7bc669")
_WETH_METADATA_MAINNET = bytes.fromhex("deb4c2ccab3c2fdca32ab3f46728389c2fe2c165d5fafa07661e4e004f6c344a")


@dataclass(frozen=True)
class Code:
    """A contract's creation and runtime code."""

    creation: bytes
    runtime: bytes


def package_file(name: str) -> dict[str, Any]:
    """A JSON file of an npm package, by its path under node_modules."""
    try:
        return packages.package_file(name)
    except packages.PackageError as error:
        raise LocalnetError(str(error)) from error


def creation_code(name: str) -> bytes:
    """The creation code in a build file of Uniswap's or Sushi's npm packages."""
    try:
        return packages.creation_code(name)
    except packages.PackageError as error:
        raise LocalnetError(str(error)) from error


def weth9_creation_code() -> bytes:
    """Creation code of WETH9.

    The package was compiled with solc 0.4.21, mainnet's contract with 0.4.19: the code is the same except for the
    metadata hash at its end, which is replaced here. The result has mainnet's code hash.
    """
    name = "canonical-weth/build/contracts/WETH9.json"
    code = creation_code(name)
    if code.count(_WETH_METADATA_NPM) != 1:
        raise LocalnetError(f"node_modules/{name}: not the build of canonical-weth 1.3.1, run 'make setup'")
    return code.replace(_WETH_METADATA_NPM, _WETH_METADATA_MAINNET)


def reference_contracts() -> dict[str, Code]:
    """The stand-ins of contracts/testing/localnet, compiled once and cached until a source changes. Abstract ones have
    empty code."""
    sources = {f"contracts/testing/localnet/{name}.sol": _source(name) for name in SOURCES}
    digest = keccak(text=json.dumps(sources, sort_keys=True)).hex()
    cached = _cached(digest)
    if cached is None:
        cached = _compile(sources)
        replace_json(CACHE, {"digest": digest, "contracts": cached})
    return {name: Code(bytes.fromhex(code[0]), bytes.fromhex(code[1])) for name, code in cached.items()}


def _source(name: str) -> str:
    return (ROOT / "contracts" / "testing" / "localnet" / f"{name}.sol").read_text(encoding="utf-8")


def _cached(digest: str) -> dict[str, list[str]] | None:
    try:
        content = json.loads(CACHE.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return None
    if not isinstance(content, dict) or content.get("digest") != digest:
        return None
    contracts: dict[str, list[str]] = content["contracts"]
    return contracts


def _compile(sources: dict[str, str]) -> dict[str, list[str]]:
    request = {
        "language": "Solidity",
        "sources": {path: {"content": text} for path, text in sources.items()},
        "settings": {
            "evmVersion": "cancun",
            "optimizer": {"enabled": True, "runs": 1_000_000},
            "outputSelection": {
                path: {"*": ["evm.bytecode.object", "evm.deployedBytecode.object"]} for path in sources
            },
        },
    }
    if not SOLC.is_file():
        raise LocalnetError(f"compiler: {SOLC} is missing, run 'make setup'")
    done = subprocess.run(
        [str(SOLC), "--standard-json", "--base-path", str(ROOT)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise LocalnetError(f"compiler: ended with code {done.returncode}: {done.stderr.strip()}")
    output = json.loads(done.stdout)
    errors = [entry["formattedMessage"] for entry in output.get("errors", []) if entry["severity"] == "error"]
    if errors:
        raise LocalnetError(f"contracts/testing/localnet does not compile: {errors[0]}")
    found: dict[str, list[str]] = {}
    for name in SOURCES:
        evm = output["contracts"][f"contracts/testing/localnet/{name}.sol"][name]["evm"]
        found[name] = [evm["bytecode"]["object"], evm["deployedBytecode"]["object"]]
    return found
