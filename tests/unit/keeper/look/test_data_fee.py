"""What a batch's data costs on a rollup, asked through the real endpoint layer, and what plans make of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from eth_abi import decode, encode
from web3 import Web3

from ballast.book import Book, BookCandidate, BookPool
from ballast.networks.presets import NETWORKS
from ballast.networks.rollups import ENVELOPE, GAS_PRICE_ORACLE, NODE_INTERFACE, creation_gas
from ballast.units import GWEI, HOUR_S
from keeper.look import contracts
from keeper.look.data_fee import DataFees
from keeper.look.fund_reader import Head
from keeper.plan.costs import MEASURED
from keeper.plan.order import whole_batch
from keeper.plan.planner import Pace, plan
from tests.unit.keeper.look.node import ACCOUNT, HEAD, Pair, hash_of, pair
from tests.unit.keeper.simulated import SLIPPAGE_BPS, WETH, Simulated

COUNT = 10
CANDIDATES = tuple(
    BookCandidate(f"T{n}", f"0x{n:040x}", 18, (BookPool("uniswap", f"0x{n + 99:040x}"),)) for n in range(1, COUNT + 1)
)
CONTRACTS = {"rebalancer": ACCOUNT, "filler": "0x" + "33" * 20}
AT = Head(HEAD, hash_of(HEAD), 1_700_000_000, GWEI)


def book(chain_id: int) -> Book:
    return Book("Fund", chain_id, 1, CONTRACTS, WETH, CANDIDATES)


@pytest.fixture
def two() -> Iterator[Pair]:
    with pair() as found:
        yield found


def fees_on(two: Pair, chain_id: int) -> DataFees:
    return DataFees(Web3(two.pool), book(chain_id), whole_batch(book(chain_id)))


def answers(two: Pair, types: list[str], *values: int) -> list[Any]:
    """What both nodes say to a call; returns what they were asked, as it comes in."""
    asked: list[Any] = []

    def said(question: dict[str, Any]) -> Any:
        asked.append(question["params"])
        return {"result": "0x" + encode(types, values).hex()}

    for node in (two.first, two.second):
        node.says["eth_call"] = said
    return asked


def test_op_stack_chains_ask_for_ether(two: Pair) -> None:
    asked = answers(two, ["uint256"], 3 * 10**12 + 1)
    fees = fees_on(two, 84_532)
    assert fees.gas(AT, 2_000_000) == 1_500_001, "in gas at two million wei, rounded up"
    ((call, where),) = asked
    assert call["to"].lower() == GAS_PRICE_ORACLE.lower()
    assert where == {"blockHash": AT.hash, "requireCanonical": True}
    assert call["data"].startswith("0x49948e0e"), "getL1Fee(bytes)"
    (sent,) = decode(["bytes"], bytes.fromhex(call["data"][10:]))
    assert len(sent) == len(whole_batch(book(84_532))) + ENVELOPE


def test_arbitrum_counts_gas(two: Pair) -> None:
    asked = answers(two, ["uint64", "uint256", "uint256"], 77_000, 10**7, 10**9)
    assert fees_on(two, 421_614).gas(AT, 10**7) == 77_000
    ((call, _),) = asked
    assert call["to"].lower() == NODE_INTERFACE.lower()
    to, creation, data = decode(["address", "bool", "bytes"], bytes.fromhex(call["data"][10:]))
    assert (to, creation, data) == (ACCOUNT.lower(), False, whole_batch(book(421_614)))


def test_ethereum_asks_nobody(two: Pair) -> None:
    asked = answers(two, ["uint256"], 1)
    for number in (1, 11_155_111, 31_337, 777):
        assert fees_on(two, number).gas(AT, GWEI) == 0
    assert asked == []


def test_without_an_answer_the_last_one_holds(two: Pair) -> None:
    fees = fees_on(two, 10)
    for node in (two.first, two.second):
        node.result("eth_call", "0x")  # no contract there
    assert fees.gas(AT, 10) == 0
    answers(two, ["uint256"], 1_000)
    assert fees.gas(AT, 10) == 100
    for node in (two.first, two.second):
        node.error("eth_call", -32000, "out of order")
    assert fees.gas(AT, 10) == 100


def test_a_fee_that_nobody_would_pay_is_no_answer(two: Pair) -> None:
    ether = 10**18
    answers(two, ["uint256"], ether)
    fees = fees_on(two, 10)
    assert fees.gas(AT, GWEI) == 10**9
    answers(two, ["uint256"], ether + 1)
    assert fees.gas(AT, GWEI) == 10**9, "the last one that was believed"
    answers(two, ["uint64", "uint256", "uint256"], 10**9 + 1, 1, 1)
    assert fees_on(two, 42_161).gas(AT, GWEI) == 0


def test_a_whole_batch_is_an_order_as_the_rebalancer_takes_it() -> None:
    data = whole_batch(book(10))
    (order,) = decode(
        ["(uint256[],uint256[],address[],uint256[],uint256,address,bytes)"], data[4:]
    )  # the ABI's struct Order
    assert [len(part) for part in order[:4]] == [COUNT] * 4
    assert len(order[6]) == 32 * COUNT
    assert "0x" + data[:4].hex() == contracts.call_data("Rebalancer", "trade", (order[0], *order[1:]))[:10]
    assert len(data) > 1_800


def test_dear_data_makes_fewer_batches(april: Simulated) -> None:
    pace = Pace(rest=600, max_time=14 * HOUR_S, started_at=None, last_trade=None)

    def planned(data: int) -> Any:
        costs = replace(MEASURED, data=data)
        return plan(april.state, april.market, 20 * GWEI, pace, SLIPPAGE_BPS, costs=costs)

    without, cheap, dear = planned(0), planned(100), planned(20_000_000)
    assert cheap.gas == without.gas + 100 * without.batches
    assert dear.batches < without.batches
    assert dear.batch.gas < 16_000_000, "what data costs is no gas of the transaction"


def test_every_rollup_of_the_presets_is_one_that_is_known() -> None:
    assert {network.rollup for network in NETWORKS.values()} == {None, "op-stack", "arbitrum"}


def test_a_deployment_s_data_is_asked_for_contract_by_contract(two: Pair) -> None:
    asked = answers(two, ["uint256"], 10_001)
    w3 = Web3(two.pool)
    codes = (b"\x60" * 100, b"\x61" * 200)
    assert creation_gas(w3, NETWORKS[10], codes, 100) == 2 * 101
    assert [len(decode(["bytes"], bytes.fromhex(call["data"][10:]))[0]) - ENVELOPE for call, *_ in asked] == [100, 200]
    asked = answers(two, ["uint64", "uint256", "uint256"], 5_000, 1, 1)
    assert creation_gas(w3, NETWORKS[42_161], codes, 100) == 10_000
    _, creation, data = decode(["address", "bool", "bytes"], bytes.fromhex(asked[0][0]["data"][10:]))
    assert (creation, data) == (True, codes[0])
    assert creation_gas(w3, NETWORKS[1], codes, 100) == 0
    for node in (two.first, two.second):
        node.result("eth_call", "0x")
    assert creation_gas(w3, NETWORKS[10], codes, 100) == 0, "a chain that does not say stops nothing"
