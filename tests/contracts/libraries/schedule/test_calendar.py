"""Periods of every cadence, and every change from one to another, on chain and in Python."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ballast.networks.presets import TEST_CHAINS
from ballast.rule import arithmetic
from ballast.rule import calendar as mirror
from ballast.rule.calendar import MONTH, QUARTER, Period, Timetable
from ballast.units import DAY_S, HOUR_S, WAD
from tests.helpers.basket import FUZZ
from tests.helpers.chain import Chain, RevertedError
from tests.helpers.contracts import Contract
from tests.helpers.fund import Limits
from tests.helpers.reverts import assert_reverts

T = int(datetime(2030, 3, 11, 7, 30, tzinfo=UTC).timestamp())
NONE = Timetable(0, 0, 0, 0, 0, 0, 0, 0)
CADENCES = {
    "month": Timetable(MONTH, 0, 0, 7 * DAY_S, 2 * DAY_S, 2 * DAY_S, 0, 0),
    "longer notice": Timetable(MONTH, 2, 5, 13 * DAY_S, DAY_S, DAY_S, 0, 0),
    "quarter": Timetable(QUARTER, 1, 0, 5 * DAY_S, DAY_S, 9 * DAY_S, 0, 0),
    "45 days": Timetable(45 * DAY_S, 0, 0, 6 * DAY_S, 2 * HOUR_S, DAY_S, 0, 0),
    "week": Timetable(7 * DAY_S, 0, 0, 2 * DAY_S, DAY_S, DAY_S, 0, 0),
    "2 hours": Timetable(2 * HOUR_S, 0, 0, 1_800, 720, 600, 0, 0),
}
PAIRS = [pytest.param(a, b, id=f"{a} to {b}") for a, b in product(CADENCES, CADENCES)]
LIMITS = Limits(loss_budget=10**15, max_step=5 * 10**16)
"""Those of the shortest period of these that are not for tests only, and of any first months."""


@pytest.fixture(scope="module")
def contract(module_isolation: None, chain: Chain) -> Contract:
    return chain.deploy("Calendar", sender=chain.account("deployer"))


@pytest.fixture(scope="module")
def harness(module_isolation: None, chain: Chain) -> Contract:
    return chain.deploy("ScheduleHarness", sender=chain.account("deployer"))


def packed(table: Timetable) -> tuple[int, ...]:
    return tuple(table.__dict__.values())


@dataclass
class Fund:
    """The timetables of a fund, changed as the rebalancer does it."""

    chain: Chain
    contract: Contract
    harness: Contract
    former: Timetable = NONE
    table: Timetable = NONE

    def change(self, wish: Timetable, at: int, limits: Limits = LIMITS) -> None:
        answer = self.chain.read(self.call(wish, limits), at=at)
        self.former, self.table = (Timetable(*each) for each in answer)

    def call(self, wish: Timetable, limits: Limits = LIMITS) -> Any:
        return self.contract.change(packed(self.former), packed(self.table), packed(wish), limits.as_tuple())

    def periods(self, times: list[int]) -> list[Period]:
        """The periods at these times, by the contract, which Python must find too."""
        call = self.harness.periods(self.contract, packed(self.former), packed(self.table), times)
        found = [Period(*each) for each in self.chain.read(call)]
        former = self.former if self.former.length else None
        assert found == [mirror.period_at(time, self.table, former) for time in times]
        assert found == [mirror.period(each.id, self.table, former) for each in found]
        return found

    def at(self, time: int) -> Period:
        """The period at this time, which the contract must also find packed."""
        (found,) = self.periods([time])
        word = self.chain.read(self.contract.current(packed(self.former), packed(self.table)), at=time)
        parts = (found.id, 0), (found.end, 24), (found.execution, 64), (found.min_notice, 104), (found.min_trading, 136)
        assert word == sum(part << shift for part, shift in parts)
        return found


@pytest.fixture(scope="module", autouse=True)
def test_chain(module_isolation: None, chain: Chain) -> Iterator[None]:
    """The fork of these tests says that it is mainnet, where no period is shorter than a day."""
    number = int(chain.rpc.request("eth_chainId"), 16)
    chain.rpc.request("anvil_setChainId", TEST_CHAINS[0])
    yield
    chain.rpc.request("anvil_setChainId", number)


@pytest.fixture
def fund(chain: Chain, contract: Contract, harness: Contract) -> Fund:
    return Fund(chain, contract, harness)


def refused(fund: Fund, wish: Timetable, at: int, name: str, limits: Limits = LIMITS) -> None:
    assert_reverts(fund.chain, fund.call(wish, limits), "LimitOutOfBounds", name.encode().ljust(32, b"\0"), at=at)


@pytest.mark.parametrize("name", CADENCES)
def test_the_first_timetable(fund: Fund, name: str) -> None:
    fund.change(CADENCES[name], T)
    assert fund.former == NONE
    now = fund.at(T)
    assert now.start <= T < now.end
    assert now.id == fund.table.first == arithmetic.month_at(T + fund.table.notice)
    if fund.table.of_months:
        assert fund.table.begins + fund.table.notice == arithmetic.midnight(arithmetic.first_day(now.id))
    else:
        assert fund.table.begins == T


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_every_change(fund: Fund, before: str, after: str) -> None:
    fund.change(CADENCES[before], T)
    old = fund.at(T + 40 * DAY_S)
    asked = (old.start + old.end) // 2
    fund.change(CADENCES[after], asked)
    begins = fund.table.begins
    assert fund.table.first == old.id + 1
    assert begins >= old.end, "no period is cut short"
    # Until then the current one, under its own rules; then one after the other, each for its length.
    last = fund.at(asked)
    assert last == replace(old, end=begins)
    assert fund.periods([begins - 1]) == [last]
    following = fund.at(begins)
    assert (following.id, following.start) == (old.id + 1, begins)
    least = mirror.least_length(fund.table.length)
    assert following.end - begins >= (least - 16 * DAY_S if fund.table.of_months else least)
    for _ in range(5):
        inside, beyond = fund.periods([following.end - 1, following.end])
        assert (inside, beyond.id, beyond.start) == (following, following.id + 1, following.end)
        assert beyond.end - beyond.start >= least
        following = beyond


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_change_is_replaced_before_it_begins(fund: Fund, before: str, after: str) -> None:
    fund.change(CADENCES[before], T)
    old = fund.at(T)
    fund.change(replace(CADENCES["week"], begins=old.end + 3 * DAY_S), T)
    fund.change(CADENCES[after], old.end + DAY_S)
    assert (fund.former.length, fund.table.first) == (CADENCES[before].length, old.id + 1)
    begins = fund.table.begins
    assert begins >= old.end + DAY_S
    last, following = fund.periods([begins - 1, begins])
    assert last == replace(old, end=begins)
    assert (following.id, following.start) == (old.id + 1, begins)


steps = st.lists(
    st.tuples(st.sampled_from(sorted(CADENCES)), st.integers(0, 100 * DAY_S), st.integers(0, 60 * DAY_S)),
    min_size=1,
    max_size=6,
)


@given(first=st.sampled_from(sorted(CADENCES)), changes=steps)
@example(first="2 hours", changes=[("2 hours", 0, 1), ("2 hours", 7_200, 0)])
@FUZZ
def test_any_changes(
    chain: Chain, contract: Contract, harness: Contract, first: str, changes: list[tuple[str, int, int]]
) -> None:
    """At each moment one period; ids never fall and miss none, whatever is set when."""
    fund = Fund(chain, contract, harness)
    fund.change(CADENCES[first], T)
    time, last = T, fund.at(T)
    for name, pause, ahead in changes:
        time += pause
        # Whoever was away meanwhile finds the period of the moment.
        before = fund.at(time)
        assert before.id >= last.id
        wish = replace(CADENCES[name], begins=max(before.end, time) + ahead if ahead % 2 else 0)
        try:
            fund.change(wish, time)
        except RevertedError:
            assert ahead % 2, "what the calendar chooses fits"
            continue
        now = fund.at(time)
        if fund.table.begins == time:
            # The period had outlasted its own end, for the change that this one replaces: it is over now.
            assert (now.id, now.start) == (before.id + 1, time)
            last = now
            continue
        assert replace(now, end=0) == replace(before, end=0), "the current period stays the current one"
        assert now.end == fund.table.begins >= time
        moments = sorted({time, now.end - 1, now.end, now.end + pause, now.end + ahead})
        ids = [each.id for each in fund.periods(moments)]
        assert ids == sorted(ids)
        assert fund.at(now.end).id == now.id + 1
        last = now


BOUNDS = [
    ("length", "week", {"length": 0}),
    ("length", "week", {"length": 2}),
    ("length", "week", {"length": 3_599}),
    ("length", "week", {"length": 92 * DAY_S + 1}),
    ("notice", "month", {"notice": DAY_S - 1}),
    ("notice", "quarter", {"notice": 14 * DAY_S + 1}),
    ("minNotice", "month", {"min_notice": DAY_S - 1}),
    ("minNotice", "quarter", {"min_notice": DAY_S - 1}),
    ("minNotice", "week", {"min_notice": HOUR_S - 1}),
    ("minNotice", "2 hours", {"min_notice": 719}),
    ("minNotice", "week", {"min_notice": 2 * DAY_S + 1}),
    ("minTrading", "week", {"min_trading": 4 * DAY_S}),
    ("minTrading", "month", {"min_notice": 7 * DAY_S, "min_trading": 14 * DAY_S}),
    ("minTrading", "quarter", {"min_trading": 82 * DAY_S}),
    ("day", "week", {"day": 1}),
    ("fixedDay", "week", {"fixed_day": 1}),
    ("fixedDay", "quarter", {"day": 2, "fixed_day": 29}),
    ("fixedDay", "quarter", {"day": 2, "fixed_day": 0}),
    ("begins", "week", {"begins": T + 1}),
    ("begins", "week", {"begins": T - 92 * DAY_S - 1}),
]
WITHIN = [
    ("week", {"min_notice": HOUR_S}),
    ("week", {"min_trading": 4 * DAY_S - 1}),
    ("2 hours", {"min_notice": 720}),
    ("week", {"length": HOUR_S, "notice": 360, "min_notice": 360, "min_trading": 2_879}),
    ("week", {"length": 92 * DAY_S}),
    ("quarter", {"day": 2, "fixed_day": 28}),
    ("week", {"begins": T - 92 * DAY_S}),
    ("week", {"begins": T}),
]


@pytest.mark.parametrize(("field", "name", "changed"), BOUNDS, ids=str)
def test_bounds(fund: Fund, field: str, name: str, changed: dict[str, int]) -> None:
    refused(fund, replace(CADENCES[name], **changed), T, field)


@pytest.mark.parametrize(("name", "changed"), WITHIN, ids=str)
def test_within_bounds(fund: Fund, name: str, changed: dict[str, int]) -> None:
    fund.change(replace(CADENCES[name], **changed), T)


def test_a_change_begins_neither_early_nor_late(fund: Fund) -> None:
    fund.change(CADENCES["quarter"], T)
    now = fund.at(T)
    week = CADENCES["week"]
    for begins in (now.end - 1, T, T + 92 * DAY_S + 1):
        refused(fund, replace(week, begins=begins), T, "begins")
    for begins in (now.end, T + 92 * DAY_S):
        assert fund.chain.read(fund.call(replace(week, begins=begins)), at=T)[1][6] == begins
    # Once a change has put off the next period, it may begin at once.
    fund.change(replace(week, begins=now.end + 9 * DAY_S), T)
    late = now.end + DAY_S
    refused(fund, replace(week, begins=late - 1), late, "begins")
    fund.change(week, late)
    assert fund.table.begins == late


def test_a_first_month_needs_time_to_start(fund: Fund) -> None:
    """Notice and trading take three days; the period of May ends on 25 May, 0:00."""
    fund.change(replace(CADENCES["45 days"], begins=T), T)
    end = T + 45 * DAY_S  # 25 April, 7:30
    month = replace(CADENCES["month"], min_notice=2 * DAY_S, min_trading=DAY_S)
    refused(fund, replace(month, begins=end + 27 * DAY_S), T, "begins")
    fund.change(replace(month, begins=end + 26 * DAY_S), T)


DAY = Timetable(DAY_S, 0, 0, 6 * HOUR_S, 3 * HOUR_S, HOUR_S, 0, 0)
SCALED = {"week": 7 * DAY_S, "45 days": 30 * DAY_S, "month": 30 * DAY_S, "quarter": 30 * DAY_S, "2 hours": 30 * DAY_S}


@pytest.mark.parametrize("name", SCALED)
def test_limits_scale_with_the_period(fund: Fund, name: str) -> None:
    """Both setters: neither order of calls gets around it."""
    part = SCALED[name]
    most = Limits(loss_budget=2 * 10**16 * part // (30 * DAY_S), max_step=WAD * part // (30 * DAY_S))
    over = {
        "lossBudget": replace(most, loss_budget=most.loss_budget + 1),
        "maxStep": replace(most, max_step=most.max_step + 1),
    }
    fund.change(CADENCES["month"], T, Limits(loss_budget=2 * 10**16, max_step=WAD))
    # The timetable second,
    if part < 30 * DAY_S:
        for field, limits in over.items():
            refused(fund, CADENCES[name], T, field, limits)
    fund.change(CADENCES[name], T, most)
    # or first. While the change is ahead the shorter one counts, and so it does once that is in effect.
    for at in (T, fund.table.begins):
        tables = packed(fund.former), packed(fund.table)
        fund.chain.read(fund.contract.check(most.as_tuple(), 0, *tables), at=at)
        for field, limits in over.items():
            call = fund.contract.check(limits.as_tuple(), 0, *tables)
            assert_reverts(fund.chain, call, "LimitOutOfBounds", field.encode().ljust(32, b"\0"), at=at)


def test_limits_of_a_longer_period_wait_for_it(fund: Fund) -> None:
    day = Limits(loss_budget=2 * 10**16 // 30, max_step=WAD // 30)
    fund.change(DAY, T, day)
    fund.change(CADENCES["month"], T, day)
    month = fund.contract.check(Limits().as_tuple(), 0, packed(fund.former), packed(fund.table))
    name = b"lossBudget".ljust(32, b"\0")
    assert_reverts(fund.chain, month, "LimitOutOfBounds", name, at=fund.table.begins - 1)
    fund.chain.read(month, at=fund.table.begins)


def test_a_short_first_month_has_its_part_of_a_month(fund: Fund) -> None:
    fund.change(replace(CADENCES["45 days"], begins=T), T)
    end = T + 45 * DAY_S  # 25 April 2030, 7:30
    wish = replace(CADENCES["month"], begins=end + 10 * DAY_S)
    start = int(datetime(2030, 5, 25, tzinfo=UTC).timestamp())  # of June's period
    short = start - wish.begins
    most = Limits(loss_budget=2 * 10**16 * short // (30 * DAY_S))
    refused(fund, wish, T, "lossBudget", replace(most, loss_budget=most.loss_budget + 1))
    fund.change(wish, T, most)
    whole = fund.contract.check(Limits(loss_budget=2 * 10**16).as_tuple(), 0, packed(fund.former), packed(fund.table))
    name = b"lossBudget".ljust(32, b"\0")
    for at in (T, wish.begins, start - 1):
        assert_reverts(fund.chain, whole, "LimitOutOfBounds", name, at=at)
    fund.chain.read(whole, at=start)


def test_the_band_is_bounded(fund: Fund) -> None:
    fund.change(CADENCES["month"], T)
    call = fund.contract.check(LIMITS.as_tuple(), 10**17 + 1, packed(NONE), packed(fund.table))
    assert_reverts(fund.chain, call, "LimitOutOfBounds", b"band".ljust(32, b"\0"), at=T)
    fund.chain.read(fund.contract.check(LIMITS.as_tuple(), 10**17, packed(NONE), packed(fund.table)), at=T)


def test_short_periods_on_test_chains_only(fund: Fund) -> None:
    rpc = fund.chain.rpc
    hours, name = fund.call(CADENCES["2 hours"]), b"length".ljust(32, b"\0")
    for number in (1, 10, 8_453, 42_161, *reversed(TEST_CHAINS)):
        rpc.request("anvil_setChainId", number)
        if number in TEST_CHAINS:
            fund.chain.read(hours, at=T)
        else:
            assert_reverts(fund.chain, hours, "LimitOutOfBounds", name, at=T)
        fund.chain.read(fund.call(DAY), at=T)
