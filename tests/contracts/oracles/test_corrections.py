"""Correcting a feed that is wrong: what `setFeed` rightly refuses, with a band that says what is believable."""

from __future__ import annotations

import pytest

from ballast.units import DAY_S, WAD
from tests.contracts.oracles.scene import ETH_USD, A, B, Bench, C, D
from tests.helpers.fund import ETH, IN_ETH, PEGGED, Fund, through_timelock
from tests.helpers.reverts import assert_reverts

YFI, COMP = 36_791, 448
YFI_BAND, COMP_BAND = (1_000 * WAD, 500_000 * WAD), (10 * WAD, 900 * WAD)


@pytest.fixture
def exchanged(bench: Bench) -> Bench:
    """A (COMP) has B's feed, and B (YFI) has A's: nobody noticed."""
    bench.post(bench.a, YFI * 10**8)
    bench.post(bench.b, COMP * WAD)
    return bench


def test_exchanged_feeds_are_corrected(exchanged: Bench) -> None:
    """`setFeed` refuses both, as prices are far apart; each correction is a call of its own."""
    bench, oracle = exchanged, exchanged.oracle
    assert bench.chain.read(oracle.prices([A, B])) == [YFI * WAD, COMP * WAD]
    call = oracle.setFeed(bench.row(A, bench.b, COMP_BAND))
    assert_reverts(bench.chain, call, "FeedsDisagree", A, YFI * WAD, COMP * WAD, sender=bench.owner)
    receipt = bench.chain.send(oracle.correctFeed(bench.row(A, bench.b, COMP_BAND)), bench.owner)
    (event,) = oracle.events(receipt, "FeedCorrected")
    assert (event.token.lower(), event.oldPrice, event.newPrice) == (A, YFI * WAD, COMP * WAD)
    assert len(oracle.events(receipt, "FeedSet")) == 1
    bench.chain.send(oracle.correctFeed(bench.row(B, bench.a, YFI_BAND)), bench.owner)
    assert bench.chain.read(oracle.prices([A, B])) == [COMP * WAD, YFI * WAD]
    # From now on the band finds the same mistake by itself.
    call = oracle.correctFeed(bench.row(B, bench.b, YFI_BAND))
    assert_reverts(bench.chain, call, "OutsideBand", B, COMP * WAD, *YFI_BAND, sender=bench.owner)


def test_what_the_old_feed_says_must_be_unbelievable(exchanged: Bench) -> None:
    """A band that both prices fit into says nothing about which of the two is wrong."""
    bench, oracle = exchanged, exchanged.oracle
    for band in ((WAD, YFI * WAD), (WAD, 10**6 * WAD)):
        call = oracle.correctFeed(bench.row(A, bench.b, band))
        assert_reverts(bench.chain, call, "OldFeedFits", A, YFI * WAD, *band, sender=bench.owner)
    bench.chain.send(oracle.correctFeed(bench.row(A, bench.b, (WAD, YFI * WAD - 1))), bench.owner)
    call = oracle.correctFeed(bench.row(A, bench.a, (COMP * WAD, 10**6 * WAD)))
    assert_reverts(bench.chain, call, "OldFeedFits", A, COMP * WAD, COMP * WAD, 10**6 * WAD, sender=bench.owner)
    bench.chain.send(oracle.correctFeed(bench.row(A, bench.a, (COMP * WAD + 1, 10**6 * WAD))), bench.owner)
    assert bench.price(A) == YFI * WAD


def test_a_correction_needs_a_band_and_an_answer_inside_it(exchanged: Bench) -> None:
    bench, oracle = exchanged, exchanged.oracle
    call = oracle.correctFeed(bench.row(A, bench.b))
    assert_reverts(bench.chain, call, "UnfitBand", A, 0, 0, sender=bench.owner)
    call = oracle.correctFeed(bench.row(A, bench.b, (WAD, 100 * WAD)))
    assert_reverts(bench.chain, call, "OutsideBand", A, COMP * WAD, WAD, 100 * WAD, sender=bench.owner)
    bench.post(bench.b, COMP * WAD, age=3_601)
    call = oracle.correctFeed(bench.row(A, bench.b, COMP_BAND))
    assert_reverts(bench.chain, call, "OutsideBand", A, 0, *COMP_BAND, sender=bench.owner)


def test_a_narrow_band_is_widened_afterwards(exchanged: Bench) -> None:
    """Two tokens of nearly the same price: the correction's band has to lie between them."""
    bench, oracle = exchanged, exchanged.oracle
    bench.post(bench.a, 500 * 10**8)
    bench.chain.send(oracle.correctFeed(bench.row(A, bench.b, (400 * WAD, 499 * WAD))), bench.owner)
    bench.chain.send(oracle.setFeed(bench.row(A, bench.b, COMP_BAND)), bench.owner)
    assert bench.chain.read(oracle.sources(A))[-2:] == COMP_BAND


def test_a_feed_in_eth_that_was_listed_in_usd(bench: Bench) -> None:
    """Its answer, a seventh of an ether, counted as a seventh of a dollar. The band is in ETH, and the old price is
    held against it in ETH."""
    feed = bench.feed(18, WAD // 7)
    bench.chain.send(bench.set(D, feed), bench.owner)
    assert bench.price(D) == WAD // 7
    band = (WAD // 100, 10 * WAD)
    old = WAD // 7 * 10**18 // (ETH_USD * 10**10)
    fits = (1, 10 * WAD)
    call = bench.oracle.correctFeed(bench.row(D, feed, fits, IN_ETH))
    assert_reverts(bench.chain, call, "OldFeedFits", D, old, *fits, sender=bench.owner)
    bench.chain.send(bench.oracle.correctFeed(bench.row(D, feed, band, IN_ETH)), bench.owner)
    assert bench.price(D) == WAD // 7 * (ETH_USD * 10**10) // WAD
    # Without a price of ETH there is no new price.
    bench.post(bench.eth, 0)
    call = bench.oracle.correctFeed(bench.row(C, bench.c, (WAD // 100, WAD), IN_ETH))
    assert_reverts(bench.chain, call, "FeedsDisagree", C, 0, 0, sender=bench.owner)


def test_a_peg_is_corrected_too(bench: Bench) -> None:
    bench.chain.send(bench.oracle.setFeed(bench.row(D, A, quote=PEGGED, ratio=100 * WAD)), bench.owner)
    price = bench.price(A)
    call = bench.oracle.correctFeed(bench.row(D, A, (price, 200 * price), PEGGED, WAD))
    assert_reverts(bench.chain, call, "OldFeedFits", D, 100 * price, price, 200 * price, sender=bench.owner)
    bench.chain.send(bench.oracle.correctFeed(bench.row(D, A, (price // 2, 2 * price), PEGGED, WAD)), bench.owner)
    assert bench.price(D) == price


def test_who_may_correct_and_when(exchanged: Bench, stranger: str) -> None:
    bench = exchanged
    call = bench.oracle.correctFeed(bench.row(A, bench.b, COMP_BAND))
    assert_reverts(bench.chain, call, "OwnableUnauthorizedAccount", stranger, sender=stranger)
    bench.chain.send(bench.flag.set(True), bench.owner)
    assert_reverts(bench.chain, call, "TradingOpen", sender=bench.owner)


def test_what_setfeed_refuses_is_refused_here(exchanged: Bench) -> None:
    bench, oracle = exchanged, exchanged.oracle
    row = (A, bench.b, 8 * DAY_S + 1, 0, 0, *COMP_BAND)
    assert_reverts(bench.chain, oracle.correctFeed(row), "MaxAgeOutOfBounds", A, 8 * DAY_S + 1, sender=bench.owner)
    row = (A, bench.b, DAY_S, 0, 1, *COMP_BAND)
    assert_reverts(bench.chain, oracle.correctFeed(row), "UnfitPeg", A, 1, sender=bench.owner)


def test_two_exchanged_feeds_of_a_fund(fund: Fund) -> None:
    """YFI and COMP, as a slip in the fund's file would list them, put right through the timelock: announced, two days
    before, with the bands that anybody can judge."""
    chain, oracle = fund.chain, fund.oracle
    tokens = [fund.world.token(symbol) for symbol in ("YFI", "COMP")]
    age, prices = 8 * DAY_S, [token.price_usd for token in tokens]
    wide = [(price // 20, price * 20) for price in prices]
    # The slip: their feeds change places.
    chain.cheats.impersonate(fund.owner)
    for k in (0, 1):
        row = (tokens[k].address, tokens[1 - k].feed, age, 0, 0, *wide[1 - k])
        chain.send(oracle.correctFeed(row), fund.owner)
    listed = [token.address for token in tokens]
    assert chain.read(oracle.prices(listed)) == prices[::-1]
    for k in (0, 1):
        row = (tokens[k].address, tokens[k].feed, age, 0, 0, *wide[k])
        assert_reverts(chain, oracle.setFeed(row), "FeedsDisagree", sender=fund.owner)
        through_timelock(fund, oracle.correctFeed(row))
    assert chain.read(oracle.prices(listed)) == prices
    assert chain.read(oracle.sources(ETH)).feed == fund.world.eth_feed
