"""What commands and the holder page each know of a chain's exchanges is the same."""

from __future__ import annotations

import pytest

from ballast.exchanges import EXCHANGES, USDC, v2_pool_address, v3_pool_address
from keeper.zap.quote import Venue
from tests.unit.keeper.simulated import WETH
from tools.page import known_chains

LEGS = [
    (chain, token["token"], leg)
    for chain, facts in known_chains().items()
    for token in facts.pay
    for leg in token["legs"]
]


def test_the_page_s_dollar_is_what_commands_mean_by_usdc() -> None:
    pay = {chain: facts.pay for chain, facts in known_chains().items()}
    assert {chain: t["token"] for chain, tokens in pay.items() for t in tokens if t["symbol"] == "USDC"} == USDC


@pytest.mark.parametrize(("chain", "token", "leg"), LEGS)
def test_the_page_s_pools_are_where_the_zap_finds_them(chain: int, token: str, leg: dict[str, int | str]) -> None:
    """All on mainnet so far, and so against its WETH."""
    assert chain == 1
    known = EXCHANGES[chain]
    expected = {
        Venue.UNISWAP_V2: v2_pool_address(known.uniswap_v2, known.uniswap_v2_code, token, WETH),
        Venue.SUSHISWAP_V2: v2_pool_address(known.sushiswap_v2, known.sushiswap_v2_code, token, WETH),
        Venue.UNISWAP_V3: v3_pool_address(known.uniswap_v3, token, WETH, int(leg["fee"])),
    }
    assert leg["pool"] == expected[Venue(int(leg["venue"]))]
