"""What the owner sets, the bounds of each field, and the constructor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ballast.deployment.creation import created_address
from ballast.units import DAY_S, WAD
from tests.helpers.bench import (
    LIMITS,
    NOTICE,
    PERIOD,
    TIMETABLE,
    Bench,
)
from tests.helpers.chain import Chain
from tests.helpers.fund import EXECUTION, PERIOD_END
from tests.helpers.reverts import assert_reverts

T = NOTICE - DAY_S

LIMITS_WITHIN = [
    {"last_tolerance": 0, "first_tolerance": -(10**17)},
    {"last_tolerance": 10**17, "first_tolerance": 10**17},
    {"batch_cap": 1},
    {"batch_cap": 10**17},
    {"loss_budget": 0},
    {"loss_budget": 2 * 10**16},
    {"max_step": 1},
    {"max_step": WAD},
    {"dust": 10**12},
    {"dust": 10**15},
    {"cool_off": 60},
    {"cool_off": 1800},
    {"max_idle": 600},
    {"max_idle": DAY_S},
]
LIMITS_OUTSIDE = [
    ("lastTolerance", {"last_tolerance": -1, "first_tolerance": -2}),
    ("lastTolerance", {"last_tolerance": 10**17 + 1}),
    ("firstTolerance", {"first_tolerance": -(10**17) - 1}),
    ("firstTolerance", {"first_tolerance": 4 * 10**16 + 1}),
    ("batchCap", {"batch_cap": 0}),
    ("batchCap", {"batch_cap": 10**17 + 1}),
    ("lossBudget", {"loss_budget": 2 * 10**16 + 1}),
    ("maxStep", {"max_step": 0}),
    ("maxStep", {"max_step": WAD + 1}),
    ("dust", {"dust": 10**15 + 1}),
    ("dust", {"dust": 10**12 - 1}),
    ("coolOff", {"cool_off": 59}),
    ("maxIdle", {"max_idle": 599}),
    ("maxIdle", {"max_idle": DAY_S + 1}),
]
TIMETABLES_WITHIN = [
    {"notice": DAY_S, "min_notice": DAY_S},
    {"notice": 14 * DAY_S, "min_trading": 11 * DAY_S},
    {"min_notice": DAY_S},
    {"min_notice": 7 * DAY_S},
    {"min_trading": 0},
    {"min_trading": 18 * DAY_S},
    {"day": 1, "min_trading": 18 * DAY_S},
    {"day": 2, "fixed_day": 1, "min_notice": DAY_S, "min_trading": 20 * DAY_S - 1},
    {"day": 2, "fixed_day": 20, "min_trading": DAY_S},
    {"day": 0, "fixed_day": 200},
    {"length": 3},
]
TIMETABLES_OUTSIDE = [
    ("notice", {"notice": DAY_S - 1}),
    ("notice", {"notice": 14 * DAY_S + 1}),
    ("minNotice", {"min_notice": 7 * DAY_S + 1}),
    ("minNotice", {"min_notice": DAY_S - 1}),
    ("minNotice", {"min_notice": 0}),
    ("minNotice", {"notice": DAY_S, "min_notice": DAY_S + 1}),
    ("fixedDay", {"day": 2, "fixed_day": 0}),
    ("fixedDay", {"day": 2, "fixed_day": 21}),
    ("minTrading", {"min_trading": 18 * DAY_S + 1}),
    ("minTrading", {"day": 2, "fixed_day": 20, "min_trading": DAY_S + 1}),
]


@pytest.mark.parametrize("fields", LIMITS_WITHIN, ids=str)
def test_limits_within_their_bounds(bench: Bench, fields: dict[str, int]) -> None:
    limits = replace(LIMITS, **fields).as_tuple()
    receipt = bench.chain.send(bench.rebalancer.setLimits(limits, 7), bench.owner, at=T)
    assert tuple(bench.chain.read(bench.rebalancer.limits())) == limits
    assert bench.chain.read(bench.rebalancer.band()) == 7
    (event,) = bench.rebalancer.events(receipt, "LimitsSet")
    assert (tuple(event.limits), event.band) == (limits, 7)


@pytest.mark.parametrize(("name", "fields"), LIMITS_OUTSIDE, ids=str)
def test_limits_outside_their_bounds(bench: Bench, name: str, fields: dict[str, int]) -> None:
    call = bench.rebalancer.setLimits(replace(LIMITS, **fields).as_tuple(), 0)
    assert_reverts(bench.chain, call, "LimitOutOfBounds", name.encode().ljust(32, b"\0"), sender=bench.owner, at=T)


@pytest.mark.parametrize("fields", TIMETABLES_WITHIN, ids=str)
def test_timetables_within_their_bounds(bench: Bench, fields: dict[str, int]) -> None:
    timetable = replace(TIMETABLE, **fields).as_tuple()
    former = bench.chain.read(bench.rebalancer.timetable())
    receipt = bench.chain.send(bench.rebalancer.setTimetable(timetable), bench.owner, at=T)
    found = bench.chain.read(bench.rebalancer.timetable())
    assert tuple(found)[:-2] == timetable[:-2]
    assert (found.begins >= NOTICE, found.first) == (True, PERIOD)
    assert bench.rebalancer.events(receipt, "TimetableSet")[0].timetable == found
    assert bench.chain.read(bench.rebalancer.formerTimetable()) == former


@pytest.mark.parametrize(("name", "fields"), TIMETABLES_OUTSIDE, ids=str)
def test_timetables_outside_their_bounds(bench: Bench, name: str, fields: dict[str, int]) -> None:
    call = bench.rebalancer.setTimetable(replace(TIMETABLE, **fields).as_tuple())
    assert_reverts(bench.chain, call, "LimitOutOfBounds", name.encode().ljust(32, b"\0"), sender=bench.owner, at=T)


def test_a_change_moves_the_end_of_the_period_under_way(bench: Bench) -> None:
    bench.determine()
    end, later = PERIOD_END + 1, PERIOD_END + 1 + 2 * DAY_S
    for begins, at in ((later, NOTICE + 1), (0, NOTICE + 2), (later, NOTICE + 3)):
        bench.chain.send(
            bench.rebalancer.setTimetable(replace(TIMETABLE, begins=begins).as_tuple()), bench.owner, at=at
        )
        latest = (begins or end) - TIMETABLE.min_trading
        assert bench.due(EXECUTION) == ("Start", "Due", latest)
        assert bench.due(latest) == ("Start", "Due", latest)
        assert bench.due(latest + 1) == ("None", "TooLate", begins or end)
    bench.start()
    assert bench.chain.read(bench.rebalancer.opening()).end == later - 1


def test_the_period_under_way_is_over_where_a_change_comes_sooner(bench: Bench) -> None:
    """First put off, then begun at once: the period that was to last until then is over."""
    later = replace(TIMETABLE, begins=PERIOD_END + 1 + 10 * DAY_S).as_tuple()
    bench.chain.send(bench.rebalancer.setTimetable(later), bench.owner, at=NOTICE)
    bench.determine(PERIOD_END + 1)
    bench.chain.send(bench.rebalancer.setTimetable(TIMETABLE.as_tuple()), bench.owner, at=PERIOD_END + 2)
    assert bench.chain.read(bench.rebalancer.currentPeriod()) == PERIOD + 1
    assert bench.due()[:2] == ("Determine", "Due")


def test_methodology_and_guardian(bench: Bench, stranger: str) -> None:
    receipt = bench.chain.send(bench.rebalancer.setMethodology(bench.opener), bench.owner, at=T)
    assert bench.chain.read(bench.rebalancer.methodology()) == bench.opener.address
    assert bench.rebalancer.events(receipt, "MethodologySet")[0].methodology == bench.opener.address
    receipt = bench.chain.send(bench.rebalancer.setGuardian(stranger), bench.owner, at=T)
    assert bench.chain.read(bench.rebalancer.guardian()) == stranger
    assert bench.rebalancer.events(receipt, "GuardianSet")[0].guardian == stranger
    call = bench.rebalancer.setMethodology(stranger)
    assert_reverts(bench.chain, call, "NotContract", stranger, sender=bench.owner, at=T)


def setters(bench: Bench) -> dict[str, Any]:
    return {
        "limits": bench.rebalancer.setLimits(LIMITS.as_tuple(), 0),
        "timetable": bench.rebalancer.setTimetable(TIMETABLE.as_tuple()),
        "methodology": bench.rebalancer.setMethodology(bench.methodology),
        "guardian": bench.rebalancer.setGuardian(bench.guardian),
    }


@pytest.mark.parametrize("name", ["limits", "timetable", "methodology", "guardian"])
def test_only_the_owner(bench: Bench, stranger: str, name: str) -> None:
    call = setters(bench)[name]
    for account in (stranger, bench.guardian, bench.keeper):
        assert_reverts(bench.chain, call, "OwnableUnauthorizedAccount", account, sender=account, at=T)
    bench.chain.send(call, bench.owner, at=T)


@pytest.mark.parametrize("name", ["limits", "timetable", "methodology"])
def test_not_while_trading(bench: Bench, name: str) -> None:
    bench.determine()
    bench.chain.send(setters(bench)[name], bench.owner, at=NOTICE + 1)
    if name == "methodology":  # nothing that another one determined is started
        bench.determine(NOTICE + 2)
    bench.start()
    assert_reverts(bench.chain, setters(bench)[name], "TradingOpen", sender=bench.owner, at=EXECUTION)


def test_the_guardian_changes_also_while_trading(bench: Bench, stranger: str) -> None:
    bench.open()
    bench.chain.send(bench.rebalancer.setGuardian(stranger), bench.owner, at=EXECUTION + 1)
    bench.chain.send(bench.rebalancer.pauseFor(60), stranger, at=EXECUTION + 2)


def test_constructor_refuses_what_does_not_fit(bench: Bench, chain: Chain, stranger: str) -> None:
    artifact = chain.artifact("Rebalancer")

    def create(**parts: Any) -> Any:
        given = {
            "index": bench.index,
            "oracle": bench.oracle,
            "opener": bench.opener,
            "calendar": bench.chain.read(bench.rebalancer.CALENDAR()),
            "methodology": bench.methodology,
            "owner": bench.owner,
            "guardian": bench.guardian,
            "limits": LIMITS.as_tuple(),
            "band": 0,
            "timetable": TIMETABLE.as_tuple(),
        }
        return artifact.create(*{**given, **parts}.values())

    for part in ("oracle", "opener", "calendar"):
        assert_reverts(chain, create(**{part: stranger}), "NotContract", stranger, sender=stranger)
    assert_reverts(chain, create(), "WrongRebalancer", bench.rebalancer.address, sender=stranger)

    # An index token that names the very next contract of this account.
    place = created_address(stranger, chain.nonce(stranger) + 1)
    index = chain.deploy("IndexToken", "Other", "OTHER", place, stranger, stranger, 0, 1, sender=stranger)
    bad = replace(LIMITS, batch_cap=0).as_tuple()
    assert_reverts(chain, create(index=index, methodology=stranger), "NotContract", stranger, sender=stranger)
    name = b"batchCap".ljust(32, b"\0")
    assert_reverts(chain, create(index=index, limits=bad), "LimitOutOfBounds", name, sender=stranger)
    never = replace(TIMETABLE, notice=0).as_tuple()
    name = b"notice".ljust(32, b"\0")
    assert_reverts(chain, create(index=index, timetable=never), "LimitOutOfBounds", name, sender=stranger)
    nobody = "0x" + "00" * 20
    assert_reverts(chain, create(index=index, owner=nobody), "OwnableInvalidOwner", nobody, sender=stranger)
    chain.send(create(index=index), stranger)


def test_a_shorter_notice_waits_for_its_period(bench: Bench) -> None:
    """On the first day of April's period the notice shrinks: April goes on as it began, a week longer."""
    bench.determine(NOTICE)
    shorter = replace(TIMETABLE, notice=DAY_S, min_notice=DAY_S)
    bench.chain.send(bench.rebalancer.setTimetable(shorter.as_tuple()), bench.owner, at=NOTICE + 1)
    for at in (NOTICE + 2, EXECUTION - 2 * DAY_S, EXECUTION - DAY_S - 1):
        assert bench.due(at)[0] == "None"
    may = PERIOD_END + 1 + 6 * DAY_S  # 30 April, a day before May
    assert bench.chain.read(bench.rebalancer.timetable()).begins == may
    assert bench.due(EXECUTION) == ("Start", "Due", may - TIMETABLE.min_trading)
    assert bench.due(may)[:2] == ("Determine", "Due")
    assert bench.chain.read(bench.rebalancer.currentPeriod(), at=may - 1) == PERIOD
    assert bench.chain.read(bench.rebalancer.currentPeriod(), at=may) == PERIOD + 1


def test_limits_and_timetable_fit_each_other(bench: Bench) -> None:
    """Neither order of the calls gets around it."""
    week = replace(TIMETABLE, length=7 * DAY_S, notice=2 * DAY_S, min_notice=DAY_S, min_trading=DAY_S)
    small = replace(LIMITS, loss_budget=4 * 10**15)
    name = b"lossBudget".ljust(32, b"\0")
    call = bench.rebalancer.setTimetable(week.as_tuple())
    assert_reverts(bench.chain, call, "LimitOutOfBounds", name, sender=bench.owner, at=T)
    bench.chain.send(bench.rebalancer.setLimits(small.as_tuple(), 0), bench.owner, at=T)
    bench.chain.send(call, bench.owner, at=T + 1)
    call = bench.rebalancer.setLimits(LIMITS.as_tuple(), 0)
    for at in (T + 2, NOTICE - 1, NOTICE, NOTICE + DAY_S):
        assert_reverts(bench.chain, call, "LimitOutOfBounds", name, sender=bench.owner, at=at)
