"""The local mainnet of a month, with Ape connected to it in this process: the only way from a month's file to a chain.

Ape reads its environment and its settings when it is imported. So it is imported here, once the environment is set, and
nowhere else in the lab. From then on it is bound to the chain that it forks: one local mainnet in a process, with any
number of forks one after the other.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from web3 import Web3

from ballast.build import ROOT
from lab.localnet.errors import LocalnetError
from lab.localnet.month_file import Month
from lab.localnet.rpc import HttpRpc
from lab.localnet.session import (
    APE_HOST,
    DEFAULT_MONTH,
    NETWORK,
    LocalMainnet,
    ape_environment,
    running_fork,
    running_mainnet,
)
from lab.localnet.world import World


@dataclass(frozen=True)
class ForkedChain:
    """A chain that Ape is connected to, a fork of a month's local mainnet. `project`, `accounts` (test accounts, whose
    keys are public) and `provider` are Ape's; `folder` is for files that a run writes."""

    project: Any
    accounts: Any
    provider: Any
    rpc: HttpRpc
    world: World
    month: Month
    folder: Path

    @property
    def url(self) -> str:
        return self.rpc.url

    @property
    def w3(self) -> Web3:
        connected: Web3 = self.provider.web3
        return connected

    @property
    def deployer(self) -> Any:
        """An Ape account, like the two below."""
        return self.accounts[0]

    @property
    def holder(self) -> Any:
        return self.accounts[1]

    @property
    def keeper(self) -> Any:
        return self.accounts[2]


@dataclass(frozen=True)
class ForkableMainnet:
    """A running local mainnet, which Ape can fork."""

    mainnet: LocalMainnet
    project: Any

    @property
    def world(self) -> World:
        return self.mainnet.world

    @contextlib.contextmanager
    def fork(self) -> Iterator[ForkedChain]:
        """Forks it until the block ends. One at a time. Raises LocalnetError."""
        with running_fork(self.mainnet) as url, self._connected(url) as chain:
            yield chain

    @contextlib.contextmanager
    def itself(self) -> Iterator[ForkedChain]:
        """The local mainnet itself, not a fork of it, until the block ends."""
        with self._connected(self.mainnet.url) as chain:
            yield chain

    @contextlib.contextmanager
    def _connected(self, url: str) -> Iterator[ForkedChain]:
        """Connects Ape to the node at `url` until the block ends."""
        import ape  # noqa: PLC0415 (its environment is set)
        from ape.exceptions import ApeException  # noqa: PLC0415

        with patch.dict(os.environ, {APE_HOST: url}), contextlib.ExitStack() as stack:
            with _own_handlers():
                try:
                    connection = ape.networks.parse_network_choice(NETWORK, disconnect_after=True)
                    provider = stack.enter_context(connection)
                except ApeException as error:
                    raise LocalnetError(f"Ape: {str(error).strip().splitlines()[0]}") from error
            rpc = HttpRpc(str(provider.http_uri))
            stack.callback(rpc.close)
            here, accounts = self.mainnet, ape.accounts.test_accounts
            yield ForkedChain(self.project, accounts, provider, rpc, here.world, here.month, here.folder)


@contextlib.contextmanager
def forkable(
    month: str | Path = DEFAULT_MONTH, reserves: str | Path | None = None, *, positions: str | Path | None = None
) -> Iterator[ForkableMainnet]:
    """Starts the local mainnet of a month until the block ends, with the repository as the working folder, where Ape
    finds its settings. Raises LocalnetError."""
    with contextlib.ExitStack() as stack:
        mainnet = stack.enter_context(running_mainnet(month, reserves, positions=positions))
        stack.enter_context(patch.dict(os.environ, ape_environment(mainnet.folder / "ape", mainnet.url), clear=True))
        stack.enter_context(contextlib.chdir(ROOT))
        # Registered before Ape registers anything, so run after it: Ape writes into the folder once more at exit.
        atexit.register(shutil.rmtree, mainnet.folder, ignore_errors=True)
        with _own_handlers():
            import ape  # noqa: PLC0415 (its environment is set)
            from ape.logging import LogLevel, logger  # noqa: PLC0415
        logger.set_level(LogLevel.WARNING)
        yield ForkableMainnet(mainnet, ape.Project(ROOT))


@contextlib.contextmanager
def forked(
    month: str | Path = DEFAULT_MONTH, reserves: str | Path | None = None, *, positions: str | Path | None = None
) -> Iterator[ForkedChain]:
    """Starts the local mainnet of a month and Ape's fork of it until the block ends. Raises LocalnetError."""
    with forkable(month, reserves, positions=positions) as mainnet, mainnet.fork() as chain:
        yield chain


@contextlib.contextmanager
def one_line() -> Iterator[None]:
    """For use on a connected chain: turns errors of Ape, the node or a fund's file into click's one-line errors."""
    from ballast import cli  # noqa: PLC0415 (it imports Ape)

    with cli.one_line():
        yield


@contextlib.contextmanager
def _own_handlers() -> Iterator[None]:
    """Restores our signal handlers: Ape replaces them by its own, which end the process without a KeyboardInterrupt."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
