"""Deploys a fund with Ape and seeds it.

Everything that can be checked is checked before the first transaction, so that a mistake costs nothing. Index token,
oracle and rebalancer name each other; their addresses follow from the deployer's nonce and are known beforehand. The
address book is written last: where it exists, the fund stands whole.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_utils import keccak, to_checksum_address
from web3 import Web3

from ballast.abi import call_view, encode_call
from ballast.book import Book, BookCandidate
from ballast.exchanges import EXCHANGES
from ballast.fund_file import FundConfig
from ballast.parts import MAX_PRICE, STATES, Feed
from ballast.preflight import DeployError, preflight
from ballast.values import DEPLOYER

Progress = Callable[[str], None]

ANYONE = "0x0000000000000000000000000000000000000000"
ETH = ANYONE
SUPPLIES = ("posted_supply", "locked_supply")
"""Where supplies come from; only of market-cap funds."""
ORDER = (
    "timelock",
    "opener",
    "calendar",
    "lens",
    "v3_lens",
    "filler",
    "first_oracle",
    "oracle",
    *SUPPLIES,
    "methodology",
    "index_token",
    "rebalancer",
    "upkeep",
    "fee_split",
    "zap",
    "nav_feed",
)
"""Every contract that a fund may have, as they are deployed. Each may name those before it, and those whose
address it is told beforehand: the rebalancer, and of the index token its fee recipient."""
PLAIN = {"opener": "Opener", "calendar": "Calendar", "lens": "FundLens", "v3_lens": "V3Lens"}
"""Contracts that are deployed without arguments."""
SOURCE = ["address", "uint32", "uint8", "uint8", "uint128", "uint128", "uint128"]
"""Of the oracle's `Source`: feed, maximum age, decimals, quote, ratio, lowest, highest."""


def order(config: FundConfig) -> tuple[str, ...]:
    """The contracts of a fund in the order of the deployer's nonces."""
    left_out = set() if config.methodology.kind == "market_cap" else set(SUPPLIES)
    left_out |= set() if config.names_v3_pools else {"v3_lens"}
    left_out |= set() if config.anchored() else {"first_oracle"}
    left_out |= set() if config.upkeep.part else {"fee_split"}
    left_out |= set() if config.chain_id in EXCHANGES else {"zap"}
    return tuple(name for name in ORDER if name not in left_out)


def created_address(deployer: str, nonce: int) -> str:
    """Where a contract lands that `deployer` creates with `nonce` (CREATE)."""
    return str(to_checksum_address(keccak(rlp.encode([bytes.fromhex(deployer[2:]), nonce]))[12:]))


def predicted(deployer: str, nonce: int, names: Collection[str]) -> dict[str, str]:
    """Where these contracts of ORDER land if `deployer` creates them, in that order, from `nonce` on."""
    ordered = [name for name in ORDER if name in names]
    return {name: created_address(deployer, nonce + place) for place, name in enumerate(ordered)}


# Deployment


@dataclass(frozen=True)
class _Deployer:
    """Deploys one contract after the other and holds every address against the predicted one."""

    account: Any
    predicted: dict[str, str]
    progress: Progress
    done: dict[str, Any]

    def __call__(self, name: str, container: Any, *args: Any) -> None:
        self.progress(f"deploying {name}")
        instance = self.account.deploy(container, *args, publish=False)
        if instance.address != self.predicted[name]:
            raise DeployError(
                f"{name}: landed at {instance.address}, expected {self.predicted[name]}; another transaction of "
                f"{self.account.address} came between. Nothing of this deployment is in use: deploy again"
            )
        self.done[name] = instance


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
    deployer = _Deployer(account, predicted(account.address, account.nonce, order(config)), say, {})
    for name in order(config):
        contract, arguments = creation(name, config, deployer.predicted, account)
        deployer(name, getattr(project, contract), *arguments)
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
            BookCandidate(component.symbol, component.token, component.decimals, component.book_pools())
            for component in config.ordered()
        ),
        timelock_delay=config.timelock_delay,
    )
    if book_path is not None:
        book.save(book_path)
        say(f"address book: {book_path}")
    return book


def creation(name: str, config: FundConfig, at: Mapping[str, str], account: Any) -> tuple[str, tuple[Any, ...]]:
    """The compiled contract that stands for a name of ORDER in this fund, and the arguments of its constructor. `at`:
    the addresses of all contracts of the fund."""

    def who(role: str) -> str:
        return str(account.address) if role == DEPLOYER else role

    arguments: tuple[Any, ...] = ()
    match name:
        case "timelock":
            contract = "Timelock"
            arguments = config.timelock_delay, [who(role) for role in config.roles.proposers], [ANYONE]
        case "filler":
            contract, arguments = "UniswapFiller", (config.weth,)
        case "oracle" if config.anchored():
            contract = "AnchoredOracle"
            sources = at["first_oracle"], config.uniswap_v3_factory, config.weth, config.block_time
            arguments = at["timelock"], at["rebalancer"], *sources, anchor_rows(config)
        case "oracle" | "first_oracle":
            contract = "ChainlinkOracle"
            arguments = at["timelock"], at["rebalancer"], *sequencer_of(config), feed_rows(config)
        case "posted_supply":
            contract, now = "PostedSupply", account.provider.web3.eth.get_block("latest")["timestamp"]
            first = [(c.token, c.supply, now) for c in config.constituents() if c.supply]
            poster = ANYONE if config.roles.poster is None else who(config.roles.poster)
            arguments = at["timelock"], at["rebalancer"], poster, first
        case "locked_supply":
            contract, locked = "LockedSupply", [c for c in config.constituents() if c.lockers is not None]
            lockers = [sorted(c.lockers or (), key=lambda locker: int(locker, 16)) for c in locked]
            arguments = at["timelock"], [c.token for c in locked], lockers
        case "methodology" if config.methodology.kind == "market_cap":
            contract = "MarketCap"
            arguments = at["timelock"], config.methodology.as_tuple(), candidate_rows(config, at)
        case "methodology":
            contract, tokens = "FixedWeight", [component.token for component in config.constituents()]
            arguments = at["timelock"], list(zip(tokens, config.weights(), strict=True))
        case "index_token":
            recipient = at["fee_split"] if config.upkeep.part else who(config.roles.fee_recipient)
            contract, fee = "IndexToken", (recipient, config.streaming_fee)
            arguments = config.name, config.symbol, at["rebalancer"], at["timelock"], *fee, config.supply_cap
        case "rebalancer":
            contract = "Rebalancer"
            parts = [at[part] for part in ("index_token", "oracle", "opener", "calendar", "methodology", "timelock")]
            rules = config.limits.as_tuple(), config.limits.band, config.timetable.as_tuple()
            arguments = *parts, who(config.roles.guardian), *rules
        case _ if name in PLAIN:
            contract = PLAIN[name]
        case _:
            contract, arguments = _around(name, config, at, who(config.roles.fee_recipient))
    return contract, arguments


def _around(name: str, config: FundConfig, at: Mapping[str, str], recipient: str) -> tuple[str, tuple[Any, ...]]:
    """`creation` of what no other contract of the fund depends on. `recipient`: of the fee, or of what the fee split
    leaves of it."""
    match name:
        case "upkeep":
            return "Upkeep", (at["rebalancer"], at["timelock"], config.upkeep.as_tuple())
        case "fee_split":
            return "FeeSplit", (at["index_token"], at["upkeep"], recipient, config.upkeep.part)
        case "zap":
            return "Zap", (at["index_token"], config.weth, EXCHANGES[config.chain_id])
        case _:
            return "NavFeed", (at["rebalancer"], at.get("first_oracle", at["oracle"]))


def candidate_rows(config: FundConfig, at: Mapping[str, str]) -> list[tuple[str, str, int, int]]:
    """The methodology's candidates with the sources of their supplies."""
    sources = {False: at["posted_supply"], True: at["locked_supply"]}
    return [
        (c.token, sources[c.lockers is not None], STATES.index(c.state), c.given_supply) for c in config.constituents()
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
    for name in ("zap", "nav_feed"):
        if name in at:
            expect(name, "FUND()", at["index_token"])
    for name in ("oracle", "first_oracle", "posted_supply", "upkeep"):
        if name in at:
            expect(name, "REBALANCER()", at["rebalancer"])
    if "first_oracle" in at:
        expect("oracle", "FIRST()", at["first_oracle"])
    expect("rebalancer", "INDEX()", at["index_token"])
    expect("rebalancer", "ORACLE()", at["oracle"])
    for name in ("index_token", "oracle", "first_oracle", "methodology", "rebalancer", "upkeep", *SUPPLIES):
        if name in at:
            expect(name, "owner()", at["timelock"])
    if "fee_split" in at:
        expect("index_token", "feeRecipient()", at["fee_split"])
        expect("fee_split", "UPKEEP()", at["upkeep"])
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
