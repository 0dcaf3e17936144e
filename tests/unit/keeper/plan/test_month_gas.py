"""What a month is expected to take in gas, beside the published months."""

from __future__ import annotations

import pytest

from ballast.units import GWEI, WAD
from keeper.plan.month_gas import expected

CAP = 2 * WAD // 100
MOST = 84


@pytest.mark.parametrize(
    ("components", "nav", "eth", "batches", "gas"),
    [
        # docs/bench.md, cheapest: NAV follows from the cost in USD and in % of NAV, ether's price from gas in both.
        (12, 96_000_000, 1_331, 34, 34.12),
        (12, 128_000_000, 1_543, 82, 58.37),
        (14, 151_000_000, 1_943, 58, 55.79),
        (15, 9_200_000, 3_168, 12, 10.17),
    ],
)
def test_published_months_are_within_what_is_expected(
    components: int, nav: int, eth: int, batches: int, gas: float
) -> None:
    """Never less than a month took, and at most two and a half times it."""
    found = expected(components, nav * WAD, CAP, eth * WAD, 100 * GWEI, MOST)
    assert batches <= found.batches <= 2.5 * batches
    assert gas <= found.gas / 10**6 <= 2.5 * gas


def test_a_small_fund_makes_as_few_batches_as_its_cap_allows() -> None:
    small = expected(4, 500 * WAD, CAP, 2_000 * WAD, GWEI, MOST)
    assert small.batches == 9
    assert small.gas < 6_000_000
    assert expected(4, 500 * WAD, WAD // 10, 2_000 * WAD, GWEI, MOST).batches == 3


def test_dearer_gas_makes_fewer_batches_and_cheaper_gas_never_more_than_the_settings_allow() -> None:
    counts = [
        expected(12, 10**8 * WAD, CAP, 2_000 * WAD, price * GWEI, MOST).batches for price in (0, 1, 100, 1_000, 10**6)
    ]
    assert counts[:2] == [MOST, MOST]
    assert counts == sorted(counts, reverse=True) and counts[-1] == 9
    assert expected(12, 10**8 * WAD, CAP, 0, GWEI, 18).batches == 18
