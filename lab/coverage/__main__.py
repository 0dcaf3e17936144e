"""`python -m lab.coverage [TESTS]`: runs tests on a chain and says what of the contracts they reach."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import click

from ballast.build import BUILD, ROOT, is_current
from ballast.files import replace_json
from lab.coverage.compiled import compiled, same
from lab.coverage.report import figures, merged, reached, table
from lab.coverage.tracing import FOLDER
from lab.localnet.session import RUNS, interrupt_on_terminate
from lab.solidity.areas import FILES
from tools.run_tests import groups, run_all, run_one

OUT = ROOT / "out" / "coverage.json"
PLUGIN = ("-p", "lab.coverage.tracing", "-q")


@click.command()
@click.argument("tests", nargs=-1)
def main(tests: tuple[str, ...]) -> None:
    """Runs TESTS (files or folders), or all of tests/contracts; ends with 1 where one fails."""
    interrupt_on_terminate()
    if not is_current():
        sys.exit("coverage: the contracts have changed since they were compiled: run `make compile`")
    output = compiled()
    if other := same(output, BUILD):
        sys.exit(f"coverage: the build has other code of {', '.join(other)}: run `make compile`")
    RUNS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="coverage-", dir=RUNS) as folder:
        os.environ[FOLDER] = folder
        code = run_one([*tests, *PLUGIN], tests) if tests else run_all(groups(["contracts"]), PLUGIN)
        parts = [json.loads(path.read_text()) for path in sorted(Path(folder).glob("*.json"))]
    found = reached(output, merged(parts))
    core = [one for one in found if Path(one.file).stem in FILES]
    click.echo(table(found))
    traced, unfit = sum(part["traced"] for part in parts), sum(part["unfit"] for part in parts)
    document = {
        "tests": list(tests) or ["tests/contracts"],
        "traced": traced,
        "unfit": unfit,
        "core": figures(core),
        "all": figures(found),
        "files": {one.file: one.to_json() for one in found},
    }
    replace_json(OUT, document, indent=1)
    for name, figure in (("core", figures(core)), ("all", figures(found))):
        click.echo(f"{name}: lines {figure['lines_percent']} %, branches {figure['branches_percent']} %")
    click.echo(f"{traced} transactions and calls traced, {unfit} of them not to their end")
    sys.exit(code)


if __name__ == "__main__":
    main()
