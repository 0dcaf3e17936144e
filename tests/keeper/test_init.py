"""`keeper init` on a deployed fund: what it writes, for whose eyes, and what it leaves alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from eth_account import Account

from ballast.build import ROOT
from keeper.init import _only_book
from tests.helpers.waiting import PATIENCE_S, dead_port
from tests.keeper.deployed_fund import Field
from tests.scripts.terminal import terminal

Ran = subprocess.CompletedProcess[str]
Init = Callable[..., Ran]


def environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BALLAST_")}
    return {**inherited, "PYTHONPATH": str(ROOT)}


def keeper(folder: Path, *arguments: str) -> Ran:
    return subprocess.run(
        [sys.executable, "-m", "keeper", *arguments],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.fixture
def init(field: Field, tmp_path: Path) -> Init:
    """Runs it for the fund in an empty folder, with all that it would ask for."""

    def run(*more: str, rpc: str = field.url, book: str = str(field.book_path)) -> Ran:
        given = ["init", "--rpc", rpc, "--book", book, "--password-file", "password"]
        return keeper(tmp_path, *given, *more)

    return run


def test_a_keeper_from_nothing(field: Field, init: Init, tmp_path: Path) -> None:
    done = init("--port", "0")
    assert done.returncode == 0, done.stderr
    for name in (".env", "keeper-key.json", "password"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    password = (tmp_path / "password").read_text().strip()
    address = Account.from_key(
        Account.decrypt(json.loads((tmp_path / "keeper-key.json").read_text()), password)
    ).address
    assert f"account {address} holds 0 ETH: it needs ether for gas" in done.stdout
    assert len(password) >= 24 and password not in done.stdout + done.stderr + (tmp_path / ".env").read_text()
    field.rpc.request("anvil_setBalance", address, hex(10**20))
    checked = keeper(tmp_path, "check")
    assert checked.returncode == 0, checked.stdout
    assert address in checked.stdout and field.book.fund in checked.stdout


def test_nothing_is_written_over(field: Field, init: Init, tmp_path: Path) -> None:
    assert init().returncode == 0
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    again = init()
    assert again.returncode == 2
    assert (
        again.stderr.strip() == "keeper: .env: exists; --force writes over it, --env-file (before init) names another"
    )
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    forced = init("--force", "--port", "9999")
    assert forced.returncode == 0 and "keeper-key.json: as it was" in forced.stdout
    assert "BALLAST_HTTP_PORT=9999" in (tmp_path / ".env").read_text()
    assert (tmp_path / "keeper-key.json").read_bytes() == before[tmp_path / "keeper-key.json"]
    (tmp_path / "password").write_text("another\n")
    wrong = init("--force")
    assert wrong.returncode == 2 and "wrong password" in wrong.stderr


def test_what_does_not_fit_leaves_nothing_behind(field: Field, init: Init, tmp_path: Path) -> None:
    folder = tmp_path / "books"
    folder.mkdir()
    raw = json.loads(field.book_path.read_text())
    other, gone = folder / "other.json", folder / "gone.json"
    other.write_text(json.dumps({**raw, "chain_id": 5}))
    gone.write_text(json.dumps({**raw, "contracts": {**raw["contracts"], "lens": "0x" + "11" * 20}}))
    for ran, word in (
        (init(rpc=f"http://127.0.0.1:{dead_port()}"), "BALLAST_RPC_URL"),
        (init(rpc="not-a-url"), "BALLAST_RPC_URL"),
        (init(book="none.json"), "no such file"),
        (init(book=str(other)), "chain"),
        (init(book=str(gone)), "lens is"),
        (keeper(tmp_path, "init", "--rpc", field.url), "book: not given, and there is no terminal to ask"),
    ):
        assert ran.returncode != 0
        lines = [line for line in ran.stderr.splitlines() if line.startswith("keeper: ")]
        assert len(lines) == 1 and word in lines[0], ran.stderr
        assert "Traceback" not in ran.stderr
    assert list(tmp_path.iterdir()) == [folder]


def test_a_person_is_asked_little(field: Field, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "keeper", "--env-file", str(tmp_path / "env"), "init"]
    command += ["--key", str(tmp_path / "key.json")]
    with terminal(command, environment()) as shell:
        shell.answer("URL of the node", field.url)
        shell.answer("Address book", str(field.book_path))
        shell.answer_hidden("Password for", "not a secret")
        shell.answer_hidden("Repeat for confirmation", "not a secret")
        assert shell.end() == 0, shell.shown
    assert "BALLAST_KEYSTORE_PASSWORD_FILE" not in (tmp_path / "env").read_text()
    assert "not a secret" not in shell.shown


def test_the_one_book_is_proposed_whatever_else_lies_beside_it(
    field: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keeper.init.BOOKS", tmp_path)
    assert _only_book() is None
    folder = tmp_path / "sepolia"
    folder.mkdir()
    (folder / "sandbox-sandbox.json").write_text('{"market": 1}')
    field.book.save(folder / "sandbox.json")
    assert _only_book() == str(folder / "sandbox.json")
    field.book.save(folder / "other.json")
    assert _only_book() is None
