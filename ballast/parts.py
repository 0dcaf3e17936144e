"""The parts of a fund file, and the types of its fields with their bounds.

The bounds are those of the contracts, so that a value accepted here is not refused there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ballast.book import BookPool
from ballast.units import DAY_S, ETHER, GWEI, HOUR_S, WAD
from ballast.values import (
    parse_account,
    parse_address,
    parse_duration,
    parse_flag,
    parse_fraction,
    parse_integer,
    parse_price,
    parse_wei,
)

MAX_COMPONENTS = 50
MAX_DECIMALS = 27
MAX_STREAMING_FEE = 5 * WAD // 100
MAX_FEED_AGE = 8 * DAY_S
MIN_SEED = WAD
MAX_LOCKERS = 8
MAX_CAP_PASSES = 10
MIN_WINDOW = 600
MAX_WINDOW = DAY_S
MAX_BOUND = 5 * WAD // 100
MAX_PRICE = 10**30
"""A trillion dollars for one token, 18 decimals: a feed with a higher price is broken."""
MAX_GRACE = DAY_S
MAX_BLOCK_TIME = 60

CAPS = ("none", "hard", "flexible")
"""In the order of the contract's enum."""

_SLUG = re.compile(r"^[a-z0-9][a-z0-9-]*$")


def within(parse: Callable[[object], int], least: int, most: int, words: str) -> Callable[[object], int]:
    """The parser with bounds; `words` names them in the field's own unit, for the error."""

    def bounded(value: object) -> int:
        number = parse(value)
        if not least <= number <= most:
            raise ValueError(f"expected {words}")
        return number

    return bounded


def integer(least: int, most: int) -> BeforeValidator:
    return BeforeValidator(within(parse_integer, least, most, f"a whole number from {least} to {most}"))


def fraction(least: int, most: int, words: str) -> BeforeValidator:
    return BeforeValidator(within(parse_fraction, least, most, words))


def duration(least: int, most: int) -> BeforeValidator:
    return BeforeValidator(within(parse_duration, least, most, f"{least} to {most} seconds"))


def wei(least: int, most: int, words: str) -> BeforeValidator:
    return BeforeValidator(within(parse_wei, least, most, words))


def price() -> BeforeValidator:
    return BeforeValidator(within(parse_price, 1, MAX_PRICE, "above 0 and at most 1,000,000,000,000"))


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 64:
        raise ValueError("expected a text of 1 to 64 characters")
    return value.strip()


def _slug(value: object) -> str:
    if not isinstance(value, str) or not _SLUG.match(value):
        raise ValueError("expected lower-case letters, digits and hyphens, such as dpi")
    return value


Address = Annotated[str, BeforeValidator(parse_address)]
Account = Annotated[str, BeforeValidator(parse_account)]
Text = Annotated[str, BeforeValidator(_text)]
Slug = Annotated[str, BeforeValidator(_slug)]


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Feed(Model):
    """A Chainlink feed: TOKEN/USD, or TOKEN/ETH if `quoted_in_eth`. `max_age`: its heartbeat plus a margin.

    `lowest` and `highest`: the band of its valid answers, 18 decimals, in the currency of the feed, USD or ETH. Outside
    it the token has no price. Either both or neither; without a band only absurd prices are invalid.
    """

    address: Address
    max_age: Annotated[int, duration(1, MAX_FEED_AGE)]
    quoted_in_eth: Annotated[bool, BeforeValidator(parse_flag)] = False
    lowest: Annotated[int, price()] | None = None
    highest: Annotated[int, price()] | None = None

    @model_validator(mode="after")
    def _sides(self) -> Feed:
        for given, missing in (("lowest", "highest"), ("highest", "lowest")):
            if getattr(self, given) is not None and getattr(self, missing) is None:
                raise ValueError(f"{missing}: missing, expected with {given}")
        if self.lowest is not None and self.highest is not None and self.lowest >= self.highest:
            raise ValueError(f"lowest: found {self.lowest}, expected below highest {self.highest}")
        return self

    @property
    def band(self) -> tuple[int, int]:
        """The band as the oracle's arguments; 0 and 0: none."""
        return self.lowest or 0, self.highest or 0


class Sequencer(Model):
    """Chainlink's uptime feed of a rollup's sequencer. `grace`: seconds after an outage without prices: the time that
    feeds need to report again."""

    address: Address
    grace: Annotated[int, duration(1, MAX_GRACE)] = HOUR_S


STATES = ("active", "frozen", "leaving")
"""In the order of the contract's enum."""


V3_FEES_BPS = (1, 5, 30, 100)
"""Fee tiers of Uniswap V3."""


class FundPool(Model):
    """A pool of the token against WETH in which the keeper may trade: of the Uniswap V2 family, or of Uniswap V3. With
    `other` it is a direct pool against that component of the fund, listed once, under either of the two."""

    venue: Literal["uniswap", "sushiswap", "uniswap-v3"]
    pair: Address
    fee_bps: Annotated[int, integer(1, 100)] = 30
    other: Address | None = None

    @model_validator(mode="after")
    def _fits(self) -> FundPool:
        right = V3_FEES_BPS if self.venue == "uniswap-v3" else (30,)
        if self.fee_bps not in right:
            expected = " or ".join(map(str, right))
            raise ValueError(f"fee_bps: found {self.fee_bps}, expected {expected} on {self.venue}")
        return self


class Anchor(Model):
    """A second source for a token's price besides its feed: the time-weighted average price of a Uniswap V3 pool of the
    token against WETH or another component.

    A batch values a sell at the higher of the two prices, a buy at the lower. `window`: averaging time of the pool's
    price, seconds; `bound`: most that it may change a price, 18 decimals.
    """

    pool: Address
    window: Annotated[int, duration(MIN_WINDOW, MAX_WINDOW)] = 1_800
    bound: Annotated[int, fraction(1, MAX_BOUND, "above 0 and at most 5 %")] = 2 * WAD // 100

    def observations(self, block_time: int) -> int:
        """Observations that the pool must keep: one per block of the window, and one on each side."""
        return self.window // block_time + 2


class Component(Model):
    """A token that the fund holds or may hold.

    `supply` (whole tokens) or `lockers` (market-cap weights), or `weight` (18 decimals, fixed weights), makes it a
    constituent of the index. One without any of them is held at first and sold in the first month; with equal weights
    every active one is a constituent.
    """

    symbol: Text
    token: Address
    decimals: Annotated[int, integer(0, MAX_DECIMALS)]
    feed: Feed
    supply: Annotated[int, integer(1, 2**88 - 1)] | None = None
    lockers: tuple[Address, ...] | None = None
    """Accounts whose balances do not circulate: the supply is computed on chain, instead of posted."""
    known_supply: Annotated[int, integer(1, 2**88 - 1)] | None = None
    """Only with lockers: supply in whole tokens that counts as confirmed until a month has confirmed one. Without it, a
    computed supply counts only from the second month on."""
    state: Literal["active", "frozen", "leaving"] = "active"
    weight: Annotated[int, fraction(1, WAD, "a weight above 0 and at most 1")] | None = None
    seed_unit: Annotated[int, integer(0, 2**120 - 1)] = 0
    """Token wei per 1e18 shares at the start; 0: only a candidate."""
    pools: tuple[FundPool, ...] = ()
    anchor: Anchor | None = None

    @model_validator(mode="after")
    def _fits(self) -> Component:
        if self.known_supply is not None and self.lockers is None:
            raise ValueError("known_supply: expected with lockers, and only there")
        return self

    @property
    def given_supply(self) -> int:
        """Supply in whole tokens that counts as confirmed from the start; 0 for none."""
        return self.supply or self.known_supply or 0

    @property
    def basis(self) -> int:
        """Supply or weight by which the methodology weighs it; 0 if none is given."""
        return self.supply or self.weight or 0

    @property
    def weighed(self) -> bool:
        """Whether it has a supply, lockers or a weight."""
        return bool(self.basis) or self.lockers is not None

    def book_pools(self) -> tuple[BookPool, ...]:
        """The pools as entries of the address book."""
        return tuple(BookPool(pool.venue, pool.pair, pool.fee_bps, pool.other) for pool in self.pools)


class Methodology(Model):
    """The rule of the index, see the contracts' `Rule`: market-cap weights, fixed weights, or equal weights for every
    active component. Fractions with 18 decimals.

    For market-cap weights: the `top_n` largest, capped; components below `floor_weight` (members) or `entry_weight`
    (all others) are left out. Capping repeats at most `cap_passes` times: the published rule does it once, so weights
    that the redistributed excess lifts above the cap stay there. `nav_floor`: NAV is rounded down once over the sum, or
    per component. The confirmed supply replaces one older than `max_supply_age` (seconds); a supply further from it
    than `max_supply_jump` is clamped.
    """

    kind: Literal["market_cap", "fixed_weight", "equal_weight"]
    cap: Literal["none", "hard", "flexible"] = "none"
    cap_weight: Annotated[int, fraction(1, WAD - 1, "a fraction above 0 and below 1")] | None = None
    floor_weight: Annotated[int, fraction(0, WAD - 1, "0 or a fraction below 1")] = 0
    entry_weight: Annotated[int, fraction(0, WAD - 1, "0 or a fraction below 1")] = 0
    top_n: Annotated[int, integer(1, MAX_COMPONENTS)] = MAX_COMPONENTS
    nav_floor: Literal["sum", "component"] = "sum"
    max_supply_age: Annotated[int, duration(1, 2**32 - 1)] = 100 * DAY_S
    max_supply_jump: Annotated[int, fraction(1, 10 * WAD, "a fraction above 0 and at most 10")] = 25 * WAD // 100
    cap_passes: Annotated[int, integer(1, MAX_CAP_PASSES)] = 1

    @model_validator(mode="after")
    def _fits(self) -> Methodology:
        if (self.cap == "none") != (self.cap_weight is None):
            raise ValueError("cap_weight: expected with cap hard or flexible, and only there")
        if self.kind != "market_cap" and self.cap != "none":
            raise ValueError(f"cap: found {self.cap!r}, expected none with {self.kind}")
        if self.cap == "none" and self.cap_passes != 1:
            raise ValueError(f"cap_passes: found {self.cap_passes}, expected with cap hard or flexible only")
        if self.entry_weight < self.floor_weight:
            raise ValueError(f"entry_weight: found {self.entry_weight}, expected at least floor_weight")
        return self

    def as_tuple(self) -> tuple[int | bool, ...]:
        """In the order of the contract's struct `Rule`."""
        return (
            CAPS.index(self.cap),
            self.cap_weight or 0,
            self.floor_weight,
            self.entry_weight,
            self.top_n,
            self.nav_floor == "component",
            self.max_supply_age,
            self.max_supply_jump,
            self.cap_passes,
        )


class LimitsConfig(Model):
    """Limits of trading, see the rebalancer's `Limits`. Fractions with 18 decimals, times in seconds."""

    first_tolerance: Annotated[int, fraction(-WAD // 10, WAD // 10, "-10 % to 10 %")] = -15 * WAD // 1000
    last_tolerance: Annotated[int, fraction(0, WAD // 10, "0 to 10 %")] = 4 * WAD // 100
    batch_cap: Annotated[int, fraction(1, WAD // 10, "above 0 and at most 10 %")] = 2 * WAD // 100
    loss_budget: Annotated[int, fraction(0, 2 * WAD // 100, "0 to 2 %")] = 5 * WAD // 1000
    max_step: Annotated[int, fraction(1, WAD, "above 0 and at most 100 %")] = WAD // 10
    dust: Annotated[int, fraction(10**12, WAD // 1000, "0.0001 % to 0.1 %")] = 2 * 10**13
    cool_off: Annotated[int, duration(60, DAY_S)] = 600
    max_idle: Annotated[int, duration(60, DAY_S)] = 1_800
    band: Annotated[int, fraction(0, WAD // 10, "0 to 10 %")] = 0
    """A period is skipped if half the sum of the weights' deviations from their targets is below this; 0: none is."""

    @model_validator(mode="after")
    def _ordered(self) -> LimitsConfig:
        if self.first_tolerance > self.last_tolerance:
            raise ValueError(
                f"first_tolerance: found {self.first_tolerance}, expected at most last_tolerance {self.last_tolerance}"
            )
        if self.max_idle < self.cool_off:
            raise ValueError(f"max_idle: found {self.max_idle} s, expected at least cool_off {self.cool_off} s")
        return self

    def as_tuple(self) -> tuple[int, ...]:
        """In the order of the contract's struct, which does not have the band."""
        return (
            self.first_tolerance,
            self.last_tolerance,
            self.batch_cap,
            self.loss_budget,
            self.max_step,
            self.dust,
            self.cool_off,
            self.max_idle,
        )


class RolesConfig(Model):
    """Accounts by role; `deployer` means the deploying account."""

    guardian: Account
    proposers: Annotated[tuple[Account, ...], Field(min_length=1)]
    fee_recipient: Account
    poster: Account | None = None
    """Account that updates posted supplies between months; None: only the timelock posts. With market_cap only."""


class Upkeep(Model):
    """Payment of whoever does a month's steps, see the upkeep's `Terms`: fractions with 18 decimals, amounts in wei.
    `part`: part of the streaming fee for the upkeep; 0: the whole fee goes to its recipient, and the upkeep pays only
    with what somebody sends it."""

    part: Annotated[int, fraction(0, WAD, "0 to 100 %")] = 0
    premium: Annotated[int, fraction(0, WAD // 10, "0 to 10 %")] = WAD // 10
    least_sale: Annotated[int, fraction(WAD // 1000, WAD // 10, "0.1 % to 10 %")] = 5 * WAD // 1000
    max_base_fee: Annotated[int, wei(GWEI, 500 * GWEI, "1 to 500 gwei")] = 100 * GWEI
    monthly: Annotated[int, wei(0, 10 * ETHER, "0 to 10 ether")] = ETHER // 2

    def as_tuple(self) -> tuple[int, ...]:
        """In the order of the contract's struct."""
        return (self.premium, self.least_sale, self.max_base_fee, self.monthly)
