"""The keeper's commands, and what it refuses: one line, exit status not 0, nothing sent."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from ballast.abi import call_data
from ballast.units import WAD
from ballast.values import decimal
from keeper.__main__ import main
from keeper.output.tables import amount, reason_text, usd
from keeper.state import Phase
from lab.localnet.rpc import send
from tests.helpers.receiver import TOKEN, receiver
from tests.helpers.spoiled import REVERTS
from tests.helpers.waiting import dead_port
from tests.keeper.deployed_fund import Field, journal_rows
from tests.keeper.sending import determine, journal_of, put_back, sender_of


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    returncode: int
    stdout: str
    stderr: str


class Keeper:
    """The keeper's commands in this process, in an environment of their own: a process each would take minutes."""

    def __init__(
        self, field: Field, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.field = field
        self.folder = folder
        self._patch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str, **changes: str | None) -> Ended:
        self._capsys.readouterr()
        handlers = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
        try:
            with self._patch.context() as patch:
                patch.chdir(self.folder)
                for name in [name for name in os.environ if name.startswith("BALLAST_")]:
                    patch.delenv(name)
                for name, value in self.field.environment(self.folder, **changes).items():
                    patch.setenv(name, value)
                code = main(arguments)
        finally:
            for number, handler in handlers:
                signal.signal(number, handler)
        shown = self._capsys.readouterr()
        return Ended(code, shown.out, shown.err)

    def refused(self, command: str, **changes: str | None) -> str:
        """The one line of a refusal."""
        before = self.field.w3.eth.block_number
        done = self(command, **changes)
        assert done.returncode != 0
        lines = done.stderr.strip().splitlines()
        assert len(lines) == 1, done.stderr
        assert lines[0].startswith("keeper: ")
        assert done.stdout == ""
        assert self.field.w3.eth.block_number == before
        assert not (self.folder / "keeper.sqlite").exists()
        return lines[0].removeprefix("keeper: ")


@pytest.fixture
def keeper(field: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Keeper:
    return Keeper(field, tmp_path, monkeypatch, capsys)


def test_a_refusal_ends_the_process(field: Field, tmp_path: Path) -> None:
    done = field.command(tmp_path, "run", BALLAST_PRIVATE_KEY=None)
    assert done.returncode == 2
    assert done.stderr.startswith("keeper: BALLAST_PRIVATE_KEY: not set") and done.stderr.count("\n") == 1


def test_status_and_plan_send_nothing_and_need_no_key(keeper: Keeper, field: Field, tmp_path: Path) -> None:
    before = field.w3.eth.block_number
    for command in ("status", "plan"):
        shown = keeper(command, BALLAST_PRIVATE_KEY=None)
        assert shown.returncode == 0, shown.stderr
        assert field.book.fund in shown.stdout
        found = json.loads(keeper(command, "--json", BALLAST_PRIVATE_KEY=None).stdout)
        assert (found["block"], found["fund"]) == (before, field.book.fund)
    assert field.w3.eth.block_number == before
    assert not (tmp_path / "keeper.sqlite").exists()


def test_status_says_what_a_share_is_and_what_is_due(keeper: Keeper, field: Field) -> None:
    shown, state = keeper("status"), field.state()
    found = json.loads(keeper("status", "--json").stdout)
    for text in (
        field.book["index_token"],
        f"{state.action.name.lower()} ({reason_text(state.reason)})",
        f"${usd(state.total_value)}, ${usd(state.total_value * WAD // state.supply)} a share",
        f"{amount(state.supply, WAD)} shares",
    ):
        assert text in shown.stdout, shown.stdout
    assert (found["index_token"], int(found["supply"])) == (field.book["index_token"], state.supply)
    assert int(found["share_usd"]) == state.total_value * WAD // state.supply
    for row, holding in zip(found["components"], state.holdings, strict=True):
        line = next(line for line in shown.stdout.splitlines() if line.split()[1:2] == [row["symbol"]])
        assert decimal(holding.balance * WAD // state.supply, holding.decimals) in line
        assert int(row["unit"]) == holding.balance * WAD // state.supply and row["counts"]


def test_status_says_what_counts_for_nothing_and_why(keeper: Keeper, field: Field) -> None:
    def shown() -> str:
        done = keeper("status")
        assert done.returncode == 0, done.stderr
        return done.stdout

    whole = shown()
    assert "counts for nothing" not in whole and "without" not in whole
    token = {candidate.symbol: candidate.token for candidate in field.book.candidates}
    feed = next(c.feed.address for c in field.config.components if c.symbol == "MKR")
    field.rpc.request("anvil_setCode", feed, "0x")
    field.rpc.request("anvil_setCode", token["SNX"], REVERTS)
    owner = field.book["timelock"]
    field.rpc.request("anvil_impersonateAccount", owner)
    field.rpc.request("anvil_setBalance", owner, hex(10**20))
    send(field.rpc, owner, field.book["rebalancer"], call_data("suspend(address)", token["LRC"]), gas=5_000_000)
    found = shown()
    for line in (
        "MKR counts for nothing in NAV and weights: no price",
        "LRC counts for nothing in NAV and weights: suspended until the owner ends it",
        "SNX counts for nothing in NAV and weights: balance not readable",
    ):
        assert line in found
    assert "a share, INCOMPLETE: without " in found and "not readable" in found
    rows = {row["symbol"]: row["counts"] for row in json.loads(keeper("status", "--json").stdout)["components"]}
    assert {symbol for symbol, counts in rows.items() if not counts} == {"MKR", "LRC", "SNX"}


def test_once_through_a_month_begin(keeper: Keeper, field: Field, tmp_path: Path) -> None:
    def once() -> str:
        done = keeper("once")
        assert done.returncode == 0, done.stderr
        return done.stdout

    field.to_determination()
    assert once().startswith("determine: 0x")
    assert field.state().phase is Phase.DETERMINED
    assert once() == "nothing sent: none (not yet); next: 2021-04-01 00:00:00 UTC\n"
    field.to_execution()
    assert once().startswith("start: 0x")
    assert once().startswith("nothing sent: trade (due); next: 2021-04-01 00:")

    plan: dict[str, Any] = json.loads(keeper("plan", "--json").stdout)["plan"]
    assert (plan["why"], plan["batches"]) == ("bucket fills", 5)
    assert int(plan["cost_usd"]) == int(plan["fees_usd"]) + int(plan["impact_usd"])
    field.clock.step(plan["possible_from"])
    assert once().startswith("trade: 0x")
    # What came is what was planned, to the wei: nothing else moved the pools.
    traded = field.events("Traded")[-1]
    result, batch = traded["args"]["result"], plan["batch"]
    before, after = (field.chain.read(traded["blockNumber"] - k)[0].holdings for k in (1, 0))
    sold = [was.balance - now.balance for was, now in zip(before, after, strict=True) if now.balance < was.balance]
    assert sold == [int(leg["amount"]) for leg in batch["sells"]]
    assert result["valueOut"] == int(batch["value_out_usd"])
    assert abs(result["valueIn"] - int(batch["value_in_usd"])) * 10**9 < result["valueIn"]
    assert [row["action"] for row in journal_rows(tmp_path)] == ["determine", "start", "trade"]


def test_cancel_ends_what_is_open_and_nothing_else(keeper: Keeper, field: Field, tmp_path: Path) -> None:
    field.to_determination()
    nonce = field.sent_by_keeper()
    with put_back(field):
        field.rpc.request("evm_setAutomine", False)
        with journal_of(field, tmp_path) as journal:
            assert sender_of(field, journal).send(determine(field)) is None
        # Mining by itself again would take it.
        field.rpc.request("anvil_dropTransaction", journal_rows(tmp_path)[0]["hash"])
        field.rpc.request("evm_setAutomine", True)
        done = keeper("cancel")
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"nonce {nonce}: cancelled by {journal_rows(tmp_path)[-1]['hash']}\n"
        assert [row["status"] for row in journal_rows(tmp_path)] == ["cancelled", "mined"]
        assert field.state().phase is Phase.IDLE and field.sent_by_keeper() == nonce + 1
        assert keeper("cancel").stdout == "nothing is open\n"
        # The month itself is not given up.
        assert keeper("once").stdout.startswith("determine: 0x")


def changed_book(field: Field, folder: Path, **changes: Any) -> str:
    raw = json.loads(field.book_path.read_text())
    raw["contracts"] |= changes.pop("contracts", {})
    path = folder / "changed.json"
    path.write_text(json.dumps({**raw, **changes}))
    return str(path)


@pytest.mark.parametrize("command", ["status", "plan", "once", "cancel"])
def test_unreachable_node(keeper: Keeper, field: Field, tmp_path: Path, command: str) -> None:
    with dead_port() as port:
        line = keeper.refused(command, BALLAST_RPC_URL=f"http://127.0.0.1:{port}/secret-path")
    assert line.startswith("BALLAST_RPC_URL: the node does not answer")
    assert "secret-path" not in line


def test_wrong_chain(keeper: Keeper, field: Field, tmp_path: Path) -> None:
    assert keeper.refused("once", BALLAST_CHAIN_ID="5").startswith("BALLAST_CHAIN_ID: is 5, the node is on chain 1")
    done = keeper("run", BALLAST_CHAIN_ID="5")
    first, again, last = done.stderr.splitlines()
    # Believed the third time, and then it ends.
    assert done.returncode == 2 and "cannot start yet" in first and "cannot start yet" in again
    assert last.startswith("keeper: BALLAST_CHAIN_ID: is 5, the node is on chain 1")
    book = changed_book(field, tmp_path, chain_id=11155111)
    for command in ("status", "once"):
        line = keeper.refused(command, BALLAST_BOOK=book, BALLAST_CHAIN_ID=None)
        assert line.startswith("BALLAST_RPC_URL: the node is on chain 1")
        assert "11155111" in line


def test_another_nodes_word_is_not_taken_for_all(keeper: Keeper, field: Field, tmp_path: Path) -> None:
    """One endpoint on another chain and one that is away: the one that is away may be right."""
    book = changed_book(field, tmp_path, chain_id=11155111)
    with dead_port() as port:
        urls = f"{field.url},http://127.0.0.1:{port}"
        done = keeper("once", BALLAST_BOOK=book, BALLAST_CHAIN_ID=None, BALLAST_RPC_URL=urls)
    line = done.stderr.splitlines()[-1]
    assert done.returncode == 1 and "wrong chain" in line and "connection failed" in line


def test_a_node_that_is_behind_may_come_to_the_fund(keeper: Keeper, field: Field, tmp_path: Path) -> None:
    nowhere = {"lens": "0x000000000000000000000000000000000000dEaD"}
    book = changed_book(field, tmp_path, contracts=nowhere, deployed_block=10**9)
    line = keeper.refused("once", BALLAST_BOOK=book)
    assert line.startswith("BALLAST_RPC_URL: the node is still syncing, at block ")


def test_alert_tries_where_alerts_go(keeper: Keeper) -> None:
    with receiver() as service:
        # Although nothing else is set as it should be.
        done = keeper("alert", "unit failed", BALLAST_ALERT_URLS=service.url, BALLAST_RPC_URL=None, BALLAST_PLAN="no")
        assert (done.returncode, done.stdout) == (0, "sent\n")
        ((title, text),) = service.got
        assert title == "Ballast" and text.endswith(": unit failed")
        service.status = 500
        done = keeper("alert", BALLAST_ALERT_URLS=service.url)
        assert (done.returncode, done.stderr) == (1, "keeper: BALLAST_ALERT_URLS: no service took it\n")
        assert TOKEN not in done.stderr
    assert keeper.refused("alert").startswith("BALLAST_ALERT_URLS: not set")


def test_what_nobody_foresaw_before_the_first_step_is_told(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keeper.wiring.sender_for", lambda *_: 1 // 0)
    with receiver() as service:
        with pytest.raises(ZeroDivisionError):
            keeper("run", BALLAST_ALERT_URLS=service.url)
        ((title, text),) = service.got
    assert title == "Ballast: cannot_start" and "unforeseen ZeroDivisionError" in text


def test_wrong_books(keeper: Keeper, field: Field, tmp_path: Path) -> None:
    assert "no such file" in keeper.refused("status", BALLAST_BOOK=str(tmp_path / "none.json"))
    book = changed_book(field, tmp_path, contracts={"lens": "0x000000000000000000000000000000000000dEaD"})
    line = keeper.refused("status", BALLAST_BOOK=book)
    assert line.startswith("BALLAST_BOOK: lens is 0x000000000000000000000000000000000000dEaD, where chain 1 has no")


def test_no_key(keeper: Keeper, field: Field, tmp_path: Path) -> None:
    for command in ("once", "run"):
        assert keeper.refused(command, BALLAST_PRIVATE_KEY=None).startswith("BALLAST_PRIVATE_KEY: not set")
    key = "0x" + "12" * 31
    line = keeper.refused("once", BALLAST_PRIVATE_KEY=key)
    assert line.startswith("BALLAST_PRIVATE_KEY: not a private key")
    assert key not in line


def test_account_without_funds(keeper: Keeper, field: Field, tmp_path: Path) -> None:
    key = "0x" + "77" * 32
    address = Account.from_key(key).address
    for command in ("once", "cancel"):
        line = keeper.refused(command, BALLAST_PRIVATE_KEY=key)
        assert line.startswith(f"account {address}: has no ether")


def test_account_with_too_little(keeper: Keeper, field: Field, tmp_path: Path) -> None:
    key = "0x" + "78" * 32
    field.to_determination()
    field.rpc.request("anvil_setBalance", Account.from_key(key).address, hex(10**12))
    before = field.w3.eth.block_number
    done = keeper("once", BALLAST_PRIVATE_KEY=key)
    assert done.returncode == 1
    assert "has 1000000000000 wei, the transaction may cost up to" in done.stderr.strip().splitlines()[-1]
    assert field.w3.eth.block_number == before
    assert journal_rows(tmp_path) == []


def test_dear_gas_is_waited_for(keeper: Keeper, field: Field, tmp_path: Path) -> None:
    field.to_determination()
    done = keeper("once", BALLAST_MAX_FEE_GWEI="1")
    assert done.returncode == 0
    assert "BALLAST_MAX_FEE_GWEI: at most 1.00 gwei now, the chain asks for" in done.stdout
    assert journal_rows(tmp_path) == []
