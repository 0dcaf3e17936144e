"""The index that a year's fund is compared with: the same rule on the same data, rebalanced each month at no cost.

It trades at the reference prices, all at once, without pools and fees. Levels and prices are USD with 18 decimals,
units token wei per share of 1e18, weights 18-decimal fractions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ballast.rule.arithmetic import usd
from ballast.rule.methodology import (
    Candidate,
    Decision,
    HeldComponent,
    Rule,
    State,
    Status,
    Supply,
    determine,
    target_units,
)
from lab.replay.year_data import DECIMALS, Snapshot


@dataclass(frozen=True)
class IndexMonth:
    """The index on one day, by symbol. `level` before the rebalance; `weights` of the constituents after it."""

    level: int
    weights: dict[str, int]
    units: dict[str, int]


class Index:
    """Updates units from month to month. `tokens`: address by symbol."""

    def __init__(self, rule: Rule, tokens: Mapping[str, str], units: Mapping[str, int]) -> None:
        self._rule = rule
        self._tokens = dict(tokens)
        self._units = {symbol: unit for symbol, unit in units.items() if unit}
        self._previous: Sequence[Decision] = ()

    def level(self, snapshot: Snapshot) -> int:
        """USD value of one share of the index."""
        return worth(self._units, snapshot)

    def migrate(self, old: str, new: str, ratio: int) -> None:
        """Converts what is held of the old token into the new one: `ratio` old ones for one, rounded down."""
        if unit := self._units.pop(old, 0):
            self._units[new] = self._units.get(new, 0) + unit // ratio

    def step(self, snapshot: Snapshot, now: int) -> IndexMonth:
        """The month's rebalance, determined at `now` (Unix seconds)."""
        before = self.level(snapshot)
        holdings = [HeldComponent(self._tokens[symbol], unit, DECIMALS) for symbol, unit in self._units.items()]
        decisions = decide(self._rule, self._tokens, snapshot, holdings, self._previous, now)
        symbols = list(self._tokens)
        by_token = {decision.token: decision for decision in decisions}
        basis = [_basis(by_token[self._tokens[symbol]]) for symbol in symbols]
        frozen = {symbol for symbol in symbols if by_token[self._tokens[symbol]].status is Status.FROZEN}
        units = target_units(
            self._rule,
            basis,
            [self._units.get(symbol, 0) for symbol in symbols],
            [0 if symbol in frozen else snapshot.quotes[symbol].price for symbol in symbols],
            [DECIMALS] * len(symbols),
        )
        wanted = dict(zip(symbols, units, strict=True)) | {symbol: self._units.get(symbol, 0) for symbol in frozen}
        self._units = {symbol: unit for symbol, unit in wanted.items() if unit}
        self._previous = decisions
        return IndexMonth(before, included_weights(decisions, self._tokens), dict(self._units))


def decide(
    rule: Rule,
    tokens: Mapping[str, str],
    snapshot: Snapshot,
    holdings: Sequence[HeldComponent],
    previous: Sequence[Decision],
    now: int,
) -> list[Decision]:
    """The rule's decisions on the snapshot. Unlisted tokens leave or are frozen; every supply was posted just
    before."""
    quotes = snapshot.quotes
    return determine(
        rule,
        [Candidate(token, state_of(snapshot, symbol)) for symbol, token in tokens.items()],
        {token: Supply(quotes[symbol].supply, now - 1) for symbol, token in tokens.items()},
        {token: quotes[symbol].price for symbol, token in tokens.items()},
        holdings,
        previous,
        {},
        now,
    )


def state_of(snapshot: Snapshot, symbol: str) -> State:
    """A candidate's state: without a row it leaves, unless the owner waits for a row."""
    if snapshot.quotes[symbol].frozen:
        return State.FROZEN
    return State.ACTIVE if snapshot.quotes[symbol].listed else State.LEAVING


def included_weights(decisions: Sequence[Decision], tokens: Mapping[str, str]) -> dict[str, int]:
    """Weights of the constituents by symbol, the heaviest first."""
    symbol_of = {token: symbol for symbol, token in tokens.items()}
    included = [d for d in decisions if d.status is Status.INCLUDED]
    return {symbol_of[d.token]: d.weight for d in sorted(included, key=lambda d: -d.weight)}


def worth(units: Mapping[str, int], snapshot: Snapshot) -> int:
    """USD of units at a snapshot's prices."""
    return sum(usd(unit, snapshot.quotes[symbol].price, DECIMALS) for symbol, unit in units.items())


def _basis(decision: Decision) -> int:
    return decision.basis if decision.status is Status.INCLUDED else 0
