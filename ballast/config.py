"""A fund as data: one YAML file that says what the fund holds, by which rule, within which limits, and who governs it.

Every scalar is read as text and parsed exactly, so no float ever comes near an amount:

- fractions ("0.95 %", "0.0095", "-1.5 %") become integers with 18 decimals,
- durations ("600 s", "30 min", "12 hours", "2 days", or plain seconds) become seconds,
- share amounts ("1.5" whole shares) become 18-decimal integers,
- units stay what they are: token wei per 1e18 shares.

What does not fit is refused with one line that names the field, the value and what would be right (`FundError`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ballast.book import Pool as BookPool
from ballast.values import (
    WAD,
    parse_account,
    parse_address,
    parse_duration,
    parse_flag,
    parse_fraction,
    parse_integer,
    parse_shares,
)

MAX_COMPONENTS = 50
MAX_DECIMALS = 27
MAX_STREAMING_FEE = 5 * WAD // 100
MAX_FEED_AGE = 8 * 86_400
MIN_SEED = WAD

CAPS = ("none", "hard", "flexible")
"""In the order of the contract's enum."""

_SLUG = re.compile(r"^[a-z0-9][a-z0-9-]*$")


class FundError(ValueError):
    """A fund that cannot be deployed or used as it is described; one line for people."""


def _within(parse: Callable[[object], int], least: int, most: int, words: str) -> Callable[[object], int]:
    """The parser with bounds, which its error names in the field's own measure."""

    def bounded(value: object) -> int:
        number = parse(value)
        if not least <= number <= most:
            raise ValueError(f"expected {words}")
        return number

    return bounded


def _integer(least: int, most: int) -> BeforeValidator:
    return BeforeValidator(_within(parse_integer, least, most, f"a whole number from {least} to {most}"))


def _fraction(least: int, most: int, words: str) -> BeforeValidator:
    return BeforeValidator(_within(parse_fraction, least, most, words))


def _duration(least: int, most: int) -> BeforeValidator:
    return BeforeValidator(_within(parse_duration, least, most, f"{least} to {most} seconds"))


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


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Feed(_Model):
    """A Chainlink feed: TOKEN/USD, or TOKEN/ETH where `quoted_in_eth`. `max_age` is its heartbeat plus a margin."""

    address: Address
    max_age: Annotated[int, _duration(1, MAX_FEED_AGE)]
    quoted_in_eth: Annotated[bool, BeforeValidator(parse_flag)] = False


STATES = ("active", "frozen", "leaving")
"""In the order of the contract's enum."""


V3_FEES_BPS = (1, 5, 30, 100)
"""Fee tiers of Uniswap V3."""


class Pool(_Model):
    """A pool of the token against WETH, for the keeper to trade in: of the Uniswap V2 kind, or of Uniswap V3. With
    `other` it is a direct pool against that component of the fund, named once, under either of the two."""

    venue: Literal["uniswap", "sushiswap", "uniswap-v3"]
    pair: Address
    fee_bps: Annotated[int, _integer(1, 100)] = 30
    other: Address | None = None

    @model_validator(mode="after")
    def _fits(self) -> Pool:
        right = V3_FEES_BPS if self.venue == "uniswap-v3" else (30,)
        if self.fee_bps not in right:
            expected = " or ".join(map(str, right))
            raise ValueError(f"fee_bps: found {self.fee_bps}, expected {expected} on {self.venue}")
        return self


class Component(_Model):
    """A token that the fund holds or may hold.

    `supply` (whole tokens) or `lockers` (market-cap weights), or `weight` (18 decimals, fixed weights), makes it a
    constituent of the index; one without any is held at first and sold in the first month.
    """

    symbol: Text
    token: Address
    decimals: Annotated[int, _integer(0, MAX_DECIMALS)]
    feed: Feed
    supply: Annotated[int, _integer(1, 2**88 - 1)] | None = None
    lockers: tuple[Address, ...] | None = None
    """Accounts whose balances do not circulate: the supply is computed on chain, in place of a posted one."""
    state: Literal["active", "frozen", "leaving"] = "active"
    weight: Annotated[int, _fraction(1, WAD, "a weight above 0 and at most 1")] | None = None
    seed_unit: Annotated[int, _integer(0, 2**120 - 1)] = 0
    """Token wei per 1e18 shares at the start; 0: only a candidate."""
    pools: tuple[Pool, ...] = ()

    @property
    def basis(self) -> int:
        """What the methodology weighs it by; 0 where it is no constituent."""
        return self.supply or self.weight or 0

    @property
    def weighed(self) -> bool:
        """Whether the methodology knows it."""
        return bool(self.basis) or self.lockers is not None

    def book_pools(self) -> tuple[BookPool, ...]:
        """The pools as the address book has them."""
        return tuple(BookPool(pool.venue, pool.pair, pool.fee_bps, pool.other) for pool in self.pools)


class Methodology(_Model):
    """The rule of the index, see the contracts' `Rule`: market-cap weights, fixed weights, or equal weights for every
    component that is active. Fractions with 18 decimals.

    Of market cap: the `top_n` largest, capped; what is below `floor_weight` (held) or `entry_weight` (new) is left
    out. NAV is floored once over the `sum`, or for each `component`. A supply older than `max_supply_age` (seconds) is
    replaced by last month's; one further from that than `max_supply_jump` is clamped.
    """

    kind: Literal["market_cap", "fixed_weight", "equal_weight"]
    cap: Literal["none", "hard", "flexible"] = "none"
    cap_weight: Annotated[int, _fraction(1, WAD - 1, "a fraction above 0 and below 1")] | None = None
    floor_weight: Annotated[int, _fraction(0, WAD - 1, "0 or a fraction below 1")] = 0
    entry_weight: Annotated[int, _fraction(0, WAD - 1, "0 or a fraction below 1")] = 0
    top_n: Annotated[int, _integer(1, MAX_COMPONENTS)] = MAX_COMPONENTS
    nav_floor: Literal["sum", "component"] = "sum"
    max_supply_age: Annotated[int, _duration(1, 2**32 - 1)] = 100 * 86_400
    max_supply_jump: Annotated[int, _fraction(1, 10 * WAD, "a fraction above 0 and at most 10")] = 25 * WAD // 100

    @model_validator(mode="after")
    def _fits(self) -> Methodology:
        if (self.cap == "none") != (self.cap_weight is None):
            raise ValueError("cap_weight: expected with cap hard or flexible, and only there")
        if self.kind != "market_cap" and self.cap != "none":
            raise ValueError(f"cap: found {self.cap!r}, expected none with {self.kind}")
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
        )


class Limits(_Model):
    """Bounds of what trading may do, see the rebalancer's `Limits`. Fractions with 18 decimals, times in seconds."""

    first_tolerance: Annotated[int, _fraction(-WAD // 10, WAD // 10, "-10 % to 10 %")] = -15 * WAD // 1000
    last_tolerance: Annotated[int, _fraction(0, WAD // 10, "0 to 10 %")] = 4 * WAD // 100
    batch_cap: Annotated[int, _fraction(1, WAD // 10, "above 0 and at most 10 %")] = 2 * WAD // 100
    loss_budget: Annotated[int, _fraction(0, 2 * WAD // 100, "0 to 2 %")] = 5 * WAD // 1000
    max_step: Annotated[int, _fraction(1, WAD, "above 0 and at most 100 %")] = WAD // 10
    dust: Annotated[int, _fraction(10**12, WAD // 1000, "0.0001 % to 0.1 %")] = 2 * 10**13
    cool_off: Annotated[int, _duration(60, 86_400)] = 600
    max_idle: Annotated[int, _duration(60, 86_400)] = 1_800

    @model_validator(mode="after")
    def _ordered(self) -> Limits:
        if self.first_tolerance > self.last_tolerance:
            raise ValueError(
                f"first_tolerance: found {self.first_tolerance}, expected at most last_tolerance {self.last_tolerance}"
            )
        if self.max_idle < self.cool_off:
            raise ValueError(f"max_idle: found {self.max_idle} s, expected at least cool_off {self.cool_off} s")
        return self

    def as_tuple(self) -> tuple[int, ...]:
        """In the order of the contract's struct."""
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


DAYS = ("first_business_day", "last_day", "fixed_day")


class Timetable(_Model):
    """When things may happen, see the rebalancer's `Timetable`."""

    day: Literal["first_business_day", "last_day", "fixed_day"] = "first_business_day"
    fixed_day: Annotated[int, _integer(0, 28)] = 0
    notice_days: Annotated[int, _integer(1, 14)] = 7
    min_notice: Annotated[int, _duration(0, 14 * 86_400)] = 2 * 86_400
    min_trading: Annotated[int, _duration(0, 27 * 86_400)] = 2 * 86_400

    @model_validator(mode="after")
    def _fits(self) -> Timetable:
        if self.min_notice > self.notice_days * 86_400:
            raise ValueError(f"min_notice: found {self.min_notice} s, expected at most {self.notice_days} days")
        last = 28 - self.notice_days
        if self.day == "fixed_day" and not 0 < self.fixed_day < last:
            raise ValueError(f"fixed_day: found {self.fixed_day}, expected 1 to {last - 1} with these notice_days")
        if self.day != "fixed_day" and self.fixed_day:
            raise ValueError(f"fixed_day: found {self.fixed_day}, expected 0 with day {self.day}")
        begin = self.fixed_day if self.day == "fixed_day" else 3
        if self.min_trading > (last - begin) * 86_400:
            raise ValueError(f"min_trading: found {self.min_trading} s, expected at most {(last - begin) * 86_400} s")
        return self

    def as_tuple(self) -> tuple[int, ...]:
        """In the order of the contract's struct."""
        return (DAYS.index(self.day), self.fixed_day, self.notice_days, self.min_notice, self.min_trading)


class Roles(_Model):
    """Who may do what; `deployer` stands for the deploying account."""

    guardian: Account
    proposers: Annotated[tuple[Account, ...], Field(min_length=1)]
    fee_recipient: Account


class FundConfig(_Model):
    """A whole fund. `seed_shares` and `streaming_fee` have 18 decimals, `supply_cap` is in whole shares."""

    name: Text
    symbol: Text
    slug: Annotated[str, BeforeValidator(_slug)]
    chain_id: Annotated[int, _integer(1, 2**63)]
    weth: Address
    eth_feed: Feed
    methodology: Methodology
    components: Annotated[tuple[Component, ...], Field(min_length=1, max_length=MAX_COMPONENTS)]
    seed_shares: Annotated[int, BeforeValidator(_within(parse_shares, MIN_SEED, 2**96 - 1, "at least 1 share"))]
    supply_cap: Annotated[int, _integer(1, 2**32 - 1)]
    streaming_fee: Annotated[int, _fraction(0, MAX_STREAMING_FEE, "0 to 5 %")] = 95 * WAD // 10_000
    timelock_delay: Annotated[int, _duration(0, 90 * 86_400)] = 2 * 86_400
    roles: Roles
    limits: Limits = Limits()
    timetable: Timetable = Timetable()

    @model_validator(mode="after")
    def _together(self) -> FundConfig:
        _check_components(self.components, self.methodology)
        if self.eth_feed.quoted_in_eth:
            raise ValueError("eth_feed.quoted_in_eth: found true, expected the ETH/USD feed")
        if self.seed_shares > self.supply_cap * WAD:
            raise ValueError(f"supply_cap: found {self.supply_cap}, expected at least seed_shares")
        return self

    def ordered(self) -> tuple[Component, ...]:
        """Components in ascending order of token address, the order of every list on chain."""
        return tuple(sorted(self.components, key=lambda component: int(component.token, 16)))

    @property
    def names_v3_pools(self) -> bool:
        """Whether any component names a pool of Uniswap V3."""
        return any(pool.venue == "uniswap-v3" for component in self.components for pool in component.pools)

    def seeded(self) -> tuple[Component, ...]:
        """Components held from the start, ascending."""
        return tuple(component for component in self.ordered() if component.seed_unit)

    def constituents(self) -> tuple[Component, ...]:
        """Components that the methodology weighs, ascending."""
        if self.methodology.kind == "equal_weight":
            return tuple(component for component in self.ordered() if component.state == "active")
        return tuple(component for component in self.ordered() if component.weighed)

    def weights(self) -> tuple[int, ...]:
        """Weights of the constituents of a fixed- or equal-weight fund, 18 decimals, adding up to 1e18: of equal ones
        the first take the wei that are left over."""
        constituents = self.constituents()
        if self.methodology.kind != "equal_weight":
            return tuple(component.basis for component in constituents)
        each, left = divmod(WAD, len(constituents))
        return tuple(each + (i < left) for i in range(len(constituents)))

    def seed_amounts(self) -> tuple[int, ...]:
        """Token wei that the seed takes of each seeded component: unit x shares, rounded up as the contract does."""
        return tuple(-(-component.seed_unit * self.seed_shares // WAD) for component in self.seeded())


def _check_components(components: Sequence[Component], methodology: Methodology) -> None:
    symbols: set[str] = set()
    tokens: dict[str, str] = {}
    if methodology.kind == "equal_weight":
        _check_equal(components)
    right, wrong = ("supply", "weight") if methodology.kind == "market_cap" else ("weight", "supply")
    for component in components:
        if component.token in tokens:
            raise ValueError(
                f"components: duplicate token {component.token} ({tokens[component.token]} and {component.symbol}), "
                "expected each once"
            )
        if component.symbol in symbols:
            raise ValueError(f"components: duplicate symbol {component.symbol!r}, expected each once")
        tokens[component.token] = component.symbol
        symbols.add(component.symbol)
        if getattr(component, wrong) is not None:
            raise ValueError(
                f"components ({component.symbol}) {wrong}: given with {methodology.kind}, expected {right}"
            )
        if component.lockers is not None and (methodology.kind != "market_cap" or component.supply is not None):
            raise ValueError(f"components ({component.symbol}) lockers: expected with market_cap, in place of supply")
        if not component.weighed and not component.seed_unit and methodology.kind != "equal_weight":
            raise ValueError(f"components ({component.symbol}) {right}: missing, expected one, or a seed_unit above 0")
    _check_direct(components, tokens)
    if not any(component.seed_unit for component in components):
        raise ValueError("components: every seed_unit is 0, expected at least one above 0")
    constituents = [component for component in components if component.weighed]
    if not constituents and methodology.kind != "equal_weight":
        raise ValueError(f"components: none has a {right}, expected at least one constituent")
    if methodology.kind == "fixed_weight":
        total = sum(component.basis for component in constituents)
        if total != WAD:
            raise ValueError(f"components: weights sum to {total}, expected {WAD} (100 %)")
    if methodology.cap_weight is not None and methodology.cap_weight * len(constituents) < WAD:
        raise ValueError(f"cap_weight: {len(constituents)} constituents cannot fill 100 % at {methodology.cap_weight}")


def _check_direct(components: Sequence[Component], tokens: Mapping[str, str]) -> None:
    for component in components:
        for pool in component.pools:
            if pool.other is not None and (pool.other not in tokens or pool.other == component.token):
                raise ValueError(
                    f"components ({component.symbol}) pools other: found {pool.other}, expected the token of another "
                    "component"
                )


def _check_equal(components: Sequence[Component]) -> None:
    for component in components:
        if component.weighed:
            raise ValueError(f"components ({component.symbol}): has a supply, lockers or weight, expected none of them")
    if not any(component.state == "active" for component in components):
        raise ValueError("components: none is active, expected at least one constituent")


def load_fund(path: str | Path) -> FundConfig:
    """Reads a fund's YAML file. Raises FundError with one line that begins with the file's name."""
    file = Path(path)
    try:
        raw = yaml.load(file.read_text(encoding="utf-8"), Loader=_TextLoader)
    except FileNotFoundError:
        raise FundError(f"fund {path}: no such file, expected a fund's YAML") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FundError(f"fund {path}: cannot be read ({error})") from None
    except yaml.YAMLError as error:
        raise FundError(f"fund {path}: not YAML ({' '.join(str(error).split())})") from None
    try:
        return parse_fund(raw)
    except FundError as error:
        raise FundError(f"fund {path}: {error}") from None


def parse_fund(raw: object) -> FundConfig:
    """Checks a decoded fund and gives it types. Raises FundError with one line."""
    if not isinstance(raw, dict):
        raise FundError("expected a mapping of fields")
    try:
        return FundConfig.model_validate(raw)
    except ValidationError as error:
        raise FundError(_line(error, raw)) from None


def _line(error: ValidationError, raw: dict[str, Any]) -> str:
    """The first thing that is wrong, in one line."""
    first = error.errors(include_url=False)[0]
    where = _where(first["loc"], raw)
    if first["type"] == "missing":
        return f"{where}: missing"
    if first["type"] == "extra_forbidden":
        return f"{where}: unknown field"
    if first["type"] == "literal_error":
        return f"{where}: found {first['input']!r}, expected {first['ctx']['expected']}"
    message = str(first["msg"]).removeprefix("Value error, ")
    if isinstance(first["input"], (dict, list, tuple, BaseModel)):
        if first["type"] == "value_error":
            return f"{where}.{message}" if where else message
        return f"{where}: {message[0].lower()}{message[1:]}"
    return f"{where}: found {first['input']!r}, {message[0].lower()}{message[1:]}"


def _where(location: tuple[int | str, ...], raw: dict[str, Any]) -> str:
    """Dotted path of a field; a component is named by its symbol."""
    words: list[str] = []
    here: Any = raw
    for step in location:
        here = here[step] if _has(here, step) else None
        if isinstance(step, int):
            symbol = here.get("symbol") if isinstance(here, dict) else None
            words[-1] += f"[{step}]" + (f" ({symbol})" if symbol else "")
        else:
            words.append(step)
    return ".".join(words)


def _has(container: Any, step: int | str) -> bool:
    if isinstance(container, dict):
        return step in container
    return isinstance(container, (list, tuple)) and isinstance(step, int) and step < len(container)


class _TextLoader(yaml.BaseLoader):
    """Every scalar stays text, and a key that stands twice is refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.YAMLError(f"field {key.value!r} stands twice in line {key.start_mark.line + 1}")
            seen.add(key.value)
        return super().construct_mapping(node, deep)
