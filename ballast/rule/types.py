"""What a methodology is told and what it decides: the rule, candidates, supplies, holdings, decisions.

Units throughout: weights, fractions and USD have 18 decimals (`WAD`); prices are USD for one whole token; supplies are
whole tokens; token units are token wei per 1e18 shares; times are Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

from ballast.units import WAD

MAX_NAV = 2**104 - 1
"""Largest NAV of a share that weights are computed from, in USD with 18 decimals."""
MAX_BASIS = 2**88 - 1
"""Largest supply that a determination can hold, in whole tokens."""
MAX_PRICE = 2**100 - 1
"""Largest price that counts as one."""
MAX_UNIT = 2**119 - 1
"""Largest unit that is believed."""
MAX_VALUE = 2**98 - 1
"""Largest value of one component in a share that is believed, USD."""
WEIGHTS_ROUNDING = WAD // 10_000
"""By so much the sum of given weights may miss 1: published ones are rounded."""
MAX_PASSES = 10
"""Most times that weights are capped."""


class MethodologyError(ValueError):
    """The rule gives no answer for these figures."""


class NoConstituentsError(MethodologyError):
    """No candidate is left to include."""


class OutsideDomainError(MethodologyError):
    """The figures lie outside the rule's domain; `what` is the contract's word for it: nav or divisor, and weights
    where they are given."""

    def __init__(self, what: str) -> None:
        super().__init__(f"outside the domain: {what}")
        self.what = what


class UnfitRuleError(MethodologyError):
    """A field of the rule is out of bounds; `field` is the contract's name for it."""

    def __init__(self, field: str) -> None:
        super().__init__(f"the rule's {field} is out of bounds")
        self.field = field


class Cap(IntEnum):
    """What happens above the cap weight: nothing, the cap, or the middle of cap and present weight if that is less."""

    NONE = 0
    HARD = 1
    FLEXIBLE = 2


class State(IntEnum):
    """What the owner says of a candidate."""

    ACTIVE = 0
    FROZEN = 1
    LEAVING = 2


class Status(IntEnum):
    """What a determination decided."""

    INCLUDED = 0
    FROZEN = 1
    LEAVING = 2
    OUTSIDE = 3


class Flag(IntFlag):
    """Why, and from what."""

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
    """The rule of a market-cap index. Weights and the jump are 18-decimal fractions, the age is in seconds; weights are
    capped `cap_passes` times at most."""

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
    confirmed one; 0 where none is given."""

    token: str
    state: State = State.ACTIVE
    whole_tokens: int = 0


@dataclass(frozen=True)
class Supply:
    """A source's answer: circulating supply in whole tokens, true at `date`."""

    whole_tokens: int
    date: int


@dataclass(frozen=True)
class Override:
    """The owner's supply in whole tokens, which counts before `until`."""

    whole_tokens: int
    until: int


@dataclass(frozen=True)
class HeldComponent:
    """One line of the index token's list. `unit` is token wei per 1e18 shares, rounded down; `sound`: the token says
    how much there is, and it is no absurd amount."""

    token: str
    unit: int
    decimals: int
    suspended: bool = False
    written_off: bool = False
    sound: bool = True


@dataclass(frozen=True)
class Decision:
    """One candidate in a determination, or a component that is none; field by field the contract's `Constituent`.

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
