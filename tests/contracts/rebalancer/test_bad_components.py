"""One bad token does not stop the others: determine, start, the lens and batches go on beside it."""

from __future__ import annotations

import pytest

from ballast.units import WAD
from tests.helpers.bench import (
    BUYS,
    CONFIRMED,
    HELD,
    INCLUDED,
    KINDS,
    NEWCOMER,
    NOTICE,
    OUTSIDE,
    SELLS,
    SUPPLY,
    Bench,
    constituent,
)
from tests.helpers.broken import BURNING, LONG, PLAIN, UNSOUND, breaks, mends
from tests.helpers.contracts import Contract
from tests.helpers.filling import order
from tests.helpers.fund import EXECUTION, PERIOD_END
from tests.helpers.packed import targets_of
from tests.helpers.settling import usd

T = EXECUTION + 1800
MAX_GAS = 2**24
"""Of a transaction, since EIP-7825."""


def listed(bench: Bench) -> list[str]:
    return [c.token for c in bench.chain.read(bench.index.components())]


def row(bench: Bench, token: Contract) -> tuple[int, int]:
    """Status and basis of a token in the determination as it is stored."""
    rows = bench.chain.read(bench.lens.constituents(bench.rebalancer))
    (found,) = [(c.status, c.basis) for c in rows if c.token == token.address]
    return found


@pytest.mark.parametrize("fault", UNSOUND)
@pytest.mark.parametrize("i", [SELLS[0], BUYS[0], HELD])
def test_a_component_is_held_as_it_is(bench: Bench, fault: str, i: int) -> None:
    """From before the determination on: out of NAV and weights, not traded, and back in with the start after it is well
    again."""
    code = breaks(bench.chain, bench.tokens[i], UNSOUND[fault])
    assert bench.due(NOTICE) == ("Determine", "Due", PERIOD_END + 1)
    bench.determine()
    assert bench.due(EXECUTION)[:2] == ("Start", "Due")
    plan = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    assert targets_of(plan.targets)[i] == (0, 0, 0)
    bench.start()
    fund = bench.fund(T)
    assert [h.sound for h in fund.holdings] == [k != i for k in range(len(KINDS))]
    mends(bench.chain, bench.tokens[i], code)
    units = [balance * WAD // SUPPLY for balance in bench.holdings()]
    values = [usd(u, k.price, k.decimals) for u, k in zip(units, KINDS, strict=True)]
    assert fund.opening.nav == sum(value for k, value in enumerate(values) if k != i)
    assert [h.target.unit for k, h in enumerate(fund.holdings) if k != i] == [
        kind.target for k, kind in enumerate(KINDS) if k != i
    ]
    bench.chain.send(bench.rebalancer.close(), bench.keeper, at=PERIOD_END + 1)
    bench.determine(PERIOD_END + 1)
    bench.start(1620000000)
    assert bench.fund().holdings[i].target.unit == KINDS[i].target


@pytest.mark.parametrize("fault", UNSOUND)
def test_a_component_that_leaves_is_held_too(bench: Bench, fault: str) -> None:
    """It is neither sold nor dropped as long as nobody knows what the fund holds of it."""
    bench.post_targets({i: kind.target for i, kind in enumerate(KINDS) if i != 2})
    breaks(bench.chain, bench.tokens[2], UNSOUND[fault])
    bench.open()
    assert bench.tokens[2].address in listed(bench)
    assert tuple(bench.fund(T).holdings[2].target) == (0, 0, 0)


def test_batches_go_on(bench: Bench) -> None:
    """A broken sell and a broken buy beside a batch that names neither."""
    bench.open()
    for i in (SELLS[0], BUYS[1]):
        breaks(bench.chain, bench.tokens[i], BURNING)
    amount = 10**6
    given = order(bench, {2: amount}, {5: amount * KINDS[2].price // 10**8 * WAD // KINDS[5].price})
    bench.chain.send(bench.rebalancer.trade(given), bench.keeper, at=T)


@pytest.mark.parametrize("fault", UNSOUND)
@pytest.mark.parametrize("what", ["balance", "decimals"])
def test_a_newcomer_is_not_listed(bench: Bench, fault: str, what: str) -> None:
    """The others are started with; its row says Outside, so that it is no member next month."""
    broken = UNSOUND[fault]
    breaks(bench.chain, bench.tokens[NEWCOMER], *((broken, PLAIN) if what == "balance" else (PLAIN, broken)))
    bench.determine()
    assert row(bench, bench.tokens[NEWCOMER])[0] == INCLUDED
    assert bench.due(EXECUTION)[:2] == ("Start", "Due")
    bench.start()
    assert bench.tokens[NEWCOMER].address not in listed(bench)
    assert row(bench, bench.tokens[NEWCOMER]) == (OUTSIDE, KINDS[NEWCOMER].target)
    others = [(INCLUDED, kind.target) for i, kind in enumerate(KINDS) if i != NEWCOMER]
    assert [row(bench, token) for i, token in enumerate(bench.tokens) if i != NEWCOMER] == others


def test_answers_that_are_long_are_answers(bench: Bench) -> None:
    breaks(bench.chain, bench.tokens[NEWCOMER], LONG, LONG)
    breaks(bench.chain, bench.tokens[0], LONG)
    bench.open()
    assert [c.decimals for c in bench.chain.read(bench.index.components())] == [kind.decimals for kind in KINDS]
    assert all(h.sound for h in bench.fund(T).holdings)


@pytest.mark.parametrize("who", ["no code", "28 decimals", "the share"])
def test_a_newcomer_that_no_list_takes(bench: Bench, who: str) -> None:
    """Without code, with too many decimals, or the fund's own share: left out beside the others."""
    fine = bench.chain.deploy("ReferenceToken", sender=bench.deployer)
    bench.chain.send(fine.init("Fine", "FINE", 28), bench.deployer)
    token = {"no code": bench.keeper, "28 decimals": fine.address, "the share": bench.index.address}[who]
    bench.chain.send(bench.oracle.post([token], [WAD]), bench.keeper)
    rows = [constituent(t, k.target, INCLUDED, CONFIRMED) for t, k in zip(bench.tokens, KINDS, strict=True)]
    rows = sorted([*rows, constituent(token, WAD)], key=lambda c: int(str(c[0]), 16))
    bench.chain.send(bench.methodology.post(rows), bench.keeper)
    bench.open()
    assert listed(bench) == [t.address for t in bench.tokens]
    assert [c.status for c in bench.chain.read(bench.lens.constituents(bench.rebalancer)) if c.token == token] == [
        OUTSIDE
    ]


def test_as_many_burning_tokens_as_there_may_be(bench: Bench) -> None:
    """A list of 50 whose tokens all but two burn their gas, and 95 newcomers that do: determine, start and what takes a
    component out of the month stay within a transaction's gas, and workable() names them."""
    chain = bench.chain
    made = [chain.deploy("ReferenceToken", sender=bench.deployer) for _ in range(140)]
    for token in made:
        chain.send(token.init("New", "NEW", 18), bench.deployer)
    chain.send(bench.oracle.post(made, [WAD] * len(made)), bench.keeper)
    first, rest = made[:45], made[45:]

    def post(tokens: list[Contract]) -> None:
        """These, and of the bench's own those that are traded."""
        rows = [constituent(t, WAD) for t in tokens] + [constituent(bench.tokens[i], KINDS[i].target) for i in (0, 5)]
        rows.sort(key=lambda c: int(str(c[0]), 16))
        chain.send(bench.methodology.post(rows), bench.keeper)

    post(first)
    bench.open()
    assert len(listed(bench)) == 50
    chain.send(bench.rebalancer.endMonth(), bench.owner)
    sample = breaks(chain, made[0], BURNING, BURNING)
    burning = chain.code(made[0].address)
    for token in (*made[1:], *bench.tokens[1:3], bench.tokens[HELD]):
        chain.cheats.set_code(token.address, burning)
    assert sample != burning
    post(rest)
    spent = {}
    chain.move_to(PERIOD_END + 1)
    for name, at in (("Determine", PERIOD_END + 2), ("Start", 1620000000)):
        assert bench.due(at)[:2] == (name, "Due")
        spent[name] = int(chain.send(getattr(bench.rebalancer, name.lower())(), bench.keeper, at=at)["gasUsed"], 16)
    assert len(listed(bench)) == 50
    spent["suspend"] = int(chain.send(bench.rebalancer.suspend(bench.tokens[0]), bench.guardian)["gasUsed"], 16)
    assert max(spent.values()) < MAX_GAS, spent
