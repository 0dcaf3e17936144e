"""Stops `ape run sandbox up` at every transaction and runs it again: one fund, and no gas beyond what it takes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from eth_account import Account
from web3 import Web3

from ballast.book import Book
from ballast.deployment.journal import journal_path
from lab.localnet.errors import LocalnetError
from lab.sandbox.chain import Dressed
from lab.sandbox.gate import Gate, gate
from lab.sandbox.person import Answer, Shell
from lab.sandbox.run import PASSWORD, User, made_of, user_of
from sandbox.book import sandbox_path

SLACK_GAS = 5_000
"""By which a step's gas may differ in another second: a slot may be overwritten with the value that it has."""
MAX_STOPS = 80


def stopped_everywhere(chain: Dressed, folder: Path, plan: Path) -> dict[str, Any]:
    """Figures of a sandbox that is never stopped, and of one that is stopped twice at each transaction: by Ctrl-C
    before the node has it, and, run again, by SIGKILL once the node has it. Raises LocalnetError if the two differ."""
    w3 = Web3(Web3.HTTPProvider(chain.url))
    # The same account on the same chain: otherwise addresses would differ, and with them the gas to store them.
    key, snapshot = Account.create().key.to_0x_hex(), chain.cheats.snapshot()
    with user_of(chain, folder / "whole", plan, key) as user:
        user.up()
        whole = made_of(w3, user)
    chain.cheats.revert(snapshot)
    with user_of(chain, folder / "stopped", plan, key) as user, gate(chain.url) as between:
        user.url = between.url
        stops: list[str] = []
        while not sandbox_path(user.book).exists():
            if len(stops) > MAX_STOPS:
                raise LocalnetError(f"stops: not done after {MAX_STOPS}")
            stopped = _stopped(user, between, kill=len(stops) % 2 == 1)
            if stopped is not None:
                stops.append(stopped)
        stopped_figures = made_of(w3, user)
        funds = len({Book.load(user.book)["index_token"]})
        again = user.up()
        if made_of(w3, user) != stopped_figures:
            raise LocalnetError("stops: run once more, it sent something")
    _compare(whole, stopped_figures, stops)
    return {
        "stops": len(stops),
        "ctrl_c": sum(how == "SIGINT" for how in stops),
        "killed": sum(how == "SIGKILL" for how in stops),
        "funds": funds,
        "transactions": {"whole": whole["transactions"], "stopped": stopped_figures["transactions"]},
        "gas": {"whole": whole["gas"], "stopped": stopped_figures["gas"]},
        "run_once_more_s": round(again.seconds, 1),
    }


def _stopped(user: User, between: Gate, *, kill: bool) -> str | None:
    """Runs `up` and stops it at its first transaction; the signal's name, or None if no transaction was left. Raises
    LocalnetError."""
    shell = Shell(user.up_command, user.environment)
    number = signal.SIGKILL if kill else signal.SIGINT
    hit: list[str] = []

    def strike() -> bool:
        if hit:
            return True
        hit.append(number.name)
        os.killpg(shell.process.pid, number)
        _wait(shell)
        return False

    between.before, between.after = (None, strike) if kill else (strike, None)
    try:
        if not sandbox_path(user.book).exists():
            _agree(shell)
        code = shell.end()
    finally:
        between.before = between.after = None
        shell.close()
    if not hit:
        if code:
            raise LocalnetError(f"sandbox up: ended with code {code}:\n{shell.shown}")
        return None
    if code == 0:
        raise LocalnetError(f"sandbox up: was stopped by {number.name}, and ended as if it were done:\n{shell.shown}")
    if not kill and "the same command goes on" not in shell.shown:
        raise LocalnetError(f"sandbox up: after Ctrl-C it does not say how to go on:\n{shell.shown}")
    if not journal_path(sandbox_path(user.book)).exists():
        raise LocalnetError("sandbox up: left no journal")
    return number.name


def _agree(shell: Shell) -> None:
    """Answers the prompts, if there are any: all may be deployed already."""
    for answer in (Answer("Send them? [y/N]", "y"), Answer("Enter passphrase", PASSWORD, hidden=True)):
        try:
            shell.answer(answer)
        except LocalnetError:
            if shell.process.poll() == 0:
                return
            raise


def _wait(shell: Shell) -> None:
    """Waits until it has ended, so that it does nothing more once its request is let through."""
    end = time.monotonic() + 60
    while shell.process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)


def _compare(whole: dict[str, Any], stopped: dict[str, Any], stops: list[str]) -> None:
    """Raises LocalnetError unless each step was sent as often and took as much gas."""
    if len(stops) != 2 * whole["transactions"]:
        raise LocalnetError(f"stops: {len(stops)}, expected two at each of {whole['transactions']} transactions")
    if stopped["transactions"] != whole["transactions"]:
        raise LocalnetError(f"stops: {stopped['transactions']} transactions, without a stop {whole['transactions']}")
    for one, other in zip(_steps(whole), _steps(stopped), strict=True):
        if one[0] != other[0] or abs(one[1] - other[1]) > SLACK_GAS:
            raise LocalnetError(f"stops: step {other[0]} took {other[1]} gas, without a stop {one[0]} took {one[1]}")


def _steps(figures: dict[str, Any]) -> list[tuple[str, int]]:
    return sorted((step["step"], step["gas"]) for step in figures["steps"])
