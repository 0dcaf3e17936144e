"""The keeper's account has no role in the fund: a key that is always online should be good for nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from eth_utils import keccak

from keeper.check.context import Fund
from keeper.check.lines import Line, Says

TIMELOCK_ROLES = {
    "proposer": keccak(text="PROPOSER_ROLE"),
    "canceller": keccak(text="CANCELLER_ROLE"),
    "admin": bytes(32),
}
REMEDY = "give the keeper a key of its own, without any role (docs/operations/keys.md, Changing the key)"


def roles(fund: Fund, account: str) -> Iterator[Line]:
    """The account has no role in the fund."""
    fund.ahead(("timelock", "hasRole(bytes32,address)", role, account) for role in TIMELOCK_ROLES.values())
    held = [
        role
        for role, name, view in (
            ("guardian", "rebalancer", "guardian()"),
            ("fee recipient", "index_token", "feeRecipient()"),
            ("owner of the rebalancer", "rebalancer", "owner()"),
            ("owner of the index token", "index_token", "owner()"),
            ("owner of the oracle", "oracle", "owner()"),
            ("owner of the methodology", "methodology", "owner()"),
        )
        if fund.address_of(name, view) == account
    ]
    for role, digest in TIMELOCK_ROLES.items():
        answer = fund.view("timelock", "hasRole(bytes32,address)", ["bool"], digest, account)
        if answer is not None and answer[0]:
            held.append(f"{role} of the timelock")
    says = Says("roles", account)
    if held:
        yield says.warning(f"is {', '.join(held)} of {fund.book.fund}", REMEDY)
    else:
        yield says.ok(f"has no role in {fund.book.fund}")
