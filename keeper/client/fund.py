"""The read-only part of the API: a fund's state, its pools, and what the keeper would plan."""

from __future__ import annotations

from dataclasses import dataclass

from web3 import Web3

from ballast.units import HOUR_S, WAD
from keeper.client.offers import Offer, order_for
from keeper.look import contracts
from keeper.look.fund_reader import FundReader, Head, ask
from keeper.plan import planner
from keeper.plan.planner import Pace, Plan
from keeper.pools.market import HopCosts, Market
from keeper.sending.simulate import Call
from keeper.settings import load_book, load_settings
from keeper.state import Action, FundState, Side
from keeper.wiring import readers_of

_FREE: HopCosts = {0: 0, 1: 0}
_BALANCE = [
    {
        "type": "function",
        "name": "balanceOf",
        "stateMutability": "view",
        "inputs": [{"name": "holder", "type": "address"}],
        "outputs": [{"name": "", "type": "uint256"}],
    }
]


@dataclass(frozen=True)
class Look:
    """A fund and its pools in one block. `head`: that block, None if it was requested by number.

    >>> look = connected().look()
    >>> look.state.phase, look.state.nav, look.state.tolerance
    """

    head: Head | None
    state: FundState
    market: Market

    @property
    def trading(self) -> bool:
        """Whether the fund waits for a batch.

        >>> if look.trading:
        ...     found = offer(look.state, look.pool_prices(), stock, margin_bps=20, most_share=WAD // 100)
        """
        return self.state.action is Action.TRADE

    def pool_prices(self) -> dict[str, int]:
        """Price of one whole token in its deepest pool, USD with 18 decimals, by address; for a token without a pool
        the oracle's price. Uses the market's ETH price, the median that pools and oracle imply.

            >>> look.pool_prices()[look.state.holdings[0].token] / WAD
        """
        found = {}
        for h in self.state.holdings:
            pools = self.market.pools.get(h.token, ())
            found[h.token] = h.price
            if pools:
                side = pools[0].segments(self.market.weth)[0]
                # {USD / whole tok} = {USD / ETH} * {WETH wei} * {tok wei / whole tok} / ({tok wei} * {1e18})
                found[h.token] = self.market.eth_price * side.reserve_in * h.one // (side.reserve_out * WAD)
        return found

    def quote(self, paid: str, received: str, amount: int) -> int:
        """Token wei of `received` that the fund's pools give for `amount` wei of `paid`, through WETH, without gas.
        Raises ValueError for a token without a pool, or an amount above what its pools take.

            >>> look.quote(look.market.weth, look.state.holdings[0].token, 10**18)
        """
        market = self.market
        for token in (paid, received):
            if not market.tradable(token):
                raise ValueError(f"token {token}: has no pool against WETH in the address book")
        weth = market.sell(paid, amount, _FREE).received
        if received == market.weth:
            return weth
        curve = market.curve(received, market.pools[received], selling=False)
        parts = zip(curve.pools, curve.split(weth), strict=True)
        return sum(pool.amount_out(market.weth, part) for pool, part in parts if part)


class FundClient:
    """One fund on one chain.

    >>> fund = connected()
    >>> look = fund.look()
    >>> fund.plan(look, gas_price=30 * 10**9).why
    """

    def __init__(self, chain: FundReader) -> None:
        self._chain = chain

    @property
    def name(self) -> str:
        """The fund's name in the address book."""
        return self._chain.book.fund

    @property
    def chain_id(self) -> int:
        """The chain on which the fund is deployed."""
        return self._chain.book.chain_id

    def head(self) -> Head:
        """The latest block. Raises ChainError.

        >>> fund.head().number
        """
        return self._chain.head()

    def look(self, block: Head | int | None = None) -> Look:
        """The fund and its pools in a block (default: the latest), in one round trip. Raises ChainError, also for a
        head that is no longer part of the chain.

            >>> for head in bot.watch():
            ...     print(bot.fund.look(head).state.total_value)
        """
        found = self.head() if block is None else block
        state, market = self._chain.read(found)
        return Look(None if isinstance(found, int) else found, state, market)

    def plan(
        self, look: Look, gas_price: int, *, hours: float = 14, rest_s: int = 600, slippage_bps: int = 10
    ) -> Plan | None:
        """The keeper's plan for the rest of the month: how many batches, the next one, from when it is possible, and
        the cost. None unless the fund trades. Sends nothing.

        `gas_price`: wei per gas; `hours` that trading may take; `rest_s`: seconds between two batches; `slippage_bps`:
        how much less than planned a batch may bring. Takes earlier batches into account only for a look at a head, not
        at a block number. Raises ChainError.

            >>> found = fund.plan(look, gas_price=30 * 10**9)
            >>> found.batches, found.possible_from, found.cost  # number, Unix seconds, USD with 18 decimals
        """
        if not look.trading:
            return None
        pace = Pace(rest_s, int(hours * HOUR_S), None, None)
        if look.head is not None:
            past = self._chain.history.past(look.head, look.state)
            pace = Pace(rest_s, int(hours * HOUR_S), past.started_at, past.last_trade, past.gas_spent)
        return planner.plan(look.state, look.market, gas_price, pace, slippage_bps)

    def stock(self, holder: str, state: FundState) -> dict[str, int]:
        """A filler's current balance of each component that the fund buys, token wei by address. Raises ChainError.

        >>> fund.stock("0x...", look.state)
        """
        found, address = {}, Web3.to_checksum_address(holder)
        for h in state.holdings:
            if h.side is Side.BUY:
                token = self._chain.w3.eth.contract(address=Web3.to_checksum_address(h.token), abi=_BALANCE)
                asked = token.functions.balanceOf(address)
                found[h.token] = int(ask(asked.call, f"balance of {h.token}"))
        return found

    def fill(self, found: Offer, filler: str, state: FundState, payee: str | None = None) -> Call:
        """The call that fills an offer, made for this state, out of a `StockFiller`. With `payee` it goes through the
        fund's upkeep, which pays that account for it. Raises ValueError if the book then has no upkeep.

        >>> bot.send(fund.fill(found, filler, look.state))
        """
        address, order = Web3.to_checksum_address(filler), order_for(found, filler)
        if payee is None:
            data = contracts.call_data("StockFiller", "trade", order)
        elif "upkeep" in self._chain.book.contracts:
            data = contracts.call_data("StockFiller", "tradeThrough", self._chain.book["upkeep"], order, payee)
        else:
            raise ValueError(f"fund {self.name}: the address book names no upkeep that could pay {payee}")
        # The upkeep does not pay for an access list.
        return Call("solve", state.month_period, address, data, listed=payee is None)


def connected() -> FundClient:
    """The fund of the keeper's settings (`BALLAST_RPC_URL`, `BALLAST_BOOK`; environment or .env), read-only. Needs no
    key. Raises SettingsError, ChainError.

        >>> connected().look().state.phase
    """
    settings, secrets = load_settings()
    (chain,) = readers_of(settings, secrets, [load_book(settings)])
    return FundClient(chain)
