"""Actions of the owner that a fund's file cannot express, as calls of the timelock."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ballast.abi import encode_call
from ballast.cli import Deployed, checked_address
from ballast.fund_file import FundError
from ballast.steering import owner_abi
from ballast.steering.in_force import InForce
from ballast.steering.operations import TimelockCall
from ballast.values import parse_amount, parse_integer

SUPPLY_LIMIT = 2**88
"""A supply in whole tokens must be below it."""


def act_call(on: Deployed, state: InForce, what: str, arguments: tuple[str, ...]) -> TimelockCall:
    """The call of one of `ACTS`. Raises FundError."""
    usage, make = ACTS[what]
    wanted = usage.split()
    if len(arguments) != len(wanted):
        raise FundError(f"act {what}: found {len(arguments)} arguments, expected {usage or 'none'}")
    return make(on, state, *arguments)


def _rebalancer(function: str) -> Callable[..., TimelockCall]:
    def make(on: Deployed, _state: InForce, *symbols: str) -> TimelockCall:
        tokens = [_token(on, symbol) for symbol in symbols]
        return TimelockCall(on.book["rebalancer"], 0, encode_call(owner_abi.function("Rebalancer", function), *tokens))

    return make


def _override(on: Deployed, state: InForce, symbol: str, supply: str) -> TimelockCall:
    if state.rule is None:
        raise FundError("act override: the fund's weights are given, no supply counts; edit the weights in the file")
    try:
        whole = parse_integer(supply)
    except ValueError as error:
        raise FundError(f"supply: found {supply!r}, {error}") from None
    if not 0 < whole < SUPPLY_LIMIT:
        raise FundError(f"supply: found {supply!r}, expected whole tokens above 0")
    call = encode_call(owner_abi.function("MarketCap", "overrideSupply"), _token(on, symbol), whole)
    return TimelockCall(state.methodology, 0, call)


def _methodology(on: Deployed, _state: InForce, address: str) -> TimelockCall:
    at = checked_address("methodology", address)
    return TimelockCall(on.book["rebalancer"], 0, encode_call(owner_abi.function("Rebalancer", "setMethodology"), at))


def _withdraw(on: Deployed, _state: InForce, shares: str, to: str) -> TimelockCall:
    if "upkeep" not in on.book.contracts:
        raise FundError("act withdraw: the fund has no upkeep, and so no purse")
    try:
        amount = parse_amount(shares, 18)
    except ValueError as error:
        raise FundError(f"shares: found {shares!r}, {error}") from None
    given = on.book["index_token"], checked_address("to", to), amount
    return TimelockCall(on.book["upkeep"], 0, encode_call(owner_abi.function("Upkeep", "withdraw"), *given))


def _fee_recipient(on: Deployed, _state: InForce, address: str) -> TimelockCall:
    at = checked_address("fee recipient", address)
    return TimelockCall(on.book["index_token"], 0, encode_call(owner_abi.function("IndexToken", "setFeeRecipient"), at))


def _any(_on: Deployed, _state: InForce, target: str, data: str) -> TimelockCall:
    try:
        given = bytes.fromhex(data.removeprefix("0x"))
    except ValueError:
        raise FundError(f"data: found {data!r}, expected 0x and hexadecimal digits") from None
    return TimelockCall(checked_address("target", target), 0, given)


def _token(on: Deployed, symbol: str) -> str:
    """The token of a candidate in the book or of a component in the file, or an address."""
    candidate = next((c.token for c in on.book.candidates if symbol == c.symbol), None)
    return candidate or on.component(symbol).token


ACTS: Mapping[str, tuple[str, Callable[..., TimelockCall]]] = {
    "suspend": ("TOKEN", _rebalancer("suspend")),
    "resume": ("TOKEN", _rebalancer("resume")),
    "write-off": ("TOKEN", _rebalancer("writeOff")),
    "veto": ("", _rebalancer("veto")),
    "end-month": ("", _rebalancer("endMonth")),
    "unpause": ("", _rebalancer("unpause")),
    "override": ("TOKEN SUPPLY", _override),
    "methodology": ("ADDRESS", _methodology),
    "fee-recipient": ("ADDRESS", _fee_recipient),
    "withdraw": ("SHARES TO", _withdraw),
    "call": ("TARGET DATA", _any),
}
"""Each with its arguments, and the function that makes a call of them."""
