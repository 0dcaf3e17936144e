"""`python -m tools.audit [NAMES]`: runs the tools, prints a table, writes out/audit.json.

Every finding must match an entry of triage.yaml, which explains why it is no defect; an entry of a tool that ran and
that matches nothing is an error too.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from ballast.build import ROOT
from ballast.files import replace_json
from tools.audit import semgrep, slither, wake
from tools.audit.findings import AuditError, Finding, judged, triage

OUT = ROOT / "out" / "audit.json"
TOOLS: dict[str, Callable[[Path], list[Finding]]] = {
    "slither": slither.detectors,
    "slither-check-erc": slither.ercs,
    "wake": wake.detectors,
    semgrep.OWN: semgrep.own,
}
NOT_RUN = "not run: name a folder of others' rules for Solidity with --rules"


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*TOOLS, semgrep.OTHERS]))
@click.option(
    "--rules", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Others' rules for semgrep."
)
def main(names: tuple[str, ...], rules: Path | None) -> None:
    """Runs the tools named, or all. Ends with 1 where a finding is not explained, or an explanation has none."""
    tools = dict(TOOLS)
    if rules is not None:
        tools[semgrep.OTHERS] = lambda folder: semgrep.others(folder, rules)
    chosen = [name for name in (*TOOLS, semgrep.OTHERS) if not names or name in names]
    try:
        if semgrep.OTHERS in names and rules is None:
            raise AuditError(NOT_RUN)
        ran = [name for name in chosen if name in tools]
        entries = [entry for entry in triage() if entry.tool in ran]
        found = [finding for name in ran for finding in _found(name, tools[name])]
        left, idle = judged(found, entries)
        # It is not known which of others' rules are in the folder.
        idle = [entry for entry in idle if entry.tool != semgrep.OTHERS]
    except AuditError as error:
        print(f"audit: {error}", file=sys.stderr)
        sys.exit(1)
    Console(width=120).print(table(found, left))
    if semgrep.OTHERS in chosen and semgrep.OTHERS not in ran:
        print(f"{semgrep.OTHERS} {NOT_RUN}")
    _write(ran, found, left)
    for finding in left:
        print(f"not explained: {finding}", file=sys.stderr)
    for entry in idle:
        print(f"explains nothing any more: {entry.tool} {entry.check} at {entry.where}", file=sys.stderr)
    print(f"{len(found)} findings of {', '.join(ran)}; {len(left)} not explained")
    sys.exit(1 if left or idle else 0)


def _found(name: str, tool: Callable[[Path], list[Finding]]) -> list[Finding]:
    with Console(stderr=True).status(name), tempfile.TemporaryDirectory(prefix="audit-") as folder:
        return tool(Path(folder))


def table(found: Sequence[Finding], left: Sequence[Finding]) -> Table:
    """Counts findings by kind, and those that are not explained."""
    drawn = Table("tool", "impact", "kind", "findings", "not explained")
    open_ = Counter((finding.tool, finding.impact, finding.check) for finding in left)
    for kind, count in sorted(Counter((one.tool, one.impact, one.check) for one in found).items()):
        drawn.add_row(*kind, str(count), str(open_[kind] or ""))
    return drawn


def _write(ran: Sequence[str], found: Sequence[Finding], left: Sequence[Finding]) -> None:
    kinds = sorted(Counter((one.tool, one.impact, one.check) for one in found).items())
    document = {
        "tools": list(ran),
        "findings": [{"tool": t, "impact": i, "check": c, "count": count} for (t, i, c), count in kinds],
        "places": sorted({f"{one.tool} {one.impact} {one.check} {one.where}" for one in found}),
        "unexplained": [str(finding) for finding in left],
    }
    replace_json(OUT, document, indent=2)


if __name__ == "__main__":
    main()
