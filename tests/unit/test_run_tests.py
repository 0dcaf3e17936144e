"""How the tests are run: in groups that leave nothing out, and with a table of the steps whatever becomes of them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ballast.build import ROOT
from lab import nightly
from tools.run_tests import BY_NAME, JOBS, LONG, SECONDS, TESTS, Ended, Group, groups, steps, table

STEPS = ("lint", "compile", "unit", "contracts", "keeper", "lab", "scripts", "solidity", "fuzz", "page")


def files_of(group: Group) -> list[Path]:
    """The test files that a group runs."""
    paths = [ROOT / path for path in group.paths]
    return [file for path in paths for file in (sorted(path.rglob("test_*.py")) if path.is_dir() else [path])]


def test_every_file_is_in_one_group() -> None:
    found = [file for group in groups() for file in files_of(group)]
    assert len(found) == len(set(found))
    by_name = {*BY_NAME, LONG}
    assert set(found) == {file for file in TESTS.rglob("test_*.py") if not by_name & {*file.relative_to(TESTS).parts}}
    assert sorted(str(path.relative_to(ROOT)) for path in TESTS.rglob(LONG)) == list(nightly.LONG)


def test_the_longest_begin_and_both_jobs_end_at_about_the_same_time() -> None:
    found = groups()
    assert {group.folder for group in found} == SECONDS.keys()
    assert [group.folder for group in found[:2]] == ["unit"] * 2
    ends = [0] * JOBS
    for group in found:
        first = ends.index(min(ends))
        ends[first] += SECONDS[group.folder]
    assert max(ends) - min(ends) <= max(ends) // 10


def test_the_table_says_when_each_group_ran_and_what_came_of_it() -> None:
    one, two = (Group("keeper", number, 2, ("tests/keeper",)) for number in (1, 2))
    lab = Group("lab", 1, 1, ("tests/lab",))
    ended = [Ended(lab, 1_000.0, 1_060.0, 5), Ended(two, 1_000.0, 1_070.0, 1), Ended(one, 1_060.0, 1_160.0, 0)]
    assert table(ended).splitlines() == [
        "group               from      to  seconds  result",
        "lab                    0      60       60  nothing selected",
        "keeper 2/2             0      70       70  FAILED (1)",
        "keeper 1/2            60     160      100  passed",
    ]
    assert steps(ended) == ["lab\t60\t0\n", "keeper\t170\t1\n"]


@pytest.mark.parametrize(("fails", "code"), [(None, 0), ("contracts", 7)])
def test_ci_prints_its_steps_and_ends_with_the_code_of_what_failed(
    tmp_path: Path, fails: str | None, code: int
) -> None:
    noted = tmp_path / "noted"
    lines = [f"{name}\t{n}\t{code if name == fails else 0}\n" for n, name in enumerate(STEPS[:8])]
    noted.write_text("".join(lines))
    make = tmp_path / "make"
    make.write_text(
        f"""#!/usr/bin/env bash
if [ "$1" = chromium ]; then exit 1; fi
if [ "$1" = test ]; then
    cat "{noted}" >>"$BALLAST_STEPS"
    {"exit 2" if fails else ""}
    exec "{ROOT}/tools/step.sh" fuzz true
fi
exec "{ROOT}/tools/step.sh" page true
"""
    )
    make.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([ROOT / ".ci" / "run"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    shown = {line[:12].strip(): line[22:] for line in done.stdout.splitlines() if line}
    assert tuple(shown) == ("step", *STEPS)
    last = "not run" if fails else "passed"
    assert shown == {
        "step": "result",
        **{name: f"FAILED ({code})" if name == fails else "passed" for name in STEPS[:8]},
        "fuzz": last,
        "page": last,
    }


def test_a_step_notes_what_it_took_and_keeps_its_exit_code(tmp_path: Path) -> None:
    noted = tmp_path / "steps"
    environment = {**os.environ, "BALLAST_STEPS": str(noted)}
    command = [str(ROOT / "tools" / "step.sh"), "some", "bash", "-c", "exit 3"]
    assert subprocess.run(command, env=environment, check=False).returncode == 3
    assert noted.read_text().split("\t")[::2] == ["some", "3\n"]
    del environment["BALLAST_STEPS"]
    assert subprocess.run([*command[:2], "true"], env=environment, check=False).returncode == 0
