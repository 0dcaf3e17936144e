"""Who tries to be paid for more than a month's steps: twice, for gas that was burnt, for dust, at a false price."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest

from ballast.units import GWEI, WAD
from tests.contracts.upkeep.paying import BASE_FEE, CAP, FULL, Payer, Payment, payer_of
from tests.contracts.upkeep.scene import TERMS, performing
from tests.helpers.bench import BUYS, PERIOD, SELLS, build
from tests.helpers.chain import Chain
from tests.helpers.contracts import Call
from tests.helpers.filling import FILLER, batch, order, step
from tests.helpers.fund import EXECUTION
from tests.helpers.reverts import failure

LEGS = len(SELLS) + len(BUYS)
MIN_GAS, MAX_GAS = 140_000 + LEGS * 25_000, 140_000 + LEGS * 100_000
"""The table's two figures for a batch of these legs."""


@pytest.fixture(scope="module")
def trading(module_isolation: None, chain: Chain) -> Payer:
    """The month is open, determined and started through the upkeep."""
    payer = payer_of(build(chain))
    payer.to("Trade", paid=True)
    return payer


@pytest.fixture
def payer(trading: Payer, test_isolation: None) -> Payer:
    return trading


def test_reentrance_through_the_filler(payer: Payer) -> None:
    """Inside a batch every step meets the fund's lock: nothing is done and nothing is paid but the batch itself."""
    bench = payer.bench
    sells, pays = batch(bench, FULL)
    inner = payer.upkeep.trade(order(bench, sells, {}), payer.payee)
    calls = [inner, *(payer.perform(action) for action in ("Determine", "Start", "Close"))]
    calls.append(payer.upkeep.performUpkeep(performing("Determine", PERIOD + 1, payer.payee)))
    calls.append(payer.upkeep.onReport(b"", performing("Start", PERIOD, payer.payee)))
    receipt = payer.send(
        payer.upkeep.trade(order(bench, sells, pays, steps=[step(c, True) for c in calls]), payer.payee), FULL
    )
    tried = bench.filler.events(receipt, "Tried")
    assert [t.succeeded for t in tried] == [False] * len(calls)
    assert len(payer.upkeep.events(receipt, "Paid")) == 1
    # And from a batch that goes to the fund directly.
    later = FULL + 1_800
    sells, pays = batch(bench, later)
    plain = bench.rebalancer.trade(order(bench, sells, pays, steps=[step(c, True) for c in calls]))
    receipt = payer.send(plain, later)
    assert not any(t.succeeded for t in bench.filler.events(receipt, "Tried"))
    assert payer.upkeep.events(receipt, "Paid") == []


def padded(payer: Payer, times: int, entries: int = 0, burning: Sequence[Call] = ()) -> Payment:
    """A batch whose filler looks at the fund so many times for nothing, or makes these calls, with so many sells of
    nothing; taken back."""
    bench = payer.bench
    snapshot = bench.chain.cheats.snapshot()
    sells, pays = batch(bench, FULL)
    calls = burning or [bench.lens.fund(bench.rebalancer)]
    rows = [(i, amount, FILLER) for i, amount in sells.items()] + [(SELLS[-1], 0, FILLER)] * entries
    made = payer.made(
        payer.upkeep.trade(
            order(bench, sells, pays, steps=[step(call) for call in calls] * times, entries=rows), payer.payee
        ),
        FULL,
    )
    bench.chain.cheats.revert(snapshot)
    return made


def test_burning_gas_in_a_filler_gains_nothing(payer: Payer) -> None:
    """What it burns comes back at most at the base fee that it cost, up to the table, and not at all above it."""
    runs = [padded(payer, times) for times in (0, 1, 2, 4, 8, 16)]
    honest = runs[0]
    assert honest.gas < MAX_GAS
    for fewer, more in pairwise(runs):
        assert more.gas > fewer.gas
        assert more.amount - more.cost <= fewer.amount - fewer.cost
    top = (MIN_GAS * 11 // 10 + (MAX_GAS - MIN_GAS) * 4 // 5) * BASE_FEE
    assert runs[-1].gas > MAX_GAS and top - 10 <= runs[-1].amount <= top
    assert honest.amount - honest.cost <= MIN_GAS * BASE_FEE // 10


def test_refunds_that_a_filler_makes_are_bounded(payer: Payer) -> None:
    """It sets storage and clears it again, of which a fifth of all gas comes back unseen: what that gains is bounded
    by a part of the fund's own gas, however much it sets."""
    methodology = payer.bench.methodology
    toggling = [methodology.refuse(True, False), methodology.refuse(False, False)]
    honest = padded(payer, 0)
    gains = [(made := padded(payer, times, burning=toggling)).amount - made.cost for times in (2, 4, 8, 16)]
    assert max(gains) > honest.amount - honest.cost, "nothing was refunded"
    assert max(gains) <= MIN_GAS * BASE_FEE * 3 // 10


def test_entries_that_sell_nothing_raise_no_bound(payer: Payer) -> None:
    plain, many = padded(payer, 16), padded(payer, 16, entries=30)
    assert many.gas > plain.gas and many.amount == plain.amount


def test_legs_count_as_far_as_they_sell(trading: Payer, chain: Chain, test_isolation: None) -> None:
    """The last batch of the month is paid however little it sells, but not for all the legs that it names."""
    least = WAD // 10
    bench = trading.bench
    payer = payer_of(bench, (TERMS[0], least, *TERMS[2:]))
    burning, at, sold = [step(bench.lens.fund(bench.rebalancer))] * 40, EXECUTION, 0
    while chain.read(bench.rebalancer.trading()):
        at += 1_800
        sold = chain.read(bench.rebalancer.progress()).surplus
        made = payer.made(payer.trade(at, steps=burning), at)
    legs = 2 + 8 * sold // least
    assert legs < LEGS
    own, most = 140_000 + legs * 25_000, 140_000 + legs * 100_000
    top = (own * 11 // 10 + (most - own) * 4 // 5) * BASE_FEE
    assert made.gas > MAX_GAS and top - 10 <= made.amount <= top


def test_a_transaction_is_paid_once(payer: Payer, chain: Chain) -> None:
    """Two batches in one: the second is not paid for what only a transaction of its own takes."""
    several = chain.deploy("SeveralCalls", sender=payer.bench.deployer)
    sells, pays = batch(payer.bench, FULL, TERMS[1] + 10**15)
    # The second finds the bucket lower and has to bring more.
    more = {index: amount * 103 // 100 for index, amount in pays.items()}
    call = payer.upkeep.trade(order(payer.bench, sells, more), payer.payee)
    cheats, gas = chain.cheats, list[int]()
    for calls in ([call.data], [call.data] * 2):
        snapshot = cheats.snapshot()
        receipt = payer.send(several.make(payer.upkeep, calls), FULL)
        paid = payer.upkeep.events(receipt, "Paid")
        gas.append(int(receipt["gasUsed"], 16))
        assert len(paid) == len(calls)
        cheats.revert(snapshot)
    assert paid[1].amount <= (gas[1] - gas[0]) * BASE_FEE * 11 // 10


@pytest.mark.parametrize(("base_fee", "paid_at"), [(99, 99), (100, 100), (101, 100), (5_000, 100)])
def test_a_base_fee_that_somebody_makes(payer: Payer, base_fee: int, paid_at: int) -> None:
    """Whoever fills blocks is paid at the cap, and loses the rest."""
    made = payer.made(payer.trade(FULL), FULL, base_fee * GWEI)
    assert CAP == 100 * GWEI
    assert made.amount <= made.gas * paid_at * GWEI * 11 // 10
    assert (made.amount < made.cost) == (base_fee > 110) or base_fee in (99, 100, 101)


def test_dust_is_not_paid(payer: Payer) -> None:
    """A batch below the least sale is done and not paid, one that reaches it is."""
    least = TERMS[1]
    for value in (10**12, least // 2, least - 10**15):
        assert payer.made(payer.trade(FULL, value), FULL).shares == 0
    # The state's value is at fresh prices, rounded up: what is sold is a little less.
    at = FULL + 1_800
    assert payer.made(payer.trade(at, least + 10**12), at).shares > 0


def test_splitting_a_month_gains_nothing(payer: Payer) -> None:
    """As many batches as the least sale allows: no more are paid than the surplus holds, and the last one; and what is
    paid for all of them above their cost stays below the premium on the fund's own gas."""
    bench = payer.bench
    surplus = bench.chain.read(bench.rebalancer.progress()).surplus
    made: list[Payment] = []
    at = EXECUTION
    while bench.chain.read(bench.rebalancer.trading()):
        at += 1_800
        left = bench.chain.read(bench.rebalancer.progress()).surplus
        # Half of them too small, as who farms would try.
        value = TERMS[1] // 2 if len(made) % 2 else TERMS[1] + 10**12
        made.append(payer.made(payer.trade(at, None if left < TERMS[1] else value), at))
        assert len(made) < 60
    paid = [each for each in made if each.shares]
    assert len(made) > len(paid) > 3
    assert len(paid) <= surplus // TERMS[1] + 1
    assert sum(p.amount - p.cost for p in paid) <= len(paid) * MIN_GAS * BASE_FEE // 10
    assert sum(p.amount for p in made) < sum(p.cost for p in made)


def test_the_batch_that_ends_the_month_is_paid_once(payer: Payer) -> None:
    bench = payer.bench
    at = EXECUTION
    last = None
    while bench.chain.read(bench.rebalancer.trading()):
        at += 1_800
        last = payer.made(payer.trade(at), at)
    assert last is not None and last.shares > 0
    assert failure(bench.chain, payer.upkeep.trade(order(bench, {0: 1}, {1: 1}), payer.payee), sender=payer.caller)


def test_a_payee_that_refuses_and_the_upkeep_itself(payer: Payer) -> None:
    """Shares have no hook: a contract that reverts on everything is paid. The upkeep paying itself loses nothing."""
    chain = payer.bench.chain
    refusing = chain.deploy("Reverter", sender=payer.bench.deployer)
    sells, pays = batch(payer.bench, FULL, 7 * WAD // 1000)
    paid_to = [refusing.address, payer.upkeep.address]
    held = payer.shares(payer.upkeep)
    for k, payee in enumerate(paid_to):
        at = FULL + 1_800 * k
        sells, pays = batch(payer.bench, at, 7 * WAD // 1000)
        receipt = payer.send(payer.upkeep.trade(order(payer.bench, sells, pays), payee), at)
        (event,) = payer.upkeep.events(receipt, "Paid")
        assert event.payee == payee and event.shares > 0
        if k == 0:
            assert payer.shares(refusing) == event.shares == held - payer.shares(payer.upkeep)
            held -= event.shares
    assert payer.shares(payer.upkeep) == held


def test_tokens_that_are_sent_to_it_are_not_paid_out(payer: Payer) -> None:
    """A batch may name it as recipient: what comes is no purse, and only its owner can take it."""
    bench = payer.bench
    sells, pays = batch(bench, FULL)
    rows = [(i, amount, payer.upkeep.address) for i, amount in sells.items()]
    payer.made(payer.upkeep.trade(order(bench, sells, pays, entries=rows), payer.payee), FULL)
    token = bench.tokens[SELLS[0]]
    held = bench.chain.read(token.balanceOf(payer.upkeep))
    assert held == sells[SELLS[0]] > 0
    later = FULL + 1_800
    payer.made(payer.trade(later), later)
    assert bench.chain.read(token.balanceOf(payer.upkeep)) == held
    bench.chain.send(payer.upkeep.withdraw(token, bench.owner, held), bench.owner)
    assert bench.chain.read(token.balanceOf(bench.owner)) == held
