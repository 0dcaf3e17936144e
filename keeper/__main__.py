"""`python -m keeper status | plan | explain | once | run | cancel`."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click
import structlog
from rich.console import Console, RenderableType
from web3 import Web3

from ballast.book import Book
from keeper import logs, view
from keeper.chain import Chain, ask, connect
from keeper.errors import KeeperError, SettingsError
from keeper.explain import explain
from keeper.explain_view import explain_json, explain_tables
from keeper.keys.signer import LocalSigner
from keeper.loop import Keeper, View, Viewer
from keeper.sending.journal import CANCEL, Journal
from keeper.sending.sender import PATIENCE, Sender, sender_for
from keeper.settings import Secrets, Settings, load_account, load_book, load_settings

log = structlog.get_logger("keeper")

WIDE = 140
"""Columns of a table that goes to a pipe or a file."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path(".env"),
    show_default=True,
    help="File with BALLAST_... variables; the environment wins.",
)
@click.pass_context
def cli(context: click.Context, env_file: Path) -> None:
    """Carries a fund through its month. Configured by BALLAST_... variables, see .env.example."""
    context.obj = env_file


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def status(env_file: Path, as_json: bool) -> None:
    """Show the fund as it stands."""
    _show(env_file, as_json, view.fund_json, view.fund_tables)


@cli.command(name="plan")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def plan_(env_file: Path, as_json: bool) -> None:
    """Show what would be done next and what it is expected to cost; sends nothing."""
    _show(env_file, as_json, view.plan_json, view.plan_tables)


class Period(click.ParamType):
    """A month given as 2021-04; the contracts count it as year * 12 + month - 1."""

    name = "year-month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        year, _, month = str(value).partition("-")
        if not (year.isdecimal() and len(year) == 4 and month.isdecimal() and 1 <= int(month) <= 12):
            self.fail(f"{value!r} is no month; expected one such as 2021-04", param, ctx)
        return int(year) * 12 + int(month) - 1


@cli.command(name="explain")
@click.argument("period", type=Period(), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def explain_(context: click.Context, period: int | None, as_json: bool) -> None:
    """Show how the weights of a month came about, and whether the keeper computes the same.

    PERIOD is a month such as 2021-04; without it, the last one that was determined. Ends with status 2 if the keeper's
    own computation differs.
    """
    settings, secrets = load_settings(context.obj)
    logs.configure(settings.log)
    chain = _chain(settings, secrets)
    found = explain(chain, period)
    if as_json:
        click.echo(json.dumps(explain_json(found, chain.book), indent=1))
    else:
        console = Console()
        # A pipe or file has no width of its own: figures are not broken there.
        wide = console if console.is_terminal else Console(width=WIDE)
        wide.print(explain_tables(found, chain.book))
    if found.differences:
        context.exit(2)


@cli.command()
@click.pass_obj
def once(env_file: Path) -> None:
    """Do what is due now, at most one transaction, and end."""
    with _keeper(env_file, patience=None) as keeper:
        pulse = keeper.tick()
    if pulse is None:
        click.echo("an earlier transaction is still open; run it again")
        return
    if pulse.state == "error":
        raise KeeperError(pulse.error or "could not act")
    if pulse.sent:
        click.echo(f"{pulse.action}: {pulse.sent[0]}")
        return
    at = pulse.possible_from or pulse.next
    why = pulse.error or pulse.reason.replace("_", " ")
    click.echo(f"nothing sent: {pulse.action} ({why}); next: {view.when(at) if at else 'unknown'}")


@cli.command()
@click.pass_obj
def run(env_file: Path) -> None:
    """Go on through this month and the next, until SIGINT or SIGTERM."""
    with _keeper(env_file) as keeper:
        keeper.run()


@cli.command()
@click.pass_obj
def cancel(env_file: Path) -> None:
    """End what is signed and not mined, by sending nothing to oneself in its place; waits until that is settled.

    Stop the keeper first: it holds the journal.
    """
    with _sending(env_file, patience=None) as (_, sender, _, _):
        ended = sender.cancel()
        for entry in ended:
            how = "cancelled by" if entry.action == CANCEL else f"{entry.action} was faster, {entry.status}:"
            click.echo(f"nonce {entry.nonce}: {how} {entry.hash}")
        if sender.unresolved:
            raise KeeperError("an earlier transaction is still open; run it again")
        if not ended:
            click.echo("nothing is open")


def _show(
    env_file: Path,
    as_json: bool,
    to_json: Callable[[View, Book], dict[str, Any]],
    to_tables: Callable[[View, Book], RenderableType],
) -> None:
    settings, secrets = load_settings(env_file)
    logs.configure(settings.log)
    chain = _chain(settings, secrets)
    found = Viewer(chain, settings).look()
    if as_json:
        click.echo(json.dumps(to_json(found, chain.book), indent=1))
    else:
        Console().print(to_tables(found, chain.book))


def _chain(settings: Settings, secrets: Secrets) -> Chain:
    """The chain, checked. Raises SettingsError, ChainError."""
    chain = Chain(connect(secrets.rpc_url.get_secret_value()), load_book(settings))
    chain.check(settings.chain_id)
    return chain


@contextmanager
def _keeper(env_file: Path, patience: int | None = PATIENCE) -> Iterator[Keeper]:
    """A keeper that may send. Every setting is checked before the journal is opened."""
    with _sending(env_file, patience) as (chain, sender, settings, stop):
        yield Keeper(chain, Viewer(chain, settings), sender, settings, stop)


@contextmanager
def _sending(env_file: Path, patience: int | None) -> Iterator[tuple[Chain, Sender, Settings, threading.Event]]:
    """What it takes to send, and what stops it. Every setting is checked before the journal is opened."""
    settings, secrets = load_settings(env_file)
    logs.configure(settings.log)
    account = LocalSigner(load_account(settings, secrets))
    chain = _chain(settings, secrets)
    if ask(lambda: chain.w3.eth.get_balance(Web3.to_checksum_address(account.address)), "balance") == 0:
        raise SettingsError(f"account {account.address}: has no ether on chain {chain.book.chain_id}; fund it for gas")
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    with Journal(settings.journal, chain.book.chain_id, account.address) as journal:
        sender = sender_for(chain, account, journal, settings, secrets, stop, patience)
        log.info("keeper", fund=chain.book.fund, account=account.address, chain=chain.book.chain_id)
        yield chain, sender, settings, stop


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, 1 for what went wrong on the way, 2 for what is configured wrong or does not agree."""
    try:
        code = cli(arguments, standalone_mode=False, prog_name="python -m keeper")
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return 130
    except SettingsError as error:
        print(f"keeper: {error}", file=sys.stderr)
        return 2
    except KeeperError as error:
        print(f"keeper: {error}", file=sys.stderr)
        return 1
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
