"""The index token alone, seeded and not."""

from __future__ import annotations

import pytest

from tests.helpers.basket import Basket, build_basket
from tests.helpers.chain import Chain
from tests.helpers.fund import FOUNDED


@pytest.fixture(scope="module")
def basket(module_isolation: None, chain: Chain) -> Basket:
    """Seeded, with three tokens of 0, 6 and 18 decimals and the yearly fee of 0.95 %; `holder` can pay for mints."""
    chain.move_to(max(FOUNDED, chain.now()))
    basket = build_basket(chain)
    basket.fund(basket.holder)
    return basket


@pytest.fixture(scope="module")
def unseeded(module_isolation: None, chain: Chain, basket: Basket) -> Basket:
    """The same, not seeded yet; the deployer holds and has approved the tokens."""
    return build_basket(chain, seeded=False)
