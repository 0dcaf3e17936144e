"""Which supply counts: stale, jumping, overridden, and read again at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ballast.methodology import MAX_BASIS, ONE, Candidate, Decision, Flag, Override, Status, Supply, confirm, determine
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.methodology.scene import (
    DAY,
    NOW,
    OVERRIDE_LIFE,
    PLAIN,
    TOKENS,
    Case,
    Scene,
    after,
    as_tuples,
    as_words,
    decisions,
    rule_tuple,
    simple,
    with_bases,
)

MILLION = 10**6
OLDEST = NOW - PLAIN.max_supply_age
NONE = Flag(0)


def before(basis: int, token: str = TOKENS[0]) -> Decision:
    """Last month's line of a token."""
    return Decision(token, basis, Status.INCLUDED, NONE, ONE, ONE)


def supply_that_counts(scene: Scene, answer: Supply | None, last: int, **more: Any) -> tuple[int, Flag]:
    """Of TOKENS[0], beside another candidate; both sides agree."""
    case = simple([MILLION, MILLION], [ONE, ONE], previous=[before(last)] if last else [], **more)
    result = scene.agree(replace(case, supplies={**case.supplies, TOKENS[0]: answer}))
    assert not isinstance(result, str)
    assert result[0].status is (Status.FROZEN if result[0].basis == 0 else Status.INCLUDED)
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
        (Supply(105, OLDEST - 1), 0, (0, Flag.NO_SUPPLY)),
        (None, 0, (0, Flag.NO_SUPPLY)),
        (Supply(105, NOW), 0, (105, NONE)),
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
    wild = replace(PLAIN, max_supply_jump=3 * ONE)
    assert supply_that_counts(scene, Supply(1, NOW), 100, rule=wild) == (1, NONE)
    assert supply_that_counts(scene, Supply(MAX_BASIS, NOW), MAX_BASIS // 2, rule=wild) == (MAX_BASIS, NONE)


def test_a_source_of_another_shape_stops_nothing(chain: Chain, scene: Scene, owner: str) -> None:
    """A source that answers with nothing at all, or reverts, is one that fails."""
    silent = "0x000000000000000000000000000000000000bEEF"
    for code in ("00", "60015ffd", "60205ff3", "60405ff3", "60205ffd", "fe"):
        chain.cheats.set_code(silent, bytes.fromhex(code))
        made = chain.deploy("MarketCap", owner, rule_tuple(PLAIN), [(TOKENS[0], silent, 0)], sender=owner)
        determined = after([before(90)], [before(100)])
        answer = chain.read(made.confirm(as_words(determined)))
        # Last month's 100 is nearer to itself than the determined 90.
        expected = replace(determined[0], basis=100, flags=Flag.STALE | Flag.CONFIRMED_AT_START)
        assert with_bases(determined, answer) == [expected]


def confirmed(scene: Scene, case: Case, later: Supply | None, determined: Decision) -> tuple[int, Flag]:
    case = replace(case, later={**case.supplies, TOKENS[0]: later})
    (result,) = scene.confirmation(case, [determined])
    assert [result] == case.expected_confirmed([determined])
    return result.basis, result.flags


@pytest.mark.parametrize(
    ("last", "determined", "later", "expected"),
    [
        (100, 108, 103, (103, Flag.CONFIRMED_AT_START)),
        (100, 103, 108, (103, NONE)),
        (100, 92, 103, (103, Flag.CONFIRMED_AT_START)),
        (100, 103, 97, (103, NONE)),  # equally near: the determination's
        (100, 110, 150, (110, NONE)),
        (0, 110, 100, (100, Flag.CONFIRMED_AT_START)),  # a newcomer: the smaller
        (0, 100, 110, (100, NONE)),
    ],
)
def test_the_nearer_to_last_month_counts(
    scene: Scene, last: int, determined: int, later: int, expected: tuple[int, Flag]
) -> None:
    case = simple([determined], previous=[before(last)] if last else [])
    assert confirmed(scene, case, Supply(later, NOW), before(determined)) == expected


def test_flags_of_the_supply_that_counts(scene: Scene) -> None:
    case = simple([1], previous=[before(100)])
    clamped = replace(before(110), flags=Flag.CLAMPED)
    assert confirmed(scene, case, Supply(104, NOW), clamped) == (104, Flag.CONFIRMED_AT_START)
    stale = Flag.STALE | Flag.CONFIRMED_AT_START
    assert confirmed(scene, case, None, clamped) == (100, stale)
    assert confirmed(scene, simple([1]), None, before(105)) == (105, NONE)
    low = Flag.CLAMPED | Flag.CONFIRMED_AT_START
    assert confirmed(scene, case, Supply(1, NOW), replace(before(120), flags=Flag.CLAMPED)) == (90, low)


def test_only_what_is_included_and_a_candidate_is_read_again(scene: Scene) -> None:
    case = simple([100], previous=[before(100)])
    for status in (Status.FROZEN, Status.LEAVING, Status.OUTSIDE):
        assert confirmed(scene, case, Supply(100, NOW), replace(before(105), status=status)) == (105, NONE)
    elsewhere = replace(case, candidates=[Candidate(TOKENS[1])], supplies={TOKENS[1]: Supply(100, NOW)})
    assert confirmed(scene, elsewhere, Supply(100, NOW), before(105)) == (105, NONE)


def test_overrides_count_without_comparison(scene: Scene) -> None:
    mine = simple([100], previous=[before(100)], overrides={TOKENS[0]: 754})
    assert supply_that_counts(scene, None, 100, overrides={TOKENS[0]: 754}) == (754, Flag.OVERRIDDEN)
    by_owner = Flag.OVERRIDDEN | Flag.CONFIRMED_AT_START
    assert confirmed(scene, mine, Supply(100, NOW), replace(before(110), flags=Flag.CLAMPED)) == (754, by_owner)
    # One that counted at the determination stays, even if it is over at start.
    ended = simple([100], previous=[before(100)])
    assert confirmed(scene, ended, Supply(100, NOW), replace(before(754), flags=Flag.OVERRIDDEN)) == (
        754,
        Flag.OVERRIDDEN,
    )


def test_an_override_lives_ten_days(chain: Chain, scene: Scene, owner: str) -> None:
    candidates = [Candidate(token) for token in TOKENS[:2]]
    made = chain.deploy(
        "MarketCap", owner, rule_tuple(PLAIN), [(c.token, scene.stage, 0) for c in candidates], sender=owner
    )
    prices = dict.fromkeys(TOKENS[:2], ONE)
    start = chain.now()
    supplies: Mapping[str, Supply | None] = {token: Supply(MILLION, start) for token in TOKENS[:2]}
    stage: Contract = scene.stage
    chain.send(stage.setPrices(TOKENS[:2], [ONE, ONE]), owner)
    chain.send(stage.setSupplies(TOKENS[:2], [MILLION, MILLION], [start, start]), owner)
    chain.send(stage.setHoldings([(TOKENS[0], 18, False)], [ONE], ONE), owner)
    moment = start + DAY
    chain.send(made.overrideSupply(TOKENS[0], 3 * MILLION), owner, at=moment)
    last = [before(MILLION, token) for token in TOKENS[:2]]
    overrides = {TOKENS[0]: Override(3 * MILLION, moment + OVERRIDE_LIFE)}
    holdings = simple([1]).holdings()

    def at(time: int) -> Decision:
        answer = chain.read(made.determine(stage, stage, as_tuples(last)), at=time)
        assert decisions(answer) == determine(PLAIN, candidates, supplies, prices, holdings, last, overrides, time)
        both = after(last, last)
        again = chain.read(made.confirm(as_words(both)), at=time)
        assert with_bases(both, again) == confirm(PLAIN, candidates, supplies, both, overrides, time)
        result = decisions(answer)
        assert not isinstance(result, str)
        return result[0]

    alive, over = at(moment + OVERRIDE_LIFE - 1), at(moment + OVERRIDE_LIFE)
    assert (alive.basis, alive.flags, alive.weight) == (3 * MILLION, Flag.OVERRIDDEN, 3 * ONE // 4)
    assert (over.basis, over.flags, over.weight) == (MILLION, NONE, ONE // 2)


def test_overrides_that_end_one_after_another(chain: Chain, scene: Scene, owner: str) -> None:
    """One that is over is not looked at though another lives, one lives on though another is over, and other candidates
    in between change nothing about either."""
    tokens = TOKENS[:3]
    listed = [(token, scene.stage, 0) for token in tokens]
    made = chain.deploy("MarketCap", owner, rule_tuple(PLAIN), listed, sender=owner)
    start = chain.now()
    chain.send(scene.stage.setSupplies(tokens, [MILLION] * 3, [start] * 3), owner)
    chain.send(scene.stage.setPrices(tokens, [ONE] * 3), owner)
    chain.send(scene.stage.setHoldings([(tokens[0], 18, False)], [ONE], ONE), owner)
    first, second = start + DAY, start + 6 * DAY
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
        both = after(last, last)
        again = with_bases(both, chain.read(made.confirm(as_words(both)), at=moment))
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
    again = second + OVERRIDE_LIFE + DAY
    chain.send(made.overrideSupply(tokens[0], 2 * MILLION), owner, at=again)
    overrides[tokens[0]] = Override(2 * MILLION, again + OVERRIDE_LIFE)
    assert bases(again) == [one, plain, plain]
