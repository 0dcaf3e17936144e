"""Computes a determination and a start again, and compares them with the chain's, figure by figure. Pure functions.

USD, prices and weights have 18 decimals, supplies are whole tokens, units token wei per 1e18 shares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ballast.rule import methodology
from ballast.rule.methodology import (
    Candidate,
    Decision,
    Flag,
    HeldComponent,
    MethodologyError,
    Override,
    Rule,
    Status,
    Supply,
)
from ballast.rule.packed import kept_price
from ballast.units import WAD
from keeper.state import PRICE_BITS, UNIT_BITS, VALUE_BITS, FundState, Side

MAX_COMPONENTS = 50
"""Longest list of components."""
MAX_DROP = 10**12
"""Most that one start may drop, share of NAV, 18 decimals."""
TARGET_BITS = 120
"""Highest bit length of a target unit."""


@dataclass(frozen=True)
class Target:
    """What start fixed for a component. `unit` and `unit_held` (before start): token wei per 1e18 shares; `price`: 0 if
    the component stays as held; `kept`: the price as stored in the target, rounded down; `flags`: of the basis."""

    token: str
    side: Side
    unit: int
    price: int
    kept: int
    basis: int
    flags: Flag
    unit_held: int


@dataclass(frozen=True)
class Start:
    """The start of the month. `divisor`: 0 if weights are given. `confirmed`: the determination in effect from the
    start on, which the next month compares with; `changed`: tokens whose rows differ from the determination."""

    block: int
    time: int
    nav: int
    divisor: int
    targets: tuple[Target, ...]
    confirmed: tuple[Decision, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """A figure on which chain and keeper differ. `token`: "" for a figure of the whole fund."""

    stage: str
    token: str
    what: str
    chain: str
    keeper: str


@dataclass(frozen=True)
class RuleInputs:
    """The rule's inputs at the end of a block. `rule`: None if `weights` are given.

    `holdings`: the listed components. At a start, `dropped`: those that it took off the list; `newcomers`: those that
    it added; `unfit`: tokens that the list does not accept, as decimals or the fund's balance cannot be read or are too
    large, or as they are written off and the fund holds some. `balances`: token wei of held and dropped components.
    """

    state: FundState
    rule: Rule | None
    weights: Mapping[str, int]
    candidates: tuple[Candidate, ...]
    sources: Mapping[str, str]
    supplies: Mapping[str, Supply | None]
    overrides: Mapping[str, Override]
    prices: Mapping[str, int]
    holdings: tuple[HeldComponent, ...]
    balances: Mapping[str, int]
    dropped: tuple[HeldComponent, ...] = ()
    newcomers: frozenset[str] = frozenset()
    unfit: frozenset[str] = frozenset()


# The keeper's own computation


def determine(inputs: RuleInputs, previous: Sequence[Decision]) -> list[Decision]:
    """The determination, with a row for each component that is not a candidate: outside the index, at the price for
    valuing its dust."""
    if inputs.rule is None:
        found = methodology.fixed_decisions(inputs.weights, inputs.prices)
    else:
        found = methodology.determine(
            inputs.rule,
            inputs.candidates,
            inputs.supplies,
            inputs.prices,
            inputs.holdings,
            previous,
            inputs.overrides,
            inputs.state.time,
        )
    known = {d.token for d in found}
    others = [h.token for h in inputs.holdings if h.token not in known]
    prices = {token: price for token, price in inputs.prices.items() if not price >> PRICE_BITS}
    rows = [Decision(token, 0, Status.OUTSIDE, Flag(0), prices.get(token, 0), 0) for token in others]
    return sorted([*found, *rows], key=lambda d: methodology.address_number(d.token))


def confirm(inputs: RuleInputs, determined: Sequence[Decision]) -> list[Decision]:
    """The determination in effect from a start with these inputs on. Only components that were determined as included
    are; a newcomer that is not listed is outside."""
    if inputs.rule is None:
        answers = list(determined)
    else:
        answers = methodology.confirm(
            inputs.rule, inputs.candidates, inputs.supplies, determined, inputs.overrides, inputs.state.time
        )
    found = [_allowed(answer, d) for answer, d in zip(answers, determined, strict=True)]
    left_out = _left_out(inputs, found)
    return [replace(d, status=Status.OUTSIDE) if d.token in left_out else d for d in found]


def _allowed(answer: Decision, determined: Decision) -> Decision:
    if answer.status is not Status.INCLUDED:
        return answer
    if determined.status is not Status.INCLUDED:
        return replace(answer, status=determined.status)
    return answer if answer.basis else replace(answer, status=Status.OUTSIDE)


def _left_out(inputs: RuleInputs, confirmed: Sequence[Decision]) -> set[str]:
    """Newcomers that are not listed: unfit, without a price, or beyond the list's length, which drops the smallest
    weights."""
    staying = {h.token for h in inputs.holdings} - inputs.newcomers
    held = staying | {h.token for h in inputs.dropped}
    coming = [d for d in confirmed if d.status is Status.INCLUDED and d.token not in held]
    listed = {h.token: h for h in inputs.holdings}
    priced = {
        d.token
        for d in coming
        if d.token not in inputs.unfit
        and (_counted(inputs, listed[d.token]) if d.token in listed else inputs.prices.get(d.token, 0))
    }
    fit = sorted(
        (d for d in coming if d.token in priced), key=lambda d: (d.weight, methodology.address_number(d.token))
    )
    waiting = fit[: max(0, len(staying) + len(fit) - MAX_COMPONENTS)]
    return {d.token for d in coming if d.token not in priced} | {d.token for d in waiting}


def plan(inputs: RuleInputs, confirmed: Sequence[Decision]) -> tuple[int, list[Target]]:
    """NAV of one share and the targets that a start with these inputs fixes. Raises MethodologyError."""
    by_token = {d.token: d for d in confirmed}
    lines: list[Target] = []
    # Dropped components are dust: they still count in the NAV of that start.
    nav = sum(h.unit * _counted(inputs, h) // 10**h.decimals for h in inputs.dropped)
    for h in inputs.holdings:
        d = by_token.get(h.token)
        price = _counted(inputs, h)
        nav += h.unit * price // 10**h.decimals
        if d is not None and d.status is Status.FROZEN:
            price = 0
        counts = d is not None and d.status is Status.INCLUDED and price > 0
        told = (d.basis, d.flags) if d is not None and counts else (0, Flag(0))
        lines.append(Target(h.token, Side.HELD, h.unit, price, kept_price(price), *told, h.unit))
    decimals = [h.decimals for h in inputs.holdings]
    units = _units(inputs, lines, decimals)
    large = {i for i, unit in enumerate(units) if unit >> TARGET_BITS}
    if large:
        # A target too large to store: the component stays as held, and the others share the rest.
        nav -= sum(lines[i].unit_held * lines[i].price // 10 ** decimals[i] for i in large)
        lines = [replace(t, price=0, kept=0, basis=0, flags=Flag(0)) if i in large else t for i, t in enumerate(lines)]
        units = _units(inputs, lines, decimals)
    _limit(lines, units, decimals, nav * inputs.state.limits.max_step // WAD)
    return nav, [_aimed(t, unit) for t, unit in zip(lines, units, strict=True)]


def _units(inputs: RuleInputs, lines: Sequence[Target], decimals: Sequence[int]) -> list[int]:
    basis, prices, held = [t.basis for t in lines], [t.price for t in lines], [t.unit_held for t in lines]
    if inputs.rule is None:
        return methodology.fixed_target_units(basis, held, prices, decimals)
    return methodology.target_units(inputs.rule, basis, held, prices, decimals)


def gone(inputs: RuleInputs, confirmed: Sequence[Decision], nav: int) -> set[str]:
    """Tokens that a start with these inputs takes off the list: those outside the index, as long as they are together
    worth at most `MAX_DROP` of NAV, at the higher of the determination's and the current price; those of which the fund
    holds none; those written off. Never suspended ones. `nav`: USD of one share."""
    rows = {d.token: d for d in confirmed}
    budget = nav * MAX_DROP // WAD
    found = set()
    old = [h for h in (*inputs.holdings, *inputs.dropped) if h.token not in inputs.newcomers]
    for h in sorted(old, key=lambda h: methodology.address_number(h.token)):
        worth = _worth(inputs, h, rows.get(h.token))
        if worth is not None and worth <= budget:
            budget -= worth
            found.add(h.token)
    return found


def _worth(inputs: RuleInputs, holding: HeldComponent, row: Decision | None) -> int | None:
    """USD per share, rounded up, lost by dropping a component; None if it must not be dropped."""
    balance, price = inputs.balances[holding.token], inputs.prices.get(holding.token, 0)
    included = row is not None and row.status is Status.INCLUDED
    if included and _counted(inputs, holding):
        return None
    if holding.written_off:
        return 0
    if holding.suspended:
        return None
    outside = row is None or row.status not in (Status.INCLUDED, Status.FROZEN)
    sound = holding.sound and _measured(holding.unit, price, holding.decimals)
    if sound and balance == 0:
        return 0
    if not outside or not sound or row is None or not price or not row.price:
        return None
    one: int = 10**holding.decimals
    return -(-balance * max(price, row.price) * WAD // (one * inputs.state.supply))


def _counted(inputs: RuleInputs, holding: HeldComponent) -> int:
    """The price at which a component counts in NAV; 0: it stays as held."""
    price = inputs.prices.get(holding.token, 0)
    if holding.suspended or holding.written_off or not holding.sound:
        return 0
    return price if _measured(holding.unit, price, holding.decimals) else 0


def _measured(unit: int, price: int, decimals: int) -> bool:
    """Whether unit, price and value per share are within their bit limits."""
    return not (unit >> UNIT_BITS or price >> PRICE_BITS or unit * price // 10**decimals >> VALUE_BITS)


def _limit(lines: Sequence[Target], units: list[int], decimals: Sequence[int], most: int) -> None:
    """Limits the rise of each component's value to `most` (USD per share), in place; reduces the sells accordingly,
    each by the same part of its surplus."""
    excess = surplus = 0
    for i, t in enumerate(lines):
        value, target = t.unit_held * t.price // 10 ** decimals[i], units[i] * t.price // 10 ** decimals[i]
        if target > value + most:
            excess += target - value - most
            units[i] = units[i] * (value + most) // target
        elif t.price:
            surplus += max(0, value - target)
    if excess and surplus:
        for i, t in enumerate(lines):
            if t.price and t.unit_held > units[i]:
                units[i] += (t.unit_held - units[i]) * min(excess, surplus) // surplus


def _aimed(line: Target, unit: int) -> Target:
    if not line.price:
        return line
    side = Side.SELL if unit < line.unit_held else Side.BUY if unit > line.unit_held else Side.HELD
    return replace(line, side=side, unit=unit)


def nav_at(inputs: RuleInputs, targets: Sequence[Target]) -> int:
    """NAV of one share over targets with a price, rounded down per component."""
    return sum(t.unit_held * t.price // 10**h.decimals for t, h in zip(targets, inputs.holdings, strict=True))


def nav_shared(inputs: RuleInputs, decisions: Sequence[Decision]) -> int:
    """USD of one share that the weights of a determination distribute: without frozen components."""
    frozen = {d.token for d in decisions if d.status is Status.FROZEN}
    return sum(h.unit * _counted(inputs, h) // 10**h.decimals for h in inputs.holdings if h.token not in frozen)


def divisor(inputs: RuleInputs, sizes: Iterable[tuple[int, int]], nav: int) -> int:
    """The sum of market caps over NAV, rounded down; 0 if weights are given."""
    return 0 if inputs.rule is None or not nav else sum(basis * price for basis, price in sizes) // nav


# Comparison


def check(compare: Callable[[], list[Difference]], stage: str) -> list[Difference]:
    """The differences; a single one if the keeper's rule refuses what the chain accepted."""
    try:
        return compare()
    except MethodologyError as error:
        return [Difference(stage, "", "rule", "taken", str(error))]


def apart(stage: str, chain: Sequence[Decision], keeper: Sequence[Decision]) -> list[Difference]:
    return _rows_apart(stage, chain, keeper, ("basis", "status", "flags", "price", "weight", "confirmed", "member"))


def start_apart(start: Start, inputs: RuleInputs, confirmed: Sequence[Decision]) -> list[Difference]:
    """Differences of the start: of NAV, targets, the list, and the confirmed determination."""
    nav, targets = plan(inputs, confirmed)
    listed, left = {t.token for t in targets}, {h.token for h in inputs.dropped}
    should_go = gone(inputs, confirmed, nav)
    included = [d.token for d in confirmed if d.status is Status.INCLUDED]
    missing = [token for token in included if token not in listed | left]
    return [
        *apart("confirmed", start.confirmed, confirmed),
        *([] if nav == start.nav else [Difference("start", "", "nav", str(start.nav), str(nav))]),
        *(_listed("start", token, on_chain=False) for token in (*missing, *sorted(left - should_go))),
        *(_listed("start", token, on_chain=True) for token in sorted(should_go & listed)),
        *_rows_apart("start", start.targets, targets, ("side", "unit", "kept", "basis", "flags")),
    ]


def _rows_apart(stage: str, chain: Sequence[Any], keeper: Sequence[Any], fields: Sequence[str]) -> list[Difference]:
    """Differences field by field, for every token on either side."""
    ours, theirs = ({row.token: row for row in rows} for rows in (keeper, chain))
    found = []
    for token in sorted({*ours, *theirs}, key=methodology.address_number):
        if token not in ours or token not in theirs:
            found.append(_listed(stage, token, on_chain=token in theirs))
            continue
        pairs = ((name, int(getattr(theirs[token], name)), int(getattr(ours[token], name))) for name in fields)
        found += [Difference(stage, token, name, str(a), str(b)) for name, a, b in pairs if a != b]
    return found


def _listed(stage: str, token: str, *, on_chain: bool) -> Difference:
    """The difference for a token that only one side has."""
    return Difference(stage, token, "listed", *(("yes", "no") if on_chain else ("no", "yes")))
