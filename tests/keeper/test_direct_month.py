"""A keeper that has pools between two components: UNI goes straight to SUSHI in a pair and to AAVE in a V3 pool."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from eth_utils import to_checksum_address
from web3 import Web3

from ballast.abi import call_data
from ballast.book import Book
from ballast.fund_file import FundConfig
from ballast.parts import FundPool
from keeper.state import Phase, Reason
from lab.localnet.month_file import Month
from lab.localnet.rpc import read, send
from lab.localnet.world import World
from lab.replay.measure import swaps_in, v3_swaps_in
from tests.helpers.chain import Chain
from tests.helpers.v3 import open_pools
from tests.keeper.deployed_fund import Field, deployed

DEEP_USD = 60_000_000 * 10**18
"""On each side of the pair."""


@dataclass(frozen=True)
class Carried:
    """A month that the keeper has carried. `pair`: UNI and SUSHI. `logs`: of all its batches."""

    field: Field
    world: World
    pair: str
    logs: list[Any]


def open_pair(chain: Chain, world: World, one: str, other: str) -> str:
    """A pair of the real factory at the reference prices."""
    sender = chain.account("opener of pools")
    send(chain.rpc, sender, world.uniswap_factory, call_data("createPair(address,address)", one, other), gas=5 * 10**6)
    answer = read(chain.rpc, world.uniswap_factory, "getPair(address,address)", ["address"], one, other)
    pair = to_checksum_address(answer[0])
    for token in (world.token(one), world.token(other)):
        amount = DEEP_USD * 10**token.decimals // token.price_usd
        chain.send(chain.at("ReferenceToken", token.address).mint(pair, amount), sender)
    send(chain.rpc, sender, pair, call_data("mint(address)", sender), gas=10**6)
    return pair


@pytest.fixture(scope="module")
def carried(
    module_isolation: None, chain: Chain, world: World, month: Month, w3: Web3, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Carried]:
    uni, sushi, aave = (world.token(symbol).address for symbol in ("UNI", "SUSHI", "AAVE"))
    pair = open_pair(chain, world, uni, sushi)
    with_v3 = open_pools(chain, world, month, [f"{uni},{aave},3000,,,20000,1"])

    def with_pair(config: FundConfig) -> FundConfig:
        direct = FundPool(venue="uniswap", pair=pair, other=sushi)
        components = (
            c.model_copy(update={"pools": (*c.pools, direct)}) if c.token == uni else c for c in config.components
        )
        return config.model_copy(update={"components": tuple(components)})

    folder = tmp_path_factory.mktemp("direct month")
    with deployed(with_v3, w3, folder, change=with_pair) as field:
        with field.keeper(folder) as keeper:
            keeper.to_trading()
            keeper.to_the_end()
        hashes = [event["transactionHash"] for event in field.events("Traded")]
        logs = [log for digest in hashes for log in w3.eth.get_transaction_receipt(digest)["logs"]]
        yield Carried(field, with_v3, pair, logs)


def test_the_month_is_done_straight_where_that_is_cheaper(carried: Carried) -> None:
    state = carried.field.state()
    assert (state.phase, state.reason) == (Phase.IDLE, Reason.DONE)
    uni, sushi = (carried.world.token(symbol).address for symbol in ("UNI", "SUSHI"))
    low, high = sorted((uni, sushi), key=lambda address: int(address, 16))
    in_pair = swaps_in(carried.logs, {carried.pair: (low, high)})
    assert in_pair and {swap.token_in for swap in in_pair} == {uni}
    (pool,) = (pool for pool in carried.world.v3_pools if carried.world.weth not in pool.tokens)
    in_v3 = v3_swaps_in(carried.logs, [pool])
    assert in_v3 and {swap.token_in for swap in in_v3} == {uni}


def test_nothing_stays_in_the_filler(carried: Carried, chain: Chain) -> None:
    filler = carried.field.book["filler"]
    for token in (*(token.address for token in carried.world.tokens), carried.world.weth):
        assert chain.read(chain.at("ReferenceToken", token).balanceOf(filler)) == 0


def test_the_keeper_s_market_has_the_direct_pools(carried: Carried) -> None:
    market = carried.field.chain.read(carried.field.w3.eth.block_number)[1]
    kinds = {pool.kind for pools in market.direct.values() for pool in pools}
    assert kinds == {0, 1}
    uni, sushi = (carried.world.token(symbol).address for symbol in ("UNI", "SUSHI"))
    assert [pool.address for pool in market.between(sushi, uni)] == [carried.pair]


def test_the_book_keeps_the_other_token(carried: Carried) -> None:
    book = Book.load(carried.field.book_path)
    uni, sushi = (carried.world.token(symbol).address for symbol in ("UNI", "SUSHI"))
    candidate = book.candidate(uni)
    assert candidate is not None
    assert [pool.other for pool in candidate.pools if pool.pair == carried.pair] == [sushi]
