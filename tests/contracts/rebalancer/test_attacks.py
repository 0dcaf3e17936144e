"""Attacks on what a fund does beside a bad token, with the figures that they had before states were told apart."""

from __future__ import annotations

from ballast.units import DAY_S, WAD
from tests.helpers.bench import BUYS, KINDS, LIMITS, NEWCOMER, SELLS, SUPPLY, Bench
from tests.helpers.broken import REVERTING, breaks, mends
from tests.helpers.filling import batch, least_pays, order, paying, script, sells_worth, step, trade
from tests.helpers.fund import EXECUTION, FOREVER
from tests.helpers.reverts import assert_reverts
from tests.helpers.settling import surplus_of, usd

T = EXECUTION + 1800
CAP = 10**9 * WAD
"""The bench's supply cap."""


def test_a_mint_without_what_redeem_pays(bench: Bench) -> None:
    """A token worth 40 % of the fund is paused, retired as the handbook said, and moves again: who then minted up to
    the cap without it and redeemed got all but 40 of 40,000 dollars of it in one transaction. Now nobody mints while it
    is suspended, and there is no order of states in which a minter ends with more than he had."""
    chain, index, rebalancer = bench.chain, bench.index, bench.rebalancer
    stuck = chain.code(chain.deploy("StuckToken", sender=bench.keeper).address)
    moving = chain.code(bench.tokens[0].address)
    attacker = chain.account("attacker")
    for i in range(len(KINDS)):
        bench.give(i, attacker, 10**36)
        chain.send(bench.tokens[i].approve(index, FOREVER), attacker, at=chain.now())

    def owned() -> list[int]:
        return [chain.read(token.balanceOf(attacker)) for token in bench.tokens]

    def attack() -> None:
        """As much as the cap allows, and back."""
        tokens, shares = [c.token for c in chain.read(index.components())], CAP - SUPPLY
        chain.send(index.mint(shares, attacker, tokens, [FOREVER] * len(tokens)), attacker)
        chain.send(index.redeem(shares, attacker, tokens, [0] * len(tokens), 0), attacker)

    had, fund_held, at = owned(), bench.holdings(), chain.now() + 1
    chain.cheats.set_code(bench.tokens[0].address, stuck)
    chain.send(rebalancer.suspend(bench.tokens[0]), bench.guardian, at=at)
    chain.send(rebalancer.suspend(bench.tokens[0]), bench.owner, at=at + DAY_S)
    chain.cheats.set_code(bench.tokens[0].address, moving)
    tokens = [c.token for c in chain.read(index.components())]
    mint = index.mint(CAP - SUPPLY, attacker, tokens, [FOREVER] * len(tokens))
    assert_reverts(chain, mint, "ComponentSuspended", bench.tokens[0], sender=attacker)

    for state in ("resume", "writeOff"):
        snapshot = chain.cheats.snapshot()
        chain.send(getattr(rebalancer, state)(bench.tokens[0]), bench.owner)
        attack()
        assert all(now <= then for now, then in zip(owned(), had, strict=True)), state
        assert all(now >= then for now, then in zip(bench.holdings(), fund_held, strict=True)), state
        chain.cheats.revert(snapshot)


def test_a_suspension_between_mint_and_redeem(bench: Bench) -> None:
    """Whoever holds shares when a component is written off loses it with all others, whoever minted before or redeems
    after; what he forgoes by redeeming without it is the others'."""
    chain, index = bench.chain, bench.index
    bench.mint(SUPPLY, bench.keeper)
    chain.send(bench.rebalancer.suspend(bench.tokens[0]), bench.guardian)
    before = bench.holdings()
    snapshot = chain.cheats.snapshot()
    bench.redeem(SUPPLY, bench.keeper)
    assert chain.read(bench.tokens[0].balanceOf(bench.keeper)) == before[0] // 2, "suspended: paid"
    chain.cheats.revert(snapshot)
    chain.send(bench.rebalancer.writeOff(bench.tokens[0]), bench.owner)
    bench.redeem(SUPPLY, bench.keeper)
    assert chain.read(bench.tokens[0].balanceOf(bench.keeper)) == 0
    assert bench.holdings() == [before[0], *(held - held // 2 for held in before[1:])]
    assert chain.read(index.totalSupply()) == SUPPLY


def test_the_quarter_of_a_fund_that_is_worthless(bench: Bench) -> None:
    """Of 100,000 dollars by the feeds 75,000 are true, as one token is hacked, and 15,000 more of it are to be bought
    while its feed stands still. Where nobody looks 60,000 are left; with a suspension all of the 75,000."""
    prices = [3_000 * WAD if i == 5 else kind.price for i, kind in enumerate(KINDS)]
    bench.post_prices(prices)
    bench.set_limits(max_step=WAD // 5, batch_cap=WAD // 10)
    units = {i: kind.unit for i, kind in enumerate(KINDS) if kind.unit}
    targets = {**units, 0: 44 * 10**16, NEWCOMER: 1, 5: 16 * 10**15}
    bench.post_targets(dict(sorted(targets.items())))
    bench.open()

    def true_value() -> int:
        """Of 100,000 dollars of NAV at start, to the next hundred."""
        worth = [usd(b, p, k.decimals) for b, p, k in zip(bench.holdings(), prices, KINDS, strict=True)]
        nav = bench.chain.read(bench.rebalancer.opening()).nav * SUPPLY // WAD
        return int((1000 * (sum(worth) - worth[5]) + nav // 2) // nav) * 100

    assert true_value() == 75_000
    snapshot, at = bench.chain.cheats.snapshot(), EXECUTION
    while bench.chain.read(bench.rebalancer.trading()):
        at += 1800
        fund = bench.fund(at)
        sells = sells_worth(fund, min(fund.capacity, fund.progress.surplus), [0])
        trade(bench, sells, least_pays(fund, at, sells, 5, [5]), at)
    assert true_value() == 60_000
    bench.chain.cheats.revert(snapshot)

    bench.chain.send(bench.rebalancer.suspend(bench.tokens[5]), bench.guardian, at=EXECUTION + 60)
    assert not bench.chain.read(bench.rebalancer.trading()), "nothing else was to be bought"
    call = bench.rebalancer.trade(order(bench, {0: 10**18}, {5: 10**18}))
    assert_reverts(bench.chain, call, "NotDue", sender=bench.keeper, at=EXECUTION + 1800)
    assert true_value() == 75_000


def test_a_token_that_breaks_inside_a_batch(bench: Bench) -> None:
    """A sold token that no longer says what the fund holds stops the batch that names it, and no other."""
    bench.open()
    fund = bench.fund(T)
    sells, pays = batch(bench, T)
    code = breaks(bench.chain, bench.tokens[0], REVERTING)
    broken = bench.chain.artifact("BrokenToken")
    call = bench.rebalancer.trade(order(bench, sells, pays))
    assert_reverts(bench.chain, call, "Broken", sender=bench.keeper, at=T, of=broken)
    others = sells_worth(fund, 10**16, [2])
    given = order(bench, others, least_pays(fund, T, others))
    bench.chain.read(bench.rebalancer.trade(given), sender=bench.keeper, at=T)
    mends(bench.chain, bench.tokens[0], code)
    trade(bench, sells, pays, T)


def test_a_gift_in_front_of_a_batch_without_margin(bench: Bench) -> None:
    """A gift of what is bought takes that place in the target from the batch: 8 dollars of one buy make the last batch
    of a month, planned without a margin, revert. Its sender loses its gas and nobody anything else: the fund keeps the
    gift, and the batch planned anew passes."""
    bench.open()
    for k in range(3):
        sells, pays = batch(bench, T + 1800 * k)
        trade(bench, sells, pays, T + 1800 * k)
    at = T + 1800 * 3
    sells = {i: surplus_of(bench.fund(at), i) for i in SELLS}
    pays = least_pays(bench.fund(at), at, sells)
    before = bench.value_per_share()
    bench.chain.read(bench.rebalancer.trade(order(bench, sells, pays)), sender=bench.keeper, at=at)
    bench.give(BUYS[2], bench.index, 8 * WAD * WAD // KINDS[BUYS[2]].price)
    call = bench.rebalancer.trade(order(bench, sells, pays))
    assert_reverts(bench.chain, call, "BelowTolerance", sender=bench.keeper, at=at)
    assert bench.value_per_share() > before
    trade(bench, sells, least_pays(bench.fund(at), at, sells), at)


def test_a_gift_of_what_is_sold_makes_no_batch_revert(bench: Bench) -> None:
    """It only leaves more above the target."""
    bench.open()
    sells, pays = batch(bench, T)
    for i in SELLS:
        bench.give(i, bench.index, 10**12)
    trade(bench, sells, pays, T)


def test_a_gift_during_a_batch_is_nobody_s_payment_but_the_fund_s(bench: Bench) -> None:
    """Whoever pays, what comes in up to the limits counts."""
    bench.open()
    sells, pays = batch(bench, T)
    steps = paying(bench, pays)
    given = order(bench, sells, dict.fromkeys(pays, 0))
    rows = (*given[:6], script([*steps, step(bench.tokens[SELLS[0]].mint(bench.filler, 1))]))
    receipt = bench.chain.send(bench.rebalancer.trade(rows), bench.keeper, at=T)
    (event,) = bench.rebalancer.events(receipt, "Traded")
    assert event.result.valueIn * WAD >= event.result.valueOut * (WAD - LIMITS.last_tolerance)
