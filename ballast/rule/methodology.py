"""The rule of the index, implemented again in Python, from the text of the rule, with integers.

The contracts decide; this module computes what they ought to decide. `keeper explain` compares the two, and replays
compute with it. Pure functions: they read no chain or clock.

Units are those of `ballast.rule.types`. Every division rounds down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

from ballast.rule.types import (
    MAX_BASIS,
    MAX_NAV,
    MAX_PRICE,
    MAX_UNIT,
    MAX_VALUE,
    WEIGHTS_ROUNDING,
    Candidate,
    Cap,
    Decision,
    Flag,
    HeldComponent,
    MethodologyError,
    NoConstituentsError,
    OutsideDomainError,
    Override,
    Rule,
    State,
    Status,
    Supply,
    UnfitRuleError,
)
from ballast.units import WAD

__all__ = [
    "MAX_BASIS",
    "WEIGHTS_ROUNDING",
    "Candidate",
    "Cap",
    "Decision",
    "Flag",
    "HeldComponent",
    "MethodologyError",
    "NoConstituentsError",
    "OutsideDomainError",
    "Override",
    "Rule",
    "State",
    "Status",
    "Supply",
    "UnfitRuleError",
    "address_number",
    "confirm",
    "determine",
    "fixed_decisions",
    "fixed_target_units",
    "left_by",
    "target_units",
]

Given = TypeVar("Given")


def determine(
    rule: Rule,
    candidates: Iterable[Candidate],
    supplies: Mapping[str, Supply | None],
    prices: Mapping[str, int],
    holdings: Iterable[HeldComponent],
    previous: Iterable[Decision],
    overrides: Mapping[str, Override],
    now: int,
) -> list[Decision]:
    """What a determination at `now` decides for every candidate and every other component, ascending by address.

    `previous`: what the last started month left (`left_by`), empty before the first one. A token missing from `prices`
    has no price; one missing from `supplies`, or with None there, has a failing source. Holdings' values are rounded
    down per component, whatever the rule's flooring of NAV at start. Raises NoConstituentsError, or OutsideDomainError
    if the weights cannot be computed.
    """
    price_of = {at: price for at, price in _by_address(prices).items() if price <= MAX_PRICE}
    held = {address_number(h.token): h for h in holdings}
    value_of = {at: _value(h, price_of.get(at, 0)) for at, h in held.items()}
    before = {address_number(d.token): d for d in previous}
    answers, by_owner = _by_address(supplies), _by_address(overrides)

    decided = {at: Decision(h.token, 0, Status.OUTSIDE, Flag(0), price_of.get(at, 0), 0) for at, h in held.items()}
    decisive: dict[int, int] = {}
    for candidate in candidates:
        at = address_number(candidate.token)
        confirmed = before[at].basis if at in before else 0
        member = _was_in(before[at]) if at in before else not before and at in held
        known = confirmed or candidate.whole_tokens
        found = _read(rule, answers.get(at), known, member, by_owner.get(at), now)
        decisive[at] = found.decisive
        price = price_of.get(at, 0)
        flags = found.flags | (Flag(0) if price else Flag.NO_PRICE)
        status = _status(candidate.state, held.get(at), value_of.get(at), flags)
        decided[at] = Decision(candidate.token, found.basis, status, flags, price, 0, confirmed, member)
    decided = dict(sorted(decided.items()))

    # A frozen component keeps its value: the others do not share it.
    pot = sum(value or 0 for at, value in value_of.items() if decided[at].status is not Status.FROZEN)

    def included() -> list[int]:
        return [at for at, d in decided.items() if d.status is Status.INCLUDED]

    def leave(losers: Iterable[int], why: Flag) -> None:
        for at in losers:
            decided[at] = replace(decided[at], status=Status.OUTSIDE, flags=decided[at].flags | why, weight=0)

    def weigh(supply_of: Callable[[int], int]) -> None:
        members = included()
        if not members:
            raise NoConstituentsError("no candidate is left to include")
        _within(pot > 0, "nav")
        present = [(value_of.get(at) or 0) * WAD // pot for at in members]
        shares = _shares(rule, pot, [(supply_of(at), decided[at].price) for at in members], present)
        for at, share in zip(members, shares, strict=True):
            decided[at] = replace(decided[at], weight=share.weight)

    # Membership is decided on figures that nobody can manipulate within a single block.
    by_size = sorted(included(), key=lambda at: (-decisive[at] * decided[at].price, at))
    leave(by_size[rule.top_n :], Flag.BELOW_RANK)
    weigh(lambda at: decisive[at])
    least = {at: rule.floor_weight if d.member else rule.entry_weight for at, d in decided.items()}
    too_small = [at for at in included() if decided[at].weight < least[at]]
    if len(too_small) < len(included()):
        leave(too_small, Flag.BELOW_FLOOR)
    # The weights use the current supplies.
    weigh(lambda at: decided[at].basis)
    return list(decided.values())


def confirm(
    rule: Rule,
    candidates: Iterable[Candidate],
    supplies: Mapping[str, Supply | None],
    determined: Iterable[Decision],
    overrides: Mapping[str, Override],
    now: int,
) -> list[Decision]:
    """The determination in effect from a start at `now`: of two supplies, the determination's and the one read now, the
    one nearer to the confirmed one.

    At equal distance the determination's stays. Without a confirmed one the smaller counts, and a supply that was
    UNCONFIRMED at the determination may become 0 again: it needs both readings. An override valid now counts without
    comparison; only such a one replaces an override of the determination. A candidate that the owner has since set to
    leaving leaves; one set to frozen is not traded, if it may be held; one removed from the candidates is outside, with
    the supply that was confirmed before.
    """
    listed = {address_number(c.token): c for c in candidates}
    answers, by_owner = _by_address(supplies), _by_address(overrides)

    def again(d: Decision) -> Decision:
        at = address_number(d.token)
        candidate = listed.get(at)
        if candidate is None:
            return replace(d, status=Status.OUTSIDE, basis=d.confirmed)
        d = replace(d, status=_status_now(candidate.state, d))
        known = d.confirmed or candidate.whole_tokens
        found = _read(rule, answers.get(at), known, d.member, by_owner.get(at), now)
        if Flag.OVERRIDDEN not in found.flags:
            if Flag.OVERRIDDEN in d.flags:
                return d
            if known:
                better = abs(found.basis - known) < abs(d.basis - known)
            else:
                better = found.basis < d.basis and (found.basis > 0 or Flag.UNCONFIRMED in d.flags)
            if not better:
                return d
        which = Flag.STALE | Flag.CLAMPED | Flag.OVERRIDDEN
        return replace(d, basis=found.basis, flags=d.flags & ~which | found.flags & which | Flag.CONFIRMED_AT_START)

    return [again(d) for d in determined]


def left_by(determined: Iterable[Decision], *, started: bool) -> list[Decision]:
    """What the last started month left, from the last determination: that itself, as its start confirmed it; if it was
    never `started`, the values of the month before, which it carries."""
    if started:
        return list(determined)
    return [replace(d, basis=d.confirmed, status=Status.INCLUDED if d.member else Status.OUTSIDE) for d in determined]


def target_units(
    rule: Rule, basis: Sequence[int], units: Sequence[int], prices: Sequence[int], decimals: Sequence[int]
) -> list[int]:
    """Units that give every component its market-cap weight at NAV.

    All arguments have the components in the same order. `basis` is 0 for components not included, `prices` 0 for those
    left out of NAV and weights: both have target 0.
    """
    lines = list(zip(units, prices, decimals, strict=True))
    values = [Fraction(unit * price, 10**places) for unit, price, places in lines]
    nav = sum(int(value) for value in values) if rule.floor_each else int(sum(values, Fraction(0)))
    _within(nav > 0, "nav")
    present = [unit * price // 10**places * WAD // nav for unit, price, places in lines]
    shares = _shares(rule, nav, list(zip(basis, prices, strict=True)), present)
    return [share.unit * 10**places // WAD for share, places in zip(shares, decimals, strict=True)]


def fixed_target_units(
    basis: Sequence[int], units: Sequence[int], prices: Sequence[int], decimals: Sequence[int]
) -> list[int]:
    """Units that give every component its given weight (`basis`, 18 decimals) at NAV.

    NAV is rounded down per component. Weights whose sum is within `WEIGHTS_ROUNDING` of 1 are not rescaled. If
    components have no price (0), the others' weights are scaled up to 1.
    """
    nav = sum(u * p // 10**places for u, p, places in zip(units, prices, decimals, strict=True))
    given = sum(weight for weight, price in zip(basis, prices, strict=True) if price)
    _within(nav > 0, "nav")
    _within(given > 0, "weights")
    whole = WAD if abs(given - WAD) <= WEIGHTS_ROUNDING else given
    return [
        10**places * (nav * (weight * WAD // whole) // WAD) // price if price else 0
        for weight, price, places in zip(basis, prices, decimals, strict=True)
    ]


def fixed_decisions(weights: Mapping[str, int], prices: Mapping[str, int]) -> list[Decision]:
    """What a determination of fixed weights (18 decimals) decides, ascending by address."""
    price_of = _by_address(prices)
    return [
        Decision(token, weight, Status.INCLUDED, Flag(0) if price else Flag.NO_PRICE, price, weight)
        for token, weight in sorted(weights.items(), key=lambda entry: address_number(entry[0]))
        for price in [price_of.get(address_number(token), 0)]
    ]


def address_number(token: str) -> int:
    """An address as a number, for sorting."""
    return int(token, 16)


@dataclass(frozen=True)
class _Share:
    """A component's unit in 18 decimals, whatever the token's decimals, and its weight."""

    unit: int
    weight: int


def _shares(rule: Rule, nav: int, sizes: Sequence[tuple[int, int]], present: Sequence[int]) -> list[_Share]:
    """Units and weights by market cap, capped. `sizes`: supplies and prices; `present`: current weights."""
    _within(nav <= MAX_NAV, "nav")
    divisor = sum(supply * price for supply, price in sizes) // nav
    _within(divisor > 0, "divisor")
    units = [supply * WAD // divisor if price else 0 for supply, price in sizes]
    weights = [price * unit // nav for unit, (_, price) in zip(units, sizes, strict=True)]
    members = [i for i, unit in enumerate(units) if unit]
    capped: set[int] = set()
    for _ in range(0 if rule.cap is Cap.NONE else rule.cap_passes):
        above = {i: _limit(rule, present[i]) for i in members if i not in capped and weights[i] > rule.cap_weight}
        cut = {i: limit for i, limit in above.items() if weights[i] > limit}
        if not cut:
            break
        capped |= set(cut)
        weights = [cut.get(i, weight) for i, weight in enumerate(weights)]
        total = sum(weights)
        free = total - sum(weights[i] for i in capped)
        if free == 0:
            weights = [WAD // len(members) if unit else 0 for unit in units]
            break
        # With a small divisor its rounding may make the sum exceed 1: then there is no excess.
        excess = max(0, WAD - total)
        weights = [
            weight if i in capped else weight + weight * WAD // free * excess // WAD for i, weight in enumerate(weights)
        ]
    if capped:
        units = [weights[i] * nav // sizes[i][1] if unit else 0 for i, unit in enumerate(units)]
    return [_Share(unit, weight) for unit, weight in zip(units, weights, strict=True)]


def _limit(rule: Rule, present: int) -> int:
    """Limit of a weight above the cap: the cap, or with a flexible one the mean of it and the current weight."""
    return rule.cap_weight if rule.cap is Cap.HARD else (rule.cap_weight + present) // 2


@dataclass(frozen=True)
class _Reading:
    """The supply that counts, its flags, and the supply that decides about entering and leaving."""

    basis: int
    flags: Flag
    decisive: int


def _read(rule: Rule, answer: Supply | None, known: int, member: bool, override: Override | None, now: int) -> _Reading:
    """The supply that counts at `now`. `known`: the confirmed or given one, 0 for none."""
    if override is not None and now < override.until:
        return _Reading(override.whole_tokens, Flag.OVERRIDDEN, override.whole_tokens)
    if answer is None or not (0 < answer.whole_tokens <= MAX_BASIS and now - rule.max_supply_age <= answer.date <= now):
        return _Reading(known, Flag.STALE if known else Flag.UNCONFIRMED, known)
    posted = answer.date < now
    if not known:
        return _Reading(answer.whole_tokens, Flag(0) if posted else Flag.UNCONFIRMED, answer.whole_tokens)
    leeway = known * rule.max_supply_jump // WAD
    least = known - leeway if member else 0
    basis = min(max(answer.whole_tokens, least), known + leeway, MAX_BASIS)
    if basis == answer.whole_tokens and posted:
        return _Reading(basis, Flag(0), basis)
    # A supply read from this block, or clamped, must not decide who is in; it may only make an outsider smaller.
    decisive = known if member else min(known, basis)
    return _Reading(basis, Flag(0) if basis == answer.whole_tokens else Flag.CLAMPED, decisive)


def _was_in(before: Decision) -> bool:
    """Whether a candidate was in the index in the last started month; a frozen one keeps its earlier membership."""
    return before.status is Status.INCLUDED or (before.status is Status.FROZEN and before.member)


def _value(holding: HeldComponent, price: int) -> int | None:
    """USD per share that count in NAV; None for a component that stays as held, outside NAV."""
    if holding.suspended or holding.written_off or not holding.sound or holding.unit > MAX_UNIT:
        return None
    value = int(holding.unit * price // 10**holding.decimals)
    return value if value <= MAX_VALUE else None


def _status(state: State, held: HeldComponent | None, value: int | None, flags: Flag) -> Status:
    """Status of a candidate before ranks and floors."""
    if held is not None and held.written_off:
        return Status.OUTSIDE
    if state is State.LEAVING:
        return Status.LEAVING
    stuck = held is not None and value is None
    if state is State.FROZEN or stuck or flags & (Flag.NO_PRICE | Flag.UNCONFIRMED):
        return Status.OUTSIDE if held is None else Status.FROZEN
    return Status.INCLUDED


def _status_now(state: State, determined: Decision) -> Status:
    """Status at start of a candidate in this state. One that was outside, but not dropped, is not held."""
    if state is State.LEAVING:
        return Status.LEAVING
    dropped = determined.flags & (Flag.BELOW_RANK | Flag.BELOW_FLOOR)
    if state is State.FROZEN and (dropped or determined.status is not Status.OUTSIDE):
        return Status.FROZEN
    return determined.status


def _by_address(given: Mapping[str, Given]) -> dict[int, Given]:
    return {address_number(token): value for token, value in given.items()}


def _within(holds: bool, what: str) -> None:
    if not holds:
        raise OutsideDomainError(what)
