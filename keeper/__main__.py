"""`python -m keeper init | status | plan | explain | check | once | run | cancel | alert | keystore`.

Installed from the wheel it is `ballast-keeper`.
"""

from __future__ import annotations

import keeper.ready  # noqa: F401 (first: it exits with one line if an import below would fail)

# isort: split
import json
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import structlog
from rich.console import Console, RenderableType

from ballast import __version__
from ballast.book import Book
from ballast.rule.calendar import begin_of
from keeper.check.command import check
from keeper.errors import KeeperError, SettingsError
from keeper.explain.explanation import explain
from keeper.explain.tables import explain_json, explain_tables
from keeper.init import init
from keeper.keys.create import keystore
from keeper.loop import Keeper
from keeper.ops.liveness import Interrupted
from keeper.ops.notifier import sender_to, services_of
from keeper.output import logs, tables
from keeper.sending.journal import CANCEL
from keeper.sending.sender import PATIENCE
from keeper.settings import load_alert_urls, load_book, load_books, load_settings
from keeper.view import View, Viewer
from keeper.wiring import keeper_of, readers_of, sending, turn_of

log = structlog.get_logger("keeper")

WIDE = 140
"""Columns of a table printed to a pipe or a file."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
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


cli.add_command(check)
cli.add_command(init)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def status(env_file: Path, as_json: bool) -> None:
    """Show the fund as it stands: what it holds, what a share is worth, and what is due next."""
    _show(env_file, as_json, tables.fund_json, tables.fund_tables)
    settings = load_settings(env_file)[0]
    turn = turn_of(settings, load_books(settings)[0].chain_id)
    if turn.wait and not as_json:
        click.echo(
            f"This keeper stands by with rank {turn.rank}: it acts on what has been possible for {turn.wait} blocks."
        )


@cli.command(name="plan")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def plan_(env_file: Path, as_json: bool) -> None:
    """Show what would be done next and what it is expected to cost; sends nothing."""
    _show(env_file, as_json, tables.plan_json, tables.plan_tables)


def _checked_period(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    try:
        if text is not None:
            begin_of(text)
    except ValueError as error:
        raise click.BadParameter(f"found {text!r}, {error}") from None
    return text


@cli.command(name="explain")
@click.argument("period", required=False, callback=_checked_period)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def explain_(context: click.Context, period: str | None, as_json: bool) -> None:
    """Show how the weights of a month came about, and whether the keeper computes the same.

    PERIOD is a month such as 2021-04, or a day in a shorter period, such as 2021-04-12; without it, the last one that
    was determined. Ends with status 2 if the keeper's own computation differs.
    """
    settings, secrets = load_settings(context.obj)
    logs.configure(settings.log)
    (chain,) = readers_of(settings, secrets, [load_book(settings)])
    found = explain(chain, period)
    if as_json:
        click.echo(json.dumps(explain_json(found, chain.book), indent=1))
    else:
        _console().print(explain_tables(found, chain.book))
    if found.differences:
        context.exit(2)


@cli.command()
@click.pass_obj
def once(env_file: Path) -> None:
    """Do what is due now, at most one transaction, and end."""
    with _keeper(env_file, patience=None) as keeper:
        pulses = keeper.tick()
    if not pulses:
        click.echo("an earlier transaction is still open; run it again")
    for pulse in pulses:
        if pulse.state == "error":
            raise KeeperError(pulse.error or "could not act")
        if pulse.sent:
            click.echo(f"{pulse.action}: {pulse.sent[0]}")
            continue
        at = pulse.possible_from or pulse.next
        why = pulse.error or pulse.reason.replace("_", " ")
        if pulse.acts_from is not None:
            why = f"other keepers' turn until block {pulse.acts_from}"
        click.echo(f"nothing sent: {pulse.action} ({why}); next: {tables.when(at) if at else 'unknown'}")


@cli.command()
@click.pass_obj
def run(env_file: Path) -> None:
    """Go on through this month and the next, until SIGINT or SIGTERM. What passes by itself is waited for, at the start
    too."""
    try:
        with _keeper(env_file, watched=True) as keeper:
            keeper.run()
    except Interrupted:
        log.info("stopped before it could start")


@cli.command()
@click.pass_obj
def cancel(env_file: Path) -> None:
    """End what is signed and not mined, by sending nothing to oneself in its place; waits until that is settled.

    Stop the keeper first: it holds the journal.
    """
    settings, secrets = load_settings(env_file)
    logs.configure(settings.log)
    with sending(settings, secrets, patience=None) as (sender, *_):
        ended = sender.cancel()
        for entry in ended:
            how = "cancelled by" if entry.action == CANCEL else f"{entry.action} was faster, {entry.status}:"
            click.echo(f"nonce {entry.nonce}: {how} {entry.hash}")
        if sender.unresolved:
            raise KeeperError("an earlier transaction is still open; run it again")
        if not ended:
            click.echo("nothing is open")


@cli.command()
@click.argument("text", default="a test, all is well")
@click.pass_obj
def alert(env_file: Path, text: str) -> None:
    """Send TEXT to where alerts go: to try that, or to tell that the keeper has failed. Needs no other setting."""
    urls = load_alert_urls(env_file)
    logs.configure("console")
    if not sender_to(services_of(urls))("Ballast", f"{socket.gethostname()}: {text}", False):
        raise KeeperError("BALLAST_ALERT_URLS: no service took it")
    click.echo("sent")


cli.add_command(keystore)


def _show(
    env_file: Path,
    as_json: bool,
    to_json: Callable[[View, Book], dict[str, Any]],
    to_tables: Callable[[View, Book], RenderableType],
) -> None:
    settings, secrets = load_settings(env_file)
    logs.configure(settings.log)
    seen = [(Viewer(chain, settings).look(), chain.book) for chain in readers_of(settings, secrets)]
    if as_json:
        documents = [to_json(found, book) for found, book in seen]
        click.echo(json.dumps(documents[0] if len(documents) == 1 else documents, indent=1))
        return
    for found, book in seen:
        _console().print(to_tables(found, book))


def _console() -> Console:
    """A console that is wide enough for a pipe or file, which have no width, so that figures do not wrap."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDE)


@contextmanager
def _keeper(env_file: Path, *, patience: int | None = PATIENCE, watched: bool = False) -> Iterator[Keeper]:
    settings, secrets = load_settings(env_file)
    logs.configure(settings.log)
    with keeper_of(settings, secrets, patience=patience, watched=watched) as keeper:
        yield keeper


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code: 0, 1 for an error at run time, 2 for a wrong configuration or
    usage, or if `explain` finds a difference, 130 if aborted."""
    try:
        code = cli(arguments, standalone_mode=False)
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


def installed() -> int:
    """Entry point of the installed command `ballast-keeper`."""
    logs.guard()
    return main()


if __name__ == "__main__":
    sys.exit(installed())
