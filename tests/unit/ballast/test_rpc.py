"""What is said of a node that cannot be used: one line, with no key in it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from requests.exceptions import RequestException
from web3 import Web3

from ballast import cli, rpc
from ballast.cli import COMPILER, find_compiler, one_line
from ballast.fund_file import FundError
from ballast.rpc import RpcError, bound, require_node, shown
from lab.testbed.loopback import JsonHandler, serving
from tests.helpers.waiting import PATIENCE_S, dead_port

KEY = "key-that-nobody-may-see"
GOOD = b'{"jsonrpc": "2.0", "id": 1, "result": "0x1"}'


@contextlib.contextmanager
def answering(status: int, content: bytes, *, hangs: bool = False) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives one answer, or none until the block ends; its URL with a key, and what it was asked."""
    asked: list[bytes] = []
    ended = threading.Event()

    class Handler(JsonHandler):
        def posted(self, body: bytes) -> None:
            asked.append(body)
            if hangs:
                ended.wait(PATIENCE_S)
            self.answer(content, status)

    with serving(Handler) as url:
        try:
            yield f"{url}/{KEY}", asked
        finally:
            ended.set()


@pytest.mark.parametrize(
    ("status", "content", "words"),
    [
        (429, b"no", "its limit is used up (HTTP 429)"),
        (502, b"no", "is out of order for now (HTTP 502)"),
        (403, b"no", "refuses the key in its URL (HTTP 403)"),
        (418, b"no", "refuses the request (HTTP 418)"),
        (200, b"<html>", "answers, but not as a node"),
        (200, b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -1}}', "answers, but not as a node"),
        (200, b"[1]", "answers, but not as a node"),
    ],
)
def test_a_node_that_refuses(status: int, content: bytes, words: str) -> None:
    with answering(status, content) as (url, asked), pytest.raises(RpcError) as caught:
        require_node(url)
    assert len(asked) == 1
    line = str(caught.value)
    assert line.startswith(f"rpc: {shown(url)} ") and words in line
    assert KEY not in line and "\n" not in line


def test_a_node_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc, "FIRST_S", 0.2)
    with (
        answering(200, GOOD, hangs=True) as (url, asked),
        pytest.raises(RpcError, match=r"^rpc: http://127\.0\.0\.1:\d+ does not answer; try again"),
    ):
        require_node(url)
    assert len(asked) == 1


def test_no_node_at_all() -> None:
    with dead_port() as port, pytest.raises(RpcError, match=f"^rpc: http://127.0.0.1:{port} cannot be reached; is"):
        require_node(f"http://127.0.0.1:{port}/{KEY}")
    with pytest.raises(RpcError, match="expected http://"):
        require_node("sepolia")


def test_a_node_that_answers() -> None:
    with answering(200, GOOD) as (url, asked):
        require_node(url)
    assert b"eth_chainId" in asked[0]


def test_a_node_that_fails_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked a few times, and what is said then is one line too."""
    monkeypatch.setattr(rpc, "BACKOFF_S", 0.0)
    w3 = Web3()
    with answering(429, b"no") as (url, asked):
        bound(w3, url)
        with pytest.raises(RequestException) as caught:
            _ = w3.eth.block_number
    assert len(asked) == rpc.RETRIES  # with the first
    with pytest.raises(Exception, match="its limit is used up") as line, one_line():
        raise caught.value
    assert KEY not in str(line.value)


def test_the_compiler_of_the_set_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    monkeypatch.setenv(COMPILER, "")
    with pytest.raises(FundError, match=r"^set-up: no compiler in .*; run `make setup` first$"):
        find_compiler()
    (tmp_path / ".tools" / "solc").mkdir(parents=True)
    find_compiler()
    assert os.environ[COMPILER] == str(tmp_path / ".tools" / "solc")
