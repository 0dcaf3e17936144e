"""The rule of the index, computed a second time: in Python, from the rule's words, with integers alone.

The contracts decide; this says what they ought to decide. `keeper explain` compares the two, and replays compute with
it. Pure functions: nothing here reads a chain or a clock.

Units throughout: weights, fractions and USD have 18 decimals (`ONE`); prices are USD for one whole token; supplies are
whole tokens; token units are token wei per 1e18 shares; times are Unix seconds. Every division rounds down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, IntFlag
from fractions import Fraction
from typing import TypeVar

ONE = 10**18
MAX_NAV = 2**104 - 1
"""Largest NAV of a share that weights are computed from, in USD with 18 decimals."""
MAX_BASIS = 2**88 - 1
"""Largest supply that a determination can hold, in whole tokens."""


class MethodologyError(ValueError):
    """The rule gives no answer for these figures."""


class NoConstituentsError(MethodologyError):
    """No candidate is left to include."""


class OutsideDomainError(MethodologyError):
    """The figures lie outside the rule's domain; `what` is the contract's word for it: nav, divisor or weights."""

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
    NO_SUPPLY = 16
    BELOW_RANK = 32
    BELOW_FLOOR = 64
    CONFIRMED_AT_START = 128


@dataclass(frozen=True)
class Rule:
    """The rule of a market-cap index. Weights and the jump are 18-decimal fractions, the age is in seconds."""

    cap: Cap
    cap_weight: int
    floor_weight: int
    entry_weight: int
    top_n: int
    floor_each: bool
    max_supply_age: int
    max_supply_jump: int

    def __post_init__(self) -> None:
        least, beyond = (0, 1) if self.cap is Cap.NONE else (1, ONE)
        bounds = {
            "capWeight": least <= self.cap_weight < beyond,
            "floorWeight": 0 <= self.floor_weight < ONE,
            "entryWeight": self.floor_weight <= self.entry_weight < ONE,
            "topN": self.top_n > 0,
            "maxSupplyAge": self.max_supply_age > 0,
            "maxSupplyJump": self.max_supply_jump > 0,
        }
        for field, fits in bounds.items():
            if not fits:
                raise UnfitRuleError(field)


@dataclass(frozen=True)
class Candidate:
    """A token that may be in the index."""

    token: str
    state: State = State.ACTIVE


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
class Holding:
    """One line of the index token's list. `unit` is token wei per 1e18 shares, rounded down."""

    token: str
    unit: int
    decimals: int
    retired: bool = False


@dataclass(frozen=True)
class Decision:
    """One candidate in a determination; field by field the contract's `Constituent`. `last_basis`: 0 for none."""

    token: str
    basis: int
    status: Status
    flags: Flag
    price: int
    weight: int
    last_basis: int = 0


Given = TypeVar("Given")


def determine(
    rule: Rule,
    candidates: Iterable[Candidate],
    supplies: Mapping[str, Supply | None],
    prices: Mapping[str, int],
    holdings: Iterable[Holding],
    previous: Iterable[Decision],
    overrides: Mapping[str, Override],
    now: int,
) -> list[Decision]:
    """What a determination at `now` decides for every candidate, ascending by address.

    A token missing from `prices` has no price; one missing from `supplies`, or with None there, has a source that
    fails. The value of what is held is floored for each component, whatever the rule says of NAV at start. Raises
    NoConstituentsError, or OutsideDomainError where the weights cannot be computed.
    """
    price_of = _by_address(prices)
    held = {address(h.token): h for h in holdings}
    value_of = {at: 0 if h.retired else h.unit * price_of.get(at, 0) // 10**h.decimals for at, h in held.items()}
    last = {address(d.token): d.basis for d in previous}
    answers, by_owner = _by_address(supplies), _by_address(overrides)

    decided: dict[int, Decision] = {}
    for candidate in sorted(candidates, key=lambda c: address(c.token)):
        at = address(candidate.token)
        basis, flags = _circulating(rule, answers.get(at), last.get(at, 0), by_owner.get(at), now)
        price = price_of.get(at, 0)
        flags |= Flag(0) if price else Flag.NO_PRICE
        status = _status(candidate.state, held.get(at), eligible=price > 0 and basis > 0)
        decided[at] = Decision(candidate.token, basis, status, flags, price, 0, last.get(at, 0))

    # What is frozen holds its own value: it is not there for the others to share.
    pot = sum(value_of.values()) - sum(value_of.get(at, 0) for at, d in decided.items() if d.status is Status.FROZEN)

    def leave(losers: Iterable[int], why: Flag) -> None:
        for at in losers:
            decided[at] = replace(decided[at], status=Status.OUTSIDE, flags=decided[at].flags | why, weight=0)

    def weigh() -> list[int]:
        members = [at for at, d in decided.items() if d.status is Status.INCLUDED]
        if not members:
            raise NoConstituentsError("no candidate is left to include")
        _within(pot > 0, "nav")
        present = [value_of.get(at, 0) * ONE // pot for at in members]
        shares = _shares(rule, pot, [(decided[at].basis, decided[at].price) for at in members], present)
        for at, share in zip(members, shares, strict=True):
            decided[at] = replace(decided[at], weight=share.weight)
        return members

    in_the_running = [at for at, d in decided.items() if d.status is Status.INCLUDED]
    by_size = sorted(in_the_running, key=lambda at: (-decided[at].basis * decided[at].price, at))
    leave(by_size[rule.top_n :], Flag.BELOW_RANK)
    least = {at: rule.floor_weight if at in held else rule.entry_weight for at in decided}
    too_small = [at for at in weigh() if decided[at].weight < least[at]]
    if too_small:
        leave(too_small, Flag.BELOW_FLOOR)
        weigh()
    return list(decided.values())


def confirm(
    rule: Rule,
    candidates: Iterable[Candidate],
    supplies: Mapping[str, Supply | None],
    determined: Iterable[Decision],
    overrides: Mapping[str, Override],
    now: int,
) -> list[Decision]:
    """The determination as it counts at a start at `now`: of two supplies the one nearer to last month's.

    Of a newcomer's two, which has none of last month, the smaller counts. At equal distance the determination's stays.
    An override that lives now counts without comparison; one that counted at the determination gives way to nothing
    else. Only what is included and still a candidate is read again.
    """
    known = {address(c.token) for c in candidates}
    answers, by_owner = _by_address(supplies), _by_address(overrides)

    def again(d: Decision) -> Decision:
        at = address(d.token)
        if d.status is not Status.INCLUDED or at not in known:
            return d
        before = d.last_basis
        basis, flags = _circulating(rule, answers.get(at), before, by_owner.get(at), now)
        if Flag.OVERRIDDEN not in flags:
            nearer = abs(basis - before) < abs(d.basis - before) if before else basis < d.basis
            if basis == 0 or Flag.OVERRIDDEN in d.flags or not nearer:
                return d
        kept = d.flags & ~(Flag.STALE | Flag.CLAMPED)
        return replace(d, basis=basis, flags=kept | flags | Flag.CONFIRMED_AT_START)

    return [again(d) for d in determined]


def target_units(
    rule: Rule, basis: Sequence[int], units: Sequence[int], prices: Sequence[int], decimals: Sequence[int]
) -> list[int]:
    """Units that give every component its market-cap weight at NAV.

    Components stand in one order in all arguments. `basis` is 0 for what is not included and `prices` 0 for what is
    left out of NAV and weights: both have target 0.
    """
    lines = list(zip(units, prices, decimals, strict=True))
    values = [Fraction(unit * price, 10**places) for unit, price, places in lines]
    nav = sum(int(value) for value in values) if rule.floor_each else int(sum(values, Fraction(0)))
    _within(nav > 0, "nav")
    present = [unit * price // 10**places * ONE // nav for unit, price, places in lines]
    shares = _shares(rule, nav, list(zip(basis, prices, strict=True)), present)
    return [share.unit * 10**places // ONE for share, places in zip(shares, decimals, strict=True)]


def fixed_target_units(
    basis: Sequence[int], units: Sequence[int], prices: Sequence[int], decimals: Sequence[int]
) -> list[int]:
    """Units that give every component its given weight (`basis`, 18 decimals) at NAV.

    NAV is floored for each component. Where a component has no price (0), the others' weights are scaled up to 1.
    """
    nav = sum(u * p // 10**places for u, p, places in zip(units, prices, decimals, strict=True))
    given = sum(weight for weight, price in zip(basis, prices, strict=True) if price)
    _within(nav > 0, "nav")
    _within(given > 0, "weights")
    return [
        10**places * (nav * (weight * ONE // given) // ONE) // price if price else 0
        for weight, price, places in zip(basis, prices, decimals, strict=True)
    ]


def fixed_decisions(weights: Mapping[str, int], prices: Mapping[str, int]) -> list[Decision]:
    """What a determination of fixed weights (18 decimals) decides, ascending by address."""
    price_of = _by_address(prices)
    return [
        Decision(token, weight, Status.INCLUDED, Flag(0) if price else Flag.NO_PRICE, price, weight)
        for token, weight in sorted(weights.items(), key=lambda entry: address(entry[0]))
        for price in [price_of.get(address(token), 0)]
    ]


def address(token: str) -> int:
    """An address as the number that it sorts by."""
    return int(token, 16)


@dataclass(frozen=True)
class _Share:
    """A component's unit in 18 decimals, whatever the token's, and its weight."""

    unit: int
    weight: int


def _shares(rule: Rule, nav: int, sizes: Sequence[tuple[int, int]], present: Sequence[int]) -> list[_Share]:
    """Units and weights by market cap, capped. `sizes` are supplies and prices, `present` the weights held now."""
    _within(nav <= MAX_NAV, "nav")
    divisor = sum(supply * price for supply, price in sizes) // nav
    _within(divisor > 0, "divisor")
    units = [supply * ONE // divisor if price else 0 for supply, price in sizes]
    weights = [price * unit // nav for unit, (_, price) in zip(units, sizes, strict=True)]
    plain = [_Share(unit, weight) for unit, weight in zip(units, weights, strict=True)]
    if rule.cap is Cap.NONE:
        return plain

    if rule.cap is Cap.HARD:
        most = [rule.cap_weight for _ in weights]
    else:
        # Whoever is at or below the cap is free; above it the middle binds only if it is less than the weight.
        most = [
            (rule.cap_weight + now) // 2 if w > rule.cap_weight else w for w, now in zip(weights, present, strict=True)
        ]
    bound = {i for i, (weight, limit) in enumerate(zip(weights, most, strict=True)) if weight > limit}
    if not bound:
        return plain
    members = [i for i, unit in enumerate(units) if unit]
    cut = [
        min(weight, limit) if i in bound else weight
        for i, (weight, limit) in enumerate(zip(weights, most, strict=True))
    ]
    total = sum(cut[i] for i in members)
    free = total - sum(cut[i] for i in bound)
    _within(total <= ONE, "weights")

    shared = [_Share(0, 0)] * len(units)
    for i in members:
        if free == 0:
            weight = ONE // len(members)
        elif i in bound:
            weight = cut[i]
        else:
            weight = cut[i] + cut[i] * ONE // free * (ONE - total) // ONE
        shared[i] = _Share(weight * nav // sizes[i][1], weight)
    return shared


def _circulating(rule: Rule, answer: Supply | None, last: int, override: Override | None, now: int) -> tuple[int, Flag]:
    """The supply that counts at `now` in whole tokens, and how it came about. `last` is last month's, 0 for none."""
    if override is not None and now < override.until:
        return override.whole_tokens, Flag.OVERRIDDEN
    sound = (
        answer is not None and 0 < answer.whole_tokens <= MAX_BASIS and now - rule.max_supply_age <= answer.date <= now
    )
    if answer is None or not sound:
        return (last, Flag.STALE) if last else (0, Flag.NO_SUPPLY)
    if last == 0:
        return answer.whole_tokens, Flag(0)
    leeway = last * rule.max_supply_jump // ONE
    clamped = min(max(answer.whole_tokens, last - leeway), last + leeway, MAX_BASIS)
    return clamped, Flag(0) if clamped == answer.whole_tokens else Flag.CLAMPED


def _status(state: State, held: Holding | None, *, eligible: bool) -> Status:
    """Status of a candidate before ranks and floors. What the index token has retired is as good as frozen."""
    retired = held is not None and held.retired
    if state is State.LEAVING and not retired:
        return Status.LEAVING
    if state is State.ACTIVE and not retired and eligible:
        return Status.INCLUDED
    return Status.OUTSIDE if held is None else Status.FROZEN


def _by_address(given: Mapping[str, Given]) -> dict[int, Given]:
    return {address(token): value for token, value in given.items()}


def _within(holds: bool, what: str) -> None:
    if not holds:
        raise OutsideDomainError(what)
