"""`python -m keeper check [--json]`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from keeper.check.context import CheckContext
from keeper.check.lines import Level, Line, Says
from keeper.check.runner import failed, run
from keeper.errors import SettingsError
from keeper.output import logs
from keeper.settings import load_settings

WIDE = 140
"""Columns if the output is no terminal."""
MOST_ROWS = 4
"""Most ok rows of one check; more share a row. JSON has them all."""
_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILURE: "bold red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def check(context: click.Context, as_json: bool) -> None:
    """Look whether everything that a month needs is in order; sends nothing.

    Each line is ok, a warning or a failure, the latter two with a remedy. Ends with status 1 if anything failed.
    """
    lines = _lines(context.obj)
    if as_json:
        click.echo(json.dumps(check_json(lines), indent=1))
    else:
        console = Console()
        wide = console if console.is_terminal else Console(width=WIDE)
        wide.print(check_table(lines))
        wide.print(summary(lines), style=_STYLES[_worst(lines)])
    if failed(lines):
        context.exit(1)


def _lines(env_file: Path) -> tuple[Line, ...]:
    try:
        settings, secrets = load_settings(env_file)
    except SettingsError as error:
        return (Says("configuration", "settings").failure(str(error), "set it; .env.example says what each one is"),)
    logs.configure(settings.log)
    return run(CheckContext(settings, secrets, env_file))


def check_json(lines: Sequence[Line]) -> dict[str, Any]:
    """The lines as JSON types. `passed`: nothing failed."""
    return {
        "passed": not failed(lines),
        "failures": _count(lines, Level.FAILURE),
        "warnings": _count(lines, Level.WARNING),
        "lines": [asdict(line) for line in lines],
    }


def check_table(lines: Sequence[Line]) -> Table:
    """The lines as a table, each remedy below its finding; many ok lines of a kind share a row."""
    table = Table(title="keeper check", title_justify="left")
    for column in ("check", "subject", "level", "what was seen"):
        table.add_column(column, overflow="fold")
    for line in _grouped(lines):
        seen = Text(line.text)
        if line.remedy:
            seen.append(f"\n-> {line.remedy}", style="dim")
        table.add_row(line.check, line.subject, Text(line.level.value, style=_STYLES[line.level]), seen)
    return table


def _grouped(lines: Sequence[Line]) -> Iterator[Line]:
    """The lines, with a check's ok lines merged into one if they are many."""
    sound: dict[str, list[str]] = {line.check: [] for line in lines}
    for line in lines:
        if line.level is Level.OK:
            sound[line.check].append(line.subject)
    told = set()
    for line in lines:
        many = len(sound[line.check]) > MOST_ROWS
        if line.level is not Level.OK or not many:
            yield line
        elif line.check not in told:
            told.add(line.check)
            subjects = sound[line.check]
            yield Line(line.check, f"{len(subjects)} of them", Level.OK, ", ".join(subjects))


def summary(lines: Sequence[Line]) -> str:
    """The last line of the output."""
    failures, warnings = _count(lines, Level.FAILURE), _count(lines, Level.WARNING)
    verdict = "put the failures right before you start the keeper" if failures else "the keeper can be started"
    return f"{len(lines)} lines, {failures} failures, {warnings} warnings: {verdict}"


def _count(lines: Sequence[Line], level: Level) -> int:
    return sum(line.level is level for line in lines)


def _worst(lines: Sequence[Line]) -> Level:
    return max((line.level for line in lines), key=list(Level).index)
