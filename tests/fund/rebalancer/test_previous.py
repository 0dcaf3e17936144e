"""The determination of the month before, and what another methodology does to both."""

from __future__ import annotations

import pytest

from tests.helpers.bench import KINDS, NOTICE, PERIOD, Bench, confirmed, constituent, not_due
from tests.helpers.fund import DAY, EXECUTION, PERIOD_END
from tests.helpers.reverts import assert_reverts

NEXT = PERIOD_END + 1
AFTER_NEXT = 1621900800  # 2021-05-25: the period June 2021 begins
NEXT_EXECUTION = 1620000000  # 2021-05-03 00:00 UTC
NOBODY = "0x" + "00" * 20


def bases(bench: Bench) -> list[int]:
    return [c.basis for c in bench.chain.read(bench.lens.constituents(bench.rebalancer))]


def lasts(bench: Bench) -> list[int]:
    return [c.lastBasis for c in bench.chain.read(bench.lens.constituents(bench.rebalancer))]


def told(factor: int) -> list[int]:
    """Bases as start tells them."""
    return [confirmed(basis) for basis in times(factor)]


def times(factor: int) -> list[int]:
    return [factor * kind.target for kind in KINDS]


def carry(bench: Bench) -> None:
    """From now on the methodology adds what it is given as the month before."""
    bench.chain.send(bench.methodology.carry(True), bench.keeper, at=bench.chain.now())


def another(bench: Bench) -> int:
    """Sets another methodology with the same constituents, which adds what it is given; the time of that."""
    made = bench.chain.deploy("PostedMethodology", sender=bench.keeper)
    same = [constituent(token, kind.target) for token, kind in zip(bench.tokens, KINDS, strict=True)]
    bench.chain.send(made.post(same), bench.keeper)
    bench.chain.send(made.carry(True), bench.keeper)
    bench.chain.send(bench.rebalancer.setMethodology(made), bench.owner)
    return bench.chain.now()


def test_moves_on_with_every_determination(bench: Bench) -> None:
    """The methodology is given it, in determine and at start: the months between may have been started or not."""
    carry(bench)
    bench.determine(NOTICE)
    first = bench.chain.read(bench.rebalancer.month())
    assert (lasts(bench), bases(bench)) == (times(0), times(1))
    preview = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    assert preview.basis == told(1), "the first month has none before"

    bench.determine(NEXT)
    second = bench.chain.read(bench.rebalancer.month())
    assert (lasts(bench), bases(bench)) == (times(1), times(2))
    assert second.determination != first.determination
    preview = bench.chain.read(bench.rebalancer.previewStart(), at=NEXT_EXECUTION)
    assert preview.basis == told(3), "confirmed with that of the month before"
    (event,) = bench.rebalancer.events(bench.start(NEXT_EXECUTION), "Started")
    assert event.basis == told(3)
    assert not bench.chain.read(bench.rebalancer.trading()), "everything is to be bought: done at once"

    bench.determine(AFTER_NEXT)
    assert (lasts(bench), bases(bench)) == (times(2), times(3))


def test_a_vetoed_one_is_the_previous_too(bench: Bench) -> None:
    carry(bench)
    bench.determine(NOTICE)
    bench.chain.send(bench.rebalancer.veto(), bench.guardian, at=NOTICE + 1)
    bench.determine(NEXT)
    assert (lasts(bench), bases(bench)) == (times(1), times(2))


def test_another_methodology_voids_what_is_not_started(bench: Bench) -> None:
    """Determine is due again, its notice runs anew, and nothing of the old one is passed on."""
    bench.determine(NOTICE)
    bench.chain.move_to(EXECUTION - DAY)
    at = another(bench)
    month = bench.chain.read(bench.rebalancer.month())
    assert (month.phase, month.period, month.determination) == (0, PERIOD - 1, NOBODY)
    assert bench.chain.read(bench.lens.constituents(bench.rebalancer)) == []
    assert bench.due(EXECUTION) == ("Determine", "Due", PERIOD_END + 1)
    assert_reverts(bench.chain, bench.rebalancer.start(), "NotDue", *not_due("Start", "Due"), at=EXECUTION)
    assert_reverts(bench.chain, bench.rebalancer.veto(), "NothingToVeto", sender=bench.guardian, at=at)

    bench.determine(at + 1)
    month = bench.chain.read(bench.rebalancer.month())
    assert (month.phase, month.period) == (1, PERIOD)
    assert (lasts(bench), bases(bench)) == (times(0), times(1))
    assert bench.due(EXECUTION) == ("None", "NotYet", at + 1 + 2 * DAY)
    bench.start(at + 1 + 2 * DAY)


def test_the_same_methodology_voids_as_well(bench: Bench) -> None:
    carry(bench)
    bench.determine(NOTICE)
    bench.chain.send(bench.rebalancer.setMethodology(bench.methodology), bench.owner, at=NOTICE + 1)
    bench.determine(NOTICE + 2)
    assert bases(bench) == times(1)


@pytest.mark.parametrize("end", ["done", "vetoed", "closed"])
def test_another_methodology_does_not_bring_a_period_back(bench: Bench, end: str) -> None:
    """A period that is over stays over; the next one begins without a month before."""
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
    assert (month.phase, month.period, month.lastVeto) == (before.phase, PERIOD, before.lastVeto)
    if end != "closed":
        reason = {"done": "Done", "vetoed": "Vetoed"}[end]
        for moment in (at, PERIOD_END):
            assert bench.due(moment) == ("None", reason, NEXT)
            call = bench.rebalancer.determine()
            assert_reverts(bench.chain, call, "NotDue", *not_due("Determine", reason), at=moment)
    bench.determine(NEXT + 60)
    month = bench.chain.read(bench.rebalancer.month())
    assert month.period == PERIOD + 1
    assert (lasts(bench), bases(bench)) == (times(0), times(1))
    if end == "vetoed":
        call = bench.rebalancer.veto()
        assert_reverts(bench.chain, call, "VetoedBefore", PERIOD, sender=bench.guardian, at=NEXT + 60)
