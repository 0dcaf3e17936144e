"""`python small_words.py SEED COUNT SOLVER`: drawn assertions on words of a few bits. What is refuted of them on
integers (`integers.py`), z3 must refute on the words. Fails and prints them where it does not.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from pathlib import Path

import z3
from integers import Integers

MOST_BITS = 6
SECONDS = 2.0
"""For a question; a few take for ever."""


def main(seed: int, count: int, solver: str) -> None:
    """Raise SystemExit with the first assertions that are refuted and true."""
    draw, refuted = random.Random(seed), 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "asked.smt2"
        for _ in range(count):
            given = assertions(draw)
            file.write_text(f"(set-logic QF_LIA)\n{Integers(given).text}\n(check-sat)\n", encoding="utf-8")
            said = _said([solver, str(file)])
            if said == "unsat":
                refuted += 1
                true = z3.Solver()
                true.add(given)
                if true.check() != z3.unsat:
                    raise SystemExit(f"refuted on integers, but true: {given} of {true.model()}")
            elif said not in ("sat", "unknown"):
                raise SystemExit(f"not understood: {said}")
    print(f"{refuted} of {count} refuted, none wrongly")


def _said(command: list[str]) -> str:
    """What a solver says within a while; "unknown" where it takes longer."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS).stdout.strip()
    except subprocess.TimeoutExpired:
        return "unknown"


def assertions(draw: random.Random) -> list[z3.BoolRef]:
    """Up to five on three words, half of the time in the form that halmos gives them."""
    words = z3.BitVecs("x y z", draw.randint(3, MOST_BITS))
    found = [_truth(draw, words, draw.randint(1, 3)) for _ in range(draw.randint(1, 5))]
    return [z3.simplify(truth) for truth in found] if draw.random() < 0.5 else found


def _truth(draw: random.Random, words: list[z3.BitVecRef], depth: int) -> z3.BoolRef:
    a, b = _word(draw, words, depth), _word(draw, words, depth)
    number = z3.BitVecVal(draw.randrange(1 << a.size()), a.size())
    truth = draw.choice([z3.ULE(a, b), z3.ULT(a, b), a == b, a <= b, a < b, z3.UGE(a, b), z3.ULE(a, number)])
    if depth and draw.random() < 0.3:
        truth = draw.choice([z3.And, z3.Or])(truth, _truth(draw, words, depth - 1))
    return z3.Not(truth) if draw.random() < 0.3 else truth


def _word(draw: random.Random, words: list[z3.BitVecRef], depth: int) -> z3.BitVecRef:
    size = words[0].size()
    if not depth or draw.random() < 0.15:
        edge = draw.choice([0, 1, 2, (1 << size) - 1, 1 << (size - 1), draw.randrange(1 << size)])
        return draw.choice([*words, z3.BitVecVal(edge, size)])
    a, b = _word(draw, words, depth - 1), _word(draw, words, depth - 1)
    cut, zero = draw.randrange(1, size), z3.BitVecVal(0, size)
    made = [
        lambda: a + b,
        lambda: a - b,
        lambda: a * b,
        lambda: ~a,
        lambda: a | b,
        lambda: z3.If(b == 0, zero, z3.UDiv(a, b)),
        lambda: z3.If(_truth(draw, words, 1), a, b),
        lambda: z3.LShR(a, cut),
        lambda: a << cut,
        lambda: z3.Concat(z3.Extract(cut - 1, 0, a), z3.Extract(size - 1, cut, b)),
        lambda: a & z3.BitVecVal((1 << cut) - 1, size),
        lambda: z3.URem(a, z3.BitVecVal(cut, size)),
    ]
    return draw.choice(made)()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
