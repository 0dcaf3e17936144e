"""The bucket in Python against its definition."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

from hypothesis import given
from hypothesis import strategies as st

from ballast.units import WAD
from keeper.plan import bucket
from keeper.plan.bucket import SCALE, Sale
from keeper.state import Limits, Progress
from tests.unit.keeper.simulated import LIMITS, START

WIDE = st.builds(
    Limits,
    first_tolerance=st.integers(-(10**17), 0),
    last_tolerance=st.integers(0, 10**17),
    batch_cap=st.integers(10**12, 10**17),
    loss_budget=st.integers(0, 2 * 10**16),
    max_step=st.just(10**17),
    dust=st.just(10**13),
    cool_off=st.integers(60, 3_600),
    max_idle=st.integers(3_600, 86_400),
)
PROGRESS = st.builds(
    Progress,
    tat=st.integers((START - 10**5) * SCALE, (START + 10**4) * SCALE),
    spent=st.integers(0, 10**16),
    surplus=st.integers(0, WAD),
    held=st.just(0),
)


@given(WIDE, PROGRESS, st.integers(START, START + 10**6))
def test_idle_capacity_and_tolerance_round_against_the_batch(limits: Limits, progress: Progress, now: int) -> None:
    idle = bucket.idle_x24(progress.tat, now, limits.max_idle)
    seconds = min(max(Fraction(0), now - Fraction(progress.tat, SCALE)), Fraction(limits.max_idle))
    assert Fraction(idle, SCALE) == seconds
    assert bucket.capacity(idle, limits) == min(limits.batch_cap, floor(seconds * limits.batch_cap / limits.cool_off))
    rise = Fraction(limits.last_tolerance - limits.first_tolerance) * seconds / limits.max_idle
    assert bucket.open_tolerance(idle, limits) == limits.first_tolerance + floor(rise)


@given(PROGRESS, st.integers(START, START + 10**5), st.integers(0, 10**17))
def test_consume_rounds_up_and_forgets_what_is_older_than_max_idle(progress: Progress, now: int, value: int) -> None:
    after = bucket.consume(progress.tat, now, value, LIMITS)
    used = ceil(Fraction(value * LIMITS.cool_off * SCALE, LIMITS.batch_cap))
    assert after == max(progress.tat, (now - LIMITS.max_idle) * SCALE) + used


def test_the_loss_budget_narrows_the_tolerance() -> None:
    progress = Progress(tat=0, spent=3 * 10**15, surplus=10**17, held=0)
    full = LIMITS.max_idle * SCALE
    # 0.2 % of NAV is left for 10 % of NAV: 2 %
    assert bucket.tolerance(full, LIMITS, progress) == 2 * 10**16
    assert bucket.tolerance(full, LIMITS, progress, Sale(10**16, 10**16)) == 2 * 10**16
    # what has risen since start may lose a smaller part of its value, what has fallen a larger one
    assert bucket.tolerance(full, LIMITS, progress, Sale(2 * 10**16, 10**16)) == 10**16
    assert bucket.tolerance(full, LIMITS, progress, Sale(8 * 10**15, 10**16)) == 25 * 10**15
    assert bucket.tolerance(full, LIMITS, progress, Sale(10**15, 10**16)) == LIMITS.last_tolerance
    # what was given to the sell side adds nothing to the budget
    assert bucket.tolerance(full, LIMITS, progress, Sale(2 * 10**17, 2 * 10**17)) == 10**16
    assert bucket.tolerance(full, LIMITS, replace(progress, spent=6 * 10**15)) == 0
    # what must gain needs no budget
    assert bucket.tolerance(0, LIMITS, progress) == LIMITS.first_tolerance


@given(WIDE, PROGRESS, st.builds(Sale, st.integers(1, 10**17), st.integers(0, WAD)))
def test_a_batch_never_loses_more_than_its_part_of_the_budget(limits: Limits, progress: Progress, sale: Sale) -> None:
    allowed = bucket.tolerance(limits.max_idle * SCALE, limits, progress, sale)
    if progress.surplus == 0 or limits.last_tolerance == 0:
        assert allowed == limits.last_tolerance
        return
    part = min(Fraction(sale.at_start, progress.surplus), Fraction(1))
    most = part * bucket.budget_left(limits, progress)
    assert Fraction(sale.value * allowed, WAD) <= most
    assert allowed == limits.last_tolerance or Fraction(sale.value * (allowed + 1), WAD) > most


@given(
    WIDE,
    PROGRESS,
    st.builds(Sale, st.integers(1, 10**17), st.integers(0, WAD)),
    st.integers(-(10**17), 10**17),
    st.integers(START, START + 10**5),
)
def test_possible_from_is_the_first_second(limits: Limits, progress: Progress, sale: Sale, loss: int, now: int) -> None:
    def allowed(time: int) -> bool:
        idle = bucket.idle_x24(progress.tat, time, limits.max_idle)
        return sale.value <= bucket.capacity(idle, limits) and loss <= bucket.tolerance(idle, limits, progress, sale)

    at = bucket.possible_from(limits, progress, sale, loss, now)
    if at is None:
        assert not allowed(now + 2 * 10**6)
    else:
        assert allowed(at)
        assert at == now or not allowed(at - 1)
