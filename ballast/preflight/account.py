"""Checks of the deploying account: ether for gas, and tokens for the seed."""

from __future__ import annotations

from collections.abc import Iterator

from web3 import Web3

from ballast.fund_file import FundConfig
from ballast.networks.faucets import ether_from, token_from
from ballast.preflight.chain import Reader
from ballast.preflight.problems import Problem
from ballast.values import decimal, ether_text

DEPLOYMENT_GAS = 34_000_000
"""More than a whole deployment uses; the account must have ether for this at the current gas price."""
SEED_GAS = 4_000_000
"""The part of it for approvals and seed, after all contracts are deployed."""


def ether(reader: Reader, account: str, gas: int) -> Iterator[Problem]:
    price = reader.w3.eth.gas_price
    need = gas * price
    have = reader.w3.eth.get_balance(Web3.to_checksum_address(account))
    if have == 0 or have < need:
        yield Problem(
            f"account {account}: holds {ether_text(have, up=False)}, expected at least {ether_text(need)} for gas "
            f"({gas:,} at {decimal(price, 9)} gwei); {ether_from(reader.w3.eth.chain_id)}"
        )


def seed(reader: Reader, account: str, config: FundConfig, sound: frozenset[str]) -> Iterator[Problem]:
    """The account has what the seed takes of each token in `sound`; other checks report the rest."""
    for component, amount in zip(config.seeded(), config.seed_amounts(), strict=True):
        if component.token not in sound:
            continue
        held = reader.number(component.token, "balanceOf(address)", account) or 0
        if held < amount:
            yield Problem(
                f"account {account}: holds {decimal(held, component.decimals)} {component.symbol} "
                f"({component.token}), expected {decimal(amount, component.decimals)} for the seed; "
                f"{token_from(reader.w3, component.token, config.weth)}"
            )
