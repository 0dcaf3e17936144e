"""Deploys a fund with Ape and seeds it.

Everything that can be checked is checked before the first transaction, so that a mistake costs nothing. Index token,
oracle and rebalancer name each other; their addresses follow from the deployer's nonce and are known beforehand. The
address book is written last: where it exists, the fund stands whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils import function_signature_to_4byte_selector, keccak, to_checksum_address
from rlp import encode as rlp_encode  # type: ignore[import-untyped]
from web3 import Web3
from web3.exceptions import Web3Exception

from ballast.book import Book, Candidate
from ballast.config import STATES, Feed, FundConfig, FundError, Pool
from ballast.values import DEPLOYER

Progress = Callable[[str], None]

ANYONE = "0x0000000000000000000000000000000000000000"
ETH = ANYONE
DEPLOYMENT_GAS = 25_000_000
"""More than a whole deployment takes; the pre-flight check asks for ether for this at the current gas price."""

SUPPLIES = ("posted_supply", "locked_supply")
"""Where supplies come from; only of market-cap funds."""


def order(config: FundConfig) -> tuple[str, ...]:
    """The contracts in the order of the deployer's nonces."""
    supplies = SUPPLIES if config.methodology.kind == "market_cap" else ()
    lenses = ("lens", "v3_lens") if config.names_v3_pools else ("lens",)
    return ("timelock", "opener", *lenses, "filler", "oracle", *supplies, "methodology", "index_token", "rebalancer")


class DeployError(FundError):
    """The fund cannot be deployed on this chain from this account; one line for people."""


def created_address(deployer: str, nonce: int) -> str:
    """Where a contract lands that `deployer` creates with `nonce` (CREATE)."""
    return str(to_checksum_address(keccak(rlp_encode([bytes.fromhex(deployer[2:]), nonce]))[12:]))


def call_view(w3: Web3, to: str, signature: str, returns: Sequence[str], *args: Any) -> tuple[Any, ...] | None:
    """Result of a view given as `name(type,type)`, or None if nothing sound comes back."""
    types = [part for part in signature[signature.index("(") + 1 : -1].split(",") if part]
    data = function_signature_to_4byte_selector(signature) + encode(types, args)
    try:
        answer = w3.eth.call({"to": Web3.to_checksum_address(to), "data": Web3.to_hex(data)})
        return tuple(decode(list(returns), bytes(answer)))
    except (Web3Exception, DecodingError, ValueError, OverflowError):
        return None


def has_code(w3: Web3, address: str) -> bool:
    """Whether a contract stands there."""
    return len(w3.eth.get_code(Web3.to_checksum_address(address))) > 0


# Pre-flight


def preflight(w3: Web3, account: str, config: FundConfig) -> None:
    """Raises DeployError for the first thing that would make the deployment fail. Sends nothing."""
    chain_id = w3.eth.chain_id
    if chain_id != config.chain_id:
        raise DeployError(f"chain id: this chain is {chain_id}, the fund {config.slug!r} is for {config.chain_id}")
    need = DEPLOYMENT_GAS * w3.eth.gas_price
    have = w3.eth.get_balance(Web3.to_checksum_address(account))
    if have == 0 or have < need:
        raise DeployError(
            f"account {account}: holds {Web3.from_wei(have, 'ether')} ETH, "
            f"expected at least {Web3.from_wei(need, 'ether')} ETH for gas"
        )
    if not has_code(w3, config.weth):
        raise DeployError(f"weth: no contract at {config.weth} on chain {chain_id}")
    _check_feed(w3, "eth_feed", config.eth_feed)
    for component in config.ordered():
        _check_token(w3, component.symbol, component.token, component.decimals)
        _check_feed(w3, f"{component.symbol}: feed", component.feed)
        for pool in component.pools:
            _check_pool(
                w3,
                f"{component.symbol}: {pool.venue} pair {pool.pair}",
                pool,
                component.token,
                pool.other or config.weth,
            )
    for component, amount in zip(config.seeded(), config.seed_amounts(), strict=True):
        balance = call_view(w3, component.token, "balanceOf(address)", ["uint256"], account)
        held = balance[0] if balance else 0
        if held < amount:
            raise DeployError(
                f"account {account}: holds {held} wei of {component.symbol} ({component.token}), "
                f"expected {amount} for the seed"
            )


def _check_token(w3: Web3, symbol: str, token: str, decimals: int) -> None:
    if not has_code(w3, token):
        raise DeployError(f"{symbol}: unknown token, no contract at {token} on this chain")
    found = call_view(w3, token, "decimals()", ["uint256"])
    if found is None:
        raise DeployError(f"{symbol}: {token} does not answer decimals(), expected an ERC-20 token")
    if found[0] != decimals:
        raise DeployError(f"{symbol}: decimals: the fund says {decimals}, the token {token} says {found[0]}")


def _check_feed(w3: Web3, where: str, feed: Feed) -> None:
    if not has_code(w3, feed.address):
        raise DeployError(f"{where}: missing, no contract at {feed.address} on this chain")
    decimals = call_view(w3, feed.address, "decimals()", ["uint256"])
    types = ["uint256", "int256", "uint256", "uint256", "uint256"]
    round_ = call_view(w3, feed.address, "latestRoundData()", types)
    if decimals is None or round_ is None:
        raise DeployError(f"{where}: {feed.address} does not answer, expected a Chainlink feed")
    if decimals[0] > 18 or (feed.quoted_in_eth and decimals[0] != 18):
        right = "18 (quoted in ETH)" if feed.quoted_in_eth else "at most 18"
        raise DeployError(f"{where}: {feed.address} has {decimals[0]} decimals, expected {right}")
    if round_[1] <= 0:
        raise DeployError(f"{where}: {feed.address} answers {round_[1]}, expected a price above 0")
    age = w3.eth.get_block("latest")["timestamp"] - round_[3]
    if not 0 <= age <= feed.max_age:
        raise DeployError(f"{where}: the answer of {feed.address} is {age} s old, expected 0 to {feed.max_age} s")


def _check_pool(w3: Web3, where: str, pool: Pool, token: str, other: str) -> None:
    if not has_code(w3, pool.pair):
        raise DeployError(f"{where}: no contract there on this chain")
    sides = [call_view(w3, pool.pair, f"{side}()", ["address"]) for side in ("token0", "token1")]
    found = [to_checksum_address(side[0]) for side in sides if side is not None]
    if sorted(found) != sorted([token, other]):
        right = "WETH" if pool.other is None else other
        raise DeployError(f"{where}: trades {' and '.join(found) or 'nothing'}, expected the token and {right}")
    if pool.venue == "uniswap-v3":
        fee = call_view(w3, pool.pair, "fee()", ["uint256"])
        if fee != (pool.fee_bps * 100,):
            answer = "nothing" if fee is None else f"{fee[0]} millionths"
            raise DeployError(f"{where}: fee_bps: the fund says {pool.fee_bps}, the pool {answer}")


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
) -> Book:
    """Deploys and seeds the fund from an Ape account on the connected chain; returns its address book.

    The seed shares, less the locked ones, go to the account. `book_path`: where the book is written, if anywhere.
    Raises DeployError (before the first transaction, unless the chain itself fails on the way).
    """
    say = progress or (lambda _text: None)
    w3: Web3 = account.provider.web3
    say("checking chain, account, tokens and feeds")
    preflight(w3, account.address, config)

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
    oracle = deploy("oracle", project.ChainlinkOracle, timelock.address, rebalancer, feed_rows(config))
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


def _supplies(project: Any, deploy: _Deployer, config: FundConfig, timelock: str) -> list[tuple[str, str, int]]:
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
        (component.token, sources[component.lockers is not None], STATES.index(component.state))
        for component in constituents
    ]


def feed_rows(config: FundConfig) -> list[tuple[str, str, int, int, int]]:
    """The oracle's feeds: ETH/USD first, for those that are quoted in ETH."""
    rows = [(ETH, config.eth_feed.address, config.eth_feed.max_age, 0, 0)]
    rows += [
        (component.token, component.feed.address, component.feed.max_age, int(component.feed.quoted_in_eth), 0)
        for component in config.ordered()
    ]
    return rows


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
        data = function_signature_to_4byte_selector("approve(address,uint256)")
        account.transfer(token, value=0, data=data + encode(["address", "uint256"], [spender, value]))


def _verify(w3: Web3, contracts: dict[str, Any], config: FundConfig) -> None:
    """Holds what stands on the chain against what was asked for."""
    at = {name: str(contract.address) for name, contract in contracts.items()}

    def expect(name: str, view: str, right: str) -> None:
        answer = call_view(w3, at[name], view, ["address"])
        found = to_checksum_address(answer[0]) if answer else None
        if found != right:
            raise DeployError(f"{name}.{view}: {found} after the deployment, expected {right}")

    expect("index_token", "REBALANCER()", at["rebalancer"])
    expect("oracle", "REBALANCER()", at["rebalancer"])
    expect("rebalancer", "INDEX()", at["index_token"])
    expect("rebalancer", "ORACLE()", at["oracle"])
    for name in ("index_token", "oracle", "methodology", "rebalancer", *SUPPLIES):
        if name in at:
            expect(name, "owner()", at["timelock"])
    answer = call_view(w3, at["index_token"], "components()", ["(address,uint8,bool)[]"])
    listed = [to_checksum_address(row[0]) for row in answer[0]] if answer else []
    if listed != [component.token for component in config.seeded()]:
        raise DeployError(f"index_token.components(): {listed} after the deployment, expected the seeded components")
    for component in config.ordered():
        price = call_view(w3, at["oracle"], "price(address)", ["uint256"], component.token)
        if not price or price[0] == 0:
            raise DeployError(f"{component.symbol}: the oracle has no price after the deployment")
