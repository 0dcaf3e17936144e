"""The keeper's commands, and what it refuses: one line, exit status not 0, nothing sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from keeper.state import Phase
from localnet.anvil import free_port
from tests.keeper.field import Field, journal_rows


def test_status_and_plan_send_nothing_and_need_no_key(field: Field, tmp_path: Path) -> None:
    before = field.w3.eth.block_number
    for command in ("status", "plan"):
        shown = field.command(tmp_path, command, BALLAST_PRIVATE_KEY=None)
        assert shown.returncode == 0, shown.stderr
        assert field.book.fund in shown.stdout
        found = json.loads(field.command(tmp_path, command, "--json", BALLAST_PRIVATE_KEY=None).stdout)
        assert (found["block"], found["fund"]) == (before, field.book.fund)
    assert field.w3.eth.block_number == before
    assert not (tmp_path / "keeper.sqlite").exists()


def test_once_through_a_month_begin(field: Field, tmp_path: Path) -> None:
    def once() -> str:
        done = field.command(tmp_path, "once")
        assert done.returncode == 0, done.stderr
        return done.stdout

    field.to_determination()
    assert once().startswith("determine: 0x")
    assert field.state().phase is Phase.DETERMINED
    assert once() == "nothing sent: none (not yet); next: 2021-04-01 00:00:00 UTC\n"
    field.to_execution()
    assert once().startswith("start: 0x")
    assert once().startswith("nothing sent: trade (due); next: 2021-04-01 00:")

    plan: dict[str, Any] = json.loads(field.command(tmp_path, "plan", "--json").stdout)["plan"]
    assert plan["why"] == "bucket fills" and plan["batches"] > 5
    assert int(plan["cost_usd"]) == int(plan["fees_usd"]) + int(plan["impact_usd"])
    field.clock.step(plan["possible_from"])
    assert once().startswith("trade: 0x")
    # What came is what was planned, to the wei: nothing else moved the pools.
    result = field.events("Traded")[-1]["args"]["result"]
    batch = plan["batch"]
    assert result["sold"] == [int(leg["amount"]) for leg in batch["sells"]]
    assert result["valueOut"] == int(batch["value_out_usd"])
    assert abs(result["valueIn"] - int(batch["value_in_usd"])) * 10**9 < result["valueIn"]
    assert [row["action"] for row in journal_rows(tmp_path)] == ["determine", "start", "trade"]


def refused(field: Field, folder: Path, command: str, **changes: str | None) -> str:
    """The one line of a refusal."""
    before = field.w3.eth.block_number
    done = field.command(folder, command, **changes)
    assert done.returncode != 0
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("keeper: ")
    assert done.stdout == ""
    assert field.w3.eth.block_number == before
    return lines[0].removeprefix("keeper: ")


def changed_book(field: Field, folder: Path, **changes: Any) -> str:
    raw = json.loads(field.book_path.read_text())
    raw["contracts"] |= changes.pop("contracts", {})
    path = folder / "changed.json"
    path.write_text(json.dumps({**raw, **changes}))
    return str(path)


@pytest.mark.parametrize("command", ["status", "plan", "once", "run"])
def test_unreachable_node(field: Field, tmp_path: Path, command: str) -> None:
    url = f"http://127.0.0.1:{free_port()}/secret-path"
    line = refused(field, tmp_path, command, BALLAST_RPC_URL=url)
    assert line.startswith("BALLAST_RPC_URL: the node does not answer")
    assert "secret-path" not in line


def test_wrong_chain(field: Field, tmp_path: Path) -> None:
    assert refused(field, tmp_path, "run", BALLAST_CHAIN_ID="5").startswith(
        "BALLAST_CHAIN_ID: is 5, the node is on chain 1"
    )
    book = changed_book(field, tmp_path, chain_id=11155111)
    line = refused(field, tmp_path, "once", BALLAST_BOOK=book, BALLAST_CHAIN_ID=None)
    assert line.startswith("BALLAST_RPC_URL: the node is on chain 1")
    assert "11155111" in line


def test_wrong_books(field: Field, tmp_path: Path) -> None:
    assert "no such file" in refused(field, tmp_path, "status", BALLAST_BOOK=str(tmp_path / "none.json"))
    book = changed_book(field, tmp_path, contracts={"lens": "0x000000000000000000000000000000000000dEaD"})
    line = refused(field, tmp_path, "status", BALLAST_BOOK=book)
    assert line.startswith("BALLAST_BOOK: lens is 0x000000000000000000000000000000000000dEaD, where chain 1 has no")


def test_no_key(field: Field, tmp_path: Path) -> None:
    for command in ("once", "run"):
        assert refused(field, tmp_path, command, BALLAST_PRIVATE_KEY=None).startswith("BALLAST_PRIVATE_KEY: not set")
    key = "0x" + "12" * 31
    line = refused(field, tmp_path, "once", BALLAST_PRIVATE_KEY=key)
    assert line.startswith("BALLAST_PRIVATE_KEY: not a private key")
    assert key not in line


def test_account_without_funds(field: Field, tmp_path: Path) -> None:
    key = "0x" + "77" * 32
    address = Account.from_key(key).address
    for command in ("once", "run"):
        line = refused(field, tmp_path, command, BALLAST_PRIVATE_KEY=key)
        assert line.startswith(f"account {address}: has no ether")


def test_account_with_too_little(field: Field, tmp_path: Path) -> None:
    key = "0x" + "78" * 32
    field.to_determination()
    field.rpc.request("anvil_setBalance", Account.from_key(key).address, hex(10**12))
    before = field.w3.eth.block_number
    done = field.command(tmp_path, "once", BALLAST_PRIVATE_KEY=key)
    assert done.returncode == 1
    assert "has 1000000000000 wei, the transaction may cost up to" in done.stderr.strip().splitlines()[-1]
    assert field.w3.eth.block_number == before
    assert journal_rows(tmp_path) == []


def test_dear_gas_is_waited_for(field: Field, tmp_path: Path) -> None:
    field.to_determination()
    done = field.command(tmp_path, "once", BALLAST_MAX_FEE_GWEI="1")
    assert done.returncode == 0
    assert "BALLAST_MAX_FEE_GWEI: 1.00 gwei, the chain asks for" in done.stdout
    assert journal_rows(tmp_path) == []
