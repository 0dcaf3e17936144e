"""A keeper on several endpoints: how often it asks, who is asked when one fails, and what stops it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ape
import pytest

from keeper.errors import ChainError
from keeper.look.fund_reader import FundReader
from keeper.look.rpc import connect
from keeper.state import Action
from tests.helpers.waiting import wait_for
from tests.keeper.deployed_fund import Field
from tests.keeper.endpoints import KEY, SEND, endpoint
from tests.keeper.nodes import in_place_of

LOOK = ("eth_chainId", "eth_getBlockByNumber")
READ = ("eth_call",)
TICKS = 20


@pytest.fixture(scope="module", autouse=True)
def quiet(field: Field) -> None:
    """Nothing is due any more before the next month's determination."""
    rebalancer = ape.project.Rebalancer.at(field.book["rebalancer"])
    rebalancer.determine(sender=ape.accounts.test_accounts[0])
    assert field.state().action is Action.NONE


@pytest.fixture(autouse=True)
def taken_back(field: Field, test_isolation: None) -> Iterator[None]:
    """Mining by itself again, whatever a test did."""
    yield
    field.rpc.request("evm_setAutomine", True)


def test_a_quiet_tick_takes_two_round_trips(field: Field, tmp_path: Path) -> None:
    def mine(trip: tuple[str, ...]) -> None:
        # So every tick finds a new block.
        if trip == LOOK:
            field.rpc.request("evm_mine")

    with endpoint(field.url) as first, endpoint(field.url) as second:
        urls = f"{first.url},{second.url}"
        with field.keeper(tmp_path, BALLAST_RPC_URL=urls, BALLAST_RPC_CHECK_SECONDS="600") as keeper:
            wait_for(lambda: READ in first.trips, "a look")
            begin = len(first.trips)
            first.before = mine
            wait_for(lambda: len(first.trips) >= begin + 2 * TICKS + 4, "ticks")
            trips = first.trips[begin:]
            while trips[0] != LOOK or trips[1] != READ:
                trips = trips[1:]
            assert trips[: 2 * TICKS] == [LOOK, READ] * TICKS
            assert second.trips == [LOOK]
            assert KEY not in keeper.log()


def test_a_look_without_a_new_block_takes_one(field: Field, tmp_path: Path) -> None:
    with endpoint(field.url) as first, field.keeper(tmp_path, BALLAST_RPC_URL=first.url):
        wait_for(lambda: first.trips[-3:] == [LOOK] * 3, "looks")
        begin = len(first.trips)
        wait_for(lambda: len(first.trips) >= begin + TICKS, "looks")
        assert set(first.trips[begin:]) == {LOOK}


@pytest.mark.parametrize("fails", [500, "dropped"])
def test_the_month_goes_on_over_the_next_endpoint(field: Field, tmp_path: Path, fails: int | str) -> None:
    with contextlib.ExitStack() as stack:
        first, second = (stack.enter_context(endpoint(field.url)) for _ in range(2))
        keeper = stack.enter_context(field.keeper(tmp_path, BALLAST_RPC_URL=f"{first.url},{second.url}"))
        wait_for(lambda: first.trips.count(READ) > 0, "a look")
        first.fails = fails
        before = field.sent_by_keeper()
        keeper.to_determined()
        assert field.sent_by_keeper() == before + 1
        assert second.methods.count(SEND) == 1
        said = (tmp_path / "keeper.log").read_text()
        assert f"endpoint={first.host}" in said and "endpoint put aside" in said
        assert "step failed" not in said and KEY not in said


def test_a_transaction_whose_answer_is_lost_is_sent_once(field: Field, tmp_path: Path) -> None:
    def lose(trip: tuple[str, ...]) -> None:
        first.fails = "dropped" if trip == (SEND,) else None

    with endpoint(field.url) as first, field.keeper(tmp_path, BALLAST_RPC_URL=first.url) as keeper:
        first.before = lose
        before = field.sent_by_keeper()
        keeper.to_determined()
        assert field.sent_by_keeper() == before + 1
        assert first.methods.count(SEND) == 1


def test_no_money_moves_while_two_disagree(field: Field, tmp_path: Path) -> None:
    with endpoint(field.url) as first, endpoint(field.url) as second:
        settings = {"BALLAST_RPC_URL": f"{first.url},{second.url}", "BALLAST_RPC_AGREE": "2"}
        with field.keeper(tmp_path, **settings) as keeper:
            wait_for(lambda: READ in first.trips, "a look")
            assert READ not in second.trips  # nothing was due
            before = field.sent_by_keeper()
            second.change = flipped
            field.to_determination()
            wait_for(lambda: "answer differently" in keeper.log(), "a disagreement")
            line = next(line for line in keeper.log().splitlines() if "answer differently" in line)
            assert first.host in line and second.host in line and KEY not in keeper.log()
            assert SEND not in first.methods + second.methods
            second.change = None
            wait_for(lambda: field.sent_by_keeper() == before + 1, "determination")
            # Both get it at once, and one of them is enough for it to be mined.
            wait_for(lambda: SEND in first.methods and SEND in second.methods, "both to be handed it")


def flipped(question: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """The last digit of what a call returns is another."""
    if question["method"] != "eth_call" or "result" not in answer:
        return answer
    result = answer["result"]
    return {**answer, "result": result[:-1] + ("0" if result[-1] != "0" else "1")}


def test_a_fund_is_read_in_the_block_that_was_seen(field: Field) -> None:
    chain = FundReader(connect(field.url, chain_id=1), field.book)
    head = chain.head()
    state, market = chain.read(head)
    assert (state.block, state.time) == (head.number, head.time)
    field.to_determination()
    assert chain.read(head) == (state, market) == chain.read(head.number)
    due = chain.head()
    assert chain.read(due)[0].action is Action.DETERMINE
    # With another transaction in it, as an empty block of the same second would be the same block.
    account = ape.accounts.test_accounts[5].address
    field.rpc.request("anvil_reorg", 1, [[{"from": account, "to": account, "value": "0x1"}, 0]])
    with pytest.raises(ChainError, match=f"fund in block {due.number}"):
        chain.read(due)
    assert chain.read(chain.head())[0].block == due.number


def test_an_answer_that_is_none_of_the_lens_is_a_chain_error(field: Field) -> None:
    with endpoint(field.url) as first:
        chain = FundReader(connect(first.url, chain_id=1), field.book)
        head = chain.head()
        for result in ("0x", "0x1234", "0x" + "ff" * 64):
            first.change = in_place_of("eth_call", result)
            with pytest.raises(ChainError, match="fundAndPools"):
                chain.read(head)
        first.change = in_place_of("eth_chainId", "0x5")
        with pytest.raises(ChainError, match="wrong chain"):
            chain.head()


def test_the_keeper_checks_the_chain_even_where_the_pool_does_not(field: Field) -> None:
    with endpoint(field.url) as first:
        chain = FundReader(connect(first.url), field.book)
        chain.head()
        first.change = in_place_of("eth_chainId", "0x5")
        with pytest.raises(ChainError, match="on chain 5, expected 1"):
            chain.head()
