"""Carries a fund through whole months: determine, start, batches at fair value, end.

Fair value: the filler pays what the sells are worth at the fund's own prices, and brings every buy to the same part of
its target. Its tokens are made on the spot, so that nothing here depends on the depth of a pool.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ballast.units import WAD
from lab.localnet.market import Market
from tests.helpers.chain import Receipt
from tests.helpers.contracts import Call, Contract
from tests.helpers.filling import FILLER, script, sells_worth, step
from tests.helpers.fund import Fund
from tests.helpers.settling import BUY, SELL, goal_of, usd

APRIL = 2021 * 12 + 3
ACTIONS = ("None", "Determine", "Start", "Trade", "Close")
REASONS = ("Due", "Locked", "Paused", "NotSeeded", "NotYet", "TooLate", "Vetoed", "Done", "Refused")
INCLUDED, FROZEN, LEAVING, OUTSIDE = range(4)
NO_PRICE = 8
IDLE, DETERMINED, VETOED, TRADING = range(4)
MAX_BATCHES = 12

Batch = Callable[[Any], tuple[Mapping[int, int], Mapping[int, int]]]
"""From `FundLens.fund` to what to sell and what to pay, token wei by index."""


@dataclass
class Carrier:
    """A fund and the keeper that carries it. `dead`: tokens whose feeds are not posted any more."""

    fund: Fund
    dead: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        chain = self.fund.chain
        self.chain = chain
        self.keeper = chain.account("keeper")
        self.filler = chain.deploy("ScriptedFiller", sender=self.keeper)
        self.market: Market = self.fund.market()

    def address(self, symbol: str) -> str:
        """A token of the local mainnet."""
        return self.fund.world.token(symbol).address

    def post(self) -> None:
        """Posts the feeds that live, a second after the latest block."""
        listed = [token.address for token in self.fund.world.tokens] + [self.fund.world.weth]
        self.chain.rpc.request("evm_setNextBlockTimestamp", self.chain.now() + 1)
        self.market.post_feeds([token for token in listed if token not in self.dead])

    def move_to(self, time: int) -> None:
        """Mines a block at that time and posts the feeds in the next."""
        self.chain.move_to(time)
        self.post()

    def due(self) -> tuple[str, str]:
        """What `workable()` says in the next block: the action and the reason by name."""
        action, reason, _ = self.chain.read(self.fund.rebalancer.workable(), at=self.chain.now() + 1)
        return ACTIONS[action], REASONS[reason]

    def next(self) -> int:
        """When `workable()` says to look again."""
        return int(self.chain.read(self.fund.rebalancer.workable(), at=self.chain.now() + 1)[2])

    def period(self) -> int:
        """The period of the next block."""
        return int(self.chain.read(self.fund.rebalancer.currentPeriod(), at=self.chain.now() + 1))

    def month(self) -> Any:
        return self.chain.read(self.fund.rebalancer.month())

    def state(self) -> Any:
        """FundLens.fund now."""
        return self.chain.read(self.fund.lens.fund(self.fund.rebalancer))

    def send(self, call: Call, sender: str | None = None, at: int | None = None) -> Receipt:
        return self.chain.send(call, sender or self.keeper, at=at)

    def determine(self) -> dict[str, Any]:
        """Determines; the constituents by token."""
        assert self.due() == ("Determine", "Due")
        receipt = self.send(self.fund.rebalancer.determine())
        (event,) = self.fund.rebalancer.events(receipt, "Determined")
        assert event.period == self.month().period
        return {c.token: c for c in event.constituents}

    def start(self) -> dict[str, Any]:
        """Starts; FundLens' holdings with their targets by token (zero if there is nothing to do)."""
        assert self.due() == ("Start", "Due")
        receipt = self.send(self.fund.rebalancer.start())
        (event,) = self.fund.rebalancer.events(receipt, "Started")
        state = self.state()
        assert (event.period, event.nav) == (self.month().period, state.opening.nav)
        holdings = {h.token: h for h in state.holdings}
        if state.month.phase == IDLE:
            assert len(self.fund.rebalancer.events(receipt, "Closed")) == 1
            return holdings
        priced = [h for h in holdings.values() if h.target.price]
        assert abs(event.nav - self.worth(priced)) <= len(holdings)
        return holdings

    def worth(self, holdings: Collection[Any]) -> int:
        """USD (18 decimals) per share of these holdings at the prices they were read with."""
        supply = self.chain.read(self.fund.index.totalSupply())
        return sum(usd(h.balance * WAD // supply, h.price, h.decimals) for h in holdings)

    def trade(self, batch: Batch | None = None, filler: Contract | None = None) -> Any:
        """One batch once the bucket has filled; its Traded event's result. By default as much as the bucket gives."""
        self.chain.move_to(self.chain.now() + 200)
        self.post()
        state = self.state()
        receipt = self.send(self.trade_call(state, *(batch or self.fair)(state), filler=filler))
        (event,) = self.fund.rebalancer.events(receipt, "Traded")
        return event.result

    def trade_call(
        self, state: Any, sells: Mapping[int, int], pays: Mapping[int, int], filler: Contract | None = None
    ) -> Call:
        """The call of this batch, with payments that are made on the spot unless another filler is named."""
        calls = [step(self.fund.token(state.holdings[i].token).mint(self.fund.index, a)) for i, a in pays.items()]
        to_filler = [FILLER] * len(sells)
        data = b"" if filler else script(calls)
        order = ([*sells], [*sells.values()], to_filler, [*pays], 0, filler or self.filler, data)
        return self.fund.rebalancer.trade(order)

    def fair(self, state: Any, of: Collection[str] | None = None) -> tuple[dict[int, int], dict[int, int]]:
        """Sells up to the bucket's capacity, all or only these tokens, and payments of the same value."""
        lines = list(enumerate(state.holdings))
        sides = [i for i, h in lines if h.target.side == SELL and (of is None or h.token in of)]
        sells = {i: a for i, a in sells_worth(state, state.capacity, sides).items() if a}
        value = sum(usd(a, state.holdings[i].price, state.holdings[i].decimals) for i, a in sells.items())

        def pays(part: int) -> dict[int, int]:
            lacks = {i: goal_of(state, i, part) - h.balance for i, h in lines if h.target.side == BUY}
            return {i: a for i, a in lacks.items() if a > 0}

        low, high = 0, WAD
        while low < high:
            middle = (low + high) // 2
            worth = sum(usd(a, state.holdings[i].price, state.holdings[i].decimals) for i, a in pays(middle).items())
            low, high = (low, middle) if worth >= value else (middle + 1, high)
        return sells, pays(low)

    def trade_all(self) -> int:
        """Batches until the month is done; how many it took."""
        for count in range(MAX_BATCHES):
            if self.month().phase != TRADING:
                return count
            self.trade()
        raise AssertionError(f"not done after {MAX_BATCHES} batches")

    def to_trading(self) -> dict[str, Any]:
        """Goes through determination and start; the holdings with their targets by token."""
        self.to_determination()
        self.determine()
        self.to_start()
        return self.start()

    def to_determination(self) -> None:
        """To the beginning of the next period."""
        self.move_to(self.next())

    def to_start(self) -> None:
        """To the time at which start is due."""
        assert self.due() == ("None", "NotYet")
        self.move_to(self.next())

    def whole_month(self) -> dict[str, Any]:
        """From determination to the end; the holdings at start with their targets by token."""
        holdings = self.to_trading()
        self.whole_rest()
        return holdings

    def whole_rest(self) -> None:
        """From start to the end."""
        self.trade_all()
        self.check_done()

    def check_done(self) -> None:
        """The month ended as done: nothing above dust to sell or nothing to buy, until the next period."""
        assert self.due() == ("None", "Done")
        progress = self.chain.read(self.fund.rebalancer.progress())
        opening = self.chain.read(self.fund.rebalancer.opening())
        dust = self.fund.setup.limits.dust
        assert progress.surplus <= dust or progress.held + dust >= opening.buyTargets

    def check_on_target(self, holdings: Mapping[str, Any], apart: int = WAD // 500) -> None:
        """Every component stands within `apart` (a fraction) of the target that start fixed, those held exactly."""
        supply = self.chain.read(self.fund.index.totalSupply())
        for token, h in holdings.items():
            unit = self.balance(token) * WAD // supply
            allowed = 0 if h.target.side not in {SELL, BUY} else h.target.unit * apart // WAD + 10**6
            assert abs(unit - h.target.unit) <= allowed, (token, unit, h.target.unit)

    def balance(self, token: str) -> int:
        """Token wei in the fund."""
        return int(self.chain.read(self.fund.token(token).balanceOf(self.fund.index)))
