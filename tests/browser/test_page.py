"""The status page of a real keeper, in the middle of a month on the fork, as a browser shows it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import pi, sin
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import ape
import pytest
from web3 import Web3

from ballast.abi import call_data, call_view
from ballast.build import ROOT
from ballast.rule.arithmetic import execution_time, period_start
from ballast.rule.methodology import Status
from ballast.units import WAD
from keeper.look.outlook import EVERY_S
from keeper.page.details import ETH
from keeper.state import FundState, Holding
from lab.localnet.market import Market
from tests.browser.browser import Browser, Tab
from tests.browser.conftest import FEE
from tests.helpers.waiting import PATIENCE_S
from tests.keeper.deployed_fund import PERIOD, Field, Running, journal_rows

HOSTILE = "<img src=x onerror=document.title='taken'>"
SHOWN = "<img src=x onerror=docu…"
"""What fits of it."""
SECRET = "key-of-the-node"


@pytest.fixture(autouse=True)
def test_isolation() -> None:
    """One keeper lives through all tests here. A chain that is turned back under it would be a reorganization, to which
    it answers with transactions; what the module did is undone at its end."""


@dataclass
class Watched:
    """A keeper in the middle of a month whose address book calls a component `HOSTILE`."""

    field: Field
    keeper: Running
    url: str
    hostile: str
    determined: dict[str, Any]
    """What the page told between determination and start."""

    def batch(self) -> None:
        """Lets the keeper make its next batch and look at what came of it."""
        done = len(self.field.events("Traded"))
        self.keeper.until(lambda: len(self.field.events("Traded")) > done)
        self.keeper.look()

    @property
    def started(self) -> int:
        """When trading began."""
        return int(self.field.w3.eth.get_block(self.field.events("Started")[-1]["blockNumber"])["timestamp"])

    def block(self) -> str:
        """The latest block as the page writes it."""
        return f"{self.field.w3.eth.block_number:,}"


def wander(keeper: Running, prices: Market, steps: int) -> None:
    """Prices go up and down for some hours each, and come back to where they were; the keeper looks on."""
    clock, before = keeper.field.clock, dict(prices.prices)
    for step in range(1, steps + 1):
        for number, (token, usd) in enumerate(before.items()):
            swing = sin(2 * pi * step / steps + number) - sin(number)
            prices.set_price(token, usd * (1000 + round(40 * swing)) // 1000)
        clock.jump(clock.now() + 6 * 3_600)
        keeper.look()


@pytest.fixture(scope="module")
def watched(
    field: Field, prices: Market, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("keeper")
    first = field.book.candidates[0]
    book = replace(field.book, candidates=(replace(first, symbol=HOSTILE), *field.book.candidates[1:]))
    book.save(folder / "book.json")
    changes = {
        "BALLAST_BOOK": str(folder / "book.json"),
        "BALLAST_HTTP_PORT": "0",
        "BALLAST_LOG": "json",
        "BALLAST_RPC_URL": f"{field.url.rstrip('/')}/?key={SECRET}",
    }
    with field.keeper(folder, **changes) as keeper:
        keeper.to_determined()
        wander(keeper, prices, 6)
        url = f"http://127.0.0.1:{keeper.port()}/"
        with urlopen(f"{url}state.json", timeout=PATIENCE_S) as answer:
            (determined,) = json.load(answer)["funds"]
        keeper.to_started()
        found = Watched(field, keeper, url, first.token, determined["data"])
        found.batch()
        found.batch()
        yield found


@pytest.fixture
def tab(watched: Watched, browser: Browser) -> Iterator[Tab]:
    with browser.tab(watched.url) as found:
        shows(found, watched)
        yield found
        assert not found.complaints
        assert {url.removeprefix(watched.url) for url in found.requests} == {"", "state.json", "history.json"}


def shows(tab: Tab, watched: Watched) -> None:
    """Waits until the page shows the latest block, and its plots are drawn."""
    tab.until(f"document.getElementById('foot').textContent.endsWith('block {watched.block()}.')")
    tab.until("document.querySelector('#nav svg polyline') !== null")


def weight(state: FundState, holding: Holding, balance: int) -> float:
    return balance * holding.price / holding.one / state.total_value


def figures(text: str) -> list[float]:
    """All numbers in a text."""
    return [float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def when(time: int) -> str:
    moment = datetime.fromtimestamp(time, UTC)
    return f"{moment.day} {moment:%b} {moment.year}, {moment:%H:%M} UTC"


BARS = """[...document.querySelectorAll('#weights .component')].map((g) => ({
  token: g.dataset.token, x: +g.querySelector('.weight').getAttribute('x'),
  width: g.querySelector('.weight').getBoundingClientRect().width,
  target: +g.querySelector('.target').getAttribute('x') + 2,
  name: g.querySelector('text').textContent, says: g.querySelectorAll('text')[1].textContent }))"""
TICKS = "[...document.querySelectorAll('#weights .tick')].map((t) => [+t.getAttribute('x'), t.textContent])"


def check_bars(tab: Tab, state: FundState) -> None:
    """Each component's bar is as long, and its target's mark as far out, as the axis says of the chain's figures."""
    ticks = [(x, figures(text)[0] / 100) for x, text in tab.run(TICKS)]
    (zero, none), (last, most) = ticks[0], ticks[-1]
    assert none == 0 and most >= 0.1
    scale = (last - zero) / most
    bars = {bar["token"]: bar for bar in tab.run(BARS)}
    assert bars.keys() == {h.token for h in state.holdings}
    for h in state.holdings:
        bar, held, target = bars[h.token], weight(state, h, h.balance), weight(state, h, state.target_balance(h))
        assert bar["x"] == pytest.approx(zero, abs=0.01)
        assert bar["width"] == pytest.approx(held * scale, abs=0.1)
        assert bar["target"] == pytest.approx(zero + target * scale, abs=0.1)
        assert figures(bar["says"]) == pytest.approx([100 * held, 100 * target], abs=0.0051)
    assert list(bars) == [h.token for h in sorted(state.holdings, key=lambda h: -h.value(h.balance))]


def test_what_is_drawn_is_what_the_chain_says(watched: Watched, tab: Tab) -> None:
    state, pulse = watched.field.state(), watched.keeper.look()
    check_bars(tab, state)
    assert figures(tab.text("#tile-nav dd")) == pytest.approx([state.total_value / state.supply], abs=0.0051)
    assert figures(tab.text("#tile-total dd")) == pytest.approx([state.total_value / WAD], abs=0.51)
    assert figures(tab.text("#tile-fee dd")) == pytest.approx([FEE / 1e16], abs=0.0051)
    balance = watched.field.w3.eth.get_balance(watched.field.account.address)
    assert figures(tab.text("#tile-account dd")) == pytest.approx([balance / WAD], abs=0.0051)
    assert figures(tab.text("#tile-lost dd + dd")) == pytest.approx([state.progress.spent / 1e16], abs=0.00051)
    assert tab.text("#verdict") == "All is well"
    assert tab.text("#standing").startswith("Trading April 2021, ")
    assert tab.text("#next-what") == "Next batch"
    assert when(pulse["possible_from"]) in tab.text("#next-when")


def test_the_month_stands_where_the_chain_says(watched: Watched, tab: Tab) -> None:
    state = watched.field.state()
    notice = watched.field.config.timetable.notice
    opens, end = period_start(PERIOD, notice), period_start(PERIOD + 1, notice)
    line: dict[str, float] = tab.run(
        """(() => { const at = (s, a) => +document.querySelector(`#timeline ${s}`).getAttribute(a);
        return { left: at('.track', 'x'), width: at('.track', 'width'), now: at('.now', 'x1'),
          from: at('.active', 'x'), marks: document.querySelectorAll('#timeline .mark').length }; })()"""
    )
    started = watched.started
    pixels = line["width"] / (end - opens)
    assert line["now"] == pytest.approx(line["left"] + (state.time - opens) * pixels, abs=0.5)
    assert line["from"] == pytest.approx(line["left"] + (started - opens) * pixels, abs=0.5)
    dates = tab.text("#dates")
    assert line["marks"] == 4
    for time in (state.determined_at, started, end):
        assert when(time) in dates
    used = float(tab.run("document.querySelector('[data-meter=loss-budget] svg').getAttribute('aria-valuenow')"))
    assert used == pytest.approx(100 * state.progress.spent / state.limits.loss_budget, abs=0.051)
    opened = watched.field.chain.read(watched.field.events("Started")[-1]["blockNumber"])[0]
    sold = float(tab.run("document.querySelector('[data-meter=surplus-sold] rect + rect').getAttribute('width')"))
    assert 0 < sold < 100
    assert sold == pytest.approx(100 * (1 - state.progress.surplus / opened.progress.surplus), abs=0.01)


def test_before_the_start_the_targets_are_the_determinations(watched: Watched) -> None:
    told = watched.determined
    (event,) = watched.field.events("Determined")
    included = {c["token"]: c["weight"] for c in event["args"]["constituents"] if c["status"] == Status.INCLUDED}
    assert len(included) > 10
    assert (told["phase"], told["target_is"], told["next"]["what"]) == (
        "determined",
        "determination",
        "Start of trading",
    )
    rows = {row["token"]: row for row in told["components"]}
    assert {token: int(row["target"]) for token, row in rows.items() if row["target"] != "0"} == included
    held = {h.token for h in watched.field.chain.read(event["blockNumber"])[0].holdings}
    assert {token for token, row in rows.items() if row["value"] is not None} == held
    assert set(included) - held, "something new comes in"
    table = watched.field.config.timetable
    assert told["timeline"]["opens"] == period_start(PERIOD, table.notice)
    assert told["next"]["at"] == told["timeline"]["start_from"] == execution_time(PERIOD, table.day, table.fixed_day)


def axis(tab: Tab, plot: str) -> list[tuple[float, float]]:
    """The lowest and the highest line of a plot in USD: where it lies, and what it says."""
    texts = f"document.querySelectorAll('{plot} text[text-anchor=end]')"
    found = tab.run(f"[...{texts}].map((t) => [+t.getAttribute('y') - 4, t.textContent])")
    lines = [(float(y), figures(text)[0]) for y, text in found]
    return [lines[0], lines[-1]]


def test_nav_over_time_ends_where_the_chain_stands(watched: Watched, tab: Tab) -> None:
    state = watched.field.state()
    line: list[list[float]] = tab.run(
        "document.querySelector('#nav polyline').getAttribute('points').split(' ').map((p) => p.split(',').map(Number))"
    )
    (low_y, low), (high_y, high) = axis(tab, "#nav")
    assert high > low and len(line) >= 8
    nav = low + (line[-1][1] - low_y) * (high - low) / (high_y - low_y)
    assert nav == pytest.approx(state.total_value / state.supply, rel=1e-4)
    assert [x for x, _ in line] == sorted({x for x, _ in line})
    assert figures(tab.text("#nav-reading"))[-1] != 0


def test_what_was_sent_and_what_it_cost(watched: Watched, tab: Tab) -> None:
    rows = journal_rows(watched.keeper.folder)
    assert [row["action"] for row in rows] == ["determine", "start", "trade", "trade"]
    receipts = [watched.field.w3.eth.get_transaction_receipt(row["hash"]) for row in rows]
    paid = [receipt["gasUsed"] * receipt["effectiveGasPrice"] / WAD for receipt in receipts]
    answer = call_view(watched.field.w3, watched.field.book["oracle"], "price(address)", ["uint256"], ETH)
    assert answer is not None
    eth = answer[0] / WAD
    shown: list[list[str]] = tab.run(
        "[...document.querySelectorAll('#sent tbody tr')].map((tr) => [...tr.cells].map((td) => td.textContent))"
    )
    assert [line[0] for line in shown] == [row["action"] for row in reversed(rows)]
    assert [line[2] for line in shown] == [row["status"] for row in reversed(rows)]
    for line, row, cost, receipt in zip(shown, reversed(rows), reversed(paid), reversed(receipts), strict=True):
        assert figures(line[3]) == pytest.approx([cost * eth], abs=0.0051)
        assert figures(line[5]) == [receipt["gasUsed"]]
        assert (figures(line[8]), line[9]) == ([receipt["blockNumber"]], str(row["nonce"]))
        assert line[10] == f"{row['hash'][:8]}…{row['hash'][-4:]}"
    heights: list[list[Any]] = tab.run(
        "[...document.querySelectorAll('#costs .cost')].map((r) => [r.dataset.hash, +r.getAttribute('height')])"
    )
    assert [digest for digest, _ in heights] == [row["hash"] for row in rows]
    (low_y, low), (high_y, high) = axis(tab, "#costs")
    for (_, height), cost in zip(heights, paid, strict=True):
        assert height == pytest.approx((low_y - high_y) * cost * eth / (high - low), abs=0.1)
    assert figures(tab.text("#tile-gas dd")) == pytest.approx([sum(paid) * eth], abs=0.0051)
    (month,) = tab.run(
        "[...document.querySelectorAll('#months tbody tr')].map((tr) => [...tr.cells].map((td) => td.textContent))"
    )
    assert month[:3] == ["April 2021", "4", f"{sum(receipt['gasUsed'] for receipt in receipts):,}"]
    assert figures(month[4]) == pytest.approx([sum(paid) * eth], abs=0.0051)


def test_addresses_can_be_copied_and_looked_up(watched: Watched, tab: Tab) -> None:
    book = watched.field.book
    rows: list[list[str]] = tab.run(
        "[...document.querySelectorAll('#addresses > div')].map((div) => [div.querySelector('dt').textContent, "
        "div.querySelector('code').textContent, div.querySelector('a').href])"
    )
    wanted = {"Share token": "index_token", "Rebalancer": "rebalancer", "Timelock": "timelock"}
    assert rows == [[name, book[key], f"https://etherscan.io/address/{book[key]}"] for name, key in wanted.items()]
    button = "document.querySelector('#addresses .copy')"
    tab.run(f"{button}.click()")
    tab.until(f"['Copied', 'Selected'].includes({button}.textContent)")


def test_the_node_in_use_is_named_by_its_host(watched: Watched, tab: Tab) -> None:
    cells = "[...document.querySelectorAll('#nodes tbody tr')].map((tr) => [...tr.cells].map((td) => td.textContent))"
    ((name, state, head, age, why),) = tab.run(cells)
    assert (name, state, why) == (urlsplit(watched.field.url).netloc, "in use", "-")
    latest = watched.field.w3.eth.get_block("latest")
    assert figures(head) == [latest["number"]]
    # The fork's time is its own, years ago: in whole days.
    assert figures(age) == pytest.approx([(datetime.now(UTC).timestamp() - latest["timestamp"]) / 86_400], abs=1.01)


def test_a_hostile_symbol_is_text(watched: Watched, tab: Tab) -> None:
    names = {bar["token"]: bar["name"] for bar in tab.run(BARS)}
    assert len(names[watched.hostile]) > 4 and SHOWN.startswith(names[watched.hostile].removesuffix("…"))
    assert SHOWN in tab.text("#weights-table")
    strange = 'img, iframe, object, embed, a[href^=http]:not([href^="https://etherscan.io/"])'
    assert tab.run(f"document.querySelectorAll('{strange}').length") == 0
    assert "taken" not in tab.run("document.title")
    # And if it were HTML somewhere, the browser would refuse it.
    refused = "(() => { try { document.body.innerHTML = '<b>'; return ''; } catch (e) { return e.name; } })()"
    assert tab.run(refused) == "TypeError"
    tab.complaints.clear()  # that one is written down


def test_nothing_secret_is_told(watched: Watched, tab: Tab) -> None:
    key = str(watched.field.account.private_key).removeprefix("0x")
    for path in ("", "state.json", "history.json"):
        told = tab.run(f"fetch('/{path}').then((answer) => answer.text())")
        assert len(told) > 100
        assert SECRET not in told and key not in told


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_widths_and_schemes(watched: Watched, browser: Browser, width: int, dark: bool) -> None:
    with browser.tab(watched.url, width, dark=dark) as tab:
        shows(tab, watched)
        check_fits(tab, width)
        check_bars_fit(tab)
        ground, ink = (brightness(tab, name) for name in ("backgroundColor", "color"))
        assert (ground < 0.1 and ink > 0.7) if dark else (ground > 0.8 and ink < 0.1)
        assert contrasts(tab) == []
        out = ROOT / "out" / "status-page"
        out.mkdir(parents=True, exist_ok=True)
        tab.screenshot(out / f"{width}-{'dark' if dark else 'light'}.png")
        assert not tab.complaints


def check_fits(tab: Tab, width: int) -> None:
    """Nothing reaches over the sides of the window, but what scrolls in a frame of its own."""
    assert tab.run("document.documentElement.scrollWidth") == width
    cut = """[...document.querySelectorAll('.tiles dd, .big')].filter((node) => node.scrollWidth > node.clientWidth)
      .map((node) => node.textContent)"""
    assert tab.run(cut) == []
    outside = """[...document.querySelectorAll('body *')].filter((node) => {
      if (node.closest('.scroll, .skip')) return false;
      const box = node.getBoundingClientRect(); return box.width && (box.left < -0.5 || box.right > innerWidth + 0.5);
    }).map((node) => `${node.tagName} ${node.textContent.slice(0, 40)}`)"""
    assert tab.run(outside) == []


def check_bars_fit(tab: Tab) -> None:
    """No text of the weights lies on a bar or on another text."""
    overlaps = """[...document.querySelectorAll('#weights .component')].filter((g) => {
      const [name, says] = [...g.querySelectorAll('text')].map((t) => t.getBoundingClientRect());
      const bars = [...g.querySelectorAll('rect')].map((r) => r.getBoundingClientRect());
      return bars.some((bar) => bar.left < name.right || bar.right > says.left); }).map((g) => g.textContent)"""
    assert tab.run(overlaps) == []


def brightness(tab: Tab, name: str) -> float:
    """Relative luminance of the page's ground or ink, 0 black to 1 white."""
    red, green, blue = figures(tab.run(f"getComputedStyle(document.body).{name}"))[:3]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red / 255, green / 255, blue / 255)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


CONTRASTS = (Path(__file__).parent / "contrasts.js").read_text()


def contrasts(tab: Tab) -> list[str]:
    """Texts whose contrast with what lies under them is below 4.5 to 1."""
    found: list[str] = tab.run(CONTRASTS)
    return found


def test_plots_tell_those_who_do_not_see_them(watched: Watched, tab: Tab) -> None:
    bare = """[...document.querySelectorAll('.plot > svg')].filter((plot) => ['title', 'desc'].some((name) =>
      !plot.querySelector(`:scope > ${name}`)?.textContent)).length"""
    assert tab.run("document.querySelectorAll('.plot > svg').length") == 5
    assert tab.run(bare) == 0
    for plot, table in (("weights", "#weights-table"), ("nav", "#nav-table"), ("costs", "#sent")):
        assert tab.run(f"document.querySelectorAll('{table} tbody tr').length") > 1, plot
    # The samples can be read with the keyboard alone.
    tab.run("document.querySelector('#nav svg').focus()")
    before = tab.text("#nav-reading")
    for kind in ("keyDown", "keyUp"):
        tab.call("Input.dispatchKeyEvent", type=kind, key="ArrowLeft", code="ArrowLeft")
    assert tab.text("#nav-reading") != before


def test_follows_the_next_batch_without_a_reload(watched: Watched, tab: Tab) -> None:
    tab.run("window.mark = 'same page'")
    loads, before, rows = tab.loads, tab.run(BARS), tab.run("document.querySelectorAll('#sent tbody tr').length")
    watched.batch()
    shows(tab, watched)
    check_bars(tab, watched.field.state())
    assert tab.run(BARS) != before
    assert tab.run("document.querySelectorAll('#sent tbody tr').length") == rows + 1
    assert (tab.run("window.mark"), tab.loads) == ("same page", loads)


def test_what_the_owner_has_announced(tab: Tab, watched: Watched) -> None:
    assert "announced no change" in tab.run("document.getElementById('pending-hint').textContent")
    timelock = ape.project.Timelock.at(watched.field.book["timelock"])
    stranger = ape.accounts.test_accounts[8].address
    call = call_data("grantRole(bytes32,address)", Web3.keccak(text="PROPOSER_ROLE"), stranger)
    delay = timelock.getMinDelay()
    proposer = ape.accounts.test_accounts[0]
    timelock.schedule(timelock.address, 0, call, bytes(32), bytes(32), delay, sender=proposer)
    ready = watched.field.clock.now() + delay
    watched.field.clock.step(watched.field.clock.now() + EVERY_S)
    watched.keeper.look()
    tab.until("document.querySelectorAll('#pending tbody tr').length === 1")
    cells = tab.run("[...document.querySelectorAll('#pending tbody td')].map((td) => td.textContent)")
    assert stranger in cells[0] and "may schedule whatever the owner can do" in cells[1]
    assert cells[2] == "pending" and cells[3].startswith(when(ready))


def test_says_so_when_the_keeper_is_gone(watched: Watched, browser: Browser) -> None:
    with browser.tab(watched.url) as tab:
        shows(tab, watched)
        nav = tab.text("#tile-nav dd")
        watched.keeper.kill()
        tab.until("document.getElementById('verdict').textContent === 'Needs attention'")
        assert "The keeper does not answer" in tab.text("#notes")
        assert "no answer" in tab.text("#look")
        assert tab.text("#tile-nav dd") == nav
