"""Errors that nobody foresaw are told with their trace once, then counted; and no secret shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keeper.ops.alerts import UNFORESEEN_S, Kind, alerts_of
from keeper.ops.troubles import MAX_KEPT, Defect, Trouble, Troubles
from keeper.output import redact
from tests.unit.keeper.ops.facts import BOUNDS, NOW, facts_of


def caught(text: str) -> Exception:
    try:
        redact.clean(int(text))  # type: ignore[arg-type]
    except ValueError as error:
        return error
    raise AssertionError


def test_once_with_its_trace_and_then_counted(capfd: pytest.CaptureFixture[str]) -> None:
    troubles = Troubles(clock=lambda: 5.0)
    found = [troubles.unforeseen("fund", caught("odd-answer")) for _ in range(9)]
    assert str(found[0]).startswith("unforeseen ValueError in ") and "odd-answer" in str(found[0])
    (defect,) = troubles.defects
    assert (defect.where, defect.error, defect.count, defect.first) == ("fund", "ValueError", 9, 5.0)
    said = "".join(capfd.readouterr())
    assert said.count("Traceback") == 1
    # At the 2nd, 4th and 8th time.
    assert said.count("unforeseen error again") == 3 and "times=8" in said
    troubles.unforeseen("other", caught("odd-answer"))
    assert len(troubles.defects) == 2 and "Traceback" in "".join(capfd.readouterr())


def test_no_secret_shows(capfd: pytest.CaptureFixture[str]) -> None:
    redact.learn("a-secret-of-this-test")
    troubles = Troubles()
    shown = troubles.unforeseen("fund", caught("a-secret-of-this-test"))
    hidden = troubles.unforeseen("page", caught("any-text"), wording=False)
    said = "".join(capfd.readouterr())
    assert "a-secret-of-this-test" not in f"{said} {shown}" and redact.MARK in str(shown)
    assert "any-text" not in f"{said} {hidden}" and "int(text)" in said


def test_only_so_many_are_kept() -> None:
    troubles = Troubles()
    for number in range(MAX_KEPT + 1):
        troubles.unforeseen(f"part {max(1, number)}", caught("x"))
    names = [defect.where for defect in troubles.defects]
    assert len(names) == MAX_KEPT and names[0] == "part 1"
    troubles.unforeseen("another", caught("x"))
    # The one that was not seen for the longest.
    assert "part 1" not in {defect.where for defect in troubles.defects}


def test_what_holds_keeps_its_beginning() -> None:
    now = [1.0]
    troubles = Troubles(clock=lambda: now[0])
    troubles.hold("start", "no node")
    now[0] = 9.0
    troubles.hold("start", "no ether")
    assert troubles.standing == (Trouble("start", "no ether", 1.0),)
    assert troubles.over("start") and not troubles.over("start")


def test_alerts() -> None:
    trouble = Trouble("start", "no node", NOW - 30)

    def told(*found: Trouble) -> list[tuple[str, str]]:
        return [(alert.kind, alert.text) for alert in alerts_of(facts_of(troubles=found), BOUNDS)]

    assert told(trouble) == [(Kind.CANNOT_START, "the keeper cannot start since 22:12 UTC: no node")]
    assert told(replace(trouble, since=NOW - 29)) == []
    assert told(replace(trouble, since=NOW, final=True))[0][1] == "the keeper has ended: only you can mend it: no node"
    assert told(replace(trouble, kind="http"))[0][0] == Kind.NOT_LISTENING
    defect = Defect("fund", "KeyError", "keeper.view:7", NOW - 60, NOW, 3)
    (alert,) = alerts_of(facts_of(defects=(defect,)), BOUNDS)
    assert alert.kind is Kind.UNFORESEEN_ERROR
    assert "fund: KeyError in keeper.view:7, 3 times since 22:12 UTC" in alert.text
    assert not alerts_of(facts_of(defects=(replace(defect, last=NOW - UNFORESEEN_S),)), BOUNDS)
