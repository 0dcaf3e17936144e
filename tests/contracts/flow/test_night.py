"""The whole night: a feed goes wrong in an open month, and guardian and owner do what they can, in this order: pause,
end the month, suspend, and let the next month start without the token."""

from __future__ import annotations

from ballast.units import DAY_S, WAD
from tests.contracts.flow.carrying import APRIL, FROZEN, IDLE, Carrier
from tests.helpers.bench import not_due
from tests.helpers.fund import FOREVER, PERIOD_END, fund_holder, through_timelock
from tests.helpers.packed import kept
from tests.helpers.reverts import assert_reverts
from tests.helpers.settling import BUY, HELD, SELL, usd

SYMBOL = "COMP"
WRONG = 10
"""The feed says ten times what the token is worth."""


def true_value(carrier: Carrier) -> int:
    """USD per share (18 decimals) at the true prices."""
    fund = carrier.fund
    supply = carrier.chain.read(fund.index.totalSupply())
    tokens = {token.address: token for token in fund.world.tokens}
    rows = zip(fund.tokens(), fund.balances(), strict=True)
    return sum(usd(b * WAD // supply, tokens[t].price_usd, tokens[t].decimals) for t, b in rows)


def plunder(carrier: Carrier) -> int:
    """One batch in which the bought token alone is paid, at its wrong price; the part of its value that the fund lost,
    in thousandths of a share's."""
    before = true_value(carrier)

    def batch(state: object) -> tuple[dict[int, int], dict[int, int]]:
        holdings = list(enumerate(state.holdings))  # type: ignore[attr-defined]
        sells, pays = carrier.fair(state)
        (i,) = [k for k, h in holdings if h.token == carrier.address(SYMBOL)]
        value = sum(usd(a, holdings[k][1].price, holdings[k][1].decimals) for k, a in sells.items())
        return sells, {**dict.fromkeys(pays, 0), i: -(-value * 10 ** holdings[i][1].decimals // holdings[i][1].price)}

    carrier.trade(batch)
    return 1000 * (before - true_value(carrier)) // before


def alarm(carrier: Carrier, holder: str) -> None:
    """Within the minute the guardian pauses; in the pause it ends the month and suspends the token, then it ends the
    pause. The owner is a timelock and can do nothing yet."""
    fund, chain, rebalancer = carrier.fund, carrier.chain, carrier.fund.rebalancer
    token, value, paused_at = carrier.address(SYMBOL), true_value(carrier), chain.now()
    carrier.send(rebalancer.pauseFor(3 * DAY_S), fund.guardian)
    assert carrier.due() == ("None", "Paused")
    limits = rebalancer.setLimits(fund.setup.limits.as_tuple(), 0)
    assert_reverts(chain, limits, "TradingOpen", sender=fund.owner)
    empty = rebalancer.trade(([], [], [], [], 0, carrier.filler, b""))
    assert_reverts(chain, empty, "NotDue", *not_due("Trade", "Paused"), sender=carrier.keeper)

    carrier.send(rebalancer.endMonth(), fund.guardian)
    assert carrier.month().phase == IDLE
    carrier.send(rebalancer.suspend(token), fund.guardian)
    tokens = fund.tokens()
    mint = fund.index.mint(WAD, holder, tokens, [FOREVER] * len(tokens))
    assert_reverts(chain, mint, "ComponentSuspended", token, sender=holder)
    fund.redeem(WAD, holder)
    carrier.send(rebalancer.unpause(), fund.guardian)
    assert carrier.due() == ("None", "Done"), "with 20 days of the period left"
    assert chain.read(rebalancer.pause())[1] >= 3 * DAY_S - (chain.now() - paused_at)
    assert true_value(carrier) >= value


def month_without(carrier: Carrier) -> None:
    """The next month, which starts without the token, whatever its feed says."""
    token, value = carrier.address(SYMBOL), true_value(carrier)
    held = carrier.balance(token)
    carrier.move_to(PERIOD_END + 1)
    constituents = carrier.determine()
    assert carrier.month().period == APRIL + 1
    assert (constituents[token].status, constituents[token].weight) == (FROZEN, 0)
    carrier.to_start()
    holdings = carrier.start()
    assert holdings[token].target.side == HELD
    assert any(h.target.side == SELL for h in holdings.values())
    carrier.whole_rest()
    carrier.check_on_target(holdings)
    assert carrier.balance(token) == held
    assert true_value(carrier) * 1000 >= value * 999


def test_the_whole_night(carrier: Carrier) -> None:
    fund, token = carrier.fund, carrier.address(SYMBOL)
    holder = fund_holder(fund, "holder")
    fund.mint(10 * WAD, holder)
    holdings = carrier.to_trading()
    assert holdings[token].target.side == BUY

    # The feed goes wrong: whoever fills pays a tenth, and books no loss.
    price = fund.world.token(SYMBOL).price_usd
    carrier.market.set_price(token, WRONG * price)
    carrier.post()
    lost = plunder(carrier)
    assert 10 < lost < 40, "of at most 4 % in a batch most is gone"
    assert carrier.state().progress.spent < WAD // 100

    alarm(carrier, holder)
    # The owner extends the suspension in time; limits, feeds and methodology can be changed.
    receipt = through_timelock(fund, fund.rebalancer.suspend(token))
    assert fund.index.events(receipt, "StateSet") == [(token, 2**40 - 1, False)]
    carrier.chain.read(fund.rebalancer.setLimits(fund.setup.limits.as_tuple(), 0), sender=fund.owner)
    month_without(carrier)

    # The feed is right again: resumed, the token is weighed and traded from the next start on, and anybody mints.
    carrier.market.set_price(token, price)
    carrier.post()
    through_timelock(fund, fund.rebalancer.resume(token))
    fund.mint(WAD, holder)
    holdings = carrier.whole_month()
    assert holdings[token].target.price == kept(price)
    carrier.check_on_target(holdings)
