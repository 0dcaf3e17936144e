"""The page's routes over HTTP, and how the page is kept to what it is."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from keeper.errors import ChainError
from keeper.ops.server import Server
from keeper.page import status as module
from keeper.page.render import document
from keeper.sending.journal import Status
from keeper.state import Phase
from tests.unit.keeper.ops.facts import entry
from tests.unit.keeper.page.shown import ETH_PRICE, REBALANCER, Stage, april_facts, book_of, stage, view_of
from tests.unit.keeper.simulated import START, Simulated

SECRET = "SECRET" + "5" * 20


@dataclass(frozen=True)
class Node:
    """An endpoint as the pool tells of it."""

    name: str
    healthy: bool
    reason: str
    head: int | None
    head_age_s: int | None


@pytest.fixture
def april_stage(april: Simulated, tmp_path: Path) -> Iterator[Stage]:
    """A page that has looked at its fund, with secrets wherever a text may come from outside."""
    nodes = (
        Node("node.example", True, "", 7, 3),
        Node("x", False, f"HTTP 500 of https://x.example/{SECRET}", None, None),
    )
    fund = april_facts(april, failing=True)
    sent = entry(
        1, Status.CONFIRMED, recipient=REBALANCER, raw=f"0x{SECRET}", data=f"0x{SECRET}", gas_used=5, gas_price=7
    )
    with stage(tmp_path / "h.sqlite", fund, endpoints=nodes, transactions=(sent,)) as found:
        found.look(view_of(april))
        found.page.failed("fund", ChainError(f"no answer from https://user:{SECRET}@node.example/{SECRET}?k={SECRET}"))
        yield found


@pytest.fixture
def server(april_stage: Stage) -> Iterator[Server]:
    with Server("127.0.0.1", 0, april_stage.page.routes()) as found:
        yield found


def ask(server: Server, path: str, method: str = "GET") -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


def policy(headers: dict[str, str]) -> dict[str, list[str]]:
    rules = (rule.split() for rule in headers["Content-Security-Policy"].split(";"))
    return {name: sources for name, *sources in rules}


def test_the_page_may_run_its_own_script_and_style_and_nothing_else(server: Server) -> None:
    status, headers, body = ask(server, "/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    rules = policy(headers)
    assert rules["default-src"] == ["'none'"]
    for tag, name in (("script", "script-src"), ("style", "style-src")):
        (inline,) = re.findall(rf"<{tag}>(.*?)</{tag}>", body, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert rules[name] == [f"'sha256-{digest}'"]
    assert rules["connect-src"] == ["'self'"]
    assert rules["require-trusted-types-for"] == ["'script'"]
    assert rules["base-uri"] == rules["form-action"] == rules["frame-ancestors"] == ["'none'"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
    assert (headers["X-Frame-Options"], headers["Referrer-Policy"]) == ("DENY", "no-referrer")


def test_the_page_needs_nothing_from_elsewhere(server: Server) -> None:
    _, _, body = ask(server, "/")
    assert "{{" not in body
    outside = set(re.findall(r"[a-z]+://[^\s\"'`)]+", body))
    # The names of XML's vocabularies are no addresses that anything is asked of.
    assert outside <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<(link|script|img|iframe)[^>]+(src|href)=[\"'](?!data:)", body)
    assert not re.search(r"\son[a-z]+=|style=|innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b", body)


@pytest.mark.parametrize("path", ["/state.json", "/history.json"])
def test_json_is_for_the_page_alone(server: Server, path: str) -> None:
    status, headers, body = ask(server, path)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert policy(headers)["default-src"] == ["'none'"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers
    assert len(json.loads(body)["funds"]) == 1


@pytest.mark.parametrize("path", ["/", "/state.json", "/history.json"])
def test_only_reading_is_answered(server: Server, path: str) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        status, headers, _ = ask(server, path, method)
        assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert ask(server, path, "HEAD")[0] == 200
    assert ask(server, f"{path}x")[0] == 404
    assert ask(server, "/page.js")[0] == 404


def test_no_answer_holds_a_secret(server: Server) -> None:
    told = "".join(ask(server, path)[2] for path in ("/", "/state.json", "/history.json"))
    assert "no answer from (address)" in told and "HTTP 500 of (address)" in told
    assert SECRET not in told


def test_endpoints_are_told(server: Server) -> None:
    found = json.loads(ask(server, "/state.json")[2])["endpoints"]
    assert found[0] == {"name": "node.example", "healthy": True, "reason": "", "head": 7, "head_age_s": 3}
    assert (found[1]["healthy"], found[1]["head"]) == (False, None)


def test_samples_come_with_a_version(april: Simulated, april_stage: Stage) -> None:
    before = april_stage.page.state()["history_version"]
    april_stage.look(view_of(april, time=START + 12))
    assert april_stage.page.state()["history_version"] == before
    april_stage.look(view_of(april, time=START + 600))
    assert april_stage.page.state()["history_version"] == before + 1


def test_a_good_look_ends_a_failure(april: Simulated, april_stage: Stage) -> None:
    assert april_stage.told()["level"] == "warn"
    (fund,) = april_stage.facts.funds
    april_stage.facts = replace(april_stage.facts, funds=(replace(fund, failing=False),), endpoints=())
    april_stage.look(view_of(april))
    assert (april_stage.told()["level"], april_stage.told()["notes"]) == ("ok", [])


def test_the_fee_is_read_seldom(april: Simulated, april_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert april_stage.fees.asked == 1
    for later in range(5):
        april_stage.look(view_of(april, time=START + later))
    assert april_stage.fees.asked == 1
    april_stage.look(view_of(april, phase=Phase.IDLE))
    assert april_stage.fees.asked == 2
    monkeypatch.setattr(module, "DETAILS_S", 0.0)
    april_stage.look(view_of(april))
    april_stage.look(view_of(april))
    assert april_stage.fees.asked == 4


def test_the_price_of_ether_is_the_oracles_and_none_where_it_cannot_be_read(
    april: Simulated, april_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    april_stage.look(view_of(april))
    assert april_stage.told()["data"]["eth_price"] == str(ETH_PRICE)
    april_stage.fees.fails = True
    april_stage.look(view_of(april))
    assert april_stage.told()["data"]["eth_price"] == str(ETH_PRICE)  # not asked for again within a minute
    monkeypatch.setattr("keeper.page.status.PRICE_S", 0.0)
    monkeypatch.setattr(april_stage.page, "_price_next", {})
    april_stage.look(view_of(april))
    assert april_stage.told()["data"]["eth_price"] == "0"


def test_a_fee_that_cannot_be_read_stops_nothing(april: Simulated, april_stage: Stage) -> None:
    april_stage.fees.fails = True
    april_stage.look(view_of(april, phase=Phase.IDLE))
    told = april_stage.told()["data"]
    assert (told["fee"], told["phase"]) == (None, "idle")


def test_samples_that_cannot_be_kept_stop_nothing(april: Simulated, april_stage: Stage) -> None:
    april_stage.history.close()
    april_stage.look(view_of(april, time=START + 600))
    assert april_stage.told()["data"]["time"] == START + 600


def test_several_funds_are_apart(april: Simulated, tmp_path: Path) -> None:
    other = book_of("other", "0x" + "77" * 20)
    with stage(tmp_path / "h.sqlite", april_facts(april), april_facts(april, book=other)) as found:
        found.look(view_of(april, supply=april.state.supply * 2), 1)
        found.look(view_of(april), 0)
        first, second = (found.told(number) for number in (0, 1))
        assert (first["fund"], second["fund"]) == ("fund", "other")
        assert int(first["data"]["nav"]) // 2 == pytest.approx(int(second["data"]["nav"]), abs=1)
        samples: list[dict[str, Any]] = json.loads(found.page.routes()["/history.json"]().body)["funds"]
        assert [len(entry["time"]) for entry in samples] == [1, 1]


def test_the_document_is_the_same_each_time() -> None:
    assert document() == document()
