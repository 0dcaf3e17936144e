"""Reads published bytecode from npm packages, which `make setup` installs."""

from __future__ import annotations

import json
from typing import Any

from ballast.build import ROOT
from ballast.errors import UserError


class PackageError(UserError):
    """An unusable file of a package; one line."""


def package_file(name: str) -> dict[str, Any]:
    """A JSON file of an npm package, by its path under node_modules. Raises PackageError."""
    try:
        content: dict[str, Any] = json.loads((ROOT / "node_modules" / name).read_text(encoding="utf-8"))
    except OSError as error:
        raise PackageError(f"node_modules/{name} cannot be read ({error.strerror}), run 'make setup'") from error
    return content


def creation_code(name: str) -> bytes:
    """The creation code in a build file of Uniswap's or Sushi's packages. Raises PackageError."""
    code = package_file(name)["bytecode"]
    if not isinstance(code, str):
        raise PackageError(f"node_modules/{name}: bytecode: found {type(code).__name__}, expected a text")
    return bytes.fromhex(code.removeprefix("0x"))
