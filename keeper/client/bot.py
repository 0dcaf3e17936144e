"""The sending part of the API: an account whose key signs for some contracts alone, and a loop for its decisions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from keeper.client.fund import FundClient
from keeper.errors import FeeTooHighError, KeeperError, SimulationError
from keeper.keys.limited import Limited
from keeper.keys.load import advice, load_signer
from keeper.look.fund_reader import Head
from keeper.output import logs
from keeper.sending.journal import Journal
from keeper.sending.sender import Mined, Sender, sender_for
from keeper.sending.simulate import Call
from keeper.settings import load_book, load_settings
from keeper.wiring import readers_of

log = structlog.get_logger("keeper.client")


@dataclass(frozen=True)
class Bot:
    """A fund and an account that sends. The journal records everything that the account sends, so you may kill the bot
    at any moment and start it again. Nobody else may use the account.

        >>> with opened("0x...") as bot:
        ...     bot.run(choose)
    """

    fund: FundClient
    sender: Sender
    poll_s: float
    """Seconds between two looks."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Setting it ends `watch` and `run`, and a wait of `send`."""

    @property
    def address(self) -> str:
        """The account."""
        return self.sender.address

    def send(self, call: Call) -> Mined | None:
        """Simulates a call, sends it and waits until it is mined; None if it is still open: `watch` continues with it.

        Raises SimulationError if it would revert now, FeeTooHighError, and other KeeperErrors.

            >>> mined = bot.send(bot.fund.fill(found, filler, look.state))
        """
        return self.sender.send(call)

    def watch(self) -> Iterator[Head]:
        """Yields the latest block at each look, until stopped. First settles transactions that are still open; logs
        failures and tries again at the next look.

            >>> for head in bot.watch():
            ...     print(head.number)
        """
        while not self.stop.is_set():
            head = None
            with self.logged():
                if self.sender.unresolved:
                    self.sender.settle()
                else:
                    head = self.fund.head()
            if head is not None:
                yield head
            self.stop.wait(self.poll_s)

    def run(self, choose: Callable[[Head], Call | None]) -> None:
        """Sends the call that `choose` returns for each block, if any, until stopped.

        >>> bot.run(lambda head: solver.call(head))
        """
        for head in self.watch():
            with self.logged():
                if (call := choose(head)) is not None:
                    self.send(call)

    @contextmanager
    def logged(self) -> Iterator[None]:
        """Logs KeeperErrors raised in the `with` block instead of passing them on.

        >>> with bot.logged():
        ...     bot.send(call)
        """
        try:
            yield
        except (FeeTooHighError, SimulationError) as error:
            log.info("not now", error=str(error))
        except KeeperError as error:
            log.error("step failed", error=str(error))


@contextmanager
def opened(*contracts: str) -> Iterator[Bot]:
    """A bot from the keeper's settings (environment or .env); also configures the log. Its key signs for these
    contracts alone. Needs `BALLAST_RPC_URL`, `BALLAST_BOOK` and a key of its own; private endpoint, journal and fees
    are set as for a keeper. Raises SettingsError, ChainError, JournalError, KeyServiceError.

        >>> with opened("0x...") as bot:
        ...     print(bot.address, bot.fund.look().state.action)
    """
    settings, secrets = load_settings()
    logs.configure(settings.log)
    key = load_signer(settings, secrets)
    (chain,) = readers_of(settings, secrets, [load_book(settings)])
    signer = Limited(key, chain.book.chain_id, dict.fromkeys(contracts))
    if (better := advice(settings, secrets)) is not None:
        log.warning("key", advice=better)
    stop = threading.Event()
    with Journal(settings.journal, chain.book.chain_id, signer.address) as journal:
        sender = sender_for(chain, signer, journal, settings, secrets, stop)
        yield Bot(FundClient(chain), sender, settings.poll_seconds, stop)
