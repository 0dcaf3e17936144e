"""Checks a fund before its deployment. Sends nothing, and reports all problems at once.

Each module checks one kind of thing. Checks that depend on a failed one are skipped, so that one mistake is one line.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from decimal import Decimal

from web3 import Web3

from ballast.fund_file import FundConfig
from ballast.oracles import oracle_problems, rollup_warnings
from ballast.parts import Component
from ballast.preflight import anchors, feeds, fund_file, pools, tokens
from ballast.preflight.account import DEPLOYMENT_GAS, SEED_GAS, ether, seed
from ballast.preflight.chain import Reader
from ballast.preflight.problems import DeployError, Problem, Severity, judge

__all__ = ["DEPLOYMENT_GAS", "SEED_GAS", "DeployError", "preflight"]


def preflight(
    w3: Web3, account: str, config: FundConfig, *, unsafe: bool = False, gas: int = DEPLOYMENT_GAS
) -> tuple[str, ...]:
    """Warnings, a line each. Raises DeployError with all problems that would make the deployment fail, or the fund
    wrong or unsafe; `unsafe` turns unsafe ones into warnings. `gas`: upper bound of what the rest of the deployment
    uses."""
    return judge(_problems(Reader(w3), account, config, gas), unsafe)


def _problems(reader: Reader, account: str, config: FundConfig, gas: int) -> Iterator[Problem]:
    yield from fund_file.names(config)
    for component in config.ordered():
        yield from fund_file.lockers(component)
    chain_id = reader.w3.eth.chain_id
    if chain_id != config.chain_id:
        # On another chain none of the file's addresses can be expected.
        yield Problem(f"chain id: this chain is {chain_id}, the fund {config.slug!r} is for {config.chain_id}")
        return
    yield from fund_file.governance(config, account, reader.has_code)
    yield from fund_file.supply_jump(config)
    yield from ether(reader, account, gas)
    yield from _Market(reader, config).problems()
    yield from (Problem(text) for text in oracle_problems(reader.w3, config))
    yield from (Problem(text, Severity.WARNING) for text in rollup_warnings(config))
    sound = frozenset(c.token for c in config.components if _counts(tokens.read(reader, c.token), c))
    yield from seed(reader, account, config, sound)


def _counts(token: tokens.Token, component: Component) -> bool:
    return token.sound and token.decimals == component.decimals


class _Market:
    """Checks tokens, feeds, pools and anchors, also against each other."""

    def __init__(self, reader: Reader, config: FundConfig) -> None:
        self._reader = reader
        self._config = config
        self._weth = reader.has_code(config.weth)
        self._tokens = {c.token: tokens.read(reader, c.token) for c in config.components}
        self._eth = feeds.read(reader, config.eth_feed)
        self._feeds = {c.token: feeds.read(reader, c.feed) for c in config.components}

    def problems(self) -> Iterator[Problem]:
        config = self._config
        if not self._weth:
            yield Problem(f"weth: no contract at {config.weth} on chain {config.chain_id}")
        eth_problems = [*feeds.check("eth_feed", config.eth_feed, self._eth), *feeds.check_eth(self._eth)]
        yield from eth_problems
        eth = None if _stopped(eth_problems) else self._eth.price
        priced: dict[str, feeds.Priced] = {}
        for component in config.ordered():
            yield from tokens.check(component, self._tokens[component.token])
            found = [*feeds.check(f"{component.symbol}: feed", component.feed, self._feeds[component.token])]
            yield from found
            rate = eth if component.feed.quoted_in_eth else Decimal(1)
            if not _stopped(found) and rate is not None:
                reading = self._feeds[component.token]
                priced[component.symbol] = feeds.Priced(component, reading, reading.price * rate)
        prices = {one.component.token: one.usd for one in priced.values()}
        if eth is not None:
            prices[config.weth] = eth
        mistaken = False
        for component in config.ordered():
            quoted = yield from self._pools(component, prices)
            if component.symbol in priced:
                found = [*feeds.check_token(priced[component.symbol], quoted, priced)]
                yield from found
                mistaken |= _stopped(found)
        if mistaken:  # with wrong prices the checks below would be wrong too
            prices = {}
        for component, anchor in config.anchored():
            yield from anchors.check(self._reader, config, component, anchor, prices)
        yield from tokens.worth(config, prices, self._tokens)

    def _pools(self, component: Component, prices: Mapping[str, Decimal]) -> Generator[Problem, None, Decimal | None]:
        """Yields problems of the component's pools; returns USD for a whole token in the deepest sound one, None
        without one."""
        config, deepest = self._config, None
        token = self._tokens[component.token]
        for pool in component.pools:
            other = pool.other or config.weth
            if not token.sound or (pool.other is None and not self._weth):
                continue
            where = f"{component.symbol}: {pool.venue} pair {pool.pair}"
            found = [*pools.check(self._reader, where, pool, component.token, other)]
            yield from found
            far = self._tokens.get(other)
            decimals = 18 if pool.other is None else far.decimals if far else None
            if found or other not in prices or decimals is None:
                continue
            quote = pools.quote(self._reader, pool, component.token, other, (token.decimals or 0, decimals))
            if quote is not None:
                side = (quote.depth * prices[other], quote.price * prices[other])
                deepest = side if deepest is None else max(deepest, side)
        return None if deepest is None else deepest[1]


def _stopped(problems: list[Problem]) -> bool:
    return any(problem.severity is Severity.ERROR for problem in problems)
