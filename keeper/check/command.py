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
from keeper.check.findings import Finding, Level, Says
from keeper.check.runner import failed, run
from keeper.errors import SettingsError
from keeper.output import logs
from keeper.settings import load_settings

WIDE = 140
"""Columns if the output is not a terminal."""
MAX_ROWS = 4
"""Most ok rows of one check in the table; if there are more, they share one row. JSON has them all."""
_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILURE: "bold red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def check(context: click.Context, as_json: bool) -> None:
    """Look whether everything that a month needs is in order; sends nothing.

    Each finding is ok, a warning or a failure, the latter two with a remedy. Ends with status 1 if anything failed.
    """
    findings = _findings(context.obj)
    if as_json:
        click.echo(json.dumps(check_json(findings), indent=1))
    else:
        console = Console()
        wide = console if console.is_terminal else Console(width=WIDE)
        wide.print(check_table(findings))
        wide.print(summary(findings), style=_STYLES[_worst(findings)])
    if failed(findings):
        context.exit(1)


def _findings(env_file: Path) -> tuple[Finding, ...]:
    try:
        settings, secrets = load_settings(env_file)
    except SettingsError as error:
        return (Says("configuration", "settings").failure(str(error), "set it; .env.example says what each one is"),)
    logs.configure(settings.log)
    return run(CheckContext(settings, secrets, env_file))


def check_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """The findings as JSON types. `passed`: nothing failed."""
    return {
        "passed": not failed(findings),
        "failures": _count(findings, Level.FAILURE),
        "warnings": _count(findings, Level.WARNING),
        "lines": [asdict(finding) for finding in findings],
    }


def check_table(findings: Sequence[Finding]) -> Table:
    """The findings as a table, each remedy below its finding; many ok findings of a kind share a row."""
    table = Table(title="keeper check", title_justify="left")
    for column in ("check", "subject", "level", "what was seen"):
        table.add_column(column, overflow="fold")
    for finding in _grouped(findings):
        seen = Text(finding.text)
        if finding.remedy:
            seen.append(f"\n-> {finding.remedy}", style="dim")
        table.add_row(finding.check, finding.subject, Text(finding.level.value, style=_STYLES[finding.level]), seen)
    return table


def _grouped(findings: Sequence[Finding]) -> Iterator[Finding]:
    """The findings, with a check's ok findings merged into one if they are many."""
    sound: dict[str, list[str]] = {finding.check: [] for finding in findings}
    for finding in findings:
        if finding.level is Level.OK:
            sound[finding.check].append(finding.subject)
    told = set()
    for finding in findings:
        many = len(sound[finding.check]) > MAX_ROWS
        if finding.level is not Level.OK or not many:
            yield finding
        elif finding.check not in told:
            told.add(finding.check)
            subjects = sound[finding.check]
            yield Finding(finding.check, f"{len(subjects)} of them", Level.OK, ", ".join(subjects))


def summary(findings: Sequence[Finding]) -> str:
    """The last line of the output."""
    failures, warnings = _count(findings, Level.FAILURE), _count(findings, Level.WARNING)
    verdict = "put the failures right before you start the keeper" if failures else "the keeper can be started"
    return f"{len(findings)} lines, {failures} failures, {warnings} warnings: {verdict}"


def _count(findings: Sequence[Finding], level: Level) -> int:
    return sum(finding.level is level for finding in findings)


def _worst(findings: Sequence[Finding]) -> Level:
    return max((finding.level for finding in findings), key=list(Level).index)
