"""What a step through the upkeep is paid, in which shares, and when it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ballast.units import DAY_S, ETHER, GWEI, WAD
from tests.contracts.upkeep.paying import BASE_FEE, CAP, FULL, Payer, fill, payer_of, post_ether, share_price
from tests.contracts.upkeep.scene import NOBODY, TERMS, deploy_upkeep, performing
from tests.helpers.bench import ACTIONS, HELD, NOTICE, PERIOD, build, not_due
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.fund import EXECUTION
from tests.helpers.reverts import assert_reverts

STEPS = ("Determine", "Start", "Trade", "Close")
MAX_OVER = {"Determine": 107_000, "Start": 95_000, "Trade": 66_000, "Close": 60_000}
"""Gas over the plain call, with a payment; of six components whose prices are posted."""


@pytest.fixture(scope="module")
def at_rest(module_isolation: None, chain: Chain) -> Payer:
    return payer_of(build(chain, fee=WAD // 100))


@pytest.fixture
def payer(at_rest: Payer, test_isolation: None) -> Payer:
    return at_rest


@pytest.mark.parametrize("action", STEPS)
def test_each_step_is_paid_what_it_cost(payer: Payer, action: str) -> None:
    """Between the plain cost and a tenth more, at every base fee up to the cap; above it as at the cap."""
    chain = payer.bench.chain
    payer.remember(share_price(payer.bench), NOTICE - DAY_S)
    at = payer.to(action, paid=True)
    snapshot = chain.cheats.snapshot()
    plain = int(payer.send(payer.plain(action, at), at)["gasUsed"], 16)
    chain.cheats.revert(snapshot)
    for gwei in (5, 30, 100, 300):
        snapshot = chain.cheats.snapshot()
        made = payer.made(payer.step(action, at), at, gwei * GWEI)
        counted = min(made.base_fee, CAP)
        assert made.gas * counted * 102 // 100 < made.amount <= made.gas * counted * 110 // 100
        assert 0 < made.gas - plain <= MAX_OVER[action]
        if gwei == 300:
            assert made.amount < made.cost
        chain.cheats.revert(snapshot)


@pytest.mark.parametrize("action", STEPS)
@pytest.mark.parametrize("why", ["purse", "price", "ether", "payee", "base fee"])
def test_the_step_is_done_unpaid(payer: Payer, action: str, why: str) -> None:
    bench = payer.bench
    at = payer.to(action)
    call, base_fee = payer.step(action, at), BASE_FEE
    if why == "purse":
        held = payer.shares(payer.upkeep)
        bench.chain.send(payer.upkeep.withdraw(bench.index, bench.owner, held), bench.owner, at=bench.chain.now())
    elif why == "price":
        bench.chain.send(bench.oracle.post([bench.tokens[HELD]], [0]), bench.keeper, at=bench.chain.now())
        call = payer.step(action, at)
    elif why == "ether":
        post_ether(bench, 0)
    elif why == "payee":
        call = replace(payer, payee=NOBODY).step(action, at)
    else:
        base_fee = 0
    before = bench.chain.read(bench.rebalancer.month()), bench.chain.read(bench.rebalancer.progress())
    assert payer.made(call, at, base_fee).shares == 0
    assert (bench.chain.read(bench.rebalancer.month()), bench.chain.read(bench.rebalancer.progress())) != before


def test_a_purse_that_holds_too_little_pays_what_it_has(payer: Payer) -> None:
    bench = payer.bench
    held = payer.shares(payer.upkeep)
    bench.chain.send(payer.upkeep.withdraw(bench.index, bench.owner, held - 7), bench.owner, at=bench.chain.now())
    assert payer.made(payer.perform("Determine"), NOTICE).shares == 7
    assert payer.made(payer.perform("Start"), EXECUTION).shares == 0


def test_a_month_is_paid_so_much_and_no_more(payer: Payer) -> None:
    monthly = ETHER // 50
    bench = payer.bench
    small = Payer(
        bench,
        deploy_upkeep(bench, owner=bench.owner, terms=(*TERMS[:3], monthly)),
        payer.caller,
        payer.payee,
    )
    fill(small)
    paid = [small.made(small.perform("Determine"), NOTICE).amount, small.made(small.perform("Start"), EXECUTION).amount]
    for k in range(1, 4):
        at = EXECUTION + 1_800 * k
        paid.append(small.made(small.trade(at, 6 * WAD // 1000), at).amount)
    assert paid[0] > 0 and paid[-1] == 0
    assert monthly - 10 <= sum(paid) <= monthly
    assert bench.chain.read(small.upkeep.purse()).left == monthly - sum(paid)


def test_networks_name_their_payee(payer: Payer) -> None:
    chain = payer.bench.chain
    word = bytes(12) + bytes.fromhex(payer.payee[2:])
    needed, data = chain.read(payer.upkeep.checkUpkeep(word), at=NOTICE)
    assert (needed, data) == (True, performing("Determine", PERIOD, payer.payee))
    assert payer.made(payer.upkeep.performUpkeep(data), NOTICE).shares > 0
    # What a workflow of Chainlink's CRE sends through its forwarder.
    assert chain.read(payer.upkeep.supportsInterface(bytes.fromhex("805f2132")))
    assert chain.read(payer.upkeep.supportsInterface(bytes.fromhex("01ffc9a7")))
    assert not chain.read(payer.upkeep.supportsInterface(b"\xff" * 4))
    report = performing("Start", PERIOD, payer.payee)
    assert payer.made(payer.upkeep.onReport(b"whoever", report), EXECUTION).shares > 0


def test_only_the_owner_takes_the_purse(payer: Payer, stranger: str) -> None:
    bench = payer.bench
    take = payer.upkeep.withdraw(bench.index, stranger, 1)
    for other in (stranger, bench.guardian, bench.holder):
        assert_reverts(bench.chain, take, "OwnableUnauthorizedAccount", other, sender=other)
    bench.chain.send(take, bench.owner)
    assert payer.shares(stranger) == 1


@pytest.mark.parametrize(
    ("field", "place", "wrong"),
    [
        ("premium", 0, WAD // 10 + 1),
        ("leastSale", 1, WAD // 1000 - 1),
        ("leastSale", 1, WAD // 10 + 1),
        ("maxBaseFee", 2, GWEI - 1),
        ("maxBaseFee", 2, 500 * GWEI + 1),
        ("monthly", 3, 10 * ETHER + 1),
    ],
)
def test_terms_are_bounded(payer: Payer, field: str, place: int, wrong: int) -> None:
    bench = payer.bench
    artifact = bench.chain.artifact("Upkeep")
    terms = [*TERMS]
    terms[place] = wrong
    name = field.encode().ljust(32, b"\0")
    call = artifact.create(bench.rebalancer, bench.owner, tuple(terms))
    assert_reverts(bench.chain, call, "TermOutOfBounds", name, sender=bench.deployer)
    assert bench.chain.read(payer.upkeep.terms()) == TERMS


def test_only_what_needs_no_plan_is_performed(payer: Payer) -> None:
    payer.bench.open()
    for action in ("None", "Trade"):
        call = payer.perform(action)
        assert_reverts(payer.bench.chain, call, "NotPerformed", ACTIONS.index(action), sender=payer.caller, at=FULL)


@pytest.fixture
def split(payer: Payer) -> Contract:
    """A fee split that gives the upkeep a fifth, as the fund's fee recipient."""
    bench = payer.bench
    made = bench.chain.deploy("FeeSplit", bench.index, payer.upkeep, bench.guardian, WAD // 5, sender=bench.deployer)
    bench.chain.send(bench.index.setFeeRecipient(made), bench.owner)
    return made


def test_a_part_of_the_fee_fills_the_purse(payer: Payer, split: Contract, stranger: str) -> None:
    bench, chain = payer.bench, payer.bench.chain
    before = payer.shares(payer.upkeep), payer.shares(bench.guardian)
    at = chain.now() + 30 * 86_400
    pending = chain.read(bench.index.pendingFee(), at=at)
    (event,) = split.events(chain.send(split.split(), stranger, at=at), "Split")
    assert pending > 0 and (event.toUpkeep, event.toRecipient) == (pending // 5, pending - pending // 5)
    assert payer.shares(payer.upkeep) - before[0] == event.toUpkeep
    assert payer.shares(bench.guardian) - before[1] == event.toRecipient
    assert payer.shares(split) == 0


def test_a_split_has_both_sides(payer: Payer) -> None:
    bench, artifact = payer.bench, payer.bench.chain.artifact("FeeSplit")
    for part in (0, WAD + 1):
        call = artifact.create(bench.index, payer.upkeep, bench.guardian, part)
        assert_reverts(bench.chain, call, "PartOutOfBounds", part, sender=bench.deployer)
    for places in (
        (NOBODY, payer.upkeep, bench.owner),
        (bench.index, NOBODY, bench.owner),
        (bench.index, bench.owner, NOBODY),
    ):
        assert_reverts(bench.chain, artifact.create(*places, WAD), "ZeroAddress", sender=bench.deployer)


def test_nothing_is_paid_for_what_is_not_done(payer: Payer) -> None:
    """The second performer, another period, a vetoed month: each reverts and the purse is as it was."""
    bench = payer.bench
    payer.made(payer.perform("Determine"), NOTICE)
    held = payer.shares(payer.upkeep)
    again = payer.perform("Determine")
    for at in (NOTICE, NOTICE + 86_400):
        assert_reverts(
            bench.chain,
            again,
            "NotDue",
            *not_due("Determine", "NotYet"),
            sender=payer.caller,
            at=at,
            of=bench.rebalancer,
        )
    named = ACTIONS.index("Start"), PERIOD - 1, PERIOD
    assert_reverts(
        bench.chain, payer.perform("Start", PERIOD - 1), "OtherPeriod", *named, sender=payer.caller, at=EXECUTION
    )
    bench.chain.send(bench.rebalancer.veto(), bench.guardian, at=NOTICE + 86_400)
    for action in ("Determine", "Start", "Close"):
        assert_reverts(
            bench.chain,
            payer.perform(action),
            "NotDue",
            *not_due(action, "Vetoed"),
            sender=payer.caller,
            at=EXECUTION,
            of=bench.rebalancer,
        )
    assert payer.shares(payer.upkeep) == held
