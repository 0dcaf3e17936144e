"""The price that a step is paid at: of a share, in ether, by the fund's own oracle."""

from __future__ import annotations

import pytest

from ballast.units import DAY_S, WAD
from tests.contracts.upkeep.paying import FULL, Payer, payer_of, post_ether, share_price
from tests.contracts.upkeep.scene import TERMS
from tests.helpers.bench import HELD, NOTICE, build
from tests.helpers.chain import Chain
from tests.helpers.fund import EXECUTION, PERIOD_END


@pytest.fixture(scope="module")
def at_rest(module_isolation: None, chain: Chain) -> Payer:
    return payer_of(build(chain))


@pytest.fixture
def payer(at_rest: Payer, test_isolation: None) -> Payer:
    return at_rest


def test_shares_at_the_oracles_prices_rounded_for_the_fund(payer: Payer) -> None:
    made = payer.made(payer.perform("Determine"), NOTICE)
    price = share_price(payer.bench)
    assert payer.bench.chain.read(payer.upkeep.sharePrice()) == price
    assert made.shares > 0 and -(-made.shares * price // WAD) == made.amount
    purse = payer.bench.chain.read(payer.upkeep.purse())
    assert (purse.price, purse.left) == (price, TERMS[3] - made.amount)


def test_what_the_purse_says_of_a_month_that_paid_nothing(payer: Payer) -> None:
    """Before any step, and again in a month that others carry: all is left, at the price of now."""
    bench, chain = payer.bench, payer.bench.chain
    purse = chain.read(payer.upkeep.purse(), at=NOTICE)
    assert (purse.price, purse.left) == (share_price(bench), TERMS[3])
    payer.made(payer.perform("Determine"), NOTICE)
    bench.start()
    chain.send(bench.rebalancer.close(), bench.keeper, at=PERIOD_END + 1)
    assert chain.read(payer.upkeep.purse()).left < TERMS[3]
    bench.determine(PERIOD_END + 1)
    assert chain.read(payer.upkeep.purse()).left == TERMS[3]


def test_an_oracle_that_fails_gives_no_price(payer: Payer) -> None:
    bench = payer.bench
    bench.chain.cheats.set_code(bench.oracle.address, bytes.fromhex("5f5ffd"))
    assert bench.chain.read(payer.upkeep.purse()).price == 0


def test_the_price_is_kept_for_a_day(payer: Payer) -> None:
    chain, price = payer.bench.chain, share_price(payer.bench)
    payer.to("Trade", paid=True)
    post_ether(payer.bench, 1_000 * WAD)
    assert chain.read(payer.upkeep.purse(), at=FULL).price == price
    first = payer.made(payer.trade(FULL, 7 * WAD // 1000), FULL)
    assert first.shares == first.amount * WAD // price
    later = EXECUTION + DAY_S
    now = chain.read(payer.upkeep.sharePrice(), at=later)
    assert 19 * price // 10 < now < 21 * price // 10
    second = payer.made(payer.trade(later, 7 * WAD // 1000), later)
    # A batch that pays the least moves the price by next to nothing.
    assert second.shares * now // WAD == pytest.approx(second.amount, rel=1e-3)


def test_a_suspended_component_counts_a_written_off_one_does_not(payer: Payer) -> None:
    bench, chain = payer.bench, payer.bench.chain
    price = chain.read(payer.upkeep.sharePrice())
    chain.send(bench.rebalancer.suspend(bench.tokens[HELD]), bench.owner)
    assert chain.read(payer.upkeep.sharePrice()) == pytest.approx(price, rel=1e-6)
    chain.send(bench.rebalancer.writeOff(bench.tokens[HELD]), bench.owner)
    assert 0.89 * price < chain.read(payer.upkeep.sharePrice()) < 0.91 * price


def test_a_donation_to_the_fund_lowers_what_is_paid(payer: Payer) -> None:
    """It makes shares dearer: whoever gives is paid in fewer of them."""
    bench, chain = payer.bench, payer.bench.chain
    snapshot = chain.cheats.snapshot()
    plain = payer.made(payer.perform("Determine"), NOTICE)
    chain.cheats.revert(snapshot)
    price = share_price(bench)
    bench.give(0, bench.index, bench.holdings()[0])  # of 40 % of NAV once more
    given = payer.made(payer.perform("Determine"), NOTICE)
    assert share_price(bench) > price * 139 // 100
    assert given.shares < plain.shares * 100 // 139 + 1


def test_shares_that_come_and_go_move_no_price(payer: Payer) -> None:
    """Minting and redeeming are pro rata: nobody makes shares cheap around a payment."""
    bench = payer.bench
    price = bench.chain.read(payer.upkeep.sharePrice())
    bench.mint(5_000 * WAD, bench.keeper)
    assert price <= bench.chain.read(payer.upkeep.sharePrice()) <= price + 10**6
    bench.redeem(5_000 * WAD, bench.keeper)
    assert price <= bench.chain.read(payer.upkeep.sharePrice()) <= price + 10**6


def test_a_balance_beyond_all_measure_stops_no_step(payer: Payer) -> None:
    """A component that says it holds 2**200 wei has no sound balance: unpaid, and done."""
    bench = payer.bench
    bench.give(4, bench.index, 2**200)
    assert payer.made(payer.perform("Determine"), NOTICE).shares == 0
    assert bench.due(NOTICE)[:2] == ("None", "NotYet")
