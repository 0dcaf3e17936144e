"""Runs `check` on a deployed fund, and what its findings say."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.keeper.deployed_fund import Field
from tests.keeper.endpoints import KEY
from tests.keeper.test_commands import Keeper


@dataclass(frozen=True)
class Report:
    """What one run of `check --json` said."""

    status: int
    lines: list[dict[str, str]]

    def levels(self, check: str) -> dict[str, str]:
        """The worst level of each subject of a check."""
        order = ["ok", "warning", "failure"]
        found: dict[str, str] = {}
        for line in self.lines:
            if line["check"] == check:
                found[line["subject"]] = max(found.get(line["subject"], "ok"), line["level"], key=order.index)
        return found

    def only_failures(self, *checks: str) -> None:
        """Nothing but these checks has failed, each of them has, and the exit status says so."""
        assert {line["check"] for line in self.lines if line["level"] == "failure"} == set(checks)
        assert self.status == (1 if checks else 0)

    def line(self, check: str, level: str, *words: str) -> dict[str, str]:
        """The line of a check at a level whose text has all the words; it has a remedy unless it is ok."""
        for line in self.lines:
            if (line["check"], line["level"]) == (check, level) and all(word in line["text"] for word in words):
                assert bool(line["remedy"]) == (level != "ok")
                return line
        raise AssertionError(f"no {level} of {check} with {words}: {[x for x in self.lines if x['check'] == check]}")


Check = Callable[..., Report]


@contextlib.contextmanager
def checking(
    field: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Check]:
    """Runs it, in this process; sends nothing, and says nothing secret."""
    keeper = Keeper(field, tmp_path, monkeypatch, capsys)

    def run(**changes: str | None) -> Report:
        before = field.w3.eth.block_number
        done = keeper("check", "--json", **changes)
        assert field.w3.eth.block_number == before
        for secret in (KEY, str(field.account.private_key)):
            assert secret not in done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        lines: list[dict[str, str]] = found["lines"]
        levels = [line["level"] for line in lines]
        assert (found["failures"], found["warnings"]) == (levels.count("failure"), levels.count("warning"))
        assert found["passed"] == (found["failures"] == 0)
        return Report(done.returncode, lines)

    yield run
    field.rpc.request("evm_setAutomine", True)
