"""`check` on the fork: a healthy fund has no failure; settings, files and endpoints made wrong have their findings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.helpers.waiting import PATIENCE_S, dead_port
from tests.keeper.checking import Check
from tests.keeper.deployed_fund import Field
from tests.keeper.endpoints import KEY
from tests.keeper.own_answers import answering
from tests.keeper.test_commands import changed_book


def test_a_healthy_fund_has_no_failure(check: Check, field: Field, tmp_path: Path) -> None:
    found = check()
    found.only_failures()
    book = field.book
    assert found.levels("contract") == dict.fromkeys(book.contracts, "ok")
    assert set(found.levels("feed")) == set(found.levels("depth")) == {c.symbol for c in book.candidates}
    assert set(found.levels("pool")) == {f"{c.symbol} {p.venue}" for c in book.candidates for p in c.pools}
    assert set(found.levels("pool").values()) == set(found.levels("feed").values()) == {"ok"}
    for name in ("address book", "journal", "disk", "answers", "chain id", "block hash", "events", "nonce"):
        assert set(found.levels(name).values()) == {"ok"}, name
    for name in ("access lists", "account", "balance", "price of gas", "wiring", "owner", "roles", "token"):
        assert set(found.levels(name).values()) == {"ok"}, name
    found.line("head", "warning", "anvil", "days old")
    found.line("agreement", "warning", "one endpoint only")
    assert found.line("key", "warning", "in the clear")["subject"] == field.account.address
    found.line("schedule", "ok", "determine is due now")
    assert not (tmp_path / "keeper.sqlite").exists()


def test_tables_for_people(field: Field, tmp_path: Path) -> None:
    done = field.command(tmp_path, "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "14 of them" in done.stdout  # feeds, in one row
    assert "-> name a second one" in done.stdout
    assert done.stdout.strip().endswith("the keeper can be started")
    wrong = field.command(tmp_path, "check", BALLAST_CHAIN_ID="5")
    assert wrong.returncode == 1
    assert wrong.stdout.strip().endswith("put the failures right before you start the keeper")


# Configuration


def test_settings_that_cannot_work(check: Check, tmp_path: Path) -> None:
    found = check(BALLAST_MAX_FEE_GWEI="much")
    found.only_failures("configuration")
    found.line("configuration", "failure", "BALLAST_MAX_FEE_GWEI: 'much' is not usable")


def test_books(check: Check, field: Field, tmp_path: Path) -> None:
    found = check(BALLAST_BOOK=f"{field.book_path}, {tmp_path / 'none.json'}")
    found.only_failures("address book")
    found.line("address book", "failure", "no such file")
    assert set(found.levels("pool").values()) == {"ok"}  # the other fund is looked at all the same
    twice = check(BALLAST_BOOK=f"{field.book_path},{changed_book(field, tmp_path)}")
    twice.only_failures("address book")
    twice.line("address book", "failure", "is the same fund as")
    other = check(BALLAST_BOOK=changed_book(field, tmp_path, chain_id=10))
    other.only_failures("address book")
    other.line("address book", "failure", "is for chain 10, the keeper works on chain 1")


def test_a_wrong_chain(check: Check) -> None:
    found = check(BALLAST_CHAIN_ID="5")
    found.only_failures("address book", "chain id", "fund")
    found.line("chain id", "failure", "is on chain 1, expected 5")
    found.line("fund", "failure", "no endpoint answers on chain 5")


def test_no_key(check: Check, field: Field) -> None:
    found = check(BALLAST_PRIVATE_KEY=None)
    found.only_failures("key")
    assert not found.levels("roles") and set(found.levels("pool").values()) == {"ok"}
    check(BALLAST_PRIVATE_KEY="0x" + "12" * 31).line("key", "failure", "not a private key")


def test_files_that_others_may_read(check: Check, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("")
    file.chmod(0o644)
    check().line("file", "warning", "mode 644")
    file.chmod(0o600)
    check().line("file", "ok", "mode 600")


# Endpoints


@pytest.fixture
def dead() -> Iterator[str]:
    """URL of an endpoint that is not there."""
    with dead_port() as port:
        yield f"http://127.0.0.1:{port}/{KEY}"


def test_a_dead_endpoint_beside_a_sound_one(check: Check, field: Field, dead: str) -> None:
    found = check(BALLAST_RPC_URL=f"{dead}, {field.url}")
    found.only_failures("answers")
    assert found.line("answers", "failure", "does not answer")["subject"] == dead.removesuffix(f"/{KEY}")[7:]
    assert set(found.levels("pool").values()) == {"ok"}
    alone = check(BALLAST_RPC_URL=dead)
    alone.only_failures("answers", "fund")
    private = check(BALLAST_PRIVATE_RPC_URL=dead)
    private.only_failures("private endpoint")
    check(BALLAST_PRIVATE_RPC_URL=field.url).only_failures()


def test_an_old_head_and_a_slow_clock(check: Check, field: Field) -> None:
    name = {"result": "Geth/v1.15"}

    def geth(asked: dict[str, Any]) -> dict[str, Any] | None:
        return name if asked["method"] == "web3_clientVersion" else None

    with answering(field.url, geth) as geths:
        old = check(BALLAST_RPC_URL=geths)
        old.only_failures("head")
        old.line("head", "failure", "days old, expected at most 120 s")

    def ahead(asked: dict[str, Any]) -> dict[str, Any] | None:
        if asked["method"] != "eth_getBlockByNumber":
            return geth(asked)
        block = requests.post(field.url, json=asked, timeout=PATIENCE_S).json()["result"]
        return {"result": {**block, "timestamp": hex(4 * 10**9)}}

    with answering(field.url, ahead) as early:
        check(BALLAST_RPC_URL=early).line("head", "failure", "in the future")


def test_what_a_node_cannot_do(check: Check, field: Field) -> None:
    refused = {"error": {"code": -32601, "message": "the method does not exist"}}

    def poor(asked: dict[str, Any]) -> dict[str, Any] | None:
        by_hash = asked["method"] == "eth_call" and isinstance(asked["params"][1], dict)
        return refused if by_hash or asked["method"] in ("eth_getLogs", "eth_createAccessList") else None

    with answering(field.url, poor) as limited:
        found = check(BALLAST_RPC_URL=limited)
    found.only_failures("block hash")
    found.line("events", "warning", "no events of")
    found.line("access lists", "ok", "does not make them")


def test_a_node_that_takes_no_batches(check: Check, field: Field) -> None:
    """The keeper asks it one by one."""
    with answering(field.url, batches=False) as single:
        found = check(BALLAST_RPC_URL=single)
    found.only_failures()
    found.line("schedule", "ok", "determine is due now")
    assert set(found.levels("pool").values()) == {"ok"}


def test_endpoints_that_disagree(check: Check, field: Field) -> None:
    check(BALLAST_RPC_URL=f"{field.url},{field.url}").line("agreement", "ok", "2 see the same block")

    def fork(asked: dict[str, Any]) -> dict[str, Any] | None:
        if asked["method"] != "eth_getBlockByNumber" or asked["params"][0] == "latest":
            return None
        block = requests.post(field.url, json=asked, timeout=PATIENCE_S).json()["result"]
        return {"result": {**block, "hash": "0x" + "ab" * 32}}

    with answering(field.url, fork) as lying:
        found = check(BALLAST_RPC_URL=f"{field.url},{lying}")
    found.only_failures("agreement")
    found.line("agreement", "failure", "different blocks", "0xabababab")

    def behind(asked: dict[str, Any]) -> dict[str, Any] | None:
        if asked["method"] != "eth_getBlockByNumber" or asked["params"][0] != "latest":
            return None
        earlier = {**asked, "params": [hex(field.w3.eth.block_number - 6), False]}
        return {"result": requests.post(field.url, json=earlier, timeout=PATIENCE_S).json()["result"]}

    with answering(field.url, behind) as lagging:
        found = check(BALLAST_RPC_URL=f"{field.url},{lagging}")
    found.only_failures()
    found.line("agreement", "warning", "6 behind the best")
