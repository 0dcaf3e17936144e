"""What the commands of `govern` share: reading fund and timelock, describing calls, and sending transactions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ape
from eth_utils import to_checksum_address
from rich.console import Console
from web3 import Web3

from ballast.abi import call_view, encode_call
from ballast.book import Book, BookCandidate
from ballast.cli import Deployed, agree, open_fund, send, sent_line
from ballast.costs import cost_of, lacks_ether, require_none
from ballast.fund_file import FundConfig, FundError
from ballast.steering import owner_abi
from ballast.steering.calls import Decoded, addresses_in, decode, same_effect
from ballast.steering.in_force import InForce
from ballast.steering.operations import Operation, OperationState, TimelockCall
from ballast.steering.refusals import refusal
from ballast.steering.words import Context
from ballast.values import DEPLOYER, NO_ADDRESS, span_text, time_text
from keeper.check.codes import kind_of
from keeper.look.in_force import read_in_force
from keeper.look.rehearsal import CallOutcome, Rehearsal, rehearse
from keeper.look.retry import Head
from keeper.look.strangers import look_at
from keeper.look.timelock import Timelock, TimelockReader
from scripts._submission import Submission, write_batch

ROLE = {"propose": "PROPOSER_ROLE", "cancel": "CANCELLER_ROLE", "execute": "EXECUTOR_ROLE"}
"""The role that each action needs."""
SHORT = 10
"""Digits of an id that are shown, 0x included; more or fewer are accepted as long as they name one operation."""
ORACLES = ("ChainlinkOracle", "AnchoredOracle")


class Steering:
    """A fund in the latest block, with all that its timelock has scheduled."""

    def __init__(self, provider: Any, fund: Path, book_file: Path | None) -> None:
        self.on: Deployed = open_fund(ape.project, provider, fund, book_file)
        self.console = Console()
        self._require_same_fund()
        self._reader = TimelockReader(self.w3, self.on.book)
        self.context = Context(self.on.book, known=_names_in(self.on.config))
        self.look()

    @property
    def w3(self) -> Web3:
        return self.on.w3

    @property
    def config(self) -> FundConfig:
        return self.on.config

    def look(self) -> None:
        """Reads everything again in the latest block."""
        self.head = Head.of(self.w3.eth.get_block("latest"))
        self.timelock: Timelock = self._reader.read(self.head)
        feeds = [component.token for component in self.config.components]
        self.state: InForce = read_in_force(self.w3, self.on.book, self.head, self.timelock, feeds)
        self.context = replace(self.context, in_force=self.state)

    def book_now(self) -> Book:
        """The address book updated to file and chain. Entries that only the old one has stay: the fund may still hold
        them."""
        listed = {c.token: BookCandidate(c.symbol, c.token, c.decimals, c.book_pools()) for c in self.config.ordered()}
        old = {candidate.token: candidate for candidate in self.on.book.candidates}
        return replace(
            self.on.book,
            contracts={**self.on.book.contracts, "methodology": self.state.methodology},
            candidates=tuple(sorted({**old, **listed}.values(), key=lambda candidate: int(candidate.token, 16))),
            timelock_delay=self.state.min_delay,
        )

    def _require_same_fund(self) -> None:
        config, book = self.config, self.on.book
        if config.chain_id != book.chain_id:
            raise FundError(
                f"chain_id: the file is for {config.chain_id}, the address book for {book.chain_id}; name the file and "
                "the --book of one fund"
            )
        standing = call_view(self.w3, book["index_token"], "name()", ["string"])
        for where, name in (("address book", book.fund), ("index token", standing[0] if standing else None)):
            if name != config.name:
                raise FundError(
                    f"name: the file is of {config.name!r}, the {where} of {name!r}; name the file and the --book of "
                    "one fund"
                )

    # Words

    def say(self, *lines: str, style: str | None = None) -> None:
        for line in lines:
            self.console.print(line, soft_wrap=True, markup=False, highlight=False, style=style)

    def decoded(self, calls: Iterable[TimelockCall], *, over: bool = False) -> list[Decoded]:
        """Calls in words, after reading every contract that they name. `over`: do not compare them with what is in
        force now."""
        listed = list(calls)
        named = {address for call in listed for address in addresses_in(self.context, call.target, call.data)}
        self.context = look_at(self.w3, self.context, named, kind_of)
        context = replace(self.context, in_force=None) if over else self.context
        return [decode(context, call.target, call.data, call.value) for call in listed]

    def tell(self, calls: Sequence[TimelockCall], *, over: bool = False) -> None:
        """Prints each call in words; with its warnings, unless it is over."""
        for number, call in enumerate(self.decoded(calls, over=over), 1):
            self.say(f"  {number}. {call.words}")
            for warning in () if over else call.warnings:
                self.say(f"     warning: {warning}", style="yellow")

    # Trying

    def rehearse(
        self, calls: Sequence[TimelockCall], views: Sequence[TimelockCall] = (), later: int | None = None
    ) -> Rehearsal | None:
        """Simulates the calls from the timelock, at the latest block or at a later time."""
        return rehearse(self.w3, self.head, self.on.book["timelock"], calls, views, later)

    def require_possible(self, calls: Sequence[TimelockCall], delay: int) -> list[str]:
        """Tries the calls now and as of the end of the delay; a line for each trial that was not possible. Raises
        FundError for the first call that the contracts would refuse."""
        now = self.rehearse(calls)
        assert now is not None  # at the head every node answers
        self._require_success(calls, now.outcomes, "now")
        said = [] if now.together else ["the node lacks eth_simulateV1: each call was tried alone, at the latest block"]
        ready = self.head.time + delay
        # Feeds have no answers of that time, so what the oracles check cannot be known before.
        kinds = [self.context.kind(call.target) for call in calls]
        later = [call for call, kind in zip(calls, kinds, strict=True) if kind not in ORACLES]
        if len(later) < len(calls):
            said.append(f"not tried as of {time_text(ready)}: calls of the oracle, as feeds have no answers of then")
        then = self.rehearse(later, later=ready) if later else None
        if then is not None:
            self._require_success(later, then.outcomes, f"after the delay, at {time_text(ready)}")
        elif later:
            said.append(f"not tried as of {time_text(ready)}: the node lacks eth_simulateV1")
        return said

    def _require_success(self, calls: Sequence[TimelockCall], outcomes: Sequence[CallOutcome], when: str) -> None:
        for call, outcome, told in zip(calls, outcomes, self.decoded(calls), strict=True):
            if not outcome.success:
                what, remedy = refusal(self.context, outcome.data)
                where = f"{told.contract}.{told.function}" if told.function else call.target
                raise FundError(f"{where} would be refused {when}: {what}; {remedy}")

    # Operations

    def scheduled(self, calls: Sequence[TimelockCall]) -> dict[TimelockCall, Operation]:
        """Those of the calls that an open operation already makes, each with the first such operation to be ready."""
        found: dict[TimelockCall, Operation] = {}
        for operation in self.timelock.open:
            for call in calls:
                if any(same_effect(call, one) for one in operation.calls):
                    found.setdefault(call, operation)
        return found

    def operation(self, key: str) -> Operation:
        """The one operation whose id begins with `key`. Raises FundError."""
        given = key.lower()
        found = [one for one in self.timelock.operations if one.id.startswith(given)] if given.startswith("0x") else []
        if len(found) != 1:
            what = f"begins {len(found)} ids, give more digits" if found else "names no operation of the timelock"
            raise FundError(f"id: {key!r} {what}; look: govern list")
        return found[0]

    def require_open(self, operation: Operation) -> None:
        """Raises FundError for an operation that is done or cancelled."""
        state = operation.state(self.head.time)
        if operation.ended is not None:
            at = time_text(operation.ended)
            raise FundError(f"operation {operation.id[:SHORT]}: is {state} since {at}; look: govern list --all")

    def require_ready(self, operation: Operation) -> None:
        """Raises FundError unless it can be executed."""
        self.require_open(operation)
        if operation.state(self.head.time) is OperationState.PENDING:
            left = span_text(operation.ready - self.head.time)
            raise FundError(
                f"operation {operation.id[:SHORT]}: is not ready before {time_text(operation.ready)}, in {left}; wait"
            )
        before = "0x" + operation.predecessor.hex()
        first = next((one for one in self.timelock.operations if one.id == before), None)
        if any(operation.predecessor) and (first is None or not first.done):
            raise FundError(f"operation {operation.id[:SHORT]}: operation {before} has to be executed first")

    # Sending

    def require_role(self, deed: str, account: str) -> None:
        """Raises FundError unless the account has the role."""
        holders = self.timelock.roles.get(ROLE[deed], frozenset())
        if account not in holders and NO_ADDRESS not in holders:
            named = ", ".join(sorted(holders)) or "nobody"
            raise FundError(f"account {account}: may not {deed}, as it lacks {ROLE[deed]}; expected one of {named}")

    def send(self, deed: str, calls: Sequence[TimelockCall], what: str, submission: Submission) -> None:
        """Calls of the timelock's own functions: sends each from the account, or writes all of them into a file for a
        multi-signature account. Raises FundError before sending anything if one would be refused."""
        if submission.safe is not None:
            self._write(deed, calls, what, submission.safe)
            return
        account = submission.account
        self.require_role(deed, account.address)
        tried = rehearse(self.w3, self.head, account.address, calls)
        assert tried is not None
        for outcome in tried.outcomes:
            if not outcome.success:
                refused, remedy = refusal(self.context, outcome.data)
                raise FundError(f"{deed}: would be refused: {refused}; {remedy}")
        cost = cost_of(self.w3, account.address, [(call.target, call.data) for call in calls])
        require_none(lacks_ether(self.w3, account.address, cost.wei, sum(call.value for call in calls)))
        agree(account, f"{what} ({cost})?", submission.yes)
        for call in calls:
            receipt = send(account, call.target, call.data, call.value)
            self.say(sent_line(self.on.book.chain_id, receipt))

    def _write(self, deed: str, calls: Sequence[TimelockCall], what: str, path: Path) -> None:
        holders = self.timelock.roles.get(ROLE[deed], frozenset())
        safes = [one for one in sorted(holders - {NO_ADDRESS}) if self.w3.eth.get_code(to_checksum_address(one))]
        safe = safes[0] if len(safes) == 1 else ""
        self.say(write_batch(path, calls, self.on.book, self.head.time, deed, what, safe))

    def timelock_call(self, function: str, *arguments: Any) -> TimelockCall:
        return TimelockCall(
            self.on.book["timelock"], 0, encode_call(owner_abi.function("Timelock", function), *arguments)
        )


def lists_of(calls: Sequence[TimelockCall]) -> tuple[list[str], list[int], list[bytes]]:
    """Targets, values and data, as arguments of the timelock."""
    return [call.target for call in calls], [call.value for call in calls], [call.data for call in calls]


def _names_in(config: FundConfig) -> dict[str, str]:
    """Labels of the addresses in a fund's file."""
    named = {config.eth_feed.address: "the file's feed of ETH", config.weth: "WETH"}
    for component in config.components:
        named[component.token] = component.symbol
        named[component.feed.address] = f"the file's feed of {component.symbol}"
        if component.anchor is not None:
            named[component.anchor.pool] = f"the file's anchor of {component.symbol}"
        named |= dict.fromkeys(component.lockers or (), f"the file's locker of {component.symbol}")
    roles = {"guardian": config.roles.guardian, "fee recipient": config.roles.fee_recipient}
    roles |= {f"proposer {number}": account for number, account in enumerate(config.roles.proposers, 1)}
    if config.roles.poster is not None:
        roles["poster"] = config.roles.poster
    return named | {account: f"the file's {role}" for role, account in roles.items() if account != DEPLOYER}
