"""Finds the transactions that created an address book's contracts: in the journal, else in the deployment's blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_typing import HexStr
from eth_utils import to_checksum_address
from web3 import Web3
from web3.exceptions import TransactionNotFound

from ballast.book import Book
from ballast.deployment.creation import created_address
from ballast.deployment.journal import DeploymentJournal

SEARCHED = 1_000
"""Blocks to search from the deployment's first on, for contracts not in the journal: some three hours of Ethereum."""


@dataclass(frozen=True)
class Creation:
    """A creation. `hash`: of the transaction, 0x hex; `code`: creation code with the arguments appended."""

    hash: str
    code: bytes


def creations(w3: Web3, book: Book, journal: DeploymentJournal | None) -> dict[str, Creation]:
    """The creations of the book's contracts by their names in it, as far as found."""
    wanted = {address: name for name, address in book.contracts.items()}
    found: dict[str, Creation] = {}
    for sent in journal.sent if journal is not None else ():
        name = wanted.get(created_address(journal.deployer, sent.nonce)) if journal is not None else None
        if name is not None and (creation := _sent(w3, sent.hash)) is not None:
            found[name] = creation
    return found | _searched(w3, book.deployed_block, {a: n for a, n in wanted.items() if n not in found})


def _sent(w3: Web3, digest: str) -> Creation | None:
    try:
        transaction = w3.eth.get_transaction(HexStr(digest))
    except TransactionNotFound:
        return None
    if transaction.get("blockNumber") is None or transaction.get("to") is not None:
        return None
    return Creation(digest, bytes(transaction["input"]))


def _searched(w3: Web3, first: int, wanted: Mapping[str, str]) -> dict[str, Creation]:
    """Searches blocks until all of `wanted` (names by address) are found, at most SEARCHED blocks."""
    found: dict[str, Creation] = {}
    last = min(int(w3.eth.block_number), first + SEARCHED - 1)
    for number in range(first, last + 1):
        if len(found) == len(wanted):
            break
        transactions: Any = w3.eth.get_block(number, full_transactions=True)["transactions"]
        for one in transactions:
            if one.get("to") is not None:
                continue
            name = wanted.get(created_address(to_checksum_address(one["from"]), int(one["nonce"])))
            if name is not None:
                found[name] = Creation(Web3.to_hex(one["hash"]), bytes(one["input"]))
    return found
