"""Assertions on words as assertions on integers, with fewer facts than the truth: what these refute is refuted.
`python integers.py SOLVER FILE` asks a solver for linear integers.

A word is a polynomial of unknown integers, and a sum or product wraps only where its bounds let it. What is not
understood, as most of what looks at single bits, may be anything. A product of unknowns is an unknown of its own; what
is known of it is that a comparison of the assertions, multiplied by something that is not negative, still holds.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations_with_replacement, permutations
from pathlib import Path

import z3

Monomial = tuple[int, ...]
"""Numbers of unknowns, in order; () is 1."""

MOST_DEGREE = 4
MOST_FACTORS = 14
"""By so many unknowns comparisons are multiplied; by two at once where they are fewer than the root of it."""

_OF_EVM = {"f_evm_bvmul": z3.Z3_OP_BMUL, "f_evm_bvudiv": z3.Z3_OP_BUDIV, "f_evm_bvurem": z3.Z3_OP_BUREM}
"""Functions that halmos has for what solvers find hard."""
_CONNECTIVES = {
    z3.Z3_OP_TRUE: "true",
    z3.Z3_OP_FALSE: "false",
    z3.Z3_OP_AND: "and",
    z3.Z3_OP_OR: "or",
    z3.Z3_OP_NOT: "not",
    z3.Z3_OP_IMPLIES: "=>",
    z3.Z3_OP_XOR: "xor",
    z3.Z3_OP_ITE: "ite",
}
_UNSIGNED = (z3.Z3_OP_ULEQ, z3.Z3_OP_UGEQ, z3.Z3_OP_ULT, z3.Z3_OP_UGT)
_SIGNED = dict(zip((z3.Z3_OP_SLEQ, z3.Z3_OP_SGEQ, z3.Z3_OP_SLT, z3.Z3_OP_SGT), _UNSIGNED, strict=True))


@dataclass(frozen=True)
class Poly:
    """A sum of monomials with whole coefficients, which lies between `low` and `high`."""

    terms: dict[Monomial, int] = field(hash=False)
    low: int
    high: int

    def __add__(self, other: Poly) -> Poly:
        terms = dict(self.terms)
        for monomial, factor in other.terms.items():
            terms[monomial] = terms.get(monomial, 0) + factor
        return Poly({m: f for m, f in terms.items() if f}, self.low + other.low, self.high + other.high)

    def __mul__(self, other: Poly) -> Poly:
        terms: dict[Monomial, int] = {}
        for m, f in self.terms.items():
            for n, g in other.terms.items():
                both = tuple(sorted(m + n))
                terms[both] = terms.get(both, 0) + f * g
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Poly({m: f for m, f in terms.items() if f}, min(ends), max(ends))

    def times(self, factor: int) -> Poly:
        return self * number(factor)

    def __sub__(self, other: Poly) -> Poly:
        return self + other.times(-1)

    @property
    def degree(self) -> int:
        return max(map(len, self.terms), default=0)


def number(value: int) -> Poly:
    """A polynomial that is this number."""
    return Poly({(): value} if value else {}, value, value)


class Integers:
    """`text`: what declares unknown integers, and asserts of them what holds wherever the given assertions do."""

    def __init__(self, assertions: Iterable[z3.BoolRef]) -> None:
        self._highest: list[int] = []
        self._monomials: dict[Monomial, str] = {}
        self._words: dict[int, Poly] = {}
        self._raws: dict[int, Poly] = {}
        self._truths: dict[int, str] = {}
        self._named: set[str] = set()
        self._quotients: dict[tuple[tuple[tuple[Monomial, int], ...], ...], Poly] = {}
        self._compared: dict[tuple[tuple[Monomial, int], ...], tuple[Poly, str]] = {}
        self._parts: list[tuple[Poly, Poly, Poly]] = []
        self._divisors: dict[tuple[tuple[Monomial, int], ...], Poly] = {}
        self._most: dict[int, int] = {}
        self._facts: list[str] = []
        self._makers: dict[int, Callable[[z3.BitVecRef], Poly]] = {
            z3.Z3_OP_BADD: self._added,
            z3.Z3_OP_BSUB: lambda term: self._raw(term.arg(0)) - self._raw(term.arg(1)),
            z3.Z3_OP_BNEG: lambda term: self._raw(term.arg(0)).times(-1),
            z3.Z3_OP_BNOT: lambda term: number((1 << term.size()) - 1) - self._word(term.arg(0)),
            z3.Z3_OP_BMUL: self._product,
            z3.Z3_OP_BUDIV: self._divided,
            z3.Z3_OP_BUDIV_I: self._divided,
            z3.Z3_OP_BUREM: self._left,
            z3.Z3_OP_BUREM_I: self._left,
            z3.Z3_OP_ITE: self._chosen,
            z3.Z3_OP_CONCAT: self._joined,
            z3.Z3_OP_ZERO_EXT: lambda term: self._word(term.arg(0)),
            z3.Z3_OP_EXTRACT: self._extracted,
        }
        given = list(assertions)
        self._kept = given  # so that no number of a term is given to another
        for assertion in given:
            self._bound(assertion)
        facts = [self._truth(assertion) for assertion in given]
        facts += self._facts
        facts += self._between_quotients()
        facts += self._multiplied()
        facts += [fact for monomial in list(self._monomials) for fact in self._of_monomial(monomial)]
        lines = [f"(declare-fun {name} () Int)" for monomial, name in self._monomials.items()]
        lines += [f"(declare-fun {name} () Bool)" for name in sorted(self._named)]
        compared = (f"(define-fun {name} () Bool (>= {self._sum(poly)} 0))" for poly, name in self._compared.values())
        self.text = "\n".join((*lines, *compared, *(f"(assert {fact})" for fact in facts)))

    # Bounds that stand among the assertions

    def _bound(self, assertion: z3.BoolRef) -> None:
        kind, parts = assertion.decl().kind(), assertion.children()
        if kind == z3.Z3_OP_AND:
            for part in parts:
                self._bound(part)
        elif kind == z3.Z3_OP_EQ and z3.is_bv(parts[0]):
            for name, other in (parts, parts[::-1]):
                if other.decl().kind() == z3.Z3_OP_CONCAT and _value(other.arg(0)) == 0 and other.num_args() == 2:
                    low = other.arg(1)
                    if low.decl().kind() == z3.Z3_OP_EXTRACT and low.arg(0).get_id() == name.get_id():
                        self._at_most(name, (1 << low.size()) - 1)
        elif kind == z3.Z3_OP_ULEQ and _value(parts[1]) is not None:
            self._at_most(parts[0], _value(parts[1]) or 0)

    def _at_most(self, word: z3.BitVecRef, most: int) -> None:
        self._most[word.get_id()] = min(most, self._most.get(word.get_id(), most))
        if word.decl().kind() == z3.Z3_OP_CONCAT and _value(word.arg(0)) == 0 and word.num_args() == 2:
            self._at_most(word.arg(1), most)
        if word.decl().kind() == z3.Z3_OP_EXTRACT and word.decl().params()[1] == 0:
            inner = word.arg(0)
            if self._most.get(inner.get_id(), 1 << inner.size()) < 1 << word.size():
                self._at_most(inner, most)

    # Words

    def _unknown(self, most: int) -> Poly:
        self._highest.append(most)
        monomial = (len(self._highest) - 1,)
        self._monomial(monomial)
        return Poly({monomial: 1}, 0, most)

    def _word(self, term: z3.BitVecRef) -> Poly:
        """A term as a number from 0 to below 2^size."""
        if (key := term.get_id()) not in self._words:
            found = self._reduced(self._raw(term), term.size())
            most = self._most.get(key)
            if most is not None and most < found.high:
                self._facts.append(self._at_least(number(most) - found))
                found = Poly(found.terms, found.low, most)
            self._words[key] = found
        return self._words[key]

    def _reduced(self, raw: Poly, size: int) -> Poly:
        if raw.low >= 0 and raw.high < 1 << size:
            return raw
        first, last = raw.low >> size, raw.high >> size
        if first == last:
            return raw - number(first << size)
        wraps = self._unknown(last - first) + number(first)
        rest = raw - wraps.times(1 << size)
        self._facts += [self._at_least(rest), self._at_least(number((1 << size) - 1) - rest)]
        return Poly(rest.terms, 0, min((1 << size) - 1, raw.high) if raw.low >= 0 else (1 << size) - 1)

    def _raw(self, term: z3.BitVecRef) -> Poly:
        """A polynomial that is `term` but for multiples of 2^size."""
        if (key := term.get_id()) not in self._raws:
            self._raws[key] = self._made(term)
        return self._raws[key]

    def _made(self, term: z3.BitVecRef) -> Poly:
        size = term.size()
        if (value := _value(term)) is not None:
            return number(value - (1 << size) if value >> (size - 1) and size > 1 else value)
        name, kind = term.decl().name(), term.decl().kind()
        made = self._makers.get(_OF_EVM.get(name.rpartition("_")[0], kind), self._of_bits)
        return made(term)

    def _added(self, term: z3.BitVecRef) -> Poly:
        total = number(0)
        for part in term.children():
            total = total + self._raw(part)
        return total

    def _divided(self, term: z3.BitVecRef) -> Poly:
        return self._quotient(self._word(term.arg(0)), self._word(term.arg(1)))

    def _left(self, term: z3.BitVecRef) -> Poly:
        n, d = self._word(term.arg(0)), self._word(term.arg(1))
        if not d.low:
            return self._unknown((1 << term.size()) - 1)
        rest = n - self._quotient(n, d) * d
        return Poly(rest.terms, 0, d.high - 1)

    def _joined(self, term: z3.BitVecRef) -> Poly:
        total = number(0)
        for part in term.children():
            total = total.times(1 << part.size()) + self._word(part)
        return total

    def _extracted(self, term: z3.BitVecRef) -> Poly:
        high, low = term.decl().params()
        return self._part(self._word(term.arg(0)), high, low)

    def _of_bits(self, term: z3.BitVecRef) -> Poly:
        kind, parts, size = term.decl().kind(), term.children(), term.size()
        values = [_value(part) for part in parts]
        if kind in (z3.Z3_OP_BSHL, z3.Z3_OP_BLSHR) and values[1] is not None and values[1] < size:
            word, by = self._word(parts[0]), values[1]
            return word.times(1 << by) if kind == z3.Z3_OP_BSHL else self._part(word, size - 1, by)
        if kind == z3.Z3_OP_BAND and len(parts) == 2:
            for value, other in zip(values, parts[::-1], strict=True):
                if value is not None and value & (value + 1) == 0:
                    return self._part(self._word(other), value.bit_length() - 1, 0) if value else number(0)
        found = self._unknown(self._most.get(term.get_id(), (1 << size) - 1))
        if kind in (z3.Z3_OP_BAND, z3.Z3_OP_BOR):
            words = [self._word(part) for part in parts]
            for word in words:
                self._facts.append(self._at_least(word - found if kind == z3.Z3_OP_BAND else found - word))
        return found

    def _product(self, term: z3.BitVecRef) -> Poly:
        total = number(1)
        for part in term.children():
            raw, word = self._raw(part), self._word(part)
            total = total * (raw if len(raw.terms) <= 1 and raw.terms.keys() <= {()} else word)
        return total

    def _quotient(self, n: Poly, d: Poly) -> Poly:
        """n / d; the EVM's 0 for d = 0."""
        key = (tuple(sorted(n.terms.items())), tuple(sorted(d.terms.items())))
        if key not in self._quotients:
            if n.terms.keys() | d.terms.keys() <= {()}:
                divided, by = n.terms.get((), 0), d.terms.get((), 0)
                self._quotients[key] = number(divided // by if by else 0)
                return self._quotients[key]
            if len(d.terms) > 1:
                self._divisors[key[1]] = d
            q = self._unknown(n.high // max(d.low, 1))
            back = q * d
            zero = self._is(d)
            self._facts += [
                self._at_least(n - back),
                f"(or {zero} {self._at_least(back + d - n - number(1))})",
                f"(=> {zero} {self._is(q)})",
            ]
            self._quotients[key] = q
            self._parts.append((q, n, d))
        return self._quotients[key]

    def _part(self, word: Poly, high: int, low: int) -> Poly:
        """The bits from `low` to `high` of a word."""
        if word.high >> (high + 1):
            above = self._quotient(word, number(1 << (high + 1)))
            rest = word - above.times(1 << (high + 1))
            word = Poly(rest.terms, 0, (1 << (high + 1)) - 1)
        return self._quotient(word, number(1 << low)) if low else word

    def _chosen(self, term: z3.BitVecRef) -> Poly:
        truth, a, b = self._truth(term.arg(0)), self._word(term.arg(1)), self._word(term.arg(2))
        found = self._unknown(max(a.high, b.high))
        self._facts.append(f"(ite {truth} {self._is(found - a)} {self._is(found - b)})")
        return found

    # Truths

    def _truth(self, term: z3.BoolRef) -> str:
        if (key := term.get_id()) not in self._truths:
            self._truths[key] = self._told(term)
        return self._truths[key]

    def _told(self, term: z3.BoolRef) -> str:
        kind, parts = term.decl().kind(), term.children()
        if kind in _CONNECTIVES:
            told = " ".join(map(self._truth, parts))
            return f"({_CONNECTIVES[kind]} {told})" if parts else _CONNECTIVES[kind]
        if kind == z3.Z3_OP_EQ and z3.is_bool(parts[0]):
            return f"(= {self._truth(parts[0])} {self._truth(parts[1])})"
        if kind == z3.Z3_OP_EQ and z3.is_bv(parts[0]):
            return self._is(self._word(parts[0]) - self._word(parts[1]))
        if kind in _UNSIGNED or kind in _SIGNED:
            seen = self._word if kind in _UNSIGNED else self._signed
            return self._ordered(_SIGNED.get(kind, kind), *map(seen, parts))
        self._named.add(name := f"b{term.get_id()}")
        return name

    def _ordered(self, kind: int, a: Poly, b: Poly) -> str:
        if kind in (z3.Z3_OP_UGEQ, z3.Z3_OP_UGT):
            a, b = b, a
        strict = kind in (z3.Z3_OP_ULT, z3.Z3_OP_UGT)
        return self._at_least(b - a - number(1 if strict else 0))

    def _signed(self, term: z3.BitVecRef) -> Poly:
        word, size = self._word(term), term.size()
        if word.high < 1 << (size - 1):
            return word
        sign = self._quotient(word, number(1 << (size - 1)))
        rest = word - sign.times(1 << size)
        return Poly(rest.terms, -(1 << (size - 1)), (1 << (size - 1)) - 1)

    # Comparisons, and what comes of multiplying them

    def _at_least(self, poly: Poly) -> str:
        """poly >= 0."""
        if poly.low >= 0 or poly.high < 0:
            return "true" if poly.low >= 0 else "false"
        key = tuple(sorted(poly.terms.items()))
        if key not in self._compared:
            self._compared[key] = (poly, f"c{len(self._compared)}")
            self._sum(poly)
        return self._compared[key][1]

    def _is(self, poly: Poly) -> str:
        """poly == 0."""
        return f"(and {self._at_least(poly)} {self._at_least(poly.times(-1))})"

    def _sum(self, poly: Poly) -> str:
        parts = (_times(factor, self._monomial(monomial)) for monomial, factor in poly.terms.items())
        return f"(+ 0 {' '.join(parts)})"

    def _monomial(self, monomial: Monomial) -> str:
        """Its name, by which it is declared."""
        if monomial and monomial not in self._monomials:
            self._monomials[monomial] = f"m{'_'.join(map(str, monomial))}"
        return self._monomials[monomial] if monomial else ""

    def _multiplied(self) -> Iterator[str]:
        counts: dict[int, int] = {}
        for monomial in self._monomials:
            if len(monomial) > 1:
                for unknown in set(monomial):
                    counts[unknown] = counts.get(unknown, 0) + 1
        factors = sorted(counts, key=lambda unknown: -counts[unknown])[:MOST_FACTORS]
        by: list[Monomial] = [(unknown,) for unknown in factors]
        if len(factors) ** 2 <= MOST_FACTORS:
            by += combinations_with_replacement(factors, 2)
        ones = [Poly({monomial: 1}, 0, self._most_of(monomial)) for monomial in by]
        ones += list(self._divisors.values())[:MOST_FACTORS]
        for poly, truth in list(self._compared.values()):
            for one in ones:
                for side, holds in ((poly, truth), (poly.times(-1) - number(1), f"(not {truth})")):
                    if side.degree + one.degree <= MOST_DEGREE and side.degree:
                        yield f"(=> {holds} (>= {self._sum(side * one)} 0))"

    def _between_quotients(self) -> Iterator[str]:
        for (q, n, d), (r, m, e) in permutations(self._parts, 2):
            if d.terms == e.terms and d.terms.keys() - {()}:
                yield f"(=> {self._at_least(m - n)} {self._at_least(r - q)})"
            elif n.terms == m.terms and d.terms.keys() | e.terms.keys() != {()}:
                yield f"(=> {self._at_least(e - d)} (or {self._is(d)} {self._at_least(q - r)}))"

    def _most_of(self, monomial: Monomial) -> int:
        most = 1
        for unknown in monomial:
            most *= self._highest[unknown]
        return most

    def _of_monomial(self, monomial: Monomial) -> Iterator[str]:
        value = self._monomials[monomial]
        yield f"(<= 0 {value} {self._most_of(monomial)})"
        for i, unknown in enumerate(monomial):
            rest = monomial[:i] + monomial[i + 1 :]
            if rest in self._monomials:
                one, other = self._monomials[(unknown,)], self._monomials[rest]
                yield f"(<= {value} {_times(self._highest[unknown], other)})"
                yield f"(=> (>= {one} 1) (>= {value} {other}))"
                yield f"(=> (= {one} 0) (= {value} 0))"


def _times(factor: int, name: str) -> str:
    told = str(factor) if factor >= 0 else f"(- {-factor})"
    return f"(* {told} {name})" if name else told


def _value(term: z3.ExprRef) -> int | None:
    return int(term.as_long()) if z3.is_bv_value(term) else None


if __name__ == "__main__":
    question = Integers(z3.parse_smt2_string(Path(sys.argv[2]).read_text(encoding="utf-8"))).text
    with tempfile.NamedTemporaryFile("w", suffix=".smt2", delete=False) as file:
        file.write(f"(set-logic QF_LIA)\n{question}\n(check-sat)\n")
    os.execv(sys.argv[1], [sys.argv[1], file.name])
