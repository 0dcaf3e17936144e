"""In and out through the zap while a month is traded: holders pay and get what a share holds at that moment."""

from __future__ import annotations

from ballast.networks.exchanges import EXCHANGES
from ballast.units import ETHER, WAD
from tests.contracts.flow.carrying import TRADING, Carrier
from tests.helpers.fund import ANYONE, FOREVER

VENUES = {"uniswap": 1, "sushiswap": 2}
SHARES = 50 * WAD + 7


def test_in_and_out_between_batches(carrier: Carrier, stranger: str) -> None:
    """With newcomers half bought and leavers half sold, in the deepest pool of each; the month then ends as others do,
    and nobody else's share holds less of anything than before."""
    chain, fund = carrier.chain, carrier.fund
    carrier.to_trading()
    carrier.trade()
    assert carrier.month().phase == TRADING
    zap = chain.deploy("Zap", fund.index, fund.world.weth, EXCHANGES[1], sender=carrier.keeper)
    tokens = fund.tokens()
    legs = b"".join((VENUES[fund.world.token(token).pools[0].venue] << 24).to_bytes(4) for token in tokens)
    supply = chain.read(fund.index.totalSupply())
    before = fund.balances()
    assert all(before), "the newcomers have begun to be bought"

    mint = zap.mint(SHARES, ANYONE, 100 * ETHER, legs, 0, FOREVER, stranger)
    receipt = chain.send(mint, stranger, value=100 * ETHER)
    (minted,) = zap.events(receipt, "ZapMinted")
    middle = fund.balances()
    assert [now - then for now, then in zip(middle, before, strict=True)] == [
        -(-held * SHARES // supply) for held in before
    ]
    chain.send(fund.index.approve(zap, SHARES), stranger)
    redeem = zap.redeem(SHARES, ANYONE, 1, tokens, legs, 0, FOREVER, stranger)
    (redeemed,) = zap.events(chain.send(redeem, stranger), "ZapRedeemed")
    assert minted.amount * 95 // 100 < redeemed.amount < minted.amount, "twice the pools' fee, and what it moved them"
    assert all(now >= then for now, then in zip(fund.balances(), before, strict=True))
    assert chain.read(fund.index.totalSupply()) == supply
    carrier.trade_all()
    assert carrier.month().phase != TRADING
