"""The fund's contracts: their code, and whether they name each other as in the address book."""

from __future__ import annotations

from collections.abc import Iterator

from ballast.units import HOUR_S
from keeper.check.codes import known, missing_functions
from keeper.check.context import Fund
from keeper.check.lines import Line, Says

KINDS = {
    "index_token": ("IndexToken",),
    "rebalancer": ("Rebalancer",),
    "opener": ("Opener",),
    "oracle": ("ChainlinkOracle", "AnchoredOracle"),
    "first_oracle": ("ChainlinkOracle",),
    "methodology": ("MarketCap", "FixedWeight"),
    "timelock": ("Timelock",),
    "filler": ("UniswapFiller",),
    "lens": ("FundLens",),
    "v3_lens": ("V3Lens",),
    "posted_supply": ("PostedSupply",),
    "locked_supply": ("LockedSupply",),
    "upkeep": ("Upkeep",),
    "zap": ("Zap",),
    "nav_feed": ("NavFeed",),
}
"""The release's contracts that a name in the address book may be."""

_OWNED = ("index_token", "rebalancer", "oracle", "first_oracle", "methodology", "posted_supply", "locked_supply")
OTHER_BOOK = "name the address book that this fund's deployment wrote, and no other chain's"


def code(fund: Fund) -> Iterator[Line]:
    """Each contract is of this release, or at least has every function that the keeper calls."""
    for name, address in fund.book.contracts.items():
        says = Says("contract", name)
        found = fund.code(address)
        kinds = KINDS[name]
        if not found:
            yield says.failure(f"no contract at {address} on chain {fund.book.chain_id}", OTHER_BOOK)
            continue
        match = next((kind for kind in kinds if known()[kind].fits(found)), None)
        if match is not None:
            yield says.ok(f"{match} of this release at {address}")
            continue
        lacking = min((missing_functions(kind, found) for kind in kinds), key=len)
        if lacking:
            shown = ", ".join(lacking[:3]) + (f" and {len(lacking) - 3} more" if len(lacking) > 3 else "")
            yield says.failure(
                f"{address} is no {' or '.join(kinds)} that this keeper knows: it lacks {shown}",
                "run the keeper of the release that the fund was deployed with; or the book names a wrong contract",
            )
        else:
            yield says.warning(
                f"{address} has other code than {' or '.join(kinds)} of this release",
                "compare the release that the fund was deployed with to this one (docs/operations/keeping.md); "
                "a proxy or a contract of somebody else should be reviewed",
            )


def wiring(fund: Fund) -> Iterator[Line]:
    """The contracts name each other as in the address book."""
    book = fund.book
    expected = [
        ("index_token", "REBALANCER()", "rebalancer"),
        ("rebalancer", "INDEX()", "index_token"),
        ("rebalancer", "ORACLE()", "oracle"),
        ("rebalancer", "OPENER()", "opener"),
        ("oracle", "REBALANCER()", "rebalancer"),
    ]
    if "first_oracle" in book.contracts:
        expected.append(("oracle", "FIRST()", "first_oracle"))
    if "upkeep" in book.contracts:
        expected.append(("upkeep", "REBALANCER()", "rebalancer"))
    expected += [(name, "FUND()", "index_token") for name in ("zap", "nav_feed") if name in book.contracts]
    wrong = False
    for name, view, right in expected:
        found = fund.address_of(name, view)
        if found != book[right]:
            wrong = True
            yield Says("wiring", name).failure(f"{view} is {found}, the address book says {book[right]}", OTHER_BOOK)
    methodology = fund.address_of("rebalancer", "methodology()")
    if methodology != book["methodology"]:
        wrong = True
        yield Says("wiring", "methodology").warning(
            f"the rebalancer's is {methodology}, the address book says {book['methodology']}",
            "the owner has set another: put its address into the book, so that `explain` reads the right one",
        )
    weth = fund.address_of("filler", "WETH()")
    if weth != book.weth:
        wrong = True
        yield Says("wiring", "filler").failure(f"WETH() is {weth}, the address book says {book.weth}", OTHER_BOOK)
    if not wrong:
        yield Says("wiring", book.fund).ok("the contracts name each other as the address book does")


def owners(fund: Fund) -> Iterator[Line]:
    """The timelock owns every contract that has an owner, and its delay is no shorter than at deployment."""
    book = fund.book
    wrong = False
    for name in _OWNED:
        if name not in book.contracts:
            continue
        owner = fund.address_of(name, "owner()")
        if owner != book["timelock"]:
            wrong = True
            yield Says("owner", name).failure(
                f"is {owner}, expected the timelock {book['timelock']}",
                "whoever owns it can change the fund without notice: ask the fund's governance before you carry it",
            )
    says = Says("owner", "timelock")
    answer = fund.view("timelock", "getMinDelay()", ["uint256"])
    least = book.timelock_delay
    if answer is None:
        yield says.failure("does not answer getMinDelay()", "the owner is no timelock: ask the fund's governance")
    elif least is None:
        yield says.warning(
            f"delay {_hours(answer[0])}; the address book does not say what it was deployed with",
            "add timelock_delay (seconds, from the fund's file) to the book",
        )
    elif answer[0] < least:
        yield says.failure(
            f"delay {_hours(answer[0])}, deployed with {_hours(least)}",
            "holders have less time to leave than they were told: ask the fund's governance before you carry it",
        )
    elif not wrong:
        yield says.ok(f"owns every contract, with a delay of {_hours(answer[0])}")


def _hours(seconds: int) -> str:
    return f"{seconds / HOUR_S:g} h"
