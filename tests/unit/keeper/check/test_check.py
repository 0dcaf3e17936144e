"""What `check` decides without a chain."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from ballast.build import BUILD
from ballast.units import WAD
from keeper.check import codes
from keeper.check.command import check_json, check_table, summary
from keeper.check.findings import Finding, Level, Says
from keeper.check.pools import Carried, verdict
from keeper.check.runner import failed, guarded
from keeper.errors import ChainError
from keeper.output import redact
from tools.export_codes import export

KEY = "0x" + "ab" * 32
URL = "https://node.example/v3/secret"


def test_codes_agree_with_the_compiled_contracts() -> None:
    assert BUILD.exists(), "run 'make compile'"
    assert codes.CODES.read_text() == export(), "run 'python -m tools.export_codes'"


def test_code_is_known_by_all_but_immutables_and_metadata() -> None:
    body = b"\x60\x01\x7f" + bytes(32) + b"\x61\x02" + b"\x7f" + bytes(32) + b"\x00"
    metadata = b"\xa2" * 10 + (10).to_bytes(2, "big")
    print_ = codes.fingerprint_of(body + metadata)
    assert print_.immutables == (3, 38)
    filled = body[:3] + b"\x11" * 32 + body[35:38] + b"\x22" * 32 + body[70:]
    assert print_.fits(filled + metadata)
    assert print_.fits(filled + b"\xa3" * 20 + (20).to_bytes(2, "big"))
    for at in (0, 2, 35, 36, len(body) - 1):
        changed = bytearray(filled)
        changed[at] ^= 1
        assert not print_.fits(bytes(changed) + metadata), at
    assert not print_.fits(filled + b"\x00" + metadata)
    assert not print_.fits(b"")


def test_missing_functions_are_named() -> None:
    types = json.loads(BUILD.read_text())["contractTypes"]
    filler = bytes.fromhex(types["UniswapFiller"]["runtimeBytecode"]["bytecode"].removeprefix("0x"))
    assert codes.missing_functions("UniswapFiller", filler) == ()
    assert codes.missing_functions("V3Lens", filler) == (
        "state(address,uint24)",
        "states(address[],uint24)",
    )
    assert codes.missing_functions("Timelock", filler) == ()  # no ABI of it here


def test_a_check_that_raises_is_a_failure() -> None:
    def broken(error: Exception) -> Iterator[Finding]:
        yield Says("feed", "AAVE").ok("fine")
        raise error

    redact.learn(f"{URL},http://other", KEY)
    lines = guarded("feed", "all", lambda: broken(TypeError(f"in the middle of {URL}")))
    assert [line.level for line in lines] == [Level.OK, Level.FAILURE]
    assert lines[1].text == "could not be looked at (TypeError)" and lines[1].remedy
    (_, told) = guarded("feed", "all", lambda: broken(ChainError(f"{URL} with {KEY} and http://other: no")))
    assert told.text == "could not be looked at: https://node.example[secret] with [secret] and http://other: no"
    assert failed(lines) and not failed(lines[:1])


def test_a_line_has_a_remedy_where_something_is_to_be_done() -> None:
    with pytest.raises(ValueError, match="remedy of pool"):
        Finding("pool", "x", Level.WARNING, "shallow")
    with pytest.raises(ValueError, match="remedy of pool"):
        Finding("pool", "x", Level.OK, "deep", "swim")


def test_what_a_slice_may_lose() -> None:
    tolerance = 4 * WAD // 100
    assert verdict(Carried(1, 400, 0), tolerance) == (Level.OK, "")
    assert verdict(Carried(1, 401, 0), tolerance)[0] is Level.WARNING
    assert verdict(Carried(1, 4_999, 0), tolerance)[0] is Level.WARNING
    assert verdict(Carried(1, 5_000, 0), tolerance)[0] is Level.FAILURE
    assert verdict(Carried(1, 0, -500), tolerance)[0] is Level.OK
    assert verdict(Carried(1, 0, 501), tolerance)[0] is Level.WARNING
    assert verdict(Carried(1, 0, -5_000), tolerance)[0] is Level.FAILURE


def test_many_that_are_ok_share_a_row() -> None:
    lines = [Says("pool", f"P{i}").ok("deep") for i in range(5)] + [Says("pool", "P5").failure("dry", "fill it")]
    table = check_table(lines)
    assert list(table.columns[1].cells) == ["5 of them", "P5"]
    assert str(list(table.columns[3].cells)[1]) == "dry\n-> fill it"
    assert len(check_json(lines)["lines"]) == 6
    assert summary(lines).startswith("6 lines, 1 failures, 0 warnings: put")
    assert len(check_table(lines[:4]).rows) == 4
