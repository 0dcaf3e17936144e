"""What both engines share when they run a published month: one chain, its pools, and an arbitrageur.

Every time step begins with a block in which the arbitrageur restores the pools that have rested. The transactions that
an engine sends within a step are mined in blocks with the same timestamp.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from web3 import Web3
from web3.types import LogReceipt

from ballast.abi import call_data
from ballast.rule.arithmetic import Cost, cost_of, part, residual, usd, worst_short
from ballast.units import GWEI, HOUR_S, WAD
from lab.localnet.month_file import Month, MonthComponent
from lab.localnet.rpc import read
from lab.localnet.world import Token, World, WorldPool
from lab.replay.measure import MonthOutcome, balances_at, flow_of, pair_sides, swaps_in
from lab.replay.report import dollars, percent
from lab.testbed.chain import Chain
from lab.testbed.clock import GAS_PRICE_GWEI, Clock

Leaf = dict[str, float]
"""Figures of one engine's month, as in out/bench.json."""


@dataclass(frozen=True)
class MonthBench:
    """A month's chain."""

    chain: Chain
    clock: Clock
    world: World
    month: Month
    w3: Web3

    def step_to(self, time: int) -> None:
        """Moves to the next time step, Unix seconds."""
        self.clock.pass_to(time)

    def in_this_step(self) -> None:
        """Gives the next block the timestamp of the latest."""
        self.chain.rpc.request("evm_setNextBlockTimestamp", self.clock.now())

    def pool(self, component: MonthComponent) -> WorldPool:
        """The pool of the component's published venue."""
        return pool_of(component, self.world.token(component.address))

    def give(self, token: str, account: str, amount: int) -> None:
        """Mints token wei to an account."""
        self.chain.send(account, token, call_data("mint(address,uint256)", account, amount))

    def balances(self, holder: str) -> dict[str, int]:
        """The holder's balances, WETH included: token wei by token."""
        return balances_at(self.chain.rpc, self.world.prices, holder, self.clock.latest()[0])

    def balance(self, token: str, holder: str) -> int:
        """Token wei of the holder."""
        (amount,) = read(self.chain.rpc, token, "balanceOf(address)", ["uint256"], holder)
        return int(amount)

    def nav(self, balances: Mapping[str, int]) -> int:
        """USD value of token wei by token."""
        prices, decimals = self.world.prices, self.world.decimals
        return sum(usd(amount, prices[token], decimals[token]) for token, amount in balances.items())

    def cost(self, digests: Sequence[str], holder: str) -> Cost:
        """Total cost of the holder's trades in these transactions."""
        logs = list(self._logs(digests))
        flow = flow_of(logs, holder, swaps_in(logs, pair_sides(self.world)))
        return cost_of([flow], self.world.prices, self.world.decimals)

    def _logs(self, digests: Sequence[str]) -> Iterator[LogReceipt]:
        for digest in digests:
            yield from self.w3.eth.get_transaction_receipt(digest)["logs"]  # type: ignore[arg-type]


def slice_of(component: MonthComponent) -> int:
    """The published slice (maximum trade size) in token wei, rounded down."""
    return component.max_trade_size * int(10**component.decimals) // WAD


def pool_of(component: MonthComponent, token: Token) -> WorldPool:
    """The token's pool that stands in for the published venue.

    Uniswap V2 stands in for Balancer, Kyber and Uniswap V3; where no pool of the venue was observed, the first pool
    that was.
    """
    wanted = "sushiswap" if component.exchange == "sushiswap" else "uniswap"
    return next((pool for pool in token.pools if pool.venue == wanted), token.pools[0])


def leaf(outcome: MonthOutcome, weth_price: int) -> Leaf:
    """Figures of one engine's month. USD and per cent are rounded for readers."""
    after = [component.held_after() for component in outcome.components]
    gas_usd = outcome.gas * GAS_PRICE_GWEI * GWEI * weth_price // WAD
    return {
        "transactions": outcome.transactions,
        "gas": outcome.gas,
        "hours": round((outcome.ended_at - outcome.started_at) / HOUR_S, 2),
        "fees_usd": dollars(outcome.cost.fees),
        "impact_usd": dollars(outcome.cost.impact),
        "gas_usd_at_100_gwei": dollars(gas_usd),
        "cost_pct_nav": percent(part(outcome.cost.cost, outcome.nav_before)),
        "residual_pct_nav": percent(residual(after)),
        "worst_short_pct": percent(worst_short(after)),
    }
