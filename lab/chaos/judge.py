"""Judges a month by the chain and the journals alone; what the keepers report counts for nothing.

Pure: `lab/chaos/history.py` reads what is judged here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ONCE = ("determine", "start", "close")
"""Actions that happen once a month."""
CANCEL = "cancel"
"""The journal's action for a no-op."""
FINAL = {"confirmed": "mined", "replaced": "replaced", "cancelled": "replaced"}
"""Final statuses of a journal, by what they claim of the chain: mined and succeeded, or another transaction has the
nonce. `reverted` is final once it is confirmed."""


def final(row: Mapping[str, Any]) -> str | None:
    """The final outcome that a journal's row claims; None while it is open."""
    if row["status"] == "reverted" and row["confirmed_at"] is not None:
        return "reverted"
    return FINAL.get(row["status"])


@dataclass(frozen=True)
class Sent:
    """A transaction of a keeper's key on the final chain. `action`: of the rebalancer's call, "" for anything else."""

    sender: str
    nonce: int
    hash: str
    block: int
    succeeded: bool
    to: str
    data: str
    action: str


@dataclass(frozen=True)
class Happened:
    """An event of the rebalancer in the month (determined, started, traded or closed) and its transaction."""

    name: str
    period: int
    hash: str


@dataclass(frozen=True)
class Verdict:
    """`sent_twice`: actions mined twice with success, and calls of one key mined under two nonces with success.
    `reverted_duplicates`: calls that another had made before and that were mined and reverted. `wrong_nonce`: nonces
    used by a transaction that the journal lacks, skipped, used for two different calls, signed too early, or with
    another outcome in the journal than on the chain. `month_done`: determined, started and closed exactly once, traded
    at least once."""

    month_done: bool
    batches: int
    sent_twice: int
    reverted_duplicates: int
    wrong_nonce: int
    open_rows: int
    problems: tuple[str, ...]

    @property
    def good(self) -> bool:
        return self.month_done and not (self.sent_twice or self.wrong_nonce or self.open_rows or self.problems)


def judge(
    period: int,
    sent: Sequence[Sent],
    happened: Sequence[Happened],
    journals: Mapping[str, Sequence[Mapping[str, Any]]],
    first_nonces: Mapping[str, int],
    *,
    reorganized: bool = False,
) -> Verdict:
    """Judges one month. `journals` and `first_nonces` (at the scenario's start) by the keepers' addresses.
    `reorganized`: whether blocks were replaced, after which block numbers do not show what was known when."""
    problems: list[str] = []
    counts = Counter(event.name for event in happened if event.period == period)
    for name in ("determined", "started", "closed"):
        if counts[name] != 1:
            problems.append(f"{name} {counts[name]} times, expected once")
    if not counts["traded"]:
        problems.append("no batch was traded")
    for event in happened:
        if event.period != period:
            problems.append(f"{event.name} period {event.period}, expected {period} alone")
    known = {tx.hash for tx in sent}
    for event in happened:
        if event.hash not in known:
            problems.append(f"{event.name}: by a transaction of nobody's key ({event.hash})")
    twice, reverted = _twice(sent, problems)
    wrong = open_rows = 0
    for address, rows in journals.items():
        mine = [tx for tx in sent if tx.sender == address]
        wrong += _wrong_nonces(address, mine, rows, first_nonces[address], problems)
        if not reorganized:
            wrong += _hasty(address, mine, rows, problems)
        open_rows += sum(final(row) is None for row in rows)
    done = all(counts[name] == 1 for name in ("determined", "started", "closed")) and counts["traded"] > 0
    return Verdict(done, counts["traded"], twice, reverted, wrong, open_rows, tuple(problems))


def _twice(sent: Sequence[Sent], problems: list[str]) -> tuple[int, int]:
    """Number of calls that were mined again after they had succeeded: with success, and reverted."""
    twice = reverted = 0
    same: dict[tuple[str, str, str], list[Sent]] = defaultdict(list)
    for tx in sent:
        if tx.action:
            # An action that happens once a month is one call whoever makes it; a batch is identified by its key and
            # call data.
            same["" if tx.action in ONCE else tx.sender, tx.action, tx.data].append(tx)
    for (_, action, _), group in same.items():
        done = [place for place, tx in enumerate(group) if tx.succeeded]
        if len(done) > 1:
            twice += len(done) - 1
            problems.append(f"{action}: mined {len(done)} times with success, nonces {[tx.nonce for tx in group]}")
        reverted += sum(not tx.succeeded for tx in group[done[0] :]) if done else 0
    return twice, reverted


def _wrong_nonces(
    address: str, mine: Sequence[Sent], rows: Sequence[Mapping[str, Any]], first: int, problems: list[str]
) -> int:
    """Number of one key's nonces on which chain and journal disagree."""
    wrong: set[int] = set()

    def say(nonce: int, text: str) -> None:
        wrong.add(nonce)
        problems.append(f"{address} nonce {nonce}: {text}")

    on_chain = {tx.nonce: tx for tx in mine}
    hashes = {row["hash"]: row for row in rows}
    for number, nonce in enumerate(sorted(on_chain)):
        if nonce != first + number:
            say(nonce, f"expected {first + number} next")
    for tx in mine:
        if tx.hash not in hashes:
            say(tx.nonce, f"{tx.hash} is on the chain and not in the journal")
    calls: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for row in rows:
        nonce = int(row["nonce"])
        no_op = row["recipient"].lower() == address.lower() and row["data"] in ("", "0x")
        if not no_op:
            calls[nonce].add((row["recipient"], row["data"]))
        if (untrue := _untrue(row, on_chain.get(nonce))) is not None:
            say(nonce, untrue)
    for nonce, different in calls.items():
        if len(different) > 1:
            say(nonce, f"signed for {len(different)} different calls")
    return len(wrong)


def _untrue(row: Mapping[str, Any], found: Sent | None) -> str | None:
    """How a row's final status contradicts what the chain has under its nonce; None if it does not."""
    claim = final(row)
    if claim is None:
        return None
    if found is None:
        return f"the journal says {row['status']}, the chain has nothing under it"
    if claim == "replaced":
        return "the journal says replaced, the chain has it" if found.hash == row["hash"] else None
    if found.hash != row["hash"]:
        return f"the journal says {row['status']} of {row['hash']}, the chain has {found.hash}"
    if found.succeeded != (claim == "mined"):
        return f"the journal says {row['status']}, the chain says {'it succeeded' if found.succeeded else 'reverted'}"
    return None


def _hasty(address: str, mine: Sequence[Sent], rows: Sequence[Mapping[str, Any]], problems: list[str]) -> int:
    """Number of nonces that were first signed for before the preceding ones were mined."""
    first: dict[int, int] = {}
    for row in rows:
        first.setdefault(int(row["nonce"]), int(row["signed_block"]))
    hasty = 0
    for tx in mine:
        signed = first.get(tx.nonce + 1)
        if signed is not None and signed < tx.block:
            hasty += 1
            problems.append(
                f"{address} nonce {tx.nonce + 1}: signed in block {signed}, the one before mined in {tx.block}"
            )
    return hasty


def cancelled_needlessly(sent: Sequence[Sent], journals: Mapping[str, Sequence[Mapping[str, Any]]]) -> int:
    """Number of nonces that a keeper gave to a no-op although nobody else had made the same step between the signing of
    the call and of the no-op."""
    needless = 0
    for address, rows in journals.items():
        others = [tx for tx in sent if tx.sender != address and tx.succeeded]
        firsts: dict[int, Mapping[str, Any]] = {}
        for row in rows:
            call = firsts.setdefault(int(row["nonce"]), row)
            if row["action"] == CANCEL and call["action"] != CANCEL:
                done = [tx for tx in others if tx.action == call["action"]]
                firsts[int(row["nonce"])] = row  # one nonce counts once
                needless += not any(call["signed_block"] <= tx.block <= row["signed_block"] for tx in done)
    return needless
