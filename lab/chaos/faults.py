"""The faults: what each does to a running month. A fault begins at its moment and takes as many beats as it needs."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ballast.units import BLOCK_S, GWEI, HOUR_S
from lab.chaos.disk import filled
from lab.chaos.keepers import CRASH, FaultyKeeper
from lab.chaos.month_run import MonthRun, OddCase, Report
from lab.chaos.proxy import Rule
from lab.localnet.errors import LocalnetError
from lab.testbed.clock import GAS_PRICE_GWEI

Value = int | float | str
ODD_WITHIN_S = 20.0
"""Real seconds that an odd answer waits for its call, and that the keeper has to look at the chain again after it."""
FULL = "disk is full"
"""Part of SQLite's message for a full disk."""


@dataclass(frozen=True)
class Fault:
    """A fault and its moment: `at` is one such as `trade1:pooled` (due, pooled or mined), `start:due`, or `begin`.
    `keeper`: index of the keeper that it meets. `more`: arguments of the fault."""

    kind: str
    at: str
    keeper: int = 0
    more: dict[str, Value] = field(default_factory=dict)

    def words(self) -> str:
        """One line, for tables and JSON."""
        parts = [f"{name}={value}" for name, value in self.more.items()]
        who = [f"keeper={self.keeper}"] if self.keeper else []
        return " ".join([self.kind, f"at {self.at}", *who, *parts])


def arm(month: MonthRun, fault: Fault) -> None:
    """Adds a fault to a run."""
    report = Report(fault.words(), fault.at)
    month.reports.append(report)
    month.running.append((report, KINDS[fault.kind](month, fault, report)))


def _seconds(fault: Fault, otherwise: float) -> float:
    return float(fault.more.get("seconds", otherwise))


def _for(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield


def rpc(month: MonthRun, fault: Fault, report: Report) -> Iterator[None]:
    """Arms a rule on the proxy of one of the keeper's endpoints: the first, unless `endpoint` names another."""
    proxy = month.keepers[fault.keeper].proxies[int(fault.more.get("endpoint", 0))]
    rule = rule_of(fault)
    rule.harmless = month.harmless
    proxy.arm(rule)
    # An answer may be held back for seconds, so what has arrived is counted when the month is over.
    report.counted = lambda: (rule.arrived, f"{rule.arrived} answers unlike the node's, {rule.hits} calls met")
    # Once the month is done, what is left of the rule can spoil nothing that is judged.
    while not rule.over(time.monotonic()) and not month.finished():
        yield
    proxy.disarm(rule)
    report.ended_at = rule.ended_at


def rule_of(fault: Fault) -> Rule:
    """The rule of an endpoint's fault. Raises ValueError where its kind is unknown or it has no valid bounds."""
    fields: dict[str, Any] = {name: value for name, value in fault.more.items() if name != "endpoint"}
    return Rule(**fields)


def no_mining(month: MonthRun, fault: Fault, report: Report) -> Iterator[None]:
    """Stops mining for a while."""
    head, asked = month.head(), _heads(month)
    month.mining = month.harmless
    yield from _for(_seconds(fault, 1.5))
    month.mining = True
    if month.head() == head:
        report.hits = _heads(month) - asked
        report.seen = f"{report.hits} times asked for a head, none later than {head}"


def drop(month: MonthRun, fault: Fault, report: Report) -> Iterator[None]:
    """Drops the keepers' pending transactions from the pool, `times` times."""
    for _ in range(int(fault.more.get("times", 1))):
        while not month.pooled():
            yield
        for digest in month.pooled():
            if not month.harmless:
                month.rpc.request("anvil_dropTransaction", digest)
            report.hits += digest not in month.pooled()
        report.seen = f"{report.hits} transactions gone from the pool"
        yield


def reorg(month: MonthRun, fault: Fault, report: Report) -> Iterator[None]:
    """Replaces the newest `depth` blocks by as many empty ones and one more. With `returned` the keepers' transactions
    of the old ones go back to the pool, as nodes do, otherwise only their keepers have them. `after`: blocks between
    the moment and the reorganization."""
    for _ in range(int(fault.more.get("after", 0))):
        head = month.head()
        while month.head() == head:
            yield
    depth = int(fault.more["depth"])
    head = month.head()
    mine = {keeper.address.lower() for keeper in month.keepers}
    lost = []
    for number in range(head - depth + 1, head + 1):
        block = month.rpc.request("eth_getBlockByNumber", hex(number), True)
        lost += [tx["hash"] for tx in block["transactions"] if tx["from"].lower() in mine]
    raws = [month.rpc.request("eth_getRawTransactionByHash", digest) for digest in lost]
    if not month.harmless:
        month.rpc.request("anvil_reorg", depth, [])
        month.reorganized = True
    report.hits = sum(month.rpc.request("eth_getTransactionReceipt", digest) is None for digest in lost)
    report.seen = f"{report.hits} mined transactions without a receipt"
    month.clock.feeds_are_old()
    if fault.more.get("returned"):
        for raw in raws:
            with contextlib.suppress(LocalnetError):
                month.rpc.request("eth_sendRawTransaction", raw)
    month.clock.step(month.clock.now() + BLOCK_S)
    yield


def base_fee(month: MonthRun, fault: Fault, report: Report) -> Iterator[None]:
    """Raises the base fee for `blocks` blocks."""
    wei = int(fault.more["gwei"]) * GWEI
    if not month.harmless:
        month.clock.base_fee(int(fault.more["gwei"]))
    for _ in range(int(fault.more.get("blocks", 5))):
        head, asked = month.head(), _heads(month)
        while month.head() == head:
            yield
        dear = int(month.rpc.request("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16) >= wei
        report.hits += dear and _heads(month) > asked
    month.clock.base_fee(GAS_PRICE_GWEI)
    report.seen = f"{report.hits} blocks of {fault.more['gwei']} gwei while heads were asked for"


def clock_jump(month: MonthRun, fault: Fault, report: Report) -> Iterator[None]:
    """Lets the chain's time jump, as after an outage of the chain."""
    before, hours = month.clock.now(), int(fault.more["hours"])
    # Not `step`, which goes no farther than the feeds' next answers.
    month.clock.pass_to(before + (BLOCK_S if month.harmless else hours * HOUR_S))
    month.clock.feeds_are_old()
    month.clock.step(month.clock.now() + BLOCK_S)
    asked = _heads(month)
    while _heads(month) == asked and any(keeper.awake() for keeper in month.keepers) and not month.finished():
        yield
    report.hits = int(month.clock.now() - before >= hours * HOUR_S)
    report.seen = f"{(month.clock.now() - before) // HOUR_S} hours between two looks"
    yield


def kill(month: MonthRun, fault: Fault, report: Report) -> Iterator[None]:
    """Kills the keeper (SIGKILL) and restarts it after `blocks` blocks."""
    keeper = month.keepers[fault.keeper]
    _end(month, keeper, keeper.kill, report)
    head = month.head()
    while month.mining and month.head() - head < int(fault.more.get("blocks", 3)):
        yield
    keeper.start()


def stop(month: MonthRun, fault: Fault, report: Report) -> Iterator[None]:
    """Stops the keeper (SIGSTOP) for some seconds of real time, while blocks continue."""
    keeper = month.keepers[fault.keeper]
    if not month.harmless:
        keeper.pause()
    head = month.head()
    for _ in _for(_seconds(fault, 1.5)):
        report.hits += keeper.frozen()
        yield
    report.seen = f"stopped at {report.hits} looks, while {month.head() - head} blocks came"
    keeper.resume()


def lock(month: MonthRun, fault: Fault, report: Report) -> Iterator[None]:
    """Locks the journal's database from another process."""
    keeper = month.keepers[fault.keeper]
    steps = len(keeper.traced())
    with contextlib.closing(sqlite3.connect(keeper.journal, isolation_level=None)) as db:
        if not month.harmless:
            db.execute("BEGIN IMMEDIATE")
        yield from _for(_seconds(fault, 1.5))
        if db.in_transaction:
            report.hits, report.seen = _writes(keeper, steps)
            db.execute("ROLLBACK")


def full(month: MonthRun, fault: Fault, report: Report) -> Iterator[None]:
    """Fills the disk that holds the journal (`lab/chaos/disk.py`)."""
    keeper = month.keepers[fault.keeper]
    steps, said = len(keeper.traced()), keeper.log().count(FULL)
    with contextlib.nullcontext() if month.harmless else filled(keeper.journal.parent):
        yield from _for(_seconds(fault, 1.5))
        report.hits, report.seen = _writes(keeper, steps)
    if keeper.log().count(FULL) == said:
        report.hits = 0


def host_clock(month: MonthRun, fault: Fault, report: Report) -> Iterator[None]:
    """Shifts the clock of the keeper's machine, from the keeper's next start to the end of the month."""
    keeper, shift_s = month.keepers[fault.keeper], float(fault.more["shift_s"])
    keeper.stop()
    before = {row["id"] for row in keeper.rows()}
    keeper.start(replace(keeper.launch, clock_shift_s=0.0 if month.harmless else shift_s))
    while not month.finished():
        yield
    signed = [row["signed_at"] for row in keeper.rows() if row["id"] not in before]
    report.hits = sum(abs(at - time.time() - shift_s) < abs(shift_s) / 2 for at in signed)
    report.seen = f"{report.hits} of {len(signed)} transactions signed by a clock {shift_s:.0f} s off"


def absent(month: MonthRun, fault: Fault, report: Report) -> Iterator[None]:
    """Takes the keeper down for `hours` of the chain's time."""
    keeper = month.keepers[fault.keeper]
    _end(month, keeper, keeper.stop, report)
    gone, seen = report.hits, report.seen
    yield from clock_jump(month, fault, report)
    report.hits, report.seen = min(gone, report.hits), f"{seen}; {report.seen}"
    keeper.start()


def missed(month: MonthRun, _fault: Fault, report: Report) -> Iterator[None]:
    """Takes all keepers down for the whole period; then the next one must be done, and nothing of the one missed."""
    for keeper in month.keepers:
        _end(month, keeper, keeper.stop, report)
    if month.harmless:
        return
    month.period += 1
    head = month.head()
    while month.head() - head < 3:
        yield
    for keeper in month.keepers:
        keeper.start()


def step(month: MonthRun, fault: Fault, report: Report) -> Iterator[None]:
    """Starts the keeper while an action is due and has it kill itself at a step, given as the launcher takes it
    (`kill_at`, `kill_before`, `kill_after`); then restarts it. With `trace` all steps are recorded and nothing is
    killed. `wait_s`: chain time that passes before, so that a batch becomes possible."""
    keeper = month.keepers[fault.keeper]
    keeper.stop()
    # Time passes while no keeper looks.
    month.clock.step(month.clock.now() + int(fault.more.get("wait_s", 0)))
    fields: dict[str, Any] = {name: value for name, value in fault.more.items() if name != "wait_s"}
    if month.harmless:
        fields = {}
    launch = replace(keeper.launch, **fields)
    keeper.start(launch)
    if not launch.kills:
        report.hits = int("trace" in fields)
        return
    while keeper.alive():
        yield
    report.hits = int(keeper.killed_itself)
    report.seen = f"killed at {fields}"
    head = month.head()
    while month.head() - head < 2:
        yield
    keeper.start()


def odd(month: MonthRun, fault: Fault, report: Report) -> Iterator[None]:
    """Gives one odd answer after the other to one method, from the keeper's first endpoint, `times` times each, until
    the month is done. With `at_start` each meets a keeper that starts, else one that runs. The keeper is restarted for
    each, so that none affects the next."""
    keeper, method = month.keepers[fault.keeper], str(fault.more["method"])
    for shape in str(fault.more["shapes"]).split(","):
        exits, said = len(keeper.exits), len(keeper.log())
        rule = Rule("odd", method, int(fault.more["times"]), shape=shape, within_s=ODD_WITHIN_S)
        if not fault.more.get("at_start"):
            yield from _afresh(month, keeper)
        keeper.proxies[0].arm(rule)
        if fault.more.get("at_start"):
            keeper.kill()
            keeper.start()
        while not rule.over(time.monotonic()) and not month.finished():
            yield
        keeper.proxies[0].disarm(rule)
        head = month.head()
        for _ in _for(ODD_WITHIN_S if rule.arrived else 0):
            if month.finished() or (keeper.awake() and keeper.looked(head)):
                break
            yield
        if rule.arrived:
            # `alive` is called again because it records an exit of the process.
            ended = not keeper.alive() or len(keeper.exits) > exits or CRASH in keeper.log()[said:]
            month.cases.append(OddCase(method, shape, len(keeper.proxies), ended, _trouble(keeper.log()[said:])))
            report.hits += 1
            report.seen = f"{report.hits} shapes handed over"
        if month.finished():
            return


def _afresh(month: MonthRun, keeper: FaultyKeeper) -> Iterator[None]:
    """Restarts the keeper and waits until it looks at the chain."""
    keeper.kill()
    keeper.start()
    while keeper.alive() and keeper.pulse() is None and not month.finished():
        yield


def _trouble(log: str) -> str:
    """The last warning or error of a log."""
    words = ("[warning", "[error", "[critical", "Error")
    lines = [line for line in log.splitlines() if any(word in line for word in words) and "advice=" not in line]
    return lines[-1].partition("Z ")[2][:200] if lines else ""


def _heads(month: MonthRun) -> int:
    """How often the keepers have requested a head."""
    return sum(keeper.asked("eth_getBlockByNumber") for keeper in month.keepers)


def _end(month: MonthRun, keeper: FaultyKeeper, how: Callable[[], object], report: Report) -> None:
    """Ends a keeper that runs; reports that it is gone, and how many transactions were pending."""
    ran, mine = keeper.alive(), len(month.pooled())
    if not month.harmless:
        how()
    report.hits += ran and not keeper.alive()
    report.seen = f"{report.hits} ended in block {month.head()}, {mine} transactions pending"


def _writes(keeper: FaultyKeeper, since: int) -> tuple[int, str]:
    """How often it has begun to write to its journal after its first `since` steps, as a number and as text."""
    found = sum(" journal " in line for line in keeper.traced()[since:])
    return found, f"{found} writes into the journal tried"


KINDS: dict[str, Callable[[MonthRun, Fault, Report], Iterator[None]]] = {
    "rpc": rpc,
    "no_mining": no_mining,
    "drop": drop,
    "reorg": reorg,
    "base_fee": base_fee,
    "clock_jump": clock_jump,
    "kill": kill,
    "stop": stop,
    "lock": lock,
    "full": full,
    "host_clock": host_clock,
    "absent": absent,
    "missed": missed,
    "step": step,
    "odd": odd,
}
