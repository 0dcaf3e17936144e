"""What is looked at before a fund is deployed: chain, account, tokens, feeds, pools and anchors. Sends nothing."""

from __future__ import annotations

from decimal import Decimal

from eth_utils import to_checksum_address
from web3 import Web3

from ballast.calls import call_view, has_code
from ballast.config import FundConfig, FundError
from ballast.parts import Anchor, Component, Feed, Pool

DEPLOYMENT_GAS = 25_000_000
"""More than a whole deployment takes; the pre-flight check asks for ether for this at the current gas price."""


MAX_DISAGREEMENT = Decimal("0.05")
"""Most that an anchor may differ from the feed when it is listed, as in the oracle."""


class DeployError(FundError):
    """The fund cannot be deployed on this chain from this account; one line for people."""


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
            where = f"{component.symbol}: {pool.venue} pair {pool.pair}"
            _check_pool(w3, where, pool, component.token, pool.other or config.weth)
    for component, anchor in config.anchored():
        _check_anchor(w3, f"{component.symbol}: anchor {anchor.pool}", config, component, anchor)
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


def _check_anchor(w3: Web3, where: str, config: FundConfig, component: Component, anchor: Anchor) -> None:
    """Holds an anchor to what the oracle will hold it to."""
    fee = call_view(w3, anchor.pool, "fee()", ["uint24"])
    sides = [call_view(w3, anchor.pool, f"{side}()", ["address"]) for side in ("token0", "token1")]
    if fee is None or None in sides:
        raise DeployError(f"{where}: no pool of Uniswap V3 there on this chain")
    tokens = [str(to_checksum_address(side[0])) for side in sides if side is not None]
    known = call_view(
        w3, config.uniswap_v3_factory or "", "getPool(address,address,uint24)", ["address"], *tokens, fee[0]
    )
    if known is None or to_checksum_address(known[0]) != anchor.pool:
        raise DeployError(f"{where}: not a pool of uniswap_v3_factory {config.uniswap_v3_factory}")
    others = {c.token: c.feed for c in config.components} | {config.weth: config.eth_feed}
    other = next((token for token in tokens if token != component.token), "")
    if component.token not in tokens or other not in others:
        raise DeployError(
            f"{where}: trades {' and '.join(tokens)}, expected {component.symbol} and WETH or another component"
        )
    _check_observations(w3, where, anchor, config.block_time)
    decimals = {c.token: c.decimals for c in config.components} | {config.weth: 18}
    first = _feed_price(w3, component.feed, config.eth_feed)
    second = _pool_price(w3, where, anchor, component.token == tokens[0])
    # {USD / tok} = {other wei / wei} * {wei / tok} * {USD / other} / {other wei / other}
    second *= Decimal(10) ** (component.decimals - decimals[other])
    second *= _feed_price(w3, others[other], config.eth_feed)
    if abs(second - first) > first * MAX_DISAGREEMENT:
        raise DeployError(
            f"{where}: says {second:.6g} USD over {anchor.window} s, the feed {first:.6g} USD, "
            f"expected at most {MAX_DISAGREEMENT * 100:.0f} % apart"
        )


def _check_observations(w3: Web3, where: str, anchor: Anchor, block_time: int) -> None:
    needed = anchor.observations(block_time)
    types = ["uint160", "int24", "uint16", "uint16", "uint16"]
    slot = call_view(w3, anchor.pool, "slot0()", types)
    kept, wanted = (0, 0) if slot is None else slot[3:]
    if kept < needed:
        remedy = (
            f"it grows to {wanted} as it is traded in: wait"
            if wanted >= needed
            else f"anyone can call increaseObservationCardinalityNext({needed}) on it; then wait until it has filled"
        )
        expected = f"expected at least {needed} for a window of {anchor.window} s"
        raise DeployError(f"{where}: keeps {kept} observations, {expected}; {remedy}")


def _pool_price(w3: Web3, where: str, anchor: Anchor, forward: bool) -> Decimal:
    """Wei of the other token for one wei of the token, over the window; exact enough to compare."""
    sums = call_view(w3, anchor.pool, "observe(uint32[])", ["int56[]", "uint160[]"], [anchor.window, 0])
    if sums is None:
        raise DeployError(
            f"{where}: its oldest observation is younger than {anchor.window} s; wait, or shorten the window"
        )
    tick: int = (sums[0][1] - sums[0][0]) // anchor.window
    return Decimal("1.0001") ** (tick if forward else -tick)


def _feed_price(w3: Web3, feed: Feed, eth_feed: Feed) -> Decimal:
    """USD for a whole token, of a feed that has been checked."""
    types = ["uint256", "int256", "uint256", "uint256", "uint256"]
    decimals = call_view(w3, feed.address, "decimals()", ["uint256"]) or (0,)
    answer = call_view(w3, feed.address, "latestRoundData()", types) or (0, 0)
    price = Decimal(answer[1]).scaleb(-decimals[0])
    return price * _feed_price(w3, eth_feed, eth_feed) if feed.quoted_in_eth else price
