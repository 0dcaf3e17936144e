"""What goes off the list: a balance of exactly 0, or a millionth of NAV at both prices, and no more in one start."""

from __future__ import annotations

import pytest

from ballast.units import WAD
from tests.helpers.bench import (
    FROZEN,
    HELD,
    KINDS,
    LEAVING,
    NEWCOMER,
    NOTICE,
    OUTSIDE,
    SUPPLY,
    Bench,
    constituent,
)
from tests.helpers.contracts import Contract
from tests.helpers.fund import EXECUTION, PERIOD_END
from tests.helpers.packed import components_of, targets_of

NEXT = PERIOD_END + 1
PRICES = [kind.price for kind in KINDS]
LEAVER = 2
REST = {i: kind.target for i, kind in enumerate(KINDS) if i != LEAVER}
NAV = sum(kind.unit * kind.price // 10**kind.decimals for i, kind in enumerate(KINDS) if i != LEAVER)
"""USD of a share, without the leaver."""


def price_at(share: int) -> int:
    """The leaver's price at which what the fund holds of it is this share of NAV (18 decimals), or a little less."""
    return int(NAV * share // WAD * 10**8 // KINDS[LEAVER].unit)


MOST = 10**12
"""Most that one start may drop, share of NAV: the least dust that limits may have, whatever they are."""
DUST = price_at(MOST * 99 // 100)
MORE = price_at(MOST * 102 // 100)


def post(bench: Bench, price: int) -> None:
    """The leaver's price; the others' are KINDS'."""
    bench.post_prices([price if i == LEAVER else p for i, p in enumerate(PRICES)])


def stays(bench: Bench, token: Contract, at: int = EXECUTION) -> bool:
    """Whether a start in a block of that time keeps the token on the list."""
    plan = bench.chain.read(bench.rebalancer.previewStart(), at=at)
    old = [c.token for c in bench.chain.read(bench.index.components())]
    return token.address in ([c.token for c in components_of(plan.list)] if plan.changed else old)


def empty(bench: Bench, token: Contract) -> None:
    """Takes all that the fund holds of a token, without moving the time."""
    held = bench.chain.read(token.balanceOf(bench.index))
    out = token.transfer(bench.keeper, held)
    bench.chain.send(out, bench.chain.impersonate(bench.index), at=bench.chain.now())


@pytest.mark.parametrize(
    ("then", "now", "keeps"),
    [
        (DUST, DUST, False),
        (DUST, MORE, True),
        (MORE, DUST, True),
        (MORE, MORE, True),
        (DUST, 0, True),
        (0, DUST, True),
        (0, 0, True),
        (1, 1, False),
        (2**100, 1, True),
        (1, 2**100, True),
    ],
)
@pytest.mark.parametrize("candidate", [True, False])
def test_dust_at_both_prices(bench: Bench, then: int, now: int, keeps: bool, candidate: bool) -> None:
    """That of the determination and that of start; and never where one of them is missing or absurd. Whether the leaver
    is a candidate or not: the determination tells its price."""
    if candidate:
        known = then if then < 2**100 else 0
        rows = [constituent(bench.tokens[i], unit) for i, unit in REST.items()]
        rows.insert(LEAVER, constituent(bench.tokens[LEAVER], 5, LEAVING, 0, known))
        bench.chain.send(bench.methodology.post(rows), bench.keeper, at=bench.chain.now())
    else:
        bench.post_targets(REST)
    post(bench, then)
    bench.determine()
    post(bench, now)
    assert stays(bench, bench.tokens[LEAVER]) is keeps
    bench.start()
    held = [c.token for c in bench.chain.read(bench.index.components())]
    assert (bench.tokens[LEAVER].address in held) is keeps


@pytest.mark.parametrize("then", [0, DUST, MORE])
def test_a_balance_of_exactly_nothing(bench: Bench, then: int) -> None:
    """Goes without any price; one wei does not."""
    bench.post_targets(REST)
    post(bench, then)
    bench.determine()
    empty(bench, bench.tokens[LEAVER])
    post(bench, 0)
    assert not stays(bench, bench.tokens[LEAVER])
    bench.give(LEAVER, bench.index, 1)
    assert stays(bench, bench.tokens[LEAVER])


def test_a_constituent_stays_with_dust_and_goes_with_nothing(bench: Bench) -> None:
    """One of the index stays whatever it is worth, a frozen one too; with nothing held a frozen one goes."""
    for status in (0, FROZEN):
        snapshot = bench.chain.cheats.snapshot()
        bench.post_targets({i: REST.get(i, 5) for i in range(len(KINDS))}, {LEAVER: status})
        post(bench, 1)
        bench.determine()
        assert stays(bench, bench.tokens[LEAVER])
        empty(bench, bench.tokens[LEAVER])
        assert stays(bench, bench.tokens[LEAVER]) is (status == 0)
        bench.chain.cheats.revert(snapshot)


@pytest.mark.parametrize("held", [True, False])
def test_what_is_suspended_stays(bench: Bench, held: bool) -> None:
    """With dust and with nothing: what a suspended token says of itself may be another thing next week, and its
    suspension would go with it."""
    bench.post_targets(REST)
    post(bench, DUST)
    bench.determine()
    bench.chain.send(bench.rebalancer.suspend(bench.tokens[LEAVER]), bench.owner, at=bench.chain.now())
    if not held:
        empty(bench, bench.tokens[LEAVER])
    assert stays(bench, bench.tokens[LEAVER])
    bench.chain.send(bench.rebalancer.resume(bench.tokens[LEAVER]), bench.owner, at=bench.chain.now())
    assert not stays(bench, bench.tokens[LEAVER])


def test_no_more_than_dust_in_one_start(bench: Bench) -> None:
    """Three leavers of 0.4 of it each: two go, the third is sold or goes with the next start."""
    third = (0, 1, 2)
    bench.post_targets({i: kind.target for i, kind in enumerate(KINDS) if i not in third})
    nav = sum(KINDS[i].unit * KINDS[i].price // 10 ** KINDS[i].decimals for i in range(len(KINDS)) if i not in third)
    prices = list(PRICES)
    for i in third:
        prices[i] = nav * MOST * 4 // 10 // WAD * 10 ** KINDS[i].decimals // KINDS[i].unit
    bench.post_prices(prices)
    bench.determine()
    assert [stays(bench, bench.tokens[i]) for i in third] == [False, False, True]
    before = bench.value_per_share(prices)
    bench.start()
    listed = {c.token for c in bench.chain.read(bench.index.components())}
    gone = [i for i in third if bench.tokens[i].address not in listed]
    lost = sum(KINDS[i].unit * prices[i] // 10 ** KINDS[i].decimals for i in gone)
    assert 0 < lost <= nav * MOST // WAD < before


def test_a_gift_of_a_few_cents_keeps_nothing_on_the_list(bench: Bench) -> None:
    """A leaver that has been sold to the last wei, and is given 5 cents of a fund of 100,000 dollars before each
    start."""
    bench.post_targets(REST)
    bench.determine()
    empty(bench, bench.tokens[LEAVER])
    bench.give(LEAVER, bench.index, 5 * WAD // 100 * 10**8 // KINDS[LEAVER].price)
    assert not stays(bench, bench.tokens[LEAVER])


@pytest.fixture
def other(bench: Bench) -> Contract:
    """A token of 0 decimals at 50 dollars, which the fund does not know yet."""
    token = bench.chain.deploy("ReferenceToken", sender=bench.deployer)
    bench.chain.send(token.init("Whole", "WHOLE", 0), bench.deployer)
    bench.chain.send(bench.oracle.post([token], [50 * WAD]), bench.keeper)
    return token


def list_it(bench: Bench, token: Contract, amount: int) -> None:
    """Lists the token in April, has the fund hold this much of it, and determines May without it."""
    rows = [constituent(t, k.target) for t, k in zip(bench.tokens, KINDS, strict=True)]
    rows = sorted([*rows, constituent(token, 1)], key=lambda c: int(str(c[0]), 16))
    bench.chain.send(bench.methodology.post(rows), bench.keeper, at=bench.chain.now())
    bench.open()
    bench.chain.send(token.mint(bench.index, amount), bench.keeper)
    # One wei of it a share is so much that the step leaves nothing to buy: the month is done at once.
    assert not bench.chain.read(bench.rebalancer.trading())
    bench.chain.move_to(NEXT - 1)
    bench.post_targets({i: kind.target for i, kind in enumerate(KINDS)})


def test_a_quarter_of_the_fund_below_one_wei_a_share(bench: Bench, other: Contract) -> None:
    """666 of a token without decimals for 1,000 shares: a unit of 0. With its feed dead at either moment it stays, with
    both prices too: what counts is what the fund holds, not the unit."""
    list_it(bench, other, 666)
    for then, now in ((0, 0), (50 * WAD, 0), (0, 50 * WAD), (50 * WAD, 50 * WAD)):
        snapshot = bench.chain.cheats.snapshot()
        bench.chain.send(bench.oracle.post([other], [then]), bench.keeper, at=NEXT)
        bench.determine(NEXT)
        bench.chain.send(bench.oracle.post([other], [now]), bench.keeper, at=NEXT)
        assert stays(bench, other, 1620000000)
        bench.chain.cheats.revert(snapshot)


def test_bitcoin_below_one_wei_a_share(bench: Bench) -> None:
    """990 dollars of a token of 8 decimals at 50,000 dollars, in a fund of two million shares of 100 dollars: a unit of
    0. That is five millionths of NAV, and stays."""
    bench.mint(2_000_000 * WAD - SUPPLY, bench.holder)
    bench.post_targets(REST)
    prices = [50_000 * WAD if i == LEAVER else p for i, p in enumerate(PRICES)]
    bench.post_prices(prices)
    bench.determine()
    empty(bench, bench.tokens[LEAVER])
    bench.give(LEAVER, bench.index, 990 * 10**8 // 50_000)
    assert bench.holdings()[LEAVER] * WAD // (2_000_000 * WAD) == 0
    assert stays(bench, bench.tokens[LEAVER])
    plan = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    assert targets_of(plan.targets)[LEAVER].side == 0
    bench.give(LEAVER, bench.index, 2 * 10**6)
    plan = bench.chain.read(bench.rebalancer.previewStart(), at=EXECUTION)
    assert targets_of(plan.targets)[LEAVER].side == 1, "with a unit of a wei it is sold"


def test_a_newcomer_without_a_price_is_outside(bench: Bench) -> None:
    """It is not listed, and next month it is no member."""
    bench.determine()
    bench.post_prices([0 if i == NEWCOMER else p for i, p in enumerate(PRICES)])
    bench.start()
    rows = bench.chain.read(bench.lens.constituents(bench.rebalancer))
    assert [c.status for c in rows] == [OUTSIDE if i == NEWCOMER else 0 for i in range(len(KINDS))]
    assert bench.tokens[NEWCOMER].address not in [c.token for c in bench.chain.read(bench.index.components())]
    assert NOTICE < EXECUTION and HELD != NEWCOMER
