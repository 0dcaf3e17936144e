"""Which supply counts: stale, jumping, overridden, and read again at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ballast.rule.methodology import (
    MAX_BASIS,
    Candidate,
    Decision,
    Flag,
    Override,
    State,
    Status,
    Supply,
    confirm,
    determine,
)
from ballast.units import DAY_S, WAD
from tests.contracts.methodologies.scene import (
    NOW,
    OVERRIDE_LIFE,
    PLAIN,
    TOKENS,
    YESTERDAY,
    Case,
    Scene,
    as_tuples,
    as_words,
    confirmed_by,
    decisions,
    rule_tuple,
    simple,
)
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract

MILLION = 10**6
OLDEST = NOW - PLAIN.max_supply_age
NONE = Flag(0)


def before(basis: int, token: str = TOKENS[0], **more: Any) -> Decision:
    """What the last started month left of a token: a member's, unless `status` says otherwise."""
    return replace(Decision(token, basis, Status.INCLUDED, NONE, WAD, WAD), **more)


def determined(basis: int, confirmed: int, token: str = TOKENS[0], **more: Any) -> Decision:
    """A token's line in this month's determination."""
    line = Decision(token, basis, Status.INCLUDED, NONE, WAD, WAD, confirmed, member=confirmed != 0)
    return replace(line, **more)


def supply_that_counts(scene: Scene, answer: Supply | None, last: int, **more: Any) -> tuple[int, Flag]:
    """Of TOKENS[0], beside another candidate; both sides agree."""
    case = simple([MILLION, MILLION], [WAD, WAD], previous=[before(last)] if last else [], **more)
    result = scene.agree(replace(case, supplies={**case.supplies, TOKENS[0]: answer}))
    assert not isinstance(result, str)
    assert result[0].status is (Status.FROZEN if Flag.UNCONFIRMED in result[0].flags else Status.INCLUDED)
    return result[0].basis, result[0].flags


@pytest.mark.parametrize(
    ("answer", "last", "expected"),
    [
        (Supply(105, NOW), 100, (105, NONE)),
        (Supply(105, OLDEST), 100, (105, NONE)),
        (Supply(105, OLDEST - 1), 100, (100, Flag.STALE)),
        (Supply(105, NOW + 1), 100, (100, Flag.STALE)),
        (Supply(0, NOW), 100, (100, Flag.STALE)),
        (Supply(MAX_BASIS + 1, NOW), 100, (100, Flag.STALE)),
        (None, 100, (100, Flag.STALE)),
        (Supply(105, OLDEST - 1), 0, (0, Flag.UNCONFIRMED)),
        (None, 0, (0, Flag.UNCONFIRMED)),
        (Supply(105, YESTERDAY), 0, (105, NONE)),
        (Supply(105, NOW - 1), 0, (105, NONE)),
        (Supply(105, NOW), 0, (105, Flag.UNCONFIRMED)),
    ],
)
def test_old_or_missing(scene: Scene, answer: Supply | None, last: int, expected: tuple[int, Flag]) -> None:
    assert supply_that_counts(scene, answer, last) == expected


@pytest.mark.parametrize(
    ("last", "now", "expected"),
    [
        (460 * MILLION, 754 * MILLION, (506 * MILLION, Flag.CLAMPED)),  # UNI
        (10_800_000, 34_200_000, (11_880_000, Flag.CLAMPED)),  # BAL
        (460 * MILLION, 506 * MILLION, (506 * MILLION, NONE)),
        (460 * MILLION, 506 * MILLION + 1, (506 * MILLION, Flag.CLAMPED)),
        (460 * MILLION, 414 * MILLION, (414 * MILLION, NONE)),
        (460 * MILLION, 414 * MILLION - 1, (414 * MILLION, Flag.CLAMPED)),
        (9, 10, (9, Flag.CLAMPED)),  # a tenth of 9 whole tokens is none
        (MAX_BASIS - 1, 1, (MAX_BASIS - 1 - (MAX_BASIS - 1) // 10, Flag.CLAMPED)),
    ],
)
def test_jumps(scene: Scene, last: int, now: int, expected: tuple[int, Flag]) -> None:
    assert supply_that_counts(scene, Supply(now, NOW), last) == expected


def test_the_clamp_is_held_to_what_fits(scene: Scene) -> None:
    wild = replace(PLAIN, max_supply_jump=3 * WAD)
    assert supply_that_counts(scene, Supply(1, NOW), 100, rule=wild) == (1, NONE)
    assert supply_that_counts(scene, Supply(MAX_BASIS, NOW), MAX_BASIS // 2, rule=wild) == (MAX_BASIS, NONE)


def test_a_source_of_another_shape_stops_nothing(chain: Chain, scene: Scene, owner: str) -> None:
    """A source that answers with nothing at all, or reverts, is one that fails."""
    silent = "0x000000000000000000000000000000000000bEEF"
    for code in ("00", "60015ffd", "60205ff3", "60405ff3", "60205ffd", "fe"):
        chain.cheats.set_code(silent, bytes.fromhex(code))
        made = chain.deploy("MarketCap", owner, rule_tuple(PLAIN), [(TOKENS[0], silent, 0, 0)], sender=owner)
        lines = [determined(90, 100)]
        answer = chain.read(made.confirm(as_words(lines)))
        # The confirmed 100 is nearer to itself than the determined 90.
        expected = replace(lines[0], basis=100, flags=Flag.STALE | Flag.CONFIRMED_AT_START)
        assert confirmed_by(lines, answer) == [expected]


def confirmed(scene: Scene, case: Case, later: Supply | None, line: Decision) -> tuple[int, Flag]:
    case = replace(case, later={**case.supplies, TOKENS[0]: later})
    (result,) = scene.confirmation(case, [line])
    assert [result] == case.expected_confirmed([line])
    return result.basis, result.flags


@pytest.mark.parametrize(
    ("last", "now", "expected"),
    [
        (100, 90, (90, NONE)),
        (100, 1, (1, NONE)),
        (100, 110, (110, NONE)),
        (100, 111, (110, Flag.CLAMPED)),
    ],
)
def test_what_is_no_member_is_believed_downwards_at_once(
    scene: Scene, last: int, now: int, expected: tuple[int, Flag]
) -> None:
    """A supply that was faked upwards before it was confirmed would take months to come down otherwise."""
    for status in (Status.OUTSIDE, Status.LEAVING, Status.FROZEN):
        case = simple([MILLION, MILLION], [0, WAD], previous=[before(last, status=status)])
        result = scene.agree(replace(case, supplies={**case.supplies, TOKENS[0]: Supply(now, NOW)}))
        assert not isinstance(result, str)
        assert (result[0].basis, result[0].flags, result[0].member) == (*expected, False)


@pytest.mark.parametrize(
    ("given", "answer", "expected"),
    [
        (100, Supply(105, NOW), (105, NONE)),
        (100, Supply(10_000, NOW), (110, Flag.CLAMPED)),
        (100, Supply(10_000, YESTERDAY), (110, Flag.CLAMPED)),
        (100, Supply(10, NOW), (90, Flag.CLAMPED)),
        (100, None, (100, Flag.STALE)),
    ],
)
def test_a_given_supply_counts_as_confirmed(
    scene: Scene, given: int, answer: Supply | None, expected: tuple[int, Flag]
) -> None:
    """Until a started month has confirmed one, and not after that."""
    case = simple([MILLION, MILLION], [WAD, WAD])
    case = replace(
        case,
        candidates=[Candidate(TOKENS[0], whole_tokens=given), Candidate(TOKENS[1])],
        supplies={**case.supplies, TOKENS[0]: answer},
    )
    result = scene.agree(case)
    assert not isinstance(result, str)
    assert (result[0].basis, result[0].flags, result[0].status) == (*expected, Status.INCLUDED)
    assert result[0].confirmed == 0
    later = scene.agree(replace(case, previous=[before(1_000)]))
    assert not isinstance(later, str)
    assert later[0].confirmed == 1_000
    assert later[0].basis == (1_000 if answer is None else 1_100 if answer.whole_tokens > 1_000 else 900)


@pytest.mark.parametrize(
    ("last", "was", "later", "expected"),
    [
        (100, 108, 103, (103, Flag.CONFIRMED_AT_START)),
        (100, 103, 108, (103, NONE)),
        (100, 92, 103, (103, Flag.CONFIRMED_AT_START)),
        (100, 103, 97, (103, NONE)),  # equally near: the determination's
        (100, 110, 150, (110, NONE)),
        (0, 110, 100, (100, Flag.CONFIRMED_AT_START)),  # none is known: the smaller
        (0, 100, 110, (100, NONE)),
    ],
)
def test_the_nearer_to_the_confirmed_one_counts(
    scene: Scene, last: int, was: int, later: int, expected: tuple[int, Flag]
) -> None:
    case = simple([was], previous=[before(last)] if last else [])
    assert confirmed(scene, case, Supply(later, NOW), determined(was, last)) == expected
    # Whoever is no member: the same, and further down than the bound.
    assert confirmed(scene, case, Supply(later, NOW), determined(was, last, member=False)) == expected


@pytest.mark.parametrize(
    ("was", "later", "expected"),
    [
        (100, Supply(110, NOW), (100, NONE)),
        (110, Supply(100, NOW), (100, Flag.CONFIRMED_AT_START)),
        (100, None, (0, Flag.CONFIRMED_AT_START)),
        (0, Supply(100, NOW), (0, NONE)),
    ],
)
def test_what_is_unconfirmed_needs_both_readings(
    scene: Scene, was: int, later: Supply | None, expected: tuple[int, Flag]
) -> None:
    line = determined(was, 0, status=Status.OUTSIDE, flags=Flag.UNCONFIRMED)
    basis, flags = expected
    assert confirmed(scene, simple([was]), later, line) == (basis, flags | Flag.UNCONFIRMED)


def test_a_supply_given_after_the_determination_holds_both_readings(scene: Scene) -> None:
    """The owner sees 100 times too much, and gives the right figure before start, where the source still says so."""
    line = determined(10_000, 0, status=Status.OUTSIDE, flags=Flag.UNCONFIRMED)
    case = simple([10_000])
    given = replace(case, then=[Candidate(TOKENS[0], whole_tokens=100)])
    assert confirmed(scene, given, Supply(10_000, NOW), line) == (
        110,
        Flag.UNCONFIRMED | Flag.CLAMPED | Flag.CONFIRMED_AT_START,
    )


def test_flags_of_the_supply_that_counts(scene: Scene) -> None:
    case = simple([1], previous=[before(100)])
    clamped = determined(110, 100, flags=Flag.CLAMPED)
    assert confirmed(scene, case, Supply(104, NOW), clamped) == (104, Flag.CONFIRMED_AT_START)
    stale = Flag.STALE | Flag.CONFIRMED_AT_START
    assert confirmed(scene, case, None, clamped) == (100, stale)
    assert confirmed(scene, simple([1]), None, determined(105, 0)) == (105, NONE)
    low = Flag.CLAMPED | Flag.CONFIRMED_AT_START
    assert confirmed(scene, case, Supply(1, NOW), determined(120, 100, flags=Flag.CLAMPED)) == (90, low)


def test_all_candidates_are_read_again(scene: Scene) -> None:
    """Not the included alone: what is outside today is held against it next month."""
    case = simple([100], previous=[before(100)])
    for status in Status:
        line = determined(105, 100, status=status)
        assert confirmed(scene, case, Supply(100, NOW), line) == (100, Flag.CONFIRMED_AT_START)


STATED = [
    (State.LEAVING, Status.INCLUDED, NONE, Status.LEAVING),
    (State.LEAVING, Status.FROZEN, NONE, Status.LEAVING),
    (State.LEAVING, Status.OUTSIDE, NONE, Status.LEAVING),
    (State.FROZEN, Status.INCLUDED, NONE, Status.FROZEN),
    (State.FROZEN, Status.LEAVING, NONE, Status.FROZEN),
    (State.FROZEN, Status.OUTSIDE, Flag.BELOW_RANK, Status.FROZEN),
    (State.FROZEN, Status.OUTSIDE, Flag.BELOW_FLOOR, Status.FROZEN),
    (State.FROZEN, Status.OUTSIDE, NONE, Status.OUTSIDE),
    (State.ACTIVE, Status.INCLUDED, NONE, Status.INCLUDED),
    (State.ACTIVE, Status.FROZEN, NONE, Status.FROZEN),
    (State.ACTIVE, Status.LEAVING, NONE, Status.LEAVING),
    (State.ACTIVE, Status.OUTSIDE, Flag.BELOW_FLOOR, Status.OUTSIDE),
]


@pytest.mark.parametrize(("state", "was", "flags", "now"), STATED)
def test_a_state_that_the_owner_has_set_since_counts_at_start(
    scene: Scene, state: State, was: Status, flags: Flag, now: Status
) -> None:
    line = determined(100, 100, status=was, flags=flags)
    case = replace(simple([100]), then=[Candidate(TOKENS[0], state)])
    (result,) = scene.confirmation(case, [line])
    assert result == replace(line, status=now)
    assert [result] == case.expected_confirmed([line])


def test_what_is_no_candidate_any_more_is_outside_with_what_was_confirmed(scene: Scene) -> None:
    """What this month's determination read of it is not confirmed by any start."""
    line = determined(105, 100, flags=Flag.CLAMPED)
    case = replace(simple([100]), then=[Candidate(TOKENS[1])])
    (result,) = scene.confirmation(case, [line])
    assert result == replace(line, status=Status.OUTSIDE, basis=100)
    assert [result] == case.expected_confirmed([line])


def test_overrides_count_without_comparison(scene: Scene) -> None:
    mine = simple([100], previous=[before(100)], overrides={TOKENS[0]: 754})
    assert supply_that_counts(scene, None, 100, overrides={TOKENS[0]: 754}) == (754, Flag.OVERRIDDEN)
    assert supply_that_counts(scene, Supply(100, NOW), 0, overrides={TOKENS[0]: 754}) == (754, Flag.OVERRIDDEN)
    by_owner = Flag.OVERRIDDEN | Flag.CONFIRMED_AT_START
    assert confirmed(scene, mine, Supply(100, NOW), determined(110, 100, flags=Flag.CLAMPED)) == (754, by_owner)
    # One that counted at the determination stays, even if it is over at start.
    ended = simple([100], previous=[before(100)])
    assert confirmed(scene, ended, Supply(100, NOW), determined(754, 100, flags=Flag.OVERRIDDEN)) == (
        754,
        Flag.OVERRIDDEN,
    )


def test_an_override_lives_ten_days(chain: Chain, scene: Scene, owner: str) -> None:
    candidates = [Candidate(token) for token in TOKENS[:2]]
    made = chain.deploy(
        "MarketCap", owner, rule_tuple(PLAIN), [(c.token, scene.stage, 0, 0) for c in candidates], sender=owner
    )
    prices = dict.fromkeys(TOKENS[:2], WAD)
    start = chain.now()
    supplies: Mapping[str, Supply | None] = {token: Supply(MILLION, start) for token in TOKENS[:2]}
    stage: Contract = scene.stage
    chain.send(stage.setPrices(TOKENS[:2], [WAD, WAD]), owner)
    chain.send(stage.setSupplies(TOKENS[:2], [MILLION, MILLION], [start, start]), owner)
    chain.send(stage.setHoldings([(TOKENS[0], 18, 0, False)], [WAD], WAD), owner)
    moment = start + DAY_S
    chain.send(made.overrideSupply(TOKENS[0], 3 * MILLION), owner, at=moment)
    last = [before(MILLION, token) for token in TOKENS[:2]]
    overrides = {TOKENS[0]: Override(3 * MILLION, moment + OVERRIDE_LIFE)}
    holdings = simple([1]).holdings()

    def at(time: int) -> Decision:
        answer = chain.read(made.determine(stage, stage, as_tuples(last)), at=time)
        assert decisions(answer) == determine(PLAIN, candidates, supplies, prices, holdings, last, overrides, time)
        both = [determined(MILLION, MILLION, token) for token in TOKENS[:2]]
        again = chain.read(made.confirm(as_words(both)), at=time)
        assert confirmed_by(both, again) == confirm(PLAIN, candidates, supplies, both, overrides, time)
        result = decisions(answer)
        assert not isinstance(result, str)
        return result[0]

    alive, over = at(moment + OVERRIDE_LIFE - 1), at(moment + OVERRIDE_LIFE)
    assert (alive.basis, alive.flags, alive.weight) == (3 * MILLION, Flag.OVERRIDDEN, 3 * WAD // 4)
    assert (over.basis, over.flags, over.weight) == (MILLION, NONE, WAD // 2)


def test_overrides_that_end_one_after_another(chain: Chain, scene: Scene, owner: str) -> None:
    """One that is over is not looked at though another lives, one lives on though another is over, and other candidates
    in between change nothing about either."""
    tokens = TOKENS[:3]
    listed = [(token, scene.stage, 0, 0) for token in tokens]
    made = chain.deploy("MarketCap", owner, rule_tuple(PLAIN), listed, sender=owner)
    start = chain.now()
    chain.send(scene.stage.setSupplies(tokens, [MILLION] * 3, [start] * 3), owner)
    chain.send(scene.stage.setPrices(tokens, [WAD] * 3), owner)
    chain.send(scene.stage.setHoldings([(tokens[0], 18, 0, False)], [WAD], WAD), owner)
    first, second = start + DAY_S, start + 6 * DAY_S
    chain.send(made.overrideSupply(tokens[0], 2 * MILLION), owner, at=first)
    chain.send(made.overrideSupply(tokens[1], 3 * MILLION), owner, at=second)
    chain.send(made.setCandidates(listed), owner, at=second)
    last = [before(MILLION, token) for token in tokens]
    overrides = {
        tokens[0]: Override(2 * MILLION, first + OVERRIDE_LIFE),
        tokens[1]: Override(3 * MILLION, second + OVERRIDE_LIFE),
    }

    def bases(moment: int) -> list[tuple[int, Flag]]:
        """As determined, and the same at start, then."""
        answer = decisions(chain.read(made.determine(scene.stage, scene.stage, as_tuples(last)), at=moment))
        assert not isinstance(answer, str)
        both = [determined(MILLION, MILLION, token) for token in tokens]
        again = confirmed_by(both, chain.read(made.confirm(as_words(both)), at=moment))
        candidates = [Candidate(token) for token in tokens]
        supplies: Mapping[str, Supply | None] = {token: Supply(MILLION, start) for token in tokens}
        assert again == confirm(PLAIN, candidates, supplies, both, overrides, moment)
        assert [d.basis for d in again] == [d.basis for d in answer]
        return [(d.basis, d.flags) for d in answer]

    plain = (MILLION, NONE)
    one, other = (2 * MILLION, Flag.OVERRIDDEN), (3 * MILLION, Flag.OVERRIDDEN)
    assert bases(second) == [one, other, plain]
    assert bases(first + OVERRIDE_LIFE - 1) == [one, other, plain]
    assert bases(first + OVERRIDE_LIFE) == [plain, other, plain]
    assert bases(second + OVERRIDE_LIFE - 1) == [plain, other, plain]
    assert bases(second + OVERRIDE_LIFE) == [plain, plain, plain]
    # One that is set again after all are over lives for its own ten days.
    again = second + OVERRIDE_LIFE + DAY_S
    chain.send(made.overrideSupply(tokens[0], 2 * MILLION), owner, at=again)
    overrides[tokens[0]] = Override(2 * MILLION, again + OVERRIDE_LIFE)
    assert bases(again) == [one, plain, plain]
