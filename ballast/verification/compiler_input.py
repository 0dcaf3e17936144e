"""Builds the compiler input of one contract of the build, with only the files that it needs.

Such an input gives the same bytecode as the whole build, metadata included: the hash at the end of the code covers the
contract's sources, those that they import, and the settings. Compiling it again proves the sources.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ballast.build import BUILD, ROOT, is_current
from ballast.errors import UserError

_IMPORT = re.compile(r"^\s*import\b[^\"';]*[\"']([^\"']+)[\"']", re.MULTILINE)
WANTED = ("abi", "evm.bytecode.object", "evm.deployedBytecode", "metadata")


class SourceError(UserError, ValueError):
    """Unusable sources or an unusable build; the message says what to do."""


@dataclass(frozen=True)
class Compiled:
    """A contract of the build: its file, its creation code (without arguments), and the compiler's version."""

    name: str
    file: str
    creation: bytes
    compiler: str
    settings: Mapping[str, Any]

    @property
    def identifier(self) -> str:
        """Its name for explorers."""
        return f"{self.file}:{self.name}"


def compiled(build: Path = BUILD) -> tuple[Compiled, ...]:
    """Every contract of the build that can be created. Raises SourceError unless the build matches the sources."""
    if build == BUILD and not is_current():
        raise SourceError("contracts: not compiled since they were changed; run `make compile`")
    raw = json.loads(build.read_text(encoding="utf-8"))
    (compiler,) = raw["compilers"]
    settings = {name: value for name, value in compiler["settings"].items() if name != "outputSelection"}
    codes = {
        name: str((contract.get("deploymentBytecode") or {}).get("bytecode") or "0x")
        for name, contract in raw["contractTypes"].items()
    }
    return tuple(
        Compiled(name, raw["contractTypes"][name]["sourceId"], bytes.fromhex(code[2:]), compiler["version"], settings)
        for name, code in codes.items()
        if len(code) > 2
    )


def made_by(creation: bytes, contracts: tuple[Compiled, ...]) -> Compiled | None:
    """The contract of this creation code, which has the arguments appended; None if it is not of this build."""
    fitting = [one for one in contracts if creation.startswith(one.creation)]
    return max(fitting, key=lambda one: len(one.creation), default=None)


def standard_input(contract: Compiled, root: Path = ROOT) -> dict[str, Any]:
    """The compiler's standard JSON input. Raises SourceError if an imported file is missing."""
    return {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sorted(_reached(contract.file, root).items())},
        "settings": {**contract.settings, "outputSelection": {contract.file: {contract.name: list(WANTED)}}},
    }


def _reached(file: str, root: Path) -> dict[str, str]:
    """The file and all that it imports, by their names in the compiler's input."""
    found: dict[str, str] = {}
    left = [file]
    while left:
        name = left.pop()
        if name in found:
            continue
        found[name] = _text(name, root)
        for imported in _IMPORT.findall(found[name]):
            relative = imported.startswith(".")
            left.append(posixpath.normpath(posixpath.join(posixpath.dirname(name), imported)) if relative else imported)
    return found


def _text(name: str, root: Path) -> str:
    for folder in (root, root / "node_modules"):
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8")
    raise SourceError(f"source {name}: not found; run `make setup`")
