"""What a fund's file says of paid steps."""

from __future__ import annotations

import re

import pytest

from ballast.deployment.creation import order
from ballast.fund_file import FundError, parse_fund
from ballast.units import ETHER, GWEI, WAD
from tests.unit.ballast.fund_edits import good


def test_what_steps_are_paid() -> None:
    """Without a section the upkeep pays from what it is given; with a part of the fee there is a split."""
    assert parse_fund(good()).upkeep.as_tuple() == (WAD // 10, 5 * 10**15, 100 * GWEI, ETHER // 2)
    given = {"part": "20 %", "premium": "5 %", "least_sale": "1 %", "max_base_fee": "40 gwei", "monthly": "0.25 ether"}
    config = parse_fund(good() | {"upkeep": given})
    assert config.upkeep.as_tuple() == (5 * 10**16, 10**16, 40 * GWEI, ETHER // 4)
    assert config.upkeep.part == 2 * 10**17
    assert order(config)[-5:] == ("rebalancer", "upkeep", "fee_split", "zap", "nav_feed")


@pytest.mark.parametrize(
    ("given", "fee", "expected"),
    [
        ({"premium": "11 %"}, "1 %", "upkeep.premium: found '11 %', expected 0 to 10 %"),
        ({"max_base_fee": "100"}, "1 %", "upkeep.max_base_fee: found '100', expected an amount of ether"),
        ({"max_base_fee": "501 gwei"}, "1 %", "upkeep.max_base_fee: found '501 gwei', expected 1 to 500 gwei"),
        ({"monthly": "0.1234567890123456789 ether"}, "1 %", "upkeep.monthly: found"),
        (
            {"part": "1 %", "least_sale": "3 %"},
            "1 %",
            "upkeep.least_sale: found 30000000000000000, expected at most batch_cap",
        ),
        ({"part": "10 %"}, "0", "upkeep.part: found one, expected none, as there is no streaming_fee"),
    ],
)
def test_what_steps_cannot_be_paid(given: dict[str, str], fee: str, expected: str) -> None:
    with pytest.raises(FundError, match=re.escape(expected)):
        parse_fund(good() | {"upkeep": given, "streaming_fee": fee})
