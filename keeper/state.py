"""A fund and its pools as they stand in one block. All numbers are integers as the contracts have them.

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
"""What counts has a unit, a price and a value of a share of at most so many bits."""
TRADED_BITS = 128
"""What a batch names has a balance and a target of at most so many bits."""
MAX_TRADE_PRICE = 1 << 100


class Phase(IntEnum):
    """Where the month stands (`IRebalancer.Phase`)."""

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
    """A component. `price` is USD for one whole token now, 0 if there is none; `unit` and `start_price` the month's.

    `suspended_until`: suspended before this time, unless it is `written_off`. `sound`: whether its balance can be read;
    where it cannot, balance and prices are 0.

    `trade_price` is what a batch counts it for on its side: where the oracle knows a second source, a sell the higher
    of the two prices, a buy the lower. 0: as `price`.
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
        """Whether a second source makes a batch count it for another price."""
        return self.trade_price not in (0, self.price)

    def trade_value(self, amount: int) -> int:
        """USD of `amount` token wei as a batch counts what it buys, rounded down."""
        return amount * (self.trade_price or self.price) // self.one

    def trade_value_up(self, amount: int) -> int:
        """USD of `amount` token wei as a batch counts what it sells, rounded up."""
        return -(-amount * (self.trade_price or self.price) // self.one)

    def start_value(self, amount: int) -> int:
        """USD of `amount` token wei at the price at start, rounded down."""
        return amount * self.start_price // self.one


@dataclass(frozen=True)
class FundState:
    """A fund in one block (`FundLens.Fund`). `last_stop`: last period that the guardian vetoed or ended,
    0: none; `pause_left`: for how many seconds it may pause now.

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
    """In effect until `timetable` begins; None for a fund that had no other."""

    def name_of(self, period: int) -> str:
        """What people call a period, such as "April 2021"."""
        return calendar.name(period, self.timetable, self.former)

    def label_of(self, period: int) -> str:
        """A period in short, such as "2021-04"."""
        return calendar.label(period, self.timetable, self.former)

    @property
    def total_value_at_start(self) -> int:
        """USD that all shares were worth at start prices: what shares of NAV refer to while trading."""
        return self.opening.nav * self.shares // WAD

    @property
    def total_value(self) -> int:
        """USD of all components that count, at the prices now."""
        return sum(h.value(h.balance) for h in self.holdings if self.counts(h))

    @property
    def nav(self) -> int:
        """USD of one share, of the components that count, at the prices now, rounded down; 0 if there are no shares."""
        return self.total_value * WAD // self.supply if self.supply else 0

    @property
    def next_determination(self) -> int:
        """When the next determination comes, as far as the fund says, else this block's time. Unix seconds."""
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
        """Whether a component is in NAV: active, with a balance that can be read and a price, neither above all measure
        (`Opener`)."""
        if not (self.active(holding) and holding.sound and holding.price):
            return False
        if holding.price >> PRICE_BITS:
            return False
        unit = holding.balance * WAD // self.supply if self.supply else 0
        return unit >> UNIT_BITS == 0 and unit * holding.price // holding.one >> VALUE_BITS == 0

    def trades(self, holding: Holding) -> bool:
        """Whether a batch may name a component now: it has a side this month, counts, and neither its balance, its
        target nor its price is above what a batch takes (`Settlement`). Others are left alone."""
        if holding.side is Side.HELD or not self.counts(holding) or holding.trade_price > MAX_TRADE_PRICE:
            return False
        target = -(-holding.unit * self.shares // WAD)
        return (holding.balance | target) >> TRADED_BITS == 0

    def target_balance(self, holding: Holding) -> int:
        """Target in token wei for all shares, rounded down."""
        return holding.unit * self.shares // WAD

    def surplus(self, holding: Holding) -> int:
        """Token wei that may be sold: what lies above the target rounded up."""
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
