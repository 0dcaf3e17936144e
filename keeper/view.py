"""A look at one fund in one block: its state, its pools, and the plan for it. Sends nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ballast.units import GWEI, HOUR_S
from keeper.look.data_fee import DataFees
from keeper.look.fund_reader import FundReader, Head
from keeper.look.interventions import Intervention
from keeper.look.outlook import Outlook
from keeper.plan.costs import MEASURED
from keeper.plan.order import whole_batch
from keeper.plan.planner import Aim, Pace, Plan, plan
from keeper.pools.market import Market
from keeper.settings import Settings
from keeper.state import Action, FundState


@dataclass(frozen=True)
class View:
    """A fund in one block. `plan`: only while trading; `gas_price`: price of gas that the plan assumes, wei: base fee
    and tip unless the settings fix it, the base fee alone without a plan. `told`: interventions in the month;
    `outlook`: what may be coming; both only if the caller adds them."""

    head: Head
    state: FundState
    market: Market
    gas_price: int
    plan: Plan | None
    told: tuple[Intervention, ...] = ()
    outlook: Outlook | None = None


class Viewer:
    """Looks at the fund; sends nothing."""

    def __init__(self, chain: FundReader, settings: Settings) -> None:
        self._chain = chain
        self._settings = settings
        self._data_fees = DataFees(chain.w3, chain.book, whole_batch(chain.book))

    def look(self, head: Head | None = None) -> View:
        """The fund in a block (default: the latest), and the plan for it. Raises ChainError."""
        head = head or self._chain.head()
        state, market = self._chain.read(head)
        if state.action is not Action.TRADE:
            return View(head, state, market, head.base_fee, None)
        wanted = self._settings
        asked = head.base_fee + self._chain.tip()
        gas_price = asked if wanted.plan_gas_gwei is None else wanted.plan_gas_gwei * GWEI
        past = self._chain.history.past(head, state)
        pace = Pace(
            rest=max(1, wanted.pool_rest_seconds),
            max_time=int(wanted.max_hours * HOUR_S),
            started_at=past.started_at,
            last_trade=past.last_trade,
            gas_spent=past.gas_spent,
        )
        aim = Aim(wanted.plan, wanted.fewest_batches, wanted.fewest_gas)
        costs = replace(MEASURED, data=self._data_fees.gas(head, gas_price))
        found = plan(state, market, gas_price, pace, wanted.slippage_bps, aim, costs)
        return View(head, state, market, gas_price, found)
