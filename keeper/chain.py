"""Reading the fund: one call for everything in a block, and the month's events for pace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
import structlog
import tenacity
from eth_typing import ChecksumAddress
from web3 import HTTPProvider, Web3
from web3.exceptions import BlockNotFound, Web3Exception

from ballast.book import Book
from keeper import contracts
from keeper.errors import ChainError, SettingsError
from keeper.market import Market, ascending, market_of
from keeper.state import (
    Action,
    FundState,
    Holding,
    Limits,
    Opening,
    Phase,
    PoolState,
    Progress,
    Reason,
    Side,
    Timetable,
)
from keeper.venues import Pool
from keeper.venues.v2 import V2Pool
from keeper.venues.v3 import VENUE as V3_VENUE
from keeper.venues.v3_reader import V3Reader

TIMEOUT_S = 20
CHUNK = 2_000
"""Blocks per request for events; common nodes allow at least as many."""
REORG = 64
"""Newest blocks whose events are read again each time."""
V2_VENUES = ("uniswap", "sushiswap")
POOL_FEE_BPS = 30
"""What the filler computes with in these; pools of another fee are left alone."""

T = TypeVar("T")
log = structlog.get_logger("keeper.chain")


@dataclass(frozen=True)
class Head:
    """The latest block: number, hash, time (Unix seconds), base fee (wei, 0 where the chain has none)."""

    number: int
    hash: str
    time: int
    base_fee: int


def connect(url: str) -> Web3:
    """A connection that repeats nothing by itself: whether to send again is for the sender to decide."""
    return Web3(HTTPProvider(url, request_kwargs={"timeout": TIMEOUT_S}, exception_retry_configuration=None))


@tenacity.retry(
    retry=tenacity.retry_if_exception_type(requests.exceptions.ConnectionError),
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_exponential(multiplier=0.1, max=2),
    reraise=True,
)
def _patiently(question: Callable[[], T]) -> T:
    return question()


def ask(question: Callable[[], T], what: str) -> T:
    """Answer of a question that changes nothing, asked again if the connection fails. Raises ChainError."""
    try:
        return _patiently(question)
    except requests.exceptions.RequestException as error:
        raise ChainError(f"{what}: the node does not answer ({type(error).__name__})") from error
    except (Web3Exception, ValueError) as error:
        raise ChainError(f"{what}: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


class Chain:
    """One fund on one chain, for reading."""

    def __init__(self, w3: Web3, book: Book) -> None:
        self.w3 = w3
        self.book = book
        self._lens = w3.eth.contract(address=_address(book["lens"]), abi=contracts.abi("FundLens"), decode_tuples=True)
        self._pools = [
            (token, pool.other, pool.venue, _address(pool.pair))
            for token, pool in book.pools(*V2_VENUES)
            if pool.fee_bps == POOL_FEE_BPS
        ]
        self._v3 = v3_reader_of(w3, book)
        self.history = History(w3, book)

    def check(self, chain_id: int | None) -> None:
        """Raises SettingsError unless this is the book's chain and its contracts stand there, ChainError if nothing
        answers. `chain_id`: the configured one, None if not given."""
        found = ask(lambda: self.w3.eth.chain_id, "BALLAST_RPC_URL")
        if chain_id is not None and found != chain_id:
            raise SettingsError(f"BALLAST_CHAIN_ID: is {chain_id}, the node is on chain {found}; connect to {chain_id}")
        if found != self.book.chain_id:
            raise SettingsError(
                f"BALLAST_RPC_URL: the node is on chain {found}, the fund {self.book.fund!r} of the address book on "
                f"chain {self.book.chain_id}; connect to that chain or name another BALLAST_BOOK"
            )
        lenses = ("lens", "v3_lens") if self._v3 is not None else ("lens",)
        for name in ("index_token", "rebalancer", *lenses, "filler"):
            address = _address(self.book[name])
            if not ask(lambda a=address: self.w3.eth.get_code(a), name):  # type: ignore[misc]
                raise SettingsError(
                    f"BALLAST_BOOK: {name} is {address}, where chain {found} has no contract; deploy the fund there "
                    "or name another book"
                )

    def head(self) -> Head:
        """The latest block."""
        block = ask(lambda: self.w3.eth.get_block("latest"), "latest block")
        return Head(block["number"], block["hash"].to_0x_hex(), block["timestamp"], block.get("baseFeePerGas", 0))

    def tip(self) -> int:
        """The priority fee that the node proposes, wei."""
        return ask(lambda: self.w3.eth.max_priority_fee, "priority fee")

    def read(self, block: int) -> tuple[FundState, Market]:
        """Fund and pools as they stand in a block: one call, and one more where there are pools of Uniswap V3."""
        function = self._lens.functions.fundAndPools(
            _address(self.book["rebalancer"]), [pair for *_, pair in self._pools]
        )
        fund, reserves = ask(lambda: function.call(block_identifier=block), f"fund in block {block}")
        state = state_of(fund)
        pools: list[PoolState | Pool] = []
        for (token, other, venue, pair), (first, second) in zip(self._pools, reserves, strict=True):
            if other is not None:
                if first and second:
                    pools.append(V2Pool(venue, pair, ascending(token, other), (first, second)))
                continue
            tokens, weth = (first, second) if int(token, 16) < int(self.book.weth, 16) else (second, first)
            pools.append(PoolState(venue, pair, token, tokens, weth))
        if self._v3 is not None:
            reader = self._v3
            pools += ask(lambda: reader.read(block), f"V3 pools in block {block}")
        return state, market_of(self.book.weth, pools, state)


def v3_reader_of(w3: Web3, book: Book) -> V3Reader | None:
    """Reader of the book's pools of Uniswap V3; None if there are none. Raises SettingsError without their lens."""
    pools = [_address(pool.pair) for _, pool in book.pools(V3_VENUE)]
    if not pools:
        return None
    if "v3_lens" not in book.contracts:
        raise SettingsError(f"BALLAST_BOOK: names {len(pools)} pools of {V3_VENUE} but no v3_lens; deploy again")
    return V3Reader(w3, _address(book["v3_lens"]), pools)


@dataclass(frozen=True)
class Past:
    """What a month's trading has been so far: time of its start, time of the last batch (None: none yet), and the gas
    of all batches, whoever sent them (None: not known)."""

    started_at: int
    last_trade: int | None
    gas_spent: int | None


class History:
    """When the month's trading began, when its last batch was and what its batches took, from the rebalancer's events.

    Only pace depends on it. Where a node refuses to give events, what this keeper has seen itself stands in.
    """

    def __init__(self, w3: Web3, book: Book) -> None:
        self._w3 = w3
        self._rebalancer = _address(book["rebalancer"])
        self._first_block = book.deployed_block
        self._started = contracts.topic("Rebalancer", "Started")
        self._traded = contracts.topic("Rebalancer", "Traded")
        self._period = -1
        self._next = 0
        self._events: dict[int, str] = {}
        self._batches: set[tuple[int, str]] = set()
        self._gas: dict[tuple[int, str], int] = {}
        self._seen = 0
        self._refused = False

    def past(self, head: Head, state: FundState) -> Past:
        """Of the month that is trading."""
        period = state.month_period
        if period != self._period:
            self._period, self._next, self._events, self._seen = period, 0, {}, state.time
            self._batches, self._gas = set(), {}
        try:
            self._scan(head, period, state.determined_at)
        except ChainError as error:
            if not self._refused:
                log.warning("events not available, pacing by what this keeper sees", error=str(error))
            self._refused = True
            return Past(self._seen, None, None)
        starts = [block for block, kind in self._events.items() if kind == self._started]
        trades = [block for block, kind in self._events.items() if kind == self._traded]
        return Past(
            self._time(max(starts)) if starts else self._seen,
            self._time(max(trades)) if trades else None,
            self._gas_spent(),
        )

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
        if self._next:
            first = max(self._first_block, min(self._next, head.number + 1) - REORG)
            self._events = {block: kind for block, kind in self._events.items() if block < first}
            self._batches = {batch for batch in self._batches if batch[0] < first}
            self._read(first, head.number, period)
        else:
            # Backwards, as the start lies hours ago at most and the deployment perhaps years.
            last = head.number
            while last >= self._first_block:
                first = max(self._first_block, last - CHUNK + 1)
                self._read(first, last, period)
                if self._started in self._events.values() or self._time(first) < since:
                    break
                last = first - 1
        self._next = head.number + 1

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
                # One block may hold both: the start is what hours count from.
                if self._events.get(entry["blockNumber"]) != self._started:
                    self._events[entry["blockNumber"]] = kind

    def _time(self, block: int) -> int:
        def question() -> int:
            try:
                return int(self._w3.eth.get_block(block)["timestamp"])
            except BlockNotFound as error:
                raise ChainError(f"block {block}: gone") from error

        return ask(question, f"block {block}")


def state_of(fund: Any) -> FundState:
    """A `FundLens.Fund` as a FundState."""
    limits = fund.limits
    progress = fund.progress
    holdings = tuple(
        Holding(
            index=index,
            token=h.token,
            decimals=h.decimals,
            retired=h.retired,
            balance=h.balance,
            price=h.price,
            side=Side(h.target.side),
            unit=h.target.unit,
            start_price=h.target.price,
            trade_price=h.tradePrice,
        )
        for index, h in enumerate(fund.holdings)
    )
    return FundState(
        block=fund.blockNumber,
        time=fund.time,
        action=Action(fund.action),
        reason=Reason(fund.reason),
        next=fund.next,
        period=fund.period,
        phase=Phase(fund.month.phase),
        month_period=fund.month.period,
        determined_at=fund.month.determinedAt,
        opening=Opening(fund.opening.buyTargets, fund.opening.nav, fund.opening.end),
        progress=Progress(progress.tat, progress.spent, progress.surplus, progress.held),
        limits=Limits(
            first_tolerance=limits.firstTolerance,
            last_tolerance=limits.lastTolerance,
            batch_cap=limits.batchCap,
            loss_budget=limits.lossBudget,
            max_step=limits.maxStep,
            dust=limits.dust,
            cool_off=limits.coolOff,
            max_idle=limits.maxIdle,
        ),
        timetable=Timetable(
            fund.timetable.day,
            fund.timetable.fixedDay,
            fund.timetable.noticeDays,
            fund.timetable.minNotice,
            fund.timetable.minTrading,
        ),
        paused_until=fund.pausedUntil,
        supply=fund.supply,
        shares=fund.shares,
        idle=fund.idle,
        capacity=fund.capacity,
        tolerance=fund.tolerance,
        holdings=holdings,
    )


def _address(text: str) -> ChecksumAddress:
    return Web3.to_checksum_address(text)
