"""A fund as data: one YAML file with what the fund holds, by which rule, within which limits, and who governs it.

The parser reads every scalar as text and parses it exactly, so amounts are never floats:

- fractions ("0.95 %", "0.0095", "-1.5 %") become integers with 18 decimals,
- durations ("600 s", "30 min", "12 hours", "2 days", or plain seconds) become seconds,
- share amounts ("1.5" whole shares) become 18-decimal integers,
- units are not converted: token wei per 1e18 shares.

An invalid file raises `FundError` with a line per problem, which names the field, the value and what is expected.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from ballast.errors import UserError
from ballast.networks.presets import NETWORKS, by_slug
from ballast.parts import (
    MAX_BLOCK_TIME,
    MAX_COMPONENTS,
    MAX_STREAMING_FEE,
    MIN_SEED,
    Address,
    Anchor,
    Component,
    Feed,
    LimitsConfig,
    Methodology,
    Model,
    RolesConfig,
    Sequencer,
    Slug,
    Text,
    Upkeep,
    duration,
    fraction,
    integer,
    within,
)
from ballast.rule.types import WEIGHTS_ROUNDING
from ballast.timetable import TimetableConfig, check_scale
from ballast.units import BLOCK_S, DAY_S, WAD
from ballast.validation import invalid_lines
from ballast.values import parse_shares


class FundError(UserError, ValueError):
    """A fund that cannot be deployed or used as described; a line for people per problem."""


class FundConfig(Model):
    """A whole fund. `seed_shares` and `streaming_fee` have 18 decimals, `supply_cap` is in whole shares."""

    name: Text
    symbol: Text
    slug: Slug
    chain_id: Annotated[int, integer(1, 2**63)]
    weth: Address
    eth_feed: Feed
    methodology: Methodology
    components: Annotated[tuple[Component, ...], Field(min_length=1, max_length=MAX_COMPONENTS)]
    seed_shares: Annotated[int, BeforeValidator(within(parse_shares, MIN_SEED, 2**96 - 1, "at least 1 share"))]
    supply_cap: Annotated[int, integer(1, 2**32 - 1)]
    streaming_fee: Annotated[int, fraction(0, MAX_STREAMING_FEE, "0 to 5 %")] = 95 * WAD // 10_000
    timelock_delay: Annotated[int, duration(0, 90 * DAY_S)] = 2 * DAY_S
    roles: RolesConfig
    uniswap_v2_factory: Address | None = None
    """Factory of the pairs in which the zap swaps, instead of the chain's known exchanges."""
    uniswap_v3_factory: Address | None = None
    """Factory of the anchors' pools; only with anchors."""
    sequencer: Sequencer | None = None
    """On a rollup: the feed of its sequencer."""
    block_time: Annotated[int, duration(1, MAX_BLOCK_TIME)] = BLOCK_S
    """Least seconds between two blocks with different timestamps: limits how fast an anchor's pool fills its
    observations."""
    limits: LimitsConfig = LimitsConfig()
    timetable: TimetableConfig = TimetableConfig()
    upkeep: Upkeep = Upkeep()

    @model_validator(mode="before")
    @classmethod
    def _of_network(cls, given: Any) -> Any:
        """Fills in fields that follow from the chain: `network` sets `chain_id`, `weth` and `block_time`, a known
        `chain_id` sets `block_time`; given fields take precedence."""
        if not isinstance(given, dict):
            return given
        if "network" not in given:
            number = str(given.get("chain_id", ""))
            known = NETWORKS.get(int(number)) if number.isascii() and number.isdigit() else None
            return given if known is None else {"block_time": known.date_s, **given}
        network = by_slug(str(given["network"]))
        if network is None:
            right = ", ".join(one.slug for one in NETWORKS.values())
            raise ValueError(f"network: found {given['network']!r}, expected one of {right}, or in its place chain_id")
        if "chain_id" in given:
            raise ValueError("chain_id: found beside network, expected one of the two")
        fields: dict[str, Any] = {"chain_id": network.chain_id, "block_time": network.date_s}
        fields |= {} if network.weth is None else {"weth": network.weth}
        return fields | {field: value for field, value in given.items() if field != "network"}

    @model_validator(mode="after")
    def _together(self) -> FundConfig:
        checks = (
            lambda: _check_components(self.components, self.methodology),
            lambda: _check_states(self.components, self.methodology),
            self._check_amounts,
            self._check_anchors,
            self._check_upkeep,
            self._check_poster,
            lambda: check_scale(self.limits, self.timetable, self.chain_id),
        )
        if problems := [str(error) for check in checks if (error := _refusal(check)) is not None]:
            raise ValueError("\n".join(problems))
        return self

    def _check_amounts(self) -> None:
        if self.eth_feed.quoted_in_eth:
            raise ValueError("eth_feed.quoted_in_eth: found true, expected the ETH/USD feed")
        if self.seed_shares > self.supply_cap * WAD:
            raise ValueError(f"supply_cap: found {self.supply_cap}, expected at least seed_shares")

    def _check_anchors(self) -> None:
        if (self.uniswap_v3_factory is None) == bool(self.anchored()):
            raise ValueError("uniswap_v3_factory: expected where a component has an anchor, and only there")
        # If anchors pull sells up and buys down, a batch at market prices loses up to twice the bound.
        most = self.limits.last_tolerance // 2
        for component, anchor in self.anchored():
            if anchor.bound > most:
                where = f"components ({component.symbol}) anchor.bound"
                raise ValueError(f"{where}: found {anchor.bound}, expected at most {most}, half of last_tolerance")

    def _check_upkeep(self) -> None:
        if not self.upkeep.part:
            return
        if self.upkeep.least_sale > self.limits.batch_cap:
            raise ValueError(
                f"upkeep.least_sale: found {self.upkeep.least_sale}, expected at most batch_cap "
                f"{self.limits.batch_cap}: no batch but the last would be paid"
            )
        if not self.streaming_fee:
            raise ValueError("upkeep.part: found one, expected none, as there is no streaming_fee")

    def _check_poster(self) -> None:
        if self.roles.poster is not None and all(c.supply is None for c in self.components):
            raise ValueError("roles.poster: found one, expected none, as no component has a posted supply")

    def ordered(self) -> tuple[Component, ...]:
        """Components in ascending order of token address, the order of every list on chain."""
        return tuple(sorted(self.components, key=lambda component: int(component.token, 16)))

    @property
    def names_v3_pools(self) -> bool:
        """Whether any component names a pool of Uniswap V3."""
        return any(pool.venue == "uniswap-v3" for component in self.components for pool in component.pools)

    def anchored(self) -> tuple[tuple[Component, Anchor], ...]:
        """Components with an anchor, ascending, each with its anchor."""
        return tuple((c, c.anchor) for c in self.ordered() if c.anchor is not None)

    def seeded(self) -> tuple[Component, ...]:
        """Components held from the start, ascending."""
        return tuple(component for component in self.ordered() if component.seed_unit)

    def constituents(self) -> tuple[Component, ...]:
        """Components that the methodology weighs, ascending."""
        if self.methodology.kind == "equal_weight":
            return tuple(component for component in self.ordered() if component.state == "active")
        return tuple(component for component in self.ordered() if component.weighed)

    def weights(self) -> tuple[int, ...]:
        """Weights of the constituents of a fixed- or equal-weight fund, 18 decimals. Equal ones add up to 1e18: the
        first get one more for the remainder."""
        constituents = self.constituents()
        if self.methodology.kind != "equal_weight":
            return tuple(component.basis for component in constituents)
        each, left = divmod(WAD, len(constituents))
        return tuple(each + (i < left) for i in range(len(constituents)))

    def seed_amounts(self) -> tuple[int, ...]:
        """Token wei that the seed takes of each seeded component: unit x shares, rounded up as in the contract."""
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
    _check_given(constituents)
    if methodology.kind == "fixed_weight":
        total = sum(component.basis for component in constituents)
        if abs(total - WAD) > WEIGHTS_ROUNDING:
            raise ValueError(f"components: weights sum to {total}, expected {WAD} (100 %) within 0.01 %")
    if methodology.cap_weight is not None and methodology.cap_weight * len(constituents) < WAD:
        raise ValueError(f"cap_weight: {len(constituents)} constituents cannot fill 100 % at {methodology.cap_weight}")


def _check_states(components: Sequence[Component], methodology: Methodology) -> None:
    """Refuses states that the rule does not support: the fund would not do what the file says."""
    if methodology.kind == "market_cap":
        return
    remedy = "active; what has no weight is sold in the first month"
    right = {"fixed_weight": (("active",), remedy), "equal_weight": (("active", "leaving"), "active or leaving")}
    allowed, words = right[methodology.kind]
    wrong = [
        f"components ({component.symbol}) state: found {component.state!r} with {methodology.kind}, expected {words}"
        for component in components
        if component.state not in allowed
    ]
    if wrong:
        raise ValueError("\n".join(wrong))


def _refusal(check: Callable[[], None]) -> ValueError | None:
    try:
        check()
    except ValueError as error:
        return error
    return None


def _check_given(constituents: Sequence[Component]) -> None:
    """Requires a given supply beside computed ones: a computed supply without a known one counts only from the second
    month on, so with those alone there would be no first month."""
    computed = [component for component in constituents if component.lockers is not None]
    if computed and not any(component.given_supply for component in constituents):
        raise ValueError(
            f"components ({computed[0].symbol}) known_supply: no constituent has a supply or a known_supply, expected "
            "at least one: without any the first month could not be determined"
        )


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
    """Reads a fund's YAML file. Raises FundError, whose message begins with the file's name."""
    raw = read_texts(path, "fund")
    try:
        return parse_fund(raw)
    except FundError as error:
        raise FundError(f"fund {path}: {error}") from None


def read_texts(path: str | Path, what: str) -> object:
    """Decodes a YAML file, every scalar as text. `what`: the kind of file, for error messages. Raises FundError."""
    try:
        return yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_TextLoader)
    except FileNotFoundError:
        raise FundError(f"{what} {path}: no such file, expected a {what}'s YAML") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FundError(f"{what} {path}: cannot be read ({error})") from None
    except yaml.YAMLError as error:
        raise FundError(f"{what} {path}: not YAML ({_yaml_problem(error)})") from None


def _yaml_problem(error: yaml.YAMLError) -> str:
    """The problem in a YAML file, with its place if known."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None or problem is None:
        return " ".join(str(error).split())
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}"


def parse_fund(raw: object) -> FundConfig:
    """Validates a decoded fund. Raises FundError with a line per problem."""
    if not isinstance(raw, dict):
        raise FundError("expected a mapping of fields")
    try:
        return FundConfig.model_validate(raw)
    except ValidationError as error:
        lines = invalid_lines(error, raw)
        text = lines[0] if len(lines) == 1 else "\n".join((f"{len(lines)} problems:", *lines))
        raise FundError(text) from None


class _TextLoader(yaml.BaseLoader):
    """Keeps every scalar as text, and refuses duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.YAMLError(f"field {key.value!r} stands twice in line {key.start_mark.line + 1}")
            seen.add(key.value)
        return super().construct_mapping(node, deep)
