"""Creates an encrypted key file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
from eth_account import Account
from eth_account.signers.local import LocalAccount

from keeper.errors import SettingsError
from keeper.keys.load import account_of, password_of
from keeper.output import redact


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--password-file",
    type=click.Path(path_type=Path),
    help="File whose first line is the password; asked for if not given.",
)
@click.option("--from-key", is_flag=True, help="Ask for a private key to encrypt, in place of making a new one.")
def keystore(file: Path, password_file: Path | None, from_key: bool) -> None:
    """Make an encrypted key file for BALLAST_KEYSTORE and print its address.

    An existing FILE is never written over.
    """
    if file.exists():
        raise SettingsError(f"{file}: exists; name a new file")
    if not file.parent.is_dir():
        raise SettingsError(f"{file}: cannot be written (no such folder)")
    password = password_of(password_file, f"Password for {file}", confirm=True)
    if from_key:
        account = account_of(str(click.prompt("Private key", hide_input=True, err=True)), "private key")
    else:
        account = new_account()
    write_key_file(file, account, password)
    click.echo(account.address)


def new_account() -> LocalAccount:
    """An account with a new random key."""
    account: LocalAccount = Account.create()
    return account


def write_key_file(file: Path, account: LocalAccount, password: str) -> None:
    """Encrypts the account's key into a new file. Raises SettingsError."""
    redact.learn(password)
    write_private(file, json.dumps(Account.encrypt(account.key, password)) + "\n")


def write_private(file: Path, text: str) -> None:
    """Writes a new file that only its owner can read, and syncs it to disk. Raises SettingsError, also if the file
    exists, which then stays unchanged."""
    try:
        # With O_CREAT and mode 0600 others can never read it, not even while it is written.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise SettingsError(f"{file}: cannot be written ({error.strerror})") from None
