"""Checks of the fund's contracts: their code, whether their references match the address book, who owns them, and the
roles of the keeper's account."""

from __future__ import annotations

from collections.abc import Iterator

from eth_utils import keccak

from keeper.check.codes import KINDS, known, missing_functions
from keeper.check.context import CheckedFund
from keeper.check.findings import Finding, Says
from keeper.output.tables import hours

_OWNED = (
    "index_token",
    "rebalancer",
    "oracle",
    "first_oracle",
    "methodology",
    "posted_supply",
    "locked_supply",
    "upkeep",
)

_NAMED = (
    ("index_token", "REBALANCER()", "rebalancer"),
    ("rebalancer", "INDEX()", "index_token"),
    ("rebalancer", "ORACLE()", "oracle"),
    ("rebalancer", "OPENER()", "opener"),
    ("rebalancer", "CALENDAR()", "calendar"),
    ("oracle", "REBALANCER()", "rebalancer"),
    ("posted_supply", "REBALANCER()", "rebalancer"),
    ("oracle", "FIRST()", "first_oracle"),
    ("upkeep", "REBALANCER()", "rebalancer"),
    ("fee_split", "INDEX()", "index_token"),
    ("fee_split", "UPKEEP()", "upkeep"),
    ("zap", "FUND()", "index_token"),
    ("nav_feed", "FUND()", "index_token"),
    ("rebalancer", "methodology()", "methodology"),
    ("filler", "WETH()", "weth"),
)
"""Contract, its view of another contract's address, and the other one's name in the address book."""

_ROLES = (
    ("guardian", "rebalancer", "guardian()"),
    ("fee recipient", "index_token", "feeRecipient()"),
    ("poster", "posted_supply", "poster()"),
    ("owner of the rebalancer", "rebalancer", "owner()"),
    ("owner of the index token", "index_token", "owner()"),
    ("owner of the oracle", "oracle", "owner()"),
    ("owner of the methodology", "methodology", "owner()"),
)
_TIMELOCK_ROLES = {
    "proposer": keccak(text="PROPOSER_ROLE"),
    "canceller": keccak(text="CANCELLER_ROLE"),
    "admin": bytes(32),
}
OTHER_BOOK = "name the address book that this fund's deployment wrote, and no other chain's"


def code(fund: CheckedFund) -> Iterator[Finding]:
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


def wiring(fund: CheckedFund) -> Iterator[Finding]:
    """The contracts' references to each other match the address book."""
    addresses = {**fund.book.contracts, "weth": fund.book.weth}
    wrong = False
    for name, view, right in _NAMED:
        if name not in addresses or right not in addresses:
            continue
        found, expected = fund.value(name, view, "address"), addresses[right]
        if found == expected or (name == "posted_supply" and found is None):
            continue  # in an older release, posted supplies have no rebalancer
        wrong = True
        if right == "methodology":
            yield Says("wiring", "methodology").warning(
                f"the rebalancer's is {found}, the address book says {expected}",
                "the owner has set another: put its address into the book, so that `explain` reads the right one",
            )
        else:
            yield Says("wiring", name).failure(f"{view} is {found}, the address book says {expected}", OTHER_BOOK)
    if not wrong:
        yield Says("wiring", fund.book.fund).ok("the contracts name each other as the address book does")


def owners(fund: CheckedFund) -> Iterator[Finding]:
    """The timelock owns every contract that has an owner, and its delay is no shorter than at deployment."""
    book = fund.book
    wrong = False
    for name in _OWNED:
        owner = fund.value(name, "owner()", "address") if name in book.contracts else book["timelock"]
        if owner is None and name == "upkeep":
            continue  # in an older release, the upkeep pays nothing and has no owner
        if owner != book["timelock"]:
            wrong = True
            yield Says("owner", name).failure(
                f"is {owner}, expected the timelock {book['timelock']}",
                "whoever owns it can change the fund without notice: ask the fund's governance before you carry it",
            )
    says = Says("owner", "timelock")
    delay, least = fund.value("timelock", "getMinDelay()", "uint256"), book.timelock_delay
    if delay is None:
        yield says.failure("does not answer getMinDelay()", "the owner is no timelock: ask the fund's governance")
    elif least is None:
        yield says.warning(
            f"delay {hours(delay)}; the address book does not say what it was deployed with",
            "add timelock_delay (seconds, from the fund's file) to the book",
        )
    elif delay < least:
        yield says.failure(
            f"delay {hours(delay)}, deployed with {hours(least)}",
            "holders have less time to leave than they were told: ask the fund's governance before you carry it",
        )
    elif not wrong:
        yield says.ok(f"owns every contract, with a delay of {hours(delay)}")


def roles(fund: CheckedFund, account: str) -> Iterator[Finding]:
    """The account has no role in the fund: a key that is always online should have no other power."""
    fund.ahead(("timelock", "hasRole(bytes32,address)", role, account) for role in _TIMELOCK_ROLES.values())
    roles_here = [row for row in _ROLES if row[1] in fund.book.contracts]
    found = [role for role, name, view in roles_here if fund.value(name, view, "address") == account]
    found += [
        f"{role} of the timelock"
        for role, digest in _TIMELOCK_ROLES.items()
        if fund.value("timelock", "hasRole(bytes32,address)", "bool", digest, account)
    ]
    says = Says("roles", account)
    if found:
        yield says.warning(
            f"is {', '.join(found)} of {fund.book.fund}",
            "give the keeper a key of its own, without any role (docs/operations/keys.md, Changing the key)",
        )
    else:
        yield says.ok(f"has no role in {fund.book.fund}")
