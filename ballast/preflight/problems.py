"""The problems that checks find, and their severity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from ballast.fund_file import FundError


class DeployError(FundError):
    """The fund cannot be deployed on this chain from this account; a line for people per problem."""


class Severity(Enum):
    """Severity of a problem: what it stops."""

    ERROR = "the deployment would fail, or the fund be wrong from its first day"
    UNSAFE = "refused, unless the deployer says that it is meant"
    WARNING = "told, and the deployment goes on"


@dataclass(frozen=True)
class Problem:
    """One line: field, value, and what is expected."""

    text: str
    severity: Severity = Severity.ERROR


def judge(problems: Iterable[Problem], unsafe: bool) -> tuple[str, ...]:
    """The warnings. Raises DeployError with all problems that stop the deployment; `unsafe` turns unsafe ones into
    warnings."""
    warnings: list[str] = []
    stops: list[str] = []
    for problem in problems:
        if problem.severity is Severity.ERROR:
            stops.append(problem.text)
        elif problem.severity is Severity.UNSAFE and not unsafe:
            stops.append(f"{problem.text}; --unsafe deploys it all the same")
        else:
            warnings.append(problem.text)
    if len(stops) == 1:
        raise DeployError(stops[0])
    if stops:
        raise DeployError("\n".join((f"{len(stops)} problems:", *stops)))
    return tuple(warnings)
