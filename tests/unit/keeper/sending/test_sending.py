"""Names of reverts, the ABIs, and the pulse."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from eth_utils import keccak
from structlog.testing import capture_logs

from ballast.build import BUILD
from keeper.look import contracts
from keeper.ops.pulse import Pulse
from tools.export_abi import OWNED_TARGET, TARGET, export, export_owned


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
    assert json.loads(OWNED_TARGET.read_text()) == json.loads(export_owned()), "run 'python tools/export_abi.py'"


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
        "acts_from": None,
    }
    assert list(path.parent.iterdir()) == [path]


def test_a_second_pulse_interns_no_new_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pulse.json"
    pulse = Pulse(5, 1000, "trade", "due", 2000, 1500, (), "waiting")
    interned: list[str] = []

    def intern(text: str) -> str:
        interned.append(text)
        return text

    monkeypatch.setattr(sys, "intern", intern)
    pulse.write(path)
    # Since Python 3.12 such a path is not taken apart.
    assert sys.version_info >= (3, 12) or any(name.startswith("pulse.json.") for name in interned)
    interned.clear()
    pulse.write(path)
    assert set(interned) <= set(path.parts)


def test_a_pulse_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    pulse = Pulse(5, 1000, "trade", "due", 2000, 1500, (), "waiting")
    pulse.write(tmp_path / "file" / "pulse.json")
    # The draft can be written and not take the place of a folder: nothing of it is left.
    (tmp_path / "folder").mkdir()
    with capture_logs() as said:
        pulse.write(tmp_path / "folder")
    assert [entry["event"] for entry in said] == ["BALLAST_PULSE cannot be written"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
