"""A keeper carries a fund whose periods last two hours through whole periods, one after the other, and one that is
skipped. Periods so short are for test chains: the fork is made to say that it is one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3

from ballast.book import Book
from ballast.rule import calendar
from ballast.rule.calendar import Timetable
from ballast.units import HOUR_S, WAD
from keeper.look import contracts
from keeper.state import Phase, Reason
from lab.localnet.anvil import Cheats
from lab.localnet.rpc import send
from lab.localnet.world import World
from tests.keeper.deployed_fund import Field, Running, deployed, journal_rows

CHAIN_ID = 31_337
LENGTH_S, NOTICE_S = 2 * HOUR_S, 1_800
QUICK = {"BALLAST_CHAIN_ID": str(CHAIN_ID), "BALLAST_MAX_HOURS": "0.5"}


@pytest.fixture(scope="module")
def short(module_isolation: None, world: World, w3: Web3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """A fund of months that has been given another timetable, which begins with the period of April."""
    with deployed(world, w3, tmp_path_factory.mktemp("book")) as found:
        path = found.book_path.with_name("test-chain.json")
        path.write_text(json.dumps(json.loads(found.book_path.read_text()) | {"chain_id": CHAIN_ID}))
        found.rpc.request("anvil_setChainId", CHAIN_ID)
        try:
            wish = (LENGTH_S, 0, 0, NOTICE_S, 720, 600, 0, 0)
            owner(found, contracts.call_data("Rebalancer", "setTimetable", wish))
            yield replace(found, book=Book.load(path), book_path=path)
        finally:
            found.rpc.request("anvil_setChainId", 1)


def owner(field: Field, data: str) -> None:
    """A call of the rebalancer by the fund's owner."""
    timelock = field.book["timelock"]
    with Cheats(field.rpc).acting_as(timelock, 10**18):
        send(field.rpc, timelock, field.book["rebalancer"], data, gas=1_000_000)


def to_started(field: Field, keeper: Running) -> None:
    """From wherever the period stands through its start."""
    keeper.until(lambda: field.state().phase is Phase.DETERMINED)
    field.clock.jump(field.state().next)
    keeper.until(lambda: field.state().phase is not Phase.DETERMINED)


def explained(field: Field, folder: Path, period: str) -> dict[str, Any]:
    """What `keeper explain` says of a period."""
    done = field.command(folder, "explain", period, "--json", **QUICK)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_whole_periods(short: Field, tmp_path: Path) -> None:
    before = short.state()
    table = before.timetable
    assert (table.length, table.first) == (LENGTH_S, before.period + 1)
    assert before.name_of(before.period) == "March 2021"
    short.clock.jump(table.begins)
    with short.keeper(tmp_path, **QUICK) as keeper:
        to_started(short, keeper)
        opened = short.state()
        assert opened.phase is Phase.TRADING
        assert opened.opening.end == table.begins + LENGTH_S - 1
        keeper.until(lambda: short.state().phase is Phase.IDLE)
        done = short.state()
        assert (done.reason, done.month_period) == (Reason.DONE, table.first)
        assert done.progress.surplus <= done.limits.dust
        assert done.time <= opened.opening.end
        batches = len(short.events("Traded"))
        assert batches >= 2

        # The next one is carried the same way; what is left to do is little, and below a band nothing.
        limits = tuple(done.limits.__dict__.values())[:-1]
        owner(short, contracts.call_data("Rebalancer", "setLimits", limits, WAD // 100))
        short.clock.jump(done.next)
        to_started(short, keeper)
        keeper.look()
    skipped = short.state()
    assert (skipped.phase, skipped.reason, skipped.month_period) == (Phase.IDLE, Reason.DONE, table.first + 1)
    (event,) = short.events("Skipped")
    assert event["args"]["period"] == table.first + 1
    assert event["args"]["difference"] < event["args"]["band"] == WAD // 100
    assert len(short.events("Traded")) == batches
    actions = [row["action"] for row in journal_rows(tmp_path)]
    assert actions == ["determine", "start"] + ["trade"] * batches + ["determine", "start"]
    assert skipped.name_of(skipped.period) == "25 March 2021 02:00 UTC"

    told = explained(short, tmp_path, "2021-03-25 02:10")
    assert told["period"] == "2021-03-25 02:00"
    assert told["skipped"] == {name: str(event["args"][name]) for name in ("difference", "band")}
    first = explained(short, tmp_path, "2021-03-25")
    assert (first["period"], first["skipped"], first["agrees"]) == ("2021-03-25 00:00", None, True)


def test_the_lens_has_the_calendars_period(short: Field) -> None:
    state = short.state()
    contract = short.w3.eth.contract(
        address=Web3.to_checksum_address(short.book["lens"]), abi=contracts.abi("FundLens"), decode_tuples=True
    )
    fund = contract.functions.fund(short.book["rebalancer"]).call()
    mine = calendar.period_at(fund.time, state.timetable, state.former)
    assert tuple(fund.current) == tuple(mine.__dict__.values())
    assert isinstance(state.former, Timetable)
