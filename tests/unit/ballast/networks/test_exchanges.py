"""What commands and the holder page each know of a chain's exchanges is the same."""

from __future__ import annotations

from ballast.networks.exchanges import USDC
from tools.page import known_chains


def test_the_page_s_dollar_is_what_commands_mean_by_usdc() -> None:
    pay = {chain: facts.pay for chain, facts in known_chains().items()}
    assert {chain: t["token"] for chain, tokens in pay.items() for t in tokens if t["symbol"] == "USDC"} == USDC
