"""What is waited for at the start, and what ends the keeper."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keeper.errors import (
    ChainError,
    JournalError,
    KeeperError,
    KeyServiceError,
    MismatchError,
    NotReadyError,
    SettingsError,
)
from keeper.ops import startup
from keeper.ops.liveness import Interrupted, Stop
from keeper.ops.startup import Verdict, patiently, verdict
from keeper.ops.troubles import Troubles


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "FIRST_PAUSE_S", 0.0)


class Step:
    """Raises one after the other, then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self.left: Iterator[Exception] = iter(errors)
        self.tries = 0

    def __call__(self) -> str:
        self.tries += 1
        for error in self.left:
            raise error
        return "done"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ChainError("no node"), Verdict.PASSES),
        (JournalError("locked"), Verdict.PASSES),
        (KeyServiceError("no KMS"), Verdict.PASSES),
        (KeeperError("of a kind to come"), Verdict.PASSES),
        (NotReadyError("no ether"), Verdict.PASSES),
        (MismatchError("wrong chain"), Verdict.CONTRADICTS),
        (SettingsError("malformed"), Verdict.FINAL),
        (KeyError("result"), Verdict.UNFORESEEN),
        (AssertionError(), Verdict.UNFORESEEN),
    ],
)
def test_by_the_type_alone(error: Exception, expected: Verdict) -> None:
    assert verdict(error) is expected


def test_what_passes_is_waited_for(capfd: pytest.CaptureFixture[str]) -> None:
    troubles = Troubles()
    step = Step(ChainError("no node"), NotReadyError("no ether"), KeyError("odd"), JournalError("locked"))
    assert patiently(step, Stop(), troubles) == "done"
    assert (step.tries, troubles.standing) == (5, ())
    (defect,) = troubles.defects
    assert (defect.where, defect.error) == ("start", "KeyError")
    said = "".join(capfd.readouterr())
    assert said.count("cannot start yet") == 3 and said.count("what kept it from starting is over") == 1


def test_what_only_a_person_can_mend_ends_it() -> None:
    troubles = Troubles()
    step = Step(ChainError("no node"), SettingsError("malformed"))
    with pytest.raises(SettingsError, match="malformed"):
        patiently(step, Stop(), troubles)
    assert step.tries == 2


def test_one_wrong_answer_does_not_end_it_and_three_do() -> None:
    wrong = MismatchError("another chain")
    troubles = Troubles()
    assert patiently(Step(wrong, wrong, ChainError("none"), wrong, wrong), Stop(), troubles) == "done"
    with pytest.raises(MismatchError):
        patiently(Step(wrong, wrong, wrong), Stop(), troubles)


def test_pauses_grow_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    stop, pauses = Stop(), list[float]()
    monkeypatch.setattr(stop, "rest", pauses.append)
    patiently(Step(*[ChainError("no node")] * 9), stop, Troubles())
    assert pauses == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]


def test_it_stops_when_asked() -> None:
    stop = Stop()
    stop.set()
    with pytest.raises(Interrupted):
        patiently(Step(ChainError("no node")), stop, Troubles())
