"""What the last started month confirmed, which is what a methodology is given as `previous`, and what another
methodology does to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ballast.units import DAY_S
from tests.helpers.bench import (
    INCLUDED,
    KINDS,
    NOTICE,
    OUTSIDE,
    PERIOD,
    TIMETABLE,
    Bench,
    confirmed,
    constituent,
    not_due,
)
from tests.helpers.fund import EXECUTION, PERIOD_END
from tests.helpers.packed import words_at
from tests.helpers.reverts import assert_reverts

NEXT = PERIOD_END + 1
AFTER_NEXT = 1621900800  # 2021-05-25: the period June 2021 begins
NEXT_EXECUTION = 1620000000  # 2021-05-03 00:00 UTC
JULY = 1624492800  # 2021-06-24: the period July 2021 begins
VOIDED = 4


def bases(bench: Bench) -> list[int]:
    return [c.basis for c in bench.chain.read(bench.lens.constituents(bench.rebalancer))]


def lasts(bench: Bench) -> list[int]:
    return [c.confirmed for c in bench.chain.read(bench.lens.constituents(bench.rebalancer))]


def told(factor: int) -> list[int]:
    """Bases as start tells them."""
    return [confirmed(basis) for basis in times(factor)]


def times(factor: int) -> list[int]:
    return [factor * kind.target for kind in KINDS]


def carry(bench: Bench) -> None:
    """From now on the methodology adds what it is given as previous."""
    bench.chain.send(bench.methodology.carry(True), bench.keeper, at=bench.chain.now())


def another(bench: Bench, basis: bytes = b"unit") -> int:
    """Sets another methodology with the same constituents, which adds what it is given and says this of what a basis
    is; the time of that."""
    made = bench.chain.deploy("PostedMethodology", sender=bench.keeper)
    bench.chain.send(made.setBasis(basis.ljust(32, b"\0")), bench.keeper)
    same = [constituent(token, kind.target) for token, kind in zip(bench.tokens, KINDS, strict=True)]
    bench.chain.send(made.post(same), bench.keeper)
    bench.chain.send(made.carry(True), bench.keeper)
    bench.chain.send(bench.rebalancer.setMethodology(made), bench.owner)
    return bench.chain.now()


def started_april(bench: Bench) -> None:
    """April, started and over, with KINDS' targets as its bases, from a methodology that carries from then on."""
    bench.determine(NOTICE)
    bench.start()
    bench.chain.send(bench.rebalancer.close(), bench.keeper, at=NEXT)
    carry(bench)


def test_moves_on_with_every_start(bench: Bench) -> None:
    """A methodology is given what the last start confirmed: not what was determined."""
    carry(bench)
    bench.determine(NOTICE)
    first = bench.chain.read(bench.rebalancer.month())
    assert (lasts(bench), bases(bench)) == (times(0), times(1))
    preview = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    assert (preview.basis, preview.confirmed) == (told(1), []), "as it was determined: nothing is written"
    bench.start()
    assert bench.chain.read(bench.rebalancer.month()).determination == first.determination
    bench.chain.send(bench.rebalancer.close(), bench.keeper, at=NEXT)

    bench.determine(NEXT)
    second = bench.chain.read(bench.rebalancer.month())
    assert (lasts(bench), bases(bench)) == (times(1), times(2))
    assert second.determination != first.determination
    preview = bench.chain.read(bench.rebalancer.previewStart(), at=NEXT_EXECUTION)
    assert preview.basis == told(3), "this methodology adds it at start too"
    (event,) = bench.rebalancer.events(bench.start(NEXT_EXECUTION), "Started")
    assert event.basis == told(3)
    assert not bench.chain.read(bench.rebalancer.trading()), "everything is to be bought: done at once"
    stored = bench.chain.read(bench.rebalancer.month()).determination
    assert stored != second.determination
    assert words_at(bench.chain, stored) == preview.confirmed
    assert (lasts(bench), bases(bench)) == (times(1), times(3)), "the month as its start confirmed it"

    bench.determine(AFTER_NEXT)
    assert (lasts(bench), bases(bench)) == (times(3), times(4))


@pytest.mark.parametrize("end", ["vetoed", "not started", "voided", "vetoed twice", "missed"])
def test_months_that_were_not_started_carry_the_older_figures(bench: Bench, end: str) -> None:
    """What they determined is forgotten: April's start is what June's methodology is given."""
    started_april(bench)
    bench.determine(NEXT)
    assert bases(bench) == times(2)
    if end in ("vetoed", "vetoed twice"):
        bench.chain.send(bench.rebalancer.veto(), bench.guardian, at=NEXT + 1)
    if end == "voided":
        another(bench)
        assert (lasts(bench), bases(bench)) == (times(1), times(2)), "kept for what it carries"
        bench.determine(NEXT + 60)
        assert (lasts(bench), bases(bench)) == (times(1), times(2))
    later = AFTER_NEXT
    if end in ("vetoed twice", "missed"):
        later = JULY
        if end == "vetoed twice":
            bench.determine(AFTER_NEXT)
            bench.chain.send(bench.rebalancer.veto(), bench.owner, at=AFTER_NEXT + 1)
    bench.determine(later)
    assert (lasts(bench), bases(bench)) == (times(1), times(2))


def test_nothing_is_known_before_the_first_start(bench: Bench) -> None:
    """Determinations alone leave nothing: not even three of them."""
    carry(bench)
    for moment in (NOTICE, NEXT, AFTER_NEXT):
        bench.determine(moment)
        assert (lasts(bench), bases(bench)) == (times(0), times(1))
    bench.chain.send(bench.rebalancer.veto(), bench.owner, at=AFTER_NEXT + 1)
    bench.determine(JULY)
    assert (lasts(bench), bases(bench)) == (times(0), times(1))


def test_an_ended_month_was_started(bench: Bench) -> None:
    bench.determine(NOTICE)
    bench.start()
    bench.chain.send(bench.rebalancer.endMonth(), bench.guardian, at=EXECUTION + 1)
    carry(bench)
    bench.determine(NEXT)
    assert (lasts(bench), bases(bench)) == (times(1), times(2))


@pytest.mark.parametrize("started", [True, False])
def test_membership_is_carried_too(bench: Bench, started: bool) -> None:
    """Status as the last start counted it, or Included for a member of a month that was not started, Outside for
    others."""
    told_of = [
        constituent(t, k.target, i % 4, 0, 0, 0, 7 + i, i % 2)
        for i, (t, k) in enumerate(zip(bench.tokens, KINDS, strict=True))
    ]
    bench.chain.send(bench.methodology.post(told_of), bench.keeper)
    bench.determine(NOTICE)
    if started:
        bench.start()
    witness = bench.chain.deploy("PreviousWitness", sender=bench.keeper)
    if bench.chain.read(bench.rebalancer.trading()):
        bench.chain.send(bench.rebalancer.close(), bench.keeper, at=NEXT)
    bench.chain.send(bench.rebalancer.setMethodology(witness), bench.owner, at=NEXT)
    bench.chain.send(bench.rebalancer.determine(), bench.keeper, at=NEXT)
    given = bench.chain.read(bench.lens.constituents(bench.rebalancer))
    assert [c.confirmed for c in given] == [k.target if started else 7 + i for i, k in enumerate(KINDS)]
    plain = [INCLUDED if i % 2 else OUTSIDE for i in range(len(KINDS))]
    assert [c.weight for c in given] == [1 + (i % 4 if started else plain[i]) for i in range(len(KINDS))]


def test_another_methodology_voids_what_is_not_started(bench: Bench) -> None:
    """Determine is due again, its notice runs anew, and nothing of what was determined is passed on."""
    bench.determine(NOTICE)
    bench.chain.move_to(EXECUTION - DAY_S)
    at = another(bench)
    month = bench.chain.read(bench.rebalancer.month())
    assert (month.phase, month.period) == (VOIDED, PERIOD)
    assert bench.due(EXECUTION) == ("Determine", "Due", PERIOD_END + 1)
    assert_reverts(bench.chain, bench.rebalancer.start(), "NotDue", *not_due("Start", "Due"), at=EXECUTION)
    assert_reverts(bench.chain, bench.rebalancer.veto(), "NothingToVeto", sender=bench.guardian, at=at)
    assert_reverts(bench.chain, bench.rebalancer.endMonth(), "NothingToEnd", sender=bench.guardian, at=at)

    bench.determine(at + 1)
    month = bench.chain.read(bench.rebalancer.month())
    assert (month.phase, month.period) == (1, PERIOD)
    assert (lasts(bench), bases(bench)) == (times(0), times(1))
    assert bench.due(EXECUTION) == ("None", "NotYet", at + 1 + 2 * DAY_S)
    bench.start(at + 1 + 2 * DAY_S)


def test_the_same_methodology_voids_as_well(bench: Bench) -> None:
    carry(bench)
    bench.determine(NOTICE)
    bench.chain.send(bench.rebalancer.setMethodology(bench.methodology), bench.owner, at=NOTICE + 1)
    bench.determine(NOTICE + 2)
    assert bases(bench) == times(1)


@pytest.mark.parametrize(("basis", "known"), [(b"unit", 1), (b"supply", 0), (b"", 0)])
def test_what_is_known_goes_over_to_a_methodology_of_the_same_kind(bench: Bench, basis: bytes, known: int) -> None:
    """Bases of another kind mean something else: they are forgotten, and so they are where a methodology does not
    say."""
    started_april(bench)
    another(bench, basis)
    assert bases(bench) == (times(1) if known else [])
    bench.determine(NEXT + 60)
    assert (lasts(bench), bases(bench)) == (times(known), times(1 + known))


def test_a_methodology_that_does_not_say_what_a_basis_is(bench: Bench) -> None:
    """It can be set, and replaced: nothing is handed on either way."""
    started_april(bench)
    bench.chain.send(bench.rebalancer.setMethodology(bench.opener), bench.owner)
    assert bases(bench) == []
    another(bench)
    bench.determine(NEXT + 60)
    assert (lasts(bench), bases(bench)) == (times(0), times(1))


@pytest.mark.parametrize("end", ["done", "vetoed", "closed"])
def test_another_methodology_does_not_bring_a_period_back(bench: Bench, end: str) -> None:
    """A period that is over stays over; the next one is determined with what the last start confirmed, if there was
    one."""
    if end == "done":
        bench.post_targets({i: kind.unit for i, kind in enumerate(KINDS) if kind.unit})
    bench.determine()
    if end == "vetoed":
        bench.chain.send(bench.rebalancer.veto(), bench.guardian, at=EXECUTION)
    else:
        bench.start()
    if end == "closed":
        bench.chain.send(bench.rebalancer.close(), bench.keeper, at=NEXT)
    before = bench.chain.read(bench.rebalancer.month())
    at = another(bench)
    month = bench.chain.read(bench.rebalancer.month())
    assert (month.phase, month.period, month.lastStop) == (before.phase, PERIOD, before.lastStop)
    if end != "closed":
        reason = {"done": "Done", "vetoed": "Vetoed"}[end]
        for moment in (at, PERIOD_END):
            assert bench.due(moment) == ("None", reason, NEXT)
            call = bench.rebalancer.determine()
            assert_reverts(bench.chain, call, "NotDue", *not_due("Determine", reason), at=moment)
    bench.determine(NEXT + 60)
    assert bench.chain.read(bench.rebalancer.month()).period == PERIOD + 1
    if end == "vetoed":
        assert (lasts(bench), bases(bench)) == (times(0), times(1))
        call = bench.rebalancer.veto()
        assert_reverts(bench.chain, call, "StoppedBefore", PERIOD, sender=bench.guardian, at=NEXT + 60)


def test_a_shorter_notice_and_another_methodology_do_not_run_a_period_back(bench: Bench) -> None:
    """A week before April the notice becomes one day, and the determination is void: April is determined again, not
    March."""
    bench.determine(NOTICE)
    assert bench.chain.read(bench.rebalancer.month()).period == PERIOD
    shorter = replace(TIMETABLE, notice=DAY_S, min_notice=DAY_S)
    bench.chain.send(bench.rebalancer.setTimetable(shorter.as_tuple()), bench.owner, at=NOTICE + 1)
    another(bench)
    assert bench.chain.read(bench.rebalancer.currentPeriod(), at=NOTICE + DAY_S) == PERIOD
    bench.determine(NOTICE + DAY_S)
    assert bench.chain.read(bench.rebalancer.month()).period == PERIOD
    assert bench.due(EXECUTION)[:2] == ("Start", "Due")
    bench.start()
    bench.chain.send(bench.rebalancer.close(), bench.keeper, at=bench.chain.read(bench.rebalancer.opening()).end + 1)
    assert bench.chain.read(bench.rebalancer.currentPeriod()) == PERIOD + 1
