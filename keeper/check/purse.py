"""Checks of the fund's upkeep: whether it pays for steps, and with what funds."""

from __future__ import annotations

from collections.abc import Iterator

from ballast.units import WAD
from keeper.check.account import ether, gwei
from keeper.check.context import CheckedFund
from keeper.check.findings import Finding, Says
from keeper.errors import ChainError
from keeper.look.purse import Purse, read_purse
from keeper.look.retry import Head

UNPAID = "steps are done all the same, unpaid"


def upkeep(fund: CheckedFund) -> Iterator[Finding]:
    """The upkeep's funds, and whether it pays now."""
    says = Says("upkeep", fund.book.fund)
    if "upkeep" not in fund.book.contracts:
        yield says.ok("none in the address book: the keeper pays its gas itself")
        return
    head = Head.of(fund.endpoint.head)
    try:
        purse = read_purse(fund.endpoint.w3, fund.book, head)
    except ChainError as error:
        remedy = "see the contracts above; until it answers the keeper calls the fund directly, at its own cost"
        yield says.warning(f"the purse cannot be read: {error}", remedy)
        return
    yield told(says, purse, head.base_fee)


def told(says: Says, purse: Purse, base_fee: int) -> Finding:
    """The finding for a purse at this base fee (wei per gas)."""
    # {wei} = {share 18} * {wei / share} / 1e18
    worth = purse.shares * purse.price // WAD
    held = f"{purse.shares / WAD:.4g} shares, worth {ether(worth)}"
    left = f"{ether(purse.left)} of {ether(purse.monthly)} left of this month"
    if not purse.shares:
        return says.warning(f"the purse is empty: {UNPAID}", "fill it (docs/operations/others.md), or pay the gas")
    if not purse.price:
        remedy = "see the feeds above: a component or ether has no price; the next step that finds all of them is paid"
        return says.warning(f"{purse.shares / WAD:.4g} shares without a price: {UNPAID}", remedy)
    if not purse.left:
        remedy = "nothing: the next determination begins another month; the owner's terms say how much one has"
        return says.warning(f"{held}; this month's {ether(purse.monthly)} are paid out: {UNPAID}", remedy)
    if base_fee > purse.max_base_fee:
        remedy = "nothing: the rest is the keeper's own, until gas is cheaper"
        return says.warning(f"{held}; {left}; pays only {gwei(purse.max_base_fee)} of {gwei(base_fee)}", remedy)
    return says.ok(f"pays, up to a base fee of {gwei(purse.max_base_fee)}: {held}; {left}")
