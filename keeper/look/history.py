"""Reads the month's trading so far from events, for pacing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import structlog
from web3 import Web3
from web3.exceptions import BlockNotFound

from ballast.book import Book
from ballast.networks.presets import network_of
from keeper.errors import ChainError
from keeper.look import contracts
from keeper.look.retry import Head, ask
from keeper.state import TAT_SCALE, FundState, Progress

CHUNK = 2_000
"""Blocks per request for events; common nodes allow at least as many."""
MIN_STEP = 50
"""Fewest blocks per request on the way back to the month's start."""
REORG = 64
"""Ethereum blocks. The newest ones, whose events each look reads again, as a reorganization may change them."""
FAR = 50_000
"""Ethereum blocks between two looks, a week. After a larger gap reading restarts backwards from the head, which ends at
the month's start: an endpoint may once have named a block that no chain will ever have."""

log = structlog.get_logger("keeper.look.fund_reader")


@dataclass(frozen=True)
class Past:
    """A month's trading so far: chain time of its start and of the last batch (None: none yet), and the gas of all
    batches, whoever sent them (None: unknown)."""

    started_at: int
    last_trade: int | None
    gas_spent: int | None


class History:
    """Reads start, last batch and gas of the month's trading from the rebalancer's events.

    Only pacing depends on it. Without events, the fund's state shows a batch: it changes the progress. The batch's time
    is then that of the look that found the change, so late rather than early. A keeper that starts in the middle of a
    month without events assumes that the last batch was just now, and waits accordingly.
    """

    def __init__(self, w3: Web3, book: Book) -> None:
        self._w3 = w3
        self._rebalancer = Web3.to_checksum_address(book["rebalancer"])
        self._first_block = book.deployed_block
        network = network_of(book.chain_id)
        self._reorg, self._far = network.blocks(REORG), network.blocks(FAR)
        self._started = contracts.topic("Rebalancer", "Started")
        self._traded = contracts.topic("Rebalancer", "Traded")
        self._period = -1
        self._next = self._lowest = 0
        self._whole = False
        self._step = CHUNK
        self._events: dict[int, str] = {}
        self._batches: set[tuple[int, str]] = set()
        self._gas: dict[tuple[int, str], int] = {}
        self._refused = False
        self._started_at = 0
        self._last_trade: int | None = None
        self._progress: Progress | None = None
        self._looked = -1
        self._changed: tuple[int, int] | None = None

    def past(self, head: Head, state: FundState) -> Past:
        """The past of the month that is trading. If no node gives events, from the states seen so far."""
        period = state.month_period
        if period != self._period:
            self._period, self._gas = period, {}
            self._anew()
            self._begin(state)
        self._watch(state)
        gas = None
        try:
            self._scan(head, period, state.determined_at)
            starts = [block for block, kind in self._events.items() if kind == self._started]
            trades = [block for block, kind in self._events.items() if kind == self._traded]
            self._started_at = self._time(max(starts)) if starts else self._started_at
            self._last_trade = self._time(max(trades)) if trades else None
            gas = self._gas_spent()
            self._refused = False
        except ChainError as error:
            if not self._refused:
                log.warning("events not available, pacing by what this keeper sees", error=str(error))
            self._refused = True
        return Past(self._started_at, self._last_batch(), gas)

    def _anew(self) -> None:
        """Forgets all events."""
        self._next, self._events, self._batches = 0, {}, set()
        self._whole, self._step = False, CHUNK

    def _begin(self, state: FundState) -> None:
        """Derives start and last batch from the state at the month's first look: start sets tat to its own time, and a
        batch adds a fraction of a second to it."""
        seconds, fraction = divmod(state.progress.tat, TAT_SCALE)
        untouched = fraction == 0 and state.progress.spent == 0
        self._started_at = min(seconds, state.time) if untouched else state.time
        self._last_trade = None
        self._progress, self._looked = state.progress, state.time
        self._changed = None if untouched else (-1, state.time)

    def _watch(self, state: FundState) -> None:
        """Records the two looks between which the progress last changed. Pauses change tat alone."""
        if self._progress is not None and replace(self._progress, tat=0) != replace(state.progress, tat=0):
            self._changed = self._looked, state.time
        self._progress, self._looked = state.progress, state.time

    def _last_batch(self) -> int | None:
        """Time of the last batch: from the events, unless the state has changed after the last event."""
        if self._changed is None:
            return self._last_trade
        before, after = self._changed
        if self._last_trade is not None and self._last_trade > before:
            return self._last_trade
        return after

    def _gas_spent(self) -> int:
        """Gas of the month's batches."""
        for batch in self._batches - self._gas.keys():
            receipt = ask(
                lambda digest=batch[1]: self._w3.eth.get_transaction_receipt(digest),  # type: ignore[misc]
                "receipt of a batch",
            )
            self._gas[batch] = receipt["gasUsed"]
        return sum(self._gas[batch] for batch in self._batches)

    def _scan(self, head: Head, period: int, since: int) -> None:
        """Reads new events, then backwards to the month's start: that is hours ago, the deployment perhaps years.

        Keeps what it has read: if a node limits its answers, several looks together reach the start.
        """
        if self._next and abs(head.number - self._next) > self._far:
            self._anew()
        first = (
            max(self._first_block, min(self._next, head.number + 1) - self._reorg) if self._next else head.number + 1
        )
        self._events = {block: kind for block, kind in self._events.items() if block < first}
        self._batches = {batch for batch in self._batches if batch[0] < first}
        if self._next:
            self._read(first, head.number, period)
        else:
            self._lowest = first
        self._next = head.number + 1
        while not self._whole:
            last = self._lowest - 1
            first = max(self._first_block, last - self._step + 1)
            try:
                self._read(first, last, period)
            except ChainError:
                self._step = max(MIN_STEP, self._step // 4)
                raise
            self._lowest = first
            started = self._started in self._events.values()
            self._whole = started or first <= self._first_block or self._time(first) < since

    def _read(self, first: int, last: int, period: int) -> None:
        for start in range(first, last + 1, CHUNK):
            end = min(last, start + CHUNK - 1)
            logs = ask(
                lambda a=start, b=end: self._w3.eth.get_logs(  # type: ignore[misc]
                    {
                        "address": self._rebalancer,
                        "fromBlock": a,
                        "toBlock": b,
                        "topics": [[self._started, self._traded], "0x" + period.to_bytes(32, "big").hex()],
                    }
                ),
                "events of the month",
            )
            for entry in logs:
                kind = entry["topics"][0].to_0x_hex()
                if kind == self._traded:
                    self._batches.add((entry["blockNumber"], entry["transactionHash"].to_0x_hex()))
                # If a block has both, keep the start: the hours count from it.
                if self._events.get(entry["blockNumber"]) != self._started:
                    self._events[entry["blockNumber"]] = kind

    def _time(self, block: int) -> int:
        def question() -> int:
            try:
                return int(self._w3.eth.get_block(block)["timestamp"])
            except BlockNotFound as error:
                raise ChainError(f"block {block}: gone") from error

        return ask(question, f"block {block}")
