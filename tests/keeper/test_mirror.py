"""The keeper's arithmetic against the contracts': pools, bucket and settlement."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3
from web3.exceptions import ContractLogicError

from keeper import amm, bucket
from keeper.chain import Chain
from keeper.settlement import outcome
from keeper.state import FundState, Phase
from localnet.rpc import call_data, send
from localnet.world import World
from tests.keeper.field import Field

HOLDER = "0x00000000000000000000000000000000000A11CE"


@pytest.fixture(scope="module")
def traded(field: Field, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[FundState, FundState, Any]]]:
    """A month's batches: the fund before, the fund after, and what the contract says of it."""
    folder = tmp_path_factory.mktemp("traded")
    with field.keeper(folder) as keeper:
        keeper.to_trading()
        keeper.to_the_end()
    chain = Chain(field.w3, field.book)
    yield [
        (chain.read(event["blockNumber"] - 1)[0], chain.read(event["blockNumber"])[0], event)
        for event in field.events("Traded")
    ]


def test_settlement_counts_as_the_contract_does(field: Field, traded: list[tuple[FundState, FundState, Any]]) -> None:
    assert len(traded) > 5
    for before, after, event in traded[:-1]:
        result = event["args"]["result"]
        time = field.w3.eth.get_block(event["blockNumber"])["timestamp"]
        now = FundState(**{**vars(before), "time": time})
        arrived = {i: after.holdings[i].balance - before.holdings[i].balance for i in result["buys"]}
        sold = dict(zip(result["sells"], result["sold"], strict=True))
        found = outcome(now, sold, arrived)
        assert (found.value_out, found.value_in) == (result["valueOut"], result["valueIn"])
        assert [found.credited[i] for i in result["buys"]] == result["credited"]
        assert found.progress == after.progress
        idle = bucket.idle_x24(before.progress.tat, time, before.limits.max_idle)
        assert bucket.tolerance(idle, before.limits, before.progress, found.share) == result["tolerance"]


def test_bucket_is_the_lens(field: Field, traded: list[tuple[FundState, FundState, Any]]) -> None:
    for _, state, _ in traded[:-1]:
        assert state.phase is Phase.TRADING
        idle = bucket.idle_x24(state.progress.tat, state.time, state.limits.max_idle)
        assert idle // bucket.SCALE == state.idle
        assert bucket.capacity(idle, state.limits) == state.capacity
        assert bucket.tolerance(idle, state.limits, state.progress) == state.tolerance
    # and with a bucket that is full
    first = traded[0][0]
    assert first.idle > 0 and first.capacity > 0


@pytest.mark.parametrize(
    ("symbol", "venue"), [("UNI", "uniswap"), ("UNI", "sushiswap"), ("YFI", "sushiswap"), ("KNC", "uniswap")]
)
@pytest.mark.parametrize("selling", [True, False])
def test_quotes_are_what_the_pair_pays(field: Field, world: World, symbol: str, venue: str, selling: bool) -> None:
    token = world.token(symbol)
    pair = next(pool.pair for pool in token.pools if pool.venue == venue)
    first_is_token = int(token.address, 16) < int(world.weth, 16)
    reserves = field.w3.eth.call(
        {"to": Web3.to_checksum_address(pair), "data": Web3.to_hex(hexstr=call_data("getReserves()"))}
    )
    one, two = int.from_bytes(reserves[:32], "big"), int.from_bytes(reserves[32:64], "big")
    tokens, weth = (one, two) if first_is_token else (two, one)
    pool = amm.Reserves(tokens, weth) if selling else amm.Reserves(weth, tokens)
    source = token.address if selling else world.weth
    paid = pool.reserve_in // 317
    out = amm.amount_out(pool, paid)
    # the least that brings it may be less than what was offered, and brings it too
    assert amm.amount_in(pool, out) <= paid

    pay(field, world, source, pair, amm.amount_in(pool, out))
    zero_out = selling != first_is_token
    too_much = swap_data(zero_out, out + 1)
    with pytest.raises(ContractLogicError, match="UniswapV2: K"):
        field.w3.eth.call({"to": Web3.to_checksum_address(pair), "data": Web3.to_hex(hexstr=too_much)})
    received = world.weth if selling else token.address
    before = balance(field, received, HOLDER)
    send(field.rpc, world.trader, pair, swap_data(zero_out, out), gas=10**6)
    assert balance(field, received, HOLDER) - before == out


def swap_data(zero_out: bool, amount: int) -> str:
    """A swap to HOLDER that takes `amount` of the pair's first token out if `zero_out`, else of its second."""
    first, second = (amount, 0) if zero_out else (0, amount)
    return call_data("swap(uint256,uint256,address,bytes)", first, second, HOLDER, b"")


def pay(field: Field, world: World, token: str, to: str, amount: int) -> None:
    """Puts tokens into a pair: stand-ins have an open mint, WETH comes from the market."""
    if token == world.weth:
        field.rpc.request("anvil_impersonateAccount", world.market)
        field.rpc.request("anvil_setBalance", world.market, hex(10**20))
        send(field.rpc, world.market, token, call_data("transfer(address,uint256)", to, amount), gas=10**6)
    else:
        send(field.rpc, world.trader, token, call_data("mint(address,uint256)", to, amount), gas=10**6)


def balance(field: Field, token: str, account: str) -> int:
    answer = field.w3.eth.call(
        {"to": Web3.to_checksum_address(token), "data": Web3.to_hex(hexstr=call_data("balanceOf(address)", account))}
    )
    return int.from_bytes(answer, "big")
