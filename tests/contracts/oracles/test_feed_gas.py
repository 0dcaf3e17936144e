"""What feeds that burn all their gas can cost: as many tokens as a determination prices at most."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi import encode

from ballast.units import WAD
from lab.localnet.rpc import RpcError
from tests.contracts.oracles.scene import MAX_AGE, A, Bench
from tests.helpers.chain import revert_data
from tests.helpers.fund import ETH, IN_ETH, USD

MOST = 150
"""Tokens: 100 candidates and 50 held."""
FEED_GAS = 50_000
COLD = 2_600
BYTES, BURNING = 0, 2
ROUND = ["uint256", "int256", "uint256", "uint256", "uint256"]


@pytest.fixture
def burning(bench: Bench) -> list[str]:
    """150 feeds of their own address, each of which will burn all its gas."""
    odd = bench.chain.deploy("OddFeed", sender=bench.owner)
    code = bench.chain.code(odd.address)
    feeds = [f"0x{0xFEED0000 + k:040x}" for k in range(MOST)]
    for feed in feeds:
        bench.chain.cheats.set_code(feed, code)
    return feeds


def gas_of(bench: Bench, oracle: Any, tokens: list[str]) -> int:
    """Of the execution of a transaction that asks for these prices."""
    receipt = bench.chain.send(oracle.prices(tokens), bench.owner)
    data = oracle.prices(tokens).data
    return int(receipt["gasUsed"], 16) - 21_000 - sum(16 if byte else 4 for byte in data)


def test_feeds_that_burn_all_they_get(bench: Bench, burning: list[str]) -> None:
    """Half of 2^24 and less: the rest is for sources of supplies, balances, and what is written."""
    chain, tokens = bench.chain, [f"0x{k + 1:040x}" for k in range(MOST)]
    eth = chain.deploy("OddFeed", sender=bench.owner)
    odd = [chain.at("OddFeed", feed) for feed in burning]
    for feed in (eth, *odd):
        chain.send(feed.post(18, BURNING, b""), bench.owner)
    sequencer = chain.deploy("ReferenceFeed", sender=bench.owner)
    chain.send(sequencer.post(0, 1), bench.owner)
    rows = [(ETH, eth, MAX_AGE, USD, 0, 0, 0)]
    rows += [(token, feed, MAX_AGE, USD, 0, 0, 0) for token, feed in zip(tokens, odd, strict=True)]
    oracle = chain.deploy("ChainlinkOracle", bench.owner, bench.flag, sequencer, 60, rows[:80], sender=bench.owner)
    for row in rows[80:]:
        chain.send(oracle.setFeed(row), bench.owner)
    assert chain.read(oracle.prices(tokens)) == [0] * MOST
    used = gas_of(bench, oracle, tokens)
    assert MOST * (FEED_GAS + COLD) < used < 8_100_000 - FEED_GAS - COLD  # ETH was not asked


def test_the_feed_of_eth_is_asked_once(bench: Bench) -> None:
    """Feeds in ETH that answer, and an ETH/USD feed that burns: it does so once for the whole list."""
    chain, tokens = bench.chain, [f"0x{k + 1:040x}" for k in range(MOST)]
    eth = chain.deploy("OddFeed", sender=bench.owner)
    chain.send(eth.post(18, BURNING, b""), bench.owner)
    rows = [(ETH, eth, MAX_AGE, USD, 0, 0, 0), *((token, bench.c, MAX_AGE, IN_ETH, 0, 0, 0) for token in tokens)]
    oracle = chain.deploy("ChainlinkOracle", bench.owner, bench.flag, ETH, 0, rows, sender=bench.owner)
    dead = gas_of(bench, oracle, tokens)
    assert chain.read(oracle.prices(tokens)) == [0] * MOST
    now = chain.now()
    chain.send(eth.post(18, BYTES, encode(ROUND, [1, 2_000 * WAD, now, now, 1])), bench.owner, at=now)
    assert chain.read(oracle.prices([*tokens, ETH, A])) == [WAD // 7 * 2_000] * MOST + [2_000 * WAD, 0]
    assert FEED_GAS // 2 < dead - gas_of(bench, oracle, tokens) < FEED_GAS


def test_a_starved_feed_ends_nothing(bench: Bench) -> None:
    """Whoever sends too little gas for the feed gets no "no price" to act upon: setting a feed runs out as a whole."""
    call = bench.oracle.setFeed(bench.row(A, bench.feed(8, 7 * 10**8)))
    request = {"from": bench.owner, "to": bench.oracle.address, "data": "0x" + call.data.hex()}
    outcomes = set()
    for gas in range(25_000, 600_000, 2_000):
        try:
            bench.chain.rpc.request("eth_call", {**request, "gas": hex(gas)}, "latest")
            outcomes.add("set")
        except RpcError as error:
            outcomes.add("refused" if revert_data(error) else "out of gas")
    assert outcomes == {"refused", "out of gas"}
