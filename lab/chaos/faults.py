"""The faults: what each does to a month under way. A fault begins at its moment and takes as many beats as it likes."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ballast.units import BLOCK_S, HOUR_S
from lab.chaos.disk import filled
from lab.chaos.month_run import Course, Report
from lab.chaos.proxy import Rule
from lab.localnet.errors import LocalnetError

Value = int | float | str


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and when: `at` is a moment such as `trade1:pooled` (due, pooled or mined), `start:due`, or
    `begin`. `keeper`: which of them it meets. `more`: what the fault itself takes."""

    kind: str
    at: str
    keeper: int = 0
    more: dict[str, Value] = field(default_factory=dict)

    def words(self) -> str:
        """In one line, for tables and JSON."""
        parts = [f"{name}={value}" for name, value in self.more.items()]
        who = [f"keeper={self.keeper}"] if self.keeper else []
        return " ".join([self.kind, f"at {self.at}", *who, *parts])


def arm(course: Course, fault: Fault) -> None:
    """Puts a fault on a course."""
    report = Report(fault.words(), fault.at)
    course.reports.append(report)
    course.running.append((report, KINDS[fault.kind](course, fault, report)))


def _seconds(fault: Fault, otherwise: float) -> float:
    return float(fault.more.get("seconds", otherwise))


def _for(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield


def rpc(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """A rule of the proxy before one of the keeper's endpoints: the first, unless `endpoint` says another."""
    proxy = course.keepers[fault.keeper].proxies[int(fault.more.get("endpoint", 0))]
    rule = proxy.arm(rule_of(fault))
    # What is left of it when the month is done can spoil nothing that is judged.
    while not rule.over(time.monotonic()) and not course.finished():
        report.hits = rule.hits
        yield
    proxy.disarm(rule)
    report.hits, report.ended_at = rule.hits, rule.ended_at


def rule_of(fault: Fault) -> Rule:
    """The rule of a fault of an endpoint. Raises ValueError where it has no bounds."""
    fields: dict[str, Any] = {name: value for name, value in fault.more.items() if name != "endpoint"}
    return Rule(**fields)


def no_mining(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """No block for a while."""
    course.mining = False
    yield from _for(_seconds(fault, 1.5))
    course.mining = True
    report.hits = 1


def drop(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """The pool forgets the keeper's pending transactions, `times` times."""
    for _ in range(int(fault.more.get("times", 1))):
        while not course.pooled():
            yield
        for digest in course.pooled():
            course.rpc.request("anvil_dropTransaction", digest)
            report.hits += 1
        yield


def reorg(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """The newest `depth` blocks are replaced by as many empty ones and one more; with `returned` the keepers'
    transactions of the old ones go back to the pool, as nodes do, otherwise nobody has them but their keepers. `after`:
    so many blocks after the moment."""
    for _ in range(int(fault.more.get("after", 0))):
        head = course.head()
        while course.head() == head:
            yield
    depth = int(fault.more["depth"])
    head = course.head()
    mine = {keeper.address.lower() for keeper in course.keepers}
    lost = []
    for number in range(head - depth + 1, head + 1):
        block = course.rpc.request("eth_getBlockByNumber", hex(number), True)
        lost += [tx["hash"] for tx in block["transactions"] if tx["from"].lower() in mine]
    raws = [course.rpc.request("eth_getRawTransactionByHash", digest) for digest in lost]
    course.rpc.request("anvil_reorg", depth, [])
    course.reorganized = True
    course.clock.feeds_are_old()
    if fault.more.get("returned"):
        for raw in raws:
            with contextlib.suppress(LocalnetError):
                course.rpc.request("eth_sendRawTransaction", raw)
    course.clock.step(course.clock.now() + BLOCK_S)
    report.hits = len(lost)
    yield


def base_fee(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """The base fee rises for so many blocks."""
    course.clock.base_fee(int(fault.more["gwei"]))
    for _ in range(int(fault.more.get("blocks", 5))):
        head = course.head()
        while course.head() == head:
            yield
        report.hits += 1
    course.clock.base_fee(100)


def clock_jump(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """The chain's time jumps, as after an outage of its own."""
    course.clock.step(course.clock.now() + int(fault.more["hours"]) * HOUR_S)
    course.clock.feeds_are_old()
    course.clock.step(course.clock.now() + BLOCK_S)
    report.hits = 1
    yield


def kill(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """SIGKILL; started again after so many blocks."""
    keeper = course.keepers[fault.keeper]
    report.hits = int(keeper.alive())
    keeper.kill()
    head = course.head()
    while course.mining and course.head() - head < int(fault.more.get("blocks", 3)):
        yield
    keeper.start()


def stop(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """SIGSTOP for so many seconds of real time, while blocks go on."""
    keeper = course.keepers[fault.keeper]
    report.hits = int(keeper.alive())
    keeper.pause()
    yield from _for(_seconds(fault, 1.5))
    keeper.resume()


def lock(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """Another process holds the journal's database locked."""
    with contextlib.closing(sqlite3.connect(course.keepers[fault.keeper].journal, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield from _for(_seconds(fault, 1.5))
        db.execute("ROLLBACK")
    report.hits = 1


def full(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """The disk that holds the journal is full (`lab/chaos/disk.py`)."""
    keeper = course.keepers[fault.keeper]
    with filled(keeper.journal.parent):
        yield from _for(_seconds(fault, 1.5))
    report.hits = 1


def absent(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """The keeper is down for so many hours of the chain's time."""
    keeper = course.keepers[fault.keeper]
    report.hits = int(keeper.alive())
    keeper.stop()
    yield from clock_jump(course, fault, report)
    keeper.start()


def missed(course: Course, _fault: Fault, report: Report) -> Iterator[None]:
    """All keepers are down for the whole period; the next one is to be carried, and nothing of the one missed."""
    for keeper in course.keepers:
        keeper.stop()
    course.period += 1
    head = course.head()
    while course.head() - head < 3:
        yield
    for keeper in course.keepers:
        keeper.start()
    report.hits = 1


def step(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """The keeper is started while an action is due and kills itself at a step, given as the launcher takes it
    (`kill_at`, `kill_before`, `kill_after`); then it is started again. With `trace` all steps are written down and
    nothing is killed. `wait_s`: chain time that passes before, so that a batch becomes possible."""
    keeper = course.keepers[fault.keeper]
    keeper.stop()
    # While nobody looks: the batch becomes possible.
    course.clock.step(course.clock.now() + int(fault.more.get("wait_s", 0)))
    fields: dict[str, Any] = {name: value for name, value in fault.more.items() if name != "wait_s"}
    launch = replace(keeper.launch, **fields)
    keeper.start(launch)
    if not launch.kills:
        report.hits = 1
        return
    while keeper.alive():
        yield
    report.hits = int(keeper.killed_itself)
    head = course.head()
    while course.head() - head < 2:
        yield
    keeper.start()


KINDS: dict[str, Callable[[Course, Fault, Report], Iterator[None]]] = {
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
    "absent": absent,
    "missed": missed,
    "step": step,
}
