"""Runs a month for its keepers: mines the blocks, moves the time, and starts faults at their moments.

The chain does not wait for anybody: a block is mined as soon as every keeper that can look has looked at the last one,
or one has sent something, and after `PATIENCE_S` of real time in any case. Time jumps to the month's next step only
while no transaction is pending. So a keeper that hangs, sleeps or cannot reach the node misses blocks, as it would in
production.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ballast.book import Book
from ballast.rule.arithmetic import execution_time, period_start
from ballast.units import BLOCK_S, DAY_S
from lab.chaos.history import ACTIONS, events, selectors
from lab.chaos.keepers import FaultyKeeper
from lab.localnet.errors import LocalnetError
from lab.localnet.market import Market
from lab.localnet.rpc import HttpRpc
from lab.localnet.world import World
from lab.testbed.clock import Clock, next_look

PERIOD = 2021 * 12 + 3
NOTICE_S = 7 * DAY_S
PATIENCE_S = 0.6
"""Longest real time that a block waits for a keeper that runs."""
ALONE_S = 0.05
"""A block's real time while no keeper can look."""
READY_WITHIN_S = 40.0
QUIET_BLOCKS = 12
"""Blocks before anything is due, so that the deepest reorganization has room."""
MAX_BLOCKS = 1_500


class MiningRpc:
    """A connection for moving the world: its transactions are mined at once, although the chain mines on request."""

    def __init__(self, rpc: HttpRpc) -> None:
        self._rpc = rpc
        self.batch = rpc.batch
        self.close = rpc.close

    def request(self, method: str, *params: Any) -> Any:
        result = self._rpc.request(method, *params)
        if method == "eth_sendTransaction":
            self._rpc.request("evm_mine")
        return result


@dataclass
class Report:
    """What became of a fault: how often it was seen to arrive, a description, and when it was over (monotonic real
    time, and the head then)."""

    kind: str
    at: str
    hits: int = 0
    seen: str = ""
    counted: Callable[[], tuple[int, str]] | None = None
    """Returns `hits` and `seen` where they are known only at the month's end."""
    began_at: float | None = None
    ended_at: float | None = None
    head_at_end: int = 0
    recovered_at: float | None = None
    mined_at_end: int = 0

    @property
    def recovery_s(self) -> float | None:
        """Real seconds from the fault's end until a keeper has got something mined or has looked at the chain again."""
        if self.ended_at is None or self.recovered_at is None:
            return None
        return max(0.0, self.recovered_at - self.ended_at)


@dataclass(frozen=True)
class OddCase:
    """Result of an odd answer: whether the process ended, and the last warning or error that it logged."""

    method: str
    shape: str
    endpoints: int
    process_ended: bool
    told: str


@dataclass
class MonthRun:
    """A running month. `reached`: the moments that have come, such as `determine:due` and `trade1:mined`."""

    rpc: MiningRpc
    clock: Clock
    book: Book
    keepers: list[FaultyKeeper]
    first_block: int
    period: int = PERIOD
    harmless: bool = False
    """The faults begin at their moments and do nothing, so each must be reported as not arrived."""
    mining: bool = True
    longest_stall: int = 0
    """Most blocks in a row in which no keeper looked at the chain, sent anything or got anything mined."""
    reached: set[str] = field(default_factory=set)
    reorganized: bool = False
    patience_s: float = PATIENCE_S
    running: list[tuple[Report, Iterator[None]]] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    cases: list[OddCase] = field(default_factory=list)
    _actions: dict[str, str] = field(default_factory=selectors)
    _pool: set[str] = field(default_factory=set)
    _done: dict[str, int] = field(default_factory=dict)
    _mark: tuple[object, ...] = ()
    _stall: int = 0

    # What the chain says

    def head(self) -> int:
        return self.clock.latest()[0]

    def done(self) -> dict[str, int]:
        """How often each event of the month has happened."""
        found = dict.fromkeys(("determined", "started", "traded", "closed"), 0)
        for event in events(self.rpc, self.book["rebalancer"], self.first_block):
            if event.period == self.period:
                found[event.name] += 1
        return found

    def pooled(self) -> dict[str, str]:
        """The keepers' pending transactions: hash and action."""
        found = {}
        content = self.rpc.request("txpool_content")
        mine = {keeper.address.lower() for keeper in self.keepers}
        for part in ("pending", "queued"):
            for sender, transactions in content[part].items():
                if sender.lower() in mine:
                    for tx in transactions.values():
                        found[str(tx["hash"])] = self._actions.get(tx["input"][:10], "")
        return found

    def due(self) -> str:
        """The month's next step, batches numbered."""
        done = self._done
        if not done.get("determined"):
            return "determine"
        if not done.get("started"):
            return "start"
        return f"trade{done['traded'] + 1}"

    def finished(self) -> bool:
        return bool(self._done.get("closed"))

    # The run itself

    def beat(self) -> None:
        """One beat: records what has changed, advances the faults whose moment has come, and mines a block unless
        mining is off."""
        self._look()
        self._advance()
        if not self.mining:
            time.sleep(0.02)
            return
        self._pace()
        self._look()
        self._advance()
        if self.mining:
            self._block()
            self._count_stall()

    def ready(self) -> None:
        """Waits until every keeper that runs has looked once. Raises MonthRunError."""
        end = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < end:
            if all(keeper.pulse() is not None for keeper in self.keepers if keeper.awake()):
                return
            time.sleep(0.02)
        raise MonthRunError("a keeper did not look at the chain once after its start")

    def quiet(self) -> None:
        """Mines a few blocks in which nothing is due."""
        for _ in range(QUIET_BLOCKS):
            self.clock.step(self.clock.now() + BLOCK_S)

    def _look(self) -> None:
        """Records which moments have come. What was mined was pending too, even if nobody saw it."""
        done = self._done = self.done()
        mined = [action for name, action in (("determined", "determine"), ("started", "start")) if done[name]]
        mined += [f"trade{number}" for number in range(1, done["traded"] + 1)]
        for action in mined:
            self.reached |= {f"{action}:pooled", f"{action}:mined"}
        if done["closed"]:
            self.reached.add("close:mined")
        self._note(self.pooled())
        due = self.due()
        if self.clock.now() >= self._due_time():
            self.reached.add(f"{due}:due")

    def _note(self, pooled: dict[str, str]) -> bool:
        """Records what is pending; whether that is a moment that had not come before."""
        due = self.due()
        found = {f"{due if action == 'trade' else action}:pooled" for action in pooled.values() if action in ACTIONS}
        new = not found <= self.reached
        self.reached |= found
        return new

    def _due_time(self) -> int:
        due = self.due()
        if due == "determine":
            return period_start(self.period, NOTICE_S)
        return execution_time(self.period) if due == "start" else 0

    def _advance(self) -> None:
        for item in list(self.running):
            report, steps = item
            if report.began_at is None:
                if report.at not in self.reached:
                    continue
                report.began_at = time.monotonic()
            try:
                next(steps)
            except StopIteration:
                report.ended_at = report.ended_at or time.monotonic()
                report.head_at_end = self.head()
                report.mined_at_end = self._nonces()
                self.running.remove(item)
        for report in self.reports:
            if report.ended_at is not None and report.recovered_at is None and self._recovered(report):
                report.recovered_at = time.monotonic()

    def _recovered(self, report: Report) -> bool:
        """Whether a keeper has got something mined since the fault's end, or has looked at a block from then on."""
        if self._nonces() > report.mined_at_end:
            return True
        return any(keeper.awake() and keeper.looked(report.head_at_end) for keeper in self.keepers)

    def _nonces(self) -> int:
        answers = self.rpc.batch([("eth_getTransactionCount", (keeper.address, "latest")) for keeper in self.keepers])
        return sum(int(answer, 16) for answer in answers)

    def _pace(self) -> None:
        head = self.head()
        end = time.monotonic() + (self.patience_s if any(k.awake() for k in self.keepers) else ALONE_S)
        while time.monotonic() < end:
            if set(self.pooled()) - self._pool:
                return
            awake = [keeper for keeper in self.keepers if keeper.awake()]
            if awake and all(keeper.looked(head) for keeper in awake):
                return
            time.sleep(0.01)

    def _count_stall(self) -> None:
        awake = [keeper for keeper in self.keepers if keeper.awake()]
        pulses = [pulse for keeper in awake if (pulse := keeper.pulse()) is not None and pulse.state != "error"]
        mark = (max((pulse.block for pulse in pulses), default=0), frozenset(self._pool), tuple(self._done.values()))
        self._stall = self._stall + 1 if awake and mark == self._mark and not self.finished() else 0
        self._mark, self.longest_stall = mark, max(self.longest_stall, self._stall)

    def _block(self) -> None:
        pooled = self.pooled()
        if self._note(pooled):
            return  # a new moment: its faults come before the block
        self._pool = set(pooled)
        now = self.clock.now()
        due = self._due_time()
        if now < due:
            self.clock.jump(due)
            return
        head = self.head()
        waiting = [keeper for keeper in self.keepers if keeper.awake()]
        pulses = [keeper.pulse() for keeper in waiting]
        if pooled or not waiting or not self._done.get("started") or self.finished():
            self.clock.step(now + BLOCK_S)
        elif all(pulse is not None and pulse.block >= head for pulse in pulses):
            times = [pulse.possible_from for pulse in pulses if pulse and pulse.possible_from is not None]
            self.clock.step(next_look(now, min(times, default=None), self.clock.next_rest()))
        else:
            self.clock.step(now + BLOCK_S)


class MonthRunError(LocalnetError):
    """The month could not be completed; the message is one line."""


def month_run_on(connection: HttpRpc, world: World, book: Book, keepers: Sequence[FaultyKeeper]) -> MonthRun:
    """The month's run on a fresh chain in the saved state."""
    rpc = MiningRpc(connection)
    rpc.request("evm_setAutomine", False)
    clock = Clock(rpc, Market(rpc, world))
    first = clock.latest()[0]
    month = MonthRun(rpc, clock, book, list(keepers), first)
    month.quiet()
    return month
