"""Hypothesis's cases: candidates, supplies, prices and holdings over many orders of magnitude.

`sized` cases have market caps of 10 million to 10 billion dollars, in one case of the same order of magnitude and in
another of all three, so that many share in the weights and several are capped; in the others supply and price are drawn
apart, and one candidate often dwarfs the rest or all lie below one share's NAV.

Hypothesis draws the rule and a seed; dice with this seed fill in the rest, which is ten times as fast as drawing each
figure, and does not shy away from long lists.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from random import Random

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from ballast.rule.methodology import MAX_BASIS, Candidate, Cap, Decision, Flag, Rule, State, Status, Supply
from ballast.units import DAY_S, WAD
from tests.contracts.methodologies.scene import NOW, TOKENS, Basket, Case, ListedComponent

EXAMPLES = os.environ.get("BALLAST_EXAMPLES")
"""More cases than usual, and others each time."""
DRAWN = settings(
    max_examples=int(EXAMPLES or 100),
    derandomize=EXAMPLES is None,
    deadline=None,
    database=None,
    # Shrinking whole cases takes minutes and makes them no clearer.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
ALIKE = -1
"""In place of a spread: all market caps are equal, and ranks are settled by address."""


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Rules within their bounds."""
    cap = draw(st.sampled_from(Cap))
    floor = draw(st.sampled_from([0, 0, 0, WAD // 1000, WAD // 200, WAD // 200, WAD // 30, WAD // 10]))
    entry = st.sampled_from([floor, floor, max(floor, WAD // 50), floor + WAD // 20])
    near = st.sampled_from([WAD // 50, WAD // 20, WAD // 15, WAD // 10, WAD // 7, WAD // 4, WAD // 2])
    return Rule(
        cap=cap,
        cap_weight=0 if cap is Cap.NONE else draw(near | near | st.integers(1, WAD - 1)),
        floor_weight=floor,
        entry_weight=draw(entry | entry | st.integers(floor, WAD // 4)),
        top_n=draw(st.sampled_from([255, 255, 10, 20]) | st.integers(1, 30)),
        floor_each=draw(st.booleans()),
        max_supply_age=draw(st.sampled_from([1, DAY_S, 40 * DAY_S])),
        max_supply_jump=draw(st.sampled_from([1, WAD // 10, WAD // 2, WAD, 3 * WAD]) | st.integers(1, 2 * WAD)),
        cap_passes=draw(st.sampled_from([1, 1, 2, 3, 10])),
    )


@st.composite
def cases(draw: st.DrawFn, sized: bool) -> Case:
    """A whole case: 1 to 30 candidates and up to 4 tokens that are held and no candidates."""
    rule = draw(rules())
    shares = draw(st.sampled_from([WAD, 318564173063822888353616]) | st.integers(WAD, 10**24))
    dice = Dice(Random(draw(st.integers(0, 2**64 - 1))))
    number = dice.number(1, 30)
    tokens = dice.random.sample(TOKENS, number + dice.number(0, 4))
    spread = dice.number(-1, 2)
    parts = [part(dice, token, spread if sized else None, rule) for token in tokens[:number]]
    others = {token: dice.magnitude(12, 23) for token in tokens[number:]}
    first = dice.once_in(5)
    return Case(
        candidates=[Candidate(p.token, p.state, p.given) for p in parts],
        supplies={p.token: p.supply for p in parts},
        prices={**{p.token: p.price for p in parts}, **others},
        lines=[
            *[line_of(p.token, p.price, p.worth, shares, dice) for p in parts if p.worth],
            *[line_of(token, price, dice.magnitude(15, 18), shares, dice) for token, price in others.items()],
        ],
        rule=rule,
        shares=shares,
        previous=[] if first else by_address([*[p.last for p in parts if p.last], *map(dice.before, others)]),
        overrides={p.token: p.override for p in parts if p.override},
        later={p.token: p.later for p in parts},
        then=[*[p.then for p in parts if p.then], *[Candidate(token) for token in others if dice.once_in(3)]]
        or [Candidate(tokens[0])],
    )


def by_address(rows: list[Decision]) -> list[Decision]:
    return sorted(rows, key=lambda d: int(d.token, 16))


@st.composite
def baskets(draw: st.DrawFn, sized: bool) -> Basket:
    """Arguments of `targetUnits`: 1 to 30 components, some with no basis, some not held, some with no price."""
    dice = Dice(Random(draw(st.integers(0, 2**64 - 1))))
    spread = dice.number(0, 2)
    basis, units, prices, decimals = [], [], [], []
    for _ in range(dice.number(1, 30)):
        price, places = dice.magnitude(12, 23), dice.number(0, 27)
        supply = dice.supply(price, spread if sized else None)
        basis.append(0 if dice.once_in(20) else supply)
        units.append(0 if dice.once_in(10) else dice.magnitude(15, 20) * 10**places // price)
        prices.append(0 if dice.once_in(20) else price)
        decimals.append(places)
    return Basket(basis, units, prices, decimals)


@dataclass(frozen=True)
class Dice:
    """Random figures."""

    random: Random

    def number(self, least: int, most: int) -> int:
        return self.random.randint(least, most)

    def magnitude(self, least: int, most: int) -> int:
        """From 10^least to 10^(most + 1), every order as likely as the next, with up to 7 digits or all of them."""
        exponent = self.number(least, most)
        digits = self.number(10**6, 10**7 - 1) * 10**exponent // 10**6
        return digits if self.once_in(2) else self.number(10**exponent, digits)

    def supply(self, price: int, spread: int | None) -> int:
        """Whole tokens that make 10 million dollars and up to `spread` more orders of magnitude; None: any number."""
        if spread == ALIKE:
            return 10**25 // price
        return self.magnitude(0, 12) if spread is None else self.magnitude(25, 25 + spread) // price + 1

    def once_in(self, times: int) -> bool:
        return self.random.randrange(times) == 0

    def near(self, value: int) -> int:
        """The same, a bit off, or far off; up to ten times."""
        thousandths = self.random.choice([1000, 1000, 999, 1001, self.number(800, 1200), self.number(1, 10_000)])
        return min(value * thousandths // 1000 + self.random.choice([0, 0, 1]), MAX_BASIS)

    def answer(self, supply: int, rule: Rule) -> Supply | None:
        """A source's answer: mostly sound, else failing, empty, too old by a second, or dated in the future."""
        oldest = NOW - rule.max_supply_age
        if self.once_in(30):
            return None
        value = 0 if self.once_in(30) else MAX_BASIS + 1 if self.once_in(60) else supply
        dates = [NOW] * 5 + [max(oldest, NOW - DAY_S)] * 5 + [oldest] * 3 + [oldest - 1, NOW + 1 if value else 0]
        return Supply(value, self.random.choice(dates))

    def before(self, token: str, supply: int = 1) -> Decision:
        """What the last started month left of a token."""
        basis = 0 if self.once_in(10) else self.near(supply)
        status = self.random.choice([Status.INCLUDED] * 4 + [Status.FROZEN, Status.LEAVING, Status.OUTSIDE])
        return Decision(token, basis, status, Flag(0), 0, 0, member=self.once_in(2))


@dataclass(frozen=True)
class Part:
    """One candidate and all that concerns it. `given` is the supply that was given for it, `last` what the last started
    month left, `then` the candidate at start; `worth` what one share holds of it in USD, 0 if it is not listed."""

    token: str
    state: State
    price: int
    supply: Supply | None
    later: Supply | None
    given: int
    last: Decision | None
    then: Candidate | None
    override: int
    worth: int


def part(dice: Dice, token: str, spread: int | None, rule: Rule) -> Part:
    """A random candidate."""
    price = WAD if spread == ALIKE else dice.magnitude(12, 23)
    supply = dice.supply(price, spread)
    state = dice.random.choice([State.ACTIVE] * 10 + [State.FROZEN, State.LEAVING])
    given = dice.near(supply) if dice.once_in(2) else 0
    later = Candidate(
        token,
        dice.random.choice(list(State)) if dice.once_in(10) else state,
        dice.near(supply) if dice.once_in(10) else given,
    )
    return Part(
        token=token,
        state=state,
        price=0 if dice.once_in(20) else price,
        supply=dice.answer(supply, rule),
        later=dice.answer(dice.near(supply), rule),
        given=given,
        last=None if dice.once_in(4) else dice.before(token, supply),
        then=None if dice.once_in(20) else later,
        override=dice.near(supply) if dice.once_in(15) else 0,
        worth=0 if dice.once_in(4) else dice.magnitude(15, 18),
    )


def line_of(token: str, price: int, worth: int, shares: int, dice: Dice) -> ListedComponent:
    """A line of the index token's list that is worth about this much in one share; anything without a price."""
    decimals = dice.number(0, 27)
    unit = worth * 10**decimals // price if price else dice.magnitude(0, 27)
    amount = 2**160 + dice.number(0, 1) if dice.once_in(30) else unit * shares // WAD + dice.number(0, 1)
    until = dice.random.choice([0] * 20 + [NOW, NOW + 1])
    return ListedComponent(token, amount, decimals, until, written_off=dice.once_in(30))
