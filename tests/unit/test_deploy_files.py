"""What installs a keeper without Ape: its own lock file, the systemd unit, the image."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from keeper.settings import PREFIX, Secrets, Settings
from lab.localnet.anvil import ROOT

DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "ballast-keeper.service"
OWN = ("keeper", "ballast")


def imported(file: Path) -> Iterator[str]:
    """Modules that a file names in imports, wherever they stand in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0, f"{file}: a relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def closure() -> tuple[set[Path], set[str]]:
    """The files that the keeper is made of, and the top-level modules of others that they import."""
    todo, files, others = set((ROOT / "keeper").rglob("*.py")), set[Path](), set[str]()
    while todo:
        file = todo.pop()
        files.add(file)
        for name in imported(file):
            top = name.split(".")[0]
            if top in OWN:
                path = ROOT.joinpath(*name.split("."))
                found = {at for at in (path.with_suffix(".py"), path / "__init__.py") if at.exists()}
                todo |= found - files
            elif top not in sys.stdlib_module_names:
                others.add(top)
    return files, others


def pinned(name: str) -> dict[str, str]:
    """Versions in a lock file by normalized name."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)$", (ROOT / name).read_text(), re.M)
    return {normal(distribution): version for distribution, version in found}


def wanted() -> set[str]:
    lines = (ROOT / "requirements-keeper.in").read_text().splitlines()
    return {normal(line) for line in lines if line and not line.startswith("#")}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.split("[", maxsplit=1)[0]).lower()


def test_the_keeper_imports_what_its_own_requirements_name_and_nothing_else() -> None:
    files, others = closure()
    assert {file.relative_to(ROOT).parts[0] for file in files} == set(OWN)
    by_module = packages_distributions()
    needed = {normal(by_module[module][0]) for module in others}
    assert needed == wanted()
    assert needed <= pinned("requirements-keeper.lock").keys()


def test_one_version_of_everything() -> None:
    keeper, whole = pinned("requirements-keeper.lock"), pinned("requirements.lock")
    assert len(keeper) > len(wanted())
    assert {name: whole.get(name) for name in keeper} == keeper
    assert not any("ape" in name.split("-") for name in keeper)


def test_the_image_takes_the_keeper_and_nothing_else() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (\S+) ", text, re.M)
    assert copied == ["requirements-keeper.lock", *sorted(OWN)]
    assert re.search(r"^FROM python:3\.11\.\d+-slim-\w+$", text, re.M)
    assert re.search(r"^USER 10001$", text, re.M)
    check = re.search(r"CMD (\[.*/health.*\])$", text, re.M)
    assert check is not None
    program = json.loads(check[1])
    compile(program[2], "health check", "exec")
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert ignored[1] == "*"
    assert [line for line in ignored if line.startswith("!")] == [
        "!requirements-keeper.lock",
        "!ballast/**/*.py",
        "!keeper/**/*.py",
        "!keeper/**/*.json",
        "!keeper/page/*.css",
        "!keeper/page/*.html",
        "!keeper/page/*.js",
    ]
    data = {file.suffix for name in OWN for file in (ROOT / name).rglob("*.*") if "__pycache__" not in file.parts}
    assert data == {".py", ".json", ".css", ".html", ".js"}


@pytest.mark.parametrize("file", ["ballast-keeper.service", "keeper.env.example", "Dockerfile"])
def test_only_variables_that_there_are(file: str) -> None:
    known = {PREFIX + name.upper() for name in (*Settings.model_fields, *Secrets.model_fields)}
    named = set(re.findall(r"\b(BALLAST_[A-Z_]+)=", (DEPLOY / file).read_text()))
    assert named and named <= known


def test_the_unit_is_one(tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not installed")
    text = UNIT.read_text().replace("/opt/ballast/venv/bin/python", sys.executable)
    unit = tmp_path / UNIT.name
    unit.write_text(text)
    done = subprocess.run([verify, "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    safe = subprocess.run(
        [verify, "security", "--offline=true", "--threshold=20", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert safe.returncode == 0, safe.stdout[-300:]  # exposure at most 2.0 of 10
