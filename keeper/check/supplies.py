"""Checks of posted supplies: who else may post them besides the timelock, and which will be stale at the next
determination."""

from __future__ import annotations

from collections.abc import Iterator

from eth_utils import to_checksum_address

from ballast.supplies import going_stale
from ballast.values import NO_ADDRESS
from keeper.check.context import CheckedFund
from keeper.check.findings import Finding, Says
from keeper.output.tables import when

_CANDIDATES = ["(address,address,uint8,uint88)[]"]
_RULE = ["uint8", "uint64", "uint64", "uint64", "uint8", "bool", "uint32", "uint64", "uint8"]
_MAX_SUPPLY_AGE = 6


def poster(fund: CheckedFund) -> Iterator[Finding]:
    """Who may post besides the timelock; not the guardian, whose task is to veto wrong supplies."""
    if "posted_supply" not in fund.book.contracts:
        return
    says, found = Says("poster", fund.book.fund), fund.value("posted_supply", "poster()", "address")
    if found is None:
        yield says.ok("none: of an older release, the timelock alone posts supplies")
    elif found == NO_ADDRESS:
        yield says.ok("none, the timelock alone posts supplies")
    elif found == fund.value("rebalancer", "guardian()", "address"):
        yield says.warning(
            f"{found} is the guardian as well: nobody would veto what it posts",
            "the timelock should name another poster (setPoster) or another guardian",
        )
    else:
        yield says.ok(f"{found} may post supplies while no month is determined or trading")


def ages(fund: CheckedFund) -> Iterator[Finding]:
    """The candidates' posted supplies will be fresh at the next determination."""
    source = fund.book.contracts.get("posted_supply")
    rule = fund.view("methodology", "rule()", _RULE)
    listed = fund.view("methodology", "candidates()", _CANDIDATES)
    if source is None or rule is None or listed is None:
        return  # the fund's weights do not use posted supplies
    tokens = [to_checksum_address(row[0]) for row in listed[0] if to_checksum_address(row[1]) == source]
    fund.ahead(("posted_supply", "supply(address)", token) for token in tokens)
    answers = {token: fund.view("posted_supply", "supply(address)", ["uint256"] * 2, token) for token in tokens}
    dates: dict[str, int] = {token: answer[1] if answer else 0 for token, answer in answers.items()}
    at = fund.state.next_determination
    stale = going_stale(dates, at, rule[_MAX_SUPPLY_AGE])
    says = Says("supplies", fund.book.fund)
    if stale:
        yield says.warning(
            f"too old at the next determination ({when(at)}): {', '.join(map(fund.book.symbol, stale))}",
            "the poster should post new ones, see `ape run supplies`; until then the confirmed ones count",
        )
    elif tokens:
        yield says.ok(f"{len(tokens)} posted, the oldest of {when(min(dates.values()))}")
