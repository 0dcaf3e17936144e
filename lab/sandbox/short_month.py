"""Runs one short month: market and keeper as processes, and the chain's time moved once both have looked at it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from web3 import Web3

from ballast.units import BLOCK_S, HOUR_S, WAD
from keeper.look import contracts
from keeper.look.fund_reader import FundReader
from keeper.sending.journal import Entry, Status, read_journal
from keeper.state import Action, FundState, Phase, Reason
from lab.localnet.anvil import dies_with_parent
from lab.localnet.errors import LocalnetError
from lab.sandbox.chain import Dressed
from lab.sandbox.gate import Gate
from lab.testbed.keepers import KeeperProcess, KeeperRunError, Process

STEP_S = 60
"""Longest step of chain time while nothing is traded."""
MAX_S = 3 * HOUR_S
"""Chain seconds after which a month that is not done fails."""
LOOKS_WITHIN_S = 300.0
CONFIRMED_AFTER = 6
"""Blocks at the end, so that both have seen their last receipts."""


def start_market(environment: dict[str, str], folder: Path, log: Path) -> Process:
    """Starts `python -m sandbox market`, with its pulse where the keeper's would be."""
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "sandbox", "market"],
            cwd=folder,
            env={**environment, "BALLAST_MARKET_PULSE": environment["BALLAST_PULSE"]},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            preexec_fn=dies_with_parent(),  # noqa: PLW1509 (it must run in the child)
        )


@dataclass(frozen=True)
class Moment:
    """Chain time (Unix seconds) at which something was first observed, and the fund then."""

    time: int
    state: FundState


@dataclass
class ShortMonth:
    """What was observed of a month."""

    seen: dict[str, Moment] = field(default_factory=dict)
    killed: int = 0
    """Times that the market was killed and started again."""

    def note(self, name: str, state: FundState) -> None:
        self.seen.setdefault(name, Moment(state.time, state))

    def time(self, name: str) -> int:
        return self.seen[name].time


@dataclass
class Parties:
    """The market and the keeper, and the market's way to the node."""

    chain: Dressed
    reader: FundReader
    market: KeeperProcess
    keeper: KeeperProcess
    gate: Gate

    def kill_market_at_next(self) -> list[int]:
        """Kills the market once the node has its next transaction, before the market gets the answer; the list then
        holds its process id."""
        struck: list[int] = []

        def strike() -> bool:
            pid = self.market.pid
            if pid is None or struck:
                return True
            struck.append(pid)
            os.kill(pid, signal.SIGKILL)
            return False

        self.gate.after = strike
        return struck

    def quiet(self, struck: list[int]) -> FundState:
        """The fund in a block in which neither process does anything any more. What they send is in later blocks, which
        they look at in turn. Restarts a market that was killed."""
        while True:
            block = self.chain.block()
            try:
                self.market.look(block, LOOKS_WITHIN_S)
            except KeeperRunError:
                if not struck or self.market.alive() or len(self.market.exits) > 1:
                    raise
                self.market.start()
                continue
            self.keeper.look(block, LOOKS_WITHIN_S)
            if self.chain.block() == block:
                return self.reader.read(self.reader.head())[0]
            self.chain.hold_fee()


def carry(parties: Parties, *, kill: bool = True) -> ShortMonth:
    """Moves time until a month that the keeper determines and starts is done. `kill`: kill the market once, in the
    middle of a transaction, and restart it. Raises LocalnetError."""
    month, chain = ShortMonth(), parties.chain
    struck: list[int] = []
    state = parties.quiet(struck)
    month.note("begun", state)
    while not ("started" in month.seen and state.phase is Phase.IDLE):
        if state.time - month.time("begun") > MAX_S:
            raise LocalnetError(f"short month: not done after {MAX_S} s, {state.phase.name} {state.reason.name}")
        if state.phase is not Phase.IDLE:
            if kill and "determined" not in month.seen:
                struck = parties.kill_market_at_next()
            month.note("determined", state)
        if state.phase is Phase.TRADING:
            month.note("started", state)
        chain.later(BLOCK_S if state.action is Action.TRADE else STEP_S)
        state = parties.quiet(struck)
    if state.reason is not Reason.DONE:
        raise LocalnetError(f"short month: ended as {state.reason.name}, expected DONE{parties.keeper.tail()}")
    month.note("done", state)
    for _ in range(CONFIRMED_AFTER):
        chain.later(BLOCK_S)
        parties.quiet(struck)
    if kill and not struck:
        raise LocalnetError("short month: the market sent nothing, and so could not be killed at it")
    month.killed = len(struck)
    return month


def wait_out(parties: Parties, seconds: int) -> None:
    """Lets this much chain time pass, with both at work. Raises LocalnetError."""
    end = parties.chain.cheats.now() + seconds
    while parties.quiet([]).time < end:
        parties.chain.later(STEP_S)


def figures_of(month: ShortMonth, reader: FundReader, first_block: int) -> dict[str, Any]:
    """The month in figures: chain seconds, weights, turnover. Shares of NAV are percent."""
    opened, done = month.seen["started"].state, month.seen["done"].state
    traded = _results(reader, first_block)
    out = sum(result["valueOut"] for result in traded)
    value_in = sum(result["valueIn"] for result in traded)
    return {
        "chain_seconds": {
            "until_determined": month.time("determined") - month.time("begun"),
            "until_started": month.time("started") - month.time("begun"),
            "until_done": month.time("done") - month.time("begun"),
        },
        "period_s": opened.timetable.length,
        "batches": len(traded),
        "off_target_pct": {"before": _percent(*_off(opened, opened)), "after": _percent(*_off(done, opened))},
        "turnover_pct": _percent(out, opened.total_value),
        "cost_of_turnover_pct": _percent(out - value_in, out),
        "market_killed": month.killed,
    }


def _off(state: FundState, opened: FundState) -> tuple[int, int]:
    """Half the sum of all components' distances from the month's targets, and NAV, in USD at the prices then."""
    targets = {holding.token: holding.unit for holding in opened.holdings}
    off = sum(
        abs(holding.value(holding.balance) - holding.value(targets.get(holding.token, 0) * state.supply // WAD))
        for holding in state.holdings
    )
    return off // 2, state.total_value


def _results(reader: FundReader, first_block: int) -> list[Mapping[str, int]]:
    """The result of each batch."""
    rebalancer = Web3.to_checksum_address(reader.book["rebalancer"])
    events = reader.w3.eth.contract(address=rebalancer, abi=contracts.abi("Rebalancer")).events.Traded()
    return [event["args"]["result"] for event in events.get_logs(from_block=first_block)]


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 3) if whole else 0.0


def sent_by(journal: Path, chain_id: int) -> dict[str, Any]:
    """A journal's mined transactions: number, gas and wei, in all and by action. Raises LocalnetError for a nonce that
    was mined twice."""
    entries = [entry for entry in read_journal(journal, chain_id) if entry.gas_used is not None]
    _require_each_once(entries)
    by_action: dict[str, dict[str, int]] = {}
    for entry in entries:
        row = by_action.setdefault(entry.action, {"transactions": 0, "gas": 0})
        row["transactions"] += 1
        row["gas"] += entry.gas_used or 0
    return {
        "transactions": len(entries),
        "gas": sum(entry.gas_used or 0 for entry in entries),
        "wei": str(sum((entry.gas_used or 0) * (entry.gas_price or 0) for entry in entries)),
        "reverted": sum(entry.status is Status.REVERTED for entry in entries),
        "by_action": by_action,
    }


def _require_each_once(entries: list[Entry]) -> None:
    nonces = [entry.nonce for entry in entries]
    if len(set(nonces)) != len(nonces):
        raise LocalnetError("journal: a nonce was mined twice")
