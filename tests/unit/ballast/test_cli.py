"""How the command-line scripts end."""

from __future__ import annotations

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


def test_a_transaction_is_shown_in_the_network_s_explorer() -> None:
    receipt = SimpleNamespace(txn_hash="0xab", gas_used=1_234_567)
    assert sent_line(11_155_111, receipt) == "transaction 0xab, 1,234,567 gas\nhttps://sepolia.etherscan.io/tx/0xab"
    assert sent_line(31_337, receipt) == "transaction 0xab, 1,234,567 gas"
