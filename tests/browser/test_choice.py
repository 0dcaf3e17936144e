"""A page of several funds, without a chain: figures in memory, the page and the browser as they are."""

from __future__ import annotations

from pathlib import Path

from keeper.ops.server import Server
from tests.browser.browser import Browser
from tests.unit.keeper.ops.facts import NOW
from tests.unit.keeper.page.shown import april_facts, book_of, stage, view_of
from tests.unit.keeper.simulated import load, trading

FIRST, SECOND = "<b>first</b>", "second & last"


def test_one_fund_at_a_time(browser: Browser, tmp_path: Path) -> None:
    april = trading(*load())
    books = (book_of(FIRST, "0x" + "a1" * 20), book_of(SECOND, "0x" + "b2" * 20))
    with stage(tmp_path / "h.sqlite", *(april_facts(april, book=book) for book in books)) as found:
        found.look(view_of(april), 0)
        found.look(view_of(april, supply=2 * april.state.supply), 1)
        with (
            Server("127.0.0.1", 0, found.page.routes()) as server,
            browser.tab(f"http://127.0.0.1:{server.port}/") as tab,
        ):
            tab.until("!document.getElementById('figures').hidden")
            assert tab.run("[...document.getElementById('choose').options].map((o) => o.text)") == [FIRST, SECOND]
            nav = {FIRST: tab.text("#tile-nav dd")}
            assert tab.text("#fund") == FIRST
            tab.run(f"document.getElementById('choose').value = '{books[1]['rebalancer']}'")
            tab.run("document.getElementById('choose').dispatchEvent(new Event('change'))")
            nav[SECOND] = tab.text("#tile-nav dd")
            assert tab.text("#fund") == SECOND
            first, second = (float(nav[name].removeprefix("$")) for name in (FIRST, SECOND))
            assert abs(first - 2 * second) < 0.02
            # And it stays chosen when the next answer comes.
            asked = len(tab.requests)
            tab.until(f"performance.getEntriesByName(location.origin + '/state.json').length > {asked} - 2")
            assert tab.text("#fund") == SECOND
            assert not tab.complaints


def test_says_when_nothing_was_looked_at(browser: Browser, tmp_path: Path) -> None:
    new = april_facts(trading(*load()), view=None, pulse=None, looked_at=None)
    with (
        stage(tmp_path / "h.sqlite", new) as found,
        Server("127.0.0.1", 0, found.page.routes()) as server,
        browser.tab(f"http://127.0.0.1:{server.port}/") as tab,
    ):
        tab.until("document.getElementById('verdict').textContent === 'Worth a look'")
        assert "has not looked at this fund yet" in tab.text("#notes")
        assert tab.run("document.getElementById('figures').hidden") is True
        assert tab.text("#choice option") == "fund" and tab.run("document.getElementById('choice').hidden") is True


def test_says_how_old_a_look_is(browser: Browser, tmp_path: Path) -> None:
    april = trading(*load())
    old = april_facts(april, looked_at=NOW - 600.0)
    with (
        stage(tmp_path / "h.sqlite", old) as found,
        Server("127.0.0.1", 0, found.page.routes()) as server,
        browser.tab(f"http://127.0.0.1:{server.port}/") as tab,
    ):
        found.look(view_of(april))
        tab.until("document.getElementById('glance').dataset.level === 'warn'")
        assert tab.text("#look") == "last look 10 min ago"
        assert "The keeper last looked 10 min ago" in tab.text("#notes")
