"""Deploys the fund of the fault scenarios on the local mainnet and saves the chain; started by `lab.chaos`."""

from __future__ import annotations

import os
from pathlib import Path

import ape
import click

from ballast.cli import FundCommand
from ballast.deploy import deploy_fund
from ballast.rule.arithmetic import period_start
from ballast.units import BLOCK_S
from lab.chaos.base_chain import save_chain
from lab.chaos.fund import fund_config
from lab.chaos.month_run import NOTICE_DAYS, PERIOD
from lab.localnet.market import Market
from lab.localnet.rpc import HttpRpc
from lab.localnet.world import World
from lab.testbed.clock import Clock
from lab.testbed.funding import deal_seed

LEFT_S = 7_200
"""Before the scenarios' period begins."""


@click.command(cls=FundCommand)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write to.")
def cli(out: Path) -> None:
    """Writes the chain's state, the world and the address book."""
    world = World.load(os.environ["BALLAST_WORLD"])
    provider = ape.networks.active_provider
    assert provider is not None
    rpc = HttpRpc(str(provider.http_uri))
    clock = Clock(rpc, Market(rpc, world))
    clock.jump(clock.now() + BLOCK_S)
    deployer = ape.accounts.test_accounts[0]
    config = fund_config(world)
    deal_seed(deployer, config)
    book = deploy_fund(ape.project, deployer, config, book_path=out / "book.json", unsafe=True)
    # The period that the fund was deployed in is determined and then too late to start: nothing is due before the next.
    ape.project.Rebalancer.at(book["rebalancer"]).determine(sender=deployer)
    clock.jump(period_start(PERIOD, NOTICE_DAYS) - LEFT_S)
    world.save(out / "world.json")
    save_chain(rpc, out)
