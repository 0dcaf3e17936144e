"""The face for solvers and bots: what it offers, and that an example needs nothing else of the keeper."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

import keeper.client as face
from ballast.build import ROOT
from keeper.client import WAD, Bot, Call, FundClient, Head, Look, Offer, offer, order_for, stock_data
from keeper.errors import ChainError, SimulationError
from keeper.plan.bucket import SCALE
from keeper.sending.sender import Mined, Sender
from keeper.state import Action, Side
from tests.unit.keeper.simulated import Simulated, at

FACE = "keeper.client"
MARGIN_BPS = 20
MOST = WAD // 200
RICH = 10**30
FILLER = "0x" + "fe" * 20


def imported(path: Path) -> set[str]:
    """The modules that a file imports from."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_examples_import_nothing_of_the_project_but_the_face(path: Path) -> None:
    ours = {name for name in imported(path) if (ROOT / name.split(".")[0]).is_dir()}
    assert ours <= {FACE}


def public() -> Iterator[tuple[str, Any]]:
    """What the face's own modules define, with their methods."""
    for name in face.__all__:
        found = getattr(face, name)
        if getattr(found, "__module__", "").startswith(FACE):
            yield name, found
            members = vars(found).items() if inspect.isclass(found) else ()
            for member, value in members:
                if not member.startswith("_") and (callable(value) or isinstance(value, property)):
                    yield f"{name}.{member}", value


SHORT = ("Bot.address", "FundClient.name", "FundClient.chain_id")
"""They say what they are."""


@pytest.mark.parametrize(("name", "found"), [*public()], ids=[name for name, _ in public()])
def test_every_name_has_an_example_that_is_python(name: str, found: object) -> None:
    text = inspect.getdoc(found) or ""
    assert text
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith((">>>", "..."))]
    assert lines or name in SHORT
    ast.parse("\n".join(line[4:] for line in lines))


@pytest.fixture
def look(april: Simulated) -> Look:
    """Half an hour after the start: the bucket is full."""
    state = at(april.state, april.state.time + 1_800)
    return Look(None, state, replace(april, state=state).market)


def rich(look: Look) -> dict[str, int]:
    """More than enough of everything."""
    return {h.token: RICH for h in look.state.holdings}


def test_an_offer_asks_for_its_margin_and_no_more(look: Look) -> None:
    """Where tokens are worth what the oracle says."""
    prices = {h.token: h.price for h in look.state.holdings}
    found = offer(look.state, prices, rich(look), MARGIN_BPS, MOST)
    assert found is not None and found.allowed(look.state)
    lost = (found.outcome.value_out - found.outcome.value_in) * 10_000 * 1_000 // found.outcome.value_out
    assert MARGIN_BPS * 1_000 <= lost <= MARGIN_BPS * 1_000 + 50
    assert MOST * 99 // 100 < found.outcome.share <= MOST
    assert {look.state.holdings[i].side for i in found.sells} == {Side.SELL}
    assert {look.state.holdings[i].side for i in found.pays} == {Side.BUY}
    sells, amounts, recipients, buys, least, filler, data = order_for(found, FILLER)
    assert dict(zip(sells, amounts, strict=True)) == found.sells and buys == [*found.pays]
    assert set(recipients) == {"0x" + "00" * 20} and filler == FILLER
    assert 0 < found.outcome.value_in - least <= found.outcome.value_in // 10**6
    assert data == stock_data([*found.pays.values()], [a - a // face.SLACK for a in amounts])


def test_no_offer_without_stock_or_room(look: Look) -> None:
    prices = look.pool_prices()
    assert offer(look.state, prices, {}, MARGIN_BPS, MOST) is None
    full = offer(look.state, prices, rich(look), MARGIN_BPS, MOST)
    assert isinstance(full, Offer)
    # While the bucket is empty nothing fits, and the fund gives nothing away.
    empty = at(replace(look.state, progress=replace(look.state.progress, tat=look.state.time * SCALE)), look.state.time)
    assert not full.allowed(empty)
    assert offer(empty, prices, rich(look), MARGIN_BPS, MOST) is None


def test_pool_prices_agree_with_the_oracle_on_the_whole(look: Look) -> None:
    prices = look.pool_prices()
    for h in look.state.holdings:
        assert abs(prices[h.token] - h.price) * 1_000 < h.price


def test_quotes_are_what_the_pools_pay(look: Look) -> None:
    weth, pools = look.market.weth, look.market.pools
    one, other = [h.token for h in look.state.holdings if len(pools.get(h.token, ())) == 1][:2]
    there = pools[one][0].amount_out(one, 10**18)
    assert look.quote(one, weth, 10**18) == there
    assert look.quote(one, other, 10**18) == pools[other][0].amount_out(weth, there)
    assert look.quote(weth, other, there) == look.quote(one, other, 10**18)
    several = next(token for token, found in pools.items() if len(found) > 1)
    best = max(pool.amount_out(weth, 10**20) for pool in pools[several])
    assert look.quote(weth, several, 10**20) >= best
    with pytest.raises(ValueError, match="has no pool"):
        look.quote(FILLER, weth, 1)


class FakeChain:
    """A chain with one fund in one state."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def read(self, _block: Head | int) -> tuple[Any, Any]:
        return self._look.state, self._look.market

    def head(self) -> Head:
        return Head(7, "0x07", self._look.state.time, 0)


def test_it_plans_as_the_keeper_does_while_the_fund_trades(look: Look) -> None:
    fund = FundClient(cast(Any, FakeChain(look)))
    found = fund.plan(fund.look(7), 100 * 10**9)
    assert found is not None and found.batch is not None and found.possible_from is not None
    idle = replace(look, state=replace(look.state, action=Action.NONE))
    assert not idle.trading and fund.plan(idle, 100 * 10**9) is None
    assert fund.look().head == fund.head() and fund.look(7).head is None


class FakeSender:
    """Fails as often as it is told to; what is open is settled at the first look after it."""

    def __init__(self) -> None:
        self.address = FILLER
        self.open, self.done = 1, list[str]()
        self.fails: list[Exception] = []

    @property
    def unresolved(self) -> bool:
        return bool(self.open)

    def settle(self) -> None:
        self.open = 0
        self.done.append("settled")

    def send(self, call: Call) -> Mined | None:
        if self.fails:
            raise self.fails.pop()
        self.done.append(call.action)
        return Mined(call.action, "0x01", 1, 1, 1)


def test_a_bot_settles_first_and_goes_on_after_what_fails(look: Look) -> None:
    sender = FakeSender()
    sender.fails = [SimulationError("would revert", "0x", "", ""), ChainError("no answer")]
    bot = Bot(FundClient(cast(Any, FakeChain(look))), cast(Sender, sender), 0.0)
    asked: list[int] = []

    def choose(head: Head) -> Call | None:
        asked.append(head.number)
        if len(asked) == 4:
            bot.stop.set()
            return None
        return Call("solve", 1, FILLER, "0x")

    chosen: Callable[[Head], Call | None] = choose
    with capture_logs() as log:
        bot.run(chosen)
    assert sender.done == ["settled", "solve"] and asked == [7] * 4
    assert [(line["event"], line["log_level"]) for line in log] == [("step failed", "error"), ("not now", "info")]
    assert bot.address == FILLER
