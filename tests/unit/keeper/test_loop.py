"""The loop goes on after errors that nobody foresaw, and tells people of them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr
from web3 import Web3

from ballast.book import Book
from keeper.look.fund_reader import Head
from keeper.loop import Fund, Keeper
from keeper.ops.liveness import Stop
from keeper.ops.metrics import Metrics
from keeper.ops.notifier import Notifier, sender_to, services_of
from keeper.ops.server import Server
from keeper.ops.troubles import Troubles
from keeper.ops.watch import AlertThread, Watch
from keeper.plan.standby import Turn
from keeper.sending.simulate import Call
from keeper.view import View
from tests.helpers.receiver import receiver
from tests.helpers.waiting import PATIENCE_S, wait_for
from tests.unit.keeper.ops.facts import BOOK, BOUNDS, view_of
from tests.unit.keeper.simulated import Simulated

ADDRESS = Web3.to_checksum_address("0x" + "ab" * 20)


class FakeChain:
    """As much of one as a fund asks for before it looks."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.w3 = Web3()


class Played(Fund):
    """A fund whose looks are played: `before` each one is what the test does."""

    def __init__(self, name: str, view: View, before: Callable[[], None]) -> None:
        chain: Any = FakeChain(replace(BOOK, fund=name, contracts={"rebalancer": ADDRESS}))
        super().__init__(chain, None, None, Turn(0, 1))  # type: ignore[arg-type]
        self._view = view
        self._before = before
        self.looks = 0

    def look(self, head: Head) -> tuple[View, Call | None]:
        del head
        self.looks += 1
        self._before()
        return self._view, None


class Idle:
    """A sender with nothing open."""

    unresolved = False

    def watch(self, head: Head) -> bool:
        del head
        return False


@pytest.fixture
def heads(april: Simulated) -> Callable[[], Head]:
    """A new block at each question."""
    first = view_of(april).head
    numbers: Iterator[int] = iter(range(first.number, 10**9))

    def head() -> Head:
        number = next(numbers)
        return replace(first, number=number, hash=hex(number))

    return head


def nothing() -> None:
    """Done before a look."""


def keeper_of(
    funds: list[Played], head: Callable[[], Head], stop: Stop, *, poll_seconds: float = 0.001, **more: Any
) -> Keeper:
    return Keeper(funds, head, Idle(), stop, poll_seconds=poll_seconds, **more)  # type: ignore[arg-type]


def test_one_funds_defect_is_its_own(
    april: Simulated, heads: Callable[[], Head], capfd: pytest.CaptureFixture[str]
) -> None:
    def odd() -> None:
        raise KeyError("result")

    one, other = Played("one", view_of(april), odd), Played("other", view_of(april), nothing)
    # Long enough that the pause after a failure does not end before the second tick, however slow the machine.
    keeper = keeper_of([one, other], heads, Stop(), poll_seconds=600)
    first = keeper.tick()
    assert [pulse.state for pulse in first] == ["error", "idle"]
    assert first[0].error is not None and first[0].error.startswith("unforeseen KeyError in ")
    said = "".join(capfd.readouterr())
    assert "Traceback" in said and 'raise KeyError("result")' in said and "where=one" in said
    # Left alone for a while, as after every failure; the other is looked at.
    assert one.not_before > 0 and [pulse.state for pulse in keeper.tick()] == ["idle"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_who_wants_to_end_it_can(april: Simulated, heads: Callable[[], Head], error: type[BaseException]) -> None:
    def end() -> None:
        raise error

    with pytest.raises(error):
        keeper_of([Played("fund", view_of(april), end)], heads, Stop()).run()


def test_a_defect_in_what_concerns_all_is_tried_again(
    april: Simulated, heads: Callable[[], Head], capfd: pytest.CaptureFixture[str]
) -> None:
    stop, failed = Stop(), 0
    fund = Played("fund", view_of(april), stop.set)

    def head() -> Head:
        nonlocal failed
        if failed < 5:
            failed += 1
            raise TypeError("'NoneType' object is not subscriptable")
        return heads()

    keeper_of([fund], head, stop).run()
    assert (fund.looks, stop.heart.tick_s() is not None) == (1, True)
    said = "".join(capfd.readouterr())
    assert said.count("Traceback") == 1 and said.count("unforeseen error again") == 2
    assert "step failed" not in said


def test_while_a_transaction_is_open_too(april: Simulated, heads: Callable[[], Head]) -> None:
    def odd() -> None:
        raise KeyError("result")

    stop, troubles = Stop(), Troubles()
    fund, other = Played("one", view_of(april), odd), Played("other", view_of(april), nothing)
    keeper_of([fund, other], heads, stop, troubles=troubles)
    stop.meanwhile()
    assert [defect.where for defect in troubles.defects] == ["one"] and other.looks == 1


def test_people_hear_of_a_defect_and_the_next_tick_works(
    april: Simulated, heads: Callable[[], Head], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    stop, troubles, told = Stop(), Troubles(), threading.Event()

    def odd_until_told() -> None:
        if not told.is_set():
            raise IndexError("list index out of range")

    fund = Played("fund", view_of(april), odd_until_told)
    watch = Watch([BOOK], stop, endpoints=tuple, troubles=troubles)
    metrics = Metrics(watch.facts)
    with receiver() as service:
        send = sender_to(services_of(SecretStr(service.url)))
        notifier = Notifier(tmp_path / "alerts.json", 3_600, send, metrics.alert_sent)
        with (
            Server("127.0.0.1", 0, {"/metrics": metrics.response}) as server,
            AlertThread(watch.facts, BOUNDS, notifier, interval_s=0.01),
        ):
            keeper = keeper_of([fund], heads, stop, observers=(watch, metrics), troubles=troubles)
            thread = threading.Thread(target=keeper.run, daemon=True)
            thread.start()
            wait_for(lambda: service.titles() == ["Ballast: unforeseen_error"], "an alert")
            told.set()
            wait_for(lambda: watch.facts().funds[0].view is not None, "a look that works")
            shown = requests.get(f"http://127.0.0.1:{server.port}/metrics", timeout=PATIENCE_S).text
            stop.set()
            thread.join(PATIENCE_S)
    count = re.search(r'ballast_unforeseen_errors_total\{error="IndexError",where="fund"\} (\S+)', shown)
    assert count is not None and float(count[1]) >= 1
    assert 'ballast_steps_total{action="none",fund="fund",result="UnforeseenError"}' in shown
    assert service.got[0][1].startswith("fund: IndexError in ") and "The log has the trace" in service.got[0][1]
    assert 'raise IndexError("list index out of range")' in "".join(capfd.readouterr())
