"""Assertions on words as assertions on integers, with fewer facts than the truth: what these refute is refuted.
`python integers.py SOLVER FILE` asks a solver for linear integers.

A word is a polynomial of unknown integers, and a sum or product wraps only where its bounds let it. What is not
understood, as most of what looks at single bits, may be anything. A product of unknowns is an unknown of its own; what
is known of it is that a comparison of the assertions, multiplied by something that is not negative, still holds.
"""

from __future__ import annotations

import os
import re
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
    """`assertions` of integers that hold wherever those given do."""

    def __init__(self, assertions: Iterable[z3.BoolRef]) -> None:
        self._unknowns: list[z3.ArithRef] = []
        self._highest: list[int] = []
        self._monomials: dict[Monomial, z3.ArithRef] = {}
        self._words: dict[int, Poly] = {}
        self._raws: dict[int, Poly] = {}
        self._truths: dict[int, z3.BoolRef] = {}
        self._quotients: dict[tuple[tuple[tuple[Monomial, int], ...], ...], Poly] = {}
        self._compared: dict[tuple[tuple[Monomial, int], ...], tuple[Poly, z3.BoolRef]] = {}
        self._parts: list[tuple[Poly, Poly, Poly]] = []
        self._divisors: dict[tuple[tuple[Monomial, int], ...], Poly] = {}
        self._most: dict[int, int] = {}
        self._facts: list[z3.BoolRef] = []
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
        self.assertions = [self._truth(assertion) for assertion in given]
        self.assertions += self._facts
        self.assertions += self._between_quotients()
        self.assertions += self._multiplied()
        self.assertions += [fact for m in list(self._monomials) for fact in self._of_monomial(m)]

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
        self._unknowns.append(z3.Int(f"v{len(self._unknowns)}"))
        self._highest.append(most)
        monomial = (len(self._unknowns) - 1,)
        self._monomials[monomial] = self._unknowns[-1]
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
            if n.terms.keys() <= {()} and d.terms.keys() <= {()}:
                self._quotients[key] = number(n.low // d.low if d.low else 0)
                return self._quotients[key]
            if len(d.terms) > 1:
                self._divisors[key[1]] = d
            q = self._unknown(n.high // max(d.low, 1))
            back = q * d
            zero = self._is(d)
            self._facts += [
                self._at_least(n - back),
                z3.Or(zero, self._at_least(back + d - n - number(1))),
                z3.Or(z3.Not(zero), self._is(q)),
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
        if z3.is_true(truth) or z3.is_false(truth):
            return a if z3.is_true(truth) else b
        found = self._unknown(max(a.high, b.high))
        self._facts += [z3.Or(z3.Not(truth), self._is(found - a)), z3.Or(truth, self._is(found - b))]
        return found

    # Truths

    def _truth(self, term: z3.BoolRef) -> z3.BoolRef:
        if (key := term.get_id()) not in self._truths:
            self._truths[key] = self._told(term)
        return self._truths[key]

    def _told(self, term: z3.BoolRef) -> z3.BoolRef:
        kind, parts = term.decl().kind(), term.children()
        if z3.is_true(term) or z3.is_false(term):
            return term
        if kind in (z3.Z3_OP_AND, z3.Z3_OP_OR, z3.Z3_OP_NOT, z3.Z3_OP_IMPLIES, z3.Z3_OP_XOR):
            return term.decl()(*map(self._truth, parts))
        if kind == z3.Z3_OP_ITE:
            return z3.If(*map(self._truth, parts))
        if kind == z3.Z3_OP_EQ:
            return self._same(*parts)
        if kind in _UNSIGNED or kind in _SIGNED:
            seen = self._word if kind in _UNSIGNED else self._signed
            return self._ordered(_SIGNED.get(kind, kind), *map(seen, parts))
        return z3.Bool(f"b{term.get_id()}")

    def _same(self, one: z3.ExprRef, other: z3.ExprRef) -> z3.BoolRef:
        if z3.is_bool(one):
            return self._truth(one) == self._truth(other)
        if z3.is_bv(one):
            return self._is(self._word(one) - self._word(other))
        return z3.Bool(f"e{one.get_id()}_{other.get_id()}")

    def _ordered(self, kind: int, a: Poly, b: Poly) -> z3.BoolRef:
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

    def _at_least(self, poly: Poly) -> z3.BoolRef:
        """poly >= 0."""
        if poly.low >= 0 or poly.high < 0:
            return z3.BoolVal(poly.low >= 0)
        key = tuple(sorted(poly.terms.items()))
        if key not in self._compared:
            self._compared[key] = (poly, self._sum(poly) >= 0)
        return self._compared[key][1]

    def _is(self, poly: Poly) -> z3.BoolRef:
        """poly == 0."""
        return z3.And(self._at_least(poly), self._at_least(poly.times(-1)))

    def _sum(self, poly: Poly) -> z3.ArithRef:
        return z3.Sum([factor * self._monomial(m) for m, factor in poly.terms.items()])

    def _monomial(self, monomial: Monomial) -> z3.ArithRef | int:
        if not monomial:
            return 1
        if monomial not in self._monomials:
            self._monomials[monomial] = z3.Int("m" + "_".join(map(str, monomial)))
        return self._monomials[monomial]

    def _multiplied(self) -> Iterator[z3.BoolRef]:
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
                for side, holds in ((poly, truth), (poly.times(-1) - number(1), z3.Not(truth))):
                    if side.degree + one.degree <= MOST_DEGREE and side.degree:
                        yield z3.Implies(holds, self._sum(side * one) >= 0)

    def _between_quotients(self) -> Iterator[z3.BoolRef]:
        for (q, n, d), (r, m, e) in permutations(self._parts, 2):
            if d.terms == e.terms and d.terms.keys() - {()}:
                yield z3.Implies(self._at_least(m - n), self._at_least(r - q))
            elif n.terms == m.terms and d.terms.keys() | e.terms.keys() != {()}:
                yield z3.Or(self._is(d), z3.Not(self._at_least(e - d)), self._at_least(q - r))

    def _most_of(self, monomial: Monomial) -> int:
        most = 1
        for unknown in monomial:
            most *= self._highest[unknown]
        return most

    def _of_monomial(self, monomial: Monomial) -> Iterator[z3.BoolRef]:
        value, most = self._monomials[monomial], self._most_of(monomial)
        yield value >= 0
        yield value <= most
        if len(monomial) > 1:
            for i, unknown in enumerate(monomial):
                rest = monomial[:i] + monomial[i + 1 :]
                other = self._monomials.get(rest)
                if other is not None:
                    yield value <= self._highest[unknown] * other
                    yield z3.Implies(self._unknowns[unknown] >= 1, value >= other)
                    yield z3.Implies(self._unknowns[unknown] == 0, value == 0)


def _value(term: z3.ExprRef) -> int | None:
    return int(term.as_long()) if z3.is_bv_value(term) else None


def _asked(text: str) -> str:
    """The question of a file of assertions on words, on integers."""
    solver = z3.Solver()
    solver.add(*Integers(z3.parse_smt2_string(text)).assertions)
    asked = re.sub(r"^\(set-info.*\n", "", solver.to_smt2(), flags=re.MULTILINE)
    return f"(set-logic QF_LIA)\n{asked}"


if __name__ == "__main__":
    with tempfile.NamedTemporaryFile("w", suffix=".smt2", delete=False) as file:
        file.write(_asked(Path(sys.argv[2]).read_text(encoding="utf-8")))
    os.execv(sys.argv[1], [sys.argv[1], file.name])
