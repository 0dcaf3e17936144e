"""A market that runs: reads a block, decides, sends at most one transaction, and reads again, as the keeper does.

Sent transactions are kept in a journal like the keeper's, and what there is to do follows from the chain. So a market
that is killed continues where it was, and does nothing twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from ballast.abi import call_data, selector
from ballast.files import replace_json
from ballast.units import DAY_S
from keeper.errors import FeeTooHighError, KeeperError, SettingsError, UnforeseenError
from keeper.look.fund_reader import Head
from keeper.ops.facts import MAX_BACK_OFF_S
from keeper.ops.liveness import Interrupted, Stop
from keeper.ops.pulse import Pulse, State
from keeper.ops.troubles import Troubles
from keeper.sending.journal import Entry, Journal, Status
from keeper.sending.sender import Mined, Sender
from keeper.sending.simulate import Call
from sandbox.decide import POST_GAS, Decision, MarketState, Spent, Terms, decide
from sandbox.reader import MarketReader
from sandbox.series import Course, Series

log = structlog.get_logger("sandbox.market")

POST, POST_AND_FOLLOW, FOLLOW = "post(uint64[])", "postAndFollow(uint64[],uint256[])", "follow(uint256[])"
SELECTORS = frozenset("0x" + selector(function).hex() for function in (POST, POST_AND_FOLLOW, FOLLOW))
"""The only functions that the market's key signs calls of."""
DUE, MOVED, FOLLOWED = "post", "move", "follow"
"""Actions in the journal: a post that the heartbeat requires, one of prices that have moved, pools alone."""
SAID_EVERY_S = 900
"""Seconds of chain time after which what is skipped is logged again."""


@dataclass(frozen=True)
class Source:
    """The parameters of a course of prices: with other ones a new course begins, at the prices of the moment."""

    chain_id: int
    market: str
    prices: str
    begins: str
    seed: int
    daily_bps: int
    speed: int


def course_of(path: Path, source: Source, state: MarketState) -> Course:
    """The saved course, or a new one from the current prices, which is then saved. Raises SettingsError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["source"] == asdict(source):
            course = Course(found["since"], found["at"], found["speed"], tuple(found["answers"]))
            if course.since <= state.time and len(course.answers) == len(state.answers):
                return course
    except FileNotFoundError:
        pass
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path}: is no course of prices ({error}); move it away to begin a new one") from None
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from None
    course = Course(state.time, 0, source.speed, state.answers)
    try:
        replace_json(path, {"source": asdict(source), **asdict(course)}, indent=1)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written ({error.strerror})") from None
    return course


def spent_of(entries: Iterable[Entry], now: int) -> Spent:
    """Gas of the 24 hours before `now`: what was used, or may be used by open transactions; of each nonce only the
    latest."""
    total = beyond = 0
    latest: dict[int, Entry] = {}
    for entry in entries:
        if entry.status not in (Status.REPLACED, Status.CANCELLED) and (entry.signed_at or 0) > now - DAY_S:
            latest[entry.nonce] = entry
    for entry in latest.values():
        gas = entry.gas if entry.gas_used is None else entry.gas_used
        total += gas
        beyond += max(0, gas - POST_GAS) if entry.action == DUE else gas
    return Spent(total, beyond)


def call_of(decision: Decision, market: str) -> Call | None:
    """The transaction for a decision, if any."""
    action = FOLLOWED if decision.answers is None else DUE if decision.due else MOVED
    if decision.answers is None:
        if not decision.numbers:
            return None
        data = call_data(FOLLOW, decision.numbers)
    elif decision.numbers:
        data = call_data(POST_AND_FOLLOW, decision.answers, decision.numbers)
    else:
        data = call_data(POST, decision.answers)
    return Call(action, 0, market, data)


class LivingMarket:
    """`tick` does what is due now, `run` repeats it until stopped. `dated`: called with the chain's time of each block,
    which dates the journal's entries."""

    def __init__(
        self,
        reader: MarketReader,
        head: Callable[[], Head],
        sender: Sender,
        journal: Journal,
        prices: Callable[[int], Sequence[int]],
        terms: Terms,
        stop: Stop,
        poll_seconds: float,
        dated: Callable[[int], None],
        pulse: Path | None = None,
    ) -> None:
        self._reader = reader
        self._head = head
        self._sender = sender
        self._journal = journal
        self._prices = prices
        self._terms = terms
        self._stop = stop
        self._poll_seconds = poll_seconds
        self._dated = dated
        self._pulse = pulse
        self._looked_at = ""
        self._failures = 0
        self._entries: list[Entry] | None = None
        self._said_at: int | None = None
        self._troubles = Troubles()

    def tick(self) -> Mined | None:
        """One step, at most one transaction; the one that was mined. Raises KeeperError."""
        if self._sender.unresolved:
            self._entries = None
            mined = self._sender.settle()
            if mined is not None:
                log.info("an earlier transaction was mined", action=mined.action, hash=mined.hash)
            if self._sender.unresolved:
                return None
        head = self._head()
        if head.hash == self._looked_at:
            return None
        self._dated(head.time)
        if self._sender.watch(head):
            self._entries = None
            return None
        state = self._reader.read(head)
        if self._entries is None:
            self._entries = self._journal.all()
        spent = spent_of(self._entries, head.time)
        decision = decide(state, self._prices(head.time), spent, self._terms)
        self._say(decision, spent, head.time)
        self._looked_at = head.hash
        call = call_of(decision, self._reader.book.market)
        mined = None if call is None else self._send(call, decision)
        self._write(head, state, call, mined)
        return mined

    def _write(self, head: Head, state: MarketState, call: Call | None, mined: Mined | None) -> None:
        """Writes a pulse with the result of the look, in the keeper's format."""
        if self._pulse is not None:
            action = "none" if call is None else call.action
            due = state.posted_at + self._terms.post_after
            sent = () if mined is None else (mined.hash,)
            how: State = "idle" if call is None else "waiting" if mined is None else "sent"
            Pulse(head.number, head.time, action, "heartbeat", due, None, sent, how).write(self._pulse)

    def _send(self, call: Call, decision: Decision) -> Mined | None:
        self._entries = None
        try:
            mined = self._sender.send(call)
        except FeeTooHighError as error:
            log.info("waiting for cheaper gas", error=str(error))
            return None
        if mined is not None:
            log.info(
                "mined",
                action=mined.action,
                posted=decision.answers is not None,
                pools=len(decision.numbers),
                gas=mined.gas_used,
                hash=mined.hash,
            )
        return mined

    def _say(self, decision: Decision, spent: Spent, now: int) -> None:
        """Logs what the budget does not allow: at once, and again from time to time."""
        if not decision.skipped:
            self._said_at = None
        elif self._said_at is None or now - self._said_at >= SAID_EVERY_S:
            self._said_at = now
            log.warning(
                "budget used up",
                skipped="; ".join(decision.skipped),
                spent=spent.total,
                gas_per_day=self._terms.gas_per_day,
            )

    def run(self) -> None:
        """Runs until stopped. Errors, of this program too, are logged and retried."""
        try:
            while not self._stop.is_set():
                self._stop.rest(self._tick_or_back_off())
        except Interrupted:
            log.warning("stopped in the middle of a wait for the node")
        log.info("stopped")

    def _tick_or_back_off(self) -> float:
        """Runs a tick; seconds to wait for the next."""
        try:
            mined = self.tick()
        except Exception as caught:
            error = caught if isinstance(caught, KeeperError) else self._troubles.unforeseen("market", caught)
            self._failures += 1
            self._looked_at, self._entries = "", None
            wait: float = min(MAX_BACK_OFF_S, self._poll_seconds * 2 ** min(self._failures, 10))
            if not isinstance(error, UnforeseenError):  # which has been logged already
                log.error("step failed", error=str(error), again_in_s=round(wait, 2))
            return wait
        self._failures = 0
        return 0 if mined is not None else self._poll_seconds


def prices_of(series: Series, symbols: Sequence[str], course: Course) -> Callable[[int], tuple[int, ...]]:
    """The answers at a chain time, by number."""
    return lambda now: course.at_time(series, symbols, now)
