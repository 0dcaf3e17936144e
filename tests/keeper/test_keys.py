"""A key in AWS KMS carries the fund; and whatever goes wrong, no secret is in output, log, journal or pulse."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from eth_account import Account

from keeper.state import Phase
from lab.testbed.loopback import serving
from tests.helpers.waiting import PATIENCE_S, dead_port, wait_for
from tests.keeper.deployed_fund import Field, journal_rows
from tests.keeper.kms import AWS, SECRET_KEY, TOKEN, FakeKms, fake_kms

KEY = "0x" + "5ec7e7" * 10 + "0123"
PASSWORD = "password-that-nobody-may-see"
USER, PASS, PATH, QUERY = "node-user", "node-pass-word", "v2/path-that-nobody-may-see", "query-that-nobody-may-see"
NEEDLES = (
    KEY[2:],
    str(int(KEY, 16)),
    PASSWORD,
    PASS,
    PATH.split("/")[1],
    QUERY,
    base64.b64encode(f"{USER}:{PASS}".encode()).decode(),
    SECRET_KEY,
    TOKEN,
)


def url_at(port: int) -> str:
    """A node's URL with everything in it that a URL may hide."""
    return f"http://{USER}:{PASS}@127.0.0.1:{port}/{PATH}?key={QUERY}"


def found_in(folder: Path, *processes: subprocess.CompletedProcess[str]) -> list[tuple[str, str]]:
    """Secrets in what processes said and in all files of their folder: where and which."""
    texts = {f"process {n}": (done.stdout + done.stderr).encode() for n, done in enumerate(processes)}
    texts |= {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return [(name, needle) for name, text in texts.items() for needle in NEEDLES if needle.encode() in text]


HEAD = ("eth_chainId", "eth_getBlockByNumber")


@dataclass
class Telling:
    """A node in front of the node that, once `tells` is set, answers with an error that says all that it was sent. Its
    head it gives as before: who has none is put aside, and not listened to."""

    url: str = ""
    tells: threading.Event = field(default_factory=threading.Event)
    status: int = 200
    told: list[str] = field(default_factory=list)


@contextlib.contextmanager
def telling(node: str) -> Iterator[Telling]:
    """Runs one until the block ends."""
    found = Telling()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = 200
            asked = json.loads(body)
            several = asked if isinstance(asked, list) else [asked]
            if found.tells.is_set() and any(one["method"] not in HEAD for one in several):
                text = f"cannot serve this at {found.url} ({self.path}) by {self.headers['Authorization']}, {body!r}"
                found.told.append(text)
                error = {"code": -32000, "message": text, "data": {"url": found.url}}
                answers = [{"jsonrpc": "2.0", "id": one["id"], "error": error} for one in several]
                answer = json.dumps(answers if isinstance(asked, list) else answers[0]).encode()
                status = found.status
            else:
                answer = requests.post(
                    node, body, headers={"Content-Type": "application/json"}, timeout=PATIENCE_S
                ).content
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with serving(Handler) as url:
        found.url = url_at(urlsplit(url).port or 0)
        yield found


@pytest.fixture
def kms(field: Field) -> Iterator[FakeKms]:
    """With a key whose account has ether."""
    with fake_kms(KEY) as found:
        field.rpc.request("anvil_setBalance", found.address, hex(10**20))
        yield found


def test_a_key_in_kms_carries_the_fund(field: Field, kms: FakeKms, tmp_path: Path) -> None:
    def once() -> subprocess.CompletedProcess[str]:
        return field.command(tmp_path, "once", BALLAST_PRIVATE_KEY=None, **kms.environment)

    field.to_determination()
    # What KMS does not sign is not sent, nor is its nonce taken.
    kms.fault, kms.of = "AccessDeniedException", ("Sign",)
    refused = once()
    assert refused.returncode == 1
    assert "KMS refused sign (AccessDeniedException): allow kms:Sign and kms:GetPublicKey" in refused.stderr
    assert journal_rows(tmp_path) == [] and kms.calls[-1] == "Sign"
    kms.fault = "other key"
    wrong = once()
    assert wrong.returncode == 1 and "KMS signed with another key than that of" in wrong.stderr
    assert journal_rows(tmp_path) == []
    kms.fault, kms.high[:] = None, []
    done = [once()]
    assert done[-1].stdout.startswith("determine: 0x"), done[-1].stderr
    assert field.state().phase is Phase.DETERMINED
    field.to_execution()
    done.append(once())
    assert done[-1].stdout.startswith("start: 0x"), done[-1].stderr
    assert field.state().phase is Phase.TRADING
    # One of each kind of signature; a node takes only one of the two.
    assert kms.high == [True, False]
    for process in done:
        digest = process.stdout.split()[1]
        sent = field.w3.eth.get_transaction(digest)  # type: ignore[arg-type]
        assert sent["from"] == kms.address == Account.from_key(KEY).address
        assert "in the clear" not in process.stderr
    assert [row["nonce"] for row in journal_rows(tmp_path)] == [0, 1]
    assert found_in(tmp_path, refused, wrong, *done) == []


def test_what_fails_at_once_tells_no_secret(field: Field, kms: FakeKms, tmp_path: Path) -> None:
    def refused(command: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
        done = field.command(tmp_path, command, **changes)
        assert done.returncode in (1, 2) and done.stdout == ""
        return done

    keyfile, password = (tmp_path.parent / f"{tmp_path.name}-{n}" for n in ("key.json", "password"))
    keyfile.write_text(json.dumps(Account.encrypt(bytes.fromhex(KEY[2:]), "another", iterations=2)))
    password.write_text(PASSWORD)
    files: dict[str, str | None] = {"BALLAST_PRIVATE_KEY": None, "BALLAST_KEYSTORE": str(keyfile)}
    in_kms: dict[str, str | None] = {"BALLAST_PRIVATE_KEY": None, **kms.environment}

    done = [refused("run", BALLAST_PRIVATE_KEY=KEY + "7")]
    assert "BALLAST_PRIVATE_KEY: not a private key" in done[-1].stderr
    done.append(refused("once", **files, BALLAST_KEYSTORE_PASSWORD_FILE=str(password)))
    assert "key.json: wrong password" in done[-1].stderr
    done.append(refused("once", **files, BALLAST_KEYSTORE_PASSWORD_FILE=PASSWORD))
    assert "BALLAST_KEYSTORE_PASSWORD_FILE: cannot be read" in done[-1].stderr
    done.append(refused("run", BALLAST_PRIVATE_KEY=None, BALLAST_KEYSTORE=KEY))
    assert "BALLAST_KEYSTORE: is a private key" in done[-1].stderr
    with dead_port() as port:
        done.append(refused("once", BALLAST_PRIVATE_KEY=KEY, BALLAST_RPC_URL=url_at(port)))
    assert "BALLAST_RPC_URL: the node does not answer" in done[-1].stderr
    kms.fault = "AccessDeniedException"
    done.append(refused("once", **in_kms))
    assert "KMS refused get_public_key (AccessDeniedException): " in done[-1].stderr
    assert found_in(tmp_path, *done) == []


def test_a_node_that_tells_all_is_not_repeated(field: Field, tmp_path: Path) -> None:
    with telling(field.url) as node:
        node.tells.set()
        done = []
        for status, command in ((200, "once"), (429, "status")):
            node.status = status
            done.append(field.command(tmp_path, command, BALLAST_PRIVATE_KEY=KEY, BALLAST_RPC_URL=node.url))
            assert done[-1].returncode in (1, 2) and done[-1].stderr.splitlines()[-1].startswith("keeper: ")
        assert any(needle in node.told[0] for needle in NEEDLES)
        # What it said is passed on, but for the secrets in it.
        assert "cannot serve this at" in done[0].stderr
    assert found_in(tmp_path, *done) == []


@pytest.mark.parametrize("log", ["console", "json"])
def test_a_keeper_at_work_tells_no_secret(field: Field, tmp_path: Path, log: str) -> None:
    """Through a month's begin, with a private endpoint that is dead and a node that begins to tell all."""
    field.rpc.request("anvil_setBalance", Account.from_key(KEY).address, hex(10**20))
    with (
        telling(field.url) as node,
        dead_port() as port,
        field.keeper(
            tmp_path,
            BALLAST_PRIVATE_KEY=KEY,
            BALLAST_RPC_URL=node.url,
            BALLAST_PRIVATE_RPC_URL=url_at(port),
            BALLAST_PRIVATE_BLOCKS="1",
            BALLAST_LOG=log,
            **AWS,
        ) as keeper,
    ):
        keeper.to_determined()
        node.tells.set()
        field.clock.jump(field.clock.now() + 600)
        # The pulse says so first, the log right after it.
        wait_for(lambda: "step failed" in (tmp_path / "keeper.log").read_text(), keeper.log)
        said = (tmp_path / "keeper.log").read_text()
        assert (keeper.pulse() or {}).get("state") == "error"
        assert any(needle in node.told[0] for needle in NEEDLES)
        # Warned of once, and what happened is there.
        assert said.count("in the clear") == 1
        assert "cannot serve this at" in said
        assert [row["action"] for row in journal_rows(tmp_path)] == ["determine"]
        assert found_in(tmp_path) == []
