"""Finds the funds that an account has deployed, by the code of their contracts on the chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from eth_utils import to_checksum_address
from web3 import Web3
from web3.exceptions import Web3Exception

from ballast.abi import call_view
from ballast.book import Book
from ballast.deployment.creation import created_address, order
from ballast.deployment.deploy import book_of
from ballast.deployment.resume import INDEX, is_seeded
from ballast.fund_file import FundConfig, FundError
from keeper.check.codes import KINDS, kind_of

Told = Callable[[str], None]
TOLD_EVERY = 100
"""Number of nonces between two progress reports."""
NAMED = (
    (INDEX, "REBALANCER()", "rebalancer"),
    (INDEX, "owner()", "timelock"),
    (INDEX, "feeRecipient()", "fee_split"),
    ("rebalancer", "ORACLE()", "oracle"),
    ("rebalancer", "OPENER()", "opener"),
    ("rebalancer", "CALENDAR()", "calendar"),
    ("rebalancer", "methodology()", "methodology"),
    ("oracle", "FIRST()", "first_oracle"),
)
"""Contracts that another one of the fund names: that one, its view, and the contract."""
NAMING = (
    ("upkeep", "REBALANCER()", "rebalancer"),
    ("posted_supply", "REBALANCER()", "rebalancer"),
    ("locked_supply", "owner()", "timelock"),
    ("zap", "FUND()", INDEX),
    ("nav_feed", "FUND()", INDEX),
)
"""Contracts that name another one: the contract, its view, and that one. The rest name nothing of the fund: any that
the deployer created will do."""


@dataclass(frozen=True)
class Created:
    """A contract that an account has created; `kind`: its name in this release, "" for none."""

    nonce: int
    address: str
    kind: str


def created_by(w3: Web3, deployer: str, least: int = 0, told: Told | None = None) -> Iterator[Created]:
    """The contracts of this release that the account created with its nonces from `least` on, the newest first."""
    count = w3.eth.get_transaction_count(Web3.to_checksum_address(deployer))
    for looked, nonce in enumerate(range(count - 1, least - 1, -1), 1):
        if told is not None and looked % TOLD_EVERY == 0:
            told(f"looked at {looked} of {count - least} nonces")
        address = created_address(deployer, nonce)
        kind = kind_of(bytes(w3.eth.get_code(Web3.to_checksum_address(address))))
        if kind:
            yield Created(nonce, address, kind)


def indexes_of(w3: Web3, created: list[Created], config: FundConfig) -> list[str]:
    """Index tokens with the fund's name and symbol, the newest first."""
    return [one.address for one in created if one.kind == "IndexToken" and _names(w3, one.address) == _wanted(config)]


def rebuilt(w3: Web3, created: list[Created], index: str, config: FundConfig, block: int | None) -> Book:
    """The address book of the fund with this index token, rebuilt from the chain. `block`: one before the fund's
    deployment; None: search for it. Raises FundError for an incomplete fund, or if a contract is not found."""
    if not is_seeded(w3, index):
        raise FundError(
            f"{INDEX}: {index} has no seed, the fund is not whole; run `ape run deploy` again, it goes on from there"
        )
    at = _contracts(w3, created, index, order(config))
    missing = [name for name in order(config) if name not in at]
    if missing:
        raise FundError(
            f"{missing[0]}: none of this release is found for the fund at {index}; is --deployer the account that "
            "deployed it, the file the fund's, and this the release it was deployed with?"
        )
    nonces = {one.address: one.nonce for one in created}
    first = min((at[name] for name in at if at[name] in nonces), key=lambda address: nonces[address])
    answer = call_view(w3, at["timelock"], "getMinDelay()", ["uint256"])
    book = book_of(config, at, _first_block(w3, first) if block is None else block)
    return book if answer is None else replace(book, timelock_delay=int(answer[0]))


def _contracts(w3: Web3, created: list[Created], index: str, names: tuple[str, ...]) -> dict[str, str]:
    at = {INDEX: index}
    for of, view, name in NAMED:
        if name in names and of in at and (found := _address(w3, at[of], view)) is not None:
            at |= {name: found} if _is(w3, found, name) else {}
    for name, view, named in NAMING:
        fitting = (one for one in _kinds(created, name) if _address(w3, one.address, view) == at.get(named))
        if name in names and (one := next(fitting, None)) is not None:
            at[name] = one.address
    number = next((one.nonce for one in created if one.address == index), 0)
    for name in names:
        # Of those that any fund could use, the last one before the index token: the fund was deployed with it.
        if name not in at and name in ("lens", "v3_lens", "filler"):
            earlier = (one.address for one in _kinds(created, name) if one.nonce < number)
            if (address := next(earlier, None)) is not None:
                at[name] = address
    return {name: at[name] for name in names if name in at}


def _kinds(created: list[Created], name: str) -> list[Created]:
    return [one for one in created if one.kind in KINDS[name]]


def _is(w3: Web3, address: str, name: str) -> bool:
    return kind_of(bytes(w3.eth.get_code(Web3.to_checksum_address(address)))) in KINDS[name]


def _address(w3: Web3, of: str, view: str) -> str | None:
    answer = call_view(w3, of, view, ["address"])
    return None if answer is None else str(to_checksum_address(answer[0]))


def _names(w3: Web3, index: str) -> tuple[Any, ...]:
    return tuple((call_view(w3, index, view, ["string"]) or ("",))[0] for view in ("name()", "symbol()"))


def _wanted(config: FundConfig) -> tuple[Any, ...]:
    return config.name, config.symbol


def _first_block(w3: Web3, address: str) -> int:
    """The block in which a contract was created, by bisection."""
    low, high = 0, int(w3.eth.block_number)
    try:
        while low < high:
            middle = (low + high) // 2
            code = w3.eth.get_code(Web3.to_checksum_address(address), middle)
            low, high = (low, middle) if code else (middle + 1, high)
    except (Web3Exception, ValueError) as error:
        raise FundError(
            f"block: the node does not know the state of block {middle} ({' '.join(str(error).split())[:80]}); say "
            "with --block a block before the deployment, or name a node that keeps old states"
        ) from None
    return low


def require_first(w3: Web3, deployer: str, config: FundConfig, nonces: int) -> None:
    """Raises FundError if one of the account's last `nonces` transactions created the index token of such a fund."""
    count = w3.eth.get_transaction_count(Web3.to_checksum_address(deployer))
    found = indexes_of(w3, list(created_by(w3, deployer, max(0, count - nonces))), config)
    for index in found:
        if is_seeded(w3, index):
            raise FundError(
                f"{INDEX}: {deployer} has deployed {config.name!r} already, at {index}; `ape run book` writes its "
                "address book, --another deploys another one"
            )
    if found:
        raise FundError(
            f"{INDEX}: a deployment of {config.name!r} was begun from {deployer}, index token {found[0]}, but its "
            "journal is not beside the address book; put it back (or name the book with --book) and it goes on, "
            "--another begins anew"
        )
