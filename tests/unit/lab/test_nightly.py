"""The long runs of `make nightly`: that each can be made, with its own arguments, and what the table says of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ballast.build import ROOT
from lab import nightly
from lab.bench import keeper
from lab.chaos.runner import report
from lab.fuzz import campaign
from tools.coverage.report import figures

MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("run", nightly.RUNS, ids=lambda run: run.name)
def test_a_run_is_a_target_with_variables_of_the_makefile(run: nightly.Run) -> None:
    target, *variables = run.make
    assert re.search(rf"^{target}:.*## ", MAKEFILE, re.MULTILINE)
    (recipe,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    for name in (variable.partition("=")[0] for variable in variables):
        assert f"$({name})" in recipe


def test_what_the_runs_are_named_by_is_not_handed_on_to_them(tmp_path: Path) -> None:
    arguments = [nightly.command(nightly.Run(name, (name, *more))) for name, more in (("a", ()), ("b", ("ARGS=own",)))]
    script = f"import subprocess\nfor one in {arguments!r}:\n    subprocess.run(one, check=True)\n"
    (tmp_path / "run.py").write_text(script)
    (tmp_path / "Makefile").write_text("ARGS ?=\nall:\n\t@python3 run.py\na b:\n\t@echo $@ [$(ARGS)]\n")
    # As from a shell: under `make test` it would say which folder it enters, and have that run's flags.
    alone = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    done = subprocess.run(["make", "ARGS=a b"], cwd=tmp_path, env=alone, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["a []", "b [own]"]


def test_the_last_line_is_one_of_the_run() -> None:
    said = (
        "6 of 7 caught\n└──────┘\nfuzz: not caught: x\n\nmake[1]: *** [Makefile:80: mutants] Error 1\nmake: Leaving\n"
    )
    assert nightly.last_line(said) == "fuzz: not caught: x"
    assert nightly.last_line("┌─┐\n") == ""


def test_the_table_says_what_the_runs_write(tmp_path: Path) -> None:
    def words(name: str, found: dict[str, Any]) -> str:
        (run,) = [run for run in nightly.RUNS if run.name == name]
        return run.words(found)

    assert words("chaos", report([], 0)) == (
        "0 of 0 months passed; 0 of 0 clients; 0 odd answers, the process ended in 0"
    )
    assert words("coverage", {"core": figures([])}) == "core: 100.0 % of lines, 100.0 % of branches"
    campaign.write(campaign.Campaign("c", "h", 1, 1, 500, 1, 0, 1.0, [], {}), tmp_path / "out.json")
    campaign.write(campaign.Campaign("c", "h", 7, 3, 500, 12_500, 0, 1.0, [], {}), tmp_path / "out.json")
    assert words("invariants", json.loads((tmp_path / "out.json").read_text())) == "12,500 calls, seeds 7 to 9"
    quiet = keeper.as_json(keeper.Figures(round_trips_per_tick=1.5, tick_ms=20.0, rss_growth_kib=-12))
    assert words("keeper", {"keeper": quiet}) == "1.50 round trips and 20.0 ms a tick, -12 KiB of memory"
