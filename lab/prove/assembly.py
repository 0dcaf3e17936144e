"""The assembly blocks of the contracts, each of which a property has to compare with plain Solidity."""

from __future__ import annotations

import re
from pathlib import Path

from ballast.build import ROOT

_FUNCTION = re.compile(r"^    (?:function (\w+)|(constructor|receive|fallback))\s*\(\s*([\w\[\]]*)", re.MULTILINE)
_BLOCK = re.compile(r"^\s*assembly\b", re.MULTILINE)


def blocks(root: Path = ROOT) -> list[str]:
    """The function of each block, as "Balance.read", with its first argument's type where its name is not the only one.

    In the order of files and lines; a function with two blocks is there twice. Those of mocks are left out.
    """
    found = []
    for path in sorted((root / "contracts").rglob("*.sol")):
        text = path.read_text(encoding="utf-8")
        functions = [(match.start(), match[1] or match[2], match[3]) for match in _FUNCTION.finditer(text)]
        names = [name for _, name, _ in functions]
        for block in _BLOCK.finditer(text):
            _, name, argument = max(function for function in functions if function[0] < block.start())
            told = name if names.count(name) == 1 else f"{name}({argument})"
            if "testing" not in path.parts:
                found.append(f"{path.stem}.{told}")
    return found
