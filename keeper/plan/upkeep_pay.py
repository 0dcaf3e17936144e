"""When the fund's upkeep pays for a step."""

from __future__ import annotations

from keeper.look.purse import Purse
from keeper.plan.batch import Batch
from keeper.state import Action, FundState

_OVER = {Action.DETERMINE: 65_000, Action.START: 65_000, Action.TRADE: 65_000, Action.CLOSE: 40_000}
_PRICED = 5_500
"""Per component: determine and start compute the price of a share."""


def over(state: FundState) -> int:
    """Extra gas of the due step through the upkeep over the plain call, including the payment. The step as a whole
    uses, and is paid for, at least twice as much."""
    priced = state.action in (Action.DETERMINE, Action.START)
    return _OVER[state.action] + (_PRICED * len(state.holdings) if priced else 0)


def pays(purse: Purse, state: FundState, batch: Batch | None, base_fee: int) -> bool:
    """Whether the upkeep pays more for the due step than its extra gas over the plain call costs, at this base fee (wei
    per gas). `batch`: of a trade. Ignores tips: they are small beside the base fee, which the upkeep pays."""
    if state.action not in _OVER or (state.action is Action.TRADE and not _paid(purse, state, batch)):
        return False
    gas, worth = over(state), purse.worth(new_period=state.action is Action.DETERMINE)
    return min(worth, 2 * gas * min(base_fee, purse.max_base_fee)) > gas * base_fee


def _paid(purse: Purse, state: FundState, batch: Batch | None) -> bool:
    """Whether the upkeep pays for a batch: it sells enough, or ends the month."""
    if batch is None:
        return False
    after, dust = batch.outcome.progress, state.limits.dust
    ends = after.surplus <= dust or after.held + dust >= state.opening.buy_targets
    return ends or batch.outcome.sale.at_start >= purse.least_sale
