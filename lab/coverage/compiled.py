"""The contracts as they are deployed, with the compiler's map from code to sources: lines, and decisions."""

from __future__ import annotations

import json
import subprocess
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ballast.build import ROOT, digest
from ballast.files import replace_json
from lab.localnet.artifacts import SOLC

CACHE = ROOT / ".cache" / "coverage" / "compiled.json"
LEFT_OUT = ("contracts/testing/", "contracts/interfaces/")
_SETTINGS = {"optimizer": {"enabled": True, "runs": 600}, "viaIR": True, "evmVersion": "cancun"}
"""As in ape-config.yaml."""
_JUMPI, _PUSH1, _PUSH32 = 0x57, 0x60, 0x7F
_WHOLE = ("ContractDefinition", "FunctionDefinition", "ModifierDefinition", "ParameterList", "VariableDeclaration")
"""Code made from these belongs to no line: it enters and leaves a function, or reads its arguments."""

Range = tuple[int, int]
"""Of a source: where it begins and how long it is, in bytes."""


@dataclass(frozen=True)
class Place:
    """An instruction: its place in the code (bytes), the source's file, and the range there that it is made from."""

    pc: int
    file: str
    range: Range
    decides: bool


@dataclass(frozen=True)
class Source:
    """A file: its text, ranges that stand for no line, and what decides, by the ranges of its jumps."""

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
    """The compiler's output for the contracts that can be deployed; kept while sources and build are the same."""
    if CACHE.exists():
        kept: dict[str, Any] = json.loads(CACHE.read_text())
        if kept["digest"] == digest():
            return kept
    names = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "contracts").rglob("*.sol"))]
    names = [name for name in names if not name.startswith("contracts/testing/")]
    wanted = {
        name: {"": ["ast"], "*": ["evm.deployedBytecode.object", "evm.deployedBytecode.sourceMap"]} for name in names
    }
    given = {
        "language": "Solidity",
        "sources": {name: {"content": (ROOT / name).read_text()} for name in names},
        "settings": {**_SETTINGS, "outputSelection": wanted},
    }
    command = [str(SOLC), "--standard-json", "--base-path", str(ROOT)]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True)
    output = json.loads(done.stdout)
    found: dict[str, Any] = {"digest": digest(), "contracts": {}, "sources": {}}
    for contracts in output["contracts"].values():
        for name, contract in contracts.items():
            code = contract["evm"]["deployedBytecode"]
            if code["object"]:
                found["contracts"][name] = code
    for name, source in output["sources"].items():
        found["sources"][name] = {"id": source["id"], "ast": source.get("ast")}
    replace_json(CACHE, found)
    return found


def sources(output: Mapping[str, Any]) -> dict[str, Source]:
    """The files whose lines count."""
    return {
        name: _source(name, found["ast"])
        for name, found in output["sources"].items()
        if name.startswith("contracts/") and not name.startswith(LEFT_OUT) and found["ast"]
    }


def _source(name: str, tree: Mapping[str, Any]) -> Source:
    whole, decisions = set[Range](), dict[Range, Range]()
    for node in _nodes(tree):
        if node["nodeType"] in _WHOLE:
            whole.add(_range(node))
        for range_ in _decides(node):
            decisions.setdefault(range_, _range(node))
    return Source(name, (ROOT / name).read_bytes(), frozenset(whole), decisions)


def _decides(node: Mapping[str, Any]) -> Iterator[Range]:
    """The ranges that the compiler may give a jump which a node's condition decides."""
    kind = node["nodeType"]
    if kind in ("IfStatement", "Conditional", "ForStatement", "WhileStatement") and node.get("condition"):
        yield _range(node)
        yield _range(node["condition"])
    elif kind == "FunctionCall" and node["expression"].get("name") == "require":
        yield _range(node)
        yield _range(node["arguments"][0])
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
    """A contract's instructions that are made from a file, in order."""
    files = {source["id"]: name for name, source in output["sources"].items()}
    found = output["contracts"][contract]
    code = bytes.fromhex(found["object"])
    start, length, file = 0, 0, -1
    pc = 0
    for entry in found["sourceMap"].split(";"):
        # What is empty is as before.
        fields = entry.split(":")
        start = int(fields[0]) if fields[0] else start
        length = int(fields[1]) if len(fields) > 1 and fields[1] else length
        file = int(fields[2]) if len(fields) > 2 and fields[2] else file
        if pc >= len(code):
            return
        if file in files:
            yield Place(pc, files[file], (start, length), code[pc] == _JUMPI)
        pc += 1 + (code[pc] - _PUSH1 + 1 if _PUSH1 <= code[pc] <= _PUSH32 else 0)


def same(output: Mapping[str, Any], build: Path) -> list[str]:
    """Contracts whose code in the build is another: places in it would mean something else."""
    types = json.loads(build.read_text())["contractTypes"]
    return [
        name
        for name, code in output["contracts"].items()
        if _body(types[name]["runtimeBytecode"]["bytecode"].removeprefix("0x")) != _body(code["object"])
    ]


def _body(code: str) -> str:
    return code[: -2 * (int(code[-4:], 16) + 2)]
