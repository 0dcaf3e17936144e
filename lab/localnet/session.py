"""The local mainnet of a month's file, and the fork of it that Ape uses.

The fork is an anvil of ours, which Ape is configured to use. One that Ape starts listens on a port from the range that
the system gives to clients: now and then it is taken, and Ape gives up after 20 seconds.

The chain's port changes from run to run. Ape learns it from the environment: its settings for the plugin `node` can be
given as `APE_NODE_<FIELD>`, so `APE_NODE_ETHEREUM='{"mainnet": {"uri": "http://..."}}'` stands in for

    node:
      ethereum:
        mainnet:
          uri: http://...

in ape-config.yaml. Ape caches what it read at mainnet addresses, so every run gets a data folder of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click

from ballast.build import ROOT
from ballast.errors import UserError
from lab.localnet.anvil import anvil, dies_with_parent
from lab.localnet.build import local_mainnet
from lab.localnet.errors import LocalnetError
from lab.localnet.month_file import Month, load_month
from lab.localnet.reserves import load_reserves
from lab.localnet.v3 import load_positions
from lab.localnet.world import World

DEFAULT_MONTH = ROOT / "data" / "months" / "dpi-2021-04.json"
DEFAULT_RESERVES = ROOT / "data" / "reserves" / "v2_pairs_months.csv"
RUNS = ROOT / ".run"
NETWORK = "ethereum:mainnet-fork:foundry"
APE_HOST = "APE_FOUNDRY_HOST"
"""Environment variable with the URL of a running node, which Ape then uses instead of starting a fork."""
_FORK_OPTIONS = ("--steps-tracing", "--block-base-fee-per-gas", "0", "--gas-price", "0")
"""What Ape passes to a fork that it starts: steps in traces, which .tools/anvil records only on demand, and free
gas."""


@dataclass(frozen=True)
class LocalMainnet:
    """A running local mainnet of a month: its RPC URL, its world, and a folder for its files."""

    url: str
    world: World
    month: Month
    folder: Path


@contextlib.contextmanager
def running_mainnet(
    month: str | Path = DEFAULT_MONTH,
    reserves: str | Path | None = None,
    *,
    positions: str | Path | None = None,
    port: int | None = None,
) -> Iterator[LocalMainnet]:
    """Run the local mainnet of a month's file until the block ends. V3 pools are those of a `positions` file, and those
    assumed for a month that traded there; `port` 0 or None takes a free one. Raises LocalnetError."""
    parsed, rows = load_month(month), load_reserves(reserves or DEFAULT_RESERVES)
    v3_rows = () if positions is None else load_positions(positions)
    RUNS.mkdir(exist_ok=True)
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-{parsed.label}-", dir=RUNS))
    try:
        with local_mainnet(parsed, rows, positions=v3_rows, port=port, log=folder / "anvil.log") as (url, world):
            yield LocalMainnet(url, world, parsed, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running_fork(mainnet: LocalMainnet) -> Iterator[str]:
    """Run a fork of the local mainnet, as Ape would start it, until the block ends; yields its RPC URL. Raises
    LocalnetError."""
    with anvil(fork_url=mainnet.url, log=mainnet.folder / "fork.log", extra=_FORK_OPTIONS) as url:
        yield url


@contextlib.contextmanager
def fork_environment() -> Iterator[dict[str, str]]:
    """Run the default month's local mainnet and a fork of it until the block ends; yields the environment in which
    `ape test` uses that fork.

    Beside Ape's own settings it holds BALLAST_WORLD (the world's JSON file), BALLAST_MONTH (the month's file) and
    BALLAST_UPSTREAM (the local mainnet's RPC URL).
    """
    with running_mainnet() as mainnet, running_fork(mainnet) as fork:
        world_file = mainnet.folder / "world.json"
        mainnet.world.save(world_file)
        yield {
            **ape_environment(mainnet.folder / "ape", mainnet.url),
            APE_HOST: fork,
            "BALLAST_UPSTREAM": mainnet.url,
            "BALLAST_WORLD": str(world_file),
            "BALLAST_MONTH": str(DEFAULT_MONTH),
        }


def _sweep() -> None:
    """Remove the folders of runs that were killed. A folder's name begins with its process's id."""
    for folder in RUNS.glob("*-*/"):
        owner = folder.name.split("-")[0]
        if not owner.isdecimal() or not folder.is_dir():
            continue
        try:
            os.kill(int(owner), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except PermissionError:
            continue


def ape_environment(data_folder: Path, upstream: str) -> dict[str, str]:
    """This process's environment with what Ape needs: the repository's tools, a data folder, and the RPC URL of the
    chain that it forks."""
    tools = [Path(sys.executable).parent, ROOT / ".tools" / "anvil" / "bin"]
    environment = {key: value for key, value in os.environ.items() if key != APE_HOST}
    return {
        **environment,
        "PATH": os.pathsep.join([*map(str, tools), environment.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), environment.get("PYTHONPATH", "")])),
        "SOLCX_BINARY_PATH": str(ROOT / ".tools" / "solc"),
        "APE_DATA_FOLDER": str(data_folder),
        "APE_NODE_ETHEREUM": json.dumps({"mainnet": {"uri": upstream}}),
    }


def run_ape(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run Ape in the repository; its exit code. Ctrl-C reaches it too, and it ends if this process does."""
    process = subprocess.Popen(
        ["ape", *arguments],
        cwd=ROOT,
        env=dict(environment),
        preexec_fn=dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 (one thread here; it must run in the child)
    )
    try:
        return process.wait()
    except KeyboardInterrupt:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(5)  # Ctrl-C in a terminal has reached it as well
        raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if process.poll() is not None:
                break
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)


def interrupt_on_terminate() -> None:
    """Make SIGTERM end this process as Ctrl-C does, so that all it started is shut down. For programs, not modules."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


@contextlib.contextmanager
def command(name: str) -> Iterator[None]:
    """Wraps a whole program: SIGTERM ends it as Ctrl-C does (exit status 130), and an error is one line (status 1)."""
    interrupt_on_terminate()
    try:
        yield
    except (LocalnetError, UserError) as error:
        click.echo(f"{name}: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        click.echo(f"{name}: interrupted, everything is stopped", err=True)
        sys.exit(130)
