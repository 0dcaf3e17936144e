"""What a start makes of the methodology's answers: they may make less of a row than was determined, never more."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.helpers.bench import FROZEN, INCLUDED, KINDS, LEAVING, NEWCOMER, OUTSIDE, Bench, Kind, constituent
from tests.helpers.contracts import Contract
from tests.helpers.fund import EXECUTION, PERIOD_END
from tests.helpers.packed import targets_of, words_at
from tests.helpers.settling import BUY, HELD, SELL

N = len(KINDS)
UNITS = [kind.target for kind in KINDS]
CONFIRMED = 128
"""Flag of a basis that was read again and counts."""


def determine(bench: Bench, statuses: Mapping[int, int]) -> None:
    """Determines KINDS' targets with these statuses, Included by default, and no flags."""
    rows = [constituent(t, k.target, statuses.get(i, INCLUDED)) for i, (t, k) in enumerate(rows_of(bench))]
    bench.chain.send(bench.methodology.post(rows), bench.keeper, at=bench.chain.now())
    bench.determine()


def rows_of(bench: Bench) -> list[tuple[Contract, Kind]]:
    return list(zip(bench.tokens, KINDS, strict=True))


def answer(
    bench: Bench, changes: Mapping[int, tuple[int, int, int]], statuses: Mapping[int, int] | None = None
) -> None:
    """What confirm says: the determination, but for these rows' basis, flags and status."""
    said = statuses or {}
    words = []
    for i, unit in enumerate(UNITS):
        basis, flags, status = changes.get(i, (unit, 0, said.get(i, INCLUDED)))
        words.append(status << 96 | flags << 88 | basis)
    bench.chain.send(bench.methodology.answer(words, []), bench.keeper, at=bench.chain.now())


def stored(bench: Bench) -> list[tuple[int, int, int]]:
    """Basis, flags and status of each row as the month has it."""
    rows = bench.chain.read(bench.lens.constituents(bench.rebalancer))
    return [(c.basis, c.flags, c.status) for c in rows]


@pytest.mark.parametrize("status", [FROZEN, LEAVING, OUTSIDE])
@pytest.mark.parametrize("i", [0, 1, NEWCOMER])
def test_one_that_was_taken_out_since_is_not_bought(bench: Bench, status: int, i: int) -> None:
    """A candidate that the owner froze, had leave or struck off between determination and start: held, or sold, or not
    listed at all. The month remembers it so."""
    determine(bench, {})
    answer(bench, {i: (UNITS[i], 0, status)})
    bench.start()
    held = [h for h in bench.fund().holdings if h.token == bench.tokens[i].address]
    if i == NEWCOMER:
        assert held == []
    else:
        assert held[0].target.side == (HELD if status == FROZEN else SELL)
        assert held[0].target.unit == (KINDS[i].unit if status == FROZEN else 0)
    assert stored(bench) == [(u, 0, status if k == i else INCLUDED) for k, u in enumerate(UNITS)]


@pytest.mark.parametrize("status", [FROZEN, LEAVING, OUTSIDE])
@pytest.mark.parametrize("i", [0, 1, NEWCOMER])
def test_an_answer_makes_no_more_of_a_row(bench: Bench, status: int, i: int) -> None:
    """Said to be included, a row that was determined otherwise stays what it was, and is stored so."""
    determine(bench, {i: status})
    answer(bench, {i: (UNITS[i] + 1, CONFIRMED, INCLUDED)})
    plan = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    sides = [target.side for target in targets_of(plan.targets)]
    assert BUY not in (sides[i : i + 1] if i != NEWCOMER else [])
    bench.start()
    assert (bench.tokens[i].address in [c.token for c in bench.chain.read(bench.index.components())]) is (i != NEWCOMER)
    assert stored(bench)[i] == (UNITS[i] + 1, CONFIRMED, status)


def test_between_the_others_the_answer_counts(bench: Bench) -> None:
    """A leaver that is frozen now is held, a frozen one that is to leave now is sold."""
    determine(bench, {0: LEAVING, 1: FROZEN})
    answer(bench, {0: (UNITS[0], 0, FROZEN), 1: (UNITS[1], 0, LEAVING)})
    bench.start()
    assert [h.target.side for h in bench.fund().holdings[:2]] == [HELD, SELL]


def test_included_without_a_basis_is_outside(bench: Bench) -> None:
    """Start could not read what it rests on: a held one is sold, a newcomer is not listed."""
    determine(bench, {})
    answer(bench, {0: (0, CONFIRMED, INCLUDED), NEWCOMER: (0, CONFIRMED, INCLUDED)})
    bench.start()
    assert bench.fund().holdings[0].target.unit == 0
    assert bench.tokens[NEWCOMER].address not in [h.token for h in bench.fund().holdings]
    assert [stored(bench)[i] for i in (0, NEWCOMER)] == [(0, CONFIRMED, OUTSIDE)] * 2


def test_what_start_confirms_is_stored_and_handed_on(bench: Bench) -> None:
    """Bases, flags and statuses of all rows, the included and the others; prices and weights stay the
    determination's."""
    determine(bench, {1: OUTSIDE})
    before = bench.chain.read(bench.lens.constituents(bench.rebalancer))
    changes = {0: (UNITS[0] // 2, CONFIRMED, INCLUDED), 1: (77, 5, OUTSIDE), 5: (UNITS[5], 2, INCLUDED)}
    answer(bench, changes)
    plan = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    (event,) = bench.rebalancer.events(bench.start(), "Started")
    month = bench.chain.read(bench.rebalancer.month())
    assert words_at(bench.chain, month.determination) == plan.confirmed
    assert event.basis == plan.basis
    wanted = {i: changes.get(i, (UNITS[i], 0, INCLUDED)) for i in range(N)}
    assert stored(bench) == list(wanted.values())
    rows = bench.chain.read(bench.lens.constituents(bench.rebalancer))
    same = [(c.token, c.price, c.weight, c.confirmed, c.member) for c in before]
    assert [(c.token, c.price, c.weight, c.confirmed, c.member) for c in rows] == same


def test_nothing_is_written_where_all_is_as_determined(bench: Bench) -> None:
    determine(bench, {1: OUTSIDE, 2: FROZEN})
    answer(bench, {}, {1: OUTSIDE, 2: FROZEN})
    before = bench.chain.read(bench.rebalancer.month()).determination
    assert bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION).confirmed == []
    bench.start()
    assert bench.chain.read(bench.rebalancer.month()).determination == before


def test_one_start_s_confirmation_is_the_next_month_s_reference(bench: Bench) -> None:
    """A supply that was read 100 times too large at the determination and right at start leaves no trace. Determined,
    vetoed and determined again it leaves none either."""
    determine(bench, {})
    answer(bench, {i: (unit // 100 or 1, CONFIRMED, INCLUDED) for i, unit in enumerate(UNITS)})
    bench.start()
    if bench.chain.read(bench.rebalancer.trading()):
        bench.chain.send(bench.rebalancer.close(), bench.keeper, at=PERIOD_END + 1)
    bench.chain.send(bench.methodology.carry(True), bench.keeper)
    bench.determine(PERIOD_END + 60)
    rows = bench.chain.read(bench.lens.constituents(bench.rebalancer))
    assert [c.confirmed for c in rows] == [unit // 100 or 1 for unit in UNITS]
    bench.chain.send(bench.rebalancer.veto(), bench.guardian)
    bench.determine(1621900800)
    rows = bench.chain.read(bench.lens.constituents(bench.rebalancer))
    assert [c.confirmed for c in rows] == [unit // 100 or 1 for unit in UNITS]
