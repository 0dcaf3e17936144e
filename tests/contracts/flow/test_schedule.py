"""Whole months with other execution days: the last day of the month before, and a fixed day."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.contracts.flow.carrying import APRIL, Carrier
from tests.helpers.bench import not_due
from tests.helpers.chain import Chain
from tests.helpers.fund import FIXED_DAY, LAST_DAY, Timetable
from tests.helpers.reverts import assert_reverts

CASES = {
    "last day": (Timetable(day=LAST_DAY), ["2021-03-31", "2021-04-30", "2021-05-31"]),
    "fixed day": (Timetable(day=FIXED_DAY, fixed_day=10), ["2021-04-10", "2021-05-10", "2021-06-10"]),
}


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def timetable(case: str) -> Timetable:
    return CASES[case][0]


def test_whole_months(carrier: Carrier, chain: Chain, case: str) -> None:
    comp = carrier.fund.world.token("COMP")
    for passed, day in enumerate(CASES[case][1]):
        # So that every month has something to trade.
        carrier.market.set_price(comp.address, comp.price_usd * (10 + passed) // 10)
        midnight = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
        carrier.to_determination()
        carrier.determine()
        assert carrier.month().period == APRIL + passed
        assert carrier.due() == ("None", "NotYet")
        assert carrier.next() == midnight
        # Not a second before the day, whatever was traded last month; then from its first second on.
        start = carrier.fund.rebalancer.start()
        early = not_due("Start", "NotYet")
        assert_reverts(chain, start, "NotDue", *early, sender=carrier.keeper, at=midnight - 1)
        chain.move_to(midnight - 2)
        carrier.post()
        assert carrier.due() == ("Start", "Due")
        holdings = carrier.start()
        assert carrier.trade_all() >= 1
        carrier.check_done()
        carrier.check_on_target(holdings)
        assert carrier.month().period == APRIL + passed


def test_a_late_determination_waits_for_its_notice(carrier: Carrier, chain: Chain, case: str) -> None:
    """Determined on the execution day itself, start is due after the two days of notice."""
    midnight = int(datetime.fromisoformat(CASES[case][1][0]).replace(tzinfo=UTC).timestamp())
    carrier.to_determination()
    carrier.move_to(midnight)
    carrier.determine()
    determined = carrier.month().determinedAt
    assert determined > midnight
    assert carrier.due() == ("None", "NotYet")
    assert carrier.next() == determined + carrier.fund.setup.timetable.min_notice
    carrier.to_start()
    carrier.start()
    carrier.whole_rest()
