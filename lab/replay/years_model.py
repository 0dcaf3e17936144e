"""A fund's years in memory: the contracts' own arithmetic in Python, and the keeper's planner.

Each month: the rule decides (`ballast.rule.methodology`), start fixes targets (`keeper.explain.recompute`, which
reproduces a chain's starts to the wei), and the planner's batches are settled as the contract settles them
(`in_memory`). The fee accrues by the second. Money is USD with 18 decimals at the month's reference prices.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import Literal

from ballast.parts import LimitsConfig
from ballast.rule.arithmetic import execution_time, first_day, midnight, period_start, usd
from ballast.rule.calendar import MONTH, Timetable
from ballast.rule.methodology import Decision, Flag, HeldComponent, Rule, Status
from ballast.units import DAY_S, GWEI, WAD
from keeper.explain import recompute
from keeper.explain.recompute import RuleInputs, Target
from keeper.pools.market import market_of
from keeper.state import FundState, Holding, Limits, PoolState, Side
from lab.localnet.build import DAYS_BEFORE_MONTH
from lab.replay.in_memory import Calendar, Habits, Traded, opened, surplus_left, trade
from lab.replay.year_data import DECIMALS, DEPTH, Snapshot, weth_depth
from lab.replay.year_index import Index, IndexMonth, decide, included_weights, worth
from lab.replay.years_data import Years

NEVER = 0
"""Instead of a cadence's months: the fund is never rebalanced."""
FIXED_GAS = 1_520_000
"""Gas of determine and start of a fund of a dozen components (`lab.bench`)."""
YEAR_S = 31_557_600
HABITS = Habits(hours=4, gas_price=100 * GWEI)
"""Those of the keeper in `lab.replay.year`."""
WETH = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
NOTICE_S = 7 * DAY_S

What = Literal["traded", "stopped", "skipped", "between", "never"]
"""What happened in a month: traded to its end, stopped before it, within the band, in the middle of a quarter, or of a
fund that is never rebalanced."""


@dataclass(frozen=True)
class Variant:
    """A fund to run: rebalanced every `months` months unless within the band; `depth`: a pool's WETH as a part of the
    token's market cap. Band and depth have 18 decimals."""

    name: str
    months: int = MONTH
    band: int = 0
    depth: int = DEPTH


@dataclass(frozen=True)
class Terms:
    """What all variants share. `seed`: token wei per 1e18 shares by symbol; shares and yearly fee have 18 decimals."""

    rule: Rule
    limits: LimitsConfig
    seed: Mapping[str, int]
    shares: int
    fee: int


@dataclass(frozen=True)
class ModelMonth:
    """One month. Weights are 18-decimal fractions; `unsold` is the part of NAV that should have been sold and was not;
    `nav` is a share's before the trading."""

    label: str
    what: What
    why: str
    weights: dict[str, int]
    entries: tuple[str, ...]
    exits: tuple[str, ...]
    frozen: tuple[str, ...]
    clamped: tuple[str, ...]
    batches: int
    gas: int
    turnover: int
    cost: int
    unsold: int
    nav: int
    nav_after: int
    total: int
    """USD of all shares before the trading."""
    held: dict[str, int]
    """Weight of each token in what a share holds after the trading."""
    index: IndexMonth
    index_after: int


NO_INDEX = IndexMonth(0, {}, {})


def carry(years: Years, terms: Terms, variant: Variant) -> tuple[list[ModelMonth], tuple[int, int] | None]:
    """Runs all months; their results, and NAV and index level on the closing day (None without one)."""
    fund = _Fund(years, terms, variant)
    months = [fund.month(k, snapshot) for k, snapshot in enumerate(years.year.snapshots)]
    return months, fund.close()


def grown(supply: int, fee: int, seconds: int) -> int:
    """The supply after a yearly fee (18 decimals) has accrued for `seconds`, rounded down."""
    with localcontext() as context:
        context.prec = 60
        kept = 1 - Decimal(fee) / WAD
        return int(Decimal(supply) / kept ** (Decimal(seconds) / YEAR_S))


class _Fund:
    """One fund. Balances are token wei by symbol."""

    def __init__(self, years: Years, terms: Terms, variant: Variant) -> None:
        first = years.year.snapshots[0]
        self._years, self._terms, self._variant = years, terms, variant
        self._tokens = years.year.tokens
        self._symbols = {token: symbol for symbol, token in self._tokens.items()}
        self._supply = terms.shares
        # A seed takes what its units need, rounded up.
        self._balances = {s: -(-unit * terms.shares // WAD) for s, unit in terms.seed.items() if unit}
        self._time = midnight(first_day(first.period)) - DAYS_BEFORE_MONTH * DAY_S
        self._previous: list[Decision] = []
        self._members = set(terms.seed)
        self._index = Index(terms.rule, self._tokens, terms.seed)
        self._limits = replace(Limits(*terms.limits.as_tuple()), band=variant.band)

    def month(self, k: int, snapshot: Snapshot) -> ModelMonth:
        """One month of the fund, and of its index."""
        now = execution_time(snapshot.period)
        self._accrue(now)
        for migration in self._years.migrations.get(snapshot.label, ()):
            self._index.migrate(migration.old, migration.new, migration.ratio)
            if balance := self._balances.pop(migration.old, 0):
                self._balances[migration.new] = self._balances.get(migration.new, 0) + balance // migration.ratio
        nav, total = self._nav(snapshot), self._total(snapshot)
        if self._variant.months == NEVER or k % self._variant.months:
            what: What = "between" if self._variant.months else "never"
            nothing = 0, 0, 0, 0, 0
            held = self._weights(snapshot)
            found = ModelMonth(
                snapshot.label, what, "", {}, (), (), (), (), *nothing, nav, nav, total, held, NO_INDEX, 0
            )
        else:
            found = self._rebalance(snapshot, now, nav, total)
        step = self._index.step(snapshot, period_start(snapshot.period, NOTICE_S))
        return replace(found, index=step, index_after=self._index.level(snapshot))

    def close(self) -> tuple[int, int] | None:
        """NAV and index level at the closing day's prices."""
        closing = self._years.year.closing
        if closing is None:
            return None
        self._accrue(execution_time(closing.period))
        return self._nav(closing), self._index.level(closing)

    def _accrue(self, now: int) -> None:
        self._supply = grown(self._supply, self._terms.fee, now - self._time)
        self._time = now

    def _nav(self, snapshot: Snapshot) -> int:
        return worth({s: balance * WAD // self._supply for s, balance in self._balances.items()}, snapshot)

    def _weights(self, snapshot: Snapshot) -> dict[str, int]:
        total = self._total(snapshot)
        return {s: usd(b, snapshot.quotes[s].price, DECIMALS) * WAD // total for s, b in sorted(self._balances.items())}

    def _total(self, snapshot: Snapshot) -> int:
        return sum(usd(b, snapshot.quotes[s].price, DECIMALS) for s, b in self._balances.items())

    def _rebalance(self, snapshot: Snapshot, now: int, nav: int, total: int) -> ModelMonth:
        decisions = self._decide(snapshot)
        inputs, targets = self._targets(snapshot, decisions)
        state = self._open(snapshot, now, inputs, targets)
        difference = _difference(inputs, decisions)
        leaves = any(t.price and not t.unit and t.unit_held for t in targets) or bool(inputs.dropped)
        before = dict(self._balances)
        if difference < self._variant.band and not leaves:
            done = Traded(state, 0, 0, "")
            what: What = "skipped"
        else:
            done = trade(state, market_of(WETH, self._pools(snapshot), state), HABITS)
            what = "stopped" if done.why else "traded"
        self._balances = {self._symbols[h.token]: h.balance for h in done.state.holdings if h.balance}
        self._previous = decisions
        sold, bought = self._moved(before, snapshot, {self._symbols[h.token] for h in inputs.dropped})
        weights = included_weights(decisions, self._tokens)
        frozen = self._of(d for d in decisions if d.status is Status.FROZEN)
        members, self._members = self._members, {*weights, *frozen}
        return ModelMonth(
            label=snapshot.label,
            what=what,
            why=done.why,
            weights=weights,
            entries=tuple(sorted(set(weights) - members)),
            exits=tuple(sorted(members - {*weights, *frozen})),
            frozen=frozen,
            clamped=self._of(d for d in decisions if d.status is Status.INCLUDED and d.flags & Flag.CLAMPED),
            batches=done.batches,
            gas=done.gas + FIXED_GAS,
            turnover=sold,
            cost=sold - bought,
            unsold=surplus_left(done.state.holdings, self._supply) * WAD // nav if what == "stopped" else 0,
            nav=nav,
            nav_after=self._nav(snapshot),
            total=total,
            held=self._weights(snapshot),
            index=NO_INDEX,
            index_after=0,
        )

    def _held(self) -> list[HeldComponent]:
        """What a share holds, ascending by address."""
        return [
            HeldComponent(token, self._balances[symbol] * WAD // self._supply, DECIMALS)
            for symbol, token in self._tokens.items()
            if symbol in self._balances
        ]

    def _decide(self, snapshot: Snapshot) -> list[Decision]:
        begin = period_start(snapshot.period, NOTICE_S)
        return decide(self._terms.rule, self._tokens, snapshot, self._held(), self._previous, begin)

    def _targets(self, snapshot: Snapshot, decisions: Sequence[Decision]) -> tuple[RuleInputs, list[Target]]:
        """The inputs and targets that start fixes: dust is dropped, newcomers are listed."""
        held = self._held()
        listed = {h.token for h in held}
        coming = {d.token for d in decisions if d.status is Status.INCLUDED} - listed
        every = [HeldComponent(token, 0, DECIMALS) for token in coming] + held
        every.sort(key=lambda h: int(h.token, 16))
        state = opened((_holding(0, every[0].token, 1, WAD, None),), WAD, self._limits, _calendar(snapshot, self._time))
        inputs = RuleInputs(
            state=replace(state, supply=self._supply),
            rule=self._terms.rule,
            weights={},
            candidates=(),
            sources={},
            supplies={},
            overrides={},
            prices={token: snapshot.quotes[symbol].price for symbol, token in self._tokens.items()},
            holdings=tuple(every),
            balances={self._tokens[symbol]: balance for symbol, balance in self._balances.items()}
            | dict.fromkeys(coming, 0),
            newcomers=frozenset(coming),
        )
        nav, _ = recompute.plan(inputs, decisions)
        gone = recompute.gone(inputs, decisions, nav)
        dropped = tuple(h for h in every if h.token in gone)
        inputs = replace(inputs, holdings=tuple(h for h in every if h.token not in gone), dropped=dropped)
        return inputs, recompute.plan(inputs, decisions)[1]

    def _open(self, snapshot: Snapshot, now: int, inputs: RuleInputs, targets: Sequence[Target]) -> FundState:
        holdings = tuple(
            _holding(i, t.token, inputs.balances[t.token], inputs.prices[t.token], t) for i, t in enumerate(targets)
        )
        return opened(holdings, self._supply, self._limits, _calendar(snapshot, now))

    def _pools(self, snapshot: Snapshot) -> list[PoolState]:
        """One pool for each token, at the reference prices."""
        pools = []
        for k, (symbol, token) in enumerate(self._tokens.items()):
            weths = weth_depth(snapshot, symbol, self._variant.depth)
            tokens = weths * snapshot.weth_price // snapshot.quotes[symbol].price
            pools.append(PoolState("uniswap", f"0x{k + 1:040x}", token, tokens, weths))
        return pools

    def _moved(self, before: Mapping[str, int], snapshot: Snapshot, dropped: set[str]) -> tuple[int, int]:
        """USD sold and bought since; what was dropped counts as neither."""
        sold = bought = 0
        for symbol in sorted({*before, *self._balances} - dropped):
            change = self._balances.get(symbol, 0) - before.get(symbol, 0)
            value = usd(abs(change), snapshot.quotes[symbol].price, DECIMALS)
            sold, bought = (sold + value, bought) if change < 0 else (sold, bought + value)
        return sold, bought

    def _of(self, decisions: Iterable[Decision]) -> tuple[str, ...]:
        return tuple(sorted(self._symbols[d.token] for d in decisions))


def _difference(inputs: RuleInputs, decisions: Sequence[Decision]) -> int:
    """Half the sum of |target - held| as a fraction of NAV (18 decimals), as if weights could rise without a limit."""
    free = replace(inputs.state, limits=replace(inputs.state.limits, max_step=WAD * WAD))
    nav, targets = recompute.plan(replace(inputs, state=free), decisions)
    moved = sum(
        abs(t.unit * t.price // 10**DECIMALS - t.unit_held * t.price // 10**DECIMALS) for t in targets if t.price
    )
    return int(min(moved // 2, nav) * WAD // nav)


def _holding(index: int, token: str, balance: int, price: int, target: Target | None) -> Holding:
    """A component without a target price is kept as it is: it has no side, and counts."""
    if target is None or not target.price:
        unit = 0 if target is None else target.unit_held
        return Holding(index, token, DECIMALS, balance, price, Side.HELD, unit, price)
    return Holding(index, token, DECIMALS, balance, price, target.side, target.unit, target.kept)


def _calendar(snapshot: Snapshot, now: int) -> Calendar:
    end = period_start(snapshot.period + 1, NOTICE_S) - 1
    timetable = Timetable(
        MONTH, 0, 0, NOTICE_S, DAY_S, 3 * DAY_S, period_start(snapshot.period, NOTICE_S), snapshot.period
    )
    return Calendar(now, end, snapshot.period, timetable)
