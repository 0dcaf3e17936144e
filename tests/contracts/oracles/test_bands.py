"""Bands: a feed that answers something unbelievable has no price, however fresh the answer is."""

from __future__ import annotations

from typing import Any

import pytest

from ballast.units import WAD
from tests.contracts.oracles.scene import ETH_USD, MAX_PRICE, A, B, Bench, C, D
from tests.helpers.fund import ETH, IN_ETH, PEGGED, USD
from tests.helpers.reverts import assert_reverts

FLOOR = 10_000_000
"""0.1 USD in 8 decimals: where the aggregator of LUNA stopped in May 2022, while LUNA went on to a millionth."""


@pytest.mark.parametrize(
    ("answer", "believed"), [(10 * 10**8, True), (10 * 10**8 - 1, False), (50 * 10**8, True), (50 * 10**8 + 1, False)]
)
def test_a_price_lies_in_the_band(bench: Bench, answer: int, believed: bool) -> None:
    bench.chain.send(bench.oracle.setFeed(bench.row(A, bench.a, (10 * WAD, 50 * WAD))), bench.owner)
    bench.post(bench.a, answer)
    assert bench.price(A) == (answer * 10**10 if believed else 0)
    # The others go on.
    assert bench.chain.read(bench.oracle.prices([A, B])) == [bench.price(A), 29 * WAD + 1]


def test_an_aggregator_that_stops_at_its_floor(bench: Bench) -> None:
    """LUNA, 2022-05-12: the true price fell to nothing, the feed went on answering 0.1 USD, each time fresh."""
    luna = bench.feed(8, 80 * 10**8)
    bench.chain.send(bench.oracle.setFeed(bench.row(D, luna, (WAD // 5, 1_000 * WAD))), bench.owner)
    bench.post(luna, 30_000_000)
    assert bench.price(D) == 3 * WAD // 10
    bench.post(luna, FLOOR)
    assert bench.price(D) == 0


def test_a_band_of_an_eth_quoted_feed_is_in_eth(bench: Bench) -> None:
    band = (WAD // 10, WAD // 5)
    bench.chain.send(bench.oracle.setFeed(bench.row(C, bench.c, band, IN_ETH)), bench.owner)
    assert bench.price(C) == WAD // 7 * (ETH_USD * 10**10) // WAD
    for answer in (WAD // 10 - 1, WAD // 5 + 1):
        bench.post(bench.c, answer)
        assert bench.price(C) == 0
    bench.post(bench.c, WAD // 5)
    # It is the feed's answer that is held against it: whatever ETH costs.
    bench.post(bench.eth, 100 * ETH_USD)
    assert bench.price(C) == WAD // 5 * (100 * ETH_USD * 10**10) // WAD


def test_a_band_of_eth_counts_for_what_is_quoted_in_it(bench: Bench) -> None:
    bench.chain.send(bench.oracle.setFeed(bench.row(ETH, bench.eth, (100 * WAD, 10_000 * WAD))), bench.owner)
    bench.post(bench.eth, 10_001 * 10**8)
    assert bench.chain.read(bench.oracle.prices([ETH, A, C])) == [0, bench.price(A), 0]
    bench.post(bench.eth, 10_000 * 10**8)
    assert bench.chain.read(bench.oracle.prices([ETH, C])) == [10_000 * WAD, WAD // 7 * 10_000]


def test_a_band_of_a_peg_is_of_its_price(bench: Bench) -> None:
    bench.post(bench.a, 20 * 10**8)
    bench.chain.send(bench.oracle.setFeed(bench.row(D, A, (30 * WAD, 60 * WAD), PEGGED, 2 * WAD)), bench.owner)
    assert bench.chain.read(bench.oracle.sources(D))[1:] == (0, 0, PEGGED, 2 * WAD, 30 * WAD, 60 * WAD)
    for answer, price in ((15, 30), (30, 60), (14, 0), (31, 0)):
        bench.post(bench.a, answer * 10**8)
        assert bench.price(D) == price * WAD
        assert bench.price(A) == answer * WAD


def test_a_source_without_a_band_has_the_absurdity_bound(bench: Bench) -> None:
    assert bench.chain.read(bench.oracle.sources(A))[-2:] == (0, MAX_PRICE)
    bench.chain.send(bench.oracle.setFeed(bench.row(A, bench.a, (WAD, 100 * WAD))), bench.owner)
    assert bench.chain.read(bench.oracle.sources(A))[-2:] == (WAD, 100 * WAD)
    bench.chain.send(bench.oracle.setFeed(bench.row(A, bench.a)), bench.owner)
    assert bench.chain.read(bench.oracle.sources(A))[-2:] == (0, MAX_PRICE)


def test_the_event_names_the_band(bench: Bench) -> None:
    receipt = bench.chain.send(bench.oracle.setFeed(bench.row(A, bench.a, (WAD, 100 * WAD))), bench.owner)
    (event,) = bench.oracle.events(receipt, "FeedSet")
    assert (event.token.lower(), event.lowest, event.highest) == (A, WAD, 100 * WAD)


@pytest.mark.parametrize(
    "band",
    [(0, 50 * WAD), (10 * WAD, 0), (50 * WAD, 10 * WAD), (29 * WAD, 29 * WAD), (WAD, MAX_PRICE + 1)],
    ids=["no lower side", "no upper side", "inverted", "empty", "absurd"],
)
def test_bands_that_are_none(bench: Bench, band: tuple[int, int]) -> None:
    call = bench.oracle.setFeed(bench.row(A, bench.a, band))
    assert_reverts(bench.chain, call, "UnfitBand", A, *band, sender=bench.owner)
    rows = [bench.row(A, bench.a, band)]
    creation = bench.chain.artifact("ChainlinkOracle").create(bench.owner, bench.flag, ETH, 0, rows)
    assert_reverts(bench.chain, creation, "UnfitBand", A, *band, sender=bench.owner)


def test_bands_at_their_bounds(bench: Bench) -> None:
    price = bench.price(B)
    for band in ((1, MAX_PRICE), (price, price + 1), (price - 1, price)):
        bench.chain.send(bench.oracle.setFeed(bench.row(B, bench.b, band)), bench.owner)
        assert bench.price(B) == price


@pytest.mark.parametrize("made", [True, False])
def test_a_band_contains_the_present_answer(bench: Bench, made: bool) -> None:
    """Else a feed would be put to silence by a slip in its band."""

    def refuse(row: Any, answer: int) -> None:
        call = bench.oracle.setFeed(row)
        if made:
            eth = bench.row(ETH, bench.eth)
            rows = [eth, bench.row(A, bench.a), row]
            call = bench.chain.artifact("ChainlinkOracle").create(bench.owner, bench.flag, ETH, 0, rows)
        assert_reverts(bench.chain, call, "OutsideBand", row[0], answer, *row[-2:], sender=bench.owner)

    price = bench.price(B)
    refuse(bench.row(B, bench.b, (price + 1, 2 * price)), price)
    refuse(bench.row(B, bench.b, (price // 2, price - 1)), price)
    # In ETH: 271 dollars would lie inside.
    refuse(bench.row(C, bench.c, (WAD, 1_000 * WAD), IN_ETH), WAD // 7)
    refuse(bench.row(D, A, (29 * WAD, 30 * WAD), PEGGED, 2 * WAD), 2 * bench.price(A))
    # No answer that counts now.
    bench.post(bench.b, 29 * WAD, age=3_601)
    refuse(bench.row(B, bench.b, (WAD, 100 * WAD)), 0)


def test_a_feed_outside_its_band_is_replaced_like_a_dead_one(bench: Bench) -> None:
    bench.chain.send(bench.oracle.setFeed(bench.row(A, bench.a, (20 * WAD, 40 * WAD))), bench.owner)
    bench.post(bench.a, 41 * 10**8)
    assert bench.price(A) == 0
    # The token has risen: the same feed with room above it.
    bench.chain.send(bench.oracle.setFeed(bench.row(A, bench.a, (20 * WAD, 400 * WAD))), bench.owner)
    assert bench.price(A) == 41 * WAD


def test_a_band_does_not_shield_from_the_old_feed(bench: Bench) -> None:
    """`setFeed` goes by the old price, with a band as without."""
    feed = bench.feed(8, 60 * 10**8)
    call = bench.oracle.setFeed(bench.row(A, feed, (50 * WAD, 70 * WAD)))
    assert_reverts(bench.chain, call, "FeedsDisagree", A, bench.price(A), 60 * WAD, sender=bench.owner)


def test_pegs_and_eth_keep_their_bands_when_others_are_put_in(bench: Bench) -> None:
    """The list is written anew for each feed: below and above the new one nothing moves."""
    bench.chain.send(bench.oracle.setFeed(bench.row(B, bench.b, (WAD, 100 * WAD))), bench.owner)
    before = [bench.chain.read(bench.oracle.sources(token)) for token in (ETH, A, B, C)]
    for k in (1, 0xAB, 0xBC, 0xFFFF):
        token = f"0x{k:040x}"
        bench.chain.send(bench.oracle.setFeed(bench.row(token, bench.a, (2 * WAD, 50 * WAD), USD)), bench.owner)
        assert bench.chain.read(bench.oracle.sources(token))[-2:] == (2 * WAD, 50 * WAD)
    assert [bench.chain.read(bench.oracle.sources(token)) for token in (ETH, A, B, C)] == before


def test_as_many_sources_as_fit_into_a_contract(bench: Bench) -> None:
    """191 of 128 bytes. One more is refused by name; one of those that are listed can still be replaced."""
    chain, most = bench.chain, 191
    tokens = [f"0x{k + 1:040x}" for k in range(most)]
    rows = [bench.row(tokens[0], bench.a)]
    rows += [bench.row(token, tokens[0], quote=PEGGED, ratio=WAD) for token in tokens[1:120]]
    oracle = chain.deploy("ChainlinkOracle", bench.owner, bench.flag, ETH, 0, rows, sender=bench.owner)
    for token in tokens[120:]:
        chain.send(oracle.setFeed(bench.row(token, tokens[0], quote=PEGGED, ratio=WAD)), bench.owner)
    assert chain.read(oracle.prices(tokens)) == [bench.price(A)] * most
    beyond = f"0x{most + 1:040x}"
    call = oracle.setFeed(bench.row(beyond, tokens[0], quote=PEGGED, ratio=WAD))
    assert_reverts(chain, call, "TooManyFeeds", beyond, sender=bench.owner)
    chain.send(oracle.setFeed(bench.row(tokens[5], tokens[0], quote=PEGGED, ratio=101 * WAD // 100)), bench.owner)
    assert chain.read(oracle.price(tokens[5])) == bench.price(A) * 101 // 100
