"""docs/operations/incidents.md, walked through: what tells, the commands, and what holders see, each as it is written.

Every quoted text of an alert, and every command, is looked up in the document before it counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ape
import pytest
import yaml
from eth_account import Account
from web3 import Web3

from ballast.abi import call_data
from ballast.build import ROOT
from ballast.parts import Sequencer
from ballast.rule.arithmetic import period_start
from ballast.units import DAY_S, HOUR_S, WAD
from keeper.state import Phase, Reason, Side
from lab.localnet.world import World
from lab.testbed.funding import as_yaml, deal
from scripts import govern, guard
from scripts.mint import cli as mint
from scripts.redeem import cli as redeem
from tests.helpers.receiver import Receiver, receiver
from tests.helpers.waiting import wait_for
from tests.keeper.deployed_fund import PERIOD, Field, Running, deployed
from tests.keeper.test_ops import ask
from tests.scripts.conftest import Invoke
from tests.scripts.test_guard import Night
from tests.scripts.test_scripts import refused

DOCUMENT = ROOT / "docs" / "operations" / "incidents.md"
WATCHED = {"BALLAST_HTTP_PORT": "0", "BALLAST_LOG": "json", "BALLAST_OVERDUE_SECONDS": "1000"}
UP, DOWN = 0, 1


def section(title: str) -> str:
    """What the document says under a heading, in one line."""
    _, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(f"\n## {title}\n")
    assert rest, title
    return " ".join(rest.partition("\n## ")[0].split())


@dataclass
class Walk:
    """One incident: a keeper that watches the fund, whoever gets its alerts, and the commands of the document."""

    night: Night
    keeper: Running
    service: Receiver
    text: str

    @property
    def field(self) -> Field:
        return self.night.field

    def told(self, kind: str, quote: str, about: str = "") -> str:
        """The alert comes, with the text that the document quotes; `...` stands for anything."""
        assert f"`{kind}`" in self.text and f'"{quote}"' in self.text, f"{kind}, {quote}: not in the document"
        pattern = re.compile(".*".join(map(re.escape, quote.split("..."))))

        def found() -> str | None:
            texts = [text for title, text in self.service.got if title == f"Ballast: {kind}"]
            return next((text for text in texts if pattern.search(text) and about in text), None)

        text = wait_for(found, lambda: f"{kind}, {quote}: {self.service.got}")
        assert text is not None
        return text

    def guard(self, command: Any, **given: Any) -> str:
        """A command of the guardian's that the document names, done."""
        assert f"`ape run guard {command.name} FUND" in self.text, f"{command.name}: not in the document"
        return self.night.done(command, **given)

    def govern(self, command: Any, **given: Any) -> str:
        """A command of the owner's that the document names, done."""
        assert f"`ape run govern {command.name} FUND" in self.text, f"{command.name}: not in the document"
        return self.night.done(command, **given)

    def later(self, seconds: int) -> None:
        """Time passes, with fresh feeds, and the keeper looks."""
        clock = self.field.clock
        clock.jump(clock.now() + seconds)
        self.keeper.look()

    def holding(self, symbol: str) -> Any:
        return next(h for h in self.field.state().holdings if h.token == self.night.token(symbol))

    def nobody_mints(self, symbol: str) -> None:
        """The document says so, and it is so."""
        assert "no minting" in self.text
        terms = {"shares": "1", "receiver": None, "pay": None, "spend": None, "slippage": None, "deadline": "20 min"}
        refused(self.night(mint, **terms), "nobody can mint now because of", symbol)

    def redeem(self, *skipped: str) -> Any:
        terms = {"shares": "1", "receiver": None, "skipped": skipped, "to": None, "in_kind": (), "slippage": None}
        return self.night(redeem, **terms, deadline="20 min")

    def redeems(self, *skipped: str) -> None:
        ran = self.redeem(*skipped)
        assert ran.code == 0, ran.errors


Begin = Callable[..., Walk]


@pytest.fixture(scope="module")
def field(module_isolation: None, world: World, w3: Web3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    second = ape.accounts.test_accounts[9].address

    def change(config: Any) -> Any:
        return config.model_copy(
            update={"roles": config.roles.model_copy(update={"proposers": (*config.roles.proposers, second)})}
        )

    with deployed(world, w3, tmp_path_factory.mktemp("book"), change=change) as found:
        yield found


@pytest.fixture
def begin(
    field: Field,
    test_isolation: None,
    invoke: Invoke,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Begin]:
    """Starts a keeper that watches the fund, in the section of this title; it ends with the test."""
    monkeypatch.setenv("COLUMNS", "400")
    with receiver() as service:
        running: list[Any] = []

        def start(title: str, on: Field = field, **settings: str) -> Walk:
            fund = tmp_path / "fund.yaml"
            fund.write_text(yaml.safe_dump(as_yaml(on.config), sort_keys=False), encoding="utf-8")
            context = on.keeper(tmp_path, **{**WATCHED, "BALLAST_ALERT_URLS": service.url, **settings})
            running.append(context)
            return Walk(Night(on, fund, invoke, capsys), context.__enter__(), service, section(title))

        try:
            yield start
        finally:
            for context in running:
                context.__exit__(None, None, None)


def feed_of(world: World, walk: Walk, symbol: str) -> Any:
    """A component's feed on the local chain, which anybody may post to."""
    return ape.project.ReferenceFeed.at(world.token(walk.night.token(symbol)).feed)


def post(world: World, walk: Walk, symbol: str, times: int) -> None:
    """The component's feed answers so many times its price, now."""
    answer = walk.holding(symbol).price * times // 10**10
    feed = feed_of(world, walk, symbol)
    feed.post(answer, walk.field.clock.now(), sender=ape.accounts.test_accounts[6])
    walk.keeper.look()


def without(walk: Walk, symbol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on this component's feed is not posted any more."""
    market = walk.field.clock._market
    others = [c.token for c in walk.field.book.candidates if c.symbol != symbol]
    monkeypatch.setattr(market, "post_feeds", partial(market.post_feeds, others))


def test_a_feed_is_wrong(begin: Begin, world: World) -> None:
    walk = begin("A feed is wrong")
    walk.keeper.to_trading()
    post(world, walk, "COMP", 10)
    walk.told("price_apart", "the oracle says ... its deepest pool ... apart", "COMP")
    walk.guard(guard.pause, duration="1 day")
    assert walk.field.state().reason is Reason.PAUSED
    walk.guard(guard.end_month)
    walk.guard(guard.suspend, component="COMP")
    walk.guard(guard.unpause)
    state = walk.field.state()
    assert (state.phase, state.reason, state.pause_left > 3 * DAY_S - HOUR_S) == (Phase.IDLE, Reason.DONE, True)
    assert not state.counts(walk.holding("COMP")) and walk.holding("COMP").suspended_until > state.time + 6 * DAY_S
    walk.nobody_mints("COMP")
    walk.redeems()


def test_a_feed_is_dead(begin: Begin, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = begin("A feed is dead")
    walk.keeper.to_determined()
    without(walk, "UNI", monkeypatch)
    walk.later(6_700)
    walk.told("feed_aging", "without another answer there is no price from ... on", "UNI")
    walk.later(600)
    walk.told("price_stale", "the oracle has no price for", "UNI")
    # The owner announces another feed, and anybody may execute that after the delay.
    price, account = world.token(walk.night.token("UNI")).price_usd, ape.accounts.test_accounts[6]
    feed = account.deploy(ape.project.ReferenceFeed)
    feed.init("UNI / USD", 8, sender=account)
    feed.post(price // 10**10, walk.field.clock.now(), sender=account)
    raw = yaml.safe_load(walk.night.fund.read_text(encoding="utf-8"))
    (uni,) = [component for component in raw["components"] if component["symbol"] == "UNI"]
    uni["feed"]["address"] = feed.address
    walk.night.fund.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    walk.govern(govern.propose, correct=(), delay=None, safe=None)
    walk.later(2 * DAY_S)
    assert not walk.holding("UNI").price
    feed.post(price // 10**10, walk.field.clock.now(), sender=account)
    walk.govern(govern.execute, key="all-ready", safe=None, account=account)
    assert walk.holding("UNI").price == price
    walk.redeems()


def test_a_month_goes_on_without_a_feed(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = begin("A feed is dead")
    walk.keeper.to_determined()
    without(walk, "UNI", monkeypatch)
    walk.keeper.to_started()
    assert "the month goes on" in walk.text
    assert walk.holding("UNI").side is Side.HELD and not walk.holding("UNI").price
    walk.redeems()


def test_a_token_is_hacked(begin: Begin, world: World) -> None:
    walk = begin("A token is hacked")
    walk.keeper.to_trading()
    dump(world, walk, "COMP")
    walk.told("price_apart", "the oracle says ... its deepest pool ... apart", "COMP")
    walk.guard(guard.suspend, component="COMP")
    assert walk.holding("COMP").side is Side.HELD and walk.field.state().phase is Phase.TRADING
    walk.nobody_mints("COMP")
    walk.redeems()


def test_a_token_stands_still(begin: Begin) -> None:
    walk = begin("A token stands still")
    walk.keeper.to_trading()
    other = ape.accounts.test_accounts[6].deploy(ape.project.StuckToken)
    code = walk.field.rpc.request("eth_getCode", other.address, "latest")
    walk.field.rpc.request("anvil_setCode", walk.night.token("COMP"), code)
    walk.keeper.until(lambda: bool(walk.keeper.lines("could not act")))
    for _ in range(3):
        walk.field.clock.step(walk.field.clock.now() + 600)
        walk.keeper.look()
    walk.told("due_not_done", "trade is due and not done")
    walk.guard(guard.suspend, component="COMP")
    walk.keeper.until(lambda: bool(walk.field.events("Traded")))
    walk.nobody_mints("COMP")
    refused(walk.redeem(), "COMP cannot be paid now", "--skip COMP")
    assert "`ape run redeem FUND SHARES --skip SYMBOL`" in walk.text
    walk.redeems("COMP")


def dump(world: World, walk: Walk, symbol: str) -> None:
    """Somebody sells nine times what each pool of the component has."""
    token, account = walk.night.token(symbol), ape.accounts.test_accounts[6]
    for pool in world.token(token).pools:
        held = ape.project.ReferenceToken.at(token).balanceOf(pool.pair)
        deal(account, token, account.address, 9 * held)
        router = {"uniswap": world.uniswap_router, "sushiswap": world.sushiswap_router}[pool.venue]
        ape.project.ReferenceToken.at(token).approve(router, 9 * held, sender=account)
        signature = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
        data = call_data(signature, 9 * held, 0, [token, world.weth], account.address, 2**40)
        account.transfer(router, value=0, data=data)
    walk.keeper.look()


def test_a_pool_is_drained(begin: Begin, world: World, tmp_path: Path) -> None:
    walk = begin("A pool is drained")
    walk.keeper.to_trading()
    before, held, before_price = walk.field.state(), walk.holding("UNI").balance, walk.holding("UNI").price
    dump(world, walk, "UNI")
    walk.told("price_apart", "the oracle says ... its deepest pool ... apart", "UNI")
    assert "`python -m keeper plan`" in walk.text
    shown = walk.field.command(tmp_path, "plan", BALLAST_PRIVATE_KEY=None)
    assert shown.returncode == 0 and "next batch" in shown.stdout
    # Nothing is sold into it. Others bring the pools back, and the month goes on, within its budget.
    walk.field.clock.pass_to(walk.field.clock.now() + 300)
    walk.keeper.look()
    assert walk.field.chain.read(walk.field.w3.eth.block_number)[1].price(walk.holding("UNI")) * 2 < before_price
    assert walk.holding("UNI").balance == held
    walk.keeper.until(lambda: bool(walk.field.events("Traded")))
    after = walk.field.state()
    sold = before.progress.surplus - after.progress.surplus
    assert 0 < after.progress.spent * before.progress.surplus <= before.limits.loss_budget * sold
    walk.redeems()


def test_a_determination_is_bad(begin: Begin) -> None:
    walk = begin("A determination is bad")
    walk.keeper.to_trading()
    hundredfold = (walk.night.token("UNI"), 10**11, walk.field.clock.now())
    walk.night.own("posted_supply", "post((address,uint88,uint40)[])", [hundredfold])
    walk.field.clock.jump(period_start(PERIOD + 1, walk.field.config.timetable.notice))
    walk.keeper.until(lambda: walk.field.state().phase is Phase.DETERMINED)
    text = walk.told("month_determined", "is determined: ...", "2021-05")
    assert "UNI clamped" in text
    assert "`ape run guard watch FUND --once`" in walk.text
    shown = walk.night.done(guard.watch, once=True, seconds=1.0)
    assert "clamped" in next(line for line in shown.splitlines() if "│ UNI " in line)
    walk.guard(guard.veto)
    assert walk.field.state().phase is Phase.VETOED
    walk.redeems()


def test_the_keeper_s_key_is_stolen(begin: Begin, tmp_path: Path) -> None:
    walk = begin("The keeper's key is stolen", BALLAST_SILENT_SECONDS="2")
    walk.keeper.to_determined()
    field, thief = walk.field, ape.accounts.test_accounts[8]
    key = ape.accounts.test_accounts[2]
    key.transfer(thief, WAD)
    field.rpc.request("anvil_setBalance", key.address, "0x1")
    field.to_execution()
    walk.told("keeper_failing", "The key must be the keeper's alone")
    walk.keeper.process.terminate()
    walk.keeper.process.wait(60)
    # Another key, another journal: the chain has to be told nothing.
    other = Account.create("another key")
    field.rpc.request("anvil_setBalance", other.address, hex(10 * WAD))
    folder = tmp_path / "other"
    folder.mkdir()
    with field.keeper(folder, BALLAST_PRIVATE_KEY="0x" + bytes(other.key).hex()) as keeper:
        keeper.until(lambda: field.state().phase is Phase.TRADING)
    walk.redeems()


def test_a_proposer_is_captured(begin: Begin) -> None:
    walk = begin("A proposer is captured")
    walk.keeper.look()
    night, stranger = walk.night, ape.accounts.test_accounts[8].address
    first, second = ape.accounts.test_accounts[0], ape.accounts.test_accounts[9]
    timelock = ape.project.Timelock.at(night.field.book["timelock"])
    role = Web3.keccak(text="PROPOSER_ROLE")
    call = bytes.fromhex(call_data("grantRole(bytes32,address)", role, stranger)[2:])
    timelock.schedule(timelock.address, 0, call, bytes(32), bytes(32), timelock.getMinDelay(), sender=first)
    walk.later(300)
    said = walk.told("operation_scheduled", "WARNING: ...", stranger)
    assert f"role granted: {stranger} may schedule whatever the owner can do" in said
    key = re.findall(r"0x[0-9a-f]{64}", said)[0]
    assert key in walk.govern(govern.list_, everything=False)
    walk.govern(govern.cancel, key=key, account=second, safe=None)
    assert timelock.isOperation(key) is False
    walk.later(300)
    wait_for(lambda: "Ballast: operation_cancelled" in walk.service.titles(), lambda: str(walk.service.got))
    walk.redeems()


def test_the_chain_halts(begin: Begin) -> None:
    walk = begin("The chain halts", BALLAST_SILENT_SECONDS="2")
    walk.keeper.look()
    walk.told("keeper_failing", "could not be looked at for")
    wait_for(lambda: ask(walk.keeper, "/health").status_code == 503, "a health that fails")
    walk.field.clock.step(walk.field.clock.now() + HOUR_S)
    walk.keeper.look()
    wait_for(lambda: ask(walk.keeper, "/health").status_code == 200, "health with the first block")
    assert "`ape run guard status FUND`" in walk.text
    walk.night.done(guard.status)


def test_the_rollup_s_sequencer_is_down(begin: Begin, world: World, w3: Web3, tmp_path: Path) -> None:
    account = ape.accounts.test_accounts[6]
    feed = account.deploy(ape.project.ReferenceFeed)
    feed.init("L2 Sequencer Uptime Status Feed", 0, sender=account)
    now = w3.eth.get_block("latest")["timestamp"]
    feed.post(UP, now - 10 * DAY_S, sender=account)
    sequencer = Sequencer(address=feed.address, grace=HOUR_S)
    folder = tmp_path / "rollup"
    folder.mkdir()
    with deployed(world, w3, folder, change=lambda c: c.model_copy(update={"sequencer": sequencer})) as rollup:
        walk = begin("The rollup's sequencer is down", rollup)
        walk.keeper.to_determined()
        feed.post(DOWN, rollup.clock.now(), sender=account)
        rollup.to_execution()
        walk.keeper.look()
        for candidate in rollup.book.candidates[:2]:
            wait_for(
                lambda c=candidate: any(  # type: ignore[misc]
                    title == "Ballast: price_stale" and c.symbol in text for title, text in walk.service.got
                ),
                candidate.symbol,
            )
        assert "`price_stale`" in walk.text
        assert (rollup.state().phase, rollup.state().reason) == (Phase.DETERMINED, Reason.REFUSED)
        shown = rollup.command(tmp_path, "check", BALLAST_PRIVATE_KEY=None)
        assert '"no price at all: down since"' in walk.text and "no price at all: down since" in shown.stdout
        walk.redeems()
        # It is back: nothing before the grace period is over, then the month.
        feed.post(UP, rollup.clock.now(), sender=account)
        walk.later(HOUR_S // 2)
        assert not any(h.price for h in rollup.state().holdings)
        walk.later(HOUR_S)
        walk.keeper.until(lambda: rollup.state().phase is Phase.TRADING)


def test_every_incident_is_walked_through() -> None:
    titles = set(re.findall(r"^## (.+)$", DOCUMENT.read_text(encoding="utf-8"), re.M))
    walked = set(re.findall(r'begin\("([^"]+)"', Path(__file__).read_text(encoding="utf-8")))
    assert titles == walked and len(titles) == 10
