"""Tokens that go bad: no price, no transfer. The month goes on without them, and they come back."""

from __future__ import annotations

from typing import Any

from tests.flow.carrying import APRIL, FROZEN, INCLUDED, NO_PRICE, OUTSIDE, Carrier
from tests.helpers.filling import FILLER
from tests.helpers.fund import FOREVER, WAD, fund_holder, through_timelock
from tests.helpers.packed import kept
from tests.helpers.reverts import assert_reverts
from tests.helpers.settling import BUY, HELD

SHARES = 100 * WAD


def weights(constituents: dict[str, Any]) -> int:
    """Sum of the included ones' weights."""
    return sum(c.weight for c in constituents.values() if c.status == INCLUDED)


def test_a_feed_that_dies_before_the_determination(carrier: Carrier) -> None:
    snx = carrier.address("SNX")
    carrier.dead.add(snx)
    carrier.to_determination()
    held = carrier.balance(snx)
    constituents = carrier.determine()
    one = constituents[snx]
    assert (one.status, one.flags, one.price, one.weight) == (FROZEN, NO_PRICE, 0, 0)
    # The others share all of what has a price.
    assert len([c for c in constituents.values() if c.status == INCLUDED]) == 13
    assert WAD - 100 <= weights(constituents) <= WAD

    carrier.to_start()
    holdings = carrier.start()
    target = holdings[snx].target
    assert (target.side, target.price) == (HELD, 0)
    # Out of NAV: what `start` checks against is the sum over those with a price.
    assert carrier.state().opening.nav == sum_priced(carrier, holdings)
    assert carrier.trade_all() >= 2
    carrier.check_done()
    carrier.check_on_target(holdings)
    assert carrier.balance(snx) == held

    carrier.dead.clear()
    carrier.to_determination()
    back = carrier.determine()[snx]
    assert (back.status, back.flags) == (INCLUDED, 0)
    assert back.price == carrier.fund.world.token("SNX").price_usd
    carrier.to_start()
    holdings = carrier.start()
    assert holdings[snx].target.price == kept(back.price)
    assert holdings[snx].target.unit > 0
    carrier.trade_all()
    carrier.check_done()
    carrier.check_on_target(holdings)


def sum_priced(carrier: Carrier, holdings: dict[str, Any]) -> int:
    """NAV of one share at start, each component rounded down."""
    return carrier.worth([h for h in holdings.values() if h.target.price])


def test_a_feed_that_dies_before_the_start(carrier: Carrier) -> None:
    mkr = carrier.address("MKR")
    carrier.to_determination()
    assert carrier.determine()[mkr].status == INCLUDED
    carrier.dead.add(mkr)
    held = carrier.balance(mkr)
    carrier.to_start()
    holdings = carrier.start()
    assert (holdings[mkr].target.side, holdings[mkr].target.price) == (HELD, 0)
    assert carrier.state().opening.nav == sum_priced(carrier, holdings)
    carrier.trade_all()
    carrier.check_done()
    carrier.check_on_target(holdings)
    assert carrier.balance(mkr) == held

    carrier.dead.clear()
    holdings = carrier.whole_month()
    assert holdings[mkr].target.price == kept(carrier.fund.world.token("MKR").price_usd)
    carrier.check_on_target(holdings)


def test_a_feed_that_dies_while_trading(carrier: Carrier) -> None:
    """What has no price now cannot be traded; the others can, and it is bought when its price is back."""
    holdings = carrier.to_trading()
    comp = carrier.address("COMP")
    assert holdings[comp].target.side == BUY
    carrier.dead.add(comp)
    carrier.move_to(carrier.chain.now() + 26 * 3600)
    state = carrier.state()
    dead = [h.token for h in state.holdings].index(comp)
    assert state.holdings[dead].price == 0
    sells, pays = carrier.fair(state)
    order = ([*sells], [*sells.values()], [FILLER] * len(sells), [*pays], 0, carrier.filler, b"")
    call = carrier.fund.rebalancer.trade(order)
    assert dead in pays
    assert_reverts(carrier.chain, call, "NoPrice", comp, sender=carrier.keeper, at=carrier.chain.now() + 1)
    carrier.dead.clear()
    carrier.trade_all()
    carrier.check_done()
    carrier.check_on_target(holdings)


def test_a_candidate_without_price_is_not_eligible(carrier: Carrier) -> None:
    cream = carrier.address("CREAM")
    carrier.dead.add(cream)
    carrier.to_determination()
    constituents = carrier.determine()
    one = constituents[cream]
    assert (one.status, one.flags, one.weight) == (OUTSIDE, NO_PRICE, 0)
    assert one.basis == 653_761
    assert WAD - 100 <= weights(constituents) <= WAD
    carrier.dead.clear()  # too late: constituents are what was determined
    carrier.to_start()
    holdings = carrier.start()
    assert cream not in holdings
    carrier.trade_all()
    carrier.check_done()
    assert carrier.balance(cream) == 0

    holdings = carrier.whole_month()
    assert holdings[cream].target.side == BUY
    carrier.check_on_target(holdings)
    assert carrier.balance(cream) > 0


def test_a_token_that_no_longer_transfers(carrier: Carrier) -> None:
    fund, chain = carrier.fund, carrier.chain
    holder = fund_holder(fund, "holder")
    fund.mint(SHARES, holder)
    lrc = carrier.address("LRC")
    moving = chain.code(lrc)
    stuck = chain.deploy("StuckToken", sender=carrier.keeper)
    chain.cheats.set_code(lrc, chain.code(stuck.address))
    tokens = fund.tokens()
    at = tokens.index(lrc)
    mint = fund.index.mint(SHARES, holder, tokens, [FOREVER] * len(tokens))
    redeem = [fund.index.redeem(SHARES // 4, holder, tokens, [0] * len(tokens), skip) for skip in (0, 1 << at)]

    # Until it is retired nobody mints; holders leave without it.
    assert_reverts(chain, mint, "Stuck", sender=holder, of=stuck)
    assert_reverts(chain, redeem[0], "Stuck", sender=holder, of=stuck)
    check_paid(carrier, holder, lrc, lambda: carrier.send(redeem[1], holder))

    through_timelock(fund, fund.index.setRetired(lrc, True))
    _, amounts, _ = chain.read(fund.index.previewMint(SHARES))
    assert [token for token, amount in zip(tokens, amounts, strict=True) if not amount] == [lrc]
    before = fund.balances()
    carrier.send(mint, holder)
    gained = [now - then for now, then in zip(fund.balances(), before, strict=True)]
    assert [i for i, amount in enumerate(gained) if not amount] == [at]
    check_paid(carrier, holder, lrc, lambda: carrier.send(redeem[1], holder))

    # The month goes on: neither weighed nor traded.
    carrier.post()
    held = carrier.balance(lrc)
    constituents = carrier.determine()
    assert carrier.month().period == APRIL
    assert (constituents[lrc].status, constituents[lrc].weight) == (FROZEN, 0)
    assert WAD - 100 <= weights(constituents) <= WAD
    carrier.to_start()
    holdings = carrier.start()
    assert (holdings[lrc].target.side, holdings[lrc].target.price) == (HELD, 0)
    carrier.trade_all()
    carrier.check_done()
    carrier.check_on_target(holdings)
    assert carrier.balance(lrc) == held

    # It moves again: redeem pays it although it is retired; back from retirement it is weighed again.
    chain.cheats.set_code(lrc, moving)
    listed = fund.tokens()
    owned = chain.read(fund.token(lrc).balanceOf(holder))
    supply = chain.read(fund.index.accruedSupply())
    carrier.send(fund.index.redeem(SHARES // 4, holder, listed, [0] * len(listed), 0), holder)
    paid = chain.read(fund.token(lrc).balanceOf(holder)) - owned
    assert paid == held * (SHARES // 4) // supply > 0
    through_timelock(fund, fund.index.setRetired(lrc, False))
    holdings = carrier.whole_month()
    assert holdings[lrc].target.price == kept(fund.world.token("LRC").price_usd)
    carrier.check_on_target(holdings)


def check_paid(carrier: Carrier, holder: str, skipped: str, redeem: Any) -> None:
    """The redemption pays every component but the skipped one, whose balances stay."""
    tokens = carrier.fund.tokens()
    before = carrier.fund.balances(holder)
    redeem()
    gained = {t: now - then for t, now, then in zip(tokens, carrier.fund.balances(holder), before, strict=True)}
    assert [token for token, amount in gained.items() if amount <= 0] == [skipped]
    assert gained[skipped] == 0
