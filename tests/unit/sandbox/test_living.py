"""The market's loop when the node, or the market itself, is wrong."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from eth_abi import encode
from web3 import Web3

from ballast.units import GWEI
from keeper.errors import ChainError
from keeper.look.fund_reader import Head
from keeper.ops.liveness import Stop
from sandbox.decide import Terms
from sandbox.market import LivingMarket
from sandbox.reader import MarketReader
from tests.unit.keeper.look.node import HEAD, hash_of, pair
from tests.unit.sandbox.test_book import book

TERMS = Terms(2_880, 500, 100, 30_000_000, (18, 18))


@pytest.mark.parametrize("error", [ZeroDivisionError("no price"), ChainError("no answer")], ids=["own", "node's"])
def test_no_error_ends_the_market(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    stop, asked = Stop(), 0

    def head() -> Head:
        nonlocal asked
        asked += 1
        if asked == 3:
            stop.set()
        raise error

    unused: Any = None
    sender: Any = SimpleNamespace(unresolved=False)
    LivingMarket(unused, head, sender, unused, unused, TERMS, stop, 0, unused).run()
    assert asked == 3
    assert str(error) in "".join(capsys.readouterr())


@pytest.mark.parametrize("price", [0, -5])
def test_a_price_that_is_none_is_no_answer(price: int) -> None:
    with pair() as two:
        for node in (two.first, two.second):
            node.result("eth_call", "0x" + encode(["uint80", "int256", "uint256"], [1, price, 5]).hex())
        with pytest.raises(ChainError, match=f"price of tETH: the node answered {price}, expected one above 0"):
            MarketReader(Web3(two.pool), book()).read(Head(HEAD, hash_of(HEAD), 1_700_000_000, GWEI))
