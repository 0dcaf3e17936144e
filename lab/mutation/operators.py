"""Makes mutants of Solidity sources by textual rules. Pure.

Skipped: comments, strings, imports, pragma, events, errors, structs' and enums' own lines. Assembly has its own
operators.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

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
    "ASM": "in assembly: lt gt, add sub, mul div, shl shr, and or, eq for lt; iszero dropped",
    "ASC": "in assembly: a constant one more, or (0 apart) one less",
    "ASD": "in assembly: a call or an assignment deleted that is a statement on one line",
}
"""What each operator does, by its short name."""

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
_INSTRUCTIONS: Mapping[str, str] = {
    **{"lt": "gt", "gt": "lt", "slt": "sgt", "sgt": "slt", "add": "sub", "sub": "add", "mul": "div", "div": "mul"},
    **{"shl": "shr", "shr": "shl", "and": "or", "or": "and", "eq": "lt", "iszero": ""},
}
_INSTRUCTION = re.compile(rf"\b({'|'.join(_INSTRUCTIONS)})(?=\()")
_ASSEMBLY_CONSTANT = re.compile(r"(?<![\w.])(?:0x[0-9a-fA-F]+|\d+)(?![\w.])")
_ASSEMBLY_STATEMENT = re.compile(r"^[ \t]*(?P<body>[A-Za-z_]\w*(?: := |\()[^\n{}]*?)[ \t]*$", re.MULTILINE)
_CONSTANT = re.compile(r"(?<![\w.])\d[\d_]*(?:e\d+)?(?![\w.])")
_UNIT = re.compile(r" (?:seconds|minutes|hours|days|weeks|wei|gwei|ether)\b")
_HEADER = re.compile(r"\b(?:function|constructor)\b[^{};]*\{")
_MODIFIERS = re.compile(r"\b(?:nonReentrant|only[A-Z]\w*|locking|betweenMonths|due\([^()]*\))(?!\w)")
_STATEMENT = re.compile(
    r"^[ \t]*(?P<body>(?:\+\+|--|delete |emit )?[A-Za-z_][\w.\[\]]*(?: [-+*/|&]?= |\(|;)[^;{}\n]*;?)[ \t]*$",
    re.MULTILINE,
)
_NO_STATEMENT = re.compile(r"(?:return|require|revert|if|for|while|else|function|constructor|continue|break)\b|_;")


@dataclass(frozen=True)
class Mutant:
    """`start`, `end`: range of characters that `new` replaces. `line` counts from 1.

    `name`: unique, and independent of the line's number: file, operator, change, text of the line, and a number where
    several read alike.
    """

    name: str
    file: str
    line: int
    operator: str
    start: int
    end: int
    old: str
    new: str

    def apply(self, source: str) -> str:
        """The source with the change. Raises ValueError if the mutant was made from another source."""
        if source[self.start : self.end] != self.old:
            raise ValueError(f"{self.file} line {self.line}: {self.old!r} expected, the file has changed")
        return source[: self.start] + self.new + source[self.end :]


def masked(source: str) -> str:
    """The source with blanks for all that is skipped and for assembly; every character keeps its place."""
    text = _silenced(source)
    for start, end in _assembly(text):
        text = text[:start] + _blank(text[start:end]) + text[end:]
    return text


def masked_but_assembly(source: str) -> str:
    """The source with blanks for all but its assembly blocks."""
    text = _silenced(source)
    kept, last = [], 0
    for start, end in _assembly(text):
        kept += [_blank(text[last:start]), text[start:end]]
        last = end
    return "".join([*kept, _blank(text[last:])])


def mutants(file: str, source: str) -> list[Mutant]:
    """All mutants of a source, in the order of the text."""
    text, assembly = masked(source), masked_but_assembly(source)
    lines = source.split("\n")
    alike: Counter[str] = Counter()

    def at(operator: str, start: int, end: int, new: str) -> Mutant:
        line = source.count("\n", 0, start) + 1
        return Mutant("", file, line, operator, start, end, source[start:end], new)

    def named(mutant: Mutant) -> Mutant:
        old, new = (" ".join(words.split()) for words in (mutant.old, mutant.new))
        words = f"{file} {mutant.operator} {old} -> {new}: {lines[mutant.line - 1].strip()}"
        alike[words] += 1
        return replace(mutant, name=words if alike[words] == 1 else f"{words} #{alike[words]}")

    found = [
        *_swaps(text, at),
        *_conditions(text, at),
        *_constants(text, at),
        *_deletions(text, at),
        *_in_assembly(assembly, at),
    ]
    return [named(mutant) for mutant in sorted(found, key=lambda mutant: (mutant.start, mutant.operator, mutant.new))]


def sample(every: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """`count` of them, all equally likely: the first by the hash of seed and name.

    So a larger sample of the same seed begins with the smaller one, and new mutants do not change the order of the
    others.
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
        for sign, step in (("+", 1),) if found[0] == "0" else (("+", 1), ("-", -1)):
            # Solidity takes a unit only after a plain number.
            unit = _UNIT.match(text, found.end())
            new = str(int(found[0]) + step) if unit else f"({found[0]} {sign} 1)"
            yield at("CON", found.start(), found.end(), new)


def _deletions(text: str, at: _Make) -> Iterator[Mutant]:
    for found in _STATEMENT.finditer(text):
        body = found["body"]
        if body.endswith(";") and body.count("(") == body.count(")") and not _NO_STATEMENT.match(body):
            yield at("DEL", found.start("body"), found.end("body"), "")
    for header in _HEADER.finditer(text):
        for word in _MODIFIERS.finditer(header[0]):
            yield at("MOD", header.start() + word.start(), header.start() + word.end(), "")


def _in_assembly(text: str, at: _Make) -> Iterator[Mutant]:
    for found in _INSTRUCTION.finditer(text):
        yield at("ASM", found.start(), found.end(), _INSTRUCTIONS[found[1]])
    for found in _ASSEMBLY_CONSTANT.finditer(text):
        value = int(found[0], 0)
        for new in (value + 1,) if value == 0 else (value + 1, value - 1):
            yield at("ASC", found.start(), found.end(), str(new))
    for found in _ASSEMBLY_STATEMENT.finditer(text):
        body = found["body"]
        if body.count("(") == body.count(")"):
            yield at("ASD", found.start("body"), found.end("body"), "")


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _silenced(source: str) -> str:
    """Blanks for comments, strings and declarations. An assembly block's "memory-safe" mark is a string, too."""

    def blank(found: re.Match[str]) -> str:
        return _blank(found[0])

    return _DECLARATION.sub(blank, _SILENT.sub(blank, source))


def _assembly(text: str) -> list[tuple[int, int]]:
    """Where the assembly blocks begin and end."""
    return [(found.start(), _closing(text, found.end())) for found in _ASSEMBLY.finditer(text)]


def _closing(text: str, opening: int) -> int:
    """The place after the bracket that closes the one at `opening`."""
    depth = 0
    for place in range(opening, len(text)):
        depth += (text[place] in "({[") - (text[place] in ")}]")
        if depth == 0:
            return place + 1
    raise ValueError(f"bracket at character {opening} is never closed")


def _comma(text: str, opening: int, closing: int) -> int:
    """The place of the first comma between two brackets that is in no inner brackets, or of the closing bracket."""
    depth = 0
    for place in range(opening, closing):
        depth += (text[place] in "({[") - (text[place] in ")}]")
        if depth == 1 and text[place] == ",":
            return place
    return closing - 1
