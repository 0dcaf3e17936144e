"""What preflight finds on the fork: real feeds, pools and tokens held against the fund's file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ape
import pytest
from web3 import Web3

from ballast.deployment.creation import created_address, order
from ballast.deployment.deploy import deploy_fund
from ballast.fund_file import FundConfig
from ballast.parts import Component, Feed
from ballast.preflight import DeployError, preflight
from ballast.preflight.feeds import ROUNDS
from ballast.units import HOUR_S
from lab.localnet.market import Market
from lab.localnet.world import World
from lab.testbed.funding import deal_seed
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract


@pytest.fixture(scope="module")
def account(module_isolation: None, chain: Chain, world: World, config: FundConfig) -> Any:
    """Who deploys, with the seed."""
    Market(chain.rpc, world).post_feeds()
    found = ape.accounts.test_accounts[0]
    deal_seed(found, config)
    return found


@pytest.fixture(autouse=True)
def fresh(account: Any, test_isolation: None, market: Market) -> None:
    market.post_feeds()


def problems(w3: Web3, account: Any, config: FundConfig, **more: bool) -> list[str]:
    """The lines that preflight refuses the fund with; nothing is sent."""
    before = account.nonce
    with pytest.raises(DeployError) as caught:
        preflight(w3, account.address, config, **more)
    assert account.nonce == before
    head, *lines = str(caught.value).splitlines()
    if not lines:
        return [head]
    assert head == f"{len(lines)} problems:"
    return lines


def with_component(config: FundConfig, symbol: str, **fields: Any) -> FundConfig:
    """The fund with other fields of one component."""
    components = (c.model_copy(update=fields) if c.symbol == symbol else c for c in config.components)
    return config.model_copy(update={"components": tuple(components)})


def named(config: FundConfig, symbol: str) -> Component:
    return next(c for c in config.components if c.symbol == symbol)


def feed_at(chain: Chain, config: FundConfig, symbol: str) -> Contract:
    return chain.at("ReferenceFeed", named(config, symbol).feed.address)


def exchanged(config: FundConfig, one: str, other: str) -> FundConfig:
    """Each of the two has the other's feed."""
    first, second = named(config, one).feed, named(config, other).feed
    return with_component(with_component(config, one, feed=second), other, feed=first)


def test_nothing_is_wrong(w3: Web3, account: Any, config: FundConfig) -> None:
    assert preflight(w3, account.address, config) == ()


def test_exchanged_feeds_are_named_with_the_one_that_fits(w3: Web3, account: Any, config: FundConfig) -> None:
    yfi, comp = (named(config, symbol).feed.address for symbol in ("YFI", "COMP"))
    first, second = problems(w3, account, exchanged(config, "YFI", "COMP"))
    assert first.startswith(f"YFI: feed: {comp} describes itself as 'COMP / USD' and says ")
    assert first.endswith(f"; the feed of COMP, {yfi}, would fit")
    assert second.startswith(f"COMP: feed: {yfi} describes itself as 'YFI / USD' and says ")
    assert second.endswith(f"; the feed of YFI, {comp}, would fit")


def test_exchanged_feeds_without_names_show_in_the_pools(
    chain: Chain, w3: Web3, account: Any, config: FundConfig
) -> None:
    for symbol in ("YFI", "COMP"):
        chain.send(feed_at(chain, config, symbol).init("", 8), account.address)
    yfi = named(config, "YFI").feed.address
    first, second = problems(w3, account, exchanged(config, "YFI", "COMP"))
    assert first.startswith("YFI: feed: ") and "the deepest pool 36,7" in first
    assert first.endswith(f"; the feed of COMP, {yfi}, would fit")
    assert second.startswith("COMP: feed: ")


def test_a_feed_far_from_the_pools(w3: Web3, account: Any, config: FundConfig, market: Market) -> None:
    """Prices of the feeds move, the pools stay."""
    uni = named(config, "UNI")
    before = market.prices[uni.token]
    for percent, far in ((8, False), (12, True)):
        market.set_price(uni.token, before * (100 + percent) // 100)
        market.post_feeds([uni.token])
        market.set_price(uni.token, before)
        if far:
            (line,) = problems(w3, account, config)
            assert line.startswith(f"UNI: feed: {uni.feed.address} says 32.7")
            assert line.endswith("the deepest pool 29.2 USD, expected at most 10 % apart")
        else:
            preflight(w3, account.address, config)


def test_a_feed_in_eth(chain: Chain, w3: Web3, account: Any, config: FundConfig, world: World) -> None:
    """Marked as one it passes, marked as one in USD, or the reverse, it does not."""
    comp = named(config, "COMP").feed
    feed = feed_at(chain, config, "COMP")
    price = world.token("COMP").price_usd * 10**18 // world.weth_price_usd
    chain.send(feed.init("COMP / ETH", 18), account.address)
    chain.send(feed.post(price, chain.now()), account.address)
    (line,) = problems(w3, account, config)
    assert line == (
        f"COMP: feed: quoted_in_eth: found false, expected true: {comp.address}: it describes itself as 'COMP / ETH'"
    )
    marked = with_component(config, "COMP", feed=comp.model_copy(update={"quoted_in_eth": True}))
    assert preflight(w3, account.address, marked) == ()
    chain.send(feed.init("COMP / USD", 18), account.address)
    (line,) = problems(w3, account, marked)
    assert line.startswith("COMP: feed: quoted_in_eth: found true, expected false: ")


def test_the_eth_feed_is_another(w3: Web3, account: Any, config: FundConfig) -> None:
    """Prices that hang on it are not looked at then: one mistake is one line."""
    feed = Feed(address=named(config, "UNI").feed.address, max_age=7_200)
    (line,) = problems(w3, account, config.model_copy(update={"eth_feed": feed}))
    assert line == "eth_feed: it describes itself as 'UNI / USD', expected ETH / USD"


def test_max_age_is_held_against_the_last_answers(
    chain: Chain, w3: Web3, account: Any, config: FundConfig, world: World
) -> None:
    """A warning only."""
    feed, uni = feed_at(chain, config, "UNI"), named(config, "UNI")
    answer = world.token("UNI").price_usd // 10**10
    now = chain.now()

    def aged(max_age: int) -> tuple[str, ...]:
        changed = uni.feed.model_copy(update={"max_age": max_age})
        return preflight(w3, account.address, with_component(config, "UNI", feed=changed))

    for k in range(ROUNDS + 1):
        chain.send(feed.post(answer, now - (ROUNDS - k) * HOUR_S), account.address)
    (line,) = aged(25 * HOUR_S)
    assert line.startswith("UNI: feed: max_age: found 90000 s, but its last 20 answers came at most 3600 s apart")
    assert aged(4 * HOUR_S) == ()
    (line,) = aged(HOUR_S - 1)
    assert line.startswith("UNI: feed: max_age: found 3599 s, but its last 20 answers came up to 3600 s apart")


def test_a_supply_above_all_that_there_is(chain: Chain, w3: Web3, account: Any, config: FundConfig) -> None:
    yfi = named(config, "YFI")
    total = chain.read(chain.at("ReferenceToken", yfi.token).totalSupply()) // 10**18
    preflight(w3, account.address, with_component(config, "YFI", supply=total))
    (line,) = problems(w3, account, with_component(config, "YFI", supply=total + 1))
    assert line.startswith(f"YFI: supply: found {total + 1:,} tokens, expected at most {total:,}")


def test_tokens_that_are_none(chain: Chain, w3: Web3, account: Any, config: FundConfig) -> None:
    """The fund's own share does not stand there yet; a feed is no token; nobody counts with 28 decimals."""
    share = created_address(account.address, account.nonce + order(config).index("index_token"))
    (line,) = problems(w3, account, with_component(config, "YFI", token=share))
    assert line == f"YFI: unknown token, no contract at {share} on this chain"
    factory = Web3.to_checksum_address("0x5C69bEe701ef814a2B6a3EDD4B1652CB9cc5aA6f")
    (line,) = problems(w3, account, with_component(config, "YFI", token=factory))
    assert line == f"YFI: {factory} does not answer decimals(), expected an ERC-20 token"
    chain.send(chain.at("ReferenceToken", named(config, "YFI").token).init("YFI", "YFI", 28), account.address)
    (line,) = problems(w3, account, config)
    assert line == f"YFI: decimals: the token {named(config, 'YFI').token} has 28, expected at most 27"


def test_a_wei_that_is_too_much(w3: Web3, account: Any, config: FundConfig) -> None:
    """Shares of a hundred-trillionth of the published ones: a wei of YFI is more than their dust."""
    units = {c.symbol: c.seed_unit // 10**14 for c in config.components}
    small = config.model_copy(
        update={"components": tuple(c.model_copy(update={"seed_unit": units[c.symbol]}) for c in config.components)}
    )
    found = problems(w3, account, small)
    assert found[0].startswith("YFI: one wei of it is worth 3.6791e-14 USD, expected at most ")
    assert "a quarter of the dust of a share" in found[0]


def test_all_at_once(w3: Web3, account: Any, config: FundConfig) -> None:
    """Of every kind one, each a line of its own, in tokens; --unsafe lets only the unsafe pass."""
    lockers = (named(config, "UNI").token,) * 2
    wrong = exchanged(config, "YFI", "COMP")
    wrong = with_component(wrong, "UNI", supply=None, lockers=lockers)
    wrong = with_component(wrong, "SNX", supply=10**12)
    wrong = with_component(wrong, "AAVE", decimals=6)
    wrong = with_component(wrong, "MKR", seed_unit=10**18)
    roles = config.roles.model_copy(update={"proposers": ("deployer",)})
    wrong = wrong.model_copy(update={"name": "x" * 32, "timelock_delay": 0, "roles": roles})
    found = problems(w3, account, wrong)
    starts = (
        "name: found ",
        "UNI: lockers: ",
        "timelock_delay: found 0",
        "roles.proposers: found one plain account alone",
        "SNX: supply: found 1,000,000,000,000 tokens",
        "AAVE: decimals: the fund says 6",
        "YFI: feed: ",
        "COMP: feed: ",
        f"account {account.address}: holds ",
    )
    for start in starts:
        assert len([line for line in found if line.startswith(start)]) == 1, (start, found)
    assert len(found) == len(starts), found
    assert "expected 100 for the seed" in found[-1]  # MKR, in tokens
    passed = problems(w3, account, wrong, unsafe=True)
    assert len(passed) == len(starts) - 2


def test_another_chain_ends_it(w3: Web3, account: Any, config: FundConfig) -> None:
    """Nothing of the file is expected there; what the file alone shows is told."""
    other = config.model_copy(update={"chain_id": 5, "symbol": "x" * 40})
    first, second = problems(w3, account, other)
    assert first.startswith("symbol: found ")
    assert second == f"chain id: this chain is 1, the fund {config.slug!r} is for 5"


@pytest.fixture
def alone(config: FundConfig) -> Iterator[FundConfig]:
    """The fund with one proposer and no delay."""
    roles = config.roles.model_copy(update={"proposers": ("deployer",)})
    yield config.model_copy(update={"roles": roles, "timelock_delay": 0})


def test_unsafe_deploys_what_is_only_that(w3: Web3, account: Any, alone: FundConfig) -> None:
    found = problems(w3, account, alone)
    assert [line.split(":")[0] for line in found] == ["timelock_delay", "roles.proposers"]
    assert all(line.endswith("; --unsafe deploys it all the same") for line in found)
    told: list[str] = []
    book = deploy_fund(ape.project, account, alone, unsafe=True, warn=told.append)
    assert [line.split(":")[:2] for line in told] == [
        ["warning", " timelock_delay"],
        ["warning", " roles.proposers"],
    ]
    assert ape.project.Timelock.at(book["timelock"]).getMinDelay() == 0
