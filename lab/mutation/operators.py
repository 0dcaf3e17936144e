"""Mutants of Solidity sources, by plain rules on text. Pure.

Left alone: comments, strings, imports, pragma, events, errors, structs' and enums' own lines, and assembly blocks.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

OPERATORS: Mapping[str, str] = {
    "REL": "a comparison for its neighbour: < <=, > >=, == !=",
    "ARI": "+ -, * /, % *, += -=, << >>, & |",
    "LOG": "&& ||",
    "NEG": "the condition of an if negated",
    "RQN": "the condition of a require negated",
    "RQD": "a require deleted",
    "CON": "a decimal constant one more, or (0 apart) one less",
    "BOO": "true false",
    "MIN": "min max",
    "RND": "rounding up and down: Ceil Floor, up down, upPer downPer",
    "DEL": "an assignment, call or increment deleted that is a statement on one line",
    "MOD": "a modifier dropped from a function",
}
"""What is done, by its short name."""

_SWAPS: Sequence[tuple[str, str, str]] = (
    *(("REL", a, b) for a, b in ((" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "))),
    *(("REL", a, b) for a, b in ((" == ", " != "), (" != ", " == "))),
    *(("ARI", a, b) for a, b in ((" + ", " - "), (" - ", " + "), (" * ", " / "), (" / ", " * "), (" % ", " * "))),
    *(("ARI", a, b) for a, b in ((" += ", " -= "), (" -= ", " += "), (" << ", " >> "), (" >> ", " << "))),
    *(("ARI", a, b) for a, b in ((" & ", " | "), (" | ", " & "))),
    *(("LOG", a, b) for a, b in ((" && ", " || "), (" || ", " && "))),
    *(("MIN", a, b) for a, b in ((".min(", ".max("), (".max(", ".min("))),
    *(("RND", a, b) for a, b in (("Rounding.Ceil", "Rounding.Floor"), ("Rounding.Floor", "Rounding.Ceil"))),
    *(("RND", a, b) for a, b in ((".up(", ".down("), (".down(", ".up("), (".upPer(", ".downPer("))),
    ("RND", ".downPer(", ".upPer("),
    *(("BOO", a, b) for a, b in (("true", "false"), ("false", "true"))),
)

_SILENT = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"", re.DOTALL)
_DECLARATION = re.compile(r"^[ \t]*(?:import|pragma|event|error|using)\b[^;]*;", re.MULTILINE)
_ASSEMBLY = re.compile(r"\bassembly\b[^{]*(?=\{)")
_CONSTANT = re.compile(r"(?<![\w.])\d[\d_]*(?:e\d+)?(?![\w.])")
_HEADER = re.compile(r"\b(?:function|constructor)\b[^{};]*\{")
_MODIFIERS = re.compile(r"\b(?:nonReentrant|only[A-Z]\w*|locking|betweenMonths|due\([^()]*\))(?!\w)")
_STATEMENT = re.compile(
    r"^[ \t]*(?P<body>(?:\+\+|--|delete |emit )?[A-Za-z_][\w.\[\]]*(?: [-+*/|&]?= |\(|;)[^;{}\n]*;?)[ \t]*$",
    re.MULTILINE,
)
_NO_STATEMENT = re.compile(r"(?:return|require|revert|if|for|while|else|function|constructor|continue|break)\b|_;")


@dataclass(frozen=True)
class Mutant:
    """`start`, `end`: what is replaced by `new`, in characters of the file. `line` counts from 1."""

    file: str
    line: int
    operator: str
    start: int
    end: int
    old: str
    new: str

    @property
    def name(self) -> str:
        """Unique among the mutants of one source."""
        return f"{self.file}:{self.line}:{self.operator}:{self.start}:{self.new}"

    def apply(self, source: str) -> str:
        """The source with the change. Raises ValueError if it is not the one the mutant was made from."""
        if source[self.start : self.end] != self.old:
            raise ValueError(f"{self.file} line {self.line}: {self.old!r} expected, the file has changed")
        return source[: self.start] + self.new + source[self.end :]


def masked(source: str) -> str:
    """The source with blanks for all that is left alone; every character keeps its place."""

    def blank(found: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", found[0])

    text = _DECLARATION.sub(blank, _SILENT.sub(blank, source))
    for found in _ASSEMBLY.finditer(text):
        end = _closing(text, found.end())
        text = text[: found.start()] + re.sub(r"[^\n]", " ", text[found.start() : end]) + text[end:]
    return text


def mutants(file: str, source: str) -> list[Mutant]:
    """All mutants of a source, in the order of the text."""
    text = masked(source)

    def at(operator: str, start: int, end: int, new: str) -> Mutant:
        return Mutant(file, source.count("\n", 0, start) + 1, operator, start, end, source[start:end], new)

    found = [*_swaps(text, at), *_conditions(text, at), *_constants(text, at), *_deletions(text, at)]
    return sorted(found, key=lambda mutant: (mutant.start, mutant.operator, mutant.new))


def sample(every: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """`count` of them, all equally likely: the first by the hash of seed and name.

    So a larger sample of the same seed begins with the smaller one, and new mutants leave the order of the others.
    """
    if count < 0:
        raise ValueError(f"sample: {count}, expected 0 or more")
    return sorted(every, key=lambda mutant: hashlib.sha256(f"{seed}:{mutant.name}".encode()).digest())[:count]


_Make = Callable[[str, int, int, str], Mutant]


def _swaps(text: str, at: _Make) -> Iterator[Mutant]:
    for operator, old, new in _SWAPS:
        pattern = rf"\b{old}\b" if operator == "BOO" else re.escape(old)
        for found in re.finditer(pattern, text):
            yield at(operator, found.start(), found.end(), new)


def _conditions(text: str, at: _Make) -> Iterator[Mutant]:
    for found in re.finditer(r"\b(if|require) ?(?=\()", text):
        opening, closing = found.end(), _closing(text, found.end())
        if found[1] == "if":
            yield at("NEG", opening, closing, f"(!{text[opening:closing]})")
            continue
        end = _comma(text, opening, closing)
        yield at("RQN", opening + 1, end, f"!({text[opening + 1 : end].strip()})")
        yield at("RQD", found.start(), closing + 1, "")


def _constants(text: str, at: _Make) -> Iterator[Mutant]:
    for found in _CONSTANT.finditer(text):
        for sign in "+" if found[0] == "0" else "+-":
            yield at("CON", found.start(), found.end(), f"({found[0]} {sign} 1)")


def _deletions(text: str, at: _Make) -> Iterator[Mutant]:
    for found in _STATEMENT.finditer(text):
        body = found["body"]
        if body.endswith(";") and body.count("(") == body.count(")") and not _NO_STATEMENT.match(body):
            yield at("DEL", found.start("body"), found.end("body"), "")
    for header in _HEADER.finditer(text):
        for word in _MODIFIERS.finditer(header[0]):
            yield at("MOD", header.start() + word.start(), header.start() + word.end(), "")


def _closing(text: str, opening: int) -> int:
    """Behind the bracket that closes the one at `opening`."""
    depth = 0
    for place in range(opening, len(text)):
        depth += (text[place] in "({[") - (text[place] in ")}]")
        if depth == 0:
            return place + 1
    raise ValueError(f"bracket at character {opening} is never closed")


def _comma(text: str, opening: int, closing: int) -> int:
    """The first comma between two brackets that no other brackets hold, or the closing bracket."""
    depth = 0
    for place in range(opening, closing):
        depth += (text[place] in "({[") - (text[place] in ")}]")
        if depth == 1 and text[place] == ",":
            return place
    return closing - 1
