"""Configuration: what is wrong is named in one line, and no secret is ever part of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from ballast.book import CONTRACTS
from ballast.build import ROOT
from keeper.errors import SettingsError
from keeper.settings import NO_PING, Secrets, Settings, load_alert_urls, load_book, load_settings
from tools.settings import EXAMPLE, MANUAL, example, manual

KEY = "0x" + "ab" * 32
GOOD = {"BALLAST_RPC_URL": "http://127.0.0.1:1", "BALLAST_BOOK": "book.json", "BALLAST_PRIVATE_KEY": KEY}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment with just enough, in a folder without `.env`."""
    for name in (*Settings.model_fields, *Secrets.model_fields):
        monkeypatch.delenv(f"BALLAST_{name.upper()}", raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def test_defaults(environment: pytest.MonkeyPatch) -> None:
    settings, secrets = load_settings()
    assert (settings.max_hours, settings.pool_rest_seconds, settings.chain_id) == (14, 600, None)
    assert settings.slippage_bps == 10
    assert (settings.plan, settings.plan_gas_gwei, settings.fewest_batches) == ("cheapest", None, 18)
    assert (settings.max_fee_gwei, settings.urgent_max_fee, settings.urgent_hours) == (300, 600, 72)
    assert (settings.ping_seconds, settings.start_seconds, secrets.ping_url) == (60, 30, None)
    assert secrets.private_key is not None and secrets.private_key.get_secret_value() == KEY


def test_where_alerts_go_is_read_although_nothing_else_can_be(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BALLAST_PLAN", "no such plan")
    environment.setenv("BALLAST_RPC_URL", "hidden")
    with pytest.raises(SettingsError, match="BALLAST_ALERT_URLS: not set"):
        load_alert_urls(None)
    environment.setenv("BALLAST_ALERT_URLS", "json://host/a-token-of-this-test")
    assert load_alert_urls(None).get_secret_value() == "json://host/a-token-of-this-test"
    assert "a-token-of-this-test" not in str(SettingsError("a-token-of-this-test"))


def test_no_failure_may_be_said(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BALLAST_PING_FAIL_URL", NO_PING)
    secrets = load_settings()[1]
    assert secrets.ping_fail_url is not None and secrets.ping_fail_url.get_secret_value() == NO_PING


def test_secrets_do_not_show(environment: pytest.MonkeyPatch) -> None:
    settings, secrets = load_settings()
    assert "ab" * 32 not in f"{settings!r} {secrets!r} {secrets.model_dump()}"
    assert "127.0.0.1" not in repr(secrets)


def test_every_secret_is_taken_out_of_errors(environment: pytest.MonkeyPatch) -> None:
    values = {name: f"http://node.example/{name}-of-this-test" for name in Secrets.model_fields}
    values["private_key"] = "0x" + "6e" * 32
    for name, value in values.items():
        environment.setenv(f"BALLAST_{name.upper()}", value)
    load_settings()
    for value in values.values():
        assert str(SettingsError(f"X: {value}")).endswith("[secret]")


def test_env_file_and_its_precedence(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.delenv("BALLAST_BOOK")
    (tmp_path / ".env").write_text("BALLAST_BOOK=from-file.json\nBALLAST_MAX_HOURS=3\nBALLAST_PRIVATE_KEY=0x01\n")
    settings, secrets = load_settings()
    assert (settings.books, settings.max_hours) == ((Path("from-file.json"),), 3)
    assert secrets.private_key is not None and secrets.private_key.get_secret_value() == KEY


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("BALLAST_BOOK", None, "BALLAST_BOOK: not set"),
        ("BALLAST_RPC_URL", None, "BALLAST_RPC_URL: not set"),
        ("BALLAST_RPC_URL", "ws://user:hidden@host", "BALLAST_RPC_URL: the value is not usable: expected the URL"),
        ("BALLAST_RPC_URL", "http://a/hidden,", "BALLAST_RPC_URL: the value is not usable: expected the URL"),
        ("BALLAST_RPC_URL", "http:///hidden", "BALLAST_RPC_URL: the value is not usable: expected the URL"),
        ("BALLAST_RPC_AGREE", "3", "BALLAST_RPC_AGREE: '3' is not usable"),
        ("BALLAST_PRIVATE_RPC_URL", "hidden", "BALLAST_PRIVATE_RPC_URL: the value is not usable: expected the URL"),
        ("BALLAST_PING_URL", "hidden", "BALLAST_PING_URL: the value is not usable: expected a URL"),
        ("BALLAST_PING_URL", "none", "BALLAST_PING_URL: the value is not usable: expected a URL"),
        ("BALLAST_PING_FAIL_URL", "hidden", "BALLAST_PING_FAIL_URL: the value is not usable: expected a URL"),
        ("BALLAST_PING_SECONDS", "0", "BALLAST_PING_SECONDS: '0' is not usable"),
        ("BALLAST_START_SECONDS", "-1", "BALLAST_START_SECONDS: '-1' is not usable"),
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


@pytest.mark.parametrize("value", ["https://user:hidden@kms", "ftp://hidden"])
def test_a_wrong_endpoint_is_not_shown(environment: pytest.MonkeyPatch, value: str) -> None:
    environment.setenv("BALLAST_KMS_ENDPOINT", value)
    with pytest.raises(SettingsError, match=r"^BALLAST_KMS_ENDPOINT: the value is not usable") as caught:
        load_settings()
    assert "hidden" not in str(caught.value)


def test_a_secret_in_the_wrong_variable_is_not_shown(environment: pytest.MonkeyPatch) -> None:
    for name in ("BALLAST_CHAIN_ID", "BALLAST_LOG", "BALLAST_MAX_FEE_GWEI"):
        for value in ("0x" + "5c" * 32, "https://node.example/hidden-key"):
            with environment.context() as changed:
                changed.setenv(name, value)
                with pytest.raises(SettingsError, match=f"^{name}: the value is not usable") as caught:
                    load_settings()
            assert "5c5c" not in str(caught.value) and "hidden" not in str(caught.value)


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


def variables(kind: type[BaseSettings]) -> set[str]:
    return {f"BALLAST_{name.upper()}" for name in kind.model_fields}


def test_public_and_secret_never_overlap() -> None:
    assert not variables(Settings) & variables(Secrets)
    # What is secret is typed so that no repr shows it.
    assert all("SecretStr" in str(field.annotation) for field in Secrets.model_fields.values())
    assert not any("SecretStr" in str(field.annotation) for field in Settings.model_fields.values())


def test_example_and_manual_are_current() -> None:
    remedy = "run python -m tools.settings"
    assert EXAMPLE.read_text() == example(), remedy
    assert MANUAL.read_text() == manual(MANUAL.read_text()), remedy


def test_what_the_example_comments_out_holds_without_it(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in GOOD:
        environment.delenv(name)
    (tmp_path / ".env").write_text(example())
    (tmp_path / "all").write_text(re.sub(r"^#(BALLAST_[A-Z_]+=)", r"\1", example(), flags=re.MULTILINE))
    assert load_settings(tmp_path / "all")[0] == load_settings()[0]


def test_the_example_names_every_variable_once() -> None:
    text = (ROOT / ".env.example").read_text()
    secret, _, public = text.partition("# --- Public ---")
    named = [re.findall(r"^#?(BALLAST_[A-Z_]+)=", part, re.MULTILINE) for part in (secret, public)]
    assert sorted(named[0]) == sorted(variables(Secrets))
    assert sorted(named[1]) == sorted(variables(Settings))


def test_the_manual_has_every_variable_in_its_table() -> None:
    text = (ROOT / "docs/operations/settings.md").read_text()
    rows = {"secret": set[str](), "public": set[str]()}
    head = ""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else [""]
        if cells[0] in rows or not line.startswith("|"):
            head = cells[0]
        elif head in rows:
            rows[head] |= set(re.findall(r"BALLAST_[A-Z_]+", cells[0]))
    assert rows["secret"] == variables(Secrets)
    assert rows["public"] == variables(Settings)
