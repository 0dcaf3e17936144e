"""`python -m lab.localnet up`: run a month's local mainnet in the foreground."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.localnet.anvil import ROOT
from lab.localnet.errors import LocalnetError
from lab.localnet.session import DEFAULT_MONTH, DEFAULT_RESERVES, interrupt_on_terminate, running_mainnet


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m lab.localnet", description="A local Ethereum mainnet for one month.")
    commands = top.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="run it in the foreground until Ctrl-C")
    up.add_argument("--month", type=Path, default=DEFAULT_MONTH, help="a month file (default: %(default)s)")
    up.add_argument("--reserves", type=Path, default=DEFAULT_RESERVES, help="a reserves CSV (default: %(default)s)")
    up.add_argument("--positions", type=Path, help="a CSV of Uniswap V3 positions (default: no V3 pools)")
    up.add_argument("--port", type=int, default=0, help="port to listen on; 0, the default, takes a free one")
    up.add_argument("--world", type=Path, default=ROOT / ".run" / "world.json", help="where to write what stands where")
    return top


def up(month_file: Path, reserves_file: Path, positions_file: Path | None, port: int, world_file: Path) -> None:
    """Run until interrupted."""
    with running_mainnet(month_file, reserves_file, positions=positions_file, port=port) as on:
        on.world.save(world_file)
        print(f"local mainnet of {on.month.label} at {on.url} (chain id 1, {on.world.reserves_note})")
        print(f"world: {world_file}")
        print("Ctrl-C ends it", flush=True)
        signal.pause()


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; the exit code."""
    given = parser().parse_args(arguments)
    interrupt_on_terminate()
    try:
        up(given.month, given.reserves, given.positions, given.port, given.world)
    except KeyboardInterrupt:
        print("stopped")
    except LocalnetError as error:
        print(f"localnet: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
