"""`python -m keeper init`: writes a keeper's .env and key file, after checking that node and address book match."""

from __future__ import annotations

import re
import secrets as random
import sys
from dataclasses import dataclass
from pathlib import Path

import click
from pydantic import SecretStr
from web3 import Web3

from ballast.book import Book, BookError
from ballast.files import replace_whole
from ballast.networks.faucets import ether_from
from ballast.values import ether_text
from keeper.errors import SettingsError
from keeper.keys.create import new_account, write_key_file, write_private
from keeper.keys.load import load_signer, password_of
from keeper.look.fund_reader import FundReader, connect_to
from keeper.look.retry import ask
from keeper.settings import PREFIX, Secrets, Settings, load_as

BOOKS = Path("deployments")
KEY_FILE = Path("keeper-key.json")
PAGE_PORT = 8080
_PLAIN = re.compile(r"[A-Za-z0-9:/._?=&%@,+~-]+")
"""A value that needs no quotes in an .env file."""


@dataclass(frozen=True)
class Wanted:
    """The values for the settings file. `password_file`: None if the keeper is to prompt at each start; `port`: of the
    status page, None: no page."""

    url: str
    book: Path
    key: Path
    password_file: Path | None
    port: int | None


@click.command()
@click.option("--rpc", "url", metavar="URL", help="The node; asked for if not given.")
@click.option("--book", type=click.Path(path_type=Path), help="The address book; asked for if not given.")
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    help=f"Encrypted key file, such as one of Ape's; made if there is none. Default: {KEY_FILE}.",
)
@click.option(
    "--password-file",
    type=click.Path(path_type=Path),
    help="File whose first line is the key file's password, made with a random one if there is none. Without it the "
    "password is asked for, now and at each start of the keeper.",
)
@click.option("--port", type=click.IntRange(0, 65_535), default=PAGE_PORT, show_default=True, help="0: no status page.")
@click.option("--force", is_flag=True, help="Write over the file of settings. A key file is never written over.")
@click.pass_obj
def init(
    env_file: Path,
    url: str | None,
    book: Path | None,
    key: Path | None,
    password_file: Path | None,
    port: int,
    force: bool,
) -> None:
    """Write the file of settings, and a key file if there is none; both for your eyes alone.

    Asks for what no option says. Looks first whether the node answers, on the book's chain, and whether the fund stands
    there: if not, nothing is written.
    """
    if env_file.exists() and not force:
        raise SettingsError(f"{env_file}: exists; --force writes over it, --env-file (before init) names another")
    url = url or _asked("rpc", "URL of the node")
    path = book or Path(_asked("book", "Address book", _only_book()))
    wanted = Wanted(url, path, key or KEY_FILE, password_file, port or None)
    settings, secrets = _settings(wanted)
    chain = _fitting(settings, secrets, path)
    made = _key_file(wanted)
    address = made or load_signer(settings, secrets).address
    replace_whole(env_file, text_of(wanted), mode=0o600)
    on = chain.book
    balance = ask(lambda: chain.w3.eth.get_balance(Web3.to_checksum_address(address)), "balance")
    said = f"account {address} holds {ether_text(balance, up=False)}"
    click.echo(f"{env_file}: {on.fund} on chain {on.chain_id}; key file {wanted.key}: {'new' if made else 'as it was'}")
    click.echo(said if balance else f"{said}: it needs ether for gas; {ether_from(on.chain_id)}")
    page = f"; its page: http://127.0.0.1:{wanted.port}" if wanted.port else ""
    click.echo(f"next: python -m keeper check, then python -m keeper run{page}")


def text_of(wanted: Wanted) -> str:
    """The text of the settings file."""
    values = {
        "RPC_URL": wanted.url,
        "BOOK": wanted.book,
        "KEYSTORE": wanted.key,
        "KEYSTORE_PASSWORD_FILE": wanted.password_file,
        "HTTP_PORT": wanted.port,
    }
    lines = [f"{PREFIX}{name}={_quoted(str(value))}" for name, value in values.items() if value is not None]
    return "\n".join(["# Written by `python -m keeper init`; .env.example has all settings.", *lines, ""])


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else f"'{value}'"


def _asked(option: str, question: str, default: str | None = None) -> str:
    """Prompts at the terminal. Raises SettingsError if there is none."""
    if not sys.stdin.isatty():
        raise SettingsError(f"{option}: not given, and there is no terminal to ask; name it with --{option}")
    return str(click.prompt(question, default=default, err=True))


def _only_book() -> str | None:
    """The path of the only fund's book in `BOOKS`; None if there is none or several. Skips a sandbox's own file, which
    is not a fund's book."""
    found = [path for path in sorted(BOOKS.glob("*/*.json")) if _is_book(path)]
    return str(found[0]) if len(found) == 1 else None


def _is_book(path: Path) -> bool:
    try:
        Book.load(path)
    except BookError:
        return False
    return True


def _settings(wanted: Wanted) -> tuple[Settings, Secrets]:
    """The settings and secrets as the keeper will load them. Raises SettingsError."""
    given = {"rpc": wanted.url, "book": wanted.book, "key": wanted.key, "password-file": wanted.password_file}
    for name, value in given.items():
        text = str(value)
        if "'" in text or "\\" in text or not text.isprintable():
            raise SettingsError(f"{name}: holds a quote, a backslash or what cannot be printed; name another")
    secrets = load_as(Secrets, None, rpc_url=SecretStr(wanted.url), private_key=None)
    settings = load_as(
        Settings,
        None,
        book=str(wanted.book),
        keystore=wanted.key,
        keystore_password_file=wanted.password_file,
        kms_key_id=None,
    )
    return settings, secrets


def _fitting(settings: Settings, secrets: Secrets, path: Path) -> FundReader:
    """A reader of the fund, checked to be deployed on the node's chain. Raises SettingsError, ChainError."""
    try:
        book = Book.load(path)
    except BookError as error:
        raise SettingsError(str(error)) from None
    chain = FundReader(connect_to(settings, secrets, book.chain_id), book)
    chain.check(None)
    return chain


def _key_file(wanted: Wanted) -> str | None:
    """Creates the key file and returns its address; None if the file exists already. Raises SettingsError."""
    made_password = wanted.password_file is not None and not wanted.password_file.exists()
    if wanted.key.exists():
        if made_password:
            raise SettingsError(f"{wanted.password_file}: no such file; {wanted.key} exists, so its password is needed")
        return None
    if made_password and wanted.password_file is not None:
        write_private(wanted.password_file, random.token_urlsafe(24) + "\n")
    password = password_of(wanted.password_file, f"Password for {wanted.key}, new", confirm=True)
    account = new_account()
    write_key_file(wanted.key, account, password)
    return account.address
