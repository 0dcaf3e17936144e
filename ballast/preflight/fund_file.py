"""Checks of the fund file itself: names, lockers, governance and its delays, the bound on supplies."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ballast.fund_file import FundConfig
from ballast.parts import MAX_LOCKERS, Component
from ballast.preflight.problems import Problem, Severity
from ballast.timetable import SCALE_S
from ballast.units import DAY_S, WAD
from ballast.values import DEPLOYER

MAX_NAME_BYTES = 31
"""The token's EIP-712 domain stores its name as a short string."""
MONTHLY_JUMP = 25 * WAD // 100
"""Part by which a supply may move in a month, by default."""
REACTION_S = DAY_S
"""Time for people to notice a late determination and write an override, seconds."""


def names(config: FundConfig) -> Iterator[Problem]:
    for field, text in (("name", config.name), ("symbol", config.symbol)):
        size = len(text.encode())
        if size > MAX_NAME_BYTES:
            yield Problem(f"{field}: found {text!r} with {size} bytes, expected at most {MAX_NAME_BYTES}")


def lockers(component: Component) -> Iterator[Problem]:
    listed = component.lockers or ()
    where = f"{component.symbol}: lockers"
    if len(listed) > MAX_LOCKERS:
        yield Problem(f"{where}: found {len(listed)}, expected at most {MAX_LOCKERS}")
    for address in sorted({address for address in listed if listed.count(address) > 1}):
        yield Problem(f"{where}: {address} stands there twice, expected each once")


def governance(config: FundConfig, account: str, is_contract: Callable[[str], bool]) -> Iterator[Problem]:
    """Problems of governance. `account` deploys; `is_contract`: whether an address has code."""
    delay, notice = config.timelock_delay, config.timetable.min_notice
    if delay == 0:
        yield Problem(
            "timelock_delay: found 0, expected time in which holders can leave, such as 2 days", Severity.UNSAFE
        )
    guardian = account if config.roles.guardian == DEPLOYER else config.roles.guardian
    proposers = {account if who == DEPLOYER else who for who in config.roles.proposers}
    if len(proposers) == 1:
        (alone,) = proposers
        if not is_contract(alone):
            also = [role for role, who in (("the deployer", account), ("the guardian", guardian)) if who == alone]
            note = f" (also {' and '.join(also)})" if also else ""
            yield Problem(
                f"roles.proposers: found one plain account alone, {alone}{note}: with its key all is lost, expected "
                "two or more, or a multi-signature account",
                Severity.UNSAFE,
            )
    poster = account if config.roles.poster == DEPLOYER else config.roles.poster
    if poster == guardian:
        yield Problem(
            f"roles.poster: found the guardian, {poster}: nobody would veto what it posts, expected another account",
            Severity.UNSAFE,
        )
    if notice < delay + REACTION_S:
        yield Problem(
            f"timetable.min_notice: found {_days(notice)}, expected at least {_days(delay + REACTION_S)}: "
            "timelock_delay and a day, or no override can be in time after a late determination",
            Severity.UNSAFE,
        )


def supply_jump(config: FundConfig) -> Iterator[Problem]:
    """The bound on a supply's move applies per period: shorter periods than a month need a smaller one."""
    length, jump = config.timetable.period, config.methodology.max_supply_jump
    if config.methodology.kind != "market_cap" or not DAY_S <= length < SCALE_S:
        return
    most = MONTHLY_JUMP * length // SCALE_S
    if jump > most:
        yield Problem(
            f"methodology.max_supply_jump: found {jump}, expected at most {most} in periods of {_days(length)}: what "
            "supplies may move by counts for each",
            Severity.UNSAFE,
        )


def _days(seconds: int) -> str:
    return f"{seconds} s ({seconds / DAY_S:g} days)"
