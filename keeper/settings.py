"""Configuration: environment variables with the prefix BALLAST_, or the same names in a file `.env`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from eth_account import Account
from eth_account.signers.local import LocalAccount
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ballast.book import Book, BookError
from keeper.errors import SettingsError

PREFIX = "BALLAST_"

S = TypeVar("S", bound=BaseSettings)


class Settings(BaseSettings):
    """What may be shown."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", env_ignore_empty=True)

    book: str
    """The fund's address book, written by its deployment; several funds: their books, separated by commas."""
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
    http_port: Annotated[int, Field(ge=0, le=65_535)] | None = None
    """Port of /health and /metrics; no server if not given, any free port if 0."""
    http_host: str = "127.0.0.1"
    """Address that the server listens on."""
    stuck_seconds: Annotated[int, Field(ge=1, le=86_400)] = 300
    """A loop that shows no sign of life for so long hangs."""
    silent_seconds: Annotated[int, Field(ge=1, le=86_400)] = 300
    """A fund that could not be looked at for so long is being failed: by the node, mostly."""
    overdue_seconds: Annotated[int, Field(ge=1, le=30 * 86_400)] = 3_600
    """What has been possible for so long, in chain time, and is not done is overdue."""
    open_seconds: Annotated[int, Field(ge=1, le=30 * 86_400)] = 900
    """A transaction that has been open for so long since it was first signed is stuck."""
    month_gas: Annotated[int, Field(ge=100_000, le=1_000_000_000)] = 60_000_000
    """About the gas of a month of one fund: an account that cannot pay for it at the current price is low."""
    alert_repeat_hours: Annotated[float, Field(ge=0.01, le=1_000)] = 24
    """An alert that lasts is sent again after so long."""
    standby_rank: Annotated[int, Field(ge=0, le=100)] = 0
    """Place among several keepers of the same funds; 0 acts at once."""
    standby_blocks: Annotated[int, Field(ge=1, le=1_000)] = 5
    """Blocks that each keeper waits for those before it."""

    @property
    def books(self) -> tuple[Path, ...]:
        """The address books' paths."""
        return tuple(Path(name.strip()) for name in self.book.split(",") if name.strip())

    @field_validator("book")
    @classmethod
    def _some_book(cls, value: str) -> str:
        if not value.replace(",", " ").strip():
            raise ValueError("expected the path of an address book, or several separated by commas")
        return value


class Secrets(BaseSettings):
    """What is never shown or logged. A node's URL often carries a key."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", env_ignore_empty=True)

    rpc_url: SecretStr
    private_key: SecretStr | None = None
    private_rpc_url: SecretStr | None = None
    """Where signed transactions go, past the public pool of pending ones."""
    alert_urls: SecretStr | None = None
    """Where alerts go, as apprise writes it, separated by white space; these URLs carry tokens."""

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


def load_books(settings: Settings) -> tuple[Book, ...]:
    """The address books of all funds, of one chain and with names of their own. Raises SettingsError."""
    books = tuple(_load_book(path) for path in settings.books)
    first = books[0]
    for number, book in enumerate(books[1:], 1):
        if book.chain_id != first.chain_id:
            raise SettingsError(
                f"BALLAST_BOOK: {settings.books[number]} is of chain {book.chain_id}, {settings.books[0]} of chain "
                f"{first.chain_id}; one keeper works on one chain"
            )
        for other in books[:number]:
            if pulse_name(book) == pulse_name(other) or book["rebalancer"] == other["rebalancer"]:
                raise SettingsError(
                    f"BALLAST_BOOK: {settings.books[number]} is of fund {book.fund!r}, which another book names too; "
                    "name each fund once, each with a name of its own"
                )
    return books


def load_book(settings: Settings) -> Book:
    """The address book, where there is to be one. Raises SettingsError."""
    if len(settings.books) != 1:
        raise SettingsError(f"BALLAST_BOOK: names {len(settings.books)} books; name one here")
    return _load_book(settings.books[0])


def _load_book(path: Path) -> Book:
    try:
        return Book.load(path)
    except BookError as error:
        raise SettingsError(f"BALLAST_BOOK: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"BALLAST_BOOK: {path} cannot be read ({error})") from None


def pulse_name(book: Book) -> str:
    """A fund's name as part of a file name."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", book.fund)


def pulse_path(settings: Settings, book: Book) -> Path | None:
    """Where a fund's pulse goes: the file itself for one fund, `pulse-NAME.json` for `pulse.json` with several."""
    path = settings.pulse
    if path is None or len(settings.books) == 1:
        return path
    return path.with_name(f"{path.stem}-{pulse_name(book)}{path.suffix}")


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
