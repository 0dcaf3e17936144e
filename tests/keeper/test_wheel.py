"""The keeper as a package: built, installed into a Python of its own, and run on the fork, far from the repository."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ballast import __version__
from ballast.build import ROOT
from tests.helpers.waiting import PATIENCE_S
from tests.keeper.deployed_fund import Field
from tools.release import wheel

EVERY_MODULE = """
import importlib, pkgutil, sys
for package in ("ballast", "keeper"):
    for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        module = importlib.import_module(found.name)
        assert module.__file__.startswith(sys.prefix), module.__file__
        print(found.name)
"""


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`ballast-keeper`, installed from the wheel with the lock file's versions."""
    folder = tmp_path_factory.mktemp("wheel")
    built = wheel.build(ROOT, folder / "dist", 1_700_000_000)
    return wheel.install(built, ROOT / wheel.LOCK, folder / "environment", sys.executable)


def run(field: Field, folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """A program in an empty folder, with the settings of the fund's keeper and no way to the repository."""
    environment = field.environment(folder)
    for name in ("PYTHONPATH", "VIRTUAL_ENV"):
        environment.pop(name, None)
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_an_installed_keeper_checks_a_fund(field: Field, command: Path, tmp_path: Path) -> None:
    done = run(field, tmp_path, command, "check", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    contracts = {line["subject"]: line["level"] for line in found["lines"] if line["check"] == "contract"}
    assert contracts == dict.fromkeys(field.book.contracts, "ok")
    assert found["passed"] and found["failures"] == 0


def test_every_module_is_in_the_wheel_with_what_it_imports(field: Field, command: Path, tmp_path: Path) -> None:
    done = run(field, tmp_path, command.with_name("python"), "-c", EVERY_MODULE)
    assert (done.returncode, done.stderr) == (0, "")
    modules = set(done.stdout.split())
    files = {
        path.relative_to(ROOT).with_suffix("") for name in ("ballast", "keeper") for path in (ROOT / name).rglob("*.py")
    }
    wanted = {".".join(path.parts).removesuffix(".__init__") for path in files} - {"ballast", "keeper"}
    assert wanted - modules == {"ballast.cli"}
    assert not modules - wanted


def test_it_says_its_version(field: Field, command: Path, tmp_path: Path) -> None:
    assert run(field, tmp_path, command, "--version").stdout.strip() == __version__
    wrong = run(field, tmp_path, command, "chekc")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("Usage: ballast-keeper ")
