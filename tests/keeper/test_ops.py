"""A keeper at work tells how it is: health, metrics, alerts; and it stops when asked, whatever it waits for."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import requests

from ballast.units import WAD
from keeper.look.outlook import RETRY_S
from keeper.sending.journal import Journal
from keeper.state import Phase
from lab.testbed.loopback import serving
from tests.helpers.receiver import TOKEN, receiver
from tests.helpers.waiting import PATIENCE_S, wait_for
from tests.keeper.deployed_fund import Field, Running
from tests.keeper.endpoints import endpoint

PING_TOKEN = "ping-token-that-nobody-may-see"
SENT_LOW = 'ballast_alerts_sent_total{kind="low_balance"}'


@dataclass
class Pings:
    """A service of a dead-man's switch. `got`: what was asked below its URL."""

    url: str
    got: list[str] = dataclasses.field(default_factory=list)


@contextlib.contextmanager
def pings() -> Iterator[Pings]:
    """Runs one until the block ends."""
    found = Pings("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.got.append(self.path.removeprefix(f"/{PING_TOKEN}"))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with serving(Handler) as url:
        found.url = f"{url}/{PING_TOKEN}"
        yield found


def ask(keeper: Running, path: str) -> requests.Response:
    return requests.get(f"http://127.0.0.1:{keeper.port()}{path}", timeout=PATIENCE_S)


def metrics(keeper: Running) -> dict[str, float]:
    text = ask(keeper, "/metrics").text
    return {match[1]: float(match[2]) for match in re.finditer(r"^([^#].*) (\S+)$", text, re.MULTILINE)}


def test_a_month_begin_in_health_metrics_and_alerts(field: Field, tmp_path: Path) -> None:
    account = str(field.account.address)
    # Less than a month takes at the fork's 100 gwei.
    field.rpc.request("anvil_setBalance", account, hex(2 * 10**18))
    options = {
        "BALLAST_HTTP_PORT": "0",
        "BALLAST_LOG": "json",
        "BALLAST_OVERDUE_SECONDS": "1000",
        "BALLAST_MONTH_GAS": "30000000",
    }
    field.to_determination()
    with receiver() as service:
        with field.keeper(tmp_path, BALLAST_ALERT_URLS=service.url, **options) as keeper:
            keeper.until(lambda: field.state().phase is Phase.DETERMINED)
            # Its last look may have been at the block before.
            keeper.until(lambda: ask(keeper, "/health").json()["funds"][0]["reason"] != "due")
            health = ask(keeper, "/health")
            said = health.json()["funds"][0]
            assert (health.status_code, said["fund"], said["reason"]) == (200, field.book.fund, "not_yet")
            found = metrics(keeper)
            fund = f'fund="{field.book.fund}"'
            assert found[f"ballast_head_number{{{fund}}}"] == field.w3.eth.block_number
            assert found[f"ballast_total_value_usd{{{fund}}}"] == pytest.approx(field.state().total_value / WAD)
            assert found[f'ballast_steps_total{{action="determine",{fund},result="sent"}}'] == 1
            spent = 2 * 10**18 - field.w3.eth.get_balance(field.account.address)
            assert found["ballast_fees_paid_wei_total"] == spent > 0
            assert found["ballast_account_balance_wei"] == 2 * 10**18 - spent
            assert ask(keeper, "/keeper.sqlite").status_code == 404
            told = ["Ballast: low_balance", "Ballast: month_determined"]

            def delivered() -> bool:
                if sorted(service.titles()) == told:
                    return True
                # What may be coming is asked again some time after a node did not answer in time.
                field.clock.step(field.clock.now() + RETRY_S)
                keeper.look()
                return False

            wait_for(delivered, lambda: f"two alerts: {service.titles()}, {keeper.log()}")
            wait_for(lambda: metrics(keeper).get(SENT_LOW) == 1, "a delivery")
        log = (tmp_path / "keeper.log").read_text()
        assert TOKEN not in log and TOKEN not in (tmp_path / "keeper.sqlite.alerts.json").read_text()

        # Started again with a price that it never pays: the start is due and not done. Nothing is told twice.
        field.to_execution()
        options["BALLAST_MAX_FEE_GWEI"] = "1"
        with field.keeper(tmp_path, BALLAST_ALERT_URLS=service.url, **options) as keeper:
            keeper.look()
            assert ask(keeper, "/health").status_code == 200
            field.clock.step(field.clock.now() + 1_000)
            keeper.look()
            wait_for(lambda: ask(keeper, "/health").status_code == 503, "a health that fails")
            (reason,) = ask(keeper, "/health").json()["reasons"]
            assert reason.startswith(f"{field.book.fund}: start is due and not done for 10")
            wait_for(lambda: len(service.got) > 2, "another alert")
            assert sorted(service.titles()[:2]) == told and service.titles()[2:] == ["Ballast: due_not_done"]
            assert service.got[-1][1].startswith(f"{field.book.fund}: start is due and not done for 16 min")


def test_a_dead_alert_service_holds_nothing_up(field: Field, tmp_path: Path) -> None:
    field.rpc.request("anvil_setBalance", str(field.account.address), hex(2 * 10**18))
    field.to_determination()
    with receiver() as service:
        service.answers.clear()
        changes = {"BALLAST_ALERT_URLS": service.url, "BALLAST_MONTH_GAS": "30000000", "BALLAST_LOG": "json"}
        with field.keeper(tmp_path, **changes) as keeper:
            keeper.until(lambda: field.state().phase is Phase.DETERMINED)
            wait_for(lambda: service.titles() == ["Ballast: low_balance"], "an alert on its way")
            field.to_execution()
            keeper.until(lambda: field.state().phase is Phase.TRADING)
            keeper.process.terminate()
            assert keeper.process.wait(PATIENCE_S) == 0
        assert TOKEN not in (tmp_path / "keeper.log").read_text()


def test_a_loop_that_hangs_is_seen_and_stops_when_asked(field: Field, tmp_path: Path) -> None:
    field.to_determination()
    with endpoint(field.url) as node:
        changes = {
            "BALLAST_RPC_URL": node.url,
            "BALLAST_HTTP_PORT": "0",
            "BALLAST_LOG": "json",
            "BALLAST_STUCK_SECONDS": "3",
            # Longer than the test waits: what ends it is that it was asked to stop.
            "BALLAST_RPC_TIMEOUT_SECONDS": "300",
        }
        with field.keeper(tmp_path, **changes) as keeper:
            keeper.look()
            wait_for(lambda: ask(keeper, "/health").status_code == 200, "health")
            node.answers.clear()
            wait_for(lambda: ask(keeper, "/health").status_code == 503, "a health that fails")
            assert "no sign of life" in ask(keeper, "/health").json()["reasons"][0]
            keeper.process.terminate()
            assert keeper.process.wait(PATIENCE_S) == 0
            assert len(keeper.lines("stopped")) == 1
            assert keeper.lines("stopped in the middle of a wait for the node")
        # Its journal is whole and free.
        node.answers.set()
        with field.keeper(tmp_path, **changes) as keeper:
            keeper.look()


def test_trouble_at_the_start_is_waited_for_and_told(field: Field, tmp_path: Path) -> None:
    """One after the other: the node, the account, the journal; and the port all the while."""
    account = field.account.address
    field.to_determination()
    rich = field.w3.eth.get_balance(account)
    field.rpc.request("anvil_setBalance", account, "0x0")
    with receiver() as service, endpoint(field.url) as node, pings() as pinged, socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        node.fails = 503
        other = Journal(tmp_path / "keeper.sqlite", 1, account)
        changes = {
            "BALLAST_RPC_URL": node.url,
            "BALLAST_HTTP_PORT": str(port),
            "BALLAST_LOG": "json",
            "BALLAST_ALERT_URLS": service.url,
            "BALLAST_PING_URL": pinged.url,
            "BALLAST_START_SECONDS": "0",
            "BALLAST_RPC_CHECK_SECONDS": "0.05",
        }
        with field.keeper(tmp_path, **changes) as keeper:

            def why() -> str:
                lines = keeper.lines("cannot start yet")
                return str(lines[-1]["error"]) if lines else ""

            titles = {"Ballast: cannot_start", "Ballast: not_listening"}
            wait_for(lambda: titles <= set(service.titles()), lambda: f"{titles}: {service.titles()}")
            texts = " ".join(text for _, text in service.got)
            assert "the node does not answer" in texts and f"cannot listen on 127.0.0.1, port {port}" in texts
            wait_for(lambda: pinged.got[:2] == ["/start", "/fail"], "a dead-man's switch that says so")
            held.close()
            wait_for(lambda: keeper.lines("listening"), "a server that listens")
            assert ask(keeper, "/health").status_code == 503
            assert ask(keeper, "/health").json()["reasons"][0].startswith("cannot start: BALLAST_RPC_URL: the node")
            node.fails = None
            wait_for(lambda: "has no ether" in why(), "the node is there")
            field.rpc.request("anvil_setBalance", account, hex(rich))
            wait_for(lambda: "in use by another keeper" in why(), "the ether is there")
            other.close()
            keeper.until(lambda: field.state().phase is Phase.DETERMINED)
            wait_for(lambda: ask(keeper, "/health").status_code == 200, "health")
            wait_for(lambda: pinged.got[-1] == "", "success")
            failed = f'ballast_endpoint_errors_total{{endpoint="{node.host}",reason="HTTP 503"}}'
            assert metrics(keeper)[failed] > 0
            assert metrics(keeper)['ballast_pings_total{result="ok",signal="success"}'] > 0
        log = (tmp_path / "keeper.log").read_text()
        assert TOKEN not in log and PING_TOKEN not in log


def test_asked_to_stop_while_it_cannot_start(field: Field, tmp_path: Path) -> None:
    with endpoint(field.url) as node:
        node.fails = 503
        with field.keeper(tmp_path, BALLAST_RPC_URL=node.url, BALLAST_LOG="json") as keeper:
            wait_for(lambda: keeper.lines("cannot start yet"), "a try")
            keeper.process.terminate()
            assert keeper.process.wait(PATIENCE_S) == 0
        assert keeper.lines("stopped before it could start")


def test_what_only_a_person_can_mend_is_told_before_it_ends(field: Field, tmp_path: Path) -> None:
    raw = json.loads(field.book_path.read_text())
    raw["contracts"]["lens"] = "0x000000000000000000000000000000000000dEaD"
    book = tmp_path / "changed.json"
    book.write_text(json.dumps(raw))
    with receiver() as service, pings() as pinged:
        urls = {"BALLAST_ALERT_URLS": service.url, "BALLAST_PING_URL": pinged.url}
        done = field.command(tmp_path, "run", BALLAST_BOOK=str(book), **urls)
        assert done.returncode == 2 and "keeper: BALLAST_BOOK: lens is" in done.stderr
        ((title, text),) = service.got
        assert title == "Ballast: cannot_start" and "only you can mend it: BALLAST_BOOK: lens is" in text
        assert pinged.got == ["/start", "/fail"]
        assert not (tmp_path / "keeper.sqlite").exists()


def test_urls_that_cannot_work_end_it_before_anything_is_written(field: Field, tmp_path: Path) -> None:
    done = field.command(tmp_path, "run", BALLAST_ALERT_URLS=f"nosuch://{TOKEN}")
    assert done.returncode == 2 and done.stderr.splitlines()[-1].startswith("keeper: BALLAST_ALERT_URLS: URL 1 is none")
    assert TOKEN not in done.stderr and not (tmp_path / "keeper.sqlite").exists()
