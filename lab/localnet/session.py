"""A fork of the local mainnet for Ape: `ape test` and `ape run` with `--network ethereum:mainnet-fork:foundry`.

The chain's port changes from run to run. Ape learns it from the environment: its settings for the plugin `node` can be
given as `APE_NODE_<FIELD>`, so `APE_NODE_ETHEREUM='{"mainnet": {"uri": "http://..."}}'` stands in for

    node:
      ethereum:
        mainnet:
          uri: http://...

in ape-config.yaml. Ape remembers what it saw at mainnet addresses, so every run gets a data folder of its own.
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
from pathlib import Path
from types import FrameType

from lab.localnet.anvil import ROOT, dies_with_parent
from lab.localnet.build import local_mainnet
from lab.localnet.month import load_month
from lab.localnet.reserves import load_reserves
from lab.localnet.v3 import load_positions

DEFAULT_MONTH = ROOT / "data" / "months" / "dpi-2021-04.json"
DEFAULT_RESERVES = ROOT / "data" / "reserves" / "v2_pairs_months.csv"
RUNS = ROOT / ".run"
NETWORK = "ethereum:mainnet-fork:foundry"


@contextlib.contextmanager
def fork_environment(
    month: str | Path = DEFAULT_MONTH,
    reserves: str | Path | None = None,
    *,
    positions: str | Path | None = None,
    port: int | None = None,
) -> Iterator[dict[str, str]]:
    """Run the month's local mainnet until the block ends; yields the environment in which Ape forks it.

    Beside Ape's own settings it holds BALLAST_WORLD (the world's JSON file), BALLAST_MONTH and BALLAST_RESERVES (the
    files it was built from) and BALLAST_UPSTREAM (the local mainnet's RPC URL; the fork itself is Ape's). There are V3
    pools only if a `positions` file names them.
    """
    month_file = Path(month).resolve()
    reserves_file = Path(reserves or DEFAULT_RESERVES).resolve()
    parsed, rows = load_month(month_file), load_reserves(reserves_file)
    v3_rows = () if positions is None else load_positions(positions)
    RUNS.mkdir(exist_ok=True)
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-{parsed.label}-", dir=RUNS))
    try:
        with local_mainnet(parsed, rows, positions=v3_rows, port=port, log=folder / "anvil.log") as (url, world):
            world_file = folder / "world.json"
            world.save(world_file)
            yield {
                **ape_environment(folder / "ape"),
                "APE_NODE_ETHEREUM": json.dumps({"mainnet": {"uri": url}}),
                "BALLAST_UPSTREAM": url,
                "BALLAST_WORLD": str(world_file),
                "BALLAST_MONTH": str(month_file),
                "BALLAST_RESERVES": str(reserves_file),
            }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep() -> None:
    """Remove the folders of runs that were killed. A folder's name begins with its process."""
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


def ape_environment(data_folder: Path) -> dict[str, str]:
    """This process's environment with what Ape needs: tools of the repository, and a data folder."""
    tools = [Path(sys.executable).parent, ROOT / ".tools" / "anvil" / "bin"]
    environment = {key: value for key, value in os.environ.items() if key != "APE_FOUNDRY_HOST"}
    return {
        **environment,
        "PATH": os.pathsep.join([*map(str, tools), environment.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), environment.get("PYTHONPATH", "")])),
        "SOLCX_BINARY_PATH": str(ROOT / ".tools" / "solc"),
        "APE_DATA_FOLDER": str(data_folder),
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
    """Let SIGTERM end this process as Ctrl-C does, so that all it started is taken down. For programs, not modules."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
