"""`check` on the fork: the keeper's account, its transactions and its journal."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from eth_account import Account

from ballast.units import ETHER, GWEI
from keeper.check import files
from keeper.look.lens import read_fund
from keeper.plan.month_gas import expected
from keeper.sending.journal import Journal
from tests.keeper.checking import Check
from tests.keeper.deployed_fund import Field

DEAD = "0x000000000000000000000000000000000000dEaD"


def test_too_little_ether(check: Check, field: Field) -> None:
    def holds(wei: int) -> None:
        field.rpc.request("anvil_setBalance", field.account.address, hex(wei))

    holds(10**15)
    broke = check(BALLAST_MONTH_GAS="12000000")
    broke.only_failures("balance")
    broke.line("balance", "failure", "0.001 ETH; a month of 1 fund takes about 12 million gas: ")
    # The price of now, three times as much, and never more than the cap.
    asked = field.w3.eth.get_block("latest")["baseFeePerGas"] + field.w3.eth.max_priority_fee
    holds(2 * 12_000_000 * asked)
    short = check(BALLAST_MONTH_GAS="12000000")
    short.only_failures()
    assert f"send {12_000_000 * asked / ETHER:.4g} ETH to it" in short.line("balance", "warning")["remedy"]
    check(BALLAST_MONTH_GAS="12000000", BALLAST_MAX_FEE_GWEI="1").line("balance", "ok", "0.012 ETH at 1 gwei")
    # Without a setting as the fund and the keeper's plan have it.
    holds(10**15)
    state = read_fund(field.w3, field.book)
    size = max(len(state.holdings), len(field.book.candidates))
    gas = expected(size, 0, state.limits.batch_cap, ETHER, GWEI, 84).gas  # so small a fund needs the fewest
    assert f"about {gas / 10**6:.3g} million gas in 9 batches" in check().line("balance", "failure")["text"]
    holds(100 * ETHER)
    check(BALLAST_MAX_FEE_GWEI="1").line("price of gas", "warning", "more than BALLAST_MAX_FEE_GWEI")


def test_an_account_with_code(check: Check, field: Field) -> None:
    field.rpc.request("anvil_setCode", field.account.address, "0xef0100" + "11" * 20)
    check().line("account", "warning", "delegates to 0x1111")
    field.rpc.request("anvil_setCode", field.account.address, "0x00")
    check().only_failures("account")


def pending(field: Field) -> None:
    """Somebody else with the key has sent something that is not mined."""
    field.rpc.request("evm_setAutomine", False)
    request = {"to": DEAD, "value": 1, "gas": 21_000, "gasPrice": 1_000 * GWEI, "chainId": 1}
    number = field.w3.eth.get_transaction_count(field.account.address)
    signed = Account.sign_transaction({**request, "nonce": number}, field.account.private_key)
    field.w3.eth.send_raw_transaction(signed.raw_transaction)


def write(field: Field, path: Path, nonce: int, tx_hash: str) -> None:
    with Journal(path, 1, field.account.address) as journal:
        journal.add(
            nonce=nonce,
            action="trade",
            period=0,
            recipient=DEAD,
            data="0x",
            gas=1,
            max_fee=1,
            tip=1,
            tx_hash=tx_hash,
            raw="0x",
            block=1,
        )


def test_a_transaction_of_another_process(check: Check, field: Field, tmp_path: Path) -> None:
    pending(field)
    try:
        found = check()
        found.only_failures("nonce")
        found.line("nonce", "failure", "1 pending transaction that the journal does not know, from nonce 0")
        write(field, tmp_path / "keeper.sqlite", 0, "0xa")  # had the keeper sent it, it would know it
        check().line("nonce", "ok", "1 open in the journal")
    finally:
        # A snapshot that is taken back leaves the pool as it is: the next test would mine it.
        field.rpc.request("anvil_dropAllTransactions")


def test_a_journal_of_another_chain(check: Check, field: Field, tmp_path: Path) -> None:
    path = tmp_path / "keeper.sqlite"
    write(field, path, 7, "0xa")
    check().line("nonce", "warning", "open transaction with nonce 7, the next to be mined is 0")
    with Journal(path, 1, field.account.address) as journal:
        (entry,) = journal.open()
        journal.mined(entry, succeeded=True, block=1, gas_used=1, gas_price=1)
    found = check()
    found.only_failures("nonce")
    found.line("nonce", "failure", "knows nonce 7 as mined, the chain has mined 0")


def test_a_journal_that_cannot_be_used(
    check: Check, field: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keeper.sqlite"
    with Journal(path, 1, field.account.address):
        held = check()
        held.only_failures()
        held.line("journal", "warning", "a keeper holds it")
    check().line("journal", "ok", "0 transactions")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        locked = check()
        locked.only_failures("journal")
        locked.line("journal", "failure", "holds the database locked")
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version=99")
    newer = check()
    newer.only_failures("journal", "nonce")
    newer.line("journal", "failure", "has version 99")
    path.write_text("no journal")
    check().line("journal", "failure", "is not a journal")
    check(BALLAST_JOURNAL=str(path / "keeper.sqlite")).line("journal", "failure", "is no folder")
    monkeypatch.setattr(files, "MIN_FREE_MIB", 10**9)
    check(BALLAST_JOURNAL=str(tmp_path / "other.sqlite")).only_failures("disk")
