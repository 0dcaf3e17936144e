"""A token priced as another one times a fixed ratio: RGT at 26.70567 TRIBE, LEND at a hundredth of AAVE."""

from __future__ import annotations

from typing import Any

import pytest

from ballast.units import DAY_S, HOUR_S, WAD
from ballast.values import NO_ADDRESS
from tests.contracts.methodologies.scene import TOKENS, Scene
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.reverts import assert_reverts

USD, ETH, PEGGED = range(3)
ETHER = NO_ADDRESS
TRIBE, RGT, REN, UNKNOWN, LEND = TOKENS[:5]
RATIO = 26_705_670_000_000_000_000


@pytest.fixture
def feeds(chain: Chain, owner: str) -> dict[str, Contract]:
    """ETH/USD at 2000, TRIBE/USD at 0.5, REN/ETH at 0.0002, all from now."""
    made = {}
    for token, decimals, answer in ((ETHER, 8, 2000 * 10**8), (TRIBE, 8, 50_000_000), (REN, 18, 2 * 10**14)):
        feed = chain.deploy("ReferenceFeed", sender=owner)
        chain.send(feed.init("feed", decimals), owner)
        chain.send(feed.post(answer, chain.now()), owner)
        made[token] = feed
    return made


@pytest.fixture
def oracle(chain: Chain, scene: Scene, owner: str, feeds: dict[str, Contract]) -> Contract:
    """With feeds for ETH, TRIBE and REN, and RGT pegged to TRIBE."""
    list_ = [
        (ETHER, feeds[ETHER], HOUR_S, USD, 0, 0, 0),
        (TRIBE, feeds[TRIBE], DAY_S, USD, 0, 0, 0),
        (REN, feeds[REN], DAY_S, ETH, 0, 0, 0),
        (RGT, TRIBE, 0, PEGGED, RATIO, 0, 0),
    ]
    return chain.deploy("ChainlinkOracle", owner, scene.stage, ETHER, 0, list_, sender=owner)


def test_price_of_a_peg(chain: Chain, oracle: Contract, owner: str) -> None:
    assert chain.read(oracle.price(RGT)) == 13_352_835_000_000_000_000
    chain.send(oracle.setFeed((LEND, REN, 0, PEGGED, WAD // 100, 0, 0)), owner)
    # REN is 0.0002 x 2000 = 0.4 dollars.
    assert chain.read(oracle.prices([LEND, REN, RGT])) == [4 * WAD // 1000, 4 * WAD // 10, 13_352_835_000_000_000_000]
    source = chain.read(oracle.sources(RGT))
    assert source == (TRIBE, 0, 0, PEGGED, RATIO, 0, 10**30)


def test_price_of_a_peg_is_rounded_down(chain: Chain, oracle: Contract, owner: str) -> None:
    chain.send(oracle.setFeed((LEND, TRIBE, 0, PEGGED, 3, 0, 0)), owner)
    assert chain.read(oracle.price(LEND)) == 1
    chain.send(oracle.setFeed((UNKNOWN, TRIBE, 0, PEGGED, 1, 0, 0)), owner)
    assert chain.read(oracle.price(UNKNOWN)) == 0


def test_a_dead_base_is_no_price(chain: Chain, oracle: Contract, feeds: dict[str, Contract], owner: str) -> None:
    posted = chain.now()
    chain.send(feeds[TRIBE].post(50_000_000, posted), owner)
    assert chain.read(oracle.price(RGT), at=posted + DAY_S) > 0
    assert chain.read(oracle.price(RGT), at=posted + DAY_S + 1) == 0
    for answer in (0, -1):
        chain.send(feeds[TRIBE].post(answer, chain.now()), owner)
        assert chain.read(oracle.prices([RGT, TRIBE])) == [0, 0]
    chain.send(feeds[TRIBE].post(1, chain.now()), owner)
    assert chain.read(oracle.price(RGT)) == RATIO // 10**8
    chain.cheats.set_code(feeds[TRIBE].address, b"")
    assert chain.read(oracle.price(RGT)) == 0


def test_a_price_that_does_not_fit_is_none(
    chain: Chain, oracle: Contract, feeds: dict[str, Contract], owner: str
) -> None:
    most = 10**30
    chain.send(oracle.setFeed((LEND, TRIBE, 0, PEGGED, most, 0, 0)), owner)
    assert chain.read(oracle.price(LEND)) == most // 2
    chain.send(feeds[TRIBE].post(10**8, chain.now()), owner)
    assert chain.read(oracle.price(LEND)) == most
    chain.send(feeds[TRIBE].post(10**8 + 1, chain.now()), owner)
    assert chain.read(oracle.price(LEND)) == 0


@pytest.mark.parametrize(
    ("token", "other", "max_age", "ratio"),
    [
        (LEND, TRIBE, 0, 0),  # no ratio
        (LEND, TRIBE, DAY_S, WAD),  # an age, which is the other's
        (LEND, UNKNOWN, 0, WAD),  # the other has no feed
        (LEND, RGT, 0, WAD),  # the other is a peg
        (LEND, ETHER, 0, WAD),  # ETH is no token
        (ETHER, TRIBE, 0, WAD),
        (TRIBE, TRIBE, 0, WAD),  # itself
    ],
)
def test_pegs_that_do_not_fit(
    chain: Chain, oracle: Contract, owner: str, token: str, other: str, max_age: int, ratio: int
) -> None:
    call = oracle.setFeed((token, other, max_age, PEGGED, ratio, 0, 0))
    assert_reverts(chain, call, "UnfitPeg", token, ratio, sender=owner)


def test_a_feed_has_no_ratio(chain: Chain, oracle: Contract, feeds: dict[str, Contract], owner: str) -> None:
    call = oracle.setFeed((TRIBE, feeds[TRIBE], DAY_S, USD, 1, 0, 0))
    assert_reverts(chain, call, "UnfitPeg", TRIBE, 1, sender=owner)
    assert chain.read(oracle.setFeed((TRIBE, feeds[TRIBE], DAY_S, USD, 0, 0, 0)), sender=owner) is None


def test_a_peg_needs_the_other_first(chain: Chain, scene: Scene, feeds: dict[str, Contract], owner: str) -> None:
    peg: Any = (RGT, TRIBE, 0, PEGGED, RATIO, 0, 0)
    feed: Any = (TRIBE, feeds[TRIBE], DAY_S, USD, 0, 0, 0)
    creation = chain.artifact("ChainlinkOracle").create(owner, scene.stage, ETHER, 0, [peg, feed])
    assert_reverts(chain, creation, "UnfitPeg", RGT, RATIO, sender=owner)
    assert chain.deploy("ChainlinkOracle", owner, scene.stage, ETHER, 0, [feed, peg], sender=owner)


def test_an_other_that_becomes_a_peg_ends_the_first(
    chain: Chain, oracle: Contract, feeds: dict[str, Contract], owner: str
) -> None:
    """No chain of pegs comes about afterwards either: RGT is pegged to TRIBE, so TRIBE as a peg has no RGT price."""
    # REN is 0.4 dollars, TRIBE 0.5: within 5 % of it at 1.25.
    chain.send(oracle.setFeed((TRIBE, REN, 0, PEGGED, 125 * WAD // 100, 0, 0)), owner)
    assert chain.read(oracle.prices([TRIBE, RGT])) == [WAD // 2, 0]


def test_a_peg_must_agree_with_the_old_feed(chain: Chain, oracle: Contract, owner: str) -> None:
    old = WAD // 2
    fine = 131 * WAD // 100  # 0.524 dollars; 0.525 is as far as it may go
    assert chain.read(oracle.setFeed((TRIBE, REN, 0, PEGGED, fine, 0, 0)), sender=owner) is None
    far = 132 * WAD // 100
    call = oracle.setFeed((TRIBE, REN, 0, PEGGED, far, 0, 0))
    assert_reverts(chain, call, "FeedsDisagree", TRIBE, old, far * 4 // 10, sender=owner)


def test_pegs_are_the_owners_and_not_during_trade(
    chain: Chain, scene: Scene, oracle: Contract, owner: str, stranger: str
) -> None:
    call = oracle.setFeed((LEND, TRIBE, 0, PEGGED, WAD, 0, 0))
    assert_reverts(chain, call, "OwnableUnauthorizedAccount", stranger, sender=stranger)
    chain.send(scene.stage.setTrading(True), owner)
    assert_reverts(chain, call, "TradingOpen", sender=owner)
