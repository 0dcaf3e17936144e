"""NavFeed: the share's NAV as a Chainlink feed, its date, and when it gives no answer."""

from __future__ import annotations

from typing import Any

import pytest

from ballast.abi import selector
from ballast.units import DAY_S, HOUR_S, WAD
from tests.helpers.bench import build
from tests.helpers.broken import UNSOUND, breaks, mends
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.fund import IN_ETH, PEGGED, USD, Fund
from tests.helpers.reverts import assert_reverts


@pytest.fixture(scope="module")
def feed(fund: Fund) -> Contract:
    return fund.chain.deploy("NavFeed", fund.rebalancer, fund.oracle, sender=fund.deployer)


def answer(fund: Fund, feed: Contract, at: int | None = None) -> Any:
    return fund.chain.read(feed.latestRoundData(), at=at)


def nav(fund: Fund, at: int, without: str | None = None) -> int:
    """USD with 8 decimals, from balances and prices."""
    chain, value = fund.chain, 0
    for component, balance in zip(chain.read(fund.index.components()), fund.balances(), strict=True):
        if component.token != without:
            price = chain.read(fund.oracle.price(component.token), at=at)
            value += balance * price // 10**component.decimals
    return value * 10**8 // int(chain.read(fund.index.totalSupply(), at=at))


def suspend(fund: Fund, token: str, at: int) -> None:
    fund.chain.send(fund.rebalancer.suspend(token), fund.owner, at=at)


def test_nav_of_a_share(fund: Fund, feed: Contract) -> None:
    """To the last digit, and less with every second of the fee."""
    at = fund.chain.now() + HOUR_S
    found = answer(fund, feed, at)
    assert found.answer == nav(fund, at)
    assert 100 * 10**8 < found.answer < 1000 * 10**8, "the index stood at some hundred dollars"
    assert answer(fund, feed, at + 20 * HOUR_S).answer < found.answer
    assert (found.roundId, found.answeredInRound) == (at, at)
    assert fund.chain.read(feed.decimals()) == 8
    assert fund.chain.read(feed.description()) == "BLST / USD"
    assert fund.chain.read(feed.version()) == 1


def test_only_the_latest_round(fund: Fund, feed: Contract) -> None:
    at = fund.chain.now() + 60
    assert fund.chain.read(feed.getRoundData(at), at=at) == answer(fund, feed, at)
    for other in (0, at - 1, at + 1):
        assert_reverts(fund.chain, feed.getRoundData(other), "NoRound", other, at, at=at)


def test_dated_by_the_oldest_feed_used(fund: Fund, feed: Contract) -> None:
    chain, tokens = fund.chain, fund.tokens()
    first = answer(fund, feed).updatedAt
    late = chain.now() + 10 * HOUR_S
    chain.move_to(late)
    fund.market().post_feeds(tokens[1:])
    found = answer(fund, feed)
    assert (found.updatedAt, found.startedAt) == (first, first) and first < late - 9 * HOUR_S
    fund.market().post_feeds(tokens[:1])
    assert answer(fund, feed).updatedAt >= late


def test_dated_by_eth_and_by_the_peg_too(fund: Fund, feed: Contract) -> None:
    """What is quoted in ETH is as old as ETH/USD, what is pegged as old as what it is pegged to."""
    chain, oracle = fund.chain, fund.oracle
    quoted, pegged = fund.tokens()[:2]
    eth = fund.world.weth_price_usd
    age = fund.setup.max_age

    def price(token: str) -> int:
        return int(chain.read(oracle.price(token)))

    in_eth = chain.deploy("ReferenceFeed", sender=fund.deployer)
    chain.send(in_eth.init("TEST / ETH", 18), fund.deployer)
    chain.move_to(chain.now() + 2 * HOUR_S)
    fund.market().post_feeds()
    chain.send(in_eth.post(price(quoted) * WAD // eth, chain.now()), fund.deployer)
    chain.send(oracle.setFeed((quoted, in_eth, age, IN_ETH, 0, 0, 0)), fund.owner)
    now = chain.now()
    oldest = chain.read(chain.at("ReferenceFeed", fund.world.eth_feed).latestRoundData()).updatedAt
    late = now + 3 * HOUR_S
    chain.move_to(late)
    fund.market().post_feeds(fund.tokens())
    chain.send(in_eth.post(price(quoted) * WAD // eth, chain.now()), fund.deployer)
    assert answer(fund, feed).updatedAt == oldest, "ETH/USD is the oldest"
    fund.market().post_feeds()
    chain.send(in_eth.post(price(quoted) * WAD // eth, late), fund.deployer)
    assert answer(fund, feed).updatedAt == late, "the feed in ETH is"
    other = fund.tokens()[2]
    ratio = price(pegged) * WAD // price(other)
    chain.send(oracle.setFeed((pegged, other, 0, PEGGED, ratio, 0, 0)), fund.owner)
    chain.send(oracle.setFeed((quoted, fund.world.token(quoted).feed, age, USD, 0, 0, 0)), fund.owner)
    before = chain.read(chain.at("ReferenceFeed", fund.world.token(other).feed).latestRoundData()).updatedAt
    chain.move_to(late + HOUR_S)
    fund.market().post_feeds([token for token in fund.tokens() if token != other])
    assert answer(fund, feed).updatedAt == before


def test_a_gift_raises_it(fund: Fund, feed: Contract) -> None:
    """By what was given, over all shares: the warning to who lends against it."""
    token = fund.tokens()[0]
    before = answer(fund, feed).answer
    chain = fund.chain
    chain.send(fund.token(token).mint(fund.index, fund.balances()[0]), fund.deployer, at=chain.now())
    after = answer(fund, feed).answer
    assert after == nav(fund, chain.now()) > before


def test_no_answer_while_the_lock_is_held(fund: Fund, feed: Contract, stranger: str) -> None:
    chain = fund.chain
    caller = chain.deploy("MintCaller", sender=stranger)
    for token in fund.tokens():
        chain.send(fund.token(token).mint(caller, 10**30), stranger)
    asked = feed.latestRoundData()
    receipt = chain.send(caller.mint(fund.index, WAD, stranger, ([], [asked.to], [asked.data])), stranger)
    (tried,) = caller.events(receipt, "Tried")
    locked = next(entry for entry in feed.abi if entry["type"] == "error" and entry["name"] == "Locked")
    assert not tried.succeeded and tried.answer == selector(locked)
    assert answer(fund, feed).answer > 0


def test_no_answer_without_a_price(fund: Fund, feed: Contract) -> None:
    chain, tokens = fund.chain, fund.tokens()
    late = chain.now() + fund.setup.max_age + HOUR_S
    chain.move_to(late)
    fund.market().post_feeds(tokens[:3] + tokens[4:])
    assert_reverts(chain, feed.latestRoundData(), "NoPrice", tokens[3])
    fund.market().post_feeds([tokens[3]])
    assert answer(fund, feed).answer > 0


def test_no_answer_while_something_is_suspended(fund: Fund, feed: Contract) -> None:
    chain, token = fund.chain, fund.tokens()[5]
    at = chain.now()
    chain.send(fund.rebalancer.suspend(token), fund.guardian, at=at)
    until = next(c.suspendedUntil for c in chain.read(fund.index.components()) if c.token == token)
    assert_reverts(chain, feed.latestRoundData(), "Suspended", token, at=at + HOUR_S)
    chain.send(fund.rebalancer.resume(token), fund.owner, at=at)
    assert answer(fund, feed).answer > 0
    assert until == at + 7 * DAY_S


def test_what_is_written_off_counts_nothing(fund: Fund, feed: Contract) -> None:
    """As mint and redeem leave it out; its feed is not asked."""
    chain, token = fund.chain, fund.tokens()[4]
    at = chain.now()
    suspend(fund, token, at)
    chain.send(fund.rebalancer.writeOff(token), fund.owner, at=at)
    found = answer(fund, feed)
    assert found.answer == nav(fund, at, without=token) < nav(fund, at)


@pytest.mark.parametrize("fault", UNSOUND)
def test_no_answer_with_a_balance_that_is_not_sound(fund: Fund, feed: Contract, fault: str) -> None:
    token = fund.tokens()[2]
    before = breaks(fund.chain, token, UNSOUND[fault])
    assert_reverts(fund.chain, feed.latestRoundData(), "NotSound", token)
    mends(fund.chain, token, before)
    assert answer(fund, feed).answer > 0


def test_no_answer_with_a_balance_beyond_measure(fund: Fund, feed: Contract) -> None:
    token = fund.tokens()[0]
    fund.chain.send(fund.token(token).mint(fund.index, 2**128), fund.deployer, at=fund.chain.now())
    assert_reverts(fund.chain, feed.latestRoundData(), "NotSound", token)


def test_nothing_before_the_seed_and_no_other_feeds(chain: Chain) -> None:
    bench = build(chain, seeded=False)
    feed = chain.deploy("NavFeed", bench.rebalancer, bench.oracle, sender=bench.owner)
    assert_reverts(chain, feed.latestRoundData(), "NotSeeded")
    creation = chain.artifact("NavFeed").create(bench.rebalancer, bench.lens)
    assert_reverts(chain, creation, "OtherFeeds", bench.oracle, bench.lens, sender=bench.owner)
