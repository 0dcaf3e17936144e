"""The sandbox's market: faucets within bounds, prices from the operator alone, pools that follow them."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from ballast.abi import call_data
from ballast.networks.exchanges import V2_CODE_HASH, v2_pool_address
from ballast.units import ETHER, HOUR_S
from lab.localnet.rpc import send
from tests.contracts.sandbox.conftest import (
    CLAIM,
    DECIMALS,
    GIVEN,
    LOCKED,
    PRICES,
    SEPOLIA,
    STOCK,
    WAIT,
    Market,
    deploy_market,
    listings,
    openings,
)
from tests.helpers.chain import Chain
from tests.helpers.reverts import assert_reverts

HOLDER = "0x" + "77" * 20


def off_by(opened: Market, number: int) -> float:
    """Mid price of the pool over the feeds', minus one."""
    tokens, base = opened.reserves(number)
    # {USD / tok} = {base wei / tok wei} * {USD / base} * {tok wei / tok} / {base wei / base}
    found = base * opened.chain.read(opened.feed(0).latestRoundData()).answer * 10 ** DECIMALS[number]
    right = tokens * opened.chain.read(opened.feed(number).latestRoundData()).answer * 10 ** DECIMALS[0]
    return float(found / right - 1)


# Tokens and their faucets


def test_tokens_as_listed(opened: Market) -> None:
    chain, market = opened.chain, opened.market
    assert chain.read(market.count()) == len(PRICES)
    for number, decimals in enumerate(DECIMALS):
        token = opened.token(number)
        assert chain.read(token.name()) == f"Test {number}"
        assert chain.read(token.symbol()) == f"t{number}"
        assert chain.read(token.decimals()) == decimals
        assert chain.read(token.totalSupply()) == (STOCK + GIVEN + LOCKED) * 10**decimals
        assert chain.read(token.balanceOf(opened.operator)) == GIVEN * 10**decimals
        assert chain.read(token.balanceOf(token.address)) == LOCKED * 10**decimals


def test_a_claim_is_bounded(opened: Market) -> None:
    """So much at once, once in so long, for each account by itself; anyone may make the call."""
    chain, token = opened.chain, opened.token(2)
    anyone, other = chain.account("anyone"), "0x" + "78" * 20
    amount, supply = CLAIM[2] * 10 ** DECIMALS[2], chain.read(token.totalSupply())
    at = chain.now() + 10
    chain.send(token.claim(HOLDER), anyone, at=at)
    assert chain.read(token.balanceOf(HOLDER)) == amount
    assert chain.read(token.totalSupply()) == supply + amount
    assert chain.read(token.claimableFrom(HOLDER)) == at + WAIT
    assert_reverts(chain, token.claim(HOLDER), "ClaimedAlready", HOLDER, at + WAIT, at=at + WAIT - 1)
    chain.send(token.claim(other), anyone)
    chain.send(token.claim(HOLDER), anyone, at=at + WAIT)
    assert chain.read(token.balanceOf(HOLDER)) == 2 * amount


def test_claims_from_all_faucets(opened: Market) -> None:
    """Those that give nothing now are left out."""
    chain, anyone = opened.chain, opened.chain.account("anyone")
    chain.send(opened.token(1).claim(HOLDER), anyone)
    chain.send(opened.market.claimAll(HOLDER), anyone)
    for number, (claim, decimals) in enumerate(zip(CLAIM, DECIMALS, strict=True)):
        assert chain.read(opened.token(number).balanceOf(HOLDER)) == claim * 10**decimals


def test_nobody_mints_but_the_market(opened: Market) -> None:
    chain, token = opened.chain, opened.token(1)
    for who in (opened.operator, chain.account("anyone")):
        assert_reverts(chain, token.mint(who, 1), "NotTheMarket", who, sender=who)


def test_no_ether_goes_in_or_out(opened: Market) -> None:
    """Whoever takes the numeraire for wrapped ether is told."""
    chain, token = opened.chain, opened.token(0)
    assert_reverts(chain, token.deposit(), "NoEther", sender=chain.account("anyone"), value=1)
    assert_reverts(chain, token.withdraw(1), "NoEther")


def test_permits(opened: Market) -> None:
    """ERC-2612, by the domain of each token's own name."""
    chain, token, owner = opened.chain, opened.token(2), Account.create()
    end, spender = chain.now() + 100, chain.account("spender")
    fields = [("owner", "address"), ("spender", "address"), ("value", "uint256"), ("nonce", "uint256")]
    types = {"Permit": [{"name": n, "type": t} for n, t in [*fields, ("deadline", "uint256")]]}
    domain = {"name": "Test 2", "version": "1", "chainId": SEPOLIA, "verifyingContract": token.address}
    message = {"owner": owner.address, "spender": spender, "value": 5, "nonce": 0, "deadline": end}
    signed = owner.sign_message(encode_typed_data(domain, types, message))
    r, s = signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")
    chain.send(token.permit(owner.address, spender, 5, end, signed.v, r, s), spender)
    assert chain.read(token.allowance(owner.address, spender)) == 5


# Feeds


def test_feeds_answer_as_chainlinks(opened: Market) -> None:
    chain = opened.chain
    chain.send(opened.market.post(PRICES), opened.operator, at=chain.now() + 100)
    posted = chain.now()
    for number, price in enumerate(PRICES):
        feed = opened.feed(number)
        found = chain.read(feed.latestRoundData())
        assert (found.answer, found.updatedAt, found.startedAt) == (price, posted, posted)
        assert (found.roundId, found.answeredInRound) == (2, 2)
        assert chain.read(feed.getRoundData(2)) == found
        assert_reverts(chain, feed.getRoundData(1), "NoDataPresent", 1)
        assert chain.read(feed.decimals()) == 8
        assert chain.read(feed.description()) == ("ETH / USD" if number == 0 else f"t{number} / USD")


def test_an_oracle_of_ours_believes_them(opened: Market) -> None:
    chain = opened.chain
    rows = [("0x" + "00" * 20 if n == 0 else opened.token(n).address, opened.feed(n).address) for n in range(3)]
    feeds = [(token, feed, HOUR_S, 0, 0, 0, 0) for token, feed in rows]
    none = "0x" + "00" * 20
    chain.send(opened.market.post(PRICES), opened.operator)
    oracle = chain.deploy("ChainlinkOracle", opened.operator, HOLDER, none, 0, feeds, sender=opened.operator)
    posted = chain.read(opened.feed(0).latestRoundData()).updatedAt
    for (token, _feed), price in zip(rows, PRICES, strict=True):
        assert chain.read(oracle.price(token), at=posted + HOUR_S) == price * 10**10
        assert chain.read(oracle.price(token), at=posted + HOUR_S + 1) == 0


def test_only_the_operator_posts_lists_and_trades(opened: Market) -> None:
    chain, market, anyone = opened.chain, opened.market, opened.chain.account("anyone")
    calls = (
        market.post(PRICES),
        market.follow([1]),
        market.postAndFollow(PRICES, [1]),
        market.list(listings()),
        market.open(openings()),
    )
    for call in calls:
        assert_reverts(chain, call, "OwnableUnauthorizedAccount", anyone, sender=anyone)
    chain.send(market.transferOwnership(anyone), opened.operator)
    chain.send(market.acceptOwnership(), anyone)
    chain.send(market.post(PRICES), anyone)
    assert_reverts(chain, market.post(PRICES), "OwnableUnauthorizedAccount", sender=opened.operator)


@pytest.mark.parametrize("answers", [PRICES[:-1], (*PRICES, 1), (PRICES[0], 0, PRICES[2])])
def test_answers_that_do_not_fit(answers: Any, opened: Market) -> None:
    chain = opened.chain
    assert_reverts(chain, opened.market.post(answers), "WrongAnswers", sender=opened.operator)


# Pools


def test_pools_are_where_a_zap_looks(opened: Market) -> None:
    chain, market = opened.chain, opened.market
    factory = chain.read(market.FACTORY())
    for number in (1, 2):
        token, base = opened.token(number), opened.token(0)
        pair = chain.read(market.pair(number))
        assert pair == v2_pool_address(factory, V2_CODE_HASH, token.address, base.address)
        assert chain.read(chain.at("SandboxToken", pair).balanceOf(opened.operator)) > 0
        assert abs(off_by(opened, number)) < 1e-7
    assert_reverts(chain, market.pair(0), "UnfitNumber", 0)


@pytest.mark.parametrize("factor", [0.5, 0.97, 0.9999, 1.0001, 1.04, 3.0])
def test_pools_follow_the_feeds(factor: float, opened: Market) -> None:
    """Up and down, to a millionth, fee included; from a pool of 18 decimals and one of 8."""
    chain, market = opened.chain, opened.market
    prices = [PRICES[0], int(PRICES[1] * factor), int(PRICES[2] / factor)]
    chain.send(market.postAndFollow(prices, [1, 2]), opened.operator)
    for number in (1, 2):
        assert abs(off_by(opened, number)) < 1e-6
    chain.send(market.postAndFollow(PRICES, [2]), opened.operator)
    assert abs(off_by(opened, 2)) < 1e-6
    assert abs(off_by(opened, 1)) > 5e-5, "only those that are named follow"


def test_follows_after_others_have_traded(opened: Market) -> None:
    """Who swaps between the look and the transaction changes nothing: the contract looks for itself."""
    chain, token, anyone = opened.chain, opened.token(1), opened.chain.account("anyone")
    pair = chain.read(opened.market.pair(1))
    chain.send(token.claim(pair), anyone)
    chain.send(token.transfer(pair, GIVEN * ETHER), opened.operator)
    send(chain.rpc, anyone, pair, call_data("sync()"), gas=200_000)
    assert off_by(opened, 1) < -0.05
    chain.send(opened.market.follow([1]), opened.operator)
    assert abs(off_by(opened, 1)) < 1e-6


def test_follows_with_new_tokens_where_the_stock_is_too_small(sepolia: Chain) -> None:
    operator = sepolia.account("poor")
    market = deploy_market(sepolia, operator)
    rows = listings()[:2]
    amount, base = openings()[0][1:]
    few = [(*rows[0][:3], base, 0), (*rows[1][:3], amount, 0)]
    sepolia.send(market.list(few), operator)
    sepolia.send(market.open(openings()[:1]), operator)
    poor = Market(sepolia, operator, market)
    sepolia.send(market.postAndFollow([PRICES[0], PRICES[1] * 2], [1]), operator)
    assert abs(off_by(poor, 1)) < 1e-6


# Where it may be


def test_not_on_mainnet(chain: Chain) -> None:
    operator = chain.account("operator")
    call = chain.artifact("SandboxMarket").create(operator, HOLDER)
    assert_reverts(chain, call, "NoTestNetwork", 1, sender=operator)


def test_a_faucet_needs_a_wait(sepolia: Chain) -> None:
    operator = sepolia.account("operator")
    market = deploy_market(sepolia, operator)
    ((terms, *rest), *_) = listings()
    endless = [((*terms[:4], 0), *rest)]  # type: ignore[index]
    assert_reverts(sepolia, market.list(endless), "NoWait", "t0", sender=operator)
