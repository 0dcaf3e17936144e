"""A fund on the fork with a clock, and keepers run on it as processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ape
from web3 import Web3

from ballast.book import Book
from ballast.build import ROOT
from ballast.deployment.deploy import deploy_fund
from ballast.fund_file import FundConfig
from ballast.rule.arithmetic import execution_time, period_start
from ballast.units import BLOCK_S
from keeper.look import contracts
from keeper.look.fund_reader import FundReader
from keeper.plan import bucket
from keeper.plan.settlement import outcome
from keeper.state import FundState, Phase, Side
from lab.localnet.anvil import dies_with_parent, stop
from lab.localnet.market import Market
from lab.localnet.month_file import load_month
from lab.localnet.rpc import HttpRpc, Rpc
from lab.localnet.world import World
from lab.testbed.clock import Clock, next_look
from lab.testbed.funding import deal_seed, month_config
from tests.helpers.waiting import PATIENCE_S, wait_for

PERIOD = 2021 * 12 + 3
FAST = {"BALLAST_MAX_HOURS": "1", "BALLAST_POLL_SECONDS": "0.02", "BALLAST_POOL_REST_SECONDS": "660"}
"""Few batches: the tests here are about what is sent, not about what it costs. Pools come back after 600 s: a keeper
that waits a minute longer finds them restored."""


@dataclass
class Field:
    """A fund in the published state of April 2021, before its determination. `account` is the keeper's."""

    w3: Web3
    rpc: Rpc
    url: str
    clock: Clock
    book: Book
    book_path: Path
    config: Any
    account: Any

    @property
    def chain(self) -> FundReader:
        return FundReader(self.w3, self.book)

    def state(self) -> FundState:
        return self.chain.read(self.w3.eth.block_number)[0]

    def to_determination(self) -> None:
        self.clock.jump(period_start(PERIOD, self.config.timetable.notice))

    def to_execution(self) -> None:
        self.clock.jump(execution_time(PERIOD, self.config.timetable.day, self.config.timetable.fixed_day))

    def environment(self, folder: Path, **changes: str | None) -> dict[str, str]:
        """A keeper's environment; a change of None takes a variable away."""
        settings: dict[str, str | None] = {
            "BALLAST_RPC_URL": self.url,
            "BALLAST_CHAIN_ID": "1",
            "BALLAST_BOOK": str(self.book_path),
            "BALLAST_PRIVATE_KEY": str(self.account.private_key),
            "BALLAST_JOURNAL": str(folder / "keeper.sqlite"),
            "BALLAST_PULSE": str(folder / "pulse.json"),
            "BALLAST_MAX_FEE_GWEI": "1000",
            **FAST,
            **changes,
        }
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("BALLAST_")}
        return inherited | {key: value for key, value in settings.items() if value is not None}

    def command(self, folder: Path, *arguments: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
        """Runs a command of the keeper to its end."""
        return subprocess.run(
            [sys.executable, "-m", "keeper", *arguments],
            cwd=folder,
            env={**self.environment(folder, **changes), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    @contextlib.contextmanager
    def keeper(self, folder: Path, **changes: str | None) -> Iterator[Running]:
        """`run` as a process until the block ends."""
        with (folder / "keeper.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "keeper", "run"],
                cwd=folder,
                env={**self.environment(folder, **changes), "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=dies_with_parent(),  # noqa: PLW1509 (it must run in the child)
            )
            try:
                yield Running(self, process, folder)
            finally:
                stop(process)

    def sent_by_keeper(self) -> int:
        """Transactions of the keeper's account on the chain."""
        return self.w3.eth.get_transaction_count(self.account.address)

    def events(self, name: str) -> list[Any]:
        """Events of the rebalancer so far."""
        contract = self.w3.eth.contract(
            address=Web3.to_checksum_address(self.book["rebalancer"]), abi=contracts.abi("Rebalancer")
        )
        return list(contract.events[name]().get_logs(from_block=self.book.deployed_block))


@contextlib.contextmanager
def deployed(
    world: World,
    w3: Web3,
    folder: Path,
    *,
    market: Market | None = None,
    change: Callable[[FundConfig], FundConfig] = lambda config: config,
) -> Iterator[Field]:
    """The fund of the local mainnet's month at its prices, with all pools of this world; the address book goes into
    `folder`. `market`: another than that at the month's prices; `change`: what is to be otherwise in the fund."""
    provider = ape.networks.active_provider
    assert provider is not None
    url = str(provider.http_uri)
    rpc = HttpRpc(url)
    clock = Clock(rpc, market or Market(rpc, world))
    try:
        clock.jump(clock.now() + BLOCK_S)
        config = change(month_config(load_month(os.environ["BALLAST_MONTH"]), world))
        deployer, keeper = ape.accounts.test_accounts[0], ape.accounts.test_accounts[2]
        deal_seed(deployer, config)
        path = folder / "book.json"
        book = deploy_fund(ape.project, deployer, config, book_path=path, unsafe=True)
        yield Field(w3, rpc, url, clock, book, path, config, keeper)
    finally:
        rpc.request("anvil_removeBlockTimestampInterval")
        rpc.request("evm_setAutomine", True)
        rpc.close()


@dataclass
class Running:
    """A keeper at work."""

    field: Field
    process: subprocess.Popen[bytes]
    folder: Path

    def look(self) -> dict[str, Any]:
        """The pulse once the keeper has looked at the latest block; fails if it ends, or never looks."""
        block, _ = self.field.clock.latest()

        def looked() -> dict[str, Any] | None:
            ended = self.process.poll() is not None
            pulse = self.pulse()
            if pulse is not None and pulse["block"] >= block:
                return pulse
            assert not ended, f"keeper ended: {self.log()}"
            return None

        found = wait_for(looked, lambda: f"a look at block {block}: {self.log()}")
        assert found is not None
        return found

    def pulse(self) -> dict[str, Any] | None:
        path = self.folder / "pulse.json"
        found: dict[str, Any] | None = json.loads(path.read_text()) if path.exists() else None
        return found

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The log's lines about something, of a keeper that logs JSON."""
        text = (self.folder / "keeper.log").read_text()
        return [found for line in text.splitlines() if (found := json.loads(line))["event"] == event]

    def port(self) -> int:
        """Where it listens, of a keeper that logs JSON and takes any port."""
        return int(self.lines("listening")[-1]["port"])

    def log(self) -> str:
        return (self.folder / "keeper.log").read_text()[-2000:]

    def kill(self) -> None:
        """Ends it at whatever instruction it is."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE_S)
        (self.folder / "pulse.json").unlink(missing_ok=True)

    def until_possible(self) -> None:
        """Lets time pass until the block before the next batch is possible; mining is left off, so that what the keeper
        sends in that block stays pending."""
        clock = self.field.clock
        for _ in range(200):
            pulse = self.look()
            number, now = clock.latest()
            if pulse["block"] < number:
                continue
            at = next_look(now, pulse["possible_from"], clock.next_rest())
            if pulse["possible_from"] is not None and at >= pulse["possible_from"]:
                self.field.rpc.request("evm_setAutomine", False)
                self.field.rpc.request("evm_setNextBlockTimestamp", at)
                self.field.rpc.request("evm_mine")
                return
            clock.step(at)
        raise AssertionError(f"no batch became possible: {self.log()}")

    def until(self, reached: Callable[[], bool], steps: int = 400) -> None:
        """Lets time pass as the keeper waits for it, until `reached`."""
        clock = self.field.clock
        for _ in range(steps):
            number, now = clock.latest()
            pulse = self.look()
            if reached():
                return
            if clock.latest()[0] == number:
                clock.step(next_look(now, pulse["possible_from"], clock.next_rest()))
        raise AssertionError(f"not reached after {steps} steps: {self.log()}")

    def to_trading(self) -> None:
        """Through determination and start."""
        self.to_determined()
        self.to_started()

    def to_determined(self) -> None:
        """Through determination."""
        self.field.to_determination()
        self.until(lambda: self.field.state().phase is Phase.DETERMINED)

    def to_started(self) -> None:
        """From there through the start."""
        self.field.to_execution()
        self.until(lambda: self.field.state().phase is Phase.TRADING)

    def to_the_end(self) -> None:
        """Until the month is done."""
        self.until(lambda: self.field.state().phase is Phase.IDLE)


def check_counts(before: FundState, after: FundState, event: Any) -> None:
    """A batch counted for what the keeper computes, to the last digit: bucket, value, lambda, and what it left behind.

    `before`: the fund at the time of the batch, before it; `event`: its Traded.
    """
    result = event["args"]["result"]
    moved = {h.index: h.balance - before.holdings[h.index].balance for h in after.holdings}
    arrived = {h.index: moved[h.index] for h in before.holdings if h.side is Side.BUY and moved[h.index]}
    sold = {h.index: -moved[h.index] for h in before.holdings if h.side is Side.SELL and moved[h.index]}
    assert sold and arrived
    found = outcome(before, sold, arrived)
    assert (found.value_out, found.value_in) == (result["valueOut"], result["valueIn"])
    assert found.attainable == result["attainable"]
    assert found.progress == after.progress
    idle = bucket.idle_x24(before.progress.tat, before.time, before.limits.max_idle)
    assert bucket.tolerance(idle, before.limits, before.progress, found.sale) == result["tolerance"]


SUCCEEDED = ("mined", "confirmed")
"""Status in the journal of what was mined and did what it should."""


def journal_rows(folder: Path) -> list[dict[str, Any]]:
    """What stands in a keeper's journal."""
    with contextlib.closing(sqlite3.connect(folder / "keeper.sqlite")) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute("SELECT * FROM transactions ORDER BY id")]
