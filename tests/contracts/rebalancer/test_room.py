"""A full list never blocks: newcomers wait while there is no room, those with the largest determined weights come
first."""

from __future__ import annotations

import pytest

from ballast.units import WAD
from tests.helpers.bench import INCLUDED, KINDS, LEAVING, NOTICE, OUTSIDE, Bench, constituent
from tests.helpers.contracts import Contract
from tests.helpers.fund import EXECUTION, PERIOD_END

MOST = 50
MAX_READ = 60
"""Components and newcomers that a start reads."""
NEXT = PERIOD_END + 1
NEXT_EXECUTION = 1620000000  # 2021-05-03 00:00 UTC
JUNE = 1621900800  # 2021-05-25: the period June 2021 begins
JUNE_EXECUTION = 1622505600  # 2021-06-01 00:00 UTC
Rows = list[tuple[Contract, int, int, int]]
"""Token, basis, status and weight of each candidate."""


@pytest.fixture(scope="module")
def others(bench: Bench) -> list[Contract]:
    """59 tokens that the fund does not know, at a dollar each, ascending by address."""
    made = [bench.chain.deploy("ReferenceToken", sender=bench.deployer) for _ in range(59)]
    for token in made:
        bench.chain.send(token.init("New", "NEW", 18), bench.deployer)
    bench.chain.send(bench.oracle.post(made, [WAD] * len(made)), bench.keeper)
    return sorted(made, key=lambda token: token.address.lower())


def post(bench: Bench, rows: Rows) -> None:
    told = [constituent(token, basis, status, 0, WAD, weight) for token, basis, status, weight in rows]
    told.sort(key=lambda c: int(str(c[0]), 16))
    bench.chain.send(bench.methodology.post(told), bench.keeper, at=bench.chain.now())


def included(tokens: list[Contract], weights: list[int]) -> Rows:
    return [(token, 10**15, INCLUDED, weight) for token, weight in zip(tokens, weights, strict=True)]


def own(bench: Bench, leaving: int | None = None) -> Rows:
    """The bench's five that are held."""
    kinds = zip(bench.tokens, KINDS, strict=True)
    return [(t, k.target, LEAVING if i == leaving else INCLUDED, 0) for i, (t, k) in enumerate(kinds) if k.unit]


def listed(bench: Bench) -> set[str]:
    return {c.token for c in bench.chain.read(bench.index.components())}


def statuses(bench: Bench) -> dict[str, int]:
    return {c.token: c.status for c in bench.chain.read(bench.lens.constituents(bench.rebalancer))}


def test_the_largest_come_first(bench: Bench, others: list[Contract]) -> None:
    """48 newcomers for 45 places, in no order of weights: the three least wait, and are no members next month."""
    weights = [(7 * k) % 48 + 100 for k in range(48)]
    post(bench, [*own(bench), *included(others[:48], weights)])
    bench.determine()
    assert bench.due(EXECUTION)[:2] == ("Start", "Due")
    bench.start()
    waiting = {others[weights.index(least)].address for least in (100, 101, 102)}
    assert len(listed(bench)) == MOST
    assert listed(bench) == {t.address for t in (*others[:48], *bench.tokens)} - waiting - {bench.tokens[3].address}
    assert {token for token, status in statuses(bench).items() if status == OUTSIDE} == waiting


def test_one_that_is_held_never_waits(bench: Bench, others: list[Contract]) -> None:
    """Whatever its weight: room is asked for newcomers alone."""
    post(bench, [*own(bench), *included(others[:MOST], [WAD // 50] * MOST)])
    bench.open()
    assert {token.address for i, token in enumerate(bench.tokens) if KINDS[i].unit} < listed(bench)
    assert len(listed(bench)) == MOST


def test_a_replacement_in_a_full_fund(bench: Bench, others: list[Contract]) -> None:
    """50 held, one leaves and one is to come: in May the newcomer waits while the other is sold, in June it has the
    place. No start is refused."""
    first, newcomer = others[:45], others[45]
    post(bench, [*own(bench), *included(first, [1] * 45)])
    bench.open()
    for token in first:
        bench.chain.send(token.mint(bench.index, 10**18), bench.keeper, at=bench.chain.now())
    bench.chain.send(bench.rebalancer.close(), bench.keeper, at=NEXT)
    coming = [*own(bench, leaving=2), *included([*first, newcomer], [*[1] * 45, 10**17])]
    post(bench, coming)
    bench.determine(NEXT)
    assert bench.due(NEXT_EXECUTION)[:2] == ("Start", "Due")
    bench.start(NEXT_EXECUTION)
    assert len(listed(bench)) == MOST and newcomer.address not in listed(bench)
    assert statuses(bench)[newcomer.address] == OUTSIDE
    leaver = next(h for h in bench.fund().holdings if h.token == bench.tokens[2].address)
    assert leaver.target.side == 1

    # It is sold to the last wei.
    out = bench.tokens[2].transfer(bench.keeper, leaver.balance)
    bench.chain.send(out, bench.chain.impersonate(bench.index), at=bench.chain.now())
    end = bench.chain.read(bench.rebalancer.opening()).end
    bench.chain.send(bench.rebalancer.close(), bench.keeper, at=end + 1)
    bench.chain.move_to(JUNE)
    bench.determine(JUNE + 1)
    bench.start(JUNE_EXECUTION)
    assert newcomer.address in listed(bench) and bench.tokens[2].address not in listed(bench)
    assert statuses(bench)[newcomer.address] == INCLUDED


def test_a_place_that_becomes_free_in_the_same_start(bench: Bench, others: list[Contract]) -> None:
    """What is dropped makes room at once, and so does what is written off, whatever the fund holds of it."""
    first, newcomers = others[:45], others[45:47]
    post(bench, [*own(bench), *included(first, [1] * 45)])
    bench.open()
    bench.chain.send(bench.rebalancer.close(), bench.keeper, at=NEXT)
    for name in ("suspend", "writeOff"):
        call = getattr(bench.rebalancer, name)(bench.tokens[0])
        bench.chain.send(call, bench.owner, at=NEXT)
    # The first of the 45 was never bought and is no candidate any more.
    post(bench, [*own(bench), *included(first[1:], [1] * 44), *included(newcomers, [1, 1])])
    bench.determine(NEXT)
    bench.start(NEXT_EXECUTION)
    assert {token.address for token in newcomers} < listed(bench)
    assert not {bench.tokens[0].address, first[0].address} & listed(bench)
    assert len(listed(bench)) == MOST
    assert NOTICE < EXECUTION


def test_for_one_place_that_becomes_free_the_largest_comes(bench: Bench, others: list[Contract]) -> None:
    """Of those that have a price: the heaviest has none any more, and takes no place."""
    first, newcomers = others[:45], others[45:48]
    post(bench, [*own(bench), *included(first, [1] * 45)])
    bench.open()
    bench.chain.send(bench.rebalancer.close(), bench.keeper, at=NEXT)
    post(bench, [*own(bench), *included(first[1:], [1] * 44), *included(newcomers, [2, 1, 3])])
    bench.determine(NEXT)
    bench.chain.send(bench.oracle.post([newcomers[2]], [0]), bench.keeper, at=NEXT)
    bench.start(NEXT_EXECUTION)
    assert {t.address for t in newcomers} & listed(bench) == {newcomers[0].address}
    assert first[0].address not in listed(bench) and len(listed(bench)) == MOST


def test_one_start_reads_so_many_and_no_more(bench: Bench, others: list[Contract]) -> None:
    """Of a full list twelve go at once, and fourteen newcomers come, in no order of weights. A start reads ten of them,
    those with the largest weights. The others wait, though two more places are free in the end, and come with the
    next."""
    first, newcomers = others[:45], others[45:]
    post(bench, [*own(bench), *included(first, [1] * 45)])
    bench.open()
    bench.chain.send(bench.rebalancer.close(), bench.keeper, at=NEXT)
    weights = [(5 * k) % 14 + 100 for k in range(14)]
    going = [*own(bench), *included(first[12:], [1] * 33), *included(newcomers, weights)]
    post(bench, going)
    bench.determine(NEXT)
    bench.start(NEXT_EXECUTION)
    waiting = {newcomers[weights.index(least)].address for least in (100, 101, 102, 103)}
    assert {t.address for t in newcomers} - listed(bench) == waiting
    assert not {t.address for t in first[:12]} & listed(bench)
    assert len(listed(bench)) == MAX_READ - 12
    assert {token for token, status in statuses(bench).items() if status == OUTSIDE} >= waiting

    end = bench.chain.read(bench.rebalancer.opening()).end
    bench.chain.send(bench.rebalancer.close(), bench.keeper, at=end + 1)
    post(bench, going)
    bench.chain.move_to(JUNE)
    bench.determine(JUNE + 1)
    bench.start(JUNE_EXECUTION)
    assert len(waiting & listed(bench)) == 2 and len(listed(bench)) == MOST
