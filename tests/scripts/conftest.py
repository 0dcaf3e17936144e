"""The scripts as their users run them: `ape run ...` in a process of its own, on the fork that the tests stand on."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ape
import click
import pytest
import yaml
from eth_utils import to_checksum_address
from web3 import Web3

from ballast.build import ROOT
from ballast.cli import one_line
from ballast.deployment.deploy import deploy_fund
from ballast.fund_file import FundConfig
from ballast.values import DEPLOYER
from lab.localnet.market import Market
from lab.localnet.month_file import Month
from lab.localnet.session import NETWORK
from lab.localnet.world import World
from lab.testbed.funding import deal_seed, month_config
from tests.helpers.waiting import PATIENCE_S
from tests.scripts.steered import Steered

SHARES = 100 * 10**18
SECOND_PROPOSER = "0x" + "5e" * 20
DEPLOYER_ACCOUNT = "TEST::3"
"""Ape's name of the account that these tests deploy from."""


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    errors: str

    @property
    def error_lines(self) -> list[str]:
        """What it wrote to standard error, without blank lines and Ape's own notes."""
        lines = [line.strip() for line in self.errors.splitlines()]
        return [line for line in lines if line and not line.startswith(("INFO", "WARNING", "SUCCESS"))]


Run = Callable[..., Ran]


@pytest.fixture(scope="session")
def run_script() -> Run:
    """Runs `ape run <script> ...` on this very fork; `network` and the environment may be replaced."""
    provider: Any = ape.networks.active_provider

    def run(script: str, *arguments: str, network: str = NETWORK, **environment: str) -> Ran:
        process = subprocess.run(
            ["ape", "run", script, *arguments, "--network", network],
            cwd=ROOT,
            env={**os.environ, "APE_FOUNDRY_HOST": str(provider.http_uri), "COLUMNS": "200", **environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return Ran(process.returncode, process.stdout, process.stderr)

    return run


@pytest.fixture(scope="session")
def config(world: World, month: Month) -> FundConfig:
    """The month's fund with a small seed."""
    found = month_config(month, world, seed_shares=SHARES, streaming_fee=95 * 10**14)
    # As a real one has it: none alone, so that nothing needs --unsafe.
    roles = found.roles.model_copy(update={"proposers": (DEPLOYER, to_checksum_address(SECOND_PROPOSER))})
    return found.model_copy(update={"roles": roles})


WriteFund = Callable[[dict[str, Any]], Path]


@pytest.fixture
def write_fund(tmp_path: Path) -> WriteFund:
    """Writes a fund's YAML file."""

    def write(raw: dict[str, Any]) -> Path:
        path = tmp_path / "fund.yaml"
        path.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
        return path

    return write


Invoke = Callable[..., Ran]


@pytest.fixture(scope="session")
def invoke() -> Invoke:
    """Calls a command's function inside this process, on the chain that it is connected to, with its errors made one
    line as the command does: as good as a process for what is refused, and quick."""

    def call(command: Any, **arguments: Any) -> Ran:
        try:
            with one_line():
                command.callback(**arguments)
        except click.exceptions.Exit as end:
            return Ran(end.exit_code, "", "")
        except click.ClickException as error:
            return Ran(error.exit_code, "", f"Error: {error.format_message()}\n")
        return Ran(0, "", "")

    return call


def deployed_into(folder: Path, config: FundConfig, market: Market) -> Path:
    """Deploys the fund; its address book, with the journal beside it."""
    account, path = ape.accounts.test_accounts[3], folder / "book.json"
    market.post_feeds()
    deal_seed(account, config)
    deploy_fund(ape.project, account, config, book_path=path)
    return path


@pytest.fixture(scope="module")
def deployed_book(config: FundConfig, world: World, w3: Web3, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The address book of the month's fund, deployed once for all of a file's tests."""
    return deployed_into(tmp_path_factory.mktemp("deployed"), config, Market(w3, world))


@pytest.fixture
def book_file(deployed_book: Path, tmp_path: Path) -> Path:
    """A copy of that book, and of its journal, for one test."""
    shutil.copytree(deployed_book.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / deployed_book.name


SteeredWith = Callable[[FundConfig, Path], Steered]


@pytest.fixture
def steered_with(
    invoke: Invoke,
    write_fund: WriteFund,
    market: Market,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> SteeredWith:
    """Steers a deployed fund with `govern`, by its address book."""
    monkeypatch.setenv("COLUMNS", "200")

    def steer(config: FundConfig, book_file: Path) -> Steered:
        return Steered(invoke, write_fund, config, market, book_file, lambda: capsys.readouterr().out)

    return steer


@pytest.fixture
def steered(steered_with: SteeredWith, config: FundConfig, book_file: Path) -> Steered:
    """The month's fund."""
    return steered_with(config, book_file)
