"""Checks of the tokens: they exist, their decimals and supply match the file, and one wei is worth little enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from ballast.fund_file import FundConfig
from ballast.parts import MAX_DECIMALS, Component
from ballast.preflight.chain import Reader, usd
from ballast.preflight.problems import Problem, Severity
from ballast.units import WAD
from ballast.values import decimal

DUST_PARTS = 4
"""A wei may be worth at most one part in this many of a share's dust, so that rounding leaves only dust."""


@dataclass(frozen=True)
class Token:
    """A token's answers; None: unreadable. `total` in token wei."""

    code: bool
    decimals: int | None
    total: int | None

    @property
    def sound(self) -> bool:
        """Whether its amounts can be interpreted: it has code and acceptable decimals."""
        return self.code and self.decimals is not None and self.decimals <= MAX_DECIMALS


def read(reader: Reader, token: str) -> Token:
    code = reader.has_code(token)
    return Token(
        code,
        reader.number(token, "decimals()") if code else None,
        reader.number(token, "totalSupply()") if code else None,
    )


def check(component: Component, token: Token) -> Iterator[Problem]:
    symbol, address = component.symbol, component.token
    if not token.code:
        yield Problem(f"{symbol}: unknown token, no contract at {address} on this chain")
    elif token.decimals is None:
        yield Problem(f"{symbol}: {address} does not answer decimals(), expected an ERC-20 token")
    elif token.decimals > MAX_DECIMALS:
        yield Problem(f"{symbol}: decimals: the token {address} has {token.decimals}, expected at most {MAX_DECIMALS}")
    elif token.decimals != component.decimals:
        yield Problem(
            f"{symbol}: decimals: the fund says {component.decimals}, the token {address} says {token.decimals}"
        )
    if token.sound:
        yield from _supply(component, token)


def _supply(component: Component, token: Token) -> Iterator[Problem]:
    if component.supply is None and component.lockers is None:
        return
    if token.total is None:
        yield Problem(f"{component.symbol}: {component.token} does not answer totalSupply(), expected an ERC-20 token")
    elif component.given_supply * 10 ** (token.decimals or 0) > token.total:
        field = "supply" if component.supply else "known_supply"
        yield Problem(
            f"{component.symbol}: {field}: found {component.given_supply:,} tokens, expected at most "
            f"{decimal(token.total, token.decimals or 0)}, all that there are"
        )


def worth(config: FundConfig, prices: Mapping[str, Decimal], tokens: Mapping[str, Token]) -> Iterator[Problem]:
    """One wei of any token must be worth little compared with a share's dust, as a unit is whole token wei per share.
    Needs the prices (USD for a whole token) of all seeded components, else checks nothing."""
    if any(c.token not in prices or not tokens[c.token].sound for c in config.seeded()):
        return
    # {USD / share} = {wei / share} * {USD / tok} / {wei / tok}
    share = sum((_wei(prices, tokens, c.token) * c.seed_unit for c in config.seeded()), Decimal(0))
    most = share * config.limits.dust / WAD / DUST_PARTS
    for component in config.ordered():
        if component.token not in prices or not tokens[component.token].sound:
            continue
        wei = _wei(prices, tokens, component.token)
        if wei > most:
            yield Problem(
                f"{component.symbol}: one wei of it is worth {usd(wei)}, expected at most {usd(most)}, a quarter of "
                f"the dust of a share ({usd(share)}); make shares worth {_times(wei, most)} times as much "
                "(seed_unit), or limits.dust wider",
                Severity.UNSAFE,
            )


def _wei(prices: Mapping[str, Decimal], tokens: Mapping[str, Token], token: str) -> Decimal:
    """USD for one token wei."""
    return prices[token].scaleb(-(tokens[token].decimals or 0))


def _times(wei: Decimal, most: Decimal) -> str:
    return f"{ceil(wei / most):,}" if most else "many"
