"""Finds who holds a token: the accounts that Transfer events name, and their balances in one block."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from eth_utils import to_checksum_address
from web3 import Web3

from ballast.abi import call_view, topic
from ballast.build import ROOT
from ballast.fund_file import FundError
from keeper.errors import ChainError
from keeper.look.history import CHUNK
from keeper.look.retry import ask

TRANSFER = topic("Transfer(address,address,uint256)")
MAX_BLOCKS = 2_000_000
"""Most blocks of one report, about nine months of mainnet."""
MAX_ACCOUNTS = 20_000
"""Remembered at once. Above twice as many, those with the smallest net inflow are dropped."""
MAX_BALANCES = 400
"""Accounts whose balance is read: those with the largest net inflow."""
DELEGATED = bytes.fromhex("ef0100")
"""Beginning of the code of an account that has a key and has delegated to a contract (EIP-7702)."""
SOURCED = ROOT / "data" / "addresses" / "mainnet_lockers.csv"


@dataclass(frozen=True)
class Holder:
    """An account, its balance in token wei, and whether it is a contract without a key."""

    account: str
    balance: int
    is_contract: bool


Told = Callable[[int], None]
"""Called with the last block whose events have been read, or with the number of balances read."""


def inflows(w3: Web3, token: str, first: int, last: int, told: Told) -> dict[str, int]:
    """Net inflow, token wei, of the accounts with the largest ones in these blocks. Raises FundError, ChainError."""
    net: dict[str, int] = {}
    for end, logs in _spans(w3, token, first, last):
        for entry in logs:
            if len(entry["topics"]) != 3 or len(entry["data"]) != 32:
                continue
            amount = int.from_bytes(entry["data"], "big")
            giver, taker = ("0x" + bytes(word)[-20:].hex() for word in entry["topics"][1:])
            net[taker] = net.get(taker, 0) + amount
            net[giver] = net.get(giver, 0) - amount
        if len(net) > 2 * MAX_ACCOUNTS:
            net = dict(_largest(net, MAX_ACCOUNTS))
        told(end)
    return {str(to_checksum_address(account)): amount for account, amount in _largest(net, MAX_BALANCES)}


def holders(w3: Web3, token: str, accounts: Collection[str], block: int, told: Told) -> tuple[Holder, ...]:
    """Those of the accounts that hold anything at the end of a block, the largest first."""
    found = []
    for place, account in enumerate(accounts, 1):
        answer = call_view(w3, token, "balanceOf(address)", ["uint256"], account, block=block)
        if answer and answer[0]:
            code = bytes(w3.eth.get_code(Web3.to_checksum_address(account), block))
            found.append(Holder(account, answer[0], bool(code) and not code.startswith(DELEGATED)))
        told(place)
    return tuple(sorted(found, key=lambda holder: -holder.balance))


def sourced(token: str) -> dict[str, str]:
    """Lockers of a mainnet token whose source is public, with their names."""
    with SOURCED.open(encoding="utf-8", newline="") as file:
        return {row["locker"]: row["name"] for row in csv.DictReader(file) if row["token"].lower() == token.lower()}


def _largest(net: dict[str, int], most: int) -> list[tuple[str, int]]:
    return sorted(((a, n) for a, n in net.items() if n > 0), key=lambda item: -item[1])[:most]


def _spans(w3: Web3, token: str, first: int, last: int) -> Iterator[tuple[int, list[Any]]]:
    """The token's transfers, span by span with each one's last block: a span that the node refuses is halved."""
    span = CHUNK
    while first <= last:
        end = min(last, first + span - 1)
        try:
            logs = ask(lambda a=first, b=end: _transfers(w3, token, a, b), "transfers")  # type: ignore[misc]
        except ChainError as error:
            if end == first:
                raise FundError(f"transfers of block {first}: {error}; take a node that answers more") from None
            span = max(1, (end - first + 1) // 2)
            continue
        yield end, list(logs)
        first, span = end + 1, min(CHUNK, 2 * span)


def _transfers(w3: Web3, token: str, first: int, last: int) -> Any:
    address = Web3.to_checksum_address(token)
    return w3.eth.get_logs({"address": address, "fromBlock": first, "toBlock": last, "topics": [TRANSFER]})
