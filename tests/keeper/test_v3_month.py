"""A keeper that has pools of Uniswap V3 beside the pairs: it reads them, trades in them, and gets what it expected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3

from ballast.book import Book
from keeper.errors import SettingsError
from keeper.look.fund_reader import FundReader
from keeper.state import Phase, Reason
from lab.localnet.month_file import Month
from lab.localnet.world import World
from lab.replay.measure import pair_sides, swaps_in, v3_swaps_in
from tests.helpers.chain import Chain
from tests.helpers.v3 import open_invented
from tests.keeper.deployed_fund import Field, deployed


@dataclass(frozen=True)
class Carried:
    """A month that the keeper has carried with the invented V3 pools. `logs`: of all its batches."""

    field: Field
    world: World
    logs: list[Any]


@pytest.fixture(scope="module")
def carried(
    module_isolation: None, chain: Chain, world: World, month: Month, w3: Web3, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Carried]:
    with_pools = open_invented(chain, world, month)
    folder: Path = tmp_path_factory.mktemp("v3 month")
    with deployed(with_pools, w3, folder) as field:
        with field.keeper(folder) as keeper:
            keeper.to_trading()
            keeper.to_the_end()
        hashes = [event["transactionHash"] for event in field.events("Traded")]
        logs = [log for digest in hashes for log in w3.eth.get_transaction_receipt(digest)["logs"]]
        yield Carried(field, with_pools, logs)


def test_the_month_is_done_over_both_kinds_of_pools(carried: Carried) -> None:
    state = carried.field.state()
    assert (state.phase, state.reason) == (Phase.IDLE, Reason.DONE)
    in_v3 = v3_swaps_in(carried.logs, carried.world.v3_pools)
    in_pairs = swaps_in(carried.logs, pair_sides(carried.world))
    assert {swap.fee for swap in in_v3} == {500, 3000}
    assert len(in_v3) > 10 and in_pairs
    weth = carried.world.weth
    assert {swap.token_in == weth for swap in in_v3} == {True, False}, "sells and buys"


def test_nothing_stays_in_the_filler(carried: Carried, chain: Chain) -> None:
    filler = carried.field.book["filler"]
    for token in (*(token.address for token in carried.world.tokens), carried.world.weth):
        assert chain.read(chain.at("ReferenceToken", token).balanceOf(filler)) == 0


def test_the_keeper_s_market_has_both(carried: Carried) -> None:
    block = carried.field.w3.eth.block_number
    market = carried.field.chain.read(block)[1]
    kinds = {pool.kind for pools in market.pools.values() for pool in pools}
    assert kinds == {0, 1}
    fees = {pool.fee for pools in market.pools.values() for pool in pools if pool.kind == 1}
    assert fees == {500, 3000}


def test_pools_without_their_lens_are_refused(carried: Carried) -> None:
    book = carried.field.book
    without = {name: address for name, address in book.contracts.items() if name != "v3_lens"}
    bare = Book(book.fund, book.chain_id, book.deployed_block, without, book.weth, book.candidates)
    with pytest.raises(SettingsError, match=r"names \d+ pools of uniswap-v3 but no v3_lens; deploy again"):
        FundReader(carried.field.w3, bare)
