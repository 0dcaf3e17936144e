"""`python -m tools.coverage [TESTS]`: runs tests on a chain and reports what of the contracts they reach."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ballast.build import ROOT, is_current
from ballast.files import replace_json
from lab.localnet.session import interrupt_on_terminate
from lab.solidity.areas import FILES
from tools.coverage.compiled import compiled
from tools.coverage.kept import kept
from tools.coverage.report import figures, merged, reached, table
from tools.run_tests import JOBS, Group, groups, run_all

OUT = ROOT / "out" / "coverage.json"
PLUGIN = ("-p", "tools.coverage.tracing", "-q")


@click.command()
@click.argument("tests", nargs=-1)
@click.option("--left", is_flag=True, help="Run the files that were not run since they or the contracts changed.")
def main(tests: tuple[str, ...], left: bool) -> None:
    """Runs TESTS (files or folders), or all of tests/contracts, and adds what was kept of the others; ends with 1 where
    a test fails."""
    interrupt_on_terminate()
    if not is_current():
        sys.exit("coverage: the contracts have changed since they were compiled: run `make compile`")
    output = compiled()
    every = [path for group in groups(["contracts"]) for path in group.paths]
    done = kept(every, output["digest"]) if left else {}
    wanted = _files(tests) if tests else [file for file in every if file not in done]
    total = min(JOBS, len(wanted))
    dealt = [Group("contracts", part + 1, total, tuple(wanted[part::total])) for part in range(total)]
    code = run_all(dealt, PLUGIN)
    document, said = _told(output, sorted({*every, *wanted}))
    click.echo(said)
    replace_json(OUT, document, indent=1)
    sys.exit(code)


def _files(tests: Sequence[str]) -> list[str]:
    """These test files, and those in these folders."""
    found = list[Path]()
    for test in tests:
        found += [ROOT / test] if test.endswith(".py") else sorted((ROOT / test).rglob("test_*.py"))
    return [path.relative_to(ROOT).as_posix() for path in found]


def _told(output: dict[str, Any], files: Sequence[str]) -> tuple[dict[str, Any], str]:
    """What all the parts that count reached: as a document, and as text."""
    parts = kept(files, output["digest"])
    found = reached(output, merged(parts.values()))
    core = [one for one in found if Path(one.file).stem in FILES]
    document = {
        "tests": sorted(parts),
        "tests_left": sorted({*files} - {*parts}),
        "traced": sum(part["traced"] for part in parts.values()),
        "untraced": sum(part["untraced"] for part in parts.values()),
        "alike": sum(part["alike"] for part in parts.values()),
        "unfit": sorted(test for part in parts.values() for test in part["unfit"]),
        "other": sorted(test for part in parts.values() for test in part["other"]),
        "core": figures(core),
        "all": figures(found),
        "files": {one.file: {**one.to_json(), "core": one in core} for one in found},
    }
    rows = [table(core), table([one for one in found if one not in core])]
    for name in ("core", "all"):
        figure = document[name]
        rows.append(
            f"{name}: lines {figure['lines_reached']}/{figure['lines']} = {figure['lines_percent']} %, "
            f"branches {figure['branches_reached']}/{figure['branches']} = {figure['branches_percent']} %;"
            f" {figure['decisions_without_jump']} decisions without a jump not counted"
        )
    rows.append(
        f"{document['traced']} transactions and calls of {len(parts)} files traced; {len(document['unfit'])} traces not"
        f" understood to their end, {len(document['other'])} transactions did other than their trace,"
        f" {document['untraced']} were not traced, and {document['alike']} calls as so many alike were"
    )
    if document["tests_left"]:
        rows.append(f"not counted, as not run since a change: {', '.join(document['tests_left'])}")
    return document, "\n".join(rows)


if __name__ == "__main__":
    main()
