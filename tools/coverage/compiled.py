"""The contracts as they are measured, with the compiler's map from code to sources: lines, and decisions."""

from __future__ import annotations

import hashlib
import json
import subprocess
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from ballast.build import ROOT
from ballast.files import replace_json
from lab.localnet.artifacts import SOLC
from lab.localnet.errors import LocalnetError
from tools.coverage.rewritten import rewritten

CACHE = ROOT / ".cache" / "coverage" / "compiled.json"
LEFT_OUT = ("contracts/testing/", "contracts/interfaces/")
_JUMPI, _PUSH1, _PUSH32 = 0x57, 0x60, 0x7F
_WHOLE = ("ContractDefinition", "FunctionDefinition", "ModifierDefinition", "ParameterList", "VariableDeclaration")
"""Code made from these belongs to no line: it enters and leaves a function, or reads its arguments."""

Range = tuple[int, int]
"""Beginning and length in a source, in bytes."""


@dataclass(frozen=True)
class Place:
    """An instruction: its offset in the code (bytes), the source's file, and the range there that it is made from."""

    pc: int
    file: str
    range: Range
    decides: bool


@dataclass(frozen=True)
class Source:
    """A file: its text, the ranges that belong to no line, and decisions by the ranges of their jumps."""

    name: str
    text: bytes
    whole: frozenset[Range]
    decisions: Mapping[Range, Range]

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(at + 1 for at, byte in enumerate(self.text) if byte == ord("\n"))]

    def line(self, at: int) -> int:
        """Number of the line at a byte, from 1."""
        return bisect_right(self._starts, at)


def compiled() -> dict[str, Any]:
    """The compiler's output for the contracts that can be deployed; cached while its input is the same.

    `contracts`: `object` and `sourceMap` by name, and once more by `creation(name)`. `sources`: by name, `id`, `ast`,
    and the text of ours.
    """
    asked = json.dumps(_task())
    digest = hashlib.sha256(asked.encode()).hexdigest()
    if CACHE.exists():
        kept: dict[str, Any] = json.loads(CACHE.read_text())
        if kept["digest"] == digest:
            return kept
    command = [str(SOLC), "--standard-json", "--base-path", str(ROOT)]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    found = {"digest": digest, **_output(json.loads(done.stdout), json.loads(asked)["sources"])}
    replace_json(CACHE, found)
    return found


def creation(name: str) -> str:
    """The name of a contract's creation code: the constructor and all that it calls."""
    return f"{name} (creation)"


def _task() -> dict[str, Any]:
    """The compiler's input as Ape makes it, for the rewritten sources."""
    settings = yaml.safe_load((ROOT / "ape-config.yaml").read_text())["solidity"]
    names = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "contracts").rglob("*.sol"))]
    names = [name for name in names if not name.startswith("contracts/testing/")]
    code = [f"evm.{kind}.{part}" for kind in ("bytecode", "deployedBytecode") for part in ("object", "sourceMap")]
    return {
        "language": "Solidity",
        "sources": {name: {"content": rewritten((ROOT / name).read_text())} for name in names},
        "settings": {
            "optimizer": {"enabled": settings["optimize"], "runs": settings["optimization_runs"]},
            "viaIR": settings["via_ir"],
            "evmVersion": settings["evm_version"],
            "outputSelection": {name: {"": ["ast"], "*": code} for name in names},
        },
    }


def _output(output: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    contracts: dict[str, Any] = {}
    if errors := [one["formattedMessage"] for one in output.get("errors", ()) if one["severity"] == "error"]:
        raise LocalnetError("\n".join(errors))
    for of_file in output["contracts"].values():
        for name, contract in of_file.items():
            if contract["evm"]["deployedBytecode"]["object"]:
                contracts[name] = contract["evm"]["deployedBytecode"]
                contracts[creation(name)] = contract["evm"]["bytecode"]
    found = {
        name: {"id": source["id"], "ast": source.get("ast"), "text": given.get(name, {}).get("content")}
        for name, source in output["sources"].items()
    }
    return {"contracts": contracts, "sources": found}


def sources(output: Mapping[str, Any]) -> dict[str, Source]:
    """The files whose lines count."""
    return {
        name: _source(name, found["text"], found["ast"])
        for name, found in output["sources"].items()
        if name.startswith("contracts/") and not name.startswith(LEFT_OUT) and found["ast"]
    }


def _source(name: str, text: str, tree: Mapping[str, Any]) -> Source:
    whole, decisions = set[Range](), dict[Range, Range]()
    for node in _nodes(tree):
        if node["nodeType"] in _WHOLE:
            whole.add(_range(node))
        for range_ in _decides(node):
            decisions.setdefault(range_, _range(node))
    return Source(name, text.encode(), frozenset(whole), decisions)


def _decides(node: Mapping[str, Any]) -> Iterator[Range]:
    """The ranges that the compiler may give to the jump that a node's condition decides."""
    kind = node["nodeType"]
    if kind in ("IfStatement", "Conditional", "ForStatement", "WhileStatement") and node.get("condition"):
        yield _range(node)
        yield _range(node["condition"])
    elif kind == "BinaryOperation" and node["operator"] in ("&&", "||"):
        yield _range(node)


def _nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, dict):
        if "nodeType" in node and "src" in node:
            yield node
        for value in node.values():
            yield from _nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value)


def _range(node: Mapping[str, Any]) -> Range:
    start, length, _ = node["src"].split(":")
    return int(start), int(length)


def places(output: Mapping[str, Any], contract: str) -> Iterator[Place]:
    """The instructions of a contract, or of its creation, that are made from a file, in order."""
    files = {source["id"]: name for name, source in output["sources"].items()}
    found = output["contracts"][contract]
    code = bytes.fromhex(found["object"])
    start, length, file = 0, 0, -1
    pc = 0
    for entry in found["sourceMap"].split(";"):
        # An empty field is as in the entry before.
        fields = entry.split(":")
        start = int(fields[0]) if fields[0] else start
        length = int(fields[1]) if len(fields) > 1 and fields[1] else length
        file = int(fields[2]) if len(fields) > 2 and fields[2] else file
        if pc >= len(code):
            return
        if file in files:
            yield Place(pc, files[file], (start, length), code[pc] == _JUMPI)
        pc += 1 + (code[pc] - _PUSH1 + 1 if _PUSH1 <= code[pc] <= _PUSH32 else 0)
