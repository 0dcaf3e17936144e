"""How the command-line scripts end."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from ballast.cli import FundCommand, sent_line


@click.command(cls=FundCommand)
@click.argument("fund")
def command(fund: str) -> None:
    """Does nothing."""


@pytest.mark.parametrize("arguments", [[], ["fund", "--unknown"], ["fund", "more"]])
def test_wrong_options_do_not_end_as_a_command_that_found_a_change(arguments: list[str]) -> None:
    """2, click's own status for them, is that of `govern plan` for a file and a chain that differ."""
    ran = CliRunner().invoke(command, arguments)
    assert ran.exit_code == 1
    assert "Error: " in ran.output


def test_contracts_that_are_not_compiled_are_said_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ape would compile them itself, for minutes and without a word."""
    monkeypatch.setattr("ballast.cli.is_current", lambda: False)
    ran = CliRunner().invoke(command, ["fund"])
    assert ran.exit_code == 1
    assert ran.output == "Error: contracts: not compiled since they were changed; run `make compile`\n"


def test_a_compiler_that_is_not_there_is_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SOLCX_BINARY_PATH", raising=False)
    monkeypatch.setattr("ballast.cli.ROOT", tmp_path)
    ran = CliRunner().invoke(command, ["fund"])
    assert ran.exit_code == 1
    assert ran.output.startswith("Error: set-up: no compiler in ") and ran.output.endswith("run `make setup` first\n")


def test_a_transaction_is_shown_in_the_network_s_explorer() -> None:
    receipt = SimpleNamespace(txn_hash="0xab", gas_used=1_234_567)
    assert sent_line(11_155_111, receipt) == "transaction 0xab, 1,234,567 gas\nhttps://sepolia.etherscan.io/tx/0xab"
    assert sent_line(31_337, receipt) == "transaction 0xab, 1,234,567 gas"
