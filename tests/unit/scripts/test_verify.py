"""Which verifiers `ape run verify` asks, and where it has Etherscan's key from."""

from __future__ import annotations

from pathlib import Path

import pytest

from ballast.networks.presets import network_of
from ballast.verification.services import ETHERSCAN, SOURCIFY, Etherscan, VerifyError
from scripts.verify import KEY, _verifiers

OWN = {"etherscan": ETHERSCAN, "sourcify": SOURCIFY}


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, without a key."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(KEY, raising=False)
    return tmp_path


def asked(chain_id: int, *wanted: str, urls: dict[str, str] = OWN) -> tuple[list[str], list[str]]:
    said: list[str] = []
    found = _verifiers(network_of(chain_id), wanted, urls, said.append)
    return [verifier.name for verifier in found], said


def test_without_a_key_sourcify_alone_is_asked(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names, said = asked(11_155_111)
    assert names == ["Sourcify"] and "ETHERSCAN_API_KEY is not set" in said[0]
    with pytest.raises(VerifyError, match="ETHERSCAN_API_KEY: not set"):
        asked(11_155_111, "etherscan")
    (nowhere / ".env").write_text("ETHERSCAN_API_KEY=from-the-file\n")
    assert asked(11_155_111) == (["Etherscan", "Sourcify"], [])
    monkeypatch.setenv(KEY, "from-the-environment")
    (etherscan,) = _verifiers(network_of(84_532), ["etherscan"], OWN, print)
    assert isinstance(etherscan, Etherscan) and etherscan.key == "from-the-environment"
    assert "from-the-environment" not in repr(etherscan)


def test_a_chain_that_nobody_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "key")
    with pytest.raises(VerifyError, match="anvil or Hardhat: nothing left to verify with"):
        asked(31_337)
    mine = {**OWN, "sourcify": "http://127.0.0.1:5555"}
    names, said = asked(31_337, urls=mine)
    assert names == ["Sourcify"] and "not known to serve anvil or Hardhat" in said[0]
