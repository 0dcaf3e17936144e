"""Runs the year's fund from month to month with the keeper, and measures each month against the index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from ballast.rule import packed
from ballast.rule.arithmetic import Position, cost_of, execution_time, period_start, residual, weights_of
from ballast.rule.methodology import Decision, Flag, HeldComponent, Status
from ballast.units import DAY_S, HOUR_S, WAD
from lab.replay import year_chain as chain
from lab.replay.carry import ReplayError, until, while_trading
from lab.replay.measure import flow_of
from lab.replay.year_chain import Cadence, YearFund
from lab.replay.year_data import DECIMALS, Snapshot, Year
from lab.replay.year_index import Index, IndexMonth, decide, included_weights, worth
from lab.testbed.chain import abi_of
from lab.testbed.clock import GAS_PRICE_GWEI
from lab.testbed.forked import ForkedChain
from lab.testbed.keepers import KeeperProcess, running_keeper

MAX_HOURS = 4
"""Hours of chain time within which the keeper plans to trade a month: few batches keep the replay short."""
MAX_TRADING_S = 3 * DAY_S
"""A month that is not done within this time is left until its period's end, when the keeper closes it."""
MAX_LOOKS = 3_000


What = Literal["traded", "skipped", "between"]
"""What happened in a month: traded, within the fund's band, or in the middle of a quarter."""


@dataclass(frozen=True)
class MonthResult:
    """One month. Money is USD with 18 decimals at the month's reference prices, weights 18-decimal fractions."""

    label: str
    what: What
    weights: dict[str, int]
    """Determined weights of the constituents, by symbol."""
    weights_held: dict[str, int]
    """Weights of what the fund holds when the trading is over."""
    entries: tuple[str, ...]
    exits: tuple[str, ...]
    clamped: tuple[str, ...]
    """Constituents whose supply was clamped or carried forward."""
    agrees: bool
    """Whether the Python methodology makes the same decisions from the same holdings, to the wei."""
    batches: int
    transactions: int
    foreign: int
    """Transactions between determination and end that neither the keeper nor the market sent."""
    gas: int
    trading_s: int
    done: bool
    """Whether all was traded; if not, the period's end closes the month."""
    turnover: int
    cost: int
    residual: int
    """Fraction of NAV, 18 decimals."""
    nav: int
    """USD of one share before the trading."""
    nav_after: int
    shares: int
    """At the end of the trading; 18 decimals."""
    index: IndexMonth
    index_after: int


@dataclass(frozen=True)
class _Determined:
    """A determination and its block. `agrees`: see `MonthResult`."""

    block: int
    decisions: list[Decision]
    agrees: bool


@dataclass(frozen=True)
class _Started:
    """A start and its block: units held and target units by symbol, token wei per 1e18 shares. `difference`: half the
    sum of |target - held weight| where the start found the fund within its band; then there are no targets."""

    block: int
    units: dict[str, int]
    targets: dict[str, int]
    difference: int | None = None


@dataclass
class _Progress:
    bar: Progress
    task: TaskID
    console: Console

    def say(self, label: str, text: str) -> None:
        self.bar.update(self.task, description=f"{label}: {text}")

    def done(self, label: str, text: str) -> None:
        self.bar.advance(self.task)
        self.console.print(f"{label}: {text}")


def carry_year(
    on: ForkedChain,
    year: Year,
    seed: Mapping[str, int],
    fee: int,
    cadence: Cadence,
    out: Path,
    console: Console,
    jump: int = chain.MAX_SUPPLY_JUMP,
) -> tuple[list[MonthResult], tuple[int, int] | None]:
    """Runs all months; their results, and the NAV and the index level on the closing day (None without one). `jump`:
    the rule's largest change of a supply, 18 decimals."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        progress = _Progress(bar, bar.add_task("deploying", total=len(year.snapshots)), console)
        fund = chain.prepare(on, year, fee, cadence, lambda text: progress.say("deploying", text), jump)
        index = Index(fund.rule, year.tokens, seed)
        settings = {"BALLAST_MAX_FEE_GWEI": str(4 * GAS_PRICE_GWEI), "BALLAST_MAX_HOURS": str(MAX_HOURS)}
        with running_keeper(on, out / "year-keeper.log", **settings) as keeper:
            months = _Months(fund, keeper, index, progress, set(seed))
            results = [months.carry(k) for k in range(len(year.snapshots))]
        return results, _close(fund, index)


def _close(fund: YearFund, index: Index) -> tuple[int, int] | None:
    """NAV of a share and index level at the prices of the day after the last month."""
    closing = fund.year.closing
    if closing is None:
        return None
    fund.clock.jump(max(execution_time(closing.period), fund.clock.now() + 1))
    return worth(chain.units(fund, fund.clock.latest()[0]), closing), index.level(closing)


class _Months:
    """The months of one fund, in order."""

    def __init__(
        self, fund: YearFund, keeper: KeeperProcess, index: Index, progress: _Progress, members: set[str]
    ) -> None:
        self._fund = fund
        self._keeper = keeper
        self._index = index
        self._progress = progress
        self._members = members
        self._previous: list[Decision] = []
        self._events = fund.on.w3.eth.contract(
            fund.rebalancer.address, abi=abi_of(fund.on.project, "Rebalancer")
        ).events

    def carry(self, k: int) -> MonthResult:
        """Runs one month from before its period to the end of its trading."""
        fund, snapshot = self._fund, self._fund.year.snapshots[k]
        label = snapshot.label
        begin = period_start(snapshot.period, fund.notice)
        if k:
            self._progress.say(label, "the market goes to the month's prices, the owner posts supplies")
            chain.turn(fund, snapshot, begin)
        elif snapshot.reserves:  # the local mainnet was built without them
            chain.to_prices(fund, snapshot)
        self._progress.say(label, "notice period")
        fund.clock.jump(begin)
        if k % fund.cadence.months:
            return self._between(snapshot)
        period = int(fund.rebalancer.currentPeriod())
        month = fund.rebalancer.month
        until(fund.clock, self._keeper, lambda: int(month().period) == period, "determination")
        # The chain is read soon after each step: a node keeps only a limited number of past states.
        determined = self._determined(snapshot, period)
        fund.clock.jump(execution_time(snapshot.period, fund.config.timetable.day, fund.config.timetable.fixed_day))
        until(fund.clock, self._keeper, lambda: self._begun(period), "start")
        started = self._started(period)
        # The latest time at which the next month's operation can still be scheduled.
        next_begin = period_start(snapshot.period + 1, fund.notice)
        latest = next_begin - fund.config.timelock_delay - 2 * chain.SETTING_UP_S
        done = started.difference is not None or self._trade(label, period, latest)
        result = self._measure(snapshot, period, determined, started, done)
        difference = (result.nav_after / result.index_after - 1) * 100
        self._progress.done(
            label,
            f"NAV {result.nav_after / WAD:.2f} USD, index {result.index_after / WAD:.2f} ({difference:+.3f} %), "
            f"turnover {result.turnover / WAD:,.0f} USD, cost {result.cost / WAD:,.0f} USD, {result.batches} batches"
            + "".join(f", +{symbol}" for symbol in result.entries)
            + "".join(f", -{symbol}" for symbol in result.exits),
        )
        return result

    def _between(self, snapshot: Snapshot) -> MonthResult:
        """A month in the middle of a quarter: the market and the index move, the fund does nothing."""
        fund = self._fund
        fund.clock.jump(execution_time(snapshot.period))
        block = fund.clock.latest()[0]
        held = chain.units(fund, block)
        step = self._index.step(snapshot, fund.clock.now())
        positions = list(_positions(snapshot, held, {}).values())
        nav = worth(held, snapshot)
        self._progress.done(snapshot.label, f"NAV {nav / WAD:.2f} USD, in the middle of a quarter")
        return MonthResult(
            label=snapshot.label,
            what="between",
            weights={},
            weights_held={s: w for s, w in zip(held, weights_of(positions), strict=True) if w},
            entries=(),
            exits=(),
            clamped=(),
            agrees=True,
            batches=0,
            transactions=0,
            foreign=0,
            gas=0,
            trading_s=0,
            done=True,
            turnover=0,
            cost=0,
            residual=0,
            nav=nav,
            nav_after=nav,
            shares=chain.shares(fund, block),
            index=step,
            index_after=self._index.level(snapshot),
        )

    def _begun(self, period: int) -> bool:
        """Whether the period was started, or skipped."""
        return bool(self._logs("Started", period) or self._logs("Skipped", period))

    def _determined(self, snapshot: Snapshot, period: int) -> _Determined:
        log = self._log("Determined", period)
        decisions = [packed.decision(row) for row in log["args"]["constituents"]]
        block = int(log["blockNumber"])
        return _Determined(block, decisions, self._recomputed(snapshot, block) == decisions)

    def _started(self, period: int) -> _Started:
        skipped = self._logs("Skipped", period)
        log = skipped[-1] if skipped else self._log("Started", period)
        block = int(log["blockNumber"])
        if skipped:
            self._previous = chain.confirmed_at(self._fund, block)
            return _Started(block, chain.units(self._fund, block), {}, int(log["args"]["difference"]))
        targets = chain.target_units_at(self._fund, log["args"]["targets"], block)
        self._previous = chain.confirmed_at(self._fund, block)
        return _Started(block, chain.units(self._fund, block), targets)

    def _trade(self, label: str, period: int, latest: int) -> bool:
        """Moves time on as far as the keeper waits; whether the keeper closed the month in time."""
        fund = self._fund
        opened = fund.clock.now()
        for now in while_trading(fund.clock, self._keeper, f"trading in {label}", MAX_LOOKS):
            if self._logs("Closed", period):
                return True
            if now > min(opened + MAX_TRADING_S, latest):
                return False
            left = int(fund.rebalancer.progress().surplus)
            self._progress.say(
                label, f"hour {(now - opened) / HOUR_S:.1f}: {left * 100 / WAD:.2f} % of NAV left to sell"
            )
        raise AssertionError("not reached")

    def _measure(
        self, snapshot: Snapshot, period: int, determined: _Determined, started: _Started, done: bool
    ) -> MonthResult:
        fund = self._fund
        first, opening = determined.block, started.block
        traded_out = done and started.difference is None
        last = self._log("Closed", period)["blockNumber"] if traded_out else fund.clock.latest()[0]
        decisions = determined.decisions
        weights = included_weights(decisions, fund.year.tokens)
        symbol_of = {token: symbol for symbol, token in fund.year.tokens.items()}
        traded = [log for log in self._logs("Traded", period) if opening <= log["blockNumber"] <= last]
        prices = {token: snapshot.quotes[symbol].price for symbol, token in fund.year.tokens.items()}
        receipts = [fund.on.w3.eth.get_transaction_receipt(log["transactionHash"]) for log in traded]
        flows = [flow_of(receipt["logs"], fund.index.address) for receipt in receipts]
        cost = cost_of(flows, prices, dict.fromkeys(prices, DECIMALS))
        held = chain.units(fund, last)
        positions = _positions(snapshot, held, started.targets)
        step = self._index.step(snapshot, fund.on.w3.eth.get_block(first)["timestamp"])
        by_sender = chain.senders(fund, first, last)
        mine = by_sender.get(fund.on.keeper.address, [])
        members, self._members = self._members, set(weights)
        return MonthResult(
            label=snapshot.label,
            what="traded" if started.difference is None else "skipped",
            weights=weights,
            weights_held={s: w for s, w in zip(positions, weights_of(list(positions.values())), strict=True) if w},
            entries=tuple(sorted(set(weights) - members)),
            exits=tuple(sorted(members - set(weights))),
            clamped=tuple(
                symbol_of[d.token]
                for d in decisions
                if d.status is Status.INCLUDED and d.flags & (Flag.CLAMPED | Flag.STALE)
            ),
            agrees=determined.agrees,
            batches=len(traded),
            transactions=len(mine),
            foreign=sum(len(sent) for sender, sent in by_sender.items())
            - len(mine)
            - len(by_sender.get(fund.world.trader, [])),
            gas=chain.gas_used(fund, mine),
            trading_s=fund.on.w3.eth.get_block(last)["timestamp"] - fund.on.w3.eth.get_block(opening)["timestamp"],
            done=done,
            turnover=cost.turnover,
            cost=cost.cost,
            residual=residual(list(positions.values())) if started.difference is None else 2 * started.difference,
            nav=worth(started.units, snapshot),
            nav_after=worth(held, snapshot),
            shares=chain.shares(fund, last),
            index=step,
            index_after=self._index.level(snapshot),
        )

    def _recomputed(self, snapshot: Snapshot, block: int) -> list[Decision]:
        """The determination recomputed in Python from the fund's holdings in that block, which it does not change."""
        fund = self._fund
        symbol_of = {token: symbol for symbol, token in fund.year.tokens.items()}
        supply = chain.shares(fund, block)
        balances = chain.balances(fund, block)
        holdings = [
            HeldComponent(token, balances[symbol_of[token]] * WAD // supply, DECIMALS)
            for token in chain.listed_tokens(fund, block)
        ]
        now = fund.on.w3.eth.get_block(block)["timestamp"]
        return decide(fund.rule, fund.year.tokens, snapshot, holdings, self._previous, now)

    def _logs(self, name: str, period: int) -> list[Any]:
        """The period's events with this name."""
        event = getattr(self._events, name)()
        return list(event.get_logs(argument_filters={"period": period}, from_block=self._fund.book.deployed_block))

    def _log(self, name: str, period: int) -> Any:
        logs = self._logs(name, period)
        if not logs:
            raise ReplayError(f"{name}: no such event for period {period}{self._keeper.tail()}")
        return logs[-1]


def _positions(snapshot: Snapshot, held: Mapping[str, int], targets: Mapping[str, int]) -> dict[str, Position]:
    symbols = sorted({*held, *targets})
    return {
        symbol: Position(held.get(symbol, 0), targets.get(symbol, 0), snapshot.quotes[symbol].price, DECIMALS)
        for symbol in symbols
    }
