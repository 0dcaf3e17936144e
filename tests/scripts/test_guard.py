"""The guardian's commands: what they show, what they send and read back, and what they refuse."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ape
import pytest
import yaml
from web3 import Web3

from ballast.abi import call_data
from ballast.build import ROOT
from ballast.rule.arithmetic import period_start
from ballast.units import DAY_S, HOUR_S
from keeper.output.condition import UNTIL_ENDED
from keeper.output.tables import when
from keeper.state import Phase
from lab.localnet.rpc import send
from lab.localnet.session import NETWORK
from lab.localnet.world import World
from lab.testbed.funding import as_yaml
from scripts import guard
from tests.helpers.waiting import PATIENCE_S, wait_for
from tests.keeper.deployed_fund import PERIOD, Field, deployed
from tests.scripts.conftest import Invoke, Ran, Run
from tests.scripts.test_scripts import refused

GUARDIAN = "TEST::0"
"""Ape's name of the account that has deployed the fund and is its guardian."""


@dataclass
class Night:
    """A fund, its guardian, and the commands on it."""

    field: Field
    fund: Path
    call: Invoke
    capsys: pytest.CaptureFixture[str]

    @property
    def account(self) -> Any:
        return ape.accounts.test_accounts[0]

    def __call__(self, command: Any, **given: Any) -> Ran:
        here: dict[str, Any] = {
            "provider": ape.networks.active_provider,
            "fund": self.fund,
            "book_file": self.field.book_path,
        }
        usual = {"account": self.account, "safe": None, "dry": False, "yes": True}
        here |= {option.name: usual[option.name] for option in command.params if option.name in usual}
        self.capsys.readouterr()
        ran = self.call(command, **{**here, **given})
        return Ran(ran.code, self.capsys.readouterr().out, ran.errors)

    def done(self, command: Any, **given: Any) -> str:
        """What a command shows that does what it should."""
        ran = self(command, **given)
        assert ran.code == 0, ran.errors
        return ran.out

    def refuses(self, command: Any, *words: str, **given: Any) -> None:
        """The command says so in one line and sends nothing."""
        nonce = self.account.nonce
        refused(self(command, **given), *words)
        assert self.account.nonce == nonce

    def token(self, symbol: str) -> str:
        return next(c.token for c in self.field.book.candidates if c.symbol == symbol)

    def anyone(self, function: str) -> None:
        """A step of the month, which anyone may do."""
        rebalancer = ape.project.Rebalancer.at(self.field.book["rebalancer"])
        getattr(rebalancer, function)(sender=ape.accounts.test_accounts[5])

    def own(self, contract: str, signature: str, *args: Any) -> None:
        """Calls a contract of the fund as its owner, without the timelock's delay."""
        owner, rpc = self.field.book["timelock"], self.field.rpc
        rpc.request("anvil_impersonateAccount", owner)
        rpc.request("anvil_setBalance", owner, hex(10**20))
        send(rpc, owner, self.field.book[contract], call_data(signature, *args), gas=10_000_000)

    def determined(self) -> None:
        self.field.to_determination()
        self.anyone("determine")

    def trading(self) -> None:
        self.determined()
        self.field.to_execution()
        self.anyone("start")


@pytest.fixture(scope="module")
def field(module_isolation: None, world: World, w3: Web3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    with deployed(world, w3, tmp_path_factory.mktemp("book")) as found:
        yield found


@pytest.fixture
def night(
    field: Field,
    test_isolation: None,
    invoke: Invoke,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Night:
    monkeypatch.setenv("COLUMNS", "400")
    fund = tmp_path / "fund.yaml"
    fund.write_text(yaml.safe_dump(as_yaml(field.config), sort_keys=False), encoding="utf-8")
    return Night(field, fund, invoke, capsys)


def test_before_anything_is_determined(night: Night) -> None:
    night.field.to_determination()
    shown = night.done(guard.status)
    assert night.account.address in shown and night.field.book["timelock"] in shown
    rows = [[cell.strip() for cell in line.split("│")] for line in shown.splitlines() if "│" in line]
    now = {(row[1], row[2]): row[3] for row in rows}
    assert now["veto", "the month"] == now["end-month", "the month"] == now["unpause", "the fund"] == "no"
    assert now["pause", "the fund"] == now["suspend", "UNI"] == "possible"
    assert "3 days of pauses are left" in shown
    night.refuses(guard.veto, "veto: 2021-04 is not determined yet")
    night.refuses(guard.end_month, "end-month: no month is open")
    night.refuses(guard.unpause, "unpause: it is not paused")
    night.refuses(guard.pause, "duration: found 'soon'", "2 days", duration="soon")
    night.refuses(guard.pause, "pause: found 3 days 1 s, expected 1 s to 3 days", duration="259201")
    night.refuses(guard.pause, "found 0 s", duration="0")
    night.refuses(guard.suspend, "'DOGE'", "unknown", component="DOGE")
    night.refuses(guard.suspend, "FARM is not on the fund's list", component="FARM")
    other = ape.accounts.test_accounts[4]
    ran = night(guard.veto, account=other)
    refused(ran, f"account {other.address}: is not the guardian", night.account.address, "timelock")
    assert other.nonce == 0 and "nothing is determined yet" not in ran.out


def test_veto(night: Night, run_script: Run) -> None:
    night.determined()
    earliest = night.field.state().next
    assert f"open until somebody starts the month, which anyone may do from {when(earliest)} on" in night.done(
        guard.status
    )
    nonce = night.account.nonce
    shown = night.done(guard.veto, dry=True)
    following = period_start(PERIOD + 1, night.field.config.timetable.notice)
    for words in ("2021-04 as it was determined", "neither veto nor end 2021-05; 2021-06", when(following)):
        assert words in shown, shown
    common = [night.fund.as_posix(), "--book", str(night.field.book_path), "--account", GUARDIAN]
    # Nobody answers, so it is not sent.
    ran = run_script("guard", "veto", *common)
    assert ran.code == 1 and "Aborted" in ran.errors and "costs" in ran.out
    assert night.account.nonce == nonce and night.field.state().phase is Phase.DETERMINED
    ran = run_script("guard", "veto", *common, "--yes")
    assert ran.code == 0, ran.errors
    assert night.field.state().phase is Phase.VETOED and night.field.state().last_stop == PERIOD
    assert night.field.events("Vetoed")[-1]["args"]["by"] == night.account.address
    night.refuses(guard.veto, "veto: 2021-04 is vetoed already", when(following))

    night.field.clock.jump(following)
    night.anyone("determine")
    night.refuses(guard.veto, "the guardian stopped 2021-04", "2021-06 at the earliest", "timelock")


def test_a_file_for_a_guardian_that_is_a_multi_signature_account(night: Night, tmp_path: Path) -> None:
    night.determined()
    night.refuses(guard.veto, "account: expected either --account, or --safe with a file", account=None)
    assert "2021-04 as it was determined" in night.done(guard.veto, account=None, dry=True)
    file, nonce = tmp_path / "veto.json", night.account.nonce
    shown = night.done(guard.veto, account=None, safe=file)
    assert f"for the Transaction Builder of {night.account.address}; nothing was sent" in shown
    assert night.account.nonce == nonce and night.field.state().phase is Phase.DETERMINED
    night.refuses(guard.veto, "exists already", account=None, safe=file)
    (sent,) = json.loads(file.read_text())["transactions"]
    assert (sent["to"], sent["value"]) == (night.field.book["rebalancer"], "0")
    night.account.transfer(sent["to"], value=0, data=bytes.fromhex(sent["data"][2:]))
    assert night.field.state().phase is Phase.VETOED
    night.refuses(guard.end_month, "no month is open", account=None, safe=tmp_path / "end.json")
    assert not (tmp_path / "end.json").exists()


def test_end_month(night: Night) -> None:
    night.determined()
    night.refuses(guard.end_month, "2021-04 is determined and not started; `veto` stops that")
    night.field.to_execution()
    night.anyone("start")
    night.refuses(guard.veto, "2021-04 is open already; `end-month` ends it")
    shown = night.done(guard.end_month)
    assert "the trading of 2021-04 as it stands" in shown and "% of NAV is not sold" in shown
    assert night.field.state().phase is Phase.IDLE
    assert night.field.events("MonthEnded")[-1]["args"]["by"] == night.account.address
    night.refuses(guard.veto, "2021-04 is over", "next determination")


def test_pauses(night: Night) -> None:
    night.trading()
    shown = night.done(guard.pause, duration="6 hours")
    until = night.field.state().paused_until
    assert until == night.field.clock.now() + 6 * HOUR_S
    assert "6 hours of the 3 days" in shown and "2 days 18 hours stay" in shown
    night.refuses(guard.pause, f"it is paused until {when(until)}", "unpause", duration="1 hour")
    night.done(guard.unpause)
    state = night.field.state()
    assert state.paused_until == state.time and state.pause_left > 259_200 - 60
    # All that is left, then nothing is.
    night.done(guard.pause, duration=str(state.pause_left))
    night.field.clock.jump(night.field.state().paused_until)
    night.refuses(guard.pause, "are used up until 30 days after", "`suspend`", duration="1")
    assert "used up" in night.done(guard.status)


def test_a_pause_that_lets_the_month_be_missed_says_so(night: Night) -> None:
    night.determined()
    state = night.field.state()
    night.field.to_execution()
    deadline = night.field.state().next
    assert deadline > state.next
    night.field.clock.jump(deadline - HOUR_S)
    shown = night.done(guard.pause, duration="2 hours", dry=True)
    assert f"the month must be started by {when(deadline)}, so it is missed" in shown
    assert "so it is missed" not in night.done(guard.pause, duration="30 min", dry=True)


def test_suspend(night: Night) -> None:
    night.trading()
    uni = night.token("UNI")
    shown = night.done(guard.suspend, component="UNI")
    assert "all minting; redeeming pays it as always; the open month goes on without it" in shown
    (holding,) = [h for h in night.field.state().holdings if h.token == uni]
    assert holding.suspended_until == night.field.clock.now() + 7 * DAY_S
    assert f"suspended until {when(holding.suspended_until)[:16]}" in night.done(guard.status)
    night.refuses(guard.suspend, "UNI is suspended until", "already", "timelock", component=uni)
    begun = holding.suspended_until - 7 * DAY_S
    night.field.clock.jump(holding.suspended_until)
    night.refuses(guard.suspend, "in the last 30 days", when(begun + 30 * DAY_S), component="UNI")
    night.own("rebalancer", "suspend(address)", uni)
    night.refuses(guard.suspend, "UNI is suspended until the owner ends it already", component="UNI")
    assert [h.suspended_until for h in night.field.state().holdings if h.token == uni] == [UNTIL_ENDED]
    night.own("rebalancer", "writeOff(address)", uni)
    night.refuses(guard.suspend, "UNI is written off", component="UNI")


def test_watch_explains_a_determination(night: Night) -> None:
    ran = night(guard.watch, once=True, seconds=1.0)
    assert "nothing is determined yet" in ran.out
    night.determined()
    shown = night.done(guard.watch, once=True, seconds=1.0)
    assert "2021-04, determined" in shown and "open until somebody starts" in shown and "agrees to the wei" in shown
    night.field.to_execution()
    night.anyone("start")
    assert "closed; the next determination is possible from" in night.done(guard.watch, once=True, seconds=1.0)
    # The next month: one supply is a hundredfold, one is given, one candidate leaves.
    now = night.field.clock.now()
    night.own("posted_supply", "post((address,uint88,uint40)[])", [(night.token("UNI"), 10**11, now)])
    following = period_start(PERIOD + 1, night.field.config.timetable.notice)
    night.field.clock.jump(following - DAY_S)
    night.own("methodology", "overrideSupply(address,uint88)", night.token("MKR"), 901_683 * 11 // 10)
    night.field.clock.jump(following)
    night.anyone("close")
    night.anyone("determine")
    shown = night.done(guard.watch, once=True, seconds=1.0)
    rows = {line.split("│")[1].strip(): line for line in shown.splitlines() if "│" in line}
    assert "clamped" in rows["UNI"] and "+25.00 %" in rows["UNI"] and "posted" in rows["UNI"]
    assert "overridden" in rows["MKR"] and "+9.99 %" in rows["MKR"]
    assert "+0.00 %" in rows["AAVE"] and "clamped" not in rows["AAVE"]


@contextlib.contextmanager
def watching(night: Night, output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`guard watch` as a process, until the block ends."""
    provider: Any = ape.networks.active_provider
    common = [night.fund.as_posix(), "--book", str(night.field.book_path), "--seconds", "0.1", "--network", NETWORK]
    with output.open("wb") as file:
        process = subprocess.Popen(
            ["ape", "run", "guard", "watch", *common],
            cwd=ROOT,
            env={**os.environ, "APE_FOUNDRY_HOST": str(provider.http_uri), "COLUMNS": "300"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(PATIENCE_S)


def test_watch_follows_until_it_is_interrupted(night: Night, tmp_path: Path) -> None:
    output = tmp_path / "watch.txt"
    night.field.to_determination()
    with watching(night, output) as process:
        wait_for(lambda: "nothing is determined yet" in output.read_text(), output.read_text)
        night.anyone("determine")
        wait_for(lambda: "agrees to the wei" in output.read_text(), output.read_text)
        night.done(guard.veto)
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)
    told = output.read_text()
    assert told.count("2021-04, determined") == 1 and "Traceback" not in told
