"""Reads what may be coming, which a look at the fund does not show: ageing feeds, supplies that go stale, the
determination, and the timelock's operations. Reads seldom: these change in hours and days, and most ticks stay cheap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import structlog
from eth_typing import HexStr
from web3 import Web3

from ballast.abi import call_data, decode_view
from ballast.book import Book
from ballast.rule import packed
from ballast.rule.types import Decision
from ballast.steering.calls import Decoded, addresses_in, decode
from ballast.steering.in_force import InForce
from ballast.steering.operations import Operation
from ballast.steering.words import Context
from ballast.units import DAY_S, HOUR_S
from ballast.values import NO_ADDRESS
from keeper.errors import ChainError
from keeper.look import contracts
from keeper.look.in_force import read_in_force
from keeper.look.retry import Head, ask_all
from keeper.look.rpc.endpoint import Question
from keeper.look.rpc.pool import in_block
from keeper.look.strangers import KindOf, look_at
from keeper.look.timelock import Timelock, TimelockReader
from keeper.state import FundState, Phase

log = structlog.get_logger("keeper.look.outlook")

EVERY_S = 300
"""Seconds of chain time between two reads."""
SPAN = 10_000
"""Blocks of the timelock's past per read: more than a day. Some nodes limit the blocks of a request."""
RETRY_S = 60
"""Seconds of chain time until the next read after one that failed."""
IN_FORCE_S = HOUR_S
"""Seconds of chain time after which the owner's settings are read again, if no operation has ended meanwhile."""
RECENT_S = 3 * DAY_S
"""Seconds for which the outlook keeps an executed or cancelled operation."""
PEGGED = 2
"""`Quote` of a source that takes another token's price."""
_ROUND = ["uint80", "int256", "uint256", "uint256", "uint80"]


@dataclass(frozen=True)
class Answer:
    """A feed's last answer: the tokens that it prices (the zero address: ether), its time (Unix seconds, 0: the feed
    gives none), and for how many seconds it is valid."""

    tokens: tuple[str, ...]
    feed: str
    given_at: int
    max_age: int

    @property
    def until(self) -> int:
        """Until when it is valid, Unix seconds."""
        return self.given_at + self.max_age


@dataclass(frozen=True)
class PostedDate:
    """A posted supply of a candidate: its date, and until when it counts as fresh, Unix seconds."""

    token: str
    date: int
    until: int


@dataclass(frozen=True)
class Announced:
    """An operation of the timelock and its calls in words, with warnings."""

    operation: Operation
    calls: tuple[Decoded, ...]

    @property
    def words(self) -> str:
        """The calls in one line, with their warnings."""
        warnings = [warning for call in self.calls for warning in call.warnings]
        said = "; ".join(call.words for call in self.calls)
        return said + (f". WARNING: {'; '.join(warnings)}" if warnings else "")


@dataclass(frozen=True)
class Outlook:
    """The outlook in a block. `determined`: the rows of a determination that waits for its start, else empty;
    `operations`: open ones, and those that ended in the last `RECENT_S`; `min_delay`: the timelock's, seconds."""

    block: int
    time: int
    answers: tuple[Answer, ...] = ()
    posted: tuple[PostedDate, ...] = ()
    determined: tuple[Decision, ...] = ()
    operations: tuple[Announced, ...] = ()
    min_delay: int = 0

    @cached_property
    def open(self) -> tuple[Announced, ...]:
        """Operations that are neither executed nor cancelled, earliest ready first."""
        return tuple(sorted((a for a in self.operations if a.operation.open), key=lambda a: a.operation.ready))


class OutlookReader:
    """Reads one fund's outlook. Works on with the last one if no node answers. `kind_of` recognizes the release's
    contracts by their code."""

    def __init__(self, w3: Web3, book: Book, kind_of: KindOf) -> None:
        self._w3 = w3
        self._kind_of = kind_of
        self._context = Context(book)
        self._book = book
        self._timelock = TimelockReader(w3, book, span=SPAN)
        self._in_force: InForce | None = None
        self._ended: frozenset[str] = frozenset()
        self._last: Outlook | None = None
        self._month: object = None
        self._due = 0
        self._refused = False
        self._words: dict[str, tuple[Decoded, ...]] = {}
        """By operation id: its calls in words, compared with what was in force when it was last seen open."""

    def outlook(self, head: Head, state: FundState) -> Outlook | None:
        """The outlook, read now if that is due, else as last read; None before the first successful read."""
        month = (state.phase, state.month_period, state.determined_at)
        if month == self._month and self._due - EVERY_S <= head.time < self._due:
            return self._last
        try:
            self._last = self._read(head, state)
        except ChainError as error:
            if not self._refused:
                log.warning("what may be coming is not known", error=str(error))
            self._refused, self._due = True, head.time + RETRY_S
            if month != self._month and self._last is not None:
                self._last = replace(self._last, determined=())
        else:
            self._refused, self._due = False, head.time + EVERY_S
        self._month = month
        return self._last

    def _read(self, head: Head, state: FundState) -> Outlook:
        timelock = self._timelock.read(head)
        in_force = self._read_in_force(head, timelock)
        answers, determined = self._answers(head, state, in_force)
        told = [one for one in timelock.operations if one.ended is None or head.time - one.ended <= RECENT_S]
        context = replace(self._context, in_force=in_force)
        calls = [call for one in told for call in one.calls]
        named = {address for call in calls for address in addresses_in(context, call.target, call.data)}
        self._context = context = look_at(self._w3, context, named, self._kind_of)
        return Outlook(
            block=head.number,
            time=head.time,
            answers=answers,
            posted=tuple(_posted(self._book, in_force)),
            determined=determined,
            operations=tuple(self._announced(context, one) for one in told),
            min_delay=in_force.min_delay,
        )

    def _announced(self, context: Context, operation: Operation) -> Announced:
        """An operation in words. One that has ended keeps its words: compared with what is in force now, it would
        change nothing."""
        if operation.open or operation.id not in self._words:
            held = context if operation.open else replace(context, in_force=None)
            calls = tuple(decode(held, call.target, call.data, call.value) for call in operation.calls)
            self._words[operation.id] = calls
        return Announced(operation, self._words[operation.id])

    def _read_in_force(self, head: Head, timelock: Timelock) -> InForce:
        """The owner's settings, read again when they may have changed."""
        ended = frozenset(one.id for one in timelock.operations if not one.open)
        old = self._in_force
        if old is None or ended != self._ended or not 0 <= head.time - old.time < IN_FORCE_S:
            self._in_force = old = read_in_force(self._w3, self._book, head, timelock)
            self._ended = ended
        return old

    def _answers(
        self, head: Head, state: FundState, in_force: InForce
    ) -> tuple[tuple[Answer, ...], tuple[Decision, ...]]:
        """Each feed's last answer, and the determination if one waits, in one round trip."""
        feeds = _feeds(state, in_force)
        asked = [(feed, call_data("latestRoundData()")) for feed in feeds]
        if state.phase is Phase.DETERMINED:
            lens, rebalancer = self._book["lens"], self._book["rebalancer"]
            asked.append((lens, HexStr(contracts.call_data("FundLens", "constituents", rebalancer))))
        where = in_block(head.hash)
        questions: list[Question] = [
            ("eth_call", [{"to": Web3.to_checksum_address(to), "data": data}, where]) for to, data in asked
        ]
        found = ask_all(self._w3, questions, "what may be coming", reverts=True) if questions else []
        answers = tuple(
            Answer(tuple(tokens), feed, _given_at(answer), max_age)
            for (feed, (tokens, max_age)), answer in zip(feeds.items(), found, strict=False)
        )
        if state.phase is not Phase.DETERMINED:
            return answers, ()
        try:
            (rows,) = contracts.returned("FundLens", "constituents", found[-1] or "0x")
        except ValueError as error:
            raise ChainError(f"what may be coming: {error}") from None
        return answers, tuple(packed.decision(row._asdict()) for row in rows)


def _feeds(state: FundState, in_force: InForce) -> dict[str, tuple[list[str], int]]:
    """The feeds of all tokens that the fund holds or may add, each with its tokens and the shortest life of an answer.
    Suspended and written-off components need no price."""
    inactive = {h.token for h in state.holdings if not state.active(h)}
    held = {h.token for h in state.holdings if state.active(h)}
    wanted = {*held, *in_force.candidates, *in_force.weights} - inactive
    listed = {token: feed for token, feed in in_force.feeds.items() if token in wanted}
    # Also the feeds on which pegs and feeds in ether are based.
    listed |= _bases(listed.values(), in_force)
    found: dict[str, tuple[list[str], int]] = {}
    for token, feed in sorted(listed.items()):
        if feed["quote"] != PEGGED:
            tokens, age = found.get(feed["feed"], ([], feed["max_age"]))
            found[feed["feed"]] = ([*tokens, token], min(age, feed["max_age"]))
    return found


def _bases(feeds: Iterable[Mapping[str, object]], in_force: InForce) -> dict[str, Mapping[str, object]]:
    named = {str(feed["feed"]) if feed["quote"] == PEGGED else NO_ADDRESS for feed in feeds if feed["quote"]}
    return {token: in_force.feeds[token] for token in named if token in in_force.feeds}


def _given_at(answer: str | None) -> int:
    decoded = None if answer is None else decode_view(bytes.fromhex(answer.removeprefix("0x")), _ROUND)
    return 0 if decoded is None else int(decoded[3])


def _posted(book: Book, in_force: InForce) -> Iterable[PostedDate]:
    """Dates of the candidates with a posted supply."""
    if in_force.rule is None:
        return
    for token, candidate in in_force.candidates.items():
        if candidate["source"] == book.contracts.get("posted_supply") and token in in_force.posted:
            date = in_force.posted[token][1]
            yield PostedDate(token, date, date + in_force.rule["max_supply_age"])
