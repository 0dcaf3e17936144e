"""A month's past for pacing: from events, and from the fund's own state where no node gives events, or too few."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from web3 import Web3

from ballast.book import Book
from ballast.units import GWEI, HOUR_S
from keeper.look import contracts
from keeper.look.fund_reader import Head
from keeper.look.history import History, Past
from keeper.plan.bucket import SCALE
from keeper.plan.planner import Aim, Pace, plan
from keeper.state import FundState, Progress
from tests.unit.keeper.look.node import ACCOUNT, HEAD, Pair, hash_of, log_in, pair, receipt
from tests.unit.keeper.simulated import SLIPPAGE_BPS, START, WETH, Simulated, at, filled

BOOK = Book("Fund", 1, 1, {"rebalancer": ACCOUNT}, WETH, ())
HOURS = 14 * HOUR_S
AIM = Aim("fewest", 18, 10_000_000)
FIRST = HEAD - 100
"""The block of the start."""


def block_at(number: int) -> int:
    """Chain time of a block."""
    return START + 12 * (number - FIRST)


@pytest.fixture
def two() -> Iterator[Pair]:
    with pair() as found:
        for node in (found.first, found.second):
            node.says["eth_getBlockByNumber"] = lambda question: {"result": block(question["params"][0])}
        yield found


def block(named: str) -> dict[str, Any]:
    number = HEAD if named == "latest" else int(named, 16)
    return {"number": hex(number), "hash": hash_of(number), "timestamp": hex(block_at(number))}


def give(two: Pair, *trades: int) -> None:
    """Both nodes give the start and batches in these blocks."""
    started, traded = (contracts.topic("Rebalancer", name) for name in ("Started", "Traded"))

    def events(question: dict[str, Any]) -> Any:
        wanted = question["params"][0]
        first, last = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
        found = [(FIRST, started), *((number, traded) for number in trades)]
        return {
            "result": [
                log_in(number) | {"topics": [topic, wanted["topics"][1]]}
                for number, topic in found
                if first <= number <= last
            ]
        }

    for node in (two.first, two.second):
        node.says["eth_getLogs"] = events


def take(two: Pair) -> None:
    """No node gives events."""
    for node in (two.first, two.second):
        node.error("eth_getLogs", -32601, "eth_getLogs is disabled")


def past(history: History, state: FundState, number: int) -> Past:
    """What it says in a block, where the fund has this state."""
    return history.past(Head(number, hash_of(number), block_at(number), GWEI), at(state, block_at(number)))


def history(two: Pair) -> History:
    return History(Web3(two.pool), BOOK)


def traded(state: FundState, part: int = 1) -> FundState:
    """The state after some batch."""
    p = state.progress
    return replace(
        state, progress=Progress(p.tat + part * 1_000 * SCALE + part, p.spent, p.surplus - part, p.held + part)
    )


def test_events_tell_it_to_the_second(two: Pair, april: Simulated) -> None:
    asked, state = history(two), april.state
    give(two)
    assert past(asked, state, FIRST + 1) == Past(START, None, 0)
    give(two, FIRST + 20)
    assert past(asked, traded(state), FIRST + 25) == Past(START, block_at(FIRST + 20), 21_000)
    assert past(history(two), traded(state), FIRST + 30) == Past(START, block_at(FIRST + 20), 21_000)


def test_without_events_a_change_of_the_state_tells_it(two: Pair, april: Simulated) -> None:
    take(two)
    asked, state = history(two), april.state
    assert past(asked, state, FIRST + 5) == Past(START, None, None)
    assert past(asked, state, FIRST + 10) == Past(START, None, None)
    assert past(asked, traded(state), FIRST + 20) == Past(START, block_at(FIRST + 20), None)
    assert past(asked, traded(state), FIRST + 25) == Past(START, block_at(FIRST + 20), None)
    assert past(asked, traded(state, 2), FIRST + 60) == Past(START, block_at(FIRST + 60), None)
    # A pause moves tat, and is no batch.
    moved = replace(state, progress=replace(traded(state, 2).progress, tat=state.progress.tat + 9 * SCALE))
    assert past(asked, moved, FIRST + 70) == Past(START, block_at(FIRST + 60), None)


def test_a_keeper_that_starts_without_events_waits_as_after_a_batch(two: Pair, april: Simulated) -> None:
    take(two)
    asked, now = history(two), block_at(FIRST + 50)
    assert past(asked, traded(april.state), FIRST + 50) == Past(now, now, None)
    assert past(asked, traded(april.state), FIRST + 55) == Past(now, now, None)
    # Whoever gives events later corrects it.
    give(two, FIRST + 20)
    assert past(asked, traded(april.state), FIRST + 60) == Past(START, block_at(FIRST + 20), 21_000)


def test_events_that_are_late_or_lost_speed_nothing_up(two: Pair, april: Simulated) -> None:
    asked, state = history(two), april.state
    give(two, FIRST + 20)
    past(asked, traded(state), FIRST + 25)
    # The node of the events is behind that of the state; then it gives none any more.
    assert past(asked, traded(state, 2), FIRST + 50).last_trade == block_at(FIRST + 50)
    take(two)
    assert past(asked, traded(state, 2), FIRST + 51) == Past(START, block_at(FIRST + 50), None)
    give(two, FIRST + 20, FIRST + 48)
    assert past(asked, traded(state, 2), FIRST + 52).last_trade == block_at(FIRST + 48)
    # A node that has thrown events away says that there are none.
    give(two)
    assert past(history(two), traded(state), FIRST + 60).last_trade == block_at(FIRST + 60)


def test_a_head_that_cannot_be_costs_a_look(two: Pair, april: Simulated) -> None:
    give(two, FIRST + 20)
    asked, state = history(two), traded(april.state)
    assert past(asked, state, HEAD).last_trade == block_at(FIRST + 20)
    for node in (two.first, two.second):
        node.says["eth_getBlockByNumber"] = lambda question: {
            "result": block(named) if (named := question["params"][0])[:4] != "0xff" else None
        }
    events, given = two.first.says["eth_getLogs"], 0

    def some(question: dict[str, Any]) -> Any:
        nonlocal given
        given += 1
        return events(question) if given < 20 else {"error": {"code": -32000, "message": "no end"}}

    for node in (two.first, two.second):
        node.says["eth_getLogs"] = some
    past(asked, state, (1 << 48) - 1)
    assert given < 10
    assert past(asked, state, HEAD + 1).last_trade == block_at(FIRST + 20)


def test_no_receipt_costs_the_gas_alone(two: Pair, april: Simulated) -> None:
    give(two, FIRST + 20)
    for node in (two.first, two.second):
        node.result("eth_getTransactionReceipt", None)
    asked = history(two)
    assert past(asked, traded(april.state), FIRST + 25) == Past(START, block_at(FIRST + 20), None)
    for node in (two.first, two.second):
        node.result("eth_getTransactionReceipt", receipt())
    assert past(asked, traded(april.state), FIRST + 26).gas_spent == 21_000


def test_a_node_that_gives_little_at_a_time_gives_it_all_in_the_end(two: Pair, april: Simulated) -> None:
    """As a service does that gives ten blocks a question, and so many questions a second."""
    give(two, FIRST + 20)
    events, left = two.first.says["eth_getLogs"], 0

    def little(question: dict[str, Any]) -> Any:
        nonlocal left
        wanted = question["params"][0]
        left -= 1
        if left < 0:
            return {"error": {"code": 429, "message": "too many requests"}}
        if int(wanted["toBlock"], 16) - int(wanted["fromBlock"], 16) >= 10:
            return {"error": {"code": -32600, "message": "10 blocks"}}
        return events(question)

    for node in (two.first, two.second):
        node.says["eth_getLogs"] = little
    asked, found, looks = history(two), None, 0
    while found != block_at(FIRST + 20):
        left, looks = 15, looks + 1
        two.now += 1_000
        found = past(asked, traded(april.state), HEAD).last_trade
        assert found in (block_at(HEAD), block_at(FIRST + 20)) and looks < 20
    assert looks > 2


def test_batches_keep_their_distance_without_events(two: Pair, april: Simulated) -> None:
    """As with them, whatever restarts."""
    take(two)
    state, number = april.state, FIRST + 5
    times: list[int] = []
    asked = history(two)
    while len(times) < 4:
        now = at(state, block_at(number))
        known = past(asked, state, number)
        pace = Pace(600, HOURS, known.started_at, known.last_trade, known.gas_spent)
        found = plan(now, april.market, GWEI, pace, SLIPPAGE_BPS, AIM)
        assert found.batch is not None and found.possible_from is not None
        if found.possible_from <= now.time:
            times.append(now.time)
            state = filled(now, found.batch, found.min_value_in)
            asked = asked if len(times) != 2 else history(two)
        number += 25
    apart = [later - earlier for earlier, later in pairwise(times)]
    assert min(apart) >= HOURS // AIM.most_batches


def test_a_keeper_that_starts_late_without_events_still_ends_in_time(two: Pair, april: Simulated) -> None:
    """It takes the month to have begun just now, but its end is known."""
    take(two)
    state, number = traded(april.state), FIRST + 50
    state = replace(state, opening=replace(state.opening, end=block_at(number) + 6 * HOUR_S))
    known = past(history(two), state, number)
    pace = Pace(600, HOURS, known.started_at, known.last_trade, known.gas_spent)
    found = plan(at(state, block_at(number)), april.market, GWEI, pace, SLIPPAGE_BPS, AIM)
    assert found.finish is not None and found.finish <= state.opening.end
