"""A year of a fund on the fork, steered only by commands: what they show is docs/operations/steered-year.md.

Months are determined, started and traded by a real keeper. Time jumps where it has nothing to do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from web3 import Web3

from ballast.build import ROOT
from ballast.rule.arithmetic import period_start
from ballast.rule.calendar import QUARTER
from ballast.units import DAY_S, WAD
from keeper.state import Phase, Reason
from lab.localnet.world import World
from tests.helpers.edits import set_field
from tests.keeper.deployed_fund import PERIOD
from tests.scripts.steered_year import Year, year

DOCUMENT = ROOT / "docs" / "operations" / "steered-year.md"
WRITE = "BALLAST_WRITE_TRANSCRIPT"
"""Set: the document is written instead of compared."""
APRIL, MAY, JUNE, JULY, AUGUST, SEPTEMBER, OCTOBER, NOVEMBER, DECEMBER, JANUARY, FEBRUARY, MARCH = range(
    PERIOD, PERIOD + 12
)


def april(fund: Year) -> None:
    fund.say(
        "## April 2021: nothing to change",
        "The fund holds what its file says. Nobody steers; the keeper determines and starts the month.",
    )
    fund.unchanged()
    fund.carried(APRIL)
    assert fund.state.reason is Reason.DONE


def may(fund: Year) -> None:
    fund.say(
        "## May: a candidate comes in",
        "The poster brings the supplies up to date, as in each month from here on. BAL is written into the file: feed, "
        "supply, pools.",
    )
    fund.posted(shown=True, SUSHI=99)
    fund.edit(lambda raw: raw["components"].append(fund.later))
    assert "0 lockers hold 0.00 % of " in fund.type("govern lockers FUND.yaml BAL", tail=1)
    fund.wished(
        "components (BAL).supply: 10,799,858 whole tokens (call 2)",
        "MarketCap.setCandidates: BAL comes in: source the fund's posted_supply, state active",
        "warning: first feed of BAL, which has nothing to agree with",
        "  BAL: no candidate -> 2.",
    )
    key = fund.id
    listed = fund.type("govern list FUND.yaml")
    assert f"{key} pending, ready at " in listed
    assert "is not ready before " in fund.type(f"govern execute FUND.yaml {key} --account anyone", 1)
    fund.done(key)
    fund.say("Keepers read tokens from the address book at their start, pools at their next look.")
    assert "address book: " in fund.type("govern book FUND.yaml", tail=1)
    fund.restart()
    assert fund.weight("BAL") == 0
    fund.carried(MAY)
    assert 2.3 < fund.weight("BAL") < 2.6
    fund.explained("BAL")


def june(fund: Year) -> None:
    fund.say("## June: one frozen", "KNC is held as it is: neither bought nor sold.")
    fund.posted()
    fund.edit(set_field("components", fund.component("KNC"), "state")("frozen"))
    fund.wished("components (KNC).state: active -> frozen (call 1)", " -> frozen\n")
    fund.done(fund.id)
    before = fund.balance("KNC")
    fund.carried(JUNE)
    assert fund.balance("KNC") == before
    fund.explained("KNC")


def july(fund: Year) -> None:
    fund.say("## July: one leaves", "MTA is taken out of the file.")
    fund.posted()
    fund.edit(lambda raw: raw["components"].pop(fund.component("MTA")))
    fund.wished("components (MTA): candidate -> none (call 1)", "warning: MTA will be sold, as no candidate any more")
    fund.done(fund.id)
    assert fund.weight("MTA") > 0
    fund.carried(JULY)
    assert fund.weight("MTA") < 0.001


def august(fund: Year) -> None:
    other = fund.another_feed("COMP")
    fund.say("## August: a feed is replaced", "Another feed of COMP, which agrees with the old one.")
    fund.posted()
    fund.edit(set_field("components", fund.component("COMP"), "feed", "address")(other))
    fund.wished("components (COMP).feed.address: ", "it says ", "0.00 % from the price in force", "stays the same")
    fund.done(fund.id)
    assert fund.listed("MTA")
    fund.carried(AUGUST)
    assert not fund.listed("MTA"), "the next start drops what was sold"
    assert fund.feed("COMP") == other.lower()


def september(fund: Year) -> None:
    fund.say("## September: a higher fee", "From 0.95 % a year to 1.2 %.")
    fund.posted()
    fund.edit(set_field("streaming_fee")("1.2 %"))
    fund.wished(
        "streaming_fee: 0.95 % -> 1.2 % (call 1)",
        "warning: fee raised: the holders pay 1.2 % a year, not 0.95 %",
    )
    fund.done(fund.id)
    assert fund.view("index_token", "streamingFee()", "uint256") == 12 * WAD // 1_000
    fund.carried(SEPTEMBER)


def october(fund: Year) -> None:
    fund.say(
        "## October: a supply overridden",
        "The month is determined. SUSHI's supply is known to be another: the owner overrides it before the month can "
        "start, and the start reads it again.",
    )
    fund.posted()
    fund.determined(OCTOBER)
    fund.explained("SUSHI")
    shown = fund.type("govern act FUND.yaml override SUSHI 150000000 --account proposer")
    assert "supply of SUSHI 138,051,201 -> 150,000,000 whole tokens for 10 days" in shown
    key = fund.id
    fund.pass_delay()
    fund.type(f"govern execute FUND.yaml {key} --account anyone", tail=1)
    before = fund.weight("SUSHI")
    fund.started(OCTOBER)
    fund.traded()
    fund.explained("SUSHI", "read again at")
    assert fund.weight("SUSHI") > before * 1.04
    fund.unchanged()


def november(fund: Year) -> None:
    fund.say(
        "## November: a month vetoed",
        "The poster's list has a supply of UNI that is 20 % too low, within the bound of 25 %. The guardian sees it in "
        "the determination. Through the timelock a veto could come too late; the guardian's does not.",
    )
    fund.posted(shown=True, UNI=80)
    fund.determined(NOVEMBER)
    assert "-20.00 %" in fund.explained("UNI")
    shown = fund.type("govern act FUND.yaml veto --delay '8 days' --account proposer")
    assert "too late: anyone may start the month from " in shown
    key = fund.id
    fund.type("guard veto FUND.yaml --account guardian --dry")
    fund.type("guard veto FUND.yaml --account guardian", tail=1)
    assert fund.state.phase is Phase.VETOED
    fund.type(f"govern cancel FUND.yaml {key} --account proposer", tail=1)
    held = fund.balance("UNI")
    fund.execution(NOVEMBER)
    assert fund.state.phase is Phase.VETOED and fund.balance("UNI") == held
    fund.unchanged()


def december(fund: Year) -> None:
    fund.say(
        "## December: an operation cancelled",
        "The supply of UNI is put right. A fee of 1.9 % is proposed; the owner thinks better of it.",
    )
    fund.posted(UNI=-80)
    fund.edit(set_field("streaming_fee")("1.9 %"))
    fund.wished("warning: fee raised: the holders pay 1.9 % a year, not 1.2 %")
    key = fund.id
    assert f"call 1 is scheduled already: operation {key}, ready at " in fund.type("govern plan FUND.yaml", 2, tail=2)
    assert "nothing to propose: all of it is scheduled already" in fund.type(
        "govern propose FUND.yaml --account proposer", tail=1
    )
    assert f"operation {key}: cancelled" in fund.type(f"govern cancel FUND.yaml {key} --account proposer", tail=1)
    fund.edit(set_field("streaming_fee")("1.2 %"))
    fund.pass_delay()
    assert "is cancelled since" in fund.type(f"govern execute FUND.yaml {key} --account anyone", 1)
    fund.unchanged()
    assert fund.view("index_token", "streamingFee()", "uint256") == 12 * WAD // 1_000
    fund.carried(DECEMBER)


def january(fund: Year) -> None:
    fund.say(
        "## January 2022: a month ended early",
        "AAVE's supply is 15 % lower, and the fund sells some. The guardian ends that.",
    )
    fund.posted(shown=True, AAVE=85)
    fund.determined(JANUARY)
    fund.started(JANUARY)
    assert fund.state.phase is Phase.TRADING
    fund.type("guard end-month FUND.yaml --account guardian --dry")
    fund.type("guard end-month FUND.yaml --account guardian", tail=1)
    ended = fund.state
    assert (ended.phase, ended.reason) == (Phase.IDLE, Reason.DONE)
    fund.unchanged()


def february(fund: Year) -> None:
    fund.say(
        "## February: from months to quarters",
        "The guardian may stop one of two periods, so not this one. Then the file asks for quarters, from the end of "
        "the current period on.",
    )
    fund.posted()
    fund.determined(FEBRUARY)
    refused = fund.type("guard veto FUND.yaml --account guardian --dry", 1)
    assert "the guardian stopped 2022-01 and may stop one of two periods" in refused
    fund.started(FEBRUARY)
    fund.traded()
    fund.edit(set_field("timetable", "period")("3 months"))
    fund.wished("timetable.period: 1 month -> 3 months (call 1)")
    fund.done(fund.id)
    assert fund.state.timetable.length == QUARTER


def march(fund: Year) -> None:
    fund.say(
        "## March, April and May: one period", "It is determined and started once; the next determination is in May."
    )
    fund.posted()
    fund.carried(MARCH)
    begin = period_start(MARCH + QUARTER, fund.field.config.timetable.notice)
    assert fund.state.next_determination == begin
    fund.pass_to(period_start(MARCH + 1, fund.field.config.timetable.notice) + DAY_S)
    assert (fund.state.phase, fund.state.month_period) == (Phase.IDLE, MARCH), "in April nothing is due"
    fund.posted(shown=True)
    fund.unchanged()
    fund.pass_to(begin)
    fund.keeper.until(lambda: fund.state.phase is Phase.DETERMINED)
    assert fund.state.month_period == MARCH + 1, "ids are consecutive"
    fund.explained("BAL")


MONTHS = (april, may, june, july, august, september, october, november, december, january, february, march)

HEAD = (
    "# A year, steered",
    "Twelve months of a fund on the local fork, steered only by commands; a keeper determines, starts and trades the "
    "months. This is what the commands wrote: `tests/scripts/long/test_steered_year.py` runs them, reads the chain "
    "back after each, and compares their output with this page (`BALLAST_WRITE_TRANSCRIPT=1` writes it anew).",
    "Left out are numbers of blocks, the time of the day, transactions, most digits of addresses, what the keeper "
    "had traded, and the options `--yes`, `--book` and `--network`; `...` stands for what was left out. Operations are "
    "numbered. What the commands are for: [steering](steering.md), [supplies](supplies.md), [incidents](incidents.md).",
)


@pytest.fixture
def fund(
    world: World, w3: Web3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Year]:
    monkeypatch.setenv("COLUMNS", "120")
    with year(world, w3, tmp_path, lambda: capsys.readouterr().out, "BAL") as found:
        yield found


def test_a_year(fund: Year) -> None:
    fund.say(*HEAD)
    for month in MONTHS:
        month(fund)
    text = fund.transcript.text()
    if WRITE in os.environ:
        DOCUMENT.write_text(text, encoding="utf-8")
    assert text == DOCUMENT.read_text(encoding="utf-8"), f"the commands show other than {DOCUMENT.name}: {WRITE}=1"
