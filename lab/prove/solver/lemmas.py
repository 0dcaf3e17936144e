"""What follows from the definition of products and quotients, as lemmas for a solver that knows neither.

Solvers take words apart into bits, and a product of two 256-bit words is too many of them. Here products and quotients
are functions of which a solver knows only instances of these facts, each true of all words of any width (a product is
exact if it is below 2**width):

    quotient q = n / d      d = 0 or q d <= n, exactly, and n - q d < d; q <= n
    two quotients           n <= m: n / d <= m / d        d <= e, d > 0: n / e <= n / d
    product                 0 y = 0, 1 y = y; exact and y > 0: x y >= x;
                            x < 2**j, y < 2**k, j + k <= width: x y <= (2**j - 1) (2**k - 1)
    two products            y c exact: x <= y: x c <= y c; x < y: x c + c <= y c
    sum of two quotients    (q + r) d is exact if neither q + r nor q d + r d overflows
    distributive            (x + y) c = x c + y c, (k x) c = k (x c) for a number k, modulo 2**width

So what follows from them is true, and a model of them may be none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

import z3

MOST_ROUNDS = 4
"""Lemmas bring in products of their own; after so many rounds what is new is left alone."""


MOST_ADDED = 4
"""Of more quotients than this no sums are looked at."""


class Lemmas:
    """Takes products and quotients of `assertions` for functions; `lemmas` are what is known of those."""

    def __init__(self, assertions: Iterable[z3.BoolRef]) -> None:
        self.products: dict[tuple[int, int], z3.BitVecRef] = {}
        self.quotients: dict[tuple[int, int], z3.BitVecRef] = {}
        self._factors: dict[int, tuple[z3.BitVecRef, z3.BitVecRef]] = {}
        self._parts: dict[int, tuple[z3.BitVecRef, z3.BitVecRef]] = {}
        self._exact: dict[int, z3.BoolRef] = {}
        self._seen: dict[int, z3.ExprRef] = {}
        self.lemmas: list[z3.BoolRef] = []
        self.assertions = [self._abstract(assertion) for assertion in assertions]
        self._fill()

    def _abstract(self, term: z3.ExprRef) -> z3.ExprRef:
        """`term` with functions in place of its products and quotients."""
        stack = [term]
        while stack:
            top = stack[-1]
            if top.get_id() in self._seen:
                stack.pop()
                continue
            missing = [child for child in top.children() if child.get_id() not in self._seen]
            if missing:
                stack += missing
                continue
            self._seen[stack.pop().get_id()] = self._replaced(top)
        return self._seen[term.get_id()]

    def _replaced(self, term: z3.ExprRef) -> z3.ExprRef:
        children = [self._seen[child.get_id()] for child in term.children()]
        name, kind = term.decl().name(), term.decl().kind()
        if name.startswith("f_evm_bvmul_") or (kind == z3.Z3_OP_BMUL and len(children) == 2):
            return self.product(children[0], children[1])
        if name.startswith("f_evm_bvudiv_") or kind in (z3.Z3_OP_BUDIV, z3.Z3_OP_BUDIV_I):
            return self.quotient(children[0], children[1])
        if name.startswith("f_evm_bvurem_") or kind in (z3.Z3_OP_BUREM, z3.Z3_OP_BUREM_I):
            n, d = children
            rest = n - self.product(self.quotient(n, d), d)
            return z3.If(d == 0, z3.BitVecVal(0, d.size()) if name.startswith("f_evm_") else n, rest)
        return term.decl()(*children) if children else term

    def product(self, x: z3.BitVecRef, y: z3.BitVecRef) -> z3.BitVecRef:
        """x y, the same term for y x; by a number as it stands."""
        if _number(x) is not None or _number(y) is not None:
            if _number(x) is not None:
                x, y = y, x
            made = x * y
        else:
            if x.get_id() > y.get_id():
                x, y = y, x
            made = _function("mul", x.size())(x, y)
        key = (x.get_id(), y.get_id())
        if key not in self.products:
            self.products[key] = made
            self._factors[made.get_id()] = (x, y)
            if bits(x) + bits(y) <= x.size():
                self._exact[made.get_id()] = z3.BoolVal(True)
        return self.products[key]

    def quotient(self, n: z3.BitVecRef, d: z3.BitVecRef) -> z3.BitVecRef:
        """n / d; the EVM's 0 for d = 0."""
        key = (n.get_id(), d.get_id())
        if key not in self.quotients:
            made = _function("div", n.size())(n, d)
            self.quotients[key] = made
            self._parts[made.get_id()] = (n, d)
        return self.quotients[key]

    def _fill(self) -> None:
        for q in self.quotients.values():
            n, d = self._parts[q.get_id()]
            back = self.product(q, d)
            self._exact[back.get_id()] = z3.BoolVal(True)  # where d is not zero; for d = 0 the product is 0 too
            self.lemmas += [
                z3.If(d == 0, q == 0, z3.And(z3.ULE(back, n), z3.ULT(n - back, d))),
                z3.ULE(q, n),
            ]
        self.lemmas += self._between_quotients()
        self._compare()
        done: set[int] = set()
        pairs: set[tuple[int, int]] = set()
        for _ in range(MOST_ROUNDS):
            fresh = [p for p in self.products.values() if p.get_id() not in done]
            for p in fresh:
                done.add(p.get_id())
                self.lemmas += self._of_product(p)
            for p, r in combinations(list(self.products.values()), 2):
                if (p.get_id(), r.get_id()) not in pairs:
                    pairs.add((p.get_id(), r.get_id()))
                    self.lemmas += self._between_products(p, r)
            if not fresh:
                return

    def _compare(self) -> None:
        """Bring in the products by which a quotient compares with a factor of what is divided, and two with a third."""
        for n, d in list(self._parts.values()):
            for factor in self._factors.get(n.get_id(), ()):
                self.product(factor, d)
        for q, r in combinations(list(self.quotients.values()), 2):
            d, e = self._parts[q.get_id()][1], self._parts[r.get_id()][1]
            if d.get_id() == e.get_id() and len(self.quotients) <= MOST_ADDED:
                (p, s), total = (self.product(q, d), self.product(r, d)), self.product(q + r, d)
                self._exact[total.get_id()] = z3.And(z3.ULE(q, q + r), z3.ULE(p, p + s))

    def _of_product(self, p: z3.BitVecRef) -> Iterator[z3.BoolRef]:
        x, y = self._factors[p.get_id()]
        if _number(y) is None:
            yield z3.Implies(z3.Or(x == 0, y == 0), p == 0)
            yield z3.Implies(x == 1, p == y)
            yield z3.Implies(y == 1, p == x)
            if (exact := self._exact.get(p.get_id())) is not None:
                yield z3.Implies(z3.And(exact, y != 0), z3.ULE(x, p))
                yield z3.Implies(z3.And(exact, x != 0), z3.ULE(y, p))
            if (most := ((1 << bits(x)) - 1) * ((1 << bits(y)) - 1)) >> p.size() == 0:
                yield z3.ULE(p, z3.BitVecVal(most, p.size()))
            for a, b in ((x, y), (y, x)):
                if a.decl().kind() == z3.Z3_OP_BADD:
                    total = z3.BitVecVal(0, a.size())
                    for child in a.children():
                        total = total + self.product(child, b)
                    yield p == total
                elif a.decl().kind() == z3.Z3_OP_BSUB:
                    yield p == self.product(a.arg(0), b) - self.product(a.arg(1), b)
                elif a.decl().kind() == z3.Z3_OP_BMUL and _number(a.arg(0)) is not None:
                    yield p == a.arg(0) * self.product(a.arg(1), b)
                elif a.decl().kind() == z3.Z3_OP_BMUL and _number(a.arg(1)) is not None:
                    yield p == a.arg(1) * self.product(a.arg(0), b)

    def _between_products(self, p: z3.BitVecRef, r: z3.BitVecRef) -> Iterator[z3.BoolRef]:
        for x, c in _both_ways(self._factors[p.get_id()]):
            for y, e in _both_ways(self._factors[r.get_id()]):
                if c.get_id() != e.get_id() or x.get_id() == y.get_id():
                    continue
                if (exact := self._exact.get(r.get_id())) is not None:
                    yield from _ordered(exact, x, p, y, r, c)
                if (exact := self._exact.get(p.get_id())) is not None:
                    yield from _ordered(exact, y, r, x, p, c)

    def _between_quotients(self) -> Iterator[z3.BoolRef]:
        for q, r in combinations(list(self.quotients.values()), 2):
            (n, d), (m, e) = self._parts[q.get_id()], self._parts[r.get_id()]
            if n.size() != m.size():
                continue
            if d.get_id() == e.get_id():
                yield z3.Implies(z3.ULE(n, m), z3.ULE(q, r))
                yield z3.Implies(z3.ULE(m, n), z3.ULE(r, q))
            if n.get_id() == m.get_id():
                yield z3.Implies(z3.And(d != 0, z3.ULE(d, e)), z3.ULE(r, q))
                yield z3.Implies(z3.And(e != 0, z3.ULE(e, d)), z3.ULE(q, r))


def bits(term: z3.BitVecRef) -> int:
    """How many of a term's lower bits may be set, as far as its form says."""
    number, size = _number(term), int(term.size())
    if number is not None:
        return number.bit_length()
    found, parts = size, term.children()
    name, kind = term.decl().name(), term.decl().kind()
    if kind == z3.Z3_OP_CONCAT and _number(parts[0]) == 0:
        found = sum(child.size() for child in parts[1:])
    elif kind == z3.Z3_OP_BAND:
        found = min(bits(child) for child in parts)
    elif kind == z3.Z3_OP_ITE:
        found = max(bits(parts[1]), bits(parts[2]))
    elif kind == z3.Z3_OP_BADD:
        found = max(bits(child) for child in parts) + len(parts) - 1
    elif name.startswith("div_"):
        found = bits(parts[0])
    elif name.startswith("mul_") or kind == z3.Z3_OP_BMUL:
        found = sum(bits(child) for child in parts)
    return min(size, found)


def _ordered(
    exact: z3.BoolRef, x: z3.BitVecRef, p: z3.BitVecRef, y: z3.BitVecRef, r: z3.BitVecRef, c: z3.BitVecRef
) -> Iterator[z3.BoolRef]:
    """p = x c, r = y c, which is exact if `exact`."""
    yield z3.Implies(z3.And(exact, z3.ULE(x, y)), z3.ULE(p, r))
    yield z3.Implies(z3.And(exact, z3.ULT(x, y)), z3.And(z3.ULE(p, r), z3.UGE(r - p, c)))


def _both_ways(
    pair: tuple[z3.BitVecRef, z3.BitVecRef],
) -> tuple[tuple[z3.BitVecRef, z3.BitVecRef], tuple[z3.BitVecRef, z3.BitVecRef]]:
    return pair, (pair[1], pair[0])


def _function(name: str, size: int) -> z3.FuncDeclRef:
    sort = z3.BitVecSort(size)
    return z3.Function(f"{name}_{size}", sort, sort, sort)


def _number(term: z3.ExprRef) -> int | None:
    return int(term.as_long()) if z3.is_bv_value(term) else None
