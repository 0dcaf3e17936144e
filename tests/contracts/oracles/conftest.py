"""The oracle that the tests of this folder share."""

from __future__ import annotations

import pytest

from ballast.units import WAD
from tests.contracts.oracles.scene import ETH_USD, MAX_AGE, A, B, Bench, C
from tests.helpers.chain import Chain
from tests.helpers.fund import ETH, FOUNDED, IN_ETH, USD


@pytest.fixture(scope="module")
def bench(module_isolation: None, chain: Chain) -> Bench:
    chain.move_to(max(FOUNDED, chain.now()))
    owner = chain.account("owner")
    flag = chain.deploy("TradingFlag", sender=owner)
    eth, a, b, c = (chain.deploy("ReferenceFeed", sender=owner) for _ in range(4))
    for feed, decimals in ((eth, 8), (a, 8), (b, 18), (c, 18)):
        chain.send(feed.init("TEST / USD", decimals), owner)
    rows = [
        (ETH, eth, MAX_AGE, USD, 0, 0, 0),
        *((t, f, MAX_AGE, q, 0, 0, 0) for t, f, q in ((A, a, USD), (B, b, USD), (C, c, IN_ETH))),
    ]
    oracle = chain.deploy("ChainlinkOracle", owner, flag, ETH, 0, rows, sender=owner)
    bench = Bench(chain, oracle, flag, owner, eth, a, b, c)
    for feed, answer in ((eth, ETH_USD), (a, 29_20000000), (b, 29 * WAD + 1), (c, WAD // 7)):
        bench.post(feed, answer)
    return bench
