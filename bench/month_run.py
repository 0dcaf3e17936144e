"""One published month through both engines on one chain: `python -m bench.month_run FILE --out JSON --logs FOLDER`.

A process of its own for each month, because Ape learns its chain once. What it is doing goes to standard output, a line
at a time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from bench import same_slices, set_month
from bench.chain import Chain
from bench.errors import BenchError
from bench.month_scene import Leaf, Scene, leaf
from bench.run import START_S, stage, taken_back
from keeper.errors import KeeperError as KeeperFailure
from localnet.errors import LocalnetError
from localnet.market import Market
from localnet.month import load_month
from localnet.session import interrupt_on_terminate
from replay.carry import ReplayError
from replay.carry import Stage as ReplayStage
from replay.carry import carry as carry_by_keeper
from replay.carry import stage as replay_stage
from replay.clock import Clock
from replay.keepers import KeeperError
from replay.measure import Outcome

PLANS = ("fewest", "cheapest")
"""The keeper's ways to plan, as its setting BALLAST_PLAN has them."""
HOUR_S = 3600


@click.command()
@click.argument("month", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="JSON file to write the month's object to.")
@click.option("--logs", type=click.Path(path_type=Path), required=True, help="Folder for the keepers' logs.")
def main(month: Path, out: Path, logs: Path) -> None:
    """Carry one published month through both engines."""
    interrupt_on_terminate()
    try:
        found = measure(month, logs, click.echo)
    except (BenchError, KeeperError, KeeperFailure, LocalnetError, ReplayError) as error:
        click.echo(f"{month.stem}: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    out.write_text(json.dumps(found), encoding="utf-8")


def measure(file: Path, logs: Path, say: Callable[[str], None]) -> dict[str, object]:
    """The month's object in out/bench.json."""
    month = load_month(file)
    say("starting a local mainnet")
    with stage(file) as on:
        import ape  # noqa: PLC0415 (the stage has set its environment)

        provider = ape.networks.active_provider
        chain = Chain(on.rpc, on.builds)
        chain.move_to(on.world.head + START_S)
        scene = Scene(chain, Clock(on.rpc, Market(on.rpc, on.world)), on.world, month, provider.web3)
        begin = replay_stage(on.project, ape.accounts.test_accounts, provider)
        price = on.world.weth_price_usd
        with taken_back(chain):
            peer = set_month.carry(scene, say)
        with taken_back(chain):
            sliced = same_slices.carry(scene, begin, say)
        leaves: dict[str, Leaf] = {}
        for plan in PLANS:
            with taken_back(chain):
                say(f"the keeper, {plan}")
                leaves[plan] = leaf(_by_keeper(begin, plan, peer, logs), price)
    return {"label": month.label, "same_slices": {"ours": leaf(sliced, price), "set_v2": leaf(peer, price)}, **leaves}


def _by_keeper(on: ReplayStage, plan: str, peer: Outcome, logs: Path) -> Outcome:
    """The month by the keeper's planner, in no more hours than the peer took."""
    folder = on.folder / plan
    folder.mkdir()
    hours = max(1, (peer.ended_at - peer.started_at) // HOUR_S)
    return carry_by_keeper(
        replace(on, folder=folder),
        Console(quiet=True),
        demo=False,
        keeper_log=logs / f"{on.month.label}-{plan}.log",
        more_settings={"BALLAST_PLAN": plan, "BALLAST_MAX_HOURS": str(hours)},
    )


if __name__ == "__main__":
    main()
