"""A keeper at work tells how it is: health, metrics, alerts; and it stops when asked, whatever it waits for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests

from ballast.units import WAD
from keeper.state import Phase
from tests.helpers.receiver import TOKEN, receiver
from tests.helpers.waiting import PATIENCE_S, wait_for
from tests.keeper.deployed_fund import Field, Running
from tests.keeper.endpoints import endpoint

SENT_LOW = 'ballast_alerts_sent_total{kind="low_balance"}'


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
            keeper.look()
            health = ask(keeper, "/health")
            said = health.json()["funds"][0]
            assert (health.status_code, said["fund"], said["reason"]) == (200, field.book.fund, "not_yet")
            found = metrics(keeper)
            fund = f'fund="{field.book.fund}"'
            assert found[f"ballast_head_number{{{fund}}}"] == field.w3.eth.block_number
            assert found[f"ballast_nav_usd{{{fund}}}"] == pytest.approx(field.state().nav / WAD)
            assert found[f'ballast_steps_total{{action="determine",{fund},result="sent"}}'] == 1
            spent = 2 * 10**18 - field.w3.eth.get_balance(field.account.address)
            assert found["ballast_fees_paid_wei_total"] == spent > 0
            assert found["ballast_account_balance_wei"] == 2 * 10**18 - spent
            assert ask(keeper, "/keeper.sqlite").status_code == 404
            wait_for(lambda: service.titles() == ["Ballast: low_balance"], "an alert")
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
            wait_for(lambda: len(service.got) > 1, "another alert")
            assert service.titles() == ["Ballast: low_balance", "Ballast: due_not_done"]
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


def test_urls_that_cannot_work_end_it_before_anything_is_written(field: Field, tmp_path: Path) -> None:
    done = field.command(tmp_path, "run", BALLAST_ALERT_URLS=f"nosuch://{TOKEN}")
    assert done.returncode == 2 and done.stderr.splitlines()[-1].startswith("keeper: BALLAST_ALERT_URLS: URL 1 is none")
    assert TOKEN not in done.stderr and not (tmp_path / "keeper.sqlite").exists()
