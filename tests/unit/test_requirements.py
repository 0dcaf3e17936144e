"""What requirements.in names is what the project's own files import, no more and no less."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

from ballast.build import ROOT

OWN = ("ballast", "examples", "keeper", "lab", "sandbox", "scripts", "tests", "tools")

NOT_IMPORTED = {
    # Ape finds them by itself
    "ape-foundry",
    "ape-solidity",
    # eth-keys imports it
    "coincurve",
    # run by `make lint`
    "import-linter",
    "mypy",
    "ruff",
    "types-pyyaml",
}


# Run by the Python of .tools/prove, which has what lab/prove/halmos.in names.
PROVERS = ROOT / "lab" / "prove" / "solver"


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(file: Path) -> set[str]:
    """The top-level modules that a file names in imports, wherever they stand in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module.split(".")[0])
    return found


def test_requirements_name_what_is_imported_and_nothing_else() -> None:
    lines = [line.partition("#")[0].strip() for line in (ROOT / "requirements.in").read_text().splitlines()]
    named = {normal(re.split("[=<>~!]", line)[0]) for line in lines if line}
    files = (file for name in OWN for file in (ROOT / name).rglob("*.py") if file.parent != PROVERS)
    modules = set[str]().union(*(imported(file) for file in files))
    others = modules - {*OWN, *sys.stdlib_module_names}
    by_module = packages_distributions()
    assert {normal(by_module[module][0]) for module in others} == named - NOT_IMPORTED
    assert named >= NOT_IMPORTED
