"""Configuration of the market: BALLAST_MARKET_... variables beside the keeper's, in the environment or `.env`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from ballast.units import DAY_S
from keeper.settings import PREFIX, Secrets, Settings, load_as


class MarketSettings(BaseSettings):
    """Settings that may be shown. Descriptions as in `keeper.settings.Settings`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", env_ignore_empty=True, use_attribute_docstrings=True
    )

    market_keystore: Path | None = None
    """Key file of the sandbox's operator, who deployed it; `--account NAME` takes that of Ape's account."""
    market_keystore_password_file: Path | None = None
    """File whose first line is that key file's password; asked for on a terminal if not set."""
    market_journal: Path = Path("market.sqlite")
    """What the market signed and sent (SQLite), as the keeper's; beside it the course of its prices (JSON)."""
    market_pulse: Path | None = None
    """File that says after each look what was seen and done (JSON), as the keeper's pulse."""
    market_prices: Literal["recorded", "walk"] = "recorded"
    """Where prices come from: `recorded`, the daily prices of pools in 2021, or `walk`, a random walk."""
    market_begins: str = "2021-04-01"
    """With `recorded`: the day whose moves come first, 2021-01-20 to 2021-07-31."""
    market_seed: Annotated[int, Field(ge=0, lt=2**64)] = 1
    """With `walk`: the same seed walks the same way."""
    market_daily_bps: Annotated[int, Field(ge=1, le=5_000)] = 500
    """With `walk`: standard deviation of a day's change, in hundredths of a percent."""
    market_speed: Annotated[int, Field(ge=1, le=1_000)] | None = None
    """How many times faster than the chain's time prices move; if not set, as fast as to bring a month's moves in one
    period of the fund."""
    market_moved_bps: Annotated[int, Field(ge=10, le=5_000)] = 500
    """A price that has moved by so much, in hundredths of a percent, is posted before its heartbeat asks for it."""
    market_band_bps: Annotated[int, Field(ge=35, le=2_000)] = 100
    """How far a pool may be off its feed, in hundredths of a percent; a pool's own fee is 30."""
    market_gas_per_day: Annotated[int, Field(ge=1_000_000, le=1_000_000_000)] = 30_000_000
    """Gas that the market may use in any 24 hours of chain time. Posts that the heartbeat asks for come first; what
    else it has no gas for it says."""
    market_post_seconds: Annotated[int, Field(ge=30, le=DAY_S)] | None = None
    """Seconds after which prices are posted again although they have not moved; four fifths of the sandbox's heartbeat
    if not set."""


class MarketSecrets(BaseSettings):
    """Settings that are never shown or logged."""

    model_config = MarketSettings.model_config

    market_private_key: SecretStr | None = None
    """The operator's key, 0x and 64 digits, in place of a key file."""


def load_market_settings(env_file: Path | None, book: Path | None = None) -> tuple[Settings, Secrets, MarketSettings]:
    """The keeper's settings adapted to the market, with the operator's key and a journal of its own, and the market's.
    `book`: the fund's, in place of that of the settings. Raises SettingsError."""
    given: dict[str, Any] = {} if book is None else {"book": str(book)}
    settings, secrets = load_as(Settings, env_file, **given), load_as(Secrets, env_file)
    market, own = load_as(MarketSettings, env_file), load_as(MarketSecrets, env_file)
    settings = settings.model_copy(
        update={
            "keystore": market.market_keystore,
            "keystore_password_file": market.market_keystore_password_file,
            "kms_key_id": None,
            "journal": market.market_journal,
            "pulse": market.market_pulse,
        }
    )
    # Without a private endpoint: nobody front-runs on a test network.
    return settings, secrets.model_copy(update={"private_key": own.market_private_key, "private_rpc_url": None}), market
