"""Runs one scenario, from a clean start to the end of the month, and judges it."""

from __future__ import annotations

import contextlib
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ballast.book import Book
from lab.chaos.base_chain import STATE, chain
from lab.chaos.disk import small_disk
from lab.chaos.faults import Fault, arm
from lab.chaos.history import events, transactions
from lab.chaos.judge import Verdict, cancelled_needlessly, final, judge
from lab.chaos.keepers import CRASH, FaultyKeeper
from lab.chaos.launcher import Launch
from lab.chaos.month_run import MAX_BLOCKS, PATIENCE_S, MonthRun, MonthRunError, month_run_on
from lab.chaos.proxy import proxy
from lab.localnet.errors import LocalnetError
from lab.localnet.hardhat import HardhatRpc, hardhat
from lab.localnet.rpc import HttpRpc
from lab.localnet.world import World

SETTLE_BLOCKS = 80
"""Most blocks after the month is closed until every journal has settled."""
STANDBY_BLOCKS = 4
CALM_BLOCKS = 4
"""Blocks in a row in which all must be settled, so that a keeper that still wants to send is noticed."""


@dataclass(frozen=True)
class Scenario:
    """`keepers`: how many; `endpoints`: of each; `settings`: variables of all of them; `standby`: each has its number
    as its rank; `races`: whether two of them may send the same, so that one reverts. `ends`: exit codes with which a
    keeper may end by itself here, to be restarted. `small_disk`: the journal of keeper 0 is on a disk of its own.
    `bites`: whether a fault that never arrived fails the scenario; `harmless`: the faults do nothing, so that all must
    be reported as not arrived. `node`: anvil, or hardhat; `dialect`: what the endpoints speak, if not the node's own.
    `within_s`: limit of real time; `patience_s`: real time that a block waits for the keepers."""

    name: str
    faults: tuple[Fault, ...] = ()
    keepers: int = 1
    endpoints: int = 1
    settings: dict[str, str] = field(default_factory=dict)
    standby: bool = False
    races: bool = False
    ends: tuple[int, ...] = ()
    small_disk: bool = False
    bites: bool = True
    harmless: bool = False
    node: str = "anvil"
    dialect: str = ""
    seed: int | None = None
    within_s: float = 180.0
    patience_s: float = PATIENCE_S


@dataclass
class Outcome:
    """The result of a scenario. `recovery_s`: the longest recovery from a fault, real seconds (`Report.recovery_s`).
    `stalled_blocks`: most in a row in which no keeper did anything; `cancelled_needlessly`: no-ops in place of calls
    that nobody else had made. `worded`: how often a dialect's own messages and fields were used, by kind."""

    name: str
    passed: bool
    recovery_s: float
    sent_twice: int
    wrong_nonce: int
    reverted_duplicates: int
    month_done: bool
    batches: int
    blocks: int
    stalled_blocks: int
    cancelled_needlessly: int
    wall_s: float
    faults: list[dict[str, Any]]
    problems: list[str]
    seed: int | None = None
    client: str = ""
    worded: dict[str, int] = field(default_factory=dict)
    cases: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def run(scenario: Scenario, base: Path, folder: Path) -> Outcome:
    """Runs the scenario's month on a chain of its own; `folder` gets journals and logs."""
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    world, book_path = World.load(base / "world.json"), (base / "book.json").resolve()
    book = Book.load(book_path)
    problems: list[str] = []
    with contextlib.ExitStack() as stack:
        rpc = stack.enter_context(NODES[scenario.node](base, folder / "node.log"))
        keepers = [
            FaultyKeeper(
                index,
                (folder / f"keeper{index}").resolve(),
                book_path,
                [stack.enter_context(proxy(rpc.url, scenario.dialect)) for _ in range(scenario.endpoints)],
                scenario.settings | (standing_by(index) if scenario.standby else {}),
            )
            for index in range(scenario.keepers)
        ]
        month = month_run_on(rpc, world, book, keepers)
        month.harmless, month.patience_s = scenario.harmless, scenario.patience_s
        if scenario.small_disk:
            stack.enter_context(small_disk(keepers[0].journal.parent))
        for keeper in keepers:
            if any(fault.kind in ("lock", "full") for fault in scenario.faults):
                keeper.launch = Launch(trace=str(keeper.folder / "steps"))
            stack.callback(keeper.kill)
        firsts = {keeper.address: _nonce(month, keeper) for keeper in keepers}
        for fault in scenario.faults:
            arm(month, fault)
        try:
            _carry(month, scenario, began + scenario.within_s)
        except LocalnetError as error:
            problems.append(str(error))
        for keeper in keepers:
            starting = keeper.pulse() is None
            code = keeper.stop()
            # During its start, before its first look, the signal ends it like any process.
            if code not in (0, None) and not (starting and code == -signal.SIGTERM):
                problems.append(f"keeper {keeper.index}: ended with {code} when it was asked to stop")
        sent = transactions(month.rpc, book["rebalancer"], set(firsts), month.first_block)
        journals = {keeper.address: keeper.rows() for keeper in keepers}
        verdict = judge(
            month.period,
            sent,
            events(month.rpc, book["rebalancer"], month.first_block),
            journals,
            firsts,
            reorganized=month.reorganized,
        )
        needless = cancelled_needlessly(sent, journals)
        blocks = month.head() - month.first_block
    return _outcome(scenario, month, verdict, problems, needless, blocks, time.monotonic() - began)


@contextlib.contextmanager
def _anvil(base: Path, log: Path) -> Iterator[HttpRpc]:
    with chain(base, log=log) as url, contextlib.closing(HttpRpc(url)) as rpc:
        yield rpc


@contextlib.contextmanager
def _hardhat(base: Path, log: Path) -> Iterator[HttpRpc]:
    with hardhat(base / STATE, log=log) as url, contextlib.closing(HardhatRpc(url)) as rpc:
        yield rpc


NODES: dict[str, Callable[[Path, Path], AbstractContextManager[HttpRpc]]] = {"anvil": _anvil, "hardhat": _hardhat}
"""Connections to the saved chain, by the software that runs it."""


def standing_by(index: int) -> dict[str, str]:
    """Settings of a standby keeper with this rank."""
    return {"BALLAST_STANDBY_RANK": str(index), "BALLAST_STANDBY_BLOCKS": str(STANDBY_BLOCKS)}


def _nonce(month: MonthRun, keeper: FaultyKeeper) -> int:
    return int(month.rpc.request("eth_getTransactionCount", keeper.address, "latest"), 16)


def _carry(month: MonthRun, scenario: Scenario, end: float) -> None:
    for keeper in month.keepers:
        keeper.start()
    month.ready()
    month.reached.add("begin")
    while not month.finished():
        month.beat()
        _look_after(month)
        if time.monotonic() > end:
            raise MonthRunError(f"month not done within {scenario.within_s:.0f} s, at {month.due()}")
        if month.head() - month.first_block > MAX_BLOCKS:
            raise MonthRunError(f"month not done within {MAX_BLOCKS} blocks, at {month.due()}")
    calm = blocks = 0
    while blocks < SETTLE_BLOCKS:
        month.beat()
        _look_after(month)
        at_work = any(report.began_at is not None for report, _ in month.running)
        # A fault may last seconds, in which many blocks come: they do not count against the journals.
        blocks += not at_work
        if time.monotonic() > end:
            break
        resting = not at_work and not month.pooled() and not any(_open(keeper) for keeper in month.keepers)
        calm = calm + 1 if resting else 0
        if calm >= CALM_BLOCKS:
            return
    raise MonthRunError(f"journals did not come to rest within {SETTLE_BLOCKS} blocks")


def _open(keeper: FaultyKeeper) -> bool:
    return any(final(row) is None for row in keeper.rows())


def _look_after(month: MonthRun) -> None:
    """Restarts keepers that ended by themselves, as a service manager does; the scenario has failed all the same,
    unless `ends` allows the exit code."""
    for keeper in month.keepers:
        if not keeper.alive() and keeper.ended:
            keeper.start()


def _outcome(
    scenario: Scenario,
    month: MonthRun,
    verdict: Verdict,
    problems: list[str],
    needless: int,
    blocks: int,
    wall_s: float,
) -> Outcome:
    found = [*problems, *verdict.problems]
    for keeper in month.keepers:
        if set(keeper.exits) - set(scenario.ends):
            found.append(f"keeper {keeper.index}: ended by itself with {keeper.exits}")
        if CRASH in keeper.log():
            found.append(f"keeper {keeper.index}: crashed, {_last_line(keeper.log())}")
    if verdict.open_rows:
        found.append(f"{verdict.open_rows} journal rows have no final state")
    if not scenario.races and verdict.reverted_duplicates:
        found.append(f"{verdict.reverted_duplicates} calls sent again after they had succeeded")
    for report in month.reports:
        if report.counted is not None:
            report.hits, report.seen = report.counted()
        if scenario.bites and not report.hits:
            found.append(f"fault never arrived: {report.kind}")
    speakers = [proxy.speaker for keeper in month.keepers for proxy in keeper.proxies if proxy.speaker is not None]
    worded = sum((speaker.worded for speaker in speakers), Counter[str]())
    # A dialect without transient errors has only messages for what a race causes: reverts and refusals.
    speaks_up = scenario.races or any(speaker.table.get("passing") for speaker in speakers)
    if scenario.dialect and scenario.faults and speaks_up and not worded:
        found.append(f"dialect never heard: {scenario.dialect}")
    recoveries = [report.recovery_s for report in month.reports if report.recovery_s is not None]
    return Outcome(
        name=scenario.name,
        passed=verdict.good and not found,
        recovery_s=round(max(recoveries, default=0.0), 2),
        sent_twice=verdict.sent_twice,
        wrong_nonce=verdict.wrong_nonce,
        reverted_duplicates=verdict.reverted_duplicates,
        month_done=verdict.month_done,
        batches=verdict.batches,
        blocks=blocks,
        stalled_blocks=month.longest_stall,
        cancelled_needlessly=needless,
        wall_s=round(wall_s, 1),
        faults=[{"fault": report.kind, "hits": report.hits, "seen": report.seen} for report in month.reports],
        problems=found,
        seed=scenario.seed,
        client=scenario.dialect or scenario.node,
        worded=dict(worded),
        cases=[asdict(case) for case in month.cases],
    )


def _last_line(log: str) -> str:
    """The error of the last traceback."""
    lines = log[log.rindex(CRASH) :].splitlines()
    return next((line for line in lines[1:] if line and not line.startswith(" ")), "")[:200]
