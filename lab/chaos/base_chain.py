"""The chain that every scenario starts from: built and saved once, loaded into a fresh anvil for each."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator
from pathlib import Path

from ballast.deployment.deploy import deploy_fund
from ballast.rule.arithmetic import period_start
from ballast.units import BLOCK_S
from lab.chaos.fund import fund_config
from lab.chaos.month_run import NOTICE_S, PERIOD
from lab.localnet.anvil import Cheats, anvil
from lab.localnet.market import Market
from lab.localnet.rpc import HttpRpc
from lab.testbed.clock import Clock
from lab.testbed.forked import ForkedChain, forkable, one_line
from lab.testbed.funding import deal_seed

STATE = "state.json"
LEFT_S = 7_200
"""Seconds before the scenarios' period begins."""


def build(folder: Path) -> None:
    """Builds the local mainnet, deploys the fund on it and saves the chain, its world and the book in `folder`. Raises
    LocalnetError and click's one-line errors."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    # Ape connects to the local mainnet itself: a fork of it could not be saved whole.
    with forkable() as mainnet, mainnet.itself() as on, one_line():
        _deploy(on, folder / "book.json")
        on.world.save(folder / "world.json")
        packed = str(on.rpc.request("anvil_dumpState"))
    (folder / STATE).write_bytes(gzip.decompress(bytes.fromhex(packed.removeprefix("0x"))))


def _deploy(on: ForkedChain, book_path: Path) -> None:
    """Deploys the scenarios' fund and moves the time to shortly before their period."""
    clock = Clock(on.rpc, Market(on.rpc, on.world))
    clock.jump(clock.now() + BLOCK_S)
    config = fund_config(on.world)
    deal_seed(on.deployer, config)
    book = deploy_fund(on.project, on.deployer, config, book_path=book_path, unsafe=True)
    # The period of the deployment is determined, then too late to start: nothing is due before the next.
    on.project.Rebalancer.at(book["rebalancer"]).determine(sender=on.deployer)
    clock.jump(period_start(PERIOD, NOTICE_S) - LEFT_S)


@contextlib.contextmanager
def chain(folder: Path, *, port: int | None = None, log: Path | None = None) -> Iterator[str]:
    """Runs a fresh chain in the saved state until the block ends; yields its RPC URL."""
    with anvil(port=port, log=log, extra=("--load-state", str(folder / STATE))) as url:
        rpc = HttpRpc(url)
        try:
            # A loaded chain continues at the machine's time; this sets it back to where it was saved.
            rpc.request("evm_setTime", Cheats(rpc).now())
        finally:
            rpc.close()
        yield url
