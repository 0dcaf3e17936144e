"""Configuration: what is wrong is named in one line, and no secret is ever part of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_account import Account

from ballast.book import CONTRACTS
from keeper.errors import SettingsError
from keeper.settings import Settings, load_account, load_book, load_settings

KEY = "0x" + "ab" * 32
GOOD = {"BALLAST_RPC_URL": "http://127.0.0.1:1", "BALLAST_BOOK": "book.json", "BALLAST_PRIVATE_KEY": KEY}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment with just enough, in a folder without `.env`."""
    for name in (
        *Settings.model_fields,
        "rpc_url",
        "private_key",
        "private_rpc_url",
    ):
        monkeypatch.delenv(f"BALLAST_{name.upper()}", raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def test_defaults(environment: pytest.MonkeyPatch) -> None:
    settings, secrets = load_settings()
    assert (settings.max_hours, settings.pool_rest_seconds, settings.chain_id) == (14, 600, None)
    assert (settings.plan, settings.plan_gas_gwei, settings.fewest_batches) == ("cheapest", None, 18)
    assert (settings.max_fee_gwei, settings.urgent_max_fee, settings.urgent_hours) == (300, 600, 72)
    assert load_account(settings, secrets).address == Account.from_key(KEY).address


def test_secrets_do_not_show(environment: pytest.MonkeyPatch) -> None:
    settings, secrets = load_settings()
    assert "ab" * 32 not in f"{settings!r} {secrets!r} {secrets.model_dump()}"
    assert "127.0.0.1" not in repr(secrets)


def test_env_file_and_its_precedence(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.delenv("BALLAST_BOOK")
    (tmp_path / ".env").write_text("BALLAST_BOOK=from-file.json\nBALLAST_MAX_HOURS=3\nBALLAST_PRIVATE_KEY=0x01\n")
    settings, secrets = load_settings()
    assert (settings.book, settings.max_hours) == (Path("from-file.json"), 3)
    assert load_account(settings, secrets).address == Account.from_key(KEY).address


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("BALLAST_BOOK", None, "BALLAST_BOOK: not set"),
        ("BALLAST_RPC_URL", None, "BALLAST_RPC_URL: not set"),
        ("BALLAST_RPC_URL", "ws://user:hidden@host", "BALLAST_RPC_URL: the value is not usable: expected the URL"),
        ("BALLAST_PRIVATE_RPC_URL", "hidden", "BALLAST_PRIVATE_RPC_URL: the value is not usable: expected the URL"),
        ("BALLAST_PRIVATE_BLOCKS", "-1", "BALLAST_PRIVATE_BLOCKS: '-1' is not usable"),
        ("BALLAST_CHAIN_ID", "main", "BALLAST_CHAIN_ID: 'main' is not usable"),
        ("BALLAST_CHAIN_ID", "0", "BALLAST_CHAIN_ID: '0' is not usable"),
        ("BALLAST_POLL_SECONDS", "0", "BALLAST_POLL_SECONDS: '0' is not usable"),
        ("BALLAST_MAX_FEE_GWEI", "-1", "BALLAST_MAX_FEE_GWEI: '-1' is not usable"),
        (
            "BALLAST_URGENT_MAX_FEE_GWEI",
            "299",
            "BALLAST_URGENT_MAX_FEE_GWEI: '299' is not usable: expected",
        ),
        ("BALLAST_URGENT_HOURS", "-1", "BALLAST_URGENT_HOURS: '-1' is not usable"),
        ("BALLAST_CONFIRMATIONS", "65", "BALLAST_CONFIRMATIONS: '65' is not usable"),
        ("BALLAST_MAX_HOURS", "0", "BALLAST_MAX_HOURS: '0' is not usable"),
        ("BALLAST_PLAN", "best", "BALLAST_PLAN: 'best' is not usable: input should be 'cheapest' or 'fewest'"),
        ("BALLAST_PLAN_GAS_GWEI", "0", "BALLAST_PLAN_GAS_GWEI: '0' is not usable"),
        ("BALLAST_FEWEST_BATCHES", "1.5", "BALLAST_FEWEST_BATCHES: '1.5' is not usable"),
        ("BALLAST_FEWEST_GAS", "12", "BALLAST_FEWEST_GAS: '12' is not usable"),
        ("BALLAST_SLIPPAGE_BPS", "5000", "BALLAST_SLIPPAGE_BPS: '5000' is not usable"),
        ("BALLAST_LOG", "xml", "BALLAST_LOG: 'xml' is not usable"),
    ],
)
def test_wrong_values(environment: pytest.MonkeyPatch, name: str, value: str | None, expected: str) -> None:
    if value is None:
        environment.delenv(name)
    else:
        environment.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)
    assert "hidden" not in str(caught.value)


def refused_account(environment: pytest.MonkeyPatch, **changes: str | None) -> str:
    for name, value in changes.items():
        if value is None:
            environment.delenv(name, raising=False)
        else:
            environment.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_account(*load_settings())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_wrong_keys(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert refused_account(environment, BALLAST_PRIVATE_KEY=None).startswith("BALLAST_PRIVATE_KEY: not set")
    for bad in ("0x" + "cd" * 31, "word", "0x" + "0" * 64):
        message = refused_account(environment, BALLAST_PRIVATE_KEY=bad)
        assert message.startswith("BALLAST_PRIVATE_KEY: not a private key")
        assert bad not in message
    both = refused_account(environment, BALLAST_PRIVATE_KEY=KEY, BALLAST_KEYSTORE=str(tmp_path / "key.json"))
    assert "set one of them" in both


def test_keystore(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keyfile, password = tmp_path / "key.json", tmp_path / "password"
    names = {"BALLAST_PRIVATE_KEY": None, "BALLAST_KEYSTORE": str(keyfile)}
    assert refused_account(environment, **names).startswith("BALLAST_KEYSTORE_PASSWORD_FILE: not set")
    names["BALLAST_KEYSTORE_PASSWORD_FILE"] = str(password)
    assert refused_account(environment, **names).startswith(f"BALLAST_KEYSTORE: {keyfile} cannot be read")
    keyfile.write_text("{}")
    password.write_text("")
    assert refused_account(environment, **names).endswith("password is empty")
    password.write_text("wrong\n")
    assert refused_account(environment, **names).endswith("not a key file")
    keyfile.write_text(json.dumps(Account.encrypt(bytes.fromhex(KEY[2:]), "right", iterations=2)))
    assert refused_account(environment, **names).endswith("wrong password")
    password.write_text("right\n")
    assert load_account(*load_settings()).address == Account.from_key(KEY).address


def test_books(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings, _ = load_settings()
    path = tmp_path / "book.json"

    def refused() -> str:
        with pytest.raises(SettingsError) as caught:
            load_book(settings)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "no such file" in refused()
    path.write_text("{")
    assert "not JSON" in refused()
    path.write_text("{}")
    assert "is missing" in refused()
    raw = {
        "fund": "x",
        "chain_id": 1,
        "deployed_block": 1,
        "contracts": dict.fromkeys(CONTRACTS, "0x00"),
        "weth": "0x00",
        "candidates": [],
    }
    path.write_text(json.dumps(raw))
    assert "not a checksummed address" in refused()
    path.unlink()
    path.mkdir()
    assert "cannot be read" in refused()


def test_the_example_names_every_variable() -> None:
    text = (Path(__file__).resolve().parents[3] / ".env.example").read_text()
    for name in (*Settings.model_fields, "rpc_url", "private_key"):
        assert f"BALLAST_{name.upper()}=" in text
