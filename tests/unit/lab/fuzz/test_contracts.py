"""The harness is one thing and what it fuzzes another: that is the code which is deployed."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from ballast.build import BUILD, ROOT
from lab.fuzz import forge
from lab.fuzz.errors import FuzzError

FUZZ = ROOT / "lab" / "fuzz"


def test_what_is_fuzzed_is_what_is_deployed(tmp_path: Path) -> None:
    forge.lay_contracts(tmp_path)
    types = json.loads(BUILD.read_text())["contractTypes"]
    laid = {path.stem: json.loads(path.read_text()) for path in (tmp_path / forge.CONTRACTS).rglob("*.json")}
    assert {name: found["bytecode"]["object"] for name, found in laid.items()} == {
        name: types[name]["deploymentBytecode"]["bytecode"] for name in forge.deployed()
    }


def test_the_harness_deploys_what_is_laid_down_and_nothing_else() -> None:
    text = "".join(path.read_text() for path in FUZZ.glob("*.sol"))
    assert set(re.findall(r'\bdeploy\(\s*"(\w+)"', text)) == set(forge.deployed())
    assert text.count("vm.deployCode(") == 1
    assert len(re.findall(r"\bdeploy\(", text)) == 1 + len(re.findall(r'\bdeploy\(\s*"\w+"', text))
    # No contract of ours is made another way: only interfaces and libraries are imported.
    imported = set(re.findall(r'"(?:\.\./)+contracts/([\w/]+)\.sol"', text))
    assert imported and {path.split("/")[0] for path in imported} == {"interfaces", "libraries"}


def test_a_build_that_is_not_current_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forge, "is_current", lambda: False)
    with pytest.raises(FuzzError, match="run `make compile`"):
        forge.lay_contracts(tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_was_changed_on_purpose_is_compiled_like_what_is_deployed() -> None:
    changed = tomllib.loads((FUZZ / "contracts.toml").read_text())["profile"]["default"]
    ape = yaml.safe_load((ROOT / "ape-config.yaml").read_text())["solidity"]
    names = {"optimize": "optimizer", "optimization_runs": "optimizer_runs"}
    for name, value in ape.items():
        if name != "version":  # of the compiler that forge is given
            assert changed[names.get(name, name)] == value, name
    assert changed["out"] == str(forge.CONTRACTS)
    harness = tomllib.loads((FUZZ / "foundry.toml").read_text())["profile"]["default"]
    assert [entry["path"] for entry in harness["fs_permissions"]] == [changed["out"].split("/")[0]]
