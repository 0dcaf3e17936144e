"""The bucket: its arithmetic against a model, and what pacing is for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.units import DAY_S, WAD
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.fund import EXECUTION, Limits
from tests.helpers.settling import SCALE, bucket

NOW = EXECUTION
CAP = 2 * 10**16
LIMITS = Limits()


@pytest.fixture(scope="module")
def harness(module_isolation: None, chain: Chain) -> Contract:
    """The library from outside."""
    return chain.deploy("BucketHarness", sender=chain.account("deployer"))


def camel(limits: Limits) -> SimpleNamespace:
    """Limits as the chain names them."""
    names = ("firstTolerance", "lastTolerance", "batchCap", "lossBudget", "maxStep", "dust", "coolOff", "maxIdle")
    return SimpleNamespace(**dict(zip(names, limits.as_tuple(), strict=True)))


def on_chain(chain: Chain, harness: Contract, now: int, tat: int, value: int, limits: Limits) -> tuple[int, ...]:
    call = harness.batch(
        tat,
        value,
        limits.batch_cap,
        limits.cool_off,
        limits.max_idle,
        limits.first_tolerance,
        limits.last_tolerance,
    )
    found: tuple[int, ...] = chain.read(call, at=now)
    return found


cool_offs = st.integers(60, DAY_S)
any_limits = st.builds(
    lambda first, spread, cap, cool, extra: Limits(
        first_tolerance=first,
        last_tolerance=max(0, min(WAD // 10, first + spread)),
        batch_cap=cap,
        cool_off=cool,
        max_idle=min(DAY_S, cool + extra),
    ),
    st.integers(-WAD // 10, 0),
    st.integers(WAD // 10, WAD // 5),
    st.integers(1, WAD // 10),
    cool_offs,
    st.integers(0, DAY_S),
)


def test_arithmetic_is_the_model_s(chain: Chain, harness: Contract) -> None:
    @settings(max_examples=150, deadline=None)
    @given(limits=any_limits, behind=st.integers(-DAY_S * SCALE, 3 * DAY_S * SCALE), part=st.integers(0, 10**6))
    def check(limits: Limits, behind: int, part: int) -> None:
        tat = NOW * SCALE - behind
        value = limits.batch_cap * part // 10**6
        expected = bucket(NOW, tat, value, camel(limits))
        found = on_chain(chain, harness, NOW, tat, value, limits)
        assert found == (expected.idle, expected.capacity, expected.tolerance, expected.tat)

    check()


@pytest.mark.parametrize(
    ("idle", "capacity", "tolerance"),
    [
        (0, 0, -15 * 10**15),
        (1, 2 * 10**16 // 600, -15 * 10**15 + 55 * 10**15 // 1800),
        (300, 10**16, -15 * 10**15 + 55 * 10**15 // 6),
        (600, CAP, -15 * 10**15 + 55 * 10**15 // 3),
        (1200, CAP, -15 * 10**15 + 110 * 10**15 // 3),
        (1800, CAP, 4 * 10**16),
        (1801, CAP, 4 * 10**16),
        (30 * DAY_S, CAP, 4 * 10**16),
        (-5, 0, -15 * 10**15),
    ],
)
def test_capacity_and_tolerance_over_time(
    chain: Chain, harness: Contract, idle: int, capacity: int, tolerance: int
) -> None:
    found = on_chain(chain, harness, NOW, (NOW - idle) * SCALE, 0, LIMITS)
    assert abs(found[2] - tolerance) <= 1
    assert found[1] == capacity
    assert found[0] == min(max(idle, 0), 1800) * SCALE


def test_splitting_gains_nothing(chain: Chain, harness: Contract) -> None:
    """Two batches use at least the tat of one of their sum, and the second meets no more tolerance than the first."""

    @settings(max_examples=60, deadline=None)
    @given(limits=any_limits, idle=st.integers(1, DAY_S), part=st.integers(0, 10**6), split=st.integers(0, 10**6))
    def check(limits: Limits, idle: int, part: int, split: int) -> None:
        tat = (NOW - idle) * SCALE
        _, capacity, tolerance, _ = on_chain(chain, harness, NOW, tat, 0, limits)
        whole = capacity * part // 10**6
        first = whole * split // 10**6
        *_, once = on_chain(chain, harness, NOW, tat, whole, limits)
        *_, between = on_chain(chain, harness, NOW, tat, first, limits)
        _, left, then, twice = on_chain(chain, harness, NOW, between, whole - first, limits)
        assert once <= twice <= once + 1
        assert then <= tolerance
        # What two batches can be together is never more than the maximum of one, where one is not held by the cap.
        if capacity < limits.batch_cap:
            assert first + left <= capacity

    check()


def test_dust_uses_dust_of_capacity(chain: Chain, harness: Contract) -> None:
    """1,000 batches of a 10^-12 of NAV use no more than a batch of their sum and 2^-24 s each."""
    tat = (NOW - 1800) * SCALE
    dust = 10**6
    used = tat
    for _ in range(20):
        *_, after = on_chain(chain, harness, NOW, used, dust, LIMITS)
        assert 0 < after - used <= dust * 600 * SCALE // CAP + 1
        used = after
    assert on_chain(chain, harness, NOW, used, 0, LIMITS)[1] == CAP


def test_capacity_over_a_day_is_a_day_s(chain: Chain, harness: Contract) -> None:
    """However a filler times its batches, they add up to at most the refill of the time and of one full bucket."""

    @settings(max_examples=15, deadline=None)
    @given(waits=st.lists(st.integers(0, 4000), min_size=1, max_size=15))
    def check(waits: list[int]) -> None:
        now, tat, sold = NOW, NOW * SCALE, 0
        for wait in waits:
            now += wait
            _, capacity, _, _ = on_chain(chain, harness, now, tat, 0, LIMITS)
            *_, tat = on_chain(chain, harness, now, tat, capacity, LIMITS)
            sold += capacity
            assert tat <= now * SCALE
        assert sold <= CAP * (now - NOW) // 600

    check()
