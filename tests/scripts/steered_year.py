"""A fund on the fork, steered for months with the commands of owner, guardian and poster, and carried by a keeper."""

from __future__ import annotations

import contextlib
import copy
import inspect
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import ape
import click
import yaml
from eth_utils import to_checksum_address
from web3 import Web3

from ballast.abi import call_view
from ballast.cli import one_line
from ballast.deployment.check import SOURCE
from ballast.fund_file import FundConfig
from ballast.rule.arithmetic import execution_time, period_start
from ballast.units import BLOCK_S, WAD
from keeper.state import Phase
from lab.localnet.market import Market
from lab.localnet.rpc import HttpRpc
from lab.localnet.world import World
from lab.testbed.funding import as_yaml
from scripts import govern, guard, supplies
from tests.helpers.edits import Edit
from tests.keeper.deployed_fund import Field, Running, deployed
from tests.scripts.conftest import Ran
from tests.scripts.transcript import OMITTED, Transcript

SECOND = to_checksum_address("0x" + "5e" * 20)
"""The other proposer."""
ACCOUNTS = {"proposer": 0, "guardian": 8, "poster": 4, "anyone": 6}
"""Which of Ape's test accounts they are."""
SHARES = 1_000 * WAD
WEIGHED = (3, 5)
"""Columns of `guard watch` that hang on what the keeper traded, and so on when it looked: weight now, change."""
SCRIPTS: dict[str, ModuleType] = {"govern": govern, "guard": guard, "supplies": supplies}


class Year:
    """A fund, its file, its keeper, and whoever types commands. `later`: a component that comes in later, as the file
    has it; `shown`: what the last command wrote."""

    def __init__(
        self,
        field: Field,
        market: Market,
        later: dict[str, Any],
        folder: Path,
        out: Callable[[], str],
    ) -> None:
        self.field, self.market, self.later, self.folder, self._out = field, market, later, folder, out
        self.raw = as_yaml(field.config)
        self.fund, self.supplies = folder / "fund.yaml", folder / "supplies.csv"
        self.provider: Any = ape.networks.active_provider
        self.shown = ""
        accounts = {ape.accounts.test_accounts[place].address: name.upper() for name, place in ACCOUNTS.items()}
        paths = {str(self.fund): "FUND.yaml", str(self.supplies): "supplies.csv", str(field.book_path): "book.json"}
        keeper = {ape.accounts.test_accounts[2].address: "KEEPER", SECOND: "PROPOSER-2"}
        self.transcript = Transcript({**accounts, **keeper, **paths})
        self._running = contextlib.ExitStack()
        self.keeper: Running
        self.edit()
        self.restart()

    # The keeper and time

    def restart(self) -> None:
        """Starts the keeper, anew where it runs."""
        self.end()
        self.keeper = self._running.enter_context(self.field.keeper(self.folder))

    def end(self) -> None:
        """Ends the keeper."""
        self._running.close()

    def pass_to(self, time: int) -> None:
        """Moves the time, with fresh feeds, and the keeper looks."""
        self.field.clock.jump(time)
        self.keeper.look()

    def pass_delay(self) -> None:
        """Until what was scheduled is ready."""
        self.pass_to(self.field.clock.now() + self.field.config.timelock_delay + BLOCK_S)

    def determined(self, period: int) -> None:
        """The keeper determines this period."""
        self.pass_to(period_start(period, self.field.config.timetable.notice))
        self.keeper.until(lambda: self.state.phase is Phase.DETERMINED and self.state.month_period == period)

    def execution(self, period: int) -> None:
        """When this period may be started."""
        self.pass_to(execution_time(period, self.field.config.timetable.day, 0))

    def started(self, period: int) -> None:
        """The keeper starts it."""
        self.execution(period)
        self.keeper.until(lambda: self.state.phase is not Phase.DETERMINED)

    def traded(self) -> None:
        """The keeper trades it to the end."""
        self.keeper.to_the_end()

    def carried(self, period: int) -> None:
        """The keeper determines, starts and trades it."""
        self.determined(period)
        self.started(period)
        self.traded()

    @property
    def state(self) -> Any:
        return self.field.state()

    # The fund's file and the chain

    def edit(self, *edits: Edit) -> None:
        """Changes the fund's file."""
        raw = copy.deepcopy(self.raw)
        for edit in edits:
            edit(raw)
        self.raw = raw
        self.fund.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")

    def component(self, symbol: str) -> int:
        """Its place in the file."""
        return next(i for i, component in enumerate(self.raw["components"]) if component["symbol"] == symbol)

    def token(self, symbol: str) -> str:
        return self.market.world.token(symbol).address

    def view(self, name: str, signature: str, *kinds: str, of: tuple[Any, ...] = ()) -> Any:
        """What a view of a contract of the fund answers; the value alone where it is one."""
        answer = call_view(self.field.w3, self.field.book[name], signature, list(kinds), *of)
        assert answer is not None, signature
        return answer[0] if len(answer) == 1 else answer

    def weight(self, symbol: str) -> float:
        """Part of NAV that the fund holds in it, in per cent; 0 where it is not on the list."""
        state = self.state
        held = [h.value(h.balance) for h in state.holdings if h.token == self.token(symbol)]
        return held[0] / state.total_value * 100 if held else 0.0

    def balance(self, symbol: str) -> int:
        """What the fund holds of it, token wei."""
        answer = call_view(
            self.field.w3, self.token(symbol), "balanceOf(address)", ["uint256"], self.field.book["index_token"]
        )
        assert answer is not None
        return int(answer[0])

    def listed(self, symbol: str) -> bool:
        """Whether it is one of the fund's components."""
        return bool(self.view("index_token", "isConstituent(address)", "bool", of=(self.token(symbol),)))

    def feed(self, symbol: str) -> str:
        """The address of its feed, as the oracle has it."""
        return str(self.view("oracle", "sources(address)", *SOURCE, of=(self.token(symbol),))[0])

    def another_feed(self, symbol: str) -> str:
        """A new feed of the component's, which the market posts to from now on in place of the old one."""
        account, token = ape.accounts.test_accounts[ACCOUNTS["anyone"]], self.market.world.token(symbol)
        feed = account.deploy(ape.project.ReferenceFeed)
        feed.init(f"{symbol} / USD", 8, sender=account)
        tokens = (replace(t, feed=feed.address) if t is token else t for t in self.market.world.tokens)
        self.market.world = replace(self.market.world, tokens=tuple(tokens))
        self.pass_to(self.field.clock.now() + BLOCK_S)
        return str(feed.address)

    # Commands

    def type(self, line: str, code: int = 0, *, tail: int | None = None) -> str:
        """A command of `ape run`, parsed as it is typed and run in this process; it ends with `code`. What it shows
        goes into the transcript: all, or its last lines."""
        ran = self._run(self._placed(line))
        assert ran.code == code, (line, ran)
        self.shown = ran.out + ran.errors
        self.transcript.ran(f"ape run {line}", self.shown, tail)
        return self.shown

    def _placed(self, line: str) -> str:
        return line.replace("FUND.yaml", str(self.fund)).replace("supplies.csv", str(self.supplies))

    def _run(self, line: str) -> Ran:
        script, *words = shlex.split(line)
        command: Any = SCRIPTS[script].cli
        if isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        for place, word in enumerate(words):
            if place and words[place - 1] == "--account":
                words[place] = f"TEST::{ACCOUNTS[word]}"
        given = command.make_context(line, [*words, "--book", str(self.field.book_path)]).params
        if "yes" in given:
            given["yes"] = True
        callback = command.callback
        # Some wrap another function and take options of their own beside its.
        wanted = {
            name for inner in (True, False) for name in inspect.signature(callback, follow_wrapped=inner).parameters
        }
        given = {name: value for name, value in {**given, "provider": self.provider}.items() if name in wanted}
        self._out()
        try:
            with one_line():
                callback(**given)
        except click.exceptions.Exit as end:
            return Ran(end.exit_code, self._out(), "")
        except click.ClickException as error:
            return Ran(error.exit_code, self._out(), f"Error: {error.format_message()}\n")
        return Ran(0, self._out(), "")

    @property
    def id(self) -> str:
        """The first digits of the id of the operation that the last command named."""
        found = re.search(r"operation (0x[0-9a-f]{8})", self.shown)
        assert found is not None, self.shown
        return found[1]

    def say(self, *lines: str) -> None:
        """Prose of the transcript."""
        self.transcript.say(*lines)

    def wished(self, *lines: str) -> None:
        """`plan` shows the change of the file with all these words, and `propose` schedules it."""
        shown = self.type("govern plan FUND.yaml", 2)
        for line in lines:
            assert line in shown, (line, shown)
        self.type("govern propose FUND.yaml --account proposer", tail=1)

    def done(self, key: str) -> None:
        """What was scheduled is executed after the delay, by anyone; then there is nothing to change."""
        self.pass_delay()
        shown = self.type(f"govern execute FUND.yaml {key} --account anyone", tail=1)
        assert f"operation {key}: done" in shown, shown
        self.unchanged()

    def unchanged(self) -> None:
        """File and chain agree."""
        shown = self.type("govern plan FUND.yaml", tail=1)
        assert "nothing to change: " in shown, shown

    def posted(self, *, shown: bool = False, **factors: int) -> None:
        """The poster's monthly list: all candidates' supplies as they were posted before, but for these, in per cent of
        that (negative: 100 by so much). `shown`: those go into the transcript."""
        now, lines = self.field.clock.now(), ["token,supply,date"]
        for component in self.raw["components"]:
            symbol, factor = component["symbol"], factors.get(component["symbol"], 100)
            before, _ = self.view("posted_supply", "supply(address)", "uint256", "uint256", of=(self.token(symbol),))
            after = before * factor // 100 if factor > 0 else -(before * 100 // factor)
            lines.append(f"{symbol},{after},{now}")
        self.supplies.write_text("\n".join(lines) + "\n", encoding="utf-8")
        line = "supplies FUND.yaml --from supplies.csv --account poster"
        ran = self._run(self._placed(line))
        assert ran.code == 0, ran
        if shown:
            rows = self.transcript.plain(ran.out).splitlines()
            kept = [row for row in rows if "┃" in row or any(f"│ {symbol} " in row for symbol in factors)]
            self.transcript.ran(f"ape run {line}", "\n".join((rows[0], *kept, OMITTED, *rows[-2:])))
        stands = self.view("posted_supply", "supply(address)", "uint256", "uint256", of=(self.token(symbol),))
        assert stands == (after, now)

    def explained(self, symbol: str, *words: str) -> str:
        """What `guard watch` says of a component; only its line goes into the transcript."""
        line = "guard watch FUND.yaml --once"
        ran = self._run(self._placed(line))
        assert ran.code == 0, ran
        (found,) = [row for row in ran.out.splitlines() if f"│ {symbol} " in row]
        for word in words:
            assert word in found, ran.out
        heading = [row for row in ran.out.splitlines() if "┃" in row]
        cells = found.split("│")
        for place in WEIGHED:
            cells[place] = f"{OMITTED:>{len(cells[place]) - 1}} "
        self.transcript.ran(f"ape run {line}", "\n".join((OMITTED, *heading, "│".join(cells), OMITTED)))
        return found


@contextlib.contextmanager
def year(world: World, w3: Web3, folder: Path, out: Callable[[], str], later: str) -> Iterator[Year]:
    """The fund of the local mainnet's month, small, in the week before its first determination. `later`: symbol of the
    component that the fund does not have at first. `out`: what was written to stdout since it was asked last."""
    everything: list[FundConfig] = []

    def change(config: FundConfig) -> FundConfig:
        everything.append(config)
        accounts = {name: ape.accounts.test_accounts[place].address for name, place in ACCOUNTS.items()}
        given = {"guardian": accounts["guardian"], "poster": accounts["poster"]}
        roles = config.roles.model_copy(update={**given, "proposers": (*config.roles.proposers, SECOND)})
        components = tuple(component for component in config.components if component.symbol != later)
        fee = {"streaming_fee": 95 * 10**14, "seed_shares": SHARES, "name": "Ballast Year"}
        return config.model_copy(update={"roles": roles, "components": components, **fee})

    provider: Any = ape.networks.active_provider
    market = Market(HttpRpc(str(provider.http_uri)), world)
    with deployed(world, w3, folder, market=market, change=change) as field:
        found = Year(field, market, component_of(everything[0], later), folder, out)
        try:
            yield found
        finally:
            found.end()


def component_of(config: FundConfig, symbol: str) -> dict[str, Any]:
    """A component as a fund's file has it that takes it in later: without a seed."""
    raw: dict[str, Any] = next(c for c in as_yaml(config)["components"] if c["symbol"] == symbol)
    return {name: value for name, value in raw.items() if name != "seed_unit"}
