"""A head's time: one that only one endpoint gives is none."""

from __future__ import annotations

from typing import Any

import pytest
from web3.types import RPCEndpoint

from ballast.units import DAY_S
from keeper.look.rpc import EndpointLimits, EndpointPool, NoEndpointError
from keeper.look.rpc.health import AHEAD_S, LOOK
from tests.helpers.waiting import PATIENCE_S
from tests.unit.keeper.look.node import HEAD, Node, Pair, block, node, pair

TIME = int(block()["timestamp"], 16)
CHECK_S = 15


def dated(at: Node, seconds: int, number: int = HEAD) -> None:
    """From now on its head is this one, with a time of so many seconds after the truth."""
    at.result("eth_getBlockByNumber", block(number) | {"timestamp": hex(TIME + 12 * (number - HEAD) + seconds)})


def head(two: Pair) -> dict[str, Any]:
    """The latest block, as a tick asks for it."""
    found: dict[str, Any] = two.pool.asked(LOOK)[1]["result"]
    return found


@pytest.mark.parametrize("number", [HEAD, HEAD + 3])
def test_a_time_of_which_the_other_knows_nothing_is_never_believed(number: int) -> None:
    with pair() as two:
        head(two)
        dated(two.first, 30 * DAY_S, number)
        assert int(head(two)["timestamp"], 16) == TIME and two.reasons() == ["head dated ahead", ""]
        two.first.says = {}
        two.now += 1
        head(two)
        assert two.reasons() == ["", ""]


def test_nor_at_the_first_look() -> None:
    with pair() as two:
        dated(two.first, 30 * DAY_S)
        assert int(head(two)["timestamp"], 16) == TIME and two.reasons() == ["head dated ahead", ""]


def test_nor_where_the_second_one_gives_it() -> None:
    with pair(check_s=CHECK_S) as two:
        head(two)
        dated(two.second, 30 * DAY_S)
        two.now += CHECK_S
        assert int(head(two)["timestamp"], 16) == TIME and two.reasons() == ["", "head dated ahead"]


def test_time_that_moves_for_both_is_believed_at_once() -> None:
    """A chain of one's own makes leaps; the other one was last looked at before."""
    with pair() as two:
        head(two)
        for each in (two.first, two.second):
            dated(each, 30 * DAY_S, HEAD + 1)
        assert int(head(two)["timestamp"], 16) == TIME + 12 + 30 * DAY_S and two.reasons() == ["", ""]


def test_a_third_one_that_has_the_time_too_supports_it() -> None:
    with node() as first, node() as second, node() as third:
        urls = [each.url for each in (first, second, third)]
        pool = EndpointPool(urls, limits=EndpointLimits(chain_id=1), check_s=10_000, timeout_s=PATIENCE_S)
        pool.asked(LOOK)
        for each in (first, third):
            dated(each, 30 * DAY_S)
        pool.asked(LOOK)
        assert pool.status()[0].reason == ""


def test_what_is_too_far_below_to_tell_contradicts_nothing() -> None:
    with pair() as two:
        head(two)
        number = HEAD + 4
        dated(two.first, 30 * DAY_S, number)
        assert int(head(two)["number"], 16) == number and two.reasons() == ["", ""]


def test_times_may_differ_a_little() -> None:
    with pair() as two:
        head(two)
        dated(two.first, AHEAD_S)
        assert int(head(two)["timestamp"], 16) == TIME + AHEAD_S
        dated(two.first, AHEAD_S + 1)
        assert int(head(two)["timestamp"], 16) == TIME


def test_this_machines_clock_tells_too_where_it_counts() -> None:
    with node() as only:

        def pool(limits: EndpointLimits) -> EndpointPool:
            return EndpointPool([only.url], limits=limits, timeout_s=PATIENCE_S, wall=lambda: TIME)

        dated(only, 60)
        assert "result" in pool(EndpointLimits(1, max_age_s=60)).make_request(RPCEndpoint("eth_chainId"), [])
        dated(only, 61)
        assert "result" in pool(EndpointLimits(1)).make_request(RPCEndpoint("eth_chainId"), [])
        with pytest.raises(NoEndpointError, match="head dated ahead"):
            pool(EndpointLimits(1, max_age_s=60)).make_request(RPCEndpoint("eth_chainId"), [])
