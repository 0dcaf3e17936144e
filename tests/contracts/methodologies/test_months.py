"""What is remembered from month to month, and what somebody gains who buys single blocks: determinations, starts, both.

A supply dated NOW is one that is computed in the block that asks, as `LockedSupply` does, so that whoever owns the
block can say what it is; an older one was posted through the timelock. Each month is determined and confirmed by the
contract, which is held against the Python rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from ballast.rule.methodology import Candidate, Decision, Flag, State, Status, Supply, left_by
from ballast.units import WAD
from tests.contracts.methodologies.scene import NOW, PLAIN, TOKENS, YESTERDAY, Case, Scene, simple

MILLION = 10**6
CENT = WAD // 100
NONE = Flag(0)
X = TOKENS[0]
"""The token of the story."""


@dataclass
class Months:
    """A fund by market cap from month to month. `honest` are the supplies that are true, in whole tokens; those of
    `computed` are read from the chain by each block, the others are posted."""

    scene: Scene
    case: Case
    honest: dict[str, int]
    computed: frozenset[str]
    previous: list[Decision] = field(default_factory=list)

    def month(
        self,
        seen: Mapping[str, int] | None = None,
        then: Mapping[str, int] | None = None,
        *,
        started: bool = True,
        hold: bool = True,
    ) -> dict[str, Decision]:
        """A month in which determination and start see these supplies in place of the honest ones; as start has it, or
        as determined where there is no start. After a start the fund holds what is included and nothing else."""
        case = replace(self.case, supplies=self._read(seen), later=self._read(then), previous=self.previous)
        determined = self.scene.agree(case)
        assert not isinstance(determined, str), determined
        confirmed = self.scene.confirmation(case, determined) if started else determined
        self.previous = left_by(confirmed, started=started)
        if started and hold:
            lines = [replace(self.case.lines[0], token=d.token) for d in confirmed if d.status is Status.INCLUDED]
            self.case = replace(self.case, lines=lines)
        return {d.token: d for d in confirmed}

    def given(self, token: str, whole_tokens: int) -> None:
        self._replace(Candidate(token, whole_tokens=whole_tokens))

    def set(self, token: str, state: State) -> None:
        self._replace(Candidate(token, state))

    def _replace(self, candidate: Candidate) -> None:
        others = [c for c in self.case.candidates if c.token != candidate.token]
        self.case = replace(self.case, candidates=[*others, candidate])

    def _read(self, seen: Mapping[str, int] | None) -> dict[str, Supply | None]:
        supplies = self.honest | dict(seen or {})
        return {t: Supply(supply, NOW if t in self.computed else YESTERDAY) for t, supply in supplies.items()}


def months(scene: Scene, case: Case, *computed: str) -> Months:
    honest = {token: supply.whole_tokens for token, supply in case.supplies.items() if supply is not None}
    return Months(scene, case, honest, frozenset(computed))


def newcomer(scene: Scene, others: int = 1, size: int = MILLION, **rule: Any) -> Months:
    """A candidate X of `size` that was never known and is not held, beside others of 1,000 million that are."""
    case = simple([size, *[1_000 * MILLION] * others], [0, *[WAD] * others])
    return months(scene, replace(case, rule=replace(PLAIN, **rule)), X)


def member(scene: Scene, supply: int = 100 * MILLION, **rule: Any) -> Months:
    """A computed supply of X that a started month has confirmed; X and another are held."""
    case = replace(simple([supply, 1_000 * MILLION], [WAD, WAD]), rule=replace(PLAIN, **rule))
    story = months(scene, case, X)
    story.given(X, supply)
    assert story.month()[X].basis == supply
    return story


# One reading


def test_a_newcomer_of_one_million_that_was_read_as_a_hundred(scene: Scene) -> None:
    """One flash loan, at its first determination. Start is right, and the honest months after it count what is true."""
    story = newcomer(scene)
    first = story.month({X: 100 * MILLION})[X]
    assert (first.basis, first.status) == (MILLION, Status.OUTSIDE)
    for _ in range(3):
        later = story.month()[X]
        assert (later.basis, later.flags, later.status) == (MILLION, NONE, Status.INCLUDED)
        assert later.weight == WAD // 1001


def test_a_supply_posted_a_hundredfold_and_corrected_before_start_does_not_come_back(scene: Scene) -> None:
    story = months(scene, simple([MILLION, 1_000 * MILLION], [WAD, WAD]))
    assert story.month()[X].basis == MILLION
    wrong = story.month({X: 100 * MILLION})[X]
    assert (wrong.basis, wrong.flags) == (MILLION, Flag.CONFIRMED_AT_START)
    after = story.month()[X]
    assert (after.basis, after.flags, after.confirmed) == (MILLION, NONE, MILLION)


def test_a_post_that_was_clamped_decides_nothing(scene: Scene) -> None:
    """The bound of it would be enough to take another's place. An honest post of that size takes it next month."""
    rule = replace(PLAIN, top_n=1)
    story = months(scene, simple([100 * MILLION, 105 * MILLION], [WAD, WAD], rule=rule))
    assert story.month()[X].status is Status.OUTSIDE
    wrong = story.month({X: 10_000 * MILLION}, {X: 10_000 * MILLION})[X]
    assert (wrong.status, wrong.basis) == (Status.OUTSIDE, 110 * MILLION)
    assert story.month({X: 110 * MILLION}, {X: 110 * MILLION})[X].status is Status.INCLUDED


def test_a_newcomers_supply_posted_a_hundredfold_and_corrected_before_start(scene: Scene) -> None:
    story = months(scene, simple([MILLION, 1_000 * MILLION], [0, WAD]))
    assert story.month({X: 100 * MILLION})[X].basis == MILLION
    assert story.month()[X].basis == MILLION


@pytest.mark.parametrize("started", [True, False])
def test_determinations_alone_do_not_ratchet(scene: Scene, started: bool) -> None:
    """Each sees ten times as much, and says a tenth more than what the last started month confirmed: never more. Vetoed
    months, and those that never start, carry the older one."""
    story = member(scene)
    for _ in range(4):
        case = replace(story.case, supplies={**story._read({X: 1_000 * MILLION})}, previous=story.previous)
        seen = scene.determination(case)
        assert not isinstance(seen, str)
        assert (seen[0].basis, seen[0].flags, seen[0].confirmed) == (110 * MILLION, Flag.CLAMPED, 100 * MILLION)
        end = story.month({X: 1_000 * MILLION}, started=started, hold=False)[X]
        assert end.confirmed == 100 * MILLION
        assert not started or end.basis == 100 * MILLION
    assert story.month()[X].basis == 100 * MILLION


def test_one_reading_downwards_takes_nothing_from_a_member_or_a_candidate(scene: Scene) -> None:
    """At the determination alone, or at start alone: the other one is nearer to what was confirmed."""
    story = member(scene)
    assert story.month({X: 1})[X].basis == 100 * MILLION
    assert story.month(None, {X: 1})[X].basis == 100 * MILLION
    outside = newcomer(scene, size=MILLION, entry_weight=10 * CENT)
    for seen, then in ((None, None), ({X: 1}, None), (None, {X: 1}), (None, None)):
        found = outside.month(seen, then)[X]
        assert (found.basis, found.status) == (MILLION, Status.OUTSIDE)


# Who is in


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_newcomer_faked_to_a_hundred_percent_puts_nobody_below_the_floor(scene: Scene, confirmed: bool) -> None:
    """Without a cap, at a determination whose start will be right. It would leave 14 others 0.07 % each."""
    story = newcomer(scene, others=14, floor_weight=CENT // 2, entry_weight=2 * CENT)
    if confirmed:
        assert story.month()[X].status is Status.OUTSIDE
    case = replace(story.case, supplies=story._read({X: 10**15}), previous=story.previous)
    determined = scene.agree(case)
    assert not isinstance(determined, str)
    assert [d.status for d in determined] == [Status.OUTSIDE] + [Status.INCLUDED] * 14
    assert [d.weight for d in determined[1:]] == [WAD // 14] * 14
    found = story.month({X: 10**15})
    assert [d.status for d in found.values()] == [Status.OUTSIDE] + [Status.INCLUDED] * 14
    assert found[X].basis == MILLION


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_newcomer_faked_for_a_block_throws_nobody_out_of_a_top_ten(scene: Scene, confirmed: bool) -> None:
    """BAL, the tenth, stays whole; it used to be sold in full."""
    story = newcomer(scene, others=10, top_n=10)
    if confirmed:
        assert story.month()[X].flags & Flag.UNCONFIRMED
    found = story.month({X: 10**15})
    assert [d.status for d in found.values()] == [Status.OUTSIDE] + [Status.INCLUDED] * 10
    assert found[X].flags & (Flag.BELOW_RANK if confirmed else Flag.UNCONFIRMED)


def test_a_member_faked_down_for_a_block_stays(scene: Scene) -> None:
    """By rank and by floor it counts as what was confirmed; what it weighs is bounded, and start puts that right."""
    story = member(scene, floor_weight=9 * CENT, entry_weight=9 * CENT)
    found = story.month({X: 1})[X]
    assert (found.status, found.basis) == (Status.INCLUDED, 100 * MILLION)


def test_a_newcomer_whose_supply_can_be_minted_for_a_block_at_both_readings(scene: Scene) -> None:
    """Both blocks of its first month are bought: what is confirmed is not true, and still it does not come in. In the
    next month, of which no block is bought, it counts and ranks as what it is."""
    story = newcomer(scene, others=10, top_n=10)
    first = story.month({X: 10**15}, {X: 10**15})[X]
    assert (first.status, first.basis) == (Status.OUTSIDE, 10**15)
    second = story.month()
    assert (second[X].status, second[X].flags, second[X].basis) == (Status.OUTSIDE, Flag.BELOW_RANK, MILLION)
    third = story.month({X: 10**15})
    assert (third[X].status, third[X].basis) == (Status.OUTSIDE, MILLION)


def test_what_remains_of_it_and_what_a_given_supply_makes_of_it(scene: Scene) -> None:
    """Whoever buys both blocks of one month and the determination of the next brings it in with what it is not, and
    throws the smallest out. A supply that was given bounds that, and so does an override."""
    three, four, bounded = (newcomer(scene, others=10, top_n=10) for _ in range(3))
    fake = {X: 10**15}
    three.month(fake, fake)
    found = three.month(fake)
    # Of two readings the nearer to what was confirmed: the faked one.
    assert (found[X].status, found[X].basis) == (Status.INCLUDED, 10**15)
    assert [d.status for d in found.values()].count(Status.OUTSIDE) == 1
    four.month(fake, fake)
    assert four.month(fake, fake)[X].basis == 10**15
    bounded.given(X, MILLION)
    for month in range(1, 4):
        kept = bounded.month(fake, fake)[X]
        assert (kept.status, kept.basis) == (Status.OUTSIDE, MILLION * 11**month // 10**month)


# Both readings of a member


def test_both_readings_of_a_month_are_worth_the_bound_each_month(scene: Scene) -> None:
    story = member(scene)
    for most in (110 * MILLION, 121 * MILLION, 133_100_000):
        assert story.month({X: 10**15}, {X: 10**15})[X].basis == most
    # The honest months after it come down by the bound, too.
    for least in (119_790_000, 107_811_000, 100 * MILLION, 100 * MILLION):
        assert story.month()[X].basis == least


def test_one_move_at_start_alone_hides_an_unlock_as_long_as_it_is_repeated(scene: Scene) -> None:
    """What remains: the supply stays at what was confirmed, one block a month. It never falls below that. One start
    that is left alone lets a tenth of it in."""
    story = member(scene)
    story.honest[X] = 200 * MILLION
    for _ in range(3):
        hidden = story.month(None, {X: 100 * MILLION})[X]
        assert (hidden.basis, hidden.flags) == (100 * MILLION, Flag.CONFIRMED_AT_START)
    assert story.month()[X].basis == 110 * MILLION
    story.case = replace(story.case, overrides={X: 200 * MILLION})
    assert story.month(None, {X: 100 * MILLION})[X].basis == 200 * MILLION
    # The override is over, and what it said is what was confirmed.
    story.case = replace(story.case, overrides={})
    assert story.month()[X].basis == 200 * MILLION


def test_both_readings_downwards_keep_a_candidate_out_until_it_is_overridden(scene: Scene) -> None:
    """What remains: what is no member has no lower bound, and comes back by the bound a month. The fund loses nothing
    by it, and the override ends it at once."""
    story = newcomer(scene, size=100 * MILLION, entry_weight=5 * CENT)
    assert story.month()[X].basis == 100 * MILLION
    assert story.month({X: MILLION}, {X: MILLION})[X].basis == MILLION
    for month in range(1, 4):
        slow = story.month()[X]
        assert (slow.status, slow.basis) == (Status.OUTSIDE, MILLION * 11**month // 10**month)
    story.case = replace(story.case, overrides={X: 100 * MILLION})
    assert story.month()[X].status is Status.INCLUDED
    story.case = replace(story.case, overrides={})
    assert story.month()[X].basis == 100 * MILLION


# Members


def test_a_gift_does_not_give_a_leaver_the_floor_weight(scene: Scene) -> None:
    """It left, and some of it is on the list yet, or again by a gift of 30 cents: it comes back by the entry weight."""
    story = member(scene, floor_weight=5 * CENT, entry_weight=10 * CENT)
    assert story.month()[X].member
    story.set(X, State.LEAVING)
    assert story.month(hold=False)[X].status is Status.LEAVING
    story.set(X, State.ACTIVE)
    assert any(line.token == X and line.amount for line in story.case.lines)
    back = story.month()[X]
    # 100 of 1,100 million: 9.09 %.
    assert (back.status, back.flags, back.member) == (Status.OUTSIDE, Flag.BELOW_FLOOR, False)


def test_a_member_stays_by_the_floor_weight_also_after_it_was_frozen(scene: Scene) -> None:
    story = member(scene, floor_weight=5 * CENT, entry_weight=10 * CENT)
    lines = story.case.lines
    prices = story.case.prices
    story.case = replace(story.case, prices={**prices, X: 0})
    for _ in range(2):
        assert story.month(hold=False)[X].status is Status.FROZEN
        # One that was never started changes nothing about it.
        assert story.month(started=False)[X].member
    story.case = replace(story.case, prices=prices, lines=lines)
    found = story.month()[X]
    assert (found.status, found.member) == (Status.INCLUDED, True)


def test_what_is_on_the_list_before_the_first_month_is_a_member(scene: Scene) -> None:
    rule = replace(PLAIN, floor_weight=5 * CENT, entry_weight=20 * CENT)
    supplies = [100 * MILLION, 100 * MILLION, 800 * MILLION]
    result = scene.agree(simple(supplies, [WAD, 0, WAD], rule=rule))
    assert not isinstance(result, str)
    assert [(d.member, d.status) for d in result] == [
        (True, Status.INCLUDED),
        (False, Status.OUTSIDE),
        (True, Status.INCLUDED),
    ]


def test_a_new_methodology_takes_over_what_the_old_one_knew(scene: Scene) -> None:
    """The rebalancer hands it on; a rule that was deployed a moment ago holds the first reading against it."""
    story = member(scene)
    successor = months(scene, replace(story.case, rule=replace(PLAIN, top_n=7)), X)
    successor.set(X, State.ACTIVE)
    successor.previous = story.previous
    found = successor.month({X: 10**15}, {X: 10**15})[X]
    assert (found.basis, found.confirmed, found.member) == (110 * MILLION, 100 * MILLION, True)


def test_computed_supplies_alone_have_no_first_month(scene: Scene) -> None:
    """Nobody has vouched for any: at least one must be given. `FundConfig` asks for it."""
    case = simple([MILLION, MILLION], [WAD, WAD])
    alone = replace(case, supplies={token: Supply(MILLION, NOW) for token in case.supplies})
    assert scene.agree(alone) == "NoConstituents()"
    given = replace(alone, candidates=[Candidate(X, whole_tokens=MILLION), *case.candidates[1:]])
    result = scene.agree(given)
    assert not isinstance(result, str)
    assert [d.status for d in result] == [Status.INCLUDED, Status.FROZEN]
