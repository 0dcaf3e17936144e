"""Steers a fund through its timelock: the fund's file is the desired state, the chain the actual one.

plan shows how they differ and what the change would do; propose schedules it; list shows what is scheduled, by
whomever; execute and cancel end it; act is for what a file cannot express. With --safe, what would send a transaction
writes a file for the Transaction Builder of a multi-signature account and sends nothing. methodology deploys another
one; book updates the address book to file and chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ape
import click
from ape.cli import account_option

from ballast.cli import FundCommand, agree, book_option, default_book, fund_argument
from ballast.costs import cost_of, lacks_ether, require_none
from ballast.deployment.creation import creation
from ballast.fund_file import FundError
from ballast.steering.differences import FieldDifference, Wish, calls_of, differences
from ballast.steering.operations import NOTHING, Operation, OperationState, TimelockCall, operation_id
from ballast.steering.refusals import refusal
from ballast.steering.words import names
from ballast.values import duration_text, parse_duration, span_text, time_text
from keeper.look.lens import read_fund
from keeper.state import Phase, Reason
from scripts._acts import ACTS, act_call
from scripts._govern import SHORT, Steering, lists_of
from scripts._lockers import lockers
from scripts._next_month import tell_next_month
from scripts._submission import Submission, submission_options

CHANGED = 2
"""Exit status of `plan` where file and chain differ."""
ALL = "all-ready"

correct_option = click.option(
    "--correct",
    multiple=True,
    metavar="SYMBOL",
    help="Replace this component's feed as a wrong one, which the new one need not agree with; may be repeated.",
)
delay_option = click.option("--delay", help='Longer than the timelock\'s own delay, such as "5 days".')


@click.group()
def cli() -> None:
    """Steer a fund through its timelock."""


@cli.command(cls=FundCommand)
@fund_argument
@correct_option
@book_option
def plan(provider: Any, fund: Path, correct: tuple[str, ...], book_file: Path | None) -> None:
    """Show how the file FUND and the chain differ, and what the change would do. Exit status 2 if they do."""
    steering = Steering(provider, fund, book_file)
    found = _differences(steering, correct)
    if steering.book_now() != steering.on.book:
        steering.say("the address book is not as file and chain: govern book")
    if not found:
        steering.say(f"nothing to change: {steering.config.name} is as its file says, at block {steering.head.number}")
        return
    _tell(steering, found)
    raise click.exceptions.Exit(CHANGED)


@cli.command(cls=FundCommand)
@fund_argument
@correct_option
@delay_option
@submission_options
@book_option
def propose(
    provider: Any,
    fund: Path,
    correct: tuple[str, ...],
    delay: str | None,
    account: Any,
    safe: Path | None,
    yes: bool,
    book_file: Path | None,
) -> None:
    """Schedule in the timelock what makes the chain follow the file FUND, as one batch."""
    submission = Submission(account, safe, yes)
    submission.check()
    steering = Steering(provider, fund, book_file)
    found = _differences(steering, correct)
    calls = calls_of(found)
    if not calls:
        steering.say(*(f"{one.field}: {one.words}; {one.remedy}" for one in found), "nothing to propose")
        return
    _tell(steering, found)
    already = steering.scheduled(calls)
    rest = [call for call in calls if call not in already]
    if not rest:
        steering.say("nothing to propose: all of it is scheduled already")
        return
    if already:
        steering.say(f"what is scheduled already is left out: {len(rest)} of {len(calls)} calls are proposed")
    _schedule(steering, rest, delay, submission)


@cli.command(cls=FundCommand)
@fund_argument
@click.argument("what", type=click.Choice(sorted(ACTS)))
@click.argument("arguments", nargs=-1)
@delay_option
@submission_options
@book_option
def act(
    provider: Any,
    fund: Path,
    what: str,
    arguments: tuple[str, ...],
    delay: str | None,
    account: Any,
    safe: Path | None,
    yes: bool,
    book_file: Path | None,
) -> None:
    """Schedule one deed that the file FUND has no word for, such as: act FUND override UNI 600000000."""
    submission = Submission(account, safe, yes)
    submission.check()
    steering = Steering(provider, fund, book_file)
    calls = [act_call(steering.on, steering.state, what, arguments)]
    steering.tell(calls)
    if what == "veto":
        _tell_lateness(steering, _checked_delay(steering, delay))
    tell_next_month(steering, calls)
    _schedule(steering, calls, delay, submission)


@cli.command(name="list", cls=FundCommand)
@fund_argument
@click.option("--all", "everything", is_flag=True, help="Those that are done or cancelled, too.")
@book_option
def list_(provider: Any, fund: Path, everything: bool, book_file: Path | None) -> None:
    """Tell what the timelock of FUND has scheduled, by whomever, with a warning for each dangerous call."""
    steering = Steering(provider, fund, book_file)
    found = steering.timelock.operations if everything else steering.timelock.open
    if not found:
        steering.say(f"nothing is scheduled in the timelock of {steering.config.name}")
    for operation in found:
        _tell_operation(steering, operation)


@cli.command(cls=FundCommand)
@fund_argument
@click.argument("key", metavar="ID")
@submission_options
@book_option
def execute(
    provider: Any, fund: Path, key: str, account: Any, safe: Path | None, yes: bool, book_file: Path | None
) -> None:
    """Execute the operation ID of the timelock of FUND, or "all-ready". The first digits of an id do."""
    submission = Submission(account, safe, yes)
    submission.check()
    steering = Steering(provider, fund, book_file)
    if key == ALL:
        found = [one for one in steering.timelock.open if one.state(steering.head.time) is OperationState.READY]
        if not found:
            raise FundError("execute: nothing is ready; look: govern list")
    else:
        found = [steering.operation(key)]
    for operation in found:
        steering.require_ready(operation)
        _tell_operation(steering, operation)
    what = f"Execute {', '.join(one.id[:SHORT] for one in found)}"
    steering.send("execute", [_execution(steering, one) for one in found], what, submission)
    _read_back(steering, found, OperationState.DONE, submission)


@cli.command(cls=FundCommand)
@fund_argument
@click.argument("key", metavar="ID")
@submission_options
@book_option
def cancel(
    provider: Any, fund: Path, key: str, account: Any, safe: Path | None, yes: bool, book_file: Path | None
) -> None:
    """Cancel the operation ID of the timelock of FUND. The first digits of an id do."""
    submission = Submission(account, safe, yes)
    submission.check()
    steering = Steering(provider, fund, book_file)
    operation = steering.operation(key)
    steering.require_open(operation)
    _tell_operation(steering, operation)
    call = steering.timelock_call("cancel", bytes.fromhex(operation.id[2:]))
    steering.send("cancel", [call], f"Cancel {operation.id[:SHORT]}", submission)
    _read_back(steering, [operation], OperationState.CANCELLED, submission)


@cli.command(cls=FundCommand)
@fund_argument
@account_option()  # type: ignore[untyped-decorator]
@click.option("--yes", is_flag=True, help="Do not ask before it is sent.")
@book_option
def methodology(provider: Any, fund: Path, account: Any, yes: bool, book_file: Path | None) -> None:
    """Deploy another methodology with rule and candidates of the file FUND, owned by the timelock. The fund uses it
    once `act FUND methodology ADDRESS` is executed."""
    steering = Steering(provider, fund, book_file)
    contract, arguments = creation("methodology", steering.config, steering.on.book.contracts, account)
    template = getattr(ape.project, contract)
    cost = cost_of(steering.w3, account.address, [(None, bytes(template(*arguments).data))])
    require_none(lacks_ether(steering.w3, account.address, cost.wei))
    agree(account, f"Deploy {contract} ({cost})?", yes)
    instance = account.deploy(
        template, *arguments, publish=False, gas_limit=cost.gas * 6 // 5, required_confirmations=0
    )
    steering.say(f"{contract} at {instance.address}; next: govern act {fund} methodology {instance.address}")


@cli.command(cls=FundCommand)
@fund_argument
@book_option
def book(provider: Any, fund: Path, book_file: Path | None) -> None:
    """Bring the address book up to the chain's methodology and delay, and to the components and pools of the file FUND.
    Keepers take it at their next start."""
    steering = Steering(provider, fund, book_file)
    found = steering.book_now()
    if found == steering.on.book:
        steering.say("the address book is as file and chain")
        return
    path = book_file or default_book(provider, steering.config)
    found.save(path)
    steering.say(f"address book: {path}")


cli.add_command(lockers)


# What they share


def _differences(steering: Steering, correct: tuple[str, ...]) -> tuple[FieldDifference, ...]:
    tokens = [steering.on.component(symbol).token for symbol in correct]
    wish = Wish(
        steering.config, steering.context, steering.state, steering.timelock.deployer, steering.head.time, tokens
    )
    return differences(wish)


def _tell(steering: Steering, found: Sequence[FieldDifference]) -> None:
    """Prints the differences, the calls that would end them, who may make those, and what they would do."""
    calls = calls_of(found)
    steering.say(f"{steering.config.name} at block {steering.head.number}, {time_text(steering.head.time)}")
    for one in found:
        by = f"call {calls.index(one.call) + 1}" if one.call is not None else f"no call can change it: {one.remedy}"
        steering.say(f"{one.field}: {one.words} ({by})")
    if not calls:
        return
    proposers = steering.timelock.roles.get("PROPOSER_ROLE", frozenset())
    steering.say(
        f"by the timelock, {duration_text(steering.state.min_delay)} after one of its proposers "
        f"({names(steering.context, sorted(proposers))}) has scheduled it:"
    )
    steering.tell(calls)
    tried = steering.rehearse(calls)
    for number, outcome in enumerate(tried.outcomes if tried else (), 1):
        if not outcome.success:
            what, remedy = refusal(steering.context, outcome.data)
            steering.say(f"call {number} would be refused now: {what}; {remedy}", style="red")
    for call, operation in steering.scheduled(calls).items():
        state, ready = operation.state(steering.head.time), time_text(operation.ready)
        since = "ready since" if state is OperationState.READY else "ready at"
        steering.say(
            f"call {calls.index(call) + 1} is scheduled already: operation {operation.id[:SHORT]}, {since} {ready}"
        )
    tell_next_month(steering, calls)


def _schedule(steering: Steering, calls: Sequence[TimelockCall], delay: str | None, submission: Submission) -> None:
    """Schedules the calls in one batch, after all that can be tried beforehand."""
    wait = _checked_delay(steering, delay)
    steering.say(*steering.require_possible(calls, wait))
    salt = steering.head.number.to_bytes(32, "big")
    call = steering.timelock_call("scheduleBatch", *lists_of(calls), NOTHING, salt, wait)
    key = operation_id(calls, NOTHING, salt)
    what = f"Schedule {len(calls)} calls as {key[:SHORT]}, to be executed after {duration_text(wait)}"
    steering.send("propose", [call], what, submission)
    if submission.safe is None:
        steering.look()
        operation = steering.operation(key)
        steering.say(f"operation {operation.id}: ready at {time_text(operation.ready)}")


def _checked_delay(steering: Steering, delay: str | None) -> int:
    least = steering.state.min_delay
    if delay is None:
        return least
    try:
        wait = parse_duration(delay)
    except ValueError as error:
        raise FundError(f"delay: found {delay!r}, {error}") from None
    if wait < least:
        raise FundError(f"delay: found {delay!r}, expected at least the timelock's {duration_text(least)}")
    return wait


def _tell_lateness(steering: Steering, delay: int) -> None:
    """Warns where anyone may start the month before the timelock could veto it."""
    state, ready = read_fund(steering.w3, steering.on.book), steering.head.time + delay
    start = state.next if state.reason in (Reason.NOT_YET, Reason.PAUSED) else state.time
    if state.phase is Phase.DETERMINED and start < ready:
        steering.say(
            f"too late: anyone may start the month from {time_text(start)} on, and the timelock can "
            f"veto at {time_text(ready)}; the guardian can at once: guard veto",
            style="yellow",
        )


def _execution(steering: Steering, operation: Operation) -> TimelockCall:
    calls = operation.calls
    if operation.single:
        call = calls[0]
        single = steering.timelock_call(
            "execute", call.target, call.value, call.data, operation.predecessor, operation.salt
        )
        return TimelockCall(single.target, call.value, single.data)
    batch = steering.timelock_call("executeBatch", *lists_of(calls), operation.predecessor, operation.salt)
    return TimelockCall(batch.target, sum(call.value for call in calls), batch.data)


def _tell_operation(steering: Steering, operation: Operation) -> None:
    now = steering.head.time
    state = operation.state(now)
    left = span_text(max(0, operation.ready - now))
    when = {
        OperationState.PENDING: f"ready at {time_text(operation.ready)}, in {left}",
        OperationState.READY: f"since {time_text(operation.ready)}",
        OperationState.DONE: f"since {time_text(operation.ended or 0)}",
        OperationState.CANCELLED: f"since {time_text(operation.ended or 0)}",
    }[state]
    steering.say(
        f"{operation.id[:SHORT]} {state}, {when}; scheduled {time_text(operation.scheduled)} by "
        f"{steering.context.name(operation.proposer)}, delay {duration_text(operation.delay)}"
    )
    steering.say(f"  id {operation.id}")
    if any(operation.predecessor):
        steering.say(f"  after operation 0x{operation.predecessor.hex()}")
    steering.tell(operation.calls, over=not operation.open)


def _read_back(
    steering: Steering, operations: Sequence[Operation], state: OperationState, submission: Submission
) -> None:
    """Prints the operations' states on the chain after sending. Raises FundError if one is not `state`."""
    if submission.safe is not None:
        return
    steering.look()
    for operation in operations:
        found = steering.operation(operation.id).state(steering.head.time)
        if found is not state:
            raise FundError(f"operation {operation.id[:SHORT]}: is {found} after the transaction, expected {state}")
        steering.say(f"operation {operation.id[:SHORT]}: {state}")
