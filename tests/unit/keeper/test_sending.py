"""Journal, fees, names of reverts, and the ABIs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from keeper import contracts
from keeper.errors import FeeTooHighError, JournalError, SettingsError
from keeper.pulse import Pulse
from keeper.sending.fees import Fees, bumped_fees, market_fees
from keeper.sending.journal import Entry, Journal, Status
from tools.export_abi import BUILD, TARGET, export

GWEI = 10**9
SENDER = "0x" + "aa" * 20


def add(journal: Journal, nonce: int, tag: str) -> Entry:
    return journal.add(
        nonce=nonce,
        action="trade",
        period=24_255,
        recipient="0x" + "bb" * 20,
        data="0x01",
        gas=10**6,
        max_fee=2**70,
        tip=1,
        tx_hash=f"0x{tag}",
        raw=f"0xraw{tag}",
        block=7,
    )


def test_journal_survives_and_tells_fates(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.sqlite"
    with Journal(path, 1, SENDER) as journal:
        first, second = add(journal, 0, "a"), add(journal, 0, "b")
        add(journal, 1, "c")
        assert first.max_fee == 2**70
    with Journal(path, 1, SENDER) as journal:
        assert [e.hash for e in journal.open()] == ["0xa", "0xb", "0xc"]
        journal.mined(second, succeeded=True, block=9, gas_used=5, gas_price=3)
        assert [(e.hash, e.status) for e in journal.all()] == [
            ("0xa", Status.REPLACED),
            ("0xb", Status.MINED),
            ("0xc", Status.PENDING),
        ]
        journal.superseded(1)
        assert journal.open() == []
        journal.reopen(0)
        assert [e.hash for e in journal.open()] == ["0xa", "0xb", "0xc"]
    # another account or chain has a history of its own
    with Journal(path, 5, SENDER) as journal:
        assert journal.all() == []


def test_journal_refuses_the_same_transaction_twice(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite", 1, SENDER) as journal:
        add(journal, 0, "a")
        with pytest.raises(JournalError, match="UNIQUE"):
            add(journal, 1, "a")
        assert len(journal.all()) == 1


def test_one_process_holds_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path, 1, SENDER), pytest.raises(SettingsError, match="in use by another keeper"):
        Journal(path, 1, SENDER)
    Journal(path, 1, SENDER).close()


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_text("hello, this is no database at all, but long enough to be looked at\n" * 50)
    with pytest.raises(SettingsError, match="is not a journal"):
        Journal(path, 1, SENDER)
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        Journal(tmp_path / "file" / "journal.sqlite", 1, SENDER)


def test_fees_leave_room_and_keep_the_limit() -> None:
    assert market_fees(50 * GWEI, GWEI, 300 * GWEI) == Fees(101 * GWEI, GWEI)
    assert market_fees(200 * GWEI, GWEI, 300 * GWEI) == Fees(300 * GWEI, GWEI)
    with pytest.raises(FeeTooHighError, match=r"300\.00 gwei now, the chain asks for 301\.00 gwei"):
        market_fees(300 * GWEI, GWEI, 300 * GWEI)


@given(st.integers(1, 10**12), st.integers(1, 10**12), st.integers(0, 10**12))
def test_a_replacement_pays_an_eighth_more(max_fee: int, tip: int, base: int) -> None:
    old = Fees(max(max_fee, tip), tip)
    most = 10**14
    new = bumped_fees(old, market_fees(base, tip, most), most)
    assert new is not None
    assert new.max_fee * 8 >= old.max_fee * 9 and new.tip * 8 >= old.tip * 9
    assert new.max_fee >= base + tip
    assert new.tip <= new.max_fee <= most


def test_no_replacement_above_the_limit() -> None:
    assert bumped_fees(Fees(290 * GWEI, GWEI), Fees(100 * GWEI, GWEI), 300 * GWEI) is None


def test_reverts_have_names() -> None:
    selector = "0x" + keccak(text="BelowMinimum(uint256,uint256)")[:4].hex()
    assert contracts.describe_revert(selector + f"{5:064x}{7:064x}") == (selector, "BelowMinimum", "(5, 7)")
    selector = "0x" + keccak(text="NotDue(uint8,uint8)")[:4].hex()
    assert contracts.describe_revert(selector + f"{4:064x}{2:064x}") == (selector, "NotDue", "(4, 2)")
    assert contracts.describe_revert("0x08c379a0" + f"{32:064x}{2:064x}" + b"no".hex().ljust(64, "0")) == (
        "0x08c379a0",
        "Error",
        "(no)",
    )
    assert contracts.describe_revert("0xdeadbeef") == ("0xdeadbeef", "", "")
    assert contracts.describe_revert("0x") == ("", "", "")


def test_abis_agree_with_the_compiled_contracts() -> None:
    assert BUILD.exists(), "run 'make compile'"
    for name, text in export().items():
        stored = (TARGET / f"{name}.json").read_text()
        assert json.loads(stored) == json.loads(text), f"{name}: run 'python tools/export_abi.py'"
    assert {path.stem for path in TARGET.glob("*.json")} == set(contracts.ABIS)


def test_pulse_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "pulse.json"
    Pulse(5, 1000, "trade", "due", 2000, 1500, ("0xa",), "sent").write(path)
    assert json.loads(path.read_text()) == {
        "block": 5,
        "time": 1000,
        "action": "trade",
        "reason": "due",
        "next": 2000,
        "possible_from": 1500,
        "sent": ["0xa"],
        "state": "sent",
        "error": None,
    }
    assert list(path.parent.iterdir()) == [path]
