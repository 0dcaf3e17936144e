"""A solver for halmos: `python solve.py SECONDS FILE`, run by the Python of .tools/prove, which has z3 and yices.

At first it is asked with fewer facts than the truth: words of bits whose products and quotients may be anything, and
integers (`integers.py`). What is refuted so is refuted. Else a true model is looked for, among small numbers first.
"""

from __future__ import annotations

import ctypes
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

YICES = str(Path(sys.executable).with_name("yices-smt2"))
Z3 = str(Path(sys.executable).with_name("z3"))
INTEGERS = str(Path(__file__).with_name("integers.py"))
_FUNCTION = re.compile(r"\((?:declare|define)-fun f_evm_(bvmul|bvudiv|bvurem|bvsdiv|bvsrem)_(\d+) \(\(.*", re.MULTILINE)
_INPUT = re.compile(r"^\(declare-fun ((?:p_|halmos_)\S+) \(\) \(_ BitVec (\d+)\)\)", re.MULTILINE)
SMALL = (4, 16, 64)
"""Bits of the numbers among which a model is looked for first."""
SECONDS_SMALL = 10.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def main(seconds: float, file: str) -> None:
    """Print sat, unsat or unknown, and a model of what is satisfiable, as halmos reads it, in so many seconds."""
    until = time.monotonic() + seconds
    text = Path(file).read_text(encoding="utf-8")
    text = text[: text.rindex("(check-sat)")]
    if _refuted(text, seconds / 2):
        print("unsat")
        return
    true = _FUNCTION.sub(_defined, text)
    for size in SMALL:
        bounds = (f"(assert (bvult {v} (_ bv{1 << size} {n})))\n" for v, n in _INPUT.findall(text) if int(n) > size)
        said = _model(true + "".join(bounds), SECONDS_SMALL)
        if said.startswith("sat"):
            print(said)
            return
    print(_model(true, max(1.0, until - time.monotonic())))


def _refuted(text: str, seconds: float) -> bool:
    """Whether it is refuted with products and quotients that may be anything, or on integers."""
    commands = ([YICES, _file(f"{text}(check-sat)\n")], [sys.executable, INTEGERS, YICES, _file(_declared(text))])
    return _first(commands, seconds, ("unsat",)).startswith("unsat")


def _model(text: str, seconds: float) -> str:
    file = _file(text + "\n(check-sat)\n(get-model)\n")
    return _first(([YICES, "--smt2-model-format", file], [Z3, file]), seconds)


def _first(commands: tuple[list[str], ...], seconds: float, wanted: tuple[str, ...] = ("sat", "unsat")) -> str:
    """What the first of these printed that said what is wanted; "unknown" if none did in time."""
    running = {}
    for command in commands:
        said = Path(_file(""))
        with said.open("w", encoding="utf-8") as out:
            process = subprocess.Popen(
                command,
                stdout=out,
                stderr=subprocess.DEVNULL,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 (one thread here; it must run in the child)
            )
            running[process] = said
    until = time.monotonic() + seconds
    try:
        while running and time.monotonic() < until:
            for process in [process for process in running if process.poll() is not None]:
                text = running.pop(process).read_text(encoding="utf-8")
                if text.startswith(wanted):
                    return text
            time.sleep(0.02)
        return "unknown"
    finally:
        for process in running:
            process.kill()
            process.wait()


def _die_with_parent() -> None:
    """Have the kernel end this process when its parent is gone. Linux only."""
    if sys.platform.startswith("linux"):
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))


def _defined(match: re.Match[str]) -> str:
    op, n = match[1], match[2]
    word = f"(_ BitVec {n})"
    meant = "(bvmul x y)" if op == "bvmul" else f"(ite (= y (_ bv0 {n})) (_ bv0 {n}) ({op} x y))"
    return f"(define-fun f_evm_{op}_{n} ((x {word}) (y {word})) {word} {meant})"


def _declared(text: str) -> str:
    """`text` with products and quotients that are declared alone."""
    word = r"(_ BitVec \2)"
    return _FUNCTION.sub(rf"(declare-fun f_evm_\1_\2 ({word} {word}) {word})", text)


def _file(text: str) -> str:
    """A file of the run's own folder for temporary ones, which goes with it."""
    with tempfile.NamedTemporaryFile("w", suffix=".smt2", delete=False) as file:
        file.write(text)
    return file.name


if __name__ == "__main__":
    _die_with_parent()
    main(float(sys.argv[1]), sys.argv[2])
