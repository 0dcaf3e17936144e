"""Deployment of a fund whose file has bands, a sequencer and a time of blocks; what is refused and warned before."""

from __future__ import annotations

from typing import Any

import ape
import pytest

from ballast.deployment.creation import feed_rows
from ballast.deployment.deploy import deploy_fund
from ballast.fund_file import FundConfig
from ballast.oracles import ROLLUPS
from ballast.parts import Sequencer
from ballast.preflight import DeployError
from ballast.units import DAY_S
from lab.localnet.market import Market
from lab.localnet.month_file import Month
from lab.localnet.world import World
from lab.testbed.funding import deal_seed
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.v3 import open_invented, with_anchors

GRACE = 3_600


@pytest.fixture(scope="module")
def account(config: FundConfig) -> Any:
    found = ape.accounts.test_accounts[0]
    deal_seed(found, config)
    return found


@pytest.fixture
def sequencer(chain: Chain) -> Contract:
    """Up for a day."""
    owner = chain.account("sequencer")
    feed = chain.deploy("ReferenceFeed", sender=owner)
    chain.send(feed.post(0, chain.now() - DAY_S), owner)
    return feed


def with_bands(config: FundConfig, low: int = 2, high: int = 2) -> FundConfig:
    """Every component's feed with a band around its price: so many times lower and higher."""
    prices = {token: price for token, price in _prices(config).items() if price}
    components = tuple(
        c.model_copy(
            update={
                "feed": c.feed.model_copy(
                    update={"lowest": prices[c.token] // low, "highest": prices[c.token] * high},
                )
            }
        )
        for c in config.components
    )
    return config.model_copy(update={"components": components})


def _prices(config: FundConfig) -> dict[str, int]:
    found = {}
    for component in config.components:
        feed = ape.project.ReferenceFeed.at(component.feed.address)
        found[component.token] = int(feed.latestAnswer()) * 10 ** (18 - int(feed.decimals()))
    return found


def test_deploys_with_bands_a_sequencer_and_anchors(
    chain: Chain, world: World, month: Month, config: FundConfig, account: Any, sequencer: Contract
) -> None:
    pooled = open_invented(chain, world, month)
    chain.move_to(chain.now() + DAY_S)
    Market(chain.rpc, pooled).post_feeds()
    anchored = with_anchors(with_bands(config), pooled, window=1_800, bound=2 * 10**16)
    up = Sequencer(address=sequencer.address, grace=GRACE)
    book = deploy_fund(ape.project, account, anchored.model_copy(update={"sequencer": up, "block_time": 10}))
    first = ape.project.ChainlinkOracle.at(book["first_oracle"])
    assert (first.SEQUENCER(), first.GRACE()) == (sequencer.address, GRACE)
    assert ape.project.AnchoredOracle.at(book["oracle"]).BLOCK_TIME() == 10
    for token, *_, lowest, highest in feed_rows(anchored)[1:]:
        source = first.sources(token)
        assert (source.lowest, source.highest) == (lowest, highest) != (0, 0)


def refused(account: Any, config: FundConfig, *words: str) -> None:
    """With lines that have all these words, before the first transaction."""
    before = account.nonce
    with pytest.raises(DeployError) as caught:
        deploy_fund(ape.project, account, config, unsafe=True)
    lines = str(caught.value)
    for word in words:
        assert word in lines, lines
    assert account.nonce == before


def test_feeds_outside_their_bands(market: Market, config: FundConfig, account: Any) -> None:
    """All at once."""
    market.post_feeds()
    banded = with_bands(config)
    uni, yfi = (next(c for c in banded.components if c.symbol == symbol) for symbol in ("UNI", "YFI"))
    exchanged = {uni.symbol: yfi.feed.address, yfi.symbol: uni.feed.address}
    components = tuple(
        c.model_copy(update={"feed": c.feed.model_copy(update={"address": exchanged.get(c.symbol, c.feed.address)})})
        for c in banded.components
    )
    words = ("UNI: feed", "answers 36791, expected its band, 14.6 to 58.4", "YFI: feed", "answers 29.2")
    refused(account, banded.model_copy(update={"components": components}), *words)
    eth = config.eth_feed.model_copy(update={"lowest": 1, "highest": 2})
    refused(account, config.model_copy(update={"eth_feed": eth}), "eth_feed", "answers 1942.51, expected its band")


def test_a_sequencer_that_is_down_or_none(
    chain: Chain, market: Market, config: FundConfig, account: Any, sequencer: Contract
) -> None:
    market.post_feeds()
    owner = chain.account("sequencer")
    listed = config.model_copy(update={"sequencer": Sequencer(address=sequencer.address, grace=GRACE)})
    chain.send(sequencer.post(1, chain.now() - 60), owner)
    refused(account, listed, f"sequencer: {sequencer.address}", "down since 6")
    chain.send(sequencer.post(0, chain.now() - 60), owner)
    refused(account, listed, "sequencer: up again since 6", "expected 3600 s")
    feed = config.model_copy(update={"sequencer": Sequencer(address=config.eth_feed.address, grace=GRACE)})
    refused(account, feed, "sequencer", "does not answer, expected Chainlink's sequencer uptime feed")


def test_a_rollup_is_warned_before_the_first_transaction(
    market: Market, config: FundConfig, account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.post_feeds()
    monkeypatch.setitem(ROLLUPS, config.chain_id, "a rollup")
    said: list[tuple[str, int]] = []
    before = account.nonce
    deploy_fund(ape.project, account, config, progress=lambda line: said.append((line, account.nonce)))
    (warning,) = [(line, nonce) for line, nonce in said if "warning" in line]
    assert "sequencer: missing" in warning[0] and "a rollup" in warning[0]
    assert warning[1] == before
