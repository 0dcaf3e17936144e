"""Inputs and results of a methodology: the rule, candidates, supplies, holdings, decisions.

Units throughout: weights, fractions and USD have 18 decimals (`WAD`); prices are USD for one whole token; supplies are
whole tokens; token units are token wei per 1e18 shares; times are Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

from ballast.units import WAD

MAX_NAV = 2**104 - 1
"""Largest NAV of a share from which weights are computed, in USD with 18 decimals."""
MAX_BASIS = 2**88 - 1
"""Largest supply that a determination can store, in whole tokens."""
MAX_PRICE = 2**100 - 1
"""Largest valid price; a higher one counts as none."""
MAX_UNIT = 2**119 - 1
"""Largest unit that counts as sound."""
MAX_VALUE = 2**98 - 1
"""Largest value of one component per share that counts as sound, USD with 18 decimals."""
WEIGHTS_ROUNDING = WAD // 10_000
"""Largest difference of the sum of given weights from 1: published ones are rounded."""
MAX_PASSES = 10
"""Most capping passes."""


class MethodologyError(ValueError):
    """The rule gives no answer for these figures."""


class NoConstituentsError(MethodologyError):
    """No candidate is left to include."""


class OutsideDomainError(MethodologyError):
    """The figures are outside the rule's domain; `what`: the contract's name of the figure: nav or divisor, or weights
    if they are given."""

    def __init__(self, what: str) -> None:
        super().__init__(f"outside the domain: {what}")
        self.what = what


class UnfitRuleError(MethodologyError):
    """A field of the rule is out of bounds; `field` is the contract's name for it."""

    def __init__(self, field: str) -> None:
        super().__init__(f"the rule's {field} is out of bounds")
        self.field = field


class Cap(IntEnum):
    """Limit of a weight above the cap: none, the cap, or the mean of cap and current weight if that is below the
    weight."""

    NONE = 0
    HARD = 1
    FLEXIBLE = 2


class State(IntEnum):
    """The owner's setting for a candidate."""

    ACTIVE = 0
    FROZEN = 1
    LEAVING = 2


class Status(IntEnum):
    """A determination's decision on a component."""

    INCLUDED = 0
    FROZEN = 1
    LEAVING = 2
    OUTSIDE = 3


class Flag(IntFlag):
    """Reasons of a decision, and how its basis came about."""

    STALE = 1
    CLAMPED = 2
    OVERRIDDEN = 4
    NO_PRICE = 8
    UNCONFIRMED = 16
    BELOW_RANK = 32
    BELOW_FLOOR = 64
    CONFIRMED_AT_START = 128


@dataclass(frozen=True)
class Rule:
    """The rule of a market-cap index. Weights and the jump are 18-decimal fractions, the age is in seconds;
    `cap_passes`: most capping passes. Raises UnfitRuleError."""

    cap: Cap
    cap_weight: int
    floor_weight: int
    entry_weight: int
    top_n: int
    floor_each: bool
    max_supply_age: int
    max_supply_jump: int
    cap_passes: int = 1

    def __post_init__(self) -> None:
        least, beyond = (0, 1) if self.cap is Cap.NONE else (1, WAD)
        bounds = {
            "capWeight": least <= self.cap_weight < beyond,
            "floorWeight": 0 <= self.floor_weight < WAD,
            "entryWeight": self.floor_weight <= self.entry_weight < WAD,
            "topN": self.top_n > 0,
            "maxSupplyAge": self.max_supply_age > 0,
            "maxSupplyJump": self.max_supply_jump > 0,
            "capPasses": 0 < self.cap_passes <= MAX_PASSES,
        }
        for field, fits in bounds.items():
            if not fits:
                raise UnfitRuleError(field)


@dataclass(frozen=True)
class Candidate:
    """A token that may be in the index. `whole_tokens`: the supply that counts as confirmed until a started month has
    confirmed one; 0: none given."""

    token: str
    state: State = State.ACTIVE
    whole_tokens: int = 0


@dataclass(frozen=True)
class Supply:
    """A source's answer: circulating supply in whole tokens at `date`."""

    whole_tokens: int
    date: int


@dataclass(frozen=True)
class Override:
    """The owner's supply in whole tokens, valid before `until`."""

    whole_tokens: int
    until: int


@dataclass(frozen=True)
class HeldComponent:
    """One component of the index token's list. `unit`: token wei per 1e18 shares, rounded down; `sound`: the token
    returns the fund's balance, and that is plausible."""

    token: str
    unit: int
    decimals: int
    suspended: bool = False
    written_off: bool = False
    sound: bool = True


@dataclass(frozen=True)
class Decision:
    """One candidate in a determination, or a component that is not a candidate; the fields of the contract's
    `Constituent`.

    `confirmed`: the basis that the last started month confirmed, 0 for none; `member`: whether that month included it,
    or it has been frozen since one did.
    """

    token: str
    basis: int
    status: Status
    flags: Flag
    price: int
    weight: int
    confirmed: int = 0
    member: bool = False
