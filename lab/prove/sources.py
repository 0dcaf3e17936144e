"""What a proof rests on, as a digest: a change of it makes a snapshot's result stale."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from ballast.build import ROOT
from lab.prove.property_list import Property

_CHECK = re.compile(r"(?:^    ///[^\n]*\n)*^    function (check_\w+)\(.*?^    \}\n", re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(r'from "(\.[^"]+)"')
_STRING_OR_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


def sources(proved: Property, root: Path = ROOT, *, broken: bool = False) -> str:
    """SHA-256 over what a proof rests on: its Solidity with what that imports, and the solver. If `broken`, the variant
    in place of the solver: a counterexample is one whoever found it.

    Comments and layout of Solidity do not count.
    """
    digest = hashlib.sha256(repr((proved.function, proved.loop, proved.seconds)).encode())
    prover = root / "lab" / "prove"
    files = {root / "package-lock.json", prover / f"{proved.folder}.toml"}
    if broken:
        digest.update(repr(proved.broken.edits).encode())
    else:
        files |= {prover / "halmos.lock", prover / "solver" / "solve.py", prover / "solver" / "integers.py"}
    stated = (root / proved.file).resolve()
    for path in sorted({*files, *imported(root / proved.file)}):
        text = path.read_text(encoding="utf-8")
        if path == stated:
            text = alone(text, proved.function)
        if path.suffix == ".sol":
            text = code(text)
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + text.encode() + b"\0")
    return digest.hexdigest()


def alone(text: str, function: str) -> str:
    """The text of a Solidity file of properties without its other properties."""
    return _CHECK.sub(lambda match: match[0] if match[1] == function else "", text)


@cache
def code(text: str) -> str:
    """Solidity without its comments, on one line."""
    return " ".join(_STRING_OR_COMMENT.sub(lambda match: match[0] if match[0][0] == '"' else " ", text).split())


def imported(path: Path) -> set[Path]:
    """A Solidity file with all of the tree that it imports."""
    found, left = set[Path](), [path.resolve()]
    while left:
        file = left.pop()
        if file not in found:
            found.add(file)
            left += [(file.parent / name).resolve() for name in _IMPORT.findall(file.read_text(encoding="utf-8"))]
    return found
