"""The guardian's commands: what a brake would stop, the brakes themselves, and a watch on determinations."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import ape
import click
from rich.console import Console

from ballast.abi import encode_call
from ballast.cli import Deployed, FundCommand, agree, book_option, fund_argument, open_fund, send, sent_line
from ballast.costs import cost_of, lacks_ether, require_none
from ballast.fund_file import FundError
from ballast.steering import owner_abi
from ballast.steering.operations import TimelockCall
from ballast.units import BLOCK_S
from ballast.values import parse_duration
from keeper.errors import ChainError
from keeper.explain.explanation import Explanation, explain
from keeper.explain.tables import origin
from keeper.guard.brakes import FUNCTIONS, Brake, notice, period_end, refusal, veto_end
from keeper.guard.changes import changes
from keeper.guard.tables import Possible, determination_tables, notice_table, status_tables
from keeper.look.fund_reader import FundReader
from keeper.look.guardian import read_roles, refused
from keeper.look.lens import read_fund
from keeper.output.tables import when
from keeper.state import FundState, Phase
from scripts._submission import Submission, submission_options, write_batch

dry_option = click.option("--dry", is_flag=True, help="Show what it stops and costs, send nothing.")


@click.group()
def cli() -> None:
    """The brakes of a fund's guardian (docs/operations/incidents.md). Each shows first what it stops and costs."""


def _brake(brake: Brake) -> Callable[[Callable[..., None]], click.Command]:
    """Makes a command that sends a brake, with the options that all of them have."""

    def made(function: Callable[..., None]) -> click.Command:
        @wraps(function)
        def sent(*, account: Any, safe: Path | None, yes: bool, **given: Any) -> None:
            function(submission=Submission(account, safe, yes), **given)

        command: Any = sent
        for option in (book_option, dry_option, submission_options, fund_argument):
            command = option(command)
        found: click.Command = cli.command(name=brake.value, cls=FundCommand)(command)
        return found

    return made


@cli.command(cls=FundCommand)
@fund_argument
@book_option
def status(provider: Any, fund: Path, book_file: Path | None) -> None:
    """Show who may brake FUND, and what each brake would stop, cost and last now."""
    on = open_fund(ape.project, provider, fund, book_file)
    roles, state = read_roles(on.w3, on.book), read_fund(on.w3, on.book)
    asked: list[tuple[Brake, str, str, int]] = [
        (Brake.VETO, "the month", "", 0),
        (Brake.END_MONTH, "the month", "", 0),
        (Brake.PAUSE, "the fund", "", state.pause_left),
        (Brake.UNPAUSE, "the fund", "", 0),
        *((Brake.SUSPEND, on.book.symbol(h.token), h.token, 0) for h in state.holdings),
    ]
    possible = []
    for brake, subject, token, seconds in asked:
        why = _refused(on, state, roles.guardian, brake, *_arguments(brake, token, seconds))
        told = None if why else notice(brake, state, seconds=seconds, token=token, name=subject)
        possible.append(Possible(brake, subject, told, why))
    Console().print(status_tables(on.book.fund, state, roles.guardian, roles.owner, possible, on.book.symbol))


@_brake(Brake.VETO)
def veto(provider: Any, fund: Path, submission: Submission, dry: bool, book_file: Path | None) -> None:
    """Stop the month of FUND that was determined and is not started."""
    _send(open_fund(ape.project, provider, fund, book_file), Brake.VETO, submission, dry=dry)


@_brake(Brake.END_MONTH)
def end_month(provider: Any, fund: Path, submission: Submission, dry: bool, book_file: Path | None) -> None:
    """End the open month of FUND as it stands."""
    _send(open_fund(ape.project, provider, fund, book_file), Brake.END_MONTH, submission, dry=dry)


@_brake(Brake.PAUSE)
@click.argument("duration")
def pause(provider: Any, fund: Path, duration: str, submission: Submission, dry: bool, book_file: Path | None) -> None:
    """Pause the month of FUND for DURATION, such as "6 hours" or 3600."""
    try:
        seconds = parse_duration(duration)
    except ValueError as error:
        raise FundError(f"duration: found {duration!r}, {error}") from None
    on = open_fund(ape.project, provider, fund, book_file)
    _send(on, Brake.PAUSE, submission, dry=dry, seconds=seconds)


@_brake(Brake.UNPAUSE)
def unpause(provider: Any, fund: Path, submission: Submission, dry: bool, book_file: Path | None) -> None:
    """End the pause of FUND; what is left of it counts as not used."""
    _send(open_fund(ape.project, provider, fund, book_file), Brake.UNPAUSE, submission, dry=dry)


@_brake(Brake.SUSPEND)
@click.argument("component")
def suspend(
    provider: Any, fund: Path, component: str, submission: Submission, dry: bool, book_file: Path | None
) -> None:
    """Suspend a COMPONENT (symbol or address) of FUND for seven days."""
    on = open_fund(ape.project, provider, fund, book_file)
    token = on.component(component).token
    _send(on, Brake.SUSPEND, submission, dry=dry, token=token)


@cli.command(cls=FundCommand)
@fund_argument
@click.option("--once", is_flag=True, help="Explain the last determination and end.")
@click.option("--seconds", type=click.FloatRange(min=0.05), default=float(BLOCK_S), help="Between two looks.")
@book_option
def watch(provider: Any, fund: Path, once: bool, seconds: float, book_file: Path | None) -> None:
    """Explain each new determination of FUND: who comes and leaves, weights now and then, flags, supplies against the
    last month's, and until when it can be vetoed. Goes on until it is interrupted."""
    on, console = open_fund(ape.project, provider, fund, book_file), Console()
    chain = FundReader(on.w3, on.book)
    seen, refusing = 0, False
    while True:
        try:
            state = read_fund(on.w3, on.book)
            if state.determined_at != seen:
                _explain(console, on, chain, state)
                seen = state.determined_at
            elif not refusing and not seen:
                console.print(f"nothing is determined yet; {state.label_of(state.period)} may be from now on")
            refusing = not seen
        except ChainError as error:
            if once:
                raise
            console.print(f"{error}; looking again", soft_wrap=True)
        if once:
            return
        time.sleep(seconds)


def _explain(console: Console, on: Deployed, chain: FundReader, state: FundState) -> None:
    found = explain(chain, None)
    title = f"{on.book.fund}: {state.label_of(found.period)}, determined {when(found.time)}, block {found.block}"
    origins = {} if found.rule is None else {d.token: origin(found, on.book, d) for d in found.decisions}
    reread = () if found.start is None else found.start.changed
    rows = changes(found.decisions, state)
    console.print(determination_tables(title, rows, origins, reread, _veto(state), on.book.symbol))
    _say_differences(console, found)


def _say_differences(console: Console, found: Explanation) -> None:
    if found.differences:
        what = f"the keeper's own computation DIFFERS in {len(found.differences)} figures"
        console.print(f"{what}: `python -m keeper explain` shows them; veto unless you know why", soft_wrap=True)
    else:
        console.print("The keeper's own computation agrees to the wei.")


def _veto(state: FundState) -> str:
    """Until when the determination can be vetoed, or why it cannot be."""
    if state.phase is Phase.DETERMINED and state.month_period == state.period:
        return f"open {veto_end(state)}"
    return f"closed; the next determination is possible from {when(period_end(state))}"


def _arguments(brake: Brake, token: str, seconds: int) -> tuple[Any, ...]:
    """Arguments of the rebalancer's function."""
    return {Brake.PAUSE: (seconds,), Brake.SUSPEND: (token,)}.get(brake, ())


def _refused(on: Deployed, state: FundState, guardian: str, brake: Brake, *arguments: Any) -> str:
    """Why the rebalancer would refuse the guardian; empty where it would not."""
    found = refused(on.w3, on.book, guardian, FUNCTIONS[brake], *arguments)
    return "" if found is None else refusal(*found, state, on.book.symbol)


def _send(on: Deployed, brake: Brake, submission: Submission, *, dry: bool, token: str = "", seconds: int = 0) -> None:
    """Prints what a brake stops and costs; then, unless it is a dry run, asks and sends it, or writes it into a file
    for a multi-signature account. Raises FundError."""
    if not dry:
        submission.check()
    console, guardian, account = Console(), read_roles(on.w3, on.book).guardian, submission.account
    if account is not None and account.address != guardian:
        raise FundError(
            f"account {account.address}: is not the guardian of {on.book.fund!r}; use {guardian}, or have the owner do "
            "it through the timelock (ape run govern)"
        )
    state, subject = read_fund(on.w3, on.book), on.book.symbol(token) if token else ""
    arguments = _arguments(brake, token, seconds)
    if why := _refused(on, state, guardian, brake, *arguments):
        raise FundError(f"{brake}: {why}; nothing was sent")
    told = notice(brake, state, seconds=seconds, token=token, name=subject)
    console.print(notice_table(on.book.fund, brake, subject, told))
    if dry:
        return
    what = f"{brake}{f' of {subject}' if subject else ''}"
    call = encode_call(owner_abi.function("Rebalancer", FUNCTIONS[brake]), *arguments)
    if submission.safe is not None:
        calls = [TimelockCall(on.book["rebalancer"], 0, call)]
        written = write_batch(submission.safe, calls, on.book, state.time, brake, what, guardian)
        console.print(written, soft_wrap=True)
        return
    cost = cost_of(on.w3, account.address, [(on.book["rebalancer"], call)])
    require_none(lacks_ether(on.w3, account.address, cost.wei))
    agree(account, f"Send {what} from {account.address} ({cost})?", submission.yes)
    receipt = send(account, on.book["rebalancer"], call)
    console.print(sent_line(on.book.chain_id, receipt), soft_wrap=True)
    console.print(f"{what}: done")
