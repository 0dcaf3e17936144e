"""ChainlinkOracle: which answers are prices, and how a feed is replaced."""

from __future__ import annotations

import pytest
from eth_abi import encode
from hypothesis import example, given
from hypothesis import strategies as st

from ballast.units import DAY_S, WAD
from tests.contracts.oracles.scene import ETH_USD, MAX_AGE, MAX_PRICE, A, B, Bench, C, D
from tests.helpers.basket import FUZZ
from tests.helpers.contracts import Call
from tests.helpers.fund import ETH, FOUNDED, IN_ETH, USD, Fund
from tests.helpers.reverts import assert_reverts

ROUND = ["uint256", "int256", "uint256", "uint256", "uint256"]
BYTES, REVERTING, BURNING = 0, 1, 2


def test_answers_with_18_decimals(bench: Bench) -> None:
    wanted = [29_20000000 * 10**10, 29 * WAD + 1, WAD // 7 * (ETH_USD * 10**10) // WAD, 0]
    assert [bench.price(token) for token in (A, B, C, D)] == wanted
    assert bench.chain.read(bench.oracle.prices([D, C, B, A, A])) == [*wanted[::-1], wanted[0]]
    assert bench.price(ETH) == ETH_USD * 10**10
    assert bench.chain.read(bench.oracle.prices([])) == []


@given(
    tokens=st.lists(st.sampled_from([ETH, f"0x{1:040x}", A, f"0x{0xAB:040x}", B, C, D, "0x" + "ff" * 20]), max_size=9)
)
@example(tokens=[B, A, C, A, ETH, D, C])
@FUZZ
def test_prices_in_any_order(bench: Bench, tokens: list[str]) -> None:
    """Known and unknown, repeated, ascending or not: each as if asked for alone."""
    alone = {token: bench.price(token) for token in set(tokens)}
    assert bench.chain.read(bench.oracle.prices(tokens)) == [alone[token] for token in tokens]


@given(answer=st.integers(1, 10**30), eth=st.integers(1, 10**15), decimals=st.integers(0, 18))
@example(answer=20 * WAD + 7, eth=ETH_USD, decimals=18)
@example(answer=MAX_PRICE, eth=10**15, decimals=18)
@example(answer=MAX_PRICE, eth=10**8, decimals=18)
@example(answer=MAX_PRICE, eth=10**8 + 1, decimals=18)
@example(answer=MAX_PRICE // 10**18, eth=1, decimals=0)
@example(answer=MAX_PRICE // 10**18 + 1, eth=1, decimals=0)
@FUZZ
def test_any_sound_answer(bench: Bench, answer: int, eth: int, decimals: int) -> None:
    chain = bench.chain
    chain.send(bench.a.init("TEST / USD", decimals), bench.owner, at=chain.now())
    oracle = chain.deploy(
        "ChainlinkOracle", bench.owner, bench.flag, ETH, 0, [(A, bench.a, DAY_S, USD, 0, 0, 0)], sender=bench.owner
    )
    bench.post(bench.a, answer)
    scaled = answer * 10 ** (18 - decimals)
    assert chain.read(oracle.price(A)) == (scaled if scaled <= MAX_PRICE else 0)
    bench.post(bench.c, answer)
    bench.post(bench.eth, eth)
    product = answer * (eth * 10**10) // WAD
    assert bench.price(C) == (product if product <= MAX_PRICE else 0)


@pytest.mark.parametrize("feed", ["a", "b", "c", "eth"])
@pytest.mark.parametrize("answer", [0, -1, -(2**255), 10**30 + 1, 2**127, 2**246 + 10**8, 10**8 - 2**246, 2**255 - 1])
def test_unsound_answers_are_no_price(bench: Bench, feed: str, answer: int) -> None:
    token = C if feed == "eth" else {"a": A, "b": B, "c": C}[feed]
    assert bench.price(token) > 0
    bench.post(getattr(bench, feed), answer)
    assert bench.price(token) == 0
    bench.post(getattr(bench, feed), 10**8)
    assert bench.price(token) > 0


@pytest.mark.parametrize("feed", ["a", "b", "c", "eth"])
def test_age(bench: Bench, feed: str) -> None:
    token = C if feed == "eth" else {"a": A, "b": B, "c": C}[feed]
    posted = bench.chain.now()
    for other in (bench.eth, bench.a, bench.b, bench.c):
        bench.post(other, 10**8, age=-MAX_AGE if other is not getattr(bench, feed) else 0)
    # The others' answers are dated an hour ahead and count from then on.
    read = bench.oracle.price(token)
    assert bench.chain.read(read, at=posted + MAX_AGE) > 0, "the last second counts"
    assert bench.chain.read(read, at=posted + MAX_AGE + 1) == 0


@pytest.mark.parametrize("feed", ["a", "c", "eth"])
def test_future_answers_are_no_price(bench: Bench, feed: str) -> None:
    token = A if feed == "a" else C
    bench.post(getattr(bench, feed), 10**8, age=-1)
    assert bench.price(token) == 0
    assert bench.price(token, later=1) > 0


def test_never_answered(bench: Bench) -> None:
    """A real aggregator without a round reverts."""
    silent = bench.chain.deploy("ReferenceFeed", sender=bench.owner)
    bench.chain.send(bench.set(D, silent), bench.owner)
    assert bench.price(D) == 0
    assert bench.chain.read(bench.oracle.prices([A, D]))[0] > 0


GARBAGE = {
    "nothing": (BYTES, b""),
    "one word": (BYTES, encode(["uint256"], [WAD])),
    "a byte short": (BYTES, encode(ROUND, [1, WAD, FOUNDED, FOUNDED, 1])[:-1]),
    "a text": (BYTES, encode(["string"], ["price"])),
    "revert": (REVERTING, b""),
    "revert with a text": (REVERTING, encode(ROUND, [1, WAD, FOUNDED, FOUNDED, 1])),
    "all gas gone": (BURNING, b""),
    "ones": (BYTES, b"\xff" * 160),
    "dated at the end of time": (BYTES, encode(ROUND, [1, WAD, 1, 2**256 - 1, 1])),
}


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("in_eth", [False, True])
def test_garbage_is_no_price_and_stops_nobody(bench: Bench, garbage: str, in_eth: bool) -> None:
    chain = bench.chain
    feed = chain.deploy("OddFeed", sender=bench.owner)
    now = chain.now() + 60
    chain.send(feed.post(18, BYTES, encode(ROUND, [1, WAD, now, now, 1])), bench.owner, at=now)
    chain.send(bench.set(D, feed, in_eth=in_eth), bench.owner, at=now)
    assert chain.read(bench.oracle.price(D), at=now) > 0
    mode, data = GARBAGE[garbage]
    chain.send(feed.post(18, mode, data), bench.owner, at=now)
    assert chain.read(bench.oracle.price(D), at=now) == 0
    assert chain.read(bench.oracle.prices([D, A]), at=now)[1] > 0


def test_round_numbers_of_any_size(bench: Bench) -> None:
    """The round is not looked at: a value beyond its declared type must not revert."""
    chain, now = bench.chain, bench.chain.now()
    feed = chain.deploy("OddFeed", sender=bench.owner)
    chain.send(feed.post(8, BYTES, encode(ROUND, [2**255, 10**8, 0, now, 2**256 - 1])), bench.owner)
    chain.send(bench.set(D, feed), bench.owner)
    assert chain.read(bench.oracle.price(D)) == WAD


def test_feed_without_code(bench: Bench) -> None:
    """A feed that is gone is no price; none of the others notices."""
    bench.chain.cheats.set_code(bench.a.address, b"")
    assert bench.price(A) == 0
    assert bench.chain.read(bench.oracle.prices([A, B, C])) == [0, bench.price(B), bench.price(C)]
    bench.chain.cheats.set_code(bench.eth.address, b"")
    assert bench.price(C) == 0


def test_set_feed(bench: Bench) -> None:
    chain = bench.chain
    feed = bench.feed(8, 7 * 10**8)
    receipt = chain.send(bench.set(D, feed, max_age=77), bench.owner)
    (event,) = bench.oracle.events(receipt, "FeedSet")
    assert (event.token.lower(), *event[1:]) == (D, feed.address, 77, USD, 0, 0, 0)
    assert chain.read(bench.oracle.sources(D)) == (feed.address, 77, 8, USD, 0, 0, MAX_PRICE)
    assert bench.price(D) == 7 * WAD


@pytest.mark.parametrize("answer", [105, 95, 100])
def test_a_new_feed_that_agrees(bench: Bench, answer: int) -> None:
    bench.post(bench.a, 100 * 10**8)
    feed = bench.feed(18, answer * WAD)
    bench.chain.send(bench.set(A, feed), bench.owner)
    assert bench.price(A) == answer * WAD


@pytest.mark.parametrize("answer", [105 * WAD + 1, 95 * WAD - 1, 0, 10_000 * WAD])
def test_a_new_feed_that_disagrees(bench: Bench, answer: int) -> None:
    bench.post(bench.a, 100 * 10**8)
    feed = bench.feed(18, answer)
    call = bench.set(A, feed)
    assert_reverts(bench.chain, call, "FeedsDisagree", A, 100 * WAD, answer, sender=bench.owner)


def test_a_stale_new_feed_disagrees(bench: Bench) -> None:
    bench.post(bench.a, 100 * 10**8)
    call = bench.set(A, bench.feed(8, 100 * 10**8, age=MAX_AGE + 60))
    assert_reverts(bench.chain, call, "FeedsDisagree", A, 100 * WAD, 0, sender=bench.owner)


def test_a_dead_feed_may_be_replaced_by_any(bench: Bench) -> None:
    bench.post(bench.a, 100 * 10**8, age=MAX_AGE + 1)
    assert bench.price(A) == 0
    feed = bench.feed(18, 7 * WAD)
    bench.chain.send(bench.set(A, feed), bench.owner)
    assert bench.price(A) == 7 * WAD


def test_not_while_trading(bench: Bench) -> None:
    feed = bench.feed(8, 29_20000000)
    bench.chain.send(bench.flag.set(True), bench.owner)
    for token in (A, D, ETH):
        assert_reverts(bench.chain, bench.set(token, feed), "TradingOpen", sender=bench.owner)
    bench.chain.send(bench.flag.set(False), bench.owner)
    bench.chain.send(bench.set(A, feed), bench.owner)


def test_only_the_owner(bench: Bench, stranger: str) -> None:
    call = bench.set(D, bench.feed(8, 1))
    assert_reverts(bench.chain, call, "OwnableUnauthorizedAccount", stranger, sender=stranger)


@pytest.mark.parametrize("max_age", [0, 8 * DAY_S + 1])
def test_age_out_of_bounds(bench: Bench, max_age: int) -> None:
    call = bench.set(D, bench.a, max_age=max_age)
    assert_reverts(bench.chain, call, "MaxAgeOutOfBounds", D, max_age, sender=bench.owner)


@pytest.mark.parametrize("max_age", [1, 8 * DAY_S])
def test_age_at_its_bounds(bench: Bench, max_age: int) -> None:
    bench.chain.send(bench.set(D, bench.a, max_age=max_age), bench.owner)
    assert bench.chain.read(bench.oracle.sources(D)).maxAge == max_age


def test_unfit_feeds(bench: Bench, stranger: str) -> None:
    wide = bench.feed(19, WAD)
    for feed, in_eth in ((stranger, False), (wide.address, False), (bench.a.address, True), (wide.address, True)):
        call = bench.set(D, feed, in_eth=in_eth)
        assert_reverts(bench.chain, call, "UnfitFeed", D, feed, sender=bench.owner)


def test_quoted_in_eth_needs_the_eth_feed(bench: Bench) -> None:
    create = bench.chain.artifact("ChainlinkOracle").create
    rows = [(C, bench.c, MAX_AGE, IN_ETH, 0, 0, 0), (ETH, bench.eth, MAX_AGE, USD, 0, 0, 0)]
    call = create(bench.owner, bench.flag, ETH, 0, rows)
    assert_reverts(bench.chain, call, "NoEthFeed", C, sender=bench.owner)
    call = bench.set(ETH, bench.c, in_eth=True)
    assert_reverts(bench.chain, call, "NoEthFeed", ETH, sender=bench.owner)
    bench.chain.read(
        Call(None, create(bench.owner, bench.flag, ETH, 0, rows[::-1]).data, "new", ()), sender=bench.owner
    )


def test_of_a_real_fund(fund: Fund) -> None:
    """The local mainnet's feeds, with the published prices in 8 decimals."""
    fund.move_to(fund.chain.now() + DAY_S)
    tokens = [token.address for token in fund.world.tokens]
    prices = fund.chain.read(fund.oracle.prices(tokens))
    assert prices == [token.price_usd for token in fund.world.tokens] and len(prices) == 14
    late = fund.chain.now() + fund.setup.max_age
    assert fund.chain.read(fund.oracle.prices(tokens), at=late) == prices
    assert fund.chain.read(fund.oracle.prices(tokens), at=late + 1) == [0] * 14
