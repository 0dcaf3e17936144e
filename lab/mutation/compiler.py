"""Compiles contracts repeatedly in one process, without the optimizer: they behave the same, and it is quick."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ballast.build import ROOT
from lab.localnet.anvil import dies_with_parent

_SETTINGS: Mapping[str, Any] = {
    "optimizer": {"enabled": False},
    "viaIR": False,
    "evmVersion": "cancun",
    "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
}
"""Unlike ape-config.yaml, and without metadata: equal bytecode is equal behaviour."""
_IMPORT = re.compile(r"^import [^;]*?\"([^\"]+)\";", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Artifact:
    """A contract's ABI and its creation code, in hex without 0x."""

    abi: tuple[Any, ...]
    creation: str


def sources(root: Path = ROOT) -> dict[str, str]:
    """All contracts by path."""
    return {str(path.relative_to(root)): path.read_text() for path in sorted((root / "contracts").rglob("*.sol"))}


def imported(file: str, texts: Mapping[str, str]) -> set[str]:
    """The files that `file` imports, directly or not, and itself."""
    found: set[str] = set()
    new = [file]
    while new:
        name = new.pop()
        if name in found or name not in texts:
            continue
        found.add(name)
        paths = (path for path in _IMPORT.findall(texts[name]) if path.startswith("."))
        new += [os.path.normpath(Path(name).parent / path) for path in paths]
    return found


class Compiler:
    """One process of the compiler; a context manager."""

    def __init__(self, root: Path = ROOT) -> None:
        self._process = subprocess.Popen(
            ["node", "--stack-size=8000", str(root / "lab" / "mutation" / "compiler.js")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=dies_with_parent(),  # noqa: PLW1509 (nothing in it takes a lock)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()

    def compile(self, texts: Mapping[str, str], files: Iterable[str]) -> dict[str, Artifact] | None:
        """The files' contracts by name, or None if they do not compile."""
        wanted = sorted(files)
        needed = set[str]().union(*(imported(file, texts) for file in wanted))
        task = {
            "language": "Solidity",
            "sources": {name: {"content": texts[name]} for name in sorted(needed)},
            "settings": {
                **_SETTINGS,
                "outputSelection": {file: {"*": ["abi", "evm.bytecode.object"]} for file in wanted},
            },
        }
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the compiler has no pipes")
        stdin.write(json.dumps(task) + "\n")
        stdin.flush()
        answer = stdout.readline()
        if not answer:
            raise RuntimeError(f"the compiler ended with {self._process.wait()}")
        output = json.loads(answer)
        if any(error["severity"] == "error" for error in output.get("errors", ())):
            return None
        return {
            name: Artifact(tuple(contract["abi"]), contract["evm"]["bytecode"]["object"])
            for file in wanted
            for name, contract in output["contracts"].get(file, {}).items()
        }
