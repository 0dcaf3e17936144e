"""One keeper carries several funds with one account; what goes wrong in one does not hold up the others."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3

from ballast.book import Book
from keeper.state import Phase
from lab.localnet.world import World
from tests.helpers.waiting import wait_for
from tests.keeper.deployed_fund import Field, Running, deployed, journal_rows

SECOND = "Second/fund"
POLL = {"BALLAST_POLL_SECONDS": "0.05"}


@pytest.fixture(scope="module")
def second(field: Field, world: World, w3: Web3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """Another fund on the same chain, deployed after the first, with a name that is no file name."""
    folder = tmp_path_factory.mktemp("second")
    with deployed(world, w3, folder, change=lambda config: config.model_copy(update={"name": SECOND})) as found:
        yield found


@contextlib.contextmanager
def carrying(field: Field, folder: Path, *books: Path, **changes: Any) -> Iterator[Running]:
    """A keeper of these books."""
    names = ", ".join(str(book) for book in books)
    with field.keeper(folder, BALLAST_BOOK=names, **POLL, **changes) as keeper:
        yield keeper


def pulse(folder: Path, name: str) -> dict[str, Any]:
    path = folder / f"pulse-{name}.json"
    return json.loads(path.read_text()) if path.exists() else {"block": -1}


def name_of(book: Book) -> str:
    return book.fund.replace(" ", "-").replace("/", "-")


def pulses(folder: Path, *funds: Field) -> list[dict[str, Any]]:
    return [pulse(folder, name_of(fund.book)) for fund in funds]


def looked_at(folder: Path, block: int, *funds: Field) -> None:
    """Waits until these funds have been looked at in that block."""
    wait_for(lambda: all(found["block"] >= block for found in pulses(folder, *funds)), f"a look at block {block}")


def test_two_funds_one_line_of_nonces(field: Field, second: Field, tmp_path: Path) -> None:
    both = (field, second)
    before = field.sent_by_keeper()
    field.to_determination()
    with carrying(field, tmp_path, field.book_path, second.book_path) as keeper:
        wait_for(lambda: all(fund.state().phase is Phase.DETERMINED for fund in both), "both determined")
        field.to_execution()
        wait_for(lambda: all(fund.state().phase is Phase.TRADING for fund in both), "both started")
        for _ in range(60):
            if all(fund.events("Traded") for fund in both):
                break
            number, now = field.clock.latest()
            looked_at(tmp_path, number, *both)
            if field.clock.latest()[0] == number:
                possible = min(p["possible_from"] for p in pulses(tmp_path, *both) if p["possible_from"])
                field.clock.step(max(possible, now + 12))
        assert all(fund.events("Traded") for fund in both), keeper.log()
    rows = journal_rows(tmp_path)
    assert [row["nonce"] for row in rows] == list(range(before, field.sent_by_keeper()))
    to = [row["recipient"] for row in rows]
    assert {to.count(fund.book["rebalancer"]) >= 3 for fund in both} == {True}
    assert not (tmp_path / "pulse.json").exists()
    log = (tmp_path / "keeper.log").read_text()
    assert f"fund={SECOND}" in log or f"fund='{SECOND}'" in log


def test_a_fund_that_fails_does_not_stop_the_other(field: Field, tmp_path: Path) -> None:
    raw = json.loads(field.book_path.read_text())
    # Contracts stand there, but none that answers as a lens.
    was = raw["contracts"]
    raw |= {"fund": "broken", "contracts": {**was, "lens": was["rebalancer"], "rebalancer": was["index_token"]}}
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(raw))
    field.to_determination()
    with carrying(field, tmp_path, broken, field.book_path):
        wait_for(lambda: field.state().phase is Phase.DETERMINED, "determined")
        field.to_execution()
        wait_for(lambda: field.state().phase is Phase.TRADING, "started")
        looked_at(tmp_path, field.w3.eth.block_number, field)
        assert pulse(tmp_path, "broken")["state"] == "error"


def test_others_are_looked_at_while_a_transaction_is_open(field: Field, second: Field, tmp_path: Path) -> None:
    field.to_determination()
    before = field.sent_by_keeper()
    field.rpc.request("evm_setAutomine", False)
    with carrying(field, tmp_path, field.book_path, second.book_path, BALLAST_BUMP_BLOCKS="50"):
        waiting = field.w3.eth.get_transaction_count
        wait_for(lambda: waiting(field.account.address, "pending") == before + 1, "a transaction in the pool")
        # It is lost, and blocks go by without it.
        (row,) = journal_rows(tmp_path)
        field.rpc.request("anvil_dropTransaction", row["hash"])
        field.rpc.request("evm_mine")
        assert row["recipient"] == field.book["rebalancer"]
        looked_at(tmp_path, field.w3.eth.block_number, second)
        assert (pulse(tmp_path, name_of(second.book))["state"]) == "waiting"
        assert {entry["nonce"] for entry in journal_rows(tmp_path)} == {before}
        assert pulse(tmp_path, name_of(field.book))["block"] == -1
    field.rpc.request("evm_setAutomine", True)


def test_books_that_do_not_go_together_are_refused(field: Field, tmp_path: Path) -> None:
    twice = field.command(tmp_path, "status", BALLAST_BOOK=f"{field.book_path},{field.book_path}")
    assert twice.returncode == 2 and "name each fund once" in twice.stderr
