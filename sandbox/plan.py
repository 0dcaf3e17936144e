"""A sandbox as data: one YAML file that defines its tokens, feeds, pools and fund.

Every scalar is read as a string and parsed exactly, as in a fund's file. The fields under `fund` are passed on as they
are, and checked like a fund's file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from eth_utils import to_checksum_address
from pydantic import Field, ValidationError, model_validator

from ballast.fund_file import FundConfig, FundError, parse_fund, read_texts
from ballast.networks.presets import TEST_CHAINS
from ballast.parts import MAX_DECIMALS, MAX_FEED_AGE, MAX_PRICE, Model, Text, duration, fraction, integer, price
from ballast.units import DAY_S, FEED_STEP, WAD
from ballast.validation import invalid_lines
from ballast.values import decimal_text
from sandbox.errors import SandboxError

LEAST, MOST = 2, 14
"""Number of components: all are listed in one transaction."""
LOWEST, HIGHEST = 50, 20
"""A feed's bounds: its first price divided by LOWEST, and times HIGHEST."""
MAX_SUPPLY = 10**13
"""Whole tokens."""
MAX_ANSWER = 2**64 - 1
MADE = ("chain_id", "weth", "eth_feed", "components", "uniswap_v2_factory")
"""Fields of the fund that the sandbox fills in."""


class FeedTimes(Model):
    """Seconds within which all prices are posted, and after which the fund rejects them."""

    heartbeat: Annotated[int, duration(60, MAX_FEED_AGE)]
    max_age: Annotated[int, duration(60, MAX_FEED_AGE)]

    @model_validator(mode="after")
    def _fits(self) -> FeedTimes:
        if self.max_age <= self.heartbeat:
            raise ValueError(f"max_age: found {self.max_age} s, expected more than heartbeat, {self.heartbeat} s")
        return self


class Faucet(Model):
    """Bounds of every faucet: USD (18 decimals) of a claim, and seconds until the same account may claim again."""

    worth: Annotated[int, price()]
    wait: Annotated[int, duration(600, 365 * DAY_S)]


class PlanAsset(Model):
    """A test token. `price`: USD at the start, 18 decimals; `supply`: whole tokens that circulate."""

    symbol: Text
    name: Text
    price: Annotated[int, price()]
    supply: Annotated[int, integer(1, MAX_SUPPLY)]
    decimals: Annotated[int, integer(6, MAX_DECIMALS)] = 18

    @model_validator(mode="after")
    def _answers(self) -> PlanAsset:
        if self.price % FEED_STEP or self.answer > MAX_ANSWER:
            raise ValueError(f"price: found {decimal_text(self.price)}, expected at most 8 decimals and below 10^11")
        return self

    @property
    def answer(self) -> int:
        """The feed's first answer, 8 decimals."""
        return self.price // FEED_STEP

    def worth(self, usd: int) -> int:
        """Token wei that `usd` (18 decimals) buys at the start, rounded down."""
        # {tok wei} = {USD} * {tok wei / tok} / {USD / tok}
        wei: int = usd * 10**self.decimals // self.price
        return wei


class PlanComponent(PlanAsset):
    """A test token that the fund holds or may hold. `locked`: whole tokens that never move; `held`: part of a share's
    value at the start, 18 decimals."""

    locked: Annotated[int, integer(1, MAX_SUPPLY)] | None = None
    held: Annotated[int, fraction(0, WAD, "0 to 100 %")]


class Plan(Model):
    """A whole sandbox. USD amounts have 18 decimals."""

    fund: dict[str, Any]
    share_price: Annotated[int, price()]
    feed: FeedTimes
    faucet: Faucet
    depth: Annotated[int, price()]
    numeraire: PlanAsset
    components: Annotated[tuple[PlanComponent, ...], Field(min_length=LEAST, max_length=MOST)]

    @model_validator(mode="after")
    def _together(self) -> Plan:
        problems = [*self._symbols(), *self._held(), *self._given()]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _symbols(self) -> Sequence[str]:
        symbols = [one.symbol for one in self.assets]
        return [
            f"components: duplicate symbol {symbol!r}, expected each once, the numeraire's too"
            for symbol in sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
        ]

    def _held(self) -> Sequence[str]:
        total = sum(component.held for component in self.components)
        return [] if total == WAD else [f"components: held sums to {decimal_text(100 * total)} %, expected 100 %"]

    def _given(self) -> Sequence[str]:
        return [f"fund.{name}: found one, expected none: the sandbox makes it" for name in MADE if name in self.fund]

    @property
    def assets(self) -> tuple[PlanAsset, ...]:
        """All tokens by number: the numeraire first."""
        return (self.numeraire, *self.components)

    def claim(self, asset: PlanAsset) -> int:
        """Token wei of a claim."""
        return asset.worth(self.faucet.worth)

    def unit(self, component: PlanComponent) -> int:
        """Token wei for 1e18 shares at the start."""
        return component.worth(self.share_price * component.held // WAD)

    def depths(self, component: PlanComponent) -> tuple[int, int]:
        """Initial reserves of its pool: token wei, numeraire wei."""
        return component.worth(self.depth), self.numeraire.worth(self.depth)


def load_plan(path: str | Path) -> Plan:
    """Reads a sandbox's YAML file. Raises SandboxError with all problems; it begins with the file's name."""
    try:
        return parse_plan(read_texts(path, "sandbox"))
    except (FundError, SandboxError) as error:
        text = str(error)
        raise SandboxError(text if text.startswith("sandbox ") else f"sandbox {path}: {text}") from None


def parse_plan(raw: object) -> Plan:
    """Checks a decoded sandbox, its fund included. Raises SandboxError with a line for each problem."""
    if not isinstance(raw, dict):
        raise SandboxError("expected a mapping of fields")
    try:
        plan = Plan.model_validate(raw)
    except ValidationError as error:
        raise SandboxError(_lines(invalid_lines(error, raw))) from None
    _check_fund(plan)
    return plan


def _check_fund(plan: Plan) -> None:
    """Checks the fund at stand-in addresses, and that the supplies suffice for its seed and the pools."""
    try:
        config = fund_of(plan, imagined(plan, TEST_CHAINS[0]))
    except FundError as error:
        raise SandboxError(f"fund: {error}") from None
    problems = []
    seeds = dict(zip((c.symbol for c in config.seeded()), config.seed_amounts(), strict=True))
    for component in plan.components:
        has = component.supply * 10**component.decimals
        needs = seeds.get(component.symbol, 0) + plan.depths(component)[0]
        if needs > has:
            problems.append(
                f"components ({component.symbol}) supply: found {component.supply:,}, expected at least "
                f"{-(-needs // 10**component.decimals):,} for pool and seed"
            )
        if component.held and not seeds.get(component.symbol):
            problems.append(f"components ({component.symbol}) held: comes to less than a wei for a share")
    needs = sum(plan.depths(component)[1] for component in plan.components)
    if needs > plan.numeraire.supply * 10**plan.numeraire.decimals:
        problems.append(
            f"numeraire supply: found {plan.numeraire.supply:,}, expected at least "
            f"{-(-needs // 10**plan.numeraire.decimals):,} for the pools"
        )
    if problems:
        raise SandboxError(_lines(problems))


def _lines(problems: list[str]) -> str:
    return problems[0] if len(problems) == 1 else "\n".join((f"{len(problems)} problems:", *problems))


class Placed(Model):
    """Addresses of a sandbox: tokens and feeds by number, pairs by number from 1 on."""

    chain_id: int
    factory: str
    tokens: tuple[str, ...]
    feeds: tuple[str, ...]
    pairs: tuple[str, ...]


def imagined(plan: Plan, chain_id: int) -> Placed:
    """Addresses that stand in for those of the deployment."""

    def some(kind: int) -> tuple[str, ...]:
        return tuple(str(to_checksum_address(f"0x{kind:02x}{number:038x}")) for number in range(len(plan.assets)))

    return Placed(chain_id=chain_id, factory=f"0x{1:040x}", tokens=some(1), feeds=some(2), pairs=some(3)[1:])


def fund_fields(plan: Plan, placed: Placed) -> dict[str, Any]:
    """The fields of the fund's file, every scalar as a string."""
    components = []
    for number, component in enumerate(plan.components, 1):
        supply = str(component.supply)
        locked = {"lockers": [placed.tokens[number]], "known_supply": supply}
        components.append(
            {
                "symbol": component.symbol,
                "token": placed.tokens[number],
                "decimals": str(component.decimals),
                "feed": _feed(plan, component, placed.feeds[number]),
                **({"supply": supply} if component.locked is None else locked),
                "seed_unit": str(plan.unit(component)),
                "pools": [{"venue": "uniswap", "pair": placed.pairs[number - 1]}],
            }
        )
    made = {
        "chain_id": str(placed.chain_id),
        "weth": placed.tokens[0],
        "uniswap_v2_factory": placed.factory,
        "eth_feed": _feed(plan, plan.numeraire, placed.feeds[0]),
    }
    return {**plan.fund, **made, "components": components}


def fund_of(plan: Plan, placed: Placed) -> FundConfig:
    """The fund's configuration. Raises FundError."""
    return parse_fund(fund_fields(plan, placed))


def _feed(plan: Plan, asset: PlanAsset, address: str) -> dict[str, str]:
    lowest, highest = max(1, asset.price // LOWEST), min(asset.price * HIGHEST, MAX_PRICE)
    return {
        "address": address,
        "max_age": f"{plan.feed.max_age} s",
        "lowest": decimal_text(lowest),
        "highest": decimal_text(highest),
    }
