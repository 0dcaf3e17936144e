"""What a release compares and lists; the wheel itself is tested on a chain, `tests/keeper/test_wheel.py`."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from ballast.build import BUILD, ROOT
from tools.release import checkout, codes, pythons
from tools.release.__main__ import sums
from tools.release.codes import Code
from tools.release.errors import ReleaseError

METADATA = bytes(5) + (5).to_bytes(2, "big")
OTHER_METADATA = b"\x01" * 9 + (9).to_bytes(2, "big")


@pytest.fixture(scope="module")
def built() -> dict[str, Code]:
    return codes.read_ape(BUILD)


def test_the_contracts_of_a_release_are_those_that_are_deployed(built: dict[str, Code]) -> None:
    assert {"IndexToken", "Rebalancer", "MarketCap", "Zap", "StockFiller", "V3Quoter"} <= built.keys()
    assert not {"Settlement", "TestToken", "IRebalancer", "RebalancerState"} & built.keys()
    codes.check_keeper(built)


def test_a_contract_that_the_keeper_knows_otherwise_is_named(built: dict[str, Code]) -> None:
    code = built["Calendar"]
    changed = built | {"Calendar": replace(code, runtime=bytes([code.runtime[0] ^ 1]) + code.runtime[1:])}
    with pytest.raises(ReleaseError, match="other code of Calendar"):
        codes.check_keeper(changed)


def test_code_is_compared_with_or_without_metadata() -> None:
    first = {"A": Code("a.sol", b"create" + METADATA, b"run" + METADATA)}
    same = {"A": Code("a.sol", b"create" + OTHER_METADATA, b"run" + OTHER_METADATA)}
    codes.compare(first, {"there": same}, metadata=False)
    with pytest.raises(ReleaseError, match="there: other code of A"):
        codes.compare(first, {"here": first, "there": same}, metadata=True)
    other = {"A": Code("a.sol", b"create" + METADATA, b"ran" + METADATA)}
    with pytest.raises(ReleaseError, match="there: other code of A"):
        codes.compare(first, {"there": other}, metadata=False)
    with pytest.raises(ReleaseError, match=r"\['B'\] stand on one side only"):
        codes.compare(first, {"there": {**first, "B": first["A"]}}, metadata=True)


def test_the_list_has_hashes_with_and_without_metadata(built: dict[str, Code]) -> None:
    listed = codes.listed(built, "abc", "1.2.3", {"version": "0.8.30"})["contracts"]
    fingerprints = json.loads((ROOT / "keeper" / "check" / "codes.json").read_text())
    # Without immutables that is what `keeper check` compares.
    plain = [name for name, row in fingerprints.items() if not row["immutables"]]
    assert plain
    for name in plain:
        assert listed[name]["runtime_without_metadata"] == fingerprints[name]["hash"]
    assert len({row["runtime"] for row in listed.values()}) == len(listed)


def test_sums_are_those_that_sha256sum_reads(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_text(name)
    text = sums(tmp_path.iterdir())
    assert text.splitlines()[0] == f"{hashlib.sha256(b'a').hexdigest()}  a"
    (tmp_path / "SHA256SUMS").write_text(text)
    checked = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(checked, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "b").write_text("c")
    assert subprocess.run(checked, cwd=tmp_path, capture_output=True, check=False).returncode == 1


def git(tree: Path, *arguments: str) -> None:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
    subprocess.run(command, cwd=tree, capture_output=True, check=True)


def test_only_what_is_committed_is_released(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    git(tree, "init", "-q")
    (tree / "a").write_text("one")
    git(tree, "add", "a")
    git(tree, "commit", "-q", "-m", "one")
    commit = checkout.head(tree)
    (tree / "a").write_text("two")
    with pytest.raises(ReleaseError, match="uncommitted changes, such as a: commit them"):
        checkout.head(tree)
    checkout.check_out(tree, commit, tmp_path / "there")
    assert (tmp_path / "there" / "a").read_text() == "one"


def test_a_python_that_is_not_here_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    tested = pythons.test(ROOT, tmp_path / "wheel", tmp_path, "3.99")
    assert (tested.good, tested.found, tested.said) == (False, "", "not found on this machine")
    place = tmp_path / "versions" / "3.99.1" / "bin" / "python"
    place.parent.mkdir(parents=True)
    place.touch()
    assert pythons.find("3.99") == place


def test_tests_under_other_pythons_have_the_tree_with_the_packages_of_the_wheel(tmp_path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert list(pythons.INSTALLED) == project["packages"]
    for name in ("keeper", "ballast", "data", "sandbox", "environment/lib/python3.11/site-packages/keeper"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "__init__.py").write_text(name)
    (tmp_path / "environment/lib/python3.11/site-packages/ballast").mkdir()
    (tmp_path / ".env.example").touch()
    place = tmp_path.parent / f"{tmp_path.name}-place"
    pythons.lay(tmp_path, tmp_path / "environment", place)
    assert {path.name for path in place.iterdir()} == {path.name for path in tmp_path.iterdir()}
    assert (place / "keeper" / "__init__.py").read_text().startswith("environment/")
    assert not (place / "ballast" / "__init__.py").exists()
    assert (place / "sandbox").resolve() == tmp_path / "sandbox"


def test_what_forge_leaves_beside_its_artifacts_is_no_contract(tmp_path: Path) -> None:
    def lay(name: str, document: object) -> None:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(document))

    def artifact(source: str, code: str) -> object:
        settings = {"compilationTarget": {source: "A"}}
        parts = {"bytecode": {"object": f"0x{code}"}, "deployedBytecode": {"object": f"0x{code}"}}
        return {**parts, "metadata": {"settings": settings}}

    lay("A.sol/A.json", artifact("contracts/A.sol", "6001"))
    lay("I.sol/I.json", artifact("contracts/I.sol", ""))
    lay("L.sol/L.json", artifact("contracts/libraries/L.sol", "6002"))
    lay("build-info/1.json", {"id": "1"})
    assert codes.read_forge(tmp_path) == {"A": Code("contracts/A.sol", b"\x60\x01", b"\x60\x01")}
