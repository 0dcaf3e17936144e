"""The state of a fund and its pools in one block. All numbers are integers as in the contracts.

USD and prices have 18 decimals; fractions and shares of NAV have 18 decimals; amounts are token wei; a unit is token
wei per 1e18 shares; times are Unix seconds of the chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ballast.rule import calendar
from ballast.rule.calendar import Timetable
from ballast.units import WAD

UNIT_BITS, PRICE_BITS, VALUE_BITS = 119, 100, 98
"""Highest bit lengths of the unit, the price and the value per share of a component that counts in NAV."""
TRADED_BITS = 128
"""Highest bit length of the balance and the target of a component that a batch names."""
MAX_TRADE_PRICE = 1 << 100


class Phase(IntEnum):
    """Phase of the month (`IRebalancer.Phase`)."""

    IDLE = 0
    DETERMINED = 1
    VETOED = 2
    TRADING = 3
    VOIDED = 4


class Action(IntEnum):
    """What anyone can do now (`IRebalancer.Action`)."""

    NONE = 0
    DETERMINE = 1
    START = 2
    TRADE = 3
    CLOSE = 4


class Reason(IntEnum):
    """Why the action is what it is (`IRebalancer.Reason`)."""

    DUE = 0
    LOCKED = 1
    PAUSED = 2
    NOT_SEEDED = 3
    NOT_YET = 4
    TOO_LATE = 5
    VETOED = 6
    DONE = 7
    REFUSED = 8


class Side(IntEnum):
    """Side of a component during a month (`IRebalancer.Side`)."""

    HELD = 0
    SELL = 1
    BUY = 2


@dataclass(frozen=True)
class Limits:
    """Bounds of trading (`IRebalancer.Limits`). Fractions have 18 decimals, times are seconds."""

    first_tolerance: int
    last_tolerance: int
    batch_cap: int
    loss_budget: int
    max_step: int
    dust: int
    cool_off: int
    max_idle: int
    band: int = 0


TAT_SCALE = 1 << 24


@dataclass(frozen=True)
class Progress:
    """What trading changes (`IRebalancer.Progress`). `tat` is in seconds x `TAT_SCALE`, the rest are shares of NAV."""

    tat: int
    spent: int
    surplus: int
    held: int


@dataclass(frozen=True)
class Opening:
    """What start fixed (`IRebalancer.Opening`): buy targets as a share of NAV, NAV per share in USD, last second."""

    buy_targets: int
    nav: int
    end: int


@dataclass(frozen=True)
class Holding:
    """A component. `price`: USD for one whole token now, 0 if there is none; `unit` and `start_price`: the month's.

    `suspended_until`: suspended before this time, unless it is `written_off`. `sound`: whether its balance can be read;
    if not, balance and prices are 0.

    `trade_price`: price at which a batch values the component on its side. Where the oracle has a second source: for a
    sell the higher of the two prices, for a buy the lower. 0: the same as `price`.
    """

    index: int
    token: str
    decimals: int
    balance: int
    price: int
    side: Side
    unit: int
    start_price: int
    trade_price: int = 0
    suspended_until: int = 0
    written_off: bool = False
    sound: bool = True

    @property
    def one(self) -> int:
        """Token wei of one whole token."""
        return int(10**self.decimals)

    def value(self, amount: int) -> int:
        """USD of `amount` token wei at the price now, rounded down."""
        return amount * self.price // self.one

    @property
    def pulled(self) -> bool:
        """Whether a second price source makes a batch value it at another price than `price`."""
        return self.trade_price not in (0, self.price)

    def trade_value(self, amount: int) -> int:
        """USD of `amount` token wei as a batch values a buy, rounded down."""
        return amount * (self.trade_price or self.price) // self.one

    def trade_value_up(self, amount: int) -> int:
        """USD of `amount` token wei as a batch values a sell, rounded up."""
        return -(-amount * (self.trade_price or self.price) // self.one)

    def start_value(self, amount: int) -> int:
        """USD of `amount` token wei at the price at start, rounded down."""
        return amount * self.start_price // self.one


@dataclass(frozen=True)
class FundState:
    """A fund in one block (`FundLens.Fund`). `last_stop`: last period that the guardian vetoed or ended,
    0: none; `pause_left`: seconds for which the guardian may pause now.

    `shares` is the supply in shares of the start while trading, else 0. `idle` (seconds), `capacity` (share of NAV)
    and `tolerance` are the bucket's in that block.
    """

    block: int
    time: int
    action: Action
    reason: Reason
    next: int
    period: int
    phase: Phase
    month_period: int
    last_stop: int
    determined_at: int
    opening: Opening
    progress: Progress
    limits: Limits
    timetable: Timetable
    paused_until: int
    pause_left: int
    supply: int
    shares: int
    idle: int
    capacity: int
    tolerance: int
    holdings: tuple[Holding, ...]
    former: Timetable | None = None
    """The timetable in effect until `timetable` begins; None if the fund had no other."""

    def name_of(self, period: int) -> str:
        """A period's name, such as "April 2021"."""
        return calendar.name(period, self.timetable, self.former)

    def label_of(self, period: int) -> str:
        """A period's short name, such as "2021-04"."""
        return calendar.label(period, self.timetable, self.former)

    @property
    def total_value_at_start(self) -> int:
        """Value of all shares at start prices, USD: the base of shares of NAV while trading."""
        return self.opening.nav * self.shares // WAD

    @property
    def total_value(self) -> int:
        """Value of all components that count, at current prices, USD."""
        return sum(h.value(h.balance) for h in self.holdings if self.counts(h))

    @property
    def nav(self) -> int:
        """NAV per share in USD: components that count, at current prices, rounded down; 0 if there are no shares."""
        return self.total_value * WAD // self.supply if self.supply else 0

    @property
    def next_determination(self) -> int:
        """Earliest time of the next determination as far as the fund's state shows it, else this block's time. Unix
        seconds."""
        if self.phase is Phase.TRADING:
            return max(self.opening.end + 1, self.time)
        waits = self.action is Action.NONE and self.reason in (Reason.DONE, Reason.VETOED, Reason.TOO_LATE)
        return max(self.next, self.time) if waits else self.time

    def suspended(self, holding: Holding) -> bool:
        """Whether a component is suspended now."""
        return self.time < holding.suspended_until and not holding.written_off

    def active(self, holding: Holding) -> bool:
        """Whether a component is traded and weighed: neither suspended nor written off."""
        return not holding.written_off and not self.suspended(holding)

    def counts(self, holding: Holding) -> bool:
        """Whether a component is in NAV: active, with a readable balance and a price, and with unit, price and value
        per share within their bit limits (`Opener`)."""
        if not (self.active(holding) and holding.sound and holding.price):
            return False
        if holding.price >> PRICE_BITS:
            return False
        unit = holding.balance * WAD // self.supply if self.supply else 0
        return unit >> UNIT_BITS == 0 and unit * holding.price // holding.one >> VALUE_BITS == 0

    def trades(self, holding: Holding) -> bool:
        """Whether a batch may name a component now: it has a side this month, counts, and its balance, target and price
        are within a batch's limits (`Settlement`). The keeper does not trade others."""
        if holding.side is Side.HELD or not self.counts(holding) or holding.trade_price > MAX_TRADE_PRICE:
            return False
        target = -(-holding.unit * self.shares // WAD)
        return (holding.balance | target) >> TRADED_BITS == 0

    def target_balance(self, holding: Holding) -> int:
        """Target in token wei for all shares, rounded down."""
        return holding.unit * self.shares // WAD

    def surplus(self, holding: Holding) -> int:
        """Token wei that may be sold: the balance above the target, with the target rounded up."""
        if holding.side is not Side.SELL or not holding.sound:
            return 0
        return max(0, holding.balance + (-holding.unit * self.shares // WAD))


@dataclass(frozen=True)
class PoolState:
    """Reserves of a pool of a token against WETH, in wei."""

    venue: str
    pair: str
    token: str
    token_reserve: int
    weth_reserve: int
