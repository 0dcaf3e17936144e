"""Quotes against real pools."""

from __future__ import annotations

import pytest
from eth_typing import HexStr
from web3 import Web3
from web3.exceptions import ContractLogicError

from ballast.abi import call_data
from keeper.pools.market import ascending
from keeper.pools.venues.v2 import V2Pool
from lab.localnet.rpc import send
from lab.localnet.world import World
from tests.keeper.deployed_fund import Field

HOLDER = "0x00000000000000000000000000000000000A11CE"


@pytest.mark.parametrize(
    ("symbol", "venue"), [("UNI", "uniswap"), ("UNI", "sushiswap"), ("YFI", "sushiswap"), ("KNC", "uniswap")]
)
@pytest.mark.parametrize("selling", [True, False])
def test_quotes_are_what_the_pair_pays(field: Field, world: World, symbol: str, venue: str, selling: bool) -> None:
    token = world.token(symbol)
    pair = next(pool.pair for pool in token.pools if pool.venue == venue)
    first_is_token = int(token.address, 16) < int(world.weth, 16)
    reserves = field.w3.eth.call({"to": Web3.to_checksum_address(pair), "data": HexStr(call_data("getReserves()"))})
    one, two = int.from_bytes(reserves[:32], "big"), int.from_bytes(reserves[32:64], "big")
    pool = V2Pool(venue, pair, ascending(token.address, world.weth), (one, two))
    source = token.address if selling else world.weth
    paid = (one if selling == first_is_token else two) // 317
    out = pool.amount_out(source, paid)
    # the least that brings it may be less than what was offered, and brings it too
    assert pool.amount_in(source, out) <= paid

    pay(field, world, source, pair, pool.amount_in(source, out))
    zero_out = selling != first_is_token
    too_much = swap_data(zero_out, out + 1)
    with pytest.raises(ContractLogicError, match="UniswapV2: K"):
        field.w3.eth.call({"to": Web3.to_checksum_address(pair), "data": HexStr(too_much)})
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
        {"to": Web3.to_checksum_address(token), "data": HexStr(call_data("balanceOf(address)", account))}
    )
    return int.from_bytes(answer, "big")
