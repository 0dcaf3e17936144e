"""`python -m tools.release`: builds the release of the tree's commit into out/release, or leaves none."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import yaml

from ballast import __version__
from ballast.build import ROOT
from ballast.files import replace_json
from lab.localnet.session import RUNS
from tools.release import codes, pythons, sbom, wheel
from tools.release.checkout import Commit, check_out, head
from tools.release.errors import ReleaseError, run

OUT = ROOT / "out" / "release"
COPIED = (
    wheel.LOCK,
    "LICENSE",
    "CHANGELOG.md",
    "deploy/Dockerfile",
    "deploy/ballast-keeper.service",
    "deploy/ballast-keeper-failed@.service",
    "deploy/keeper.env.example",
)
"""Files of the tree that are copied beside the wheel, with .env.example as env.example."""


@click.command()
@click.option("--skip-forge", is_flag=True, help="Leave out the build with forge.")
@click.option("--skip-pythons", is_flag=True, help="Leave out the tests under other Pythons.")
def main(skip_forge: bool, skip_pythons: bool) -> None:
    """Builds out/release from two clean checkouts of the tree's commit."""
    RUNS.mkdir(exist_ok=True)
    try:
        commit = head(ROOT)
        with tempfile.TemporaryDirectory(prefix="release-", dir=RUNS) as folder:
            made = Path(folder) / "release"
            made.mkdir()
            tree, other = Path(folder) / "a", Path(folder) / "another" / "place"
            for place in (tree, other):
                check_out(ROOT, commit, place)
            _contracts(tree, other, made, commit, forge=not skip_forge)
            with part("keeper: wheel and lists of what it is made of"):
                _keeper(tree, other, made, commit)
            for name in COPIED:
                shutil.copy(tree / name, made)
            shutil.copy(tree / ".env.example", made / "env.example")
            (made / "SHA256SUMS").write_text(sums(made.iterdir()))
            if not skip_pythons:
                with part("keeper: tests under other Pythons"):
                    _test(tree, made, Path(folder))
            shutil.rmtree(OUT, ignore_errors=True)
            OUT.parent.mkdir(exist_ok=True)
            shutil.move(made, OUT)
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        sys.exit(1)
    print((OUT / "SHA256SUMS").read_text(), end="")
    print(f"{OUT.relative_to(ROOT)}: {__version__} of commit {commit.hash[:12]}")


@contextmanager
def part(name: str) -> Iterator[None]:
    """Prints a part of the work and how long it took."""
    began = time.monotonic()
    print(f"{name} ...", flush=True)
    yield
    print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)


def _contracts(tree: Path, other: Path, made: Path, commit: Commit, *, forge: bool) -> None:
    """Writes contracts.json, once two folders and two programs have given the same code."""
    with part("contracts: compiled by Ape in two folders"):
        found = codes.by_ape(tree)
        codes.compare(found, {"compiled in another folder": codes.by_ape(other)}, metadata=True)
        print(f"contracts: {len(found)}, the same in two folders")
    if forge:
        with part("contracts: compiled by forge"):
            codes.compare(found, {"compiled by forge": codes.by_forge(other)}, metadata=False)
            print("contracts: the same by forge, but for the compiler's metadata")
    codes.check_keeper(found)
    settings = yaml.safe_load((tree / "ape-config.yaml").read_text())["solidity"]
    replace_json(made / "contracts.json", codes.listed(found, commit.hash, __version__, settings), indent=1)


def _keeper(tree: Path, other: Path, made: Path, commit: Commit) -> None:
    """Builds the wheel, once two folders have given the same, and the lists of what it and the contracts consist of."""
    built = wheel.build(tree, made, commit.time)
    again = wheel.build(other, other.parent / "wheel", commit.time)
    if built.read_bytes() != again.read_bytes():
        raise ReleaseError(f"{built.name}: another file when it was built in another folder")
    print(f"{built.name}: the same in two folders")
    environment = tree.parent / "installed"
    wheel.install(built, tree / wheel.LOCK, environment, sys.executable)
    (made / "sbom-python.cdx.json").write_text(sbom.python(ROOT, environment, commit.time))
    (made / "sbom-npm.cdx.json").write_text(sbom.npm(tree, __version__))
    hadolint = ROOT / ".tools" / "release" / "bin" / "hadolint"
    run([hadolint, tree / "deploy" / "Dockerfile"], tree)


def sums(files: Iterable[Path]) -> str:
    """SHA-256 of files, as `sha256sum --check` reads it, by name."""
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(files) if file.is_file()
    )


def _test(tree: Path, made: Path, folder: Path) -> None:
    """Install and test the wheel under each Python; writes the results to out/pythons.json."""
    (built,) = made.glob("*.whl")
    ran = [pythons.test(tree, built, folder / "pythons", version) for version in pythons.VERSIONS]
    for one in ran:
        print(f"Python {one.found or one.wanted}: {f'{one.passed} tests passed' if one.good else one.said}")
    rows = [{"wanted": one.wanted, "found": one.found, "passed": one.passed, "said": one.said} for one in ran]
    (OUT.parent).mkdir(exist_ok=True)
    (OUT.parent / "pythons.json").write_text(json.dumps({"pythons": rows}, indent=1) + "\n")
    if bad := [one.wanted for one in ran if one.found and not one.good]:
        raise ReleaseError(f"the keeper's tests fail under Python {', '.join(bad)}")


if __name__ == "__main__":
    main()
