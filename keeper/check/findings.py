"""The findings of a check: three levels, with a remedy unless ok."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """Severity of a finding."""

    OK = "ok"
    WARNING = "warning"  # it works; somebody should look
    FAILURE = "failure"  # a month would not be done, or not properly


@dataclass(frozen=True)
class Finding:
    """One finding. `check`: the check's name; `subject`: what it checked (an endpoint, a contract, a component)."""

    check: str
    subject: str
    level: Level
    text: str
    remedy: str = ""

    def __post_init__(self) -> None:
        if (self.level is Level.OK) == bool(self.remedy):
            raise ValueError(f"remedy of {self.check}: expected one exactly where the level is not ok")


@dataclass(frozen=True)
class Says:
    """Makes the findings of one check about one subject."""

    check: str
    subject: str

    def ok(self, text: str) -> Finding:
        return Finding(self.check, self.subject, Level.OK, text)

    def warning(self, text: str, remedy: str) -> Finding:
        return Finding(self.check, self.subject, Level.WARNING, text, remedy)

    def failure(self, text: str, remedy: str) -> Finding:
        return Finding(self.check, self.subject, Level.FAILURE, text, remedy)
