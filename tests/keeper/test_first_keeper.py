"""The README's way from an empty folder to a running keeper: its last commands, on the fund that `make fund` makes."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import ape
import pytest
from rich.console import Console
from web3 import Web3

from ballast.build import ROOT
from ballast.fund_file import load_fund
from keeper.sending.journal import read_journal
from lab.localnet.anvil import dies_with_parent, stop
from lab.localnet.month_file import load_month
from lab.localnet.rpc import HttpRpc
from lab.localnet.world import World
from lab.replay.local_fund import MARK, OtherSettingsError, next_time, stand
from lab.testbed.forked import ForkedChain
from tests.keeper.deployed_fund import Field

SPEED = 600


def five_commands() -> list[str]:
    """As the README gives them."""
    found = re.search(r"<!-- five commands -->\n```\n(.*?)\n```", (ROOT / "README.md").read_text(), re.S)
    assert found is not None
    return found[1].splitlines()


def test_the_commands_are_at_most_five_and_there_are_such() -> None:
    commands = five_commands()
    assert len(commands) <= 5
    assert commands[0].startswith("git clone ")
    assert re.search(r"^fund: compile ", (ROOT / "Makefile").read_text(), re.M)
    assert commands[1:] == ["make fund", ". .venv/bin/activate", "python -m keeper check", "python -m keeper run"]
    shown = (ROOT / "docs" / "first-keeper.md").read_text()
    for command in commands[1:]:
        assert f"$ {command}\n" in shown


def test_they_work(module_isolation: None, world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accounts, provider = ape.accounts.test_accounts, ape.networks.active_provider
    assert provider is not None
    month = load_month(os.environ["BALLAST_MONTH"])
    on = ForkedChain(ape.project, accounts, provider, HttpRpc(str(provider.http_uri)), world, month, tmp_path)
    env_file, book = tmp_path / ".env", tmp_path / "deployments" / "book.json"
    fund = book.with_suffix(".yaml")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("BALLAST_")}
    environment["PYTHONPATH"] = str(ROOT)
    checked: list[subprocess.CompletedProcess[str]] = []
    running: list[subprocess.Popen[bytes]] = []
    check, run = ([sys.executable, *shlex.split(command)[1:]] for command in five_commands()[3:])

    def pause(_seconds: float) -> None:
        """What the user does in the other terminal while time passes."""
        if not checked:
            assert env_file.stat().st_mode & 0o777 == 0o600
            assert load_fund(fund).slug == world.month.lower()
            done = subprocess.run(
                check, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, check=False
            )
            checked.append(done)
            log = (tmp_path / "keeper.log").open("wb")
            running.append(
                subprocess.Popen(
                    run,
                    cwd=tmp_path,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    preexec_fn=dies_with_parent(),  # noqa: PLW1509 (it must run in the child)
                )
            )
        assert running[0].poll() is None, (tmp_path / "keeper.log").read_text()
        if len(mined(tmp_path)) >= 4:
            raise KeyboardInterrupt

    os.chdir(tmp_path)  # the settings name the journal from here
    try:
        stand(on, Console(width=200), env_file, book, SPEED, pause)
    finally:
        os.chdir(ROOT)
        for process in running:
            stop(process)
    assert checked[0].returncode == 0, checked[0].stdout
    assert "the keeper can be started" in checked[0].stdout
    assert mined(tmp_path)[:4] == ["determine", "start", "trade", "trade"]
    said = capsys.readouterr().out
    assert "time waits for your keeper" in said and "trade (due)" in said
    assert not env_file.exists() and not book.exists() and not fund.exists()


def mined(folder: Path) -> list[str]:
    """The actions that the keeper has brought on the chain."""
    entries = read_journal(folder / "keeper.sqlite", 1)
    return [entry.action for entry in entries if entry.mined_block is not None]


def test_settings_of_others_are_left_alone(field: Field, world: World, w3: Web3, tmp_path: Path) -> None:
    accounts, provider = ape.accounts.test_accounts, ape.networks.active_provider
    month = load_month(os.environ["BALLAST_MONTH"])
    on = ForkedChain(ape.project, accounts, provider, HttpRpc(field.url), world, month, tmp_path)
    file = tmp_path / ".env"
    file.write_text("BALLAST_PRIVATE_KEY=mine\n")
    before = w3.eth.block_number
    with pytest.raises(OtherSettingsError, match="holds other settings"):
        stand(on, Console(), file, tmp_path / "book.json", SPEED)
    assert file.read_text() == "BALLAST_PRIVATE_KEY=mine\n"
    assert w3.eth.block_number == before
    assert not MARK.startswith("BALLAST")


def test_time_waits_for_what_is_due_and_jumps_where_nothing_is(field: Field) -> None:
    field.to_determination()
    due = field.state()
    assert next_time(due, SPEED) == due.time + 12
    with_keeper = ape.project.Rebalancer.at(field.book["rebalancer"])
    with_keeper.determine(sender=ape.accounts.test_accounts[5])
    waiting = field.state()
    assert next_time(waiting, SPEED) == waiting.next > waiting.time + 86_400
    field.to_execution()
    with_keeper.start(sender=ape.accounts.test_accounts[5])
    trading = field.state()
    assert next_time(trading, SPEED) == trading.time + SPEED
