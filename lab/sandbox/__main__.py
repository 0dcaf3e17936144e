"""`python -m lab.sandbox run [--node anvil|hardhat] [--stops]`: figures of a sandbox, to out/sandbox.json."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ballast.build import ROOT
from ballast.errors import UserError
from ballast.files import replace_json, replace_whole
from lab.localnet.session import RUNS, interrupt_on_terminate
from lab.sandbox.chain import Kind, dressed
from lab.sandbox.record import record
from lab.sandbox.run import PLAN, user_of, whole
from lab.sandbox.stops import stopped_everywhere
from lab.sandbox.transcript import document, fresh

OUT = Path("out")
DOCUMENT = Path("docs/sandbox-transcript.md")
KINDS: tuple[Kind, ...] = ("anvil", "hardhat")


@click.group()
def main() -> None:
    """A sandbox as a user makes it, on a local node that is dressed as Sepolia."""


@main.command()
@click.option("--node", "kinds", type=click.Choice(KINDS), multiple=True, help="Which node; both if not given.")
@click.option("--stops", is_flag=True, help="Stop `up` at every transaction, too.")
@click.option("--plan", type=click.Path(path_type=Path), default=PLAN, help="The sandbox's file.")
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True, help="Folder.")
def run(kinds: tuple[Kind, ...], stops: bool, plan: Path, out: Path) -> None:
    """`ape run sandbox up`, a market and a keeper, until one short month is done."""
    interrupt_on_terminate()
    target = out / "sandbox.json"
    figures: dict[str, Any] = json.loads(target.read_text(encoding="utf-8")) if target.exists() else {}
    folder = RUNS / f"sandbox-{os.getpid()}"
    for kind in kinds or KINDS:
        click.echo(f"{kind}: a sandbox, a market, a keeper, a short month")
        with dressed(kind, folder / f"{kind}.log") as chain, user_of(chain, folder / kind, plan.resolve()) as user:
            figures[kind] = whole(chain, user)
        replace_json(target, figures, indent=1)
        click.echo(f"{kind}: {told(figures[kind])}")
        if stops:
            click.echo(f"{kind}: the same, stopped at every transaction")
            with dressed(kind, folder / f"{kind}-stops.log") as chain:
                figures[f"{kind}_stops"] = stopped_everywhere(chain, folder / f"{kind}-stops", plan.resolve())
            replace_json(target, figures, indent=1)
            click.echo(f"{kind}: {stops_told(figures[f'{kind}_stops'])}")
    shutil.rmtree(folder)  # kept where something went wrong
    click.echo(f"written: {target}")


@main.command(name="record")
@click.argument("target", type=click.Path(path_type=Path))
def record_(target: Path) -> None:
    """A person's way in this folder, written down as JSON. For a fresh clone."""
    interrupt_on_terminate()
    with dressed("anvil") as chain:
        replace_json(target, asdict(record(chain)), indent=1)


@main.command()
@click.option("--repository", type=click.Path(exists=True, path_type=Path), default=ROOT, help="What is cloned.")
@click.option("--from-record", type=click.Path(exists=True, path_type=Path), help="Of a folder that stood already.")
@click.option("--out", type=click.Path(path_type=Path), default=DOCUMENT, show_default=True, help="The document.")
def transcript(repository: Path, from_record: Path | None, out: Path) -> None:
    """From an empty folder to the rebalanced fund; writes docs/sandbox-transcript.md."""
    interrupt_on_terminate()
    if from_record is not None:
        replace_whole(out, document([], json.loads(from_record.read_text(encoding="utf-8")), {str(ROOT): "."}))
        return
    with tempfile.TemporaryDirectory(prefix="ballast-sandbox-") as folder:
        set_up, found = fresh(repository.resolve(), Path(folder))
        hidden = {
            f"{folder}/ape": "~/.ape",
            f"{folder}/ballast/": "",
            f"{folder}/ballast": ".",
            folder: "..",
            str(ROOT): ".",
        }
        replace_whole(out, document(set_up, found, hidden))
    click.echo(f"written: {out}")


def told(found: dict[str, Any]) -> str:
    """A run's figures in one line."""
    up, month, keeper, market = found["up"], found["month"], found["keeper"], found["market"]
    minutes = round(month["chain_seconds"]["until_done"] / 60)
    return (
        f"up {up['transactions']} transactions, {up['gas'] / 1e6:.1f} million gas, {up['seconds']:.0f} s; month done "
        f"after {minutes} minutes of the chain: {month['off_target_pct']['before']} % off target before, "
        f"{month['off_target_pct']['after']} % after; keeper {keeper['gas'] / 1e6:.1f}, "
        f"market {market['gas'] / 1e6:.1f} million gas"
    )


def stops_told(found: dict[str, Any]) -> str:
    """The stops' figures in one line."""
    transactions, gas = found["transactions"], found["gas"]
    return (
        f"{found['stops']} stops, two at each transaction ({found['ctrl_c']} by Ctrl-C, {found['killed']} by SIGKILL): "
        f"{found['funds']} fund, {transactions['stopped']} transactions, {gas['stopped']:,} gas; without a stop "
        f"{transactions['whole']}, {gas['whole']:,}"
    )


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except UserError as error:
        print(f"lab.sandbox: {error}", file=sys.stderr)
        sys.exit(1)
