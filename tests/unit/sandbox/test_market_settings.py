"""The market's settings: its own names beside the keeper's, and what cannot work named in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ballast.rule.calendar import Timetable
from keeper.errors import SettingsError
from keeper.settings import Secrets, Settings
from sandbox.__main__ import ape_keystore, main, source_of, terms_of
from sandbox.book import SandboxAsset, SandboxBook
from sandbox.settings import MarketSecrets, MarketSettings, load_market_settings
from tools.settings import MARKET_MANUAL, market_manual

KEY = "0x" + "cd" * 32
GOOD = {"BALLAST_RPC_URL": "http://127.0.0.1:1", "BALLAST_BOOK": "book.json", "BALLAST_PRIVATE_KEY": "0x" + "ab" * 32}
SOME = "0x" + "11" * 20


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for kind in (Settings, Secrets, MarketSettings, MarketSecrets):
        for name in kind.model_fields:
            monkeypatch.delenv(f"BALLAST_{name.upper()}", raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def book(heartbeat: int = 3_600, max_age: int = 10_800) -> SandboxBook:
    asset = SandboxAsset(0, "tETH", SOME, 18, SOME, "")
    one = SandboxAsset(1, "tUNI", SOME, 18, SOME, SOME)
    return SandboxBook(31_337, 1, SOME, SOME, SOME, SOME, asset, (one,), heartbeat, max_age, "a.yaml", "a.json")


def timetable(length: int) -> Timetable:
    return Timetable(length, 0, 0, 1_200, 720, 2_700, 0, 1)


def test_key_and_journal_are_the_markets_own(environment: pytest.MonkeyPatch) -> None:
    settings, secrets, own = load_market_settings(None)
    assert secrets.private_key is None, "the keeper's key signs nothing here"
    assert (settings.journal, settings.keystore, settings.pulse) == (Path("market.sqlite"), None, None)
    assert (own.market_prices, own.market_gas_per_day, own.market_speed) == ("recorded", 30_000_000, None)
    environment.setenv("BALLAST_MARKET_PRIVATE_KEY", KEY)
    secrets = load_market_settings(None)[1]
    assert secrets.private_key is not None and secrets.private_key.get_secret_value() == KEY
    assert "cd" * 32 not in repr(secrets)
    assert "cd" * 32 not in str(SettingsError(f"hidden {KEY}"))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BALLAST_MARKET_PRICES", "dice", "BALLAST_MARKET_PRICES: 'dice' is not usable"),
        ("BALLAST_MARKET_BAND_BPS", "30", "BALLAST_MARKET_BAND_BPS: '30' is not usable: input should be greater"),
        ("BALLAST_MARKET_GAS_PER_DAY", "1", "BALLAST_MARKET_GAS_PER_DAY: '1' is not usable"),
    ],
)
def test_wrong_values(
    name: str, value: str, said: str, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv(name, value)
    assert main(["market"]) == 2
    assert said in capsys.readouterr().err


def test_what_is_missing_is_named(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["market"]) == 2
    assert "BALLAST_BOOK" in capsys.readouterr().err
    assert main(["market", "--book", "none.json"]) == 2
    assert "run `ape run sandbox up` first" in capsys.readouterr().err
    environment.setenv("APE_DATA_FOLDER", "data")
    assert main(["market", "--account", "me"]) == 2
    assert "expected its key file at data/accounts/me.json" in capsys.readouterr().err


def test_the_account_that_ape_knows(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("APE_DATA_FOLDER", str(tmp_path))
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts" / "me.json").write_text("{}")
    assert ape_keystore("me") == tmp_path / "accounts" / "me.json"


def test_terms_fit_the_sandbox(environment: pytest.MonkeyPatch) -> None:
    own = load_market_settings(None)[2]
    assert terms_of(own, book()).post_after == 2_880
    with pytest.raises(SettingsError, match="BALLAST_MARKET_POST_SECONDS: 10800 is too late, the fund"):
        terms_of(own.model_copy(update={"market_post_seconds": 10_800}), book())
    with pytest.raises(SettingsError, match="BALLAST_MARKET_GAS_PER_DAY: 30000000 is too little, posts each 96 s"):
        terms_of(own, book(heartbeat=120, max_age=200))


@pytest.mark.parametrize(("length", "speed"), [(7_200, 360), (3_600, 720), (1, 1), (3, 1), (40 * 86_400, 1)])
def test_a_months_moves_come_in_a_period(length: int, speed: int, environment: pytest.MonkeyPatch) -> None:
    own = load_market_settings(None)[2]
    assert source_of(own, book(), timetable(length)).speed == speed
    assert source_of(own.model_copy(update={"market_speed": 7}), book(), timetable(length)).speed == 7


def test_the_manual_names_every_setting() -> None:
    text = MARKET_MANUAL.read_text(encoding="utf-8")
    assert text == market_manual(text), "python -m tools.settings"
    for kind in (MarketSettings, MarketSecrets):
        for name in kind.model_fields:
            assert f"`BALLAST_{name.upper()}`" in text
