"""What is paid for one gas: room, replacement, urgency."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.units import GWEI
from keeper.errors import FeeTooHighError
from keeper.sending.fees import Fees, Urgency, bumped_fees, highest, market_fees

END = 1_000_000
CURVE = Urgency(300 * GWEI, 700 * GWEI, 1_000)


def test_fees_leave_room_and_keep_the_limit() -> None:
    assert market_fees(50 * GWEI, GWEI, 300 * GWEI) == Fees(101 * GWEI, GWEI)
    assert market_fees(200 * GWEI, GWEI, 300 * GWEI) == Fees(300 * GWEI, GWEI)
    with pytest.raises(FeeTooHighError, match=r"300\.00 gwei now, the chain asks for 301\.00 gwei"):
        market_fees(300 * GWEI, GWEI, 300 * GWEI)


@given(st.integers(1, 10**12), st.integers(1, 10**12), st.integers(0, 10**12))
def test_a_replacement_pays_an_eighth_more(max_fee: int, tip: int, base: int) -> None:
    old = Fees(max(max_fee, tip), tip)
    most = 10**14
    new = bumped_fees(old, market_fees(base, tip, most), most)
    assert new is not None
    assert new.max_fee * 8 >= old.max_fee * 9 and new.tip * 8 >= old.tip * 9
    assert new.max_fee >= base + tip
    assert new.tip <= new.max_fee <= most


def test_no_replacement_above_the_limit() -> None:
    assert bumped_fees(Fees(290 * GWEI, GWEI), Fees(100 * GWEI, GWEI), 300 * GWEI) is None


@pytest.mark.parametrize(
    ("now", "cap", "tip"),
    [
        (0, 300, 8),
        (END - 1_000, 300, 8),
        (END - 500, 400, 14),  # half of the time: a quarter of the rise
        (END - 250, 525, 21),  # three quarters: nine sixteenths, tip 8 x (1 + 27 / 16) = 21.5
        (END, 700, 32),
        (END + 10**6, 700, 32),
    ],
)
def test_cap_and_tip_rise_towards_the_deadline(now: int, cap: int, tip: int) -> None:
    assert CURVE.cap(now, END) == cap * GWEI
    assert CURVE.tip(8, now, END) == tip


def test_without_a_deadline_nothing_is_urgent() -> None:
    assert CURVE.cap(10**12, None) == 300 * GWEI
    assert CURVE.tip(8, 10**12, None) == 8


def test_without_a_window_the_deadline_itself_is_urgent() -> None:
    curve = Urgency(1, 5, 0)
    assert [curve.cap(now, END) for now in (END - 1, END, END + 1)] == [1, 5, 5]


@given(st.integers(0, 2_000), st.integers(0, 2_000))
def test_urgency_never_falls(first: int, second: int) -> None:
    early, late = sorted((END - first, END - second))
    assert CURVE.normal <= CURVE.cap(early, END) <= CURVE.cap(late, END) <= CURVE.urgent
    assert CURVE.tip(GWEI, early, END) <= CURVE.tip(GWEI, late, END)


def test_urgency_pays_for_what_is_too_dear_before() -> None:
    dear = 500 * GWEI
    with pytest.raises(FeeTooHighError, match=r"at most 400\.00 gwei now, the chain asks for 508\.00 gwei"):
        CURVE.market(dear, 8 * GWEI, END - 500, END)
    # base fee 500 and 31.28 of tip, within 684.16
    now = END - 20
    assert CURVE.market(dear, 8 * GWEI, now, END) == Fees(CURVE.cap(now, END), CURVE.tip(8 * GWEI, now, END))


def test_an_urgent_tip_stays_below_the_cap() -> None:
    # The node asks for 690 and 8, which the cap of 700 allows; four times the tip would not fit.
    assert CURVE.market(690 * GWEI, 8 * GWEI, END, END) == Fees(700 * GWEI, 10 * GWEI)


def test_a_noop_may_pay_twice_the_urgent_cap() -> None:
    assert CURVE.noop(100 * GWEI, GWEI) == Fees(201 * GWEI, GWEI)
    assert CURVE.noop(2_000 * GWEI, 3_000 * GWEI) == Fees(1_400 * GWEI, 1_400 * GWEI)
    assert CURVE.noop_cap == 1_400 * GWEI


def test_what_replaces_all_is_above_each() -> None:
    assert highest([Fees(5, 4), Fees(9, 1), Fees(6, 2)]) == Fees(9, 4)
    with pytest.raises(ValueError):
        highest([])
