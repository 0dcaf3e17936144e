"""A contract's own sources, found by their imports, and the build that names it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ballast.verification.compiler_input import Compiled, SourceError, compiled, made_by, standard_input

SETTINGS = {"optimizer": {"enabled": True, "runs": 600}, "viaIR": True}
FILES = {
    "contracts/A.sol": 'import {\n    B,\n    C\n} from "./lib/B.sol";\nimport "@lib/D.sol";\n// import "./No.sol"\n',
    "contracts/lib/B.sol": "import { A } from '../A.sol';\n\nstring constant S = \"import\";",
    "node_modules/@lib/D.sol": 'import * as E from "./inner/E.sol";',
    "node_modules/@lib/inner/E.sol": "",
    "contracts/Other.sol": "",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def contract(file: str = "contracts/A.sol") -> Compiled:
    return Compiled("A", file, b"\x60\x01", "0.8.30+commit.73712a01", SETTINGS)


def test_a_contract_s_sources_are_what_it_imports_and_no_others(root: Path) -> None:
    found = standard_input(contract(), root)
    names = ["@lib/D.sol", "@lib/inner/E.sol", "contracts/A.sol", "contracts/lib/B.sol"]
    assert [*found["sources"]] == names
    assert found["sources"]["contracts/A.sol"] == {"content": FILES["contracts/A.sol"]}
    assert found["language"] == "Solidity"
    assert found["settings"]["viaIR"] is True and found["settings"]["optimizer"] == SETTINGS["optimizer"]
    assert [*found["settings"]["outputSelection"]] == ["contracts/A.sol"]


def test_an_import_that_is_not_there(root: Path) -> None:
    (root / "node_modules/@lib/inner/E.sol").unlink()
    with pytest.raises(SourceError, match=r"source @lib/inner/E.sol: not found; run `make setup`"):
        standard_input(contract(), root)


def build(folder: Path, **contracts: Any) -> Path:
    path = folder / "build.json"
    compilers = [{"version": "0.8.30+commit.73712a01", "settings": {**SETTINGS, "outputSelection": {"x": {}}}}]
    path.write_text(json.dumps({"compilers": compilers, "contractTypes": contracts}))
    return path


def test_the_build_names_what_can_be_created(tmp_path: Path) -> None:
    file = build(
        tmp_path,
        A={"sourceId": "contracts/A.sol", "deploymentBytecode": {"bytecode": "0x6001"}},
        Longer={"sourceId": "contracts/B.sol", "deploymentBytecode": {"bytecode": "0x600102"}},
        IAny={"sourceId": "contracts/I.sol", "deploymentBytecode": {"bytecode": "0x"}},
        Library={"sourceId": "contracts/L.sol", "deploymentBytecode": None},
    )
    found = compiled(file)
    assert [one.identifier for one in found] == ["contracts/A.sol:A", "contracts/B.sol:Longer"]
    assert found[0].settings == SETTINGS and found[0].creation == b"\x60\x01"
    longer = made_by(bytes.fromhex("600102") + bytes(32), found)
    assert longer is not None and longer.name == "Longer", "not the one whose code is only the beginning"
    shorter = made_by(bytes.fromhex("6001") + bytes(32), found)
    assert shorter is not None and shorter.name == "A"
    assert made_by(bytes.fromhex("6002"), found) is None
