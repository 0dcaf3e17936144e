"""Tokens that go bad: no price, no transfer. The month goes on without them, and they come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from ballast.units import WAD
from tests.contracts.flow.carrying import FROZEN, INCLUDED, NO_PRICE, OUTSIDE, Carrier
from tests.helpers.broken import UNSOUND, breaks, mends
from tests.helpers.contracts import Call
from tests.helpers.filling import FILLER
from tests.helpers.fund import FOREVER, fund_holder, through_timelock
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


@dataclass(frozen=True)
class Stuck:
    """LRC once it no longer transfers: its place on the list, a holder of SHARES / 2 more, what he tries, and the code
    with which it moves again."""

    token: str
    at: int
    holder: str
    moving: bytes
    mint: Call
    redeem: Call
    skipping: Call


def stick(carrier: Carrier) -> Stuck:
    """Stops LRC; until somebody suspends it mint and redeem fail on it, and holders leave without it."""
    fund, chain = carrier.fund, carrier.chain
    holder = fund_holder(fund, "holder")
    fund.mint(SHARES, holder)
    lrc, tokens = carrier.address("LRC"), fund.tokens()
    moving, at = chain.code(lrc), tokens.index(lrc)
    stuck = chain.deploy("StuckToken", sender=carrier.keeper)
    chain.cheats.set_code(lrc, chain.code(stuck.address))
    mint = fund.index.mint(SHARES, holder, tokens, [FOREVER] * len(tokens))
    redeem, skipping = [
        fund.index.redeem(SHARES // 4, holder, tokens, [0] * len(tokens), skip) for skip in (0, 1 << at)
    ]
    for call in (mint, redeem):
        assert_reverts(chain, call, "Stuck", sender=holder, of=stuck)
    check_paid(carrier, holder, lrc, lambda: carrier.send(skipping, holder))
    return Stuck(lrc, at, holder, moving, mint, redeem, skipping)


def month_without(carrier: Carrier, token: str) -> None:
    """A month in which the token is neither weighed nor traded."""
    held = carrier.balance(token)
    carrier.to_determination()
    constituents = carrier.determine()
    assert (constituents[token].status, constituents[token].weight) == (FROZEN, 0)
    assert WAD - 100 <= weights(constituents) <= WAD
    carrier.to_start()
    holdings = carrier.start()
    assert (holdings[token].target.side, holdings[token].target.price) == (HELD, 0)
    assert carrier.state().opening.nav == sum_priced(carrier, holdings)
    carrier.trade_all()
    carrier.check_done()
    carrier.check_on_target(holdings)
    assert carrier.balance(token) == held


def test_a_token_that_stands_still_and_moves_again(carrier: Carrier) -> None:
    """Suspended by the guardian, then by the owner: nobody mints, who leaves skips it or waits. Resumed it is as
    before."""
    fund, chain = carrier.fund, carrier.chain
    one = stick(carrier)
    fund.chain.send(fund.rebalancer.suspend(one.token), fund.guardian)
    through_timelock(fund, fund.rebalancer.suspend(one.token))
    carrier.post()
    _, amounts, blocked = chain.read(fund.index.previewMint(SHARES))
    assert blocked == 1 << one.at and all(amounts)
    assert_reverts(chain, one.mint, "ComponentSuspended", one.token, sender=one.holder)
    check_paid(carrier, one.holder, one.token, lambda: carrier.send(one.skipping, one.holder))
    month_without(carrier, one.token)

    # It moves again: redeem pays it although it is suspended, and nobody mints until the owner has looked at it.
    chain.cheats.set_code(one.token, one.moving)
    held, supply = carrier.balance(one.token), chain.read(fund.index.totalSupply())
    owned = chain.read(fund.token(one.token).balanceOf(one.holder))
    fund.redeem(SHARES // 4, one.holder)
    paid = chain.read(fund.token(one.token).balanceOf(one.holder)) - owned
    assert paid == held * (SHARES // 4) // supply > 0
    tokens = fund.tokens()
    mint = fund.index.mint(SHARES, one.holder, tokens, [FOREVER] * len(tokens))
    assert_reverts(chain, mint, "ComponentSuspended", one.token, sender=one.holder)
    through_timelock(fund, fund.rebalancer.resume(one.token))
    carrier.send(mint, one.holder)
    holdings = carrier.whole_month()
    assert holdings[one.token].target.price == kept(fund.world.token("LRC").price_usd)
    carrier.check_on_target(holdings)


def test_a_token_that_never_moves_again(carrier: Carrier) -> None:
    """Written off after a month of standing still: mint and redeem leave it out alike, and it goes off the list."""
    fund = carrier.fund
    one = stick(carrier)
    through_timelock(fund, fund.rebalancer.suspend(one.token))
    month_without(carrier, one.token)
    through_timelock(fund, fund.rebalancer.writeOff(one.token))
    tokens = fund.tokens()
    at = tokens.index(one.token)
    before = fund.balances()
    fund.mint(SHARES, one.holder)
    gained = [now - then for now, then in zip(fund.balances(), before, strict=True)]
    assert [i for i, amount in enumerate(gained) if not amount] == [at]
    check_paid(carrier, one.holder, one.token, lambda: fund.redeem(SHARES // 4, one.holder))

    held = carrier.balance(one.token)
    holdings = carrier.whole_month()
    assert one.token not in holdings and one.token not in fund.tokens()
    assert len(holdings) == len(tokens) - 1
    assert carrier.balance(one.token) == held > 0
    # Its candidate stands, and is not listed again as long as the fund holds any.
    holdings = carrier.whole_month()
    assert one.token not in holdings


@pytest.mark.parametrize("fault", UNSOUND)
def test_a_token_that_no_longer_says_what_the_fund_holds(carrier: Carrier, fault: str) -> None:
    """Whole months go on without it, nobody having to do anything; holders leave with the skip that the preview
    names."""
    fund, chain = carrier.fund, carrier.chain
    lrc = carrier.address("LRC")
    at = fund.tokens().index(lrc)
    code = breaks(chain, lrc, UNSOUND[fault])
    holdings = carrier.to_trading()
    assert (holdings[lrc].sound, holdings[lrc].target.side, holdings[lrc].target.price) == (False, HELD, 0)
    carrier.trade_all()
    carrier.check_done()
    tokens, amounts, blocked = chain.read(fund.index.previewRedeem(SHARES))
    assert blocked == 1 << tokens.index(lrc)
    carrier.send(fund.index.redeem(SHARES, carrier.fund.deployer, tokens, amounts, blocked), fund.deployer)
    mends(chain, lrc, code)
    assert carrier.balance(lrc) > 0 and at >= 0
    holdings = carrier.whole_month()
    assert holdings[lrc].target.price == kept(fund.world.token("LRC").price_usd)


def check_paid(carrier: Carrier, holder: str, skipped: str, redeem: Any) -> None:
    """The redemption pays every component but the skipped one, whose balances stay."""
    tokens = carrier.fund.tokens()
    before = carrier.fund.balances(holder)
    redeem()
    gained = {t: now - then for t, now, then in zip(tokens, carrier.fund.balances(holder), before, strict=True)}
    assert [token for token, amount in gained.items() if amount <= 0] == [skipped]
    assert gained[skipped] == 0
