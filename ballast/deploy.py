"""Deploys a fund with Ape and seeds it.

Everything that can be checked is checked before the first transaction, so that a mistake costs nothing. Index token,
oracle and rebalancer name each other; their addresses follow from the deployer's nonce and are known beforehand. The
address book is written last: where it exists, the fund stands whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_utils import keccak, to_checksum_address
from rlp import encode as rlp_encode  # type: ignore[import-untyped]
from web3 import Web3

from ballast.abi import call_view, encode_call
from ballast.book import Book, Candidate
from ballast.fund_file import FundConfig
from ballast.parts import MAX_PRICE, STATES, Feed
from ballast.preflight import DeployError, preflight
from ballast.values import DEPLOYER

Progress = Callable[[str], None]

ANYONE = "0x0000000000000000000000000000000000000000"
ETH = ANYONE
SUPPLIES = ("posted_supply", "locked_supply")
"""Where supplies come from; only of market-cap funds."""
SOURCE = ["address", "uint32", "uint8", "uint8", "uint128", "uint128", "uint128"]
"""Of the oracle's `Source`: feed, maximum age, decimals, quote, ratio, lowest, highest."""


def order(config: FundConfig) -> tuple[str, ...]:
    """The contracts in the order of the deployer's nonces."""
    supplies = SUPPLIES if config.methodology.kind == "market_cap" else ()
    lenses = ("lens", "v3_lens") if config.names_v3_pools else ("lens",)
    oracles = ("first_oracle", "oracle") if config.anchored() else ("oracle",)
    core = (*oracles, *supplies, "methodology", "index_token", "rebalancer")
    return ("timelock", "opener", *lenses, "filler", *core, "upkeep")


def created_address(deployer: str, nonce: int) -> str:
    """Where a contract lands that `deployer` creates with `nonce` (CREATE)."""
    return str(to_checksum_address(keccak(rlp_encode([bytes.fromhex(deployer[2:]), nonce]))[12:]))


# Deployment


@dataclass(frozen=True)
class _Deployer:
    """Deploys one contract after the other and holds every address against the predicted one."""

    account: Any
    predicted: dict[str, str]
    progress: Progress
    done: dict[str, Any]

    def __call__(self, name: str, container: Any, *args: Any) -> Any:
        self.progress(f"deploying {name}")
        instance = self.account.deploy(container, *args, publish=False)
        if instance.address != self.predicted[name]:
            raise DeployError(
                f"{name}: landed at {instance.address}, expected {self.predicted[name]}; another transaction of "
                f"{self.account.address} came between. Nothing of this deployment is in use: deploy again"
            )
        self.done[name] = instance
        return instance


def deploy_fund(
    project: Any,
    account: Any,
    config: FundConfig,
    *,
    book_path: Path | None = None,
    progress: Progress | None = None,
    unsafe: bool = False,
    warn: Progress | None = None,
) -> Book:
    """Deploys and seeds the fund from an Ape account on the connected chain; returns its address book.

    The seed shares, less the locked ones, go to the account. `book_path`: where the book is written, if anywhere.
    `unsafe`: lets pass what is not wrong but unsafe (see `preflight`); `warn` is told what was let pass.
    Raises DeployError (before the first transaction, unless the chain itself fails on the way).
    """
    say = progress or (lambda _text: None)
    w3: Web3 = account.provider.web3
    say("checking chain, account, tokens and feeds")
    for warning in preflight(w3, account.address, config, unsafe=unsafe):
        (warn or say)(f"warning: {warning}")

    first_block = w3.eth.block_number + 1  # nothing of the fund can be in an earlier one
    nonce = account.nonce
    predicted = {name: created_address(account.address, nonce + i) for i, name in enumerate(order(config))}
    deployer = _Deployer(account, predicted, say, {})
    _deploy_all(project, deployer, config)
    contracts = deployer.done
    _seed(account, contracts["index_token"], config, say)
    _verify(w3, contracts, config)
    book = Book(
        fund=config.name,
        chain_id=config.chain_id,
        deployed_block=first_block,
        contracts={name: str(contract.address) for name, contract in contracts.items()},
        weth=config.weth,
        candidates=tuple(
            Candidate(component.symbol, component.token, component.decimals, component.book_pools())
            for component in config.ordered()
        ),
        timelock_delay=config.timelock_delay,
    )
    if book_path is not None:
        book.save(book_path)
        say(f"address book: {book_path}")
    return book


def _deploy_all(project: Any, deploy: _Deployer, config: FundConfig) -> None:
    account = str(deploy.account.address)

    def who(role: str) -> str:
        return account if role == DEPLOYER else role

    timelock = deploy(
        "timelock", project.Timelock, config.timelock_delay, [who(role) for role in config.roles.proposers], [ANYONE]
    )
    opener = deploy("opener", project.Opener)
    deploy("lens", project.FundLens)
    if config.names_v3_pools:
        deploy("v3_lens", project.V3Lens)
    deploy("filler", project.UniswapFiller, config.weth)
    rebalancer = deploy.predicted["rebalancer"]
    oracle = _oracle(project, deploy, config, timelock.address)
    if config.methodology.kind == "market_cap":
        candidates = _supplies(project, deploy, config, timelock.address)
        methodology = deploy(
            "methodology", project.MarketCap, timelock.address, config.methodology.as_tuple(), candidates
        )
    else:
        tokens = [component.token for component in config.constituents()]
        weights = list(zip(tokens, config.weights(), strict=True))
        methodology = deploy("methodology", project.FixedWeight, timelock.address, weights)
    index = deploy(
        "index_token",
        project.IndexToken,
        config.name,
        config.symbol,
        rebalancer,
        timelock.address,
        who(config.roles.fee_recipient),
        config.streaming_fee,
        config.supply_cap,
    )
    deploy(
        "rebalancer",
        project.Rebalancer,
        index.address,
        oracle.address,
        opener.address,
        methodology.address,
        timelock.address,
        who(config.roles.guardian),
        config.limits.as_tuple(),
        config.timetable.as_tuple(),
    )
    deploy("upkeep", project.Upkeep, rebalancer)


def _oracle(project: Any, deploy: _Deployer, config: FundConfig, timelock: str) -> Any:
    """Deploys the fund's oracle: the feeds alone, or behind the anchors; what the rebalancer asks."""
    rebalancer, name = deploy.predicted["rebalancer"], "first_oracle" if config.anchored() else "oracle"
    sequencer = sequencer_of(config)
    first = deploy(name, project.ChainlinkOracle, timelock, rebalancer, *sequencer, feed_rows(config))
    if not config.anchored():
        return first
    parts = timelock, rebalancer, first.address, config.uniswap_v3_factory, config.weth, config.block_time
    return deploy("oracle", project.AnchoredOracle, *parts, anchor_rows(config))


def _supplies(project: Any, deploy: _Deployer, config: FundConfig, timelock: str) -> list[tuple[str, str, int, int]]:
    """Deploys the sources of supplies; returns the methodology's candidates."""
    now = deploy.account.provider.web3.eth.get_block("latest")["timestamp"]
    constituents = config.constituents()
    posted = [(component.token, component.supply, now) for component in constituents if component.supply]
    computed = [component for component in constituents if component.lockers is not None]
    sources = {
        False: deploy("posted_supply", project.PostedSupply, timelock, posted).address,
        True: deploy(
            "locked_supply",
            project.LockedSupply,
            timelock,
            [component.token for component in computed],
            [sorted(component.lockers or (), key=lambda locker: int(locker, 16)) for component in computed],
        ).address,
    }
    return [
        (
            component.token,
            sources[component.lockers is not None],
            STATES.index(component.state),
            component.given_supply,
        )
        for component in constituents
    ]


def sequencer_of(config: FundConfig) -> tuple[str, int]:
    """The sequencer's feed and the grace period as the oracle takes them."""
    return (ANYONE, 0) if config.sequencer is None else (config.sequencer.address, config.sequencer.grace)


def feed_rows(config: FundConfig) -> list[tuple[str, str, int, int, int, int, int]]:
    """The oracle's feeds: ETH/USD first, for those that are quoted in ETH."""
    sources = [(ETH, config.eth_feed), *((component.token, component.feed) for component in config.ordered())]
    return [_feed_row(token, feed) for token, feed in sources]


def _feed_row(token: str, feed: Feed) -> tuple[str, str, int, int, int, int, int]:
    return token, feed.address, feed.max_age, int(feed.quoted_in_eth), 0, *feed.band


def anchor_rows(config: FundConfig) -> list[tuple[str, str, int, int]]:
    """The anchors as the oracle lists them."""
    return [(component.token, a.pool, a.window, a.bound) for component, a in config.anchored()]


def _seed(account: Any, index: Any, config: FundConfig, say: Progress) -> None:
    seeded = config.seeded()
    for component, amount in zip(seeded, config.seed_amounts(), strict=True):
        say(f"approving {component.symbol}")
        approve(account, component.token, index.address, amount)
    say("seeding")
    tokens = [component.token for component in seeded]
    units = [component.seed_unit for component in seeded]
    index.seed(tokens, units, config.seed_shares, account.address, sender=account)


def approve(account: Any, token: str, spender: str, amount: int) -> None:
    """Lets `spender` take `amount` wei of the token, unless it may already.

    A lower allowance is set to 0 first, which some tokens ask for. Sent as plain calldata: some tokens return nothing.
    """
    allowed = call_view(
        account.provider.web3, token, "allowance(address,address)", ["uint256"], account.address, spender
    )
    current = allowed[0] if allowed else 0
    if current >= amount:
        return
    for value in (0, amount) if current else (amount,):
        account.transfer(token, value=0, data=encode_call("approve(address,uint256)", spender, value))


def _verify(w3: Web3, contracts: dict[str, Any], config: FundConfig) -> None:
    """Holds what stands on the chain against what was asked for."""
    at = {name: str(contract.address) for name, contract in contracts.items()}

    def expect(name: str, view: str, right: str) -> None:
        answer = call_view(w3, at[name], view, ["address"])
        found = to_checksum_address(answer[0]) if answer else None
        if found != right:
            raise DeployError(f"{name}.{view}: {found} after the deployment, expected {right}")

    expect("index_token", "REBALANCER()", at["rebalancer"])
    for name in ("oracle", "first_oracle", "upkeep"):
        if name in at:
            expect(name, "REBALANCER()", at["rebalancer"])
    if "first_oracle" in at:
        expect("oracle", "FIRST()", at["first_oracle"])
    expect("rebalancer", "INDEX()", at["index_token"])
    expect("rebalancer", "ORACLE()", at["oracle"])
    for name in ("index_token", "oracle", "first_oracle", "methodology", "rebalancer", *SUPPLIES):
        if name in at:
            expect(name, "owner()", at["timelock"])
    answer = call_view(w3, at["index_token"], "components()", ["(address,uint8,uint40,bool)[]"])
    listed = [to_checksum_address(row[0]) for row in answer[0]] if answer else []
    if listed != [component.token for component in config.seeded()]:
        raise DeployError(f"index_token.components(): {listed} after the deployment, expected the seeded components")
    _verify_oracle(w3, at, config)


def _verify_oracle(w3: Web3, at: dict[str, str], config: FundConfig) -> None:
    first = at.get("first_oracle", at["oracle"])
    sequencer, grace = sequencer_of(config)
    expected = [(first, "SEQUENCER()", "address", sequencer.lower()), (first, "GRACE()", "uint256", grace)]
    if config.anchored():
        expected.append((at["oracle"], "BLOCK_TIME()", "uint256", config.block_time))
    for contract, view, kind, right in expected:
        answer = call_view(w3, contract, view, [kind])
        if answer != (right,):
            raise DeployError(f"oracle.{view}: {answer} after the deployment, expected {right}")
    for token, feed, max_age, quote, ratio, lowest, highest in feed_rows(config):
        source = call_view(w3, first, "sources(address)", SOURCE, token)
        wanted = [feed.lower(), max_age, quote, ratio, lowest, highest or MAX_PRICE]
        if source is None or [*source[:2], *source[3:]] != wanted:
            raise DeployError(f"oracle.sources({token}): {source} after the deployment, expected {wanted}")
    for component in config.ordered():
        price = call_view(w3, at["oracle"], "price(address)", ["uint256"], component.token)
        if not price or price[0] == 0:
            raise DeployError(f"{component.symbol}: the oracle has no price after the deployment")
    for token, *listed_anchor in anchor_rows(config):
        anchor = call_view(w3, at["oracle"], "anchors(address)", ["address", "uint32", "uint64"], token)
        if anchor is None or [to_checksum_address(anchor[0]), *anchor[1:]] != listed_anchor:
            raise DeployError(f"oracle.anchors({token}): {anchor} after the deployment, expected {listed_anchor}")
