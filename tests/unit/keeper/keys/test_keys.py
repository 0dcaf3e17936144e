"""Where the key comes from, and what it may sign."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_utils import to_checksum_address
from pydantic import SecretStr

from ballast.book import Book
from ballast.build import ROOT
from keeper.__main__ import main
from keeper.errors import KeyServiceError, NotAllowedError, SettingsError
from keeper.keys.limited import STEPS, Limited, steps_of
from keeper.keys.load import advice, load_signer
from keeper.keys.signer import LocalSigner, Signer
from keeper.look import contracts
from keeper.settings import Secrets, Settings
from lab.localnet.anvil import stop
from tests.keeper.kms import AWS, FakeKms, fake_kms
from tests.unit.keeper.keys.test_kms import TRANSACTION

KEY = "0x" + "ab" * 32
ADDRESS = Account.from_key(KEY).address
RECIPIENT = TRANSACTION["to"]
OTHER = "0x00000000000000000000000000000000DeaDBeef"


def given(**fields: Any) -> tuple[Settings, Secrets]:
    """Settings that name a key in these ways."""
    public = {name: value for name, value in fields.items() if name in Settings.model_fields}
    secret = {name: value for name, value in fields.items() if name in Secrets.model_fields}
    assert public.keys() | secret.keys() == fields.keys()
    return Settings(book="book.json", **public), Secrets(rpc_url=SecretStr("http://127.0.0.1:1"), **secret)


def refused(**fields: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        load_signer(*given(**fields))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def keystore(tmp_path: Path) -> dict[str, Path]:
    """A key file and the file with its password."""
    keyfile, password = tmp_path / "key.json", tmp_path / "password"
    keyfile.write_text(json.dumps(Account.encrypt(bytes.fromhex(KEY[2:]), "right-password", iterations=2)))
    password.write_text("right-password\nnot this line\n")
    for path in (keyfile, password):
        path.chmod(0o600)
    return {"keystore": keyfile, "keystore_password_file": password}


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKms]:
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    with fake_kms(KEY) as found:
        yield found


def in_kms(kms: FakeKms) -> dict[str, Any]:
    fields = {name.removeprefix("BALLAST_").lower(): value for name, value in kms.environment.items()}
    return {name: value for name, value in fields.items() if name in Settings.model_fields}


def test_all_three_are_the_same_account(keystore: Mapping[str, Path], kms: FakeKms) -> None:
    signers = [load_signer(*given(**way)) for way in ({"private_key": KEY}, keystore, in_kms(kms))]
    assert [signer.address for signer in signers] == [ADDRESS] * 3
    assert len({signer.sign(TRANSACTION) for signer in signers}) == 1


def test_none_or_two(keystore: Mapping[str, Path], kms: FakeKms) -> None:
    none = refused()
    assert none.startswith("BALLAST_PRIVATE_KEY: not set") and "BALLAST_KEYSTORE" in none and "BALLAST_KMS" in none
    ways = {
        "BALLAST_PRIVATE_KEY": {"private_key": KEY},
        "BALLAST_KEYSTORE": keystore,
        "BALLAST_KMS_KEY_ID": in_kms(kms),
    }
    for (first, one), (second, other) in combinations(ways.items(), 2):
        line = refused(**one, **other)
        assert first in line and second in line and line.endswith("are set; set one of them")
    assert kms.calls == []


def test_wrong_private_keys() -> None:
    for bad in ("0x" + "cd" * 31, "a-word-of-mine", "0x" + "0" * 64, "0x" + "f" * 64):
        line = refused(private_key=bad)
        assert line.startswith("BALLAST_PRIVATE_KEY: not a private key, expected 0x and 64")
        assert bad not in line


def test_wrong_keystores(tmp_path: Path, keystore: dict[str, Path]) -> None:
    assert refused(keystore=tmp_path / "none").startswith(f"BALLAST_KEYSTORE: {tmp_path}/none cannot be read (No such")
    keystore["keystore_password_file"].write_text("wrong-password\n")
    line = refused(**keystore)
    assert line.endswith("key.json: wrong password") and "wrong-password" not in line
    keystore["keystore_password_file"].write_text("\n")
    assert "password is empty" in refused(**keystore)
    keystore["keystore_password_file"].write_bytes(b"\xff\xfe")
    assert refused(**keystore) == "BALLAST_KEYSTORE_PASSWORD_FILE: cannot be read (not text)"
    keystore["keystore_password_file"].write_text("right-password")
    for content in ("{}", "[]", "no JSON", '{"version": 3, "crypto": {}}'):
        keystore["keystore"].write_text(content)
        assert refused(**keystore).endswith("key.json: not a key file")


def test_a_secret_in_place_of_a_files_name_is_not_shown(keystore: Mapping[str, Path]) -> None:
    for key in (KEY, KEY[2:]):
        assert "abab" not in refused(keystore=Path(key))
    line = refused(**{**keystore, "keystore_password_file": Path("right-password")})
    assert line == "BALLAST_KEYSTORE_PASSWORD_FILE: cannot be read (No such file or directory)"


def test_kms_needs_its_region(kms: FakeKms) -> None:
    fields = in_kms(kms)
    del fields["kms_region"]
    assert refused(**fields).startswith("BALLAST_KMS_REGION: not set")
    kms.fault = "AccessDeniedException"
    with pytest.raises(KeyServiceError, match="allow kms:Sign and kms:GetPublicKey"):
        load_signer(*given(**in_kms(kms)))


def test_advice(keystore: Mapping[str, Path], kms: FakeKms) -> None:
    in_the_clear = advice(*given(private_key=KEY))
    assert in_the_clear is not None and "BALLAST_KEYSTORE" in in_the_clear and "BALLAST_KMS_KEY_ID" in in_the_clear
    assert advice(*given(**keystore)) is None
    assert advice(*given(**in_kms(kms))) is None
    keystore["keystore_password_file"].chmod(0o640)
    line = advice(*given(**keystore))
    assert line is not None and line.startswith("BALLAST_KEYSTORE_PASSWORD_FILE: ") and "chmod 600" in line


LOAD = """
import sys
from pathlib import Path
from keeper.keys.load import load_signer
from keeper.settings import Secrets, Settings
settings = Settings(book="book.json", keystore=Path(sys.argv[1]))
print("address", load_signer(settings, Secrets(rpc_url="http://127.0.0.1:1")).address)
"""


def python(*arguments: str) -> dict[str, Any]:
    """What a process of Python is started with. It has a session of its own: what runs the tests may have a terminal
    too, which is not to be asked."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return {"args": [sys.executable, *arguments], "env": environment, "start_new_session": True}


def typed(*lines: tuple[str, str], **process: Any) -> tuple[int, str, str]:
    """Runs a process at a terminal, and types each line once it is asked for it: exit code, output, all the terminal
    showed."""
    terminal, end = pty.openpty()
    shown = ""
    running = subprocess.Popen(**process, stdin=end, stdout=subprocess.PIPE, stderr=end)
    os.close(end)
    try:
        for prompt, line in lines:
            asked = len(shown)
            # With the space: what is typed before it is thrown away.
            while prompt not in shown[asked:] or not shown.endswith(": "):
                assert select.select([terminal], [], [], 30)[0], shown
                shown += os.read(terminal, 1_000).decode()
            os.write(terminal, f"{line}\n".encode())
        out, _ = running.communicate(timeout=30)
        with contextlib.suppress(OSError):
            while more := os.read(terminal, 1_000):
                shown += more.decode()
    finally:
        os.close(terminal)
        stop(running)
    return running.returncode, out.decode(), shown


def test_the_password_is_asked_for_on_a_terminal(keystore: Mapping[str, Path]) -> None:
    """And is not shown while it is typed."""
    process = python("-c", LOAD, str(keystore["keystore"]))
    code, out, shown = typed(("Password of", "right-password"), **process)
    assert (code, out) == (0, f"address {ADDRESS}\n")
    assert "right-password" not in shown
    code, out, shown = typed(("Password of", "wrong-password"), **process)
    assert (code, out) == (1, "") and "key.json: wrong password" in shown and "wrong-password" not in shown


def test_without_a_terminal_nobody_is_asked(keystore: Mapping[str, Path]) -> None:
    process = python("-c", LOAD, str(keystore["keystore"]))
    done = subprocess.run(**process, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "BALLAST_KEYSTORE_PASSWORD_FILE: not set, and there is no terminal to ask" in done.stderr


def test_a_key_file_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a guess costs is not looked at here, but in the next test.
    monkeypatch.setattr(Account, "encrypt", partial(Account.encrypt, iterations=2))
    path, password = tmp_path / "new.json", tmp_path / "new-password"
    password.write_text("a-password-of-mine\n")
    command = ("keystore", str(path), "--password-file", str(password))
    assert main(command) == 0
    address = capsys.readouterr().out.strip()
    assert path.stat().st_mode & 0o777 == 0o600
    settings, secrets = given(keystore=path, keystore_password_file=password)
    assert load_signer(settings, secrets).address == address
    # Never over an old one.
    before = path.read_bytes()
    assert main(command) == 2
    assert "new.json: exists; name a new file" in capsys.readouterr().err and path.read_bytes() == before
    assert main(("keystore", str(tmp_path / "no/folder.json"), "--password-file", str(password))) == 2
    assert "folder.json: cannot be written (no such folder)" in capsys.readouterr().err


def test_a_key_is_put_into_a_file(tmp_path: Path) -> None:
    path, password = tmp_path / "new.json", "a-password-of-mine"
    process = python("-m", "keeper", "keystore", str(path), "--from-key")
    asked = ("Password for", password), ("Repeat for confirmation", password), ("Private key", KEY)
    code, out, shown = typed(*asked, **process)
    assert (code, out) == (0, f"{ADDRESS}\n"), shown
    assert password not in shown and "abab" not in shown
    content = json.loads(path.read_text())
    assert bytes(Account.decrypt(content, password)) == bytes.fromhex(KEY[2:])
    assert content["crypto"]["kdf"] == "scrypt" and content["crypto"]["kdfparams"]["n"] == 2**18
    asked = ("Password for", password), ("Repeat for confirmation", password), ("Private key", KEY[:-2])
    code, out, shown = typed(*asked, **python("-m", "keeper", "keystore", str(tmp_path / "b.json"), "--from-key"))
    assert code == 2 and "not a private key" in shown and "abab" not in shown
    assert not (tmp_path / "b.json").exists()


def test_who_does_not_use_kms_does_not_wait_for_its_client() -> None:
    code = "import sys, keeper.keys.load, keeper.__main__; print('boto3' in sys.modules or 'botocore' in sys.modules)"
    done = subprocess.run(**python("-c", code), capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"


@pytest.fixture
def limited() -> Signer:
    return Limited(LocalSigner(Account.from_key(KEY)), 1, {RECIPIENT.lower(): None})


def test_what_the_keeper_does_is_signed_unchanged(limited: Signer) -> None:
    local = LocalSigner(Account.from_key(KEY))
    assert limited.address == ADDRESS
    assert limited.sign(TRANSACTION) == local.sign(TRANSACTION)
    for nothing in ("0x", "", b""):
        noop = TRANSACTION | {"to": ADDRESS, "data": nothing}
        assert limited.sign(noop) == local.sign(noop)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"to": OTHER}, f"to is {OTHER}, allowed: {RECIPIENT}"),
        ({"to": None}, "to is None, expected the address"),
        ({"to": ""}, "to is '', expected the address"),
        ({"to": bytes(20)}, "to is b'"),
        ({"value": 1}, "value is 1, expected 0"),
        ({"value": "0x0"}, "value is '0x0', expected 0"),
        ({"value": 0.0}, "value is 0.0, expected 0"),
        ({"chainId": 5}, "chainId is 5, expected 1"),
        ({"type": 4}, "type is 4, expected 2"),
        ({"gas": 2**24 + 1}, "gas is 16777217, expected at most 16777216"),
        ({"gas": "0x5208"}, "gas is '0x5208', expected at most 16777216"),
        ({"authorizationList": []}, "field 'authorizationList' of the transaction is not known"),
        ({"input": "0x12"}, "field 'input' of the transaction is not known"),
        ({"to": ADDRESS}, "data in a transaction to the account itself"),
        ({"to": ADDRESS, "data": "0x", "value": 1}, "value is 1, expected 0"),
    ],
)
def test_what_else_is_refused(limited: Signer, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(NotAllowedError) as caught:
        limited.sign(TRANSACTION | changes)
    assert str(caught.value).startswith(f"signing refused: {expected}")


@pytest.mark.parametrize("missing", ["to", "value", "chainId", "type", "gas"])
def test_what_is_not_said_is_refused(limited: Signer, missing: str) -> None:
    with pytest.raises(NotAllowedError, match=f"signing refused: {missing} is None"):
        limited.sign({name: value for name, value in TRANSACTION.items() if name != missing})


def test_recipients_must_be_addresses() -> None:
    with pytest.raises(ValueError, match="0x12"):
        Limited(LocalSigner(Account.from_key(KEY)), 1, {"0x12": None})


def test_only_steps_of_the_books_contracts_are_signed() -> None:
    """Of rebalancer and upkeep the month's steps, of nothing else anything: no veto, no withdrawal, no transfer."""
    names = ("index_token", "rebalancer", "upkeep", "filler")
    at = {name: str(to_checksum_address(f"0x{number:040x}")) for number, name in enumerate(names, 1)}
    book = Book("Fund", 1, 7, at, RECIPIENT, ())
    signer = Limited(LocalSigner(Account.from_key(KEY)), 1, steps_of([book]))
    signed = []
    for name, contract in (("rebalancer", "Rebalancer"), ("upkeep", "Upkeep"), ("index_token", "IndexToken")):
        for signature, selector in contracts.selectors(contract).items():
            call = TRANSACTION | {"to": at[name], "data": "0x" + selector.hex() + "00" * 64}
            try:
                signer.sign(call)
            except NotAllowedError as error:
                assert str(error).startswith("signing refused: ")
            else:
                signed.append((name, signature.split("(")[0]))
    assert sorted(signed) == sorted((name, function) for name, functions in STEPS.items() for function in functions)
    for data in ("0x", "", b"", None, "0x4fdb7d"):
        with pytest.raises(NotAllowedError, match="signing refused: calls"):
            signer.sign(TRANSACTION | {"to": at["upkeep"], "data": data})
