"""Estimates the cost of a command's transactions, and what the account lacks for them, before the first one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from web3 import Web3
from web3.exceptions import Web3Exception

from ballast.abi import call_view
from ballast.fund_file import FundError
from ballast.networks.faucets import ether_from, token_from
from ballast.values import decimal, ether_text

UNTRIED_GAS = 500_000
"""Assumed for a call that cannot be estimated alone, as it depends on an earlier one."""


@dataclass(frozen=True)
class Cost:
    """Number of transactions, their approximate gas, and the current price in wei per gas."""

    transactions: int
    gas: int
    price: int

    @property
    def wei(self) -> int:
        """Cost of the gas at that price, wei."""
        return self.gas * self.price

    def __str__(self) -> str:
        one = self.transactions == 1
        return f"{self.transactions} transaction{'' if one else 's'}, about {ether_text(self.wei)} for gas"


def cost_of(w3: Web3, sender: str, calls: Iterable[tuple[str | None, bytes]], more: int = 0, untried: int = 0) -> Cost:
    """The cost of `calls` (recipient, None for a creation, and data), estimated in the latest block, plus `untried`
    further transactions that cannot be estimated yet and together use `more` gas."""
    listed = list(calls)
    gas = sum(_gas(w3, sender, to, data) for to, data in listed)
    return Cost(len(listed) + untried, gas + more, w3.eth.gas_price)


def lacks_ether(w3: Web3, account: str, gas: int, paid: int = 0) -> list[str]:
    """A line if the account cannot pay `gas` wei for gas plus `paid` wei; it must have some ether in any case."""
    have = w3.eth.get_balance(Web3.to_checksum_address(account))
    if have and have >= gas + paid:
        return []
    expected = f"about {ether_text(gas)} for gas" if gas else "some for gas"
    if paid:
        expected = f"{ether_text(paid)} to pay with and {expected}"
    where = ether_from(w3.eth.chain_id)
    return [f"account {account}: holds {ether_text(have, up=False)}, expected {expected}; {where}"]


def lacks_tokens(w3: Web3, account: str, wanted: Iterable[tuple[str, str, int, int]], weth: str) -> list[str]:
    """A line for each token of which the account has too little. `wanted`: token, symbol, decimals and amount in token
    wei; `weth`: the fund's."""
    found = []
    for token, symbol, decimals, amount in wanted:
        balance = call_view(w3, token, "balanceOf(address)", ["uint256"], account)
        held = balance[0] if balance else 0
        if held < amount:
            found.append(
                f"account {account}: holds {decimal(held, decimals)} {symbol} ({token}), expected at least "
                f"{decimal(amount, decimals)}; {token_from(w3, token, weth)}"
            )
    return found


def require_none(problems: list[str]) -> None:
    """Raises FundError with all problems, a line each, if there are any."""
    if len(problems) == 1:
        raise FundError(problems[0])
    if problems:
        raise FundError("\n".join((f"{len(problems)} problems:", *problems)))


def _gas(w3: Web3, sender: str, to: str | None, data: bytes) -> int:
    call = {"from": sender, "data": "0x" + data.hex()} | ({} if to is None else {"to": to})
    try:
        return int(w3.eth.estimate_gas(call))  # type: ignore[arg-type]
    except (Web3Exception, ValueError):
        return UNTRIED_GAS
