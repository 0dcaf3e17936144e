"""The chain that every scenario starts from: built once, saved, and loaded into a fresh anvil for each."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator
from pathlib import Path

from lab.localnet.anvil import Cheats, anvil
from lab.localnet.errors import LocalnetError
from lab.localnet.rpc import HttpRpc
from lab.localnet.session import NETWORK, fork_environment, run_ape

STATE = "state.json"
SCRIPT = "chaos_world"


def build(folder: Path) -> None:
    """Builds the local mainnet, deploys the fund on it and saves the chain with world and book in `folder`. Raises
    LocalnetError."""
    folder.mkdir(parents=True, exist_ok=True)
    with fork_environment() as environment:
        # Ape attaches to the local mainnet itself: a fork of it could not be saved whole.
        here = environment | {"APE_FOUNDRY_HOST": environment["BALLAST_UPSTREAM"]}
        options = ["--network", NETWORK, "--verbosity", "WARNING", "--out", str(folder.resolve())]
        code = run_ape(["run", SCRIPT, *options], here)
    if code or not (folder / STATE).exists():
        raise LocalnetError(f"chaos: the fund could not be deployed (Ape ended with {code})")


def save_chain(rpc: HttpRpc, folder: Path) -> None:
    """Writes the chain, history included, to where `chain` finds it."""
    packed = str(rpc.request("anvil_dumpState"))
    (folder / STATE).write_bytes(gzip.decompress(bytes.fromhex(packed.removeprefix("0x"))))


@contextlib.contextmanager
def chain(folder: Path, *, port: int | None = None, log: Path | None = None) -> Iterator[str]:
    """Runs a fresh chain in the saved state until the block ends; yields its RPC URL."""
    with anvil(port=port, log=log, extra=("--load-state", str(folder / STATE))) as url:
        rpc = HttpRpc(url)
        try:
            # A loaded chain goes on at the time of the machine; this one stays where it was saved.
            rpc.request("evm_setTime", Cheats(rpc).now())
        finally:
            rpc.close()
        yield url
