"""A solver: fills batches out of its own stock, at a better price than pools give.

    python -m examples.solver --filler ADDRESS --margin-bps 20

It needs a deployed `StockFiller` that holds what the fund buys, and the keeper's settings (`BALLAST_RPC_URL`,
`BALLAST_BOOK`, a key of its own that owns the filler; `BALLAST_PRIVATE_RPC_URL` if wanted).

What it offers follows from its margin alone: it pays what the fund sells is worth to it, less the margin, and sends as
soon as the fund's tolerance allows that. A tolerance that opens slowly is an auction with a falling price: of several
solvers the one with the smallest margin comes first, and a keeper that trades in pools comes last.

It pays a fixed amount, while the fund clamps what it sells to what is left when the batch is mined. So it names the
least that it wants of each sell: where somebody trades first, its batch reverts and it offers anew.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
import structlog
from eth_abi import encode
from web3 import Web3

from ballast.units import WAD
from keeper.errors import FeeTooHighError, KeeperError, SimulationError
from keeper.keys.limited import Limited
from keeper.keys.load import advice, load_signer
from keeper.look import contracts
from keeper.look.chain import Chain, Head
from keeper.output import logs
from keeper.plan import bucket
from keeper.plan.order import FILLER
from keeper.plan.settlement import Outcome, attainable, goal, outcome, surplus_after
from keeper.pools.market import Market
from keeper.sending.journal import Journal
from keeper.sending.sender import sender_for
from keeper.sending.simulate import Call
from keeper.settings import load_book, load_settings
from keeper.state import Action, FundState, Side
from keeper.wiring import chains_of

log = structlog.get_logger("solver")

FINE = 10**6
"""Parts of what could be bought in which the search for the right amounts ends."""
SLACK = 10**4
"""One part in so many of what it pays for may be missing: whoever redeems before it takes a little of the surplus."""


@dataclass(frozen=True)
class Offer:
    """A batch that the solver would fill: token wei by component, and what the contract will count for it."""

    sells: Mapping[int, int]
    pays: Mapping[int, int]
    outcome: Outcome

    def allowed(self, state: FundState) -> bool:
        """Whether the fund's rules allow it at the state's time."""
        idle = bucket.idle_x24(state.progress.tat, state.time, state.limits.max_idle)
        tolerance = bucket.tolerance(idle, state.limits, state.progress, self.outcome.sale)
        counted = self.outcome.value_in * WAD >= self.outcome.value_out * (WAD - tolerance)
        return counted and self.outcome.share <= bucket.capacity(idle, state.limits)


def offer(
    state: FundState, prices: Mapping[str, int], stock: Mapping[str, int], margin_bps: int, most_share: int
) -> Offer | None:
    """The offer of a solver to whom tokens are worth `prices` (USD for one whole token, 18 decimals) and who holds
    `stock` (token wei).

    The same part of every surplus, together at most `most_share` of NAV (18 decimals) and the bucket's capacity. Pays
    bring all buys to the same part of their targets, as far as the stock goes. Amounts are rounded so that the solver
    pays no more than its price. None if there is nothing to fill, or the stock does not pay for it.
    """
    idle = bucket.idle_x24(state.progress.tat, state.time, state.limits.max_idle)
    capacity = min(most_share, bucket.capacity(idle, state.limits))
    surplus = {h.index: amount for h in state.holdings if h.price and (amount := state.surplus(h))}
    whole = sum(state.holdings[i].trade_value_up(amount) for i, amount in surplus.items())
    if not whole or not capacity:
        return None
    # One part in a thousand less than the capacity: prices may move until it is mined.
    most = capacity * state.nav_at_start_prices // WAD * 999 // 1_000
    sells = {i: amount if whole <= most else amount * most // whole for i, amount in surplus.items()}
    worth = sum(amount * prices[state.holdings[i].token] // state.holdings[i].one for i, amount in sells.items())
    pays = _even(state, sells, prices, worth * (10_000 - margin_bps) // 10_000)
    if not pays or any(amount > stock.get(state.holdings[i].token, 0) for i, amount in pays.items()):
        return None
    return Offer(sells, pays, outcome(state, sells, pays))


def _even(state: FundState, sells: Mapping[int, int], prices: Mapping[str, int], budget: int) -> dict[int, int]:
    """Amounts of the buys that bring each to the same part of its target and are worth at most `budget` USD."""
    buys = [h for h in state.holdings if h.side is Side.BUY and h.price]

    def amounts(part: int) -> dict[int, int]:
        wanted = ((h.index, goal(state, h, part) - h.balance) for h in buys)
        return {index: amount for index, amount in wanted if amount > 0}

    def costs(found: Mapping[int, int]) -> int:
        return sum(-(-a * prices[state.holdings[i].token] // state.holdings[i].one) for i, a in found.items())

    left = surplus_after(state, sells)
    sold = sum(state.holdings[i].start_value(amount) for i, amount in sells.items())
    # What lies above this is not counted, so it is not paid.
    high = attainable(state, left, sold * WAD // state.nav_at_start_prices)
    low, step = 0, high
    while step > high // FINE:
        step //= 2
        if costs(amounts(low + step)) <= budget:
            low += step
    return amounts(low)


def order_for(found: Offer, filler: str) -> tuple[Any, ...]:
    """The offer as `StockFiller.trade` takes it. It may not bring less than it was counted for, a millionth aside, and
    the filler does not pay for less than is planned to be sold, a ten-thousandth aside."""
    least = found.outcome.value_in - found.outcome.value_in // 10**6
    data = stock_data([*found.pays.values()], [amount - amount // SLACK for amount in found.sells.values()])
    recipients = [FILLER] * len(found.sells)
    return [*found.sells], [*found.sells.values()], recipients, [*found.pays], least, filler, data


def stock_data(pays: Sequence[int], least_sells: Sequence[int]) -> bytes:
    """What `StockFiller` takes as an order's data: token wei to pay of each buy, least token wei of each sell."""
    return encode(["uint256[]", "uint256[]"], [pays, least_sells])


def pool_prices(state: FundState, market: Market) -> dict[str, int]:
    """What tokens are worth in the deepest pools, at an ETH price that makes them agree with the oracle on the whole;
    the oracle's price for what has no pool."""
    found = {}
    for h in state.holdings:
        pools = market.pools.get(h.token, ())
        found[h.token] = h.price
        if pools:
            side = pools[0].segments(market.weth)[0]
            # {USD / whole tok} = {USD / ETH} * {WETH wei} * {tok wei / whole tok} / ({tok wei} * {1e18})
            found[h.token] = market.eth_price * side.reserve_in * h.one // (side.reserve_out * WAD)
    return found


@dataclass(frozen=True)
class Solver:
    """One solver at one fund."""

    chain: Chain
    filler: str
    margin_bps: int
    most_share: int

    def call(self, block: Head | int) -> Call | None:
        """What to send in this block, if anything. Raises ChainError."""
        state, market = self.chain.read(block)
        if state.action is not Action.TRADE:
            return None
        found = offer(state, pool_prices(state, market), self.stock(state), self.margin_bps, self.most_share)
        if found is None or not found.allowed(state):
            return None
        contract = self.chain.w3.eth.contract(address=Web3.to_checksum_address(self.filler), abi=_TRADE)
        data = contract.functions.trade(order_for(found, self.filler))._encode_transaction_data()
        return Call("solve", state.month_period, self.filler, data)

    def stock(self, state: FundState) -> dict[str, int]:
        """What the filler holds of each component that the fund buys."""
        found = {}
        for holding in state.holdings:
            if holding.side is Side.BUY:
                token = self.chain.w3.eth.contract(address=Web3.to_checksum_address(holding.token), abi=_BALANCE)
                found[holding.token] = int(token.functions.balanceOf(self.filler).call())
        return found


_TRADE = [entry for entry in contracts.abi("Rebalancer") if entry.get("name") == "trade"]
"""The filler takes the same order."""
_BALANCE = [
    {
        "type": "function",
        "name": "balanceOf",
        "stateMutability": "view",
        "inputs": [{"name": "holder", "type": "address"}],
        "outputs": [{"name": "", "type": "uint256"}],
    }
]


@click.command()
@click.option("--filler", required=True, help="Address of the StockFiller that this key owns.")
@click.option("--margin-bps", type=click.IntRange(0, 1_000), default=20, show_default=True, help="What it keeps.")
@click.option("--most-bps", type=click.IntRange(1, 1_000), default=200, show_default=True, help="Of NAV in a batch.")
def main(filler: str, margin_bps: int, most_bps: int) -> None:
    """Fill batches of the fund out of a stock of one's own, until Ctrl-C."""
    settings, secrets = load_settings()
    logs.configure(settings.log)
    key = load_signer(settings, secrets)
    (chain,) = chains_of(settings, secrets, [load_book(settings)])
    signer = Limited(key, chain.book.chain_id, [filler])
    if (better := advice(settings, secrets)) is not None:
        log.warning("key", advice=better)
    stop = threading.Event()
    with Journal(settings.journal, chain.book.chain_id, signer.address) as journal:
        sender = sender_for(chain, signer, journal, settings, secrets, stop)
        solver = Solver(chain, Web3.to_checksum_address(filler), margin_bps, most_bps * WAD // 10_000)
        while True:
            try:
                if sender.unresolved:
                    sender.settle()
                elif (call := solver.call(chain.head())) is not None:
                    sender.send(call)
            except (FeeTooHighError, SimulationError) as error:
                log.info("not now", error=str(error))
            except KeeperError as error:
                log.error("step failed", error=str(error))
            stop.wait(settings.poll_seconds)


if __name__ == "__main__":
    logs.guard()
    main()
