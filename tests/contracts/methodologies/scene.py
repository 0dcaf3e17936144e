"""Cases for a methodology, played on chain in one eth_call each and computed in Python, in the same words.

An error is told as a text, the same from both sides: `OutsideDomain(nav)`, `NoConstituents()`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from eth_utils import keccak, to_checksum_address

from ballast.abi import decode_values, errors_of, signature
from ballast.rule.methodology import (
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
    confirm,
    determine,
    target_units,
)
from ballast.units import DAY_S, WAD
from tests.helpers.chain import Chain
from tests.helpers.contracts import Call, Contract

NOW = 1_900_000_000
YESTERDAY = NOW - DAY_S
OVERRIDE_LIFE = 10 * DAY_S
FAILING = 2**256 - 1
TOKENS: list[str] = sorted(
    (to_checksum_address(keccak(text=f"ballast.candidate.{i}")[-20:]) for i in range(36)), key=str.lower
)
"""Ascending, as the contracts want them."""
PLAIN = Rule(
    cap=Cap.NONE,
    cap_weight=0,
    floor_weight=0,
    entry_weight=0,
    top_n=255,
    floor_each=False,
    max_supply_age=40 * DAY_S,
    max_supply_jump=WAD // 10,
)

Answer = list[Decision] | str
"""A determination, or the error in its place."""


@dataclass(frozen=True)
class ListedComponent:
    """One component of the index token's list: `amount` is its balance in token wei, 2^160 or more for one that is
    not sound."""

    token: str
    amount: int
    decimals: int = 18
    suspended_until: int = 0
    written_off: bool = False

    def holding(self, shares: int) -> HeldComponent:
        """As Python has it, with so many shares."""
        sound = self.amount < 2**160
        unit = self.amount * WAD // shares if sound else 0
        suspended = self.suspended_until > NOW
        return HeldComponent(self.token, unit, self.decimals, suspended, self.written_off, sound)


@dataclass(frozen=True)
class Case:
    """Everything a determination meets. `later` are the supplies at start and `then` the candidates, where they
    differ."""

    candidates: Sequence[Candidate]
    supplies: Mapping[str, Supply | None]
    prices: Mapping[str, int]
    lines: Sequence[ListedComponent]
    rule: Rule = PLAIN
    shares: int = WAD
    previous: Sequence[Decision] = ()
    overrides: Mapping[str, int] = field(default_factory=dict)
    later: Mapping[str, Supply | None] | None = None
    then: Sequence[Candidate] | None = None

    def given(self) -> dict[str, Override]:
        return {token: Override(value, NOW + OVERRIDE_LIFE) for token, value in self.overrides.items()}

    def holdings(self) -> list[HeldComponent]:
        return [line.holding(self.shares) for line in self.lines]

    def expected(self) -> Answer:
        """What Python determines."""
        try:
            return determine(
                self.rule,
                self.candidates,
                self.supplies,
                self.prices,
                self.holdings(),
                self.previous,
                self.given(),
                NOW,
            )
        except MethodologyError as error:
            return told(error)

    def expected_confirmed(self, determined: Sequence[Decision]) -> list[Decision]:
        """What Python confirms, with the supplies of `later`."""
        supplies = self.supplies if self.later is None else self.later
        candidates = self.candidates if self.then is None else self.then
        return confirm(self.rule, candidates, supplies, determined, self.given(), NOW)


@dataclass(frozen=True)
class Basket:
    """Arguments of `targetUnits`."""

    basis: Sequence[int]
    units: Sequence[int]
    prices: Sequence[int]
    decimals: Sequence[int]

    def arguments(self) -> tuple[list[int], ...]:
        """As the contract wants them: token wei of one whole token in place of decimals."""
        return list(self.basis), list(self.units), list(self.prices), [10**places for places in self.decimals]

    def expected(self, rule: Rule) -> list[int] | str:
        try:
            return target_units(rule, self.basis, self.units, self.prices, self.decimals)
        except MethodologyError as error:
            return told(error)


class Scene:
    """The stage on a chain."""

    def __init__(self, chain: Chain, stage: Contract) -> None:
        self.chain = chain
        self.stage = stage
        self.market_cap = chain.artifact("MarketCap")
        names = ("MarketCap", "MarketCapMath", "Candidates", "FixedWeight")
        self._errors = errors_of(e for name in names for e in chain.artifact(name).abi)

    def determination(self, case: Case) -> Answer:
        """What the contract determines."""
        (answer,) = self._play(case, [self._method().determine(self.stage, self.stage, as_tuples(case.previous))])
        return decisions(answer)

    def confirmation(self, case: Case, determined: Sequence[Decision]) -> list[Decision]:
        """What the contract confirms of a determination, with the supplies of `later`."""
        case = replace(
            case,
            supplies=case.supplies if case.later is None else case.later,
            candidates=case.candidates if case.then is None else case.then,
        )
        (answer,) = self._play(case, [self._method().confirm(as_words(determined))])
        return confirmed_by(determined, answer)

    def agree(self, case: Case) -> Answer:
        """What both sides determine, and that they agree on it and on what they confirm of it."""
        expected = case.expected()
        method = self._method()
        calls = [method.determine(self.stage, self.stage, as_tuples(case.previous))]
        if not isinstance(expected, str) and case.later is not None:
            if case.then is not None:
                calls.append(method.setCandidates(self._listed(case.then)))
            calls += [self._figures(case.later), method.confirm(as_words(expected))]
        answers = self._play(case, calls)
        determined = decisions(answers[0])
        assert determined == expected, apart(determined, expected)
        if not isinstance(expected, str) and case.later is not None:
            confirmed = confirmed_by(expected, answers[-1])
            again = case.expected_confirmed(expected)
            assert confirmed == again, apart(confirmed, again)
        return determined

    def targets(self, rule: Rule, baskets: Sequence[Basket]) -> list[list[int] | str]:
        """What the contract answers to `targetUnits`, one by one."""
        method = self._method()
        calls = [method.targetUnits(*b.arguments()) for b in baskets]
        creation = self._creation(rule, [Candidate(TOKENS[0])])
        return self.play(creation, calls)

    def play(self, creation: Call, calls: Sequence[Call]) -> list[Any]:
        """Creates a contract, calls it and the stage; what the calls returned, or the creation's error alone."""
        steps = [(call.to == self.stage.address, call.data) for call in calls]
        made, *results = self.chain.read(self.stage.play(creation.data, steps), at=NOW)
        if not made.ok:
            return [self._told(made.data)]
        return [
            call.decode(result.data) if result.ok else self._told(result.data)
            for call, result in zip(calls, results, strict=True)
        ]

    def creation_error(self, rule_fields: tuple[Any, ...], candidates: Sequence[tuple[Any, ...]]) -> str:
        """The error of a MarketCap made with these very figures; empty if it stands."""
        answers = self.play(self.market_cap.create(self.stage, rule_fields, list(candidates)), [])
        return str(answers[0]) if answers else ""

    def _play(self, case: Case, calls: Sequence[Call]) -> list[Any]:
        method = self._method()
        tokens = list(case.prices)
        lines = sorted(case.lines, key=lambda c: int(c.token, 16))
        setting = [
            self.stage.setPrices(tokens, [case.prices[token] for token in tokens]),
            self._figures(case.supplies),
            self.stage.setHoldings(
                [(c.token, c.decimals, c.suspended_until, c.written_off) for c in lines],
                [c.amount for c in lines],
                case.shares,
            ),
            *[method.overrideSupply(token, value) for token, value in case.overrides.items()],
        ]
        answers = self.play(self._creation(case.rule, case.candidates), [*setting, *calls])
        assert answers[: len(setting)] == [None] * len(setting), answers
        return answers[len(setting) :]

    def _method(self) -> Contract:
        return self.market_cap.at("0x" + "00" * 20)

    def _creation(self, rule: Rule, candidates: Sequence[Candidate]) -> Call:
        return self.market_cap.create(self.stage, rule_tuple(rule), self._listed(candidates))

    def _listed(self, candidates: Sequence[Candidate]) -> list[tuple[Any, ...]]:
        ascending = sorted(candidates, key=lambda c: int(c.token, 16))
        return [(c.token, self.stage.address, int(c.state), c.whole_tokens) for c in ascending]

    def _figures(self, supplies: Mapping[str, Supply | None]) -> Call:
        answers = [(0, FAILING) if s is None else (s.whole_tokens, s.date) for s in supplies.values()]
        return self.stage.setSupplies(list(supplies), [a[0] for a in answers], [a[1] for a in answers])

    def _told(self, data: bytes) -> str:
        entry = self._errors.get(data[:4])
        if entry is None:
            return "0x" + data.hex()
        values = decode_values(entry["inputs"], data[4:])
        texts = [v.rstrip(b"\0").decode() if isinstance(v, bytes) else str(v) for v in values]
        return f"{signature(entry).partition('(')[0]}({', '.join(texts)})"


def simple(
    supplies: Sequence[int], values: Sequence[int] = (WAD,), *, states: Mapping[int, State] | None = None, **more: Any
) -> Case:
    """Candidates TOKENS[0], TOKENS[1], ... at one dollar with fresh supplies in whole tokens, posted yesterday.

    `values` are USD (18 decimals) that one share holds of the first ones; a token of value 0 is not on the list.
    """
    tokens = TOKENS[: len(supplies)]
    stated = states or {}
    case = Case(
        candidates=[Candidate(token, stated.get(i, State.ACTIVE)) for i, token in enumerate(tokens)],
        supplies={token: Supply(supply, YESTERDAY) for token, supply in zip(tokens, supplies, strict=True)},
        prices=dict.fromkeys(tokens, WAD),
        lines=[ListedComponent(token, value) for token, value in zip(tokens, values, strict=False) if value],
    )
    return replace(case, **more)


def rule_tuple(rule: Rule) -> tuple[Any, ...]:
    """The contract's struct."""
    return (
        int(rule.cap),
        rule.cap_weight,
        rule.floor_weight,
        rule.entry_weight,
        rule.top_n,
        rule.floor_each,
        rule.max_supply_age,
        rule.max_supply_jump,
        rule.cap_passes,
    )


def decisions(answer: Any) -> Answer:
    """Constituents as Python's decisions."""
    if isinstance(answer, str):
        return answer
    return [
        Decision(c.token, c.basis, Status(c.status), Flag(c.flags), c.price, c.weight, c.confirmed, c.member)
        for c in answer
    ]


def told(error: MethodologyError) -> str:
    """Python's error in the contract's words."""
    if isinstance(error, OutsideDomainError):
        return f"OutsideDomain({error.what})"
    assert isinstance(error, NoConstituentsError)
    return "NoConstituents()"


def apart(chain: Answer, python: Answer) -> str:
    """The first difference in words."""
    if isinstance(chain, str) or isinstance(python, str):
        return f"on chain {chain}, in Python {python}"
    pairs = ((c, p) for c, p in zip(chain, python, strict=False) if c != p)
    return f"{len(chain)} and {len(python)}: " + " in Python ".join(map(str, next(pairs, ())))


def as_tuples(list_: Sequence[Decision]) -> list[tuple[Any, ...]]:
    """Decisions as the contract's structs."""
    return [(d.token, d.basis, int(d.status), int(d.flags), d.price, d.weight, d.confirmed, d.member) for d in list_]


def as_words(list_: Sequence[Decision]) -> list[int]:
    """Decisions as the contract keeps them, two words each."""
    words = []
    for d in list_:
        words.append(int(d.token, 16) << 96 | int(d.flags) << 88 | d.basis)
        words.append(d.price << 156 | d.weight << 92 | d.confirmed << 4 | int(d.member) << 3 | int(d.status))
    return words


def confirmed_by(determined: Sequence[Decision], answer: Sequence[int]) -> list[Decision]:
    """Decisions with the bases, flags and statuses that `confirm` answered."""
    assert not isinstance(answer, str), answer
    return [
        replace(d, basis=word % 2**88, flags=Flag((word >> 88) % 2**8), status=Status(word >> 96))
        for d, word in zip(determined, answer, strict=True)
    ]
