"""The faults: what each does to a month under way. A fault begins at its moment and takes as many beats as it likes."""

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
from lab.chaos.month_run import Course, OddCase, Report
from lab.chaos.proxy import Rule
from lab.localnet.errors import LocalnetError
from lab.testbed.clock import GAS_PRICE_GWEI

Value = int | float | str
ODD_WITHIN_S = 20.0
"""Real time that an odd answer waits for its question, and that the keeper has to look at the chain again after it."""
FULL = "disk is full"
"""How SQLite says so."""


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
    rule = rule_of(fault)
    rule.harmless = course.harmless
    proxy.arm(rule)
    # An answer may be held back for seconds: what has arrived is counted when the month is over.
    report.counted = lambda: (rule.arrived, f"{rule.arrived} answers unlike the node's, {rule.hits} calls met")
    # What is left of it when the month is done can spoil nothing that is judged.
    while not rule.over(time.monotonic()) and not course.finished():
        yield
    proxy.disarm(rule)
    report.ended_at = rule.ended_at


def rule_of(fault: Fault) -> Rule:
    """The rule of a fault of an endpoint. Raises ValueError where it has no bounds."""
    fields: dict[str, Any] = {name: value for name, value in fault.more.items() if name != "endpoint"}
    return Rule(**fields)


def no_mining(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """No block for a while."""
    head, asked = course.head(), _heads(course)
    course.mining = course.harmless
    yield from _for(_seconds(fault, 1.5))
    course.mining = True
    if course.head() == head:
        report.hits = _heads(course) - asked
        report.seen = f"{report.hits} times asked for a head, none later than {head}"


def drop(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """The pool forgets the keeper's pending transactions, `times` times."""
    for _ in range(int(fault.more.get("times", 1))):
        while not course.pooled():
            yield
        for digest in course.pooled():
            if not course.harmless:
                course.rpc.request("anvil_dropTransaction", digest)
            report.hits += digest not in course.pooled()
        report.seen = f"{report.hits} transactions gone from the pool"
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
    if not course.harmless:
        course.rpc.request("anvil_reorg", depth, [])
        course.reorganized = True
    report.hits = sum(course.rpc.request("eth_getTransactionReceipt", digest) is None for digest in lost)
    report.seen = f"{report.hits} mined transactions without a receipt"
    course.clock.feeds_are_old()
    if fault.more.get("returned"):
        for raw in raws:
            with contextlib.suppress(LocalnetError):
                course.rpc.request("eth_sendRawTransaction", raw)
    course.clock.step(course.clock.now() + BLOCK_S)
    yield


def base_fee(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """The base fee rises for so many blocks."""
    wei = int(fault.more["gwei"]) * GWEI
    if not course.harmless:
        course.clock.base_fee(int(fault.more["gwei"]))
    for _ in range(int(fault.more.get("blocks", 5))):
        head, asked = course.head(), _heads(course)
        while course.head() == head:
            yield
        dear = int(course.rpc.request("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16) >= wei
        report.hits += dear and _heads(course) > asked
    course.clock.base_fee(GAS_PRICE_GWEI)
    report.seen = f"{report.hits} blocks of {fault.more['gwei']} gwei while heads were asked for"


def clock_jump(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """The chain's time jumps, as after an outage of its own."""
    before, hours = course.clock.now(), int(fault.more["hours"])
    # Not a step, which goes no farther than the feeds' next answers.
    course.clock.pass_to(before + (BLOCK_S if course.harmless else hours * HOUR_S))
    course.clock.feeds_are_old()
    course.clock.step(course.clock.now() + BLOCK_S)
    asked = _heads(course)
    while _heads(course) == asked and any(keeper.awake() for keeper in course.keepers) and not course.finished():
        yield
    report.hits = int(course.clock.now() - before >= hours * HOUR_S)
    report.seen = f"{(course.clock.now() - before) // HOUR_S} hours between two looks"
    yield


def kill(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """SIGKILL; started again after so many blocks."""
    keeper = course.keepers[fault.keeper]
    _end(course, keeper, keeper.kill, report)
    head = course.head()
    while course.mining and course.head() - head < int(fault.more.get("blocks", 3)):
        yield
    keeper.start()


def stop(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """SIGSTOP for so many seconds of real time, while blocks go on."""
    keeper = course.keepers[fault.keeper]
    if not course.harmless:
        keeper.pause()
    head = course.head()
    for _ in _for(_seconds(fault, 1.5)):
        report.hits += keeper.frozen()
        yield
    report.seen = f"stopped at {report.hits} looks, while {course.head() - head} blocks came"
    keeper.resume()


def lock(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """Another process holds the journal's database locked."""
    keeper = course.keepers[fault.keeper]
    steps = len(keeper.traced())
    with contextlib.closing(sqlite3.connect(keeper.journal, isolation_level=None)) as db:
        if not course.harmless:
            db.execute("BEGIN IMMEDIATE")
        yield from _for(_seconds(fault, 1.5))
        if db.in_transaction:
            report.hits, report.seen = _writes(keeper, steps)
            db.execute("ROLLBACK")


def full(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """The disk that holds the journal is full (`lab/chaos/disk.py`)."""
    keeper = course.keepers[fault.keeper]
    steps, said = len(keeper.traced()), keeper.log().count(FULL)
    with contextlib.nullcontext() if course.harmless else filled(keeper.journal.parent):
        yield from _for(_seconds(fault, 1.5))
        report.hits, report.seen = _writes(keeper, steps)
    if keeper.log().count(FULL) == said:
        report.hits = 0


def host_clock(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """The keeper's machine has another time, from its next start on to the end of the month."""
    keeper, shift_s = course.keepers[fault.keeper], float(fault.more["shift_s"])
    keeper.stop()
    before = {row["id"] for row in keeper.rows()}
    keeper.start(replace(keeper.launch, clock_shift_s=0.0 if course.harmless else shift_s))
    while not course.finished():
        yield
    signed = [row["signed_at"] for row in keeper.rows() if row["id"] not in before]
    report.hits = sum(abs(at - time.time() - shift_s) < abs(shift_s) / 2 for at in signed)
    report.seen = f"{report.hits} of {len(signed)} transactions signed by a clock {shift_s:.0f} s off"


def absent(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """The keeper is down for so many hours of the chain's time."""
    keeper = course.keepers[fault.keeper]
    _end(course, keeper, keeper.stop, report)
    gone, seen = report.hits, report.seen
    yield from clock_jump(course, fault, report)
    report.hits, report.seen = min(gone, report.hits), f"{seen}; {report.seen}"
    keeper.start()


def missed(course: Course, _fault: Fault, report: Report) -> Iterator[None]:
    """All keepers are down for the whole period; the next one is to be carried, and nothing of the one missed."""
    for keeper in course.keepers:
        _end(course, keeper, keeper.stop, report)
    if course.harmless:
        return
    course.period += 1
    head = course.head()
    while course.head() - head < 3:
        yield
    for keeper in course.keepers:
        keeper.start()


def step(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """The keeper is started while an action is due and kills itself at a step, given as the launcher takes it
    (`kill_at`, `kill_before`, `kill_after`); then it is started again. With `trace` all steps are written down and
    nothing is killed. `wait_s`: chain time that passes before, so that a batch becomes possible."""
    keeper = course.keepers[fault.keeper]
    keeper.stop()
    # While nobody looks: the batch becomes possible.
    course.clock.step(course.clock.now() + int(fault.more.get("wait_s", 0)))
    fields: dict[str, Any] = {name: value for name, value in fault.more.items() if name != "wait_s"}
    if course.harmless:
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
    head = course.head()
    while course.head() - head < 2:
        yield
    keeper.start()


def odd(course: Course, fault: Fault, report: Report) -> Iterator[None]:
    """One odd answer after the other to one method, from the keeper's first endpoint, `times` times each, until the
    month is done. With `at_start` it meets a keeper that starts, else one that runs. Each meets one that knows nothing
    of the others."""
    keeper, method = course.keepers[fault.keeper], str(fault.more["method"])
    for shape in str(fault.more["shapes"]).split(","):
        exits, said = len(keeper.exits), len(keeper.log())
        rule = Rule("odd", method, int(fault.more["times"]), shape=shape, within_s=ODD_WITHIN_S)
        if not fault.more.get("at_start"):
            yield from _afresh(course, keeper)
        keeper.proxies[0].arm(rule)
        if fault.more.get("at_start"):
            keeper.kill()
            keeper.start()
        while not rule.over(time.monotonic()) and not course.finished():
            yield
        keeper.proxies[0].disarm(rule)
        head = course.head()
        for _ in _for(ODD_WITHIN_S if rule.arrived else 0):
            if course.finished() or (keeper.awake() and keeper.looked(head)):
                break
            yield
        if rule.arrived:
            # Asked again: it notes an end of the process.
            ended = not keeper.alive() or len(keeper.exits) > exits or CRASH in keeper.log()[said:]
            course.cases.append(OddCase(method, shape, len(keeper.proxies), ended, _trouble(keeper.log()[said:])))
            report.hits += 1
            report.seen = f"{report.hits} shapes handed over"
        if course.finished():
            return


def _afresh(course: Course, keeper: FaultyKeeper) -> Iterator[None]:
    """The keeper started again, and looking at the chain."""
    keeper.kill()
    keeper.start()
    while keeper.alive() and keeper.pulse() is None and not course.finished():
        yield


def _trouble(log: str) -> str:
    """The last warning or error of a log."""
    words = ("[warning", "[error", "[critical", "Error")
    lines = [line for line in log.splitlines() if any(word in line for word in words) and "advice=" not in line]
    return lines[-1].partition("Z ")[2][:200] if lines else ""


def _heads(course: Course) -> int:
    """How often any keeper has asked for a head."""
    return sum(keeper.asked("eth_getBlockByNumber") for keeper in course.keepers)


def _end(course: Course, keeper: FaultyKeeper, how: Callable[[], object], report: Report) -> None:
    """Ends a keeper that runs; notes that it is gone, and what it left."""
    ran, mine = keeper.alive(), len(course.pooled())
    if not course.harmless:
        how()
    report.hits += ran and not keeper.alive()
    report.seen = f"{report.hits} ended in block {course.head()}, {mine} transactions pending"


def _writes(keeper: FaultyKeeper, since: int) -> tuple[int, str]:
    """How often it has begun to write into its journal after so many steps, also in words."""
    found = sum(" journal " in line for line in keeper.traced()[since:])
    return found, f"{found} writes into the journal tried"


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
    "host_clock": host_clock,
    "absent": absent,
    "missed": missed,
    "step": step,
    "odd": odd,
}
