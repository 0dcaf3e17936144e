"""A deployed fund that is steered with `govern`, and its time."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ape

from ballast.abi import call_view, encode_call
from ballast.book import Book
from ballast.fund_file import FundConfig
from ballast.units import BLOCK_S
from lab.localnet.anvil import Cheats
from lab.localnet.market import Market
from lab.localnet.rpc import HttpRpc
from lab.testbed.funding import as_yaml
from scripts import govern
from tests.helpers.edits import Edit

if TYPE_CHECKING:
    from tests.scripts.conftest import Invoke, Ran, WriteFund


class Steered:
    """Commands run inside this process. `raw` is the fund's file, `shown` what the last command wrote."""

    def __init__(
        self,
        invoke: Invoke,
        write_fund: WriteFund,
        config: FundConfig,
        market: Market,
        book_file: Path,
        output: Callable[[], str],
    ) -> None:
        self._invoke, self._write, self._output = invoke, write_fund, output
        self.market, self.config, self.folder = market, config, book_file.parent
        self.account = ape.accounts.test_accounts[3]
        self.provider: Any = ape.networks.active_provider
        self.cheats = Cheats(HttpRpc(str(self.provider.http_uri)))
        self.book_file = book_file
        self.book = Book.load(book_file)
        self.raw = as_yaml(config)
        self.fund = write_fund(self.raw)
        self.shown = ""
        self._feeds: dict[str, int] = {}

    def edit(self, *edits: Edit) -> None:
        """Changes the fund's file."""
        raw = copy.deepcopy(self.raw)
        for edit in edits:
            edit(raw)
        self.raw = raw
        self.fund = self._write(raw)

    def run(self, name: str, account: Any = None, **more: Any) -> Ran:
        """One of `govern`'s commands; those that send do so from the deployer unless another is named."""
        given: dict[str, Any] = {"provider": self.provider, "fund": self.fund, "book_file": self.book_file}
        if name in ("plan", "propose"):
            given["correct"] = ()
        if name in ("propose", "act"):
            given["delay"] = None
        if name == "act":
            given["arguments"] = ()
        if name == "methodology":
            given |= {"account": self.account, "yes": True}
        if name in ("propose", "act", "execute", "cancel"):
            account = None if "safe" in more else account or self.account
            given |= {"account": account, "safe": None, "yes": True}
        command = govern.list_ if name == "list" else getattr(govern, name)
        if name == "list":
            given["everything"] = False
        self._output()
        ran = self._invoke(command, **{**given, **more})
        self.shown = self._output()
        return ran

    def component(self, symbol: str) -> int:
        """Its place in the file."""
        return next(i for i, component in enumerate(self.raw["components"]) if component["symbol"] == symbol)

    def token(self, symbol: str) -> str:
        return next(c.token for c in self.book.candidates if c.symbol == symbol)

    def answer(self, symbol: str) -> int:
        """What the file's feed of a component answers."""
        feed = self.raw["components"][self.component(symbol)]["feed"]["address"]
        return int(ape.project.ReferenceFeed.at(feed).latestRoundData()[1])

    def pass_to(self, time: int) -> None:
        """Moves the chain to a time, with fresh feeds."""
        self.pass_time(time - self.cheats.now())

    def pass_time(self, seconds: int) -> None:
        """Moves the chain's time, with fresh feeds."""
        self.cheats.mine_at(self.cheats.now() + seconds)
        self.market.post_feeds()
        for feed, answer in self._feeds.items():
            self._post(feed, answer)

    def pass_delay(self) -> None:
        """Until what was scheduled now is ready."""
        self.pass_time(self.config.timelock_delay + BLOCK_S)

    def view(self, name: str, signature: str, kind: str, *args: Any) -> Any:
        """The one value that a view of a contract of the fund answers."""
        answer = call_view(self.provider.web3, self.book[name], signature, [kind], *args)
        assert answer is not None, signature
        return answer[0]

    def feed_says(self, answer: int) -> str:
        """A new feed of 8 decimals that answers this now; its address."""
        feed = self.account.deploy(ape.project.ReferenceFeed)
        feed.init("NEW / USD", 8, sender=self.account)
        self._feeds[str(feed.address)] = answer
        self._post(str(feed.address), answer)
        return str(feed.address)

    def _post(self, feed: str, answer: int) -> None:
        ape.project.ReferenceFeed.at(feed).post(answer, self.cheats.now(), sender=self.account)

    def schedule(self, target: str, data: bytes) -> Any:
        """Schedules a single call straight from the deployer, without any tool."""
        delay = self.config.timelock_delay
        signature = "schedule(address,uint256,bytes,bytes32,bytes32,uint256)"
        call = encode_call(signature, target, 0, data, bytes(32), bytes(32), delay)
        return self.account.transfer(self.book["timelock"], value=0, data=call)

    @property
    def id(self) -> str:
        """The id of what the last command scheduled."""
        found = re.search(r"operation (0x[0-9a-f]{64})", self.shown)
        assert found is not None, self.shown
        return found[1]


def ok(ran: Ran, code: int = 0) -> None:
    """The command ended with this exit status."""
    assert ran.code == code, ran.errors


def refused(ran: Ran, *words: str) -> None:
    """The command ended with one line that has all these words."""
    assert ran.code == 1, ran
    (line,) = ran.error_lines
    for word in words:
        assert word in line, line
