"""A determination and a start computed a second time, and held against the chain's figure by figure. Pure functions.

USD, prices and weights have 18 decimals, supplies are whole tokens, units token wei per 1e18 shares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ballast import methodology as rules
from ballast.methodology import (
    ONE,
    Candidate,
    Decision,
    Flag,
    Holding,
    MethodologyError,
    Override,
    Rule,
    Status,
    Supply,
)
from ballast.packed import kept_price
from keeper.state import FundState, Side


@dataclass(frozen=True)
class Target:
    """What start fixed for a component. `unit` and `held` are token wei per 1e18 shares, `price` 0 for what is held;
    `kept` is the price as the target keeps it, rounded down. `flags`: how the basis came about."""

    token: str
    side: Side
    unit: int
    price: int
    kept: int
    basis: int
    flags: Flag
    held: int


@dataclass(frozen=True)
class Start:
    """The start of the month. `divisor` is 0 where weights are given."""

    block: int
    time: int
    nav: int
    divisor: int
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Difference:
    """A figure that the chain and the keeper do not agree on. `token`: "" for what is the whole fund's."""

    stage: str
    token: str
    what: str
    chain: str
    keeper: str


@dataclass(frozen=True)
class Scene:
    """What the rule is applied to, as it stands at the end of a block. `rule` is None where `weights` are given."""

    state: FundState
    rule: Rule | None
    weights: Mapping[str, int]
    candidates: tuple[Candidate, ...]
    sources: Mapping[str, str]
    supplies: Mapping[str, Supply | None]
    overrides: Mapping[str, Override]
    prices: Mapping[str, int]
    holdings: tuple[Holding, ...]


# The keeper's own computation


def determine(scene: Scene, previous: Sequence[Decision]) -> list[Decision]:
    if scene.rule is None:
        return rules.fixed_decisions(scene.weights, scene.prices)
    return rules.determine(
        scene.rule,
        scene.candidates,
        scene.supplies,
        scene.prices,
        scene.holdings,
        previous,
        scene.overrides,
        scene.state.time,
    )


def confirm(scene: Scene, determined: Sequence[Decision]) -> list[Decision]:
    if scene.rule is None:
        return list(determined)
    return rules.confirm(scene.rule, scene.candidates, scene.supplies, determined, scene.overrides, scene.state.time)


def plan(scene: Scene, confirmed: Sequence[Decision]) -> tuple[int, list[Target]]:
    """NAV of one share and the targets that a start in this scene fixes. Raises MethodologyError."""
    by_token = {d.token: d for d in confirmed}
    lines: list[Target] = []
    nav = 0
    for h in scene.holdings:
        d = by_token.get(h.token)
        price = 0 if h.retired else scene.prices.get(h.token, 0)
        nav += h.unit * price // 10**h.decimals
        if d is not None and d.status is Status.FROZEN:
            price = 0
        counts = d is not None and d.status is Status.INCLUDED and price > 0
        told = (d.basis, d.flags) if d is not None and counts else (0, Flag(0))
        lines.append(Target(h.token, Side.HELD, h.unit, price, kept_price(price), *told, h.unit))
    decimals = [h.decimals for h in scene.holdings]
    basis, prices, held = [t.basis for t in lines], [t.price for t in lines], [t.held for t in lines]
    if scene.rule is None:
        units = rules.fixed_target_units(basis, held, prices, decimals)
    else:
        units = rules.target_units(scene.rule, basis, held, prices, decimals)
    _limit(lines, units, decimals, nav * scene.state.limits.max_step // ONE)
    return nav, [_aimed(t, unit) for t, unit in zip(lines, units, strict=True)]


def _limit(lines: Sequence[Target], units: list[int], decimals: Sequence[int], most: int) -> None:
    """No component's value rises by more than `most` (USD of a share); what the limited buys do not take stays with the
    sells, each giving up the same part of its surplus."""
    excess = surplus = 0
    for i, t in enumerate(lines):
        value, target = t.held * t.price // 10 ** decimals[i], units[i] * t.price // 10 ** decimals[i]
        if target > value + most:
            excess += target - value - most
            units[i] = units[i] * (value + most) // target
        elif t.price:
            surplus += max(0, value - target)
    if excess and surplus:
        for i, t in enumerate(lines):
            if t.price and t.held > units[i]:
                units[i] += (t.held - units[i]) * min(excess, surplus) // surplus


def _aimed(line: Target, unit: int) -> Target:
    if not line.price:
        return line
    side = Side.SELL if unit < line.held else Side.BUY if unit > line.held else Side.HELD
    return replace(line, side=side, unit=unit)


def nav_at(scene: Scene, targets: Sequence[Target]) -> int:
    """NAV of one share in what has a price in the targets, floored for each component."""
    return sum(t.held * t.price // 10**h.decimals for t, h in zip(targets, scene.holdings, strict=True))


def nav_shared(scene: Scene, decisions: Sequence[Decision]) -> int:
    """USD of one share that the weights of a determination share."""
    frozen = {d.token for d in decisions if d.status is Status.FROZEN}
    return sum(
        h.unit * scene.prices.get(h.token, 0) // 10**h.decimals
        for h in scene.holdings
        if not h.retired and h.token not in frozen
    )


def divisor(scene: Scene, sizes: Iterable[tuple[int, int]], nav: int) -> int:
    """The sum of market caps over NAV; 0 where weights are given."""
    return 0 if scene.rule is None or not nav else sum(basis * price for basis, price in sizes) // nav


# Comparison


def check(compare: Callable[[], list[Difference]], stage: str) -> list[Difference]:
    """The differences; one if the keeper's rule refuses what the chain took."""
    try:
        return compare()
    except MethodologyError as error:
        return [Difference(stage, "", "rule", "taken", str(error))]


def apart(stage: str, chain: Sequence[Decision], keeper: Sequence[Decision]) -> list[Difference]:
    return _rows_apart(stage, chain, keeper, ("basis", "status", "flags", "price", "weight"))


def start_apart(start: Start, scene: Scene, confirmed: Sequence[Decision]) -> list[Difference]:
    nav, targets = plan(scene, confirmed)
    listed = {t.token for t in targets}
    missing = [
        Difference("start", d.token, "listed", "no", "yes")
        for d in confirmed
        if d.status is Status.INCLUDED and d.token not in listed and scene.prices.get(d.token)
    ]
    whole = [] if nav == start.nav else [Difference("start", "", "nav", str(start.nav), str(nav))]
    return whole + missing + _rows_apart("start", start.targets, targets, ("side", "unit", "kept", "basis", "flags"))


def _rows_apart(stage: str, chain: Sequence[Any], keeper: Sequence[Any], fields: Sequence[str]) -> list[Difference]:
    """Field by field, for every token of either side."""
    ours, theirs = ({row.token: row for row in rows} for rows in (keeper, chain))
    found = []
    for token in sorted({*ours, *theirs}, key=rules.address):
        if token not in ours or token not in theirs:
            found.append(Difference(stage, token, "listed", _yes(token in theirs), _yes(token in ours)))
            continue
        for name in fields:
            a, b = getattr(theirs[token], name), getattr(ours[token], name)
            if a != b:
                found.append(Difference(stage, token, name, str(int(a)), str(int(b))))
    return found


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
