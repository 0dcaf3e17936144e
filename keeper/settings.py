"""Loads the configuration: environment variables with the prefix BALLAST_, or the same names in a file `.env`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ballast.book import Book, BookError
from ballast.units import DAY_S, HOUR_S
from ballast.values import parse_address
from keeper.errors import SettingsError
from keeper.output import redact

PREFIX = "BALLAST_"
NO_PING = "none"
_KEY = re.compile("[0-9a-fA-F]{64}")

S = TypeVar("S", bound=BaseSettings)


class Settings(BaseSettings):
    """Settings that may be shown. A field's docstring is its description in .env.example and
    docs/operations/settings.md, which `python -m tools.settings` writes; .env.example sets fields with an example."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", env_ignore_empty=True, use_attribute_docstrings=True
    )

    book: Annotated[str, Field(examples=["deployments/local/dpi.json"])]
    """The fund's address book, written by its deployment; several funds in one keeper: their books, separated by
    commas."""
    chain_id: Annotated[int, Field(gt=0)] | None = None
    """Refuse to work on any other chain; the book's chain if not set."""
    keystore: Path | None = None
    """Encrypted key file, in place of a private key, see docs/operations/keys.md."""
    keystore_password_file: Path | None = None
    """File whose first line is the key file's password; asked for on a terminal if not set."""
    kms_key_id: Annotated[str, Field(min_length=1, max_length=2048)] | None = None
    """Key in AWS KMS (id, ARN or `alias/...`), in place of a private key or a key file. Credentials are found as all
    AWS clients find them: a role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."""
    kms_region: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """AWS region of that key."""
    kms_endpoint: str | None = None
    """Where KMS is reached, http or https; where AWS has it in that region if not set."""
    journal: Path = Path("keeper.sqlite")
    """What was signed and sent (SQLite); one for each key. Keep it: a restart finds out from it what became of an open
    transaction."""
    poll_seconds: Annotated[float, Field(ge=0.01, le=600)] = 4.0
    """Seconds between two looks at the chain."""
    max_fee_gwei: Annotated[int, Field(ge=1, le=100_000)] = 300
    """Most to pay for one gas, in gwei, base fee and tip together. Above it the keeper waits."""
    urgent_max_fee_gwei: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """The same at the deadline of what is due; twice BALLAST_MAX_FEE_GWEI if not set."""
    urgent_hours: Annotated[float, Field(ge=0, le=480)] = 72
    """Hours of chain time before the deadline over which the cap rises from BALLAST_MAX_FEE_GWEI to
    BALLAST_URGENT_MAX_FEE_GWEI, slowly at first (quadratically)."""
    confirmations: Annotated[int, Field(ge=0, le=64)] = 3
    """Blocks of Ethereum (on a rollup as many as take as long) after which a receipt counts for good; until then every
    new block is looked at for it. Does not slow the month."""
    plan: Literal["cheapest", "fewest"] = "cheapest"
    """What a plan is to bring: `cheapest`, the least impact and gas together, or `fewest`, few transactions."""
    plan_gas_gwei: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """What a plan holds one gas to be worth, in gwei; what the network asks if not set."""
    fewest_batches: Annotated[int, Field(ge=1, le=480)] = 18
    """With `fewest`: most batches of a month, spread over the hours."""
    fewest_gas: Annotated[int, Field(ge=1_000_000, le=1_000_000_000)] = 10_600_000
    """With `fewest`: about the gas that all batches may take together."""
    max_hours: Annotated[float, Field(ge=0.1, le=480)] = 14
    """Most hours of chain time that a month's trading should take; fractions are allowed."""
    pool_rest_seconds: Annotated[int, Field(ge=0, le=DAY_S)] = 600
    """Seconds between two batches: the time that traders need to bring a pool back to the market's price."""
    slippage_bps: Annotated[int, Field(ge=1, le=500)] = 10
    """How much less than planned a batch may bring, in hundredths of a percent; protects against sandwiches."""
    bump_blocks: Annotated[int, Field(ge=1, le=1_000)] = 5
    """Blocks of Ethereum after which a transaction that is not mined is replaced by one that pays at least 9/8; on a
    rollup so many times 12 seconds."""
    private_blocks: Annotated[int, Field(ge=0, le=10_000)] = 25
    """With a private endpoint: blocks of Ethereum after which a transaction that is not mined goes to BALLAST_RPC_URL
    too; 0: never."""
    refusals: Path | None = None
    """Optional: words in which your nodes refuse transactions, beside the built-in ones (TOML), see
    docs/operations/transactions.md."""
    pulse: Path | None = None
    """File that says after each look what was seen and done (JSON); with several funds one for each, see
    docs/operations/keeping.md."""
    rpc_agree: Annotated[int, Field(ge=1, le=2)] = 1
    """How many endpoints must say the same of the fund's state, the nonce and a simulation before money moves: 1 or
    2."""
    rpc_max_lag: Annotated[int, Field(ge=1, le=1_000)] = 3
    """Blocks of Ethereum that an endpoint's head may stand below another's, or below what it has shown itself."""
    rpc_check_seconds: Annotated[float, Field(ge=0.01, le=600)] = 15.0
    """Seconds between two looks at an endpoint that is not being asked anyway."""
    rpc_timeout_seconds: Annotated[float, Field(ge=0.1, le=300)] = 20.0
    """Seconds that an endpoint may take to begin an answer, and between two pieces of it; the whole may take twice as
    long."""
    max_head_age_s: Annotated[int, Field(ge=1, le=DAY_S)] | None = None
    """Seconds that an endpoint's head may be behind this machine's clock, or before it; 180 suits a public chain. Not
    looked at if not set: a local fork has a time of its own."""
    log: Literal["console", "json"] = "console"
    """How logs are written, to stderr: `console` or `json`."""
    http_port: Annotated[int, Field(ge=0, le=65_535)] | None = None
    """Port on which /health, /metrics and the status page answer; no server if not set, any free port if 0."""
    http_host: str = "127.0.0.1"
    """Address that the server listens on: only this machine reaches the default. Whoever reaches it can read the state
    of fund and keeper, and nothing else."""
    history: Path | None = None
    """Where samples of NAV and weights are kept for the status page; beside the journal if not set."""
    stuck_seconds: Annotated[int, Field(ge=1, le=DAY_S)] = 300
    """A loop without a sign of life for so long hangs: /health fails."""
    silent_seconds: Annotated[int, Field(ge=1, le=DAY_S)] = 300
    """A fund that could not be looked at for so long, mostly because of the node: /health fails, and an alert is
    sent."""
    start_seconds: Annotated[int, Field(ge=0, le=DAY_S)] = 30
    """What has kept the keeper from starting for so long (no node, no ether, a journal in use): /health fails, and an
    alert is sent; of a port in use an alert. A machine that boots has its network some seconds later."""
    overdue_seconds: Annotated[int, Field(ge=1, le=30 * DAY_S)] = HOUR_S
    """What has been possible for so long, in chain time, and is not done is overdue: /health fails, and an alert is
    sent."""
    open_seconds: Annotated[int, Field(ge=1, le=30 * DAY_S)] = 900
    """A transaction that has been open for so long since it was first signed is stuck: an alert is sent."""
    month_gas: Annotated[int, Field(ge=100_000, le=1_000_000_000)] | None = None
    """About the gas of one fund's month: an account that cannot pay for it at the current base fee is low, and an alert
    is sent. Computed from the fund's size and the price of gas if not set."""
    alert_repeat_hours: Annotated[float, Field(ge=0.01, le=1_000)] = 24
    """Hours after which an alert that lasts is sent again."""
    ping_seconds: Annotated[float, Field(ge=0.1, le=HOUR_S)] = 60
    """Seconds between two requests to BALLAST_PING_URL; give its service a period of the same length, and some minutes
    of grace."""
    payee: str | None = None
    """Who is paid where the fund has an upkeep that pays for its steps, in shares of the fund; the keeper's account if
    not set. Its key signs no transfer: name an account of yours that does."""
    standby_rank: Annotated[int, Field(ge=0, le=100)] = 0
    """Place among several keepers of the same funds, each with a key and journal of its own; 0 acts at once."""
    standby_blocks: Annotated[int, Field(ge=1, le=1_000)] = 5
    """Blocks of Ethereum that each keeper waits for those before it; on a rollup so many times 12 seconds."""

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

    @field_validator("payee")
    @classmethod
    def _payee(cls, value: str | None) -> str | None:
        return None if value is None else parse_address(value)

    @field_validator("kms_endpoint")
    @classmethod
    def _endpoint(cls, value: str | None) -> str | None:
        if value is not None and (not value.startswith(("http://", "https://")) or "@" in value):
            raise ValueError("expected http://... or https://... without user and password")
        return value

    @field_validator("urgent_max_fee_gwei")
    @classmethod
    def _urgent(cls, value: int | None, info: ValidationInfo) -> int | None:
        normal = info.data.get("max_fee_gwei")
        if value is not None and normal is not None and value < normal:
            raise ValueError(f"expected at least BALLAST_MAX_FEE_GWEI, {normal}")
        return value

    @property
    def most_batches(self) -> int:
        """Approximate most batches of a month's plan."""
        if self.plan == "fewest":
            return self.fewest_batches
        return max(1, int(self.max_hours * HOUR_S / max(60, self.pool_rest_seconds)))

    @property
    def urgent_max_fee(self) -> int:
        """Cap on the price of gas at an action's deadline, gwei."""
        return 2 * self.max_fee_gwei if self.urgent_max_fee_gwei is None else self.urgent_max_fee_gwei


class Secrets(BaseSettings):
    """Secrets, never shown or logged. Descriptions as in `Settings`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", env_ignore_empty=True, use_attribute_docstrings=True
    )

    rpc_url: Annotated[SecretStr, Field(examples=["http://127.0.0.1:8545"])]
    """The node, http or https; its URL often carries a key, so logs name the host alone. Several, separated by commas,
    stand in for each other: the first one is asked as long as it is in order, see docs/operations/endpoints.md."""
    private_key: Annotated[SecretStr | None, Field(examples=[""])] = None
    """The keeper's own account: its key, 0x and 64 digits, or better an encrypted key file or a key in AWS KMS, one of
    the three, see docs/operations/keys.md. It needs ether for gas and nothing else; nobody else may send from it."""
    private_rpc_url: SecretStr | None = None
    """Optional: a private endpoint for signed transactions (eth_sendRawTransaction), so that nobody sees a batch before
    it is mined, see docs/operations/transactions.md. Everything else still goes to BALLAST_RPC_URL."""
    alert_urls: SecretStr | None = None
    """Optional: where alerts go, as apprise writes it (mailto://, tgram://, slack://, json:// and many more), separated
    by white space; these URLs carry tokens, see docs/operations/watch.md."""

    ping_url: SecretStr | None = None
    """Optional: the dead-man's switch, a URL that is asked while all is well, of a service that tells you when that
    ends (Healthchecks, Better Stack, Cronitor, Uptime Kuma and others), see docs/operations/watch.md."""
    ping_fail_url: SecretStr | None = None
    """Optional: what is asked at once when something is wrong; if not set, BALLAST_PING_URL as its service wants it,
    with /fail after its path, or with state=fail or status=down. `none`: nothing, and nothing at the start either."""

    @field_validator("rpc_url")
    @classmethod
    def _https(cls, value: SecretStr) -> SecretStr:
        if not all(_is_url(url.strip()) for url in value.get_secret_value().split(",")):
            raise ValueError("expected the URL of a node, http://... or https://..., or several with commas in between")
        return value

    @field_validator("ping_url", "ping_fail_url")
    @classmethod
    def _ping(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None or (info.field_name == "ping_fail_url" and value.get_secret_value() == NO_PING):
            return value
        if not _is_url(value.get_secret_value()):
            raise ValueError("expected a URL, http://... or https://...")
        return value

    @field_validator("private_rpc_url")
    @classmethod
    def _http(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _is_url(value.get_secret_value()):
            raise ValueError("expected the URL of a node, http://... or https://...")
        return value


class AlertUrls(BaseSettings):
    """Only the URLs for alerts: to send one even if the other settings are unusable."""

    model_config = Secrets.model_config

    alert_urls: SecretStr


def load_alert_urls(env_file: Path | None) -> SecretStr:
    """The URLs for alerts, independent of other settings. Raises SettingsError."""
    return load_as(AlertUrls, env_file).alert_urls


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def load_settings(env_file: Path | None = Path(".env")) -> tuple[Settings, Secrets]:
    """Settings and secrets from environment and file; the environment takes precedence. Raises SettingsError for the
    first wrong field."""
    return load_as(Settings, env_file), load_as(Secrets, env_file)


def _secrets_in(value: object) -> list[str]:
    """The secrets in a field's value: one, several or none."""
    if isinstance(value, SecretStr):
        return [value.get_secret_value()]
    return [text for part in value for text in _secrets_in(part)] if isinstance(value, list | tuple) else []


def load_as(kind: type[S], env_file: Path | None, **given: Any) -> S:
    """Settings of one kind from environment and file; `given` takes precedence. Registers their secrets for redaction.
    Raises SettingsError for the first wrong field."""
    try:
        found = kind(_env_file=env_file, **given)
    except ValidationError as error:
        secret = any("SecretStr" in str(field.annotation) for field in kind.model_fields.values())
        raise SettingsError(_one_line(error, secret=secret)) from None
    for name in kind.model_fields:
        redact.learn(*_secrets_in(getattr(found, name)))
    return found


def _one_line(error: ValidationError, *, secret: bool) -> str:
    first = error.errors()[0]
    name = PREFIX + str(first["loc"][0]).upper() if first["loc"] else PREFIX + "*"
    if first["type"] == "missing":
        return f"{name}: not set; set it in the environment or in .env (see .env.example)"
    text = str(first["input"])
    # A key or a URL in the wrong variable is still a secret.
    given = "the value" if secret or "://" in text or _KEY.search(text) else repr(text)
    expected = first["msg"].removeprefix("Value error, ")
    return f"{name}: {given} is not usable: {expected[:1].lower()}{expected[1:]}"


def load_books(settings: Settings) -> tuple[Book, ...]:
    """The address books of all funds, checked to be of one chain and with different names. Raises SettingsError."""
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
    """The address book, if the settings name exactly one. Raises SettingsError."""
    if len(settings.books) != 1:
        raise SettingsError(f"BALLAST_BOOK: names {len(settings.books)} books; name one here")
    return _load_book(settings.books[0])


def _load_book(path: Path) -> Book:
    try:
        return Book.load(path)
    except BookError as error:
        raise SettingsError(f"BALLAST_BOOK: {error}") from None


def pulse_name(book: Book) -> str:
    """A fund's name as part of a file name."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", book.fund)


def pulse_path(settings: Settings, book: Book) -> Path | None:
    """The path of a fund's pulse: the setting for one fund; with several, `pulse-NAME.json` for `pulse.json`."""
    path = settings.pulse
    if path is None or len(settings.books) == 1:
        return path
    return path.with_name(f"{path.stem}-{pulse_name(book)}{path.suffix}")
