"""Told in time: a determination, the guardian's acts, and what the timelock, feeds and supplies will bring."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import ape
import pytest
from web3 import Web3

from ballast.abi import call_data
from ballast.rule.arithmetic import period_start
from ballast.units import DAY_S, WAD
from keeper.check.codes import kind_of
from keeper.look import contracts
from keeper.look.outlook import EVERY_S, OutlookReader
from keeper.look.retry import Head
from keeper.look.rpc import single
from keeper.output.tables import when
from keeper.state import Phase
from lab.bench.counting import counting
from tests.helpers.receiver import Receiver, receiver
from tests.helpers.waiting import wait_for
from tests.keeper.deployed_fund import PERIOD, Field, Running
from tests.keeper.test_ops import ask

WATCHED = {"BALLAST_HTTP_PORT": "0", "BALLAST_LOG": "json"}
NOTHING = bytes(32)


@pytest.fixture
def guardian(field: Field) -> Callable[..., None]:
    """Sends one of the guardian's calls."""
    rebalancer = ape.project.Rebalancer.at(field.book["rebalancer"])

    def call(function: str, *args: Any) -> None:
        getattr(rebalancer, function)(*args, sender=ape.accounts.test_accounts[0])

    return call


class Owner:
    """The fund's timelock, and the one that proposes to it."""

    def __init__(self, field: Field) -> None:
        self.timelock = ape.project.Timelock.at(field.book["timelock"])
        self.proposer = ape.accounts.test_accounts[0]
        self.delay = int(self.timelock.getMinDelay())

    def schedule(self, *calls: tuple[str, str], salt: int = 0) -> str:
        """Schedules calls (contract, calldata) as one batch; the operation's id."""
        lists = self._lists(calls)
        self.timelock.scheduleBatch(*lists, NOTHING, salt.to_bytes(32, "big"), self.delay, sender=self.proposer)
        return "0x" + bytes(self.timelock.hashOperationBatch(*lists, NOTHING, salt.to_bytes(32, "big"))).hex()

    def execute(self, *calls: tuple[str, str], salt: int = 0) -> None:
        stranger = ape.accounts.test_accounts[7]
        self.timelock.executeBatch(*self._lists(calls), NOTHING, salt.to_bytes(32, "big"), sender=stranger)

    def cancel(self, operation: str) -> None:
        self.timelock.cancel(bytes.fromhex(operation[2:]), sender=self.proposer)

    @staticmethod
    def _lists(calls: tuple[tuple[str, str], ...]) -> tuple[list[str], list[int], list[bytes]]:
        return [to for to, _ in calls], [0] * len(calls), [bytes.fromhex(data[2:]) for _, data in calls]


@pytest.fixture
def owner(field: Field) -> Owner:
    return Owner(field)


def token(field: Field, symbol: str) -> str:
    return next(c.token for c in field.book.candidates if c.symbol == symbol)


def reader(field: Field) -> Callable[[], Any]:
    """Looks at the latest block as a keeper does, at once."""
    found = OutlookReader(field.w3, field.book, kind_of)
    return lambda: found.outlook(head_of(field), field.state())


def head_of(field: Field) -> Head:
    return field.chain.head()


def alert(service: Receiver, kind: str) -> str:
    """The text of the first alert of this kind, which comes."""
    wait_for(lambda: f"Ballast: {kind}" in service.titles(), lambda: f"{kind}: {service.titles()}")
    texts = [text for title, text in service.got if title == f"Ballast: {kind}"]
    return texts[0]


def later(keeper: Running, seconds: int = EVERY_S) -> None:
    """Time passes until what may be coming is read again, and the keeper has looked."""
    clock = keeper.field.clock
    clock.jump(clock.now() + seconds)
    keeper.look()


def pending(keeper: Running) -> list[dict[str, Any]] | None:
    """What the status page says of the timelock."""
    data = ask(keeper, "/state.json").json()["funds"][0]["data"]
    return None if data is None else data["pending"]


def test_a_determination_and_the_guardian_s_acts(field: Field, guardian: Callable[..., None], tmp_path: Path) -> None:
    with receiver() as service, field.keeper(tmp_path, BALLAST_ALERT_URLS=service.url, **WATCHED) as keeper:
        keeper.to_determined()
        text = alert(service, "month_determined")
        assert text.startswith(
            f"{field.book.fund}: 2021-04 is determined: comes in: FARM (0.60 %), CREAM (0.35 %); UNI "
        )
        assert "UNI 33.22 % to 25.00 %" in text
        assert (
            f"A veto is possible until somebody starts the month, which anyone may do from {when(field.state().next)}"
            in text
        )
        guardian("pauseFor", 7_200)
        text = alert(service, "fund_paused")
        assert when(field.state().paused_until) in text and "2 days 22 hours of its pauses are left" in text
        guardian("unpause")
        guardian("veto")
        text = alert(service, "month_vetoed")
        by = ape.accounts.test_accounts[0].address
        assert f"2021-04 is vetoed by {by}: nothing is traded until the next determination" in text
        guardian("suspend", token(field, "UNI"))
        assert "UNI is suspended until" in alert(service, "component_suspended")
        assert keeper.lines("the pause is ended") and keeper.lines(f"vetoed by {by}: nothing is traded this month")
        # Each once: an event is not told again, and a determination that is vetoed is none any more.
        assert service.titles().count("Ballast: month_determined") == 1


def test_operations_of_the_timelock(field: Field, owner: Owner, tmp_path: Path) -> None:
    limits = field.config.limits.model_copy(update={"last_tolerance": WAD // 20})
    looser = (field.book["rebalancer"], contracts.call_data("Rebalancer", "setLimits", limits.as_tuple(), limits.band))
    stranger = ape.accounts.test_accounts[8].address
    role = Web3.keccak(text="PROPOSER_ROLE")
    captured = (field.book["timelock"], call_data("grantRole(bytes32,address)", role, stranger))
    with receiver() as service, field.keeper(tmp_path, BALLAST_ALERT_URLS=service.url, **WATCHED) as keeper:
        keeper.look()
        wait_for(lambda: pending(keeper) == [], "a page that knows")
        first, second = owner.schedule(looser), owner.schedule(captured, salt=1)
        first_ready, ready = (int(owner.timelock.getTimestamp(key)) for key in (first, second))
        later(keeper)
        wait_for(lambda: service.titles().count("Ballast: operation_scheduled") == 2, lambda: str(service.titles()))
        texts = [text for title, text in service.got if title == "Ballast: operation_scheduled"]
        (text,) = [text for text in texts if first in text]
        assert f"scheduled by {owner.proposer.address}, to be executed from {when(first_ready)}" in text
        assert "last_tolerance 4 % -> 5 %" in text and "WARNING: limits looser: last_tolerance" in text
        (text,) = [text for text in texts if second in text]
        assert f"WARNING: role granted: {stranger} may schedule whatever the owner can do" in text
        wait_for(lambda: len(pending(keeper) or []) == 2, "a page that knows both")
        rows = pending(keeper) or []
        assert [(one["id"], one["state"], one["from"]) for one in rows] == [
            (first, "pending", first_ready),
            (second, "pending", ready),
        ]
        assert rows[1]["warnings"] and rows[1]["by"] == owner.proposer.address
        owner.cancel(second)
        later(keeper, owner.delay)
        assert second in alert(service, "operation_cancelled")
        assert first in alert(service, "operation_ready")
        assert "changes limits or prices from" in alert(service, "change_coming")
        owner.execute(looser)
        later(keeper)
        text = alert(service, "operation_executed")
        assert first in text and "last_tolerance 4 % -> 5 %" in text, "what it did, not what is in force since"
        assert field.state().limits.last_tolerance == WAD // 20
        wait_for(lambda: pending(keeper) == [], lambda: str(pending(keeper)))


def test_a_stranger_s_methodology_and_a_feed_that_lies_are_named(field: Field, owner: Owner) -> None:
    look = reader(field)
    before = look()
    assert before.operations == ()
    account = ape.accounts.test_accounts[6]
    feed = account.deploy(ape.project.ReferenceFeed)
    feed.init("lies by four percent", 8, sender=account)
    uni = next(h for h in field.state().holdings if h.token == token(field, "UNI"))
    feed.post(uni.price * 104 // 100 // 10**10, field.clock.now(), sender=account)
    lying = call_data(
        "setFeed((address,address,uint32,uint8,uint128,uint128,uint128))",
        (uni.token, feed.address, 3_600, 0, 0, 0, 0),
    )
    owner.schedule(
        (field.book["oracle"], lying),
        (field.book["rebalancer"], call_data("setMethodology(address)", feed.address)),
    )
    field.clock.jump(field.clock.now() + EVERY_S)
    (announced,) = look().operations
    said = announced.words
    assert f"feed of UNI replaced: {feed.address}" in said
    assert re.search(r"(3\.99|4\.00) % from the price in force", said)
    assert f"{feed.address} has none of this project's code" in said


def test_feeds_and_supplies_that_run_out(field: Field, tmp_path: Path) -> None:
    """The local feeds count for two hours, posted supplies for as long as the fund's rule says."""
    look, rule = reader(field), field.config.methodology
    found = look()
    now = field.clock.now()
    assert {one.max_age for one in found.answers} == {7_200} and {one.until for one in found.posted} == {
        found.posted[0].date + rule.max_supply_age
    }
    assert len(found.answers) == len(field.book.candidates) == len(found.posted)
    with receiver() as service, field.keeper(tmp_path, BALLAST_ALERT_URLS=service.url, **WATCHED) as keeper:
        keeper.look()
        # One feed answers no more.
        field.clock.pass_to(now + 3_000)
        others = [c.token for c in field.book.candidates if c.symbol != "UNI"]
        field.clock._market.post_feeds(others)
        field.clock.pass_to(now + 6_700)
        keeper.look()
        text = alert(service, "feed_aging")
        assert text.startswith(f"{field.book.fund}: the feed of UNI (") and "there is no price from" in text
        assert service.titles().count("Ballast: feed_aging") == 1
        # Nobody posts supplies until they are stale.
        stale = found.posted[0].until
        period = PERIOD
        while period_start(period, field.config.timetable.notice) <= stale:
            period += 1
        due = period_start(period, field.config.timetable.notice)
        field.clock.jump(due - 6 * DAY_S)
        keeper.until(lambda: field.state().reason.name in ("DONE", "TOO_LATE", "NOT_YET"))
        later(keeper)
        text = alert(service, "supplies_stale")
        assert "the posted supplies of " in text and f"at the next determination, {when(due)}" in text


def test_a_quiet_tick_stays_two_round_trips(field: Field, tmp_path: Path) -> None:
    field.to_determination()
    with field.keeper(tmp_path) as keeper:
        keeper.until(lambda: field.state().phase is Phase.DETERMINED)
    with counting(field.url) as counter:
        changes = {"BALLAST_RPC_URL": counter.url, "BALLAST_POLL_SECONDS": "0.2", **WATCHED}
        (tmp_path / "pulse.json").unlink()
        with field.keeper(tmp_path, **changes):
            # The first looks are those of the start.
            wait_for(lambda: len(counter.looks) > 12, "looks")
            asked: list[tuple[int, int]] = []
            counter.on_look = lambda looks: asked.append((looks, counter.requests))
            wait_for(lambda: len(asked) > 15, "more looks")
            counter.on_look = lambda _: None
    trips = [after - before for (_, before), (_, after) in pairwise(asked)]
    # The counter's blocks are 12 s apart: what may be coming is read once in 25 looks. One request alone is an
    # endpoint's own check.
    assert EVERY_S == 25 * 12
    assert max(sorted(trips)[:-1]) == 2 and trips.count(2) > 10


def test_a_node_that_does_not_answer_leaves_what_was_known(field: Field) -> None:
    found = OutlookReader(field.w3, field.book, kind_of)
    field.to_determination()
    ape.project.Rebalancer.at(field.book["rebalancer"]).determine(sender=ape.accounts.test_accounts[5])
    head, state = head_of(field), field.state()
    first = found.outlook(head, state)
    assert first is not None and first.determined and found.outlook(head, state) is first
    found._w3 = single("http://127.0.0.1:1")
    later_head = Head(head.number, head.hash, head.time + EVERY_S, head.base_fee)
    assert found.outlook(later_head, state) is first
    # What was determined is not told of another month.
    again = found.outlook(later_head, replace(state, month_period=state.month_period + 1))
    assert again is not None and again.determined == () and again.answers == first.answers
