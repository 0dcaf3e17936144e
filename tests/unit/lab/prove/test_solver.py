"""The solver's own check is believed where it fails."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lab.prove import halmos
from lab.prove.errors import ProveError
from lab.prove.processes import Processes

ROOT = Path(__file__).parents[4]


def _prover(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "python").symlink_to(sys.executable)
    monkeypatch.setattr(halmos, "PROVER", folder)


def test_nothing_is_proved_by_a_solver_that_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _prover(tmp_path, monkeypatch)
    script = tmp_path / "small_words.py"
    script.write_text("raise SystemExit('refuted on integers, but true: x == 1')")
    with pytest.raises(ProveError, match="the solver is wrong:\nrefuted on integers, but true: x == 1"):
        halmos.check_solver(Processes(), script)
    script.write_text("import sys\nassert sys.argv[2] == '60' and sys.argv[3].endswith('yices-smt2')")
    halmos.check_solver(Processes(), script)


def test_a_missing_prover_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halmos, "PROVER", tmp_path)
    with pytest.raises(ProveError, match=r"run `make .tools/prove.stamp`"):
        halmos.check_solver(Processes())
    with pytest.raises(ProveError, match=r"run `make .tools/prove.stamp`"):
        halmos.compile_tree(tmp_path, "parts", Processes())


@pytest.mark.skipif(not (halmos.PROVER / "python").exists(), reason="needs make .tools/prove.stamp")
def test_small_words_are_refuted_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halmos, "DRAWN", 20)
    halmos.check_solver(Processes())
