"""Loads the keeper's key from the source that the settings name."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import click
from eth_account import Account
from eth_account.signers.local import LocalAccount

from keeper.errors import SettingsError
from keeper.keys.kms import KmsSigner, kms_client
from keeper.keys.signer import LocalSigner, Signer
from keeper.output import redact
from keeper.settings import Secrets, Settings

_KEY = re.compile("(?:0x)?[0-9a-fA-F]{64}")
_OTHERS_MAY_READ = 0o044


def load_signer(settings: Settings, secrets: Secrets) -> Signer:
    """The signer of the keeper's account. Raises SettingsError, KeyServiceError, without secrets in the message."""
    sources = {
        "BALLAST_PRIVATE_KEY": secrets.private_key,
        "BALLAST_KEYSTORE": settings.keystore,
        "BALLAST_KMS_KEY_ID": settings.kms_key_id,
    }
    named = [name for name, value in sources.items() if value is not None]
    if len(named) > 1:
        raise SettingsError(f"{' and '.join(named)} are set; set one of them")
    if settings.kms_key_id is not None:
        if settings.kms_region is None:
            raise SettingsError("BALLAST_KMS_REGION: not set; name the AWS region of BALLAST_KMS_KEY_ID")
        return KmsSigner(kms_client(settings.kms_region, settings.kms_endpoint), settings.kms_key_id)
    if secrets.private_key is not None:
        return LocalSigner(account_of(secrets.private_key.get_secret_value(), "BALLAST_PRIVATE_KEY"))
    if settings.keystore is not None:
        return LocalSigner(_from_keystore(settings.keystore, settings.keystore_password_file))
    raise SettingsError(
        "BALLAST_PRIVATE_KEY: not set; set it, or better BALLAST_KEYSTORE (an encrypted key file) or "
        "BALLAST_KMS_KEY_ID (a key in AWS KMS)"
    )


def advice(settings: Settings, secrets: Secrets) -> str | None:
    """How to store the key more safely, None if there is no advice."""
    if secrets.private_key is not None:
        return (
            "the key stands in the environment or in .env, in the clear: whoever can read this process's environment "
            "or that file has it; an encrypted key file (BALLAST_KEYSTORE) or AWS KMS (BALLAST_KMS_KEY_ID) is better"
        )
    files = {"BALLAST_KEYSTORE": settings.keystore, "BALLAST_KEYSTORE_PASSWORD_FILE": settings.keystore_password_file}
    for name, path in files.items():
        if settings.keystore is not None and path is not None and _open_to_others(path):
            return f"{name}: {path} can be read by other users; chmod 600 it"
    return None


def _open_to_others(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & _OTHERS_MAY_READ)
    except OSError:
        return False  # the file was removed after the keeper read it


def _from_keystore(path: Path, password_file: Path | None) -> LocalAccount:
    if _KEY.fullmatch(str(path)):
        raise SettingsError("BALLAST_KEYSTORE: is a private key, expected the name of an encrypted key file")
    content = _read(path, "BALLAST_KEYSTORE")
    password = password_of(password_file, f"Password of {path}")
    redact.learn(password)
    try:
        keyfile: dict[str, Any] = json.loads(content)
        key = Account.decrypt(keyfile, password)
    except (ValueError, KeyError, TypeError) as error:
        reason = "wrong password" if "MAC" in str(error) else "not a key file"
        raise SettingsError(f"BALLAST_KEYSTORE: {path}: {reason}") from None
    redact.learn(key.to_0x_hex())
    return account_of(key.to_0x_hex(), "BALLAST_KEYSTORE")


def password_of(file: Path | None, prompt: str, *, confirm: bool = False) -> str:
    """The first line of the file, or without a file the password typed at the terminal, twice with `confirm`. Raises
    SettingsError."""
    if file is None:
        if not sys.stdin.isatty():
            raise SettingsError(
                "BALLAST_KEYSTORE_PASSWORD_FILE: not set, and there is no terminal to ask; name the file with the "
                "key file's password"
            )
        return str(click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True))
    try:
        lines = file.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        # Without the file's name: by mistake it may be the password itself.
        raise SettingsError(f"BALLAST_KEYSTORE_PASSWORD_FILE: cannot be read ({_reason(error)})") from None
    if not lines or not lines[0]:
        raise SettingsError(f"BALLAST_KEYSTORE_PASSWORD_FILE: {file} is empty; its first line is the password")
    return lines[0]


def account_of(key: str, name: str) -> LocalAccount:
    """The account of a private key. Raises SettingsError, whose message has `name` and never the key."""
    try:
        account: LocalAccount = Account.from_key(key)
    except Exception:  # the libraries raise many kinds, some with the key in the text
        raise SettingsError(f"{name}: not a private key, expected 0x and 64 hexadecimal digits") from None
    return account


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}: {path} cannot be read ({_reason(error)})") from None


def _reason(error: Exception) -> str:
    return (error.strerror or "not readable") if isinstance(error, OSError) else "not text"
