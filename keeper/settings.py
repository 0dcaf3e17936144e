"""Configuration: environment variables with the prefix BALLAST_, or the same names in a file `.env`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from eth_account import Account
from eth_account.signers.local import LocalAccount
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ballast.book import Book, BookError
from keeper.errors import SettingsError

PREFIX = "BALLAST_"

S = TypeVar("S", bound=BaseSettings)


class Settings(BaseSettings):
    """What may be shown."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", env_ignore_empty=True)

    book: Path
    """The fund's address book, written by its deployment."""
    chain_id: Annotated[int, Field(gt=0)] | None = None
    """Refuse to work on another chain; the book's chain if not given."""
    journal: Path = Path("keeper.sqlite")
    """What was signed and sent; one for each key."""
    keystore: Path | None = None
    """Encrypted key file, in place of a private key."""
    keystore_password_file: Path | None = None
    """File whose first line is the key file's password."""
    poll_seconds: Annotated[float, Field(ge=0.01, le=600)] = 4.0
    """Between two looks at the chain."""
    max_fee_gwei: Annotated[int, Field(ge=1, le=100_000)] = 300
    """Most to pay for one gas, base fee and tip together."""
    urgent_max_fee_gwei: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """The same at an action's last moment; twice `max_fee_gwei` if not given."""
    urgent_hours: Annotated[float, Field(ge=0, le=480)] = 72
    """Hours of chain time before an action's last moment in which the one rises to the other."""
    confirmations: Annotated[int, Field(ge=0, le=64)] = 3
    """Blocks after which a receipt counts for good."""
    plan: Literal["cheapest", "fewest"] = "cheapest"
    """What a plan is to bring: the least impact and gas together, or few transactions."""
    plan_gas_gwei: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """What a plan holds one gas to be worth; what the network asks if not given."""
    fewest_batches: Annotated[int, Field(ge=1, le=480)] = 18
    """With `fewest`: most batches, spread over the hours."""
    fewest_gas: Annotated[int, Field(ge=1_000_000, le=1_000_000_000)] = 10_600_000
    """With `fewest`: about the gas that all batches together may take."""
    max_hours: Annotated[float, Field(ge=0.1, le=480)] = 14
    """Most hours of chain time that a month's trading should take."""
    pool_rest_seconds: Annotated[int, Field(ge=0, le=86_400)] = 600
    """Between two batches: how long pools take to come back to the market's price."""
    slippage_bps: Annotated[int, Field(ge=1, le=500)] = 10
    """How much less than planned a batch may bring, in hundredths of a percent of its value."""
    bump_blocks: Annotated[int, Field(ge=1, le=1_000)] = 5
    """Blocks after which a transaction that is not mined is replaced by one that pays more."""
    private_blocks: Annotated[int, Field(ge=0, le=10_000)] = 25
    """With a private endpoint: blocks after which what is not mined goes to the public node too; 0: never."""
    pulse: Path | None = None
    """File that says after each look what was seen and done (JSON)."""
    log: Literal["console", "json"] = "console"

    @field_validator("urgent_max_fee_gwei")
    @classmethod
    def _urgent(cls, value: int | None, info: ValidationInfo) -> int | None:
        normal = info.data.get("max_fee_gwei")
        if value is not None and normal is not None and value < normal:
            raise ValueError(f"expected at least BALLAST_MAX_FEE_GWEI, {normal}")
        return value

    @property
    def urgent_max_fee(self) -> int:
        """Most to pay for one gas at an action's last moment, gwei."""
        return 2 * self.max_fee_gwei if self.urgent_max_fee_gwei is None else self.urgent_max_fee_gwei


class Secrets(BaseSettings):
    """What is never shown or logged. A node's URL often carries a key."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", env_ignore_empty=True)

    rpc_url: SecretStr
    private_key: SecretStr | None = None
    private_rpc_url: SecretStr | None = None
    """Where signed transactions go, past the public pool of pending ones."""

    @field_validator("rpc_url", "private_rpc_url")
    @classmethod
    def _http(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("http://", "https://")):
            raise ValueError("expected the URL of a node, http://... or https://...")
        return value


def load_settings(env_file: Path | None = Path(".env")) -> tuple[Settings, Secrets]:
    """Settings from environment and file; the environment wins. Raises SettingsError for the first field that is
    wrong."""
    return _load(Settings, env_file), _load(Secrets, env_file)


def _load(kind: type[S], env_file: Path | None) -> S:
    try:
        return kind(_env_file=env_file)
    except ValidationError as error:
        raise SettingsError(_one_line(error, secret=kind is Secrets)) from None


def _one_line(error: ValidationError, *, secret: bool) -> str:
    first = error.errors()[0]
    name = PREFIX + str(first["loc"][0]).upper() if first["loc"] else PREFIX + "*"
    if first["type"] == "missing":
        return f"{name}: not set; set it in the environment or in .env (see .env.example)"
    given = "the value" if secret else repr(str(first["input"]))
    expected = first["msg"].removeprefix("Value error, ")
    return f"{name}: {given} is not usable: {expected[:1].lower()}{expected[1:]}"


def load_book(settings: Settings) -> Book:
    """The address book. Raises SettingsError."""
    try:
        return Book.load(settings.book)
    except BookError as error:
        raise SettingsError(f"BALLAST_BOOK: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"BALLAST_BOOK: {settings.book} cannot be read ({error})") from None


def load_account(settings: Settings, secrets: Secrets) -> LocalAccount:
    """The keeper's account. Raises SettingsError; no message carries the key."""
    if secrets.private_key is not None and settings.keystore is not None:
        raise SettingsError("BALLAST_PRIVATE_KEY and BALLAST_KEYSTORE are both set; set one of them")
    if secrets.private_key is not None:
        return _account(secrets.private_key.get_secret_value(), "BALLAST_PRIVATE_KEY")
    if settings.keystore is None:
        raise SettingsError(
            "BALLAST_PRIVATE_KEY: not set; set it, or BALLAST_KEYSTORE and BALLAST_KEYSTORE_PASSWORD_FILE"
        )
    if settings.keystore_password_file is None:
        raise SettingsError("BALLAST_KEYSTORE_PASSWORD_FILE: not set; name the file with the key file's password")
    content = _read(settings.keystore, "BALLAST_KEYSTORE")
    password = _read(settings.keystore_password_file, "BALLAST_KEYSTORE_PASSWORD_FILE")
    lines = password.splitlines()
    if not lines:
        raise SettingsError(f"BALLAST_KEYSTORE_PASSWORD_FILE: {settings.keystore_password_file} is empty")
    try:
        keyfile: dict[str, Any] = json.loads(content)
        key = Account.decrypt(keyfile, lines[0])
    except (ValueError, KeyError, TypeError) as error:
        reason = "wrong password" if "MAC" in str(error) else "not a key file"
        raise SettingsError(f"BALLAST_KEYSTORE: {settings.keystore}: {reason}") from None
    return _account(key.to_0x_hex(), "BALLAST_KEYSTORE")


def _account(key: str, name: str) -> LocalAccount:
    try:
        account: LocalAccount = Account.from_key(key)
    except Exception:  # the libraries below raise many kinds, some with the key in the text
        raise SettingsError(f"{name}: not a private key, expected 0x and 64 hexadecimal digits") from None
    return account


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise SettingsError(f"{name}: {path} cannot be read ({reason})") from None
