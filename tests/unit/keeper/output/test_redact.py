"""Secrets are taken out of every text, in every form in which one may be written."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from urllib.parse import quote

import pytest

from ballast.build import ROOT
from keeper.errors import ChainError, SimulationError
from keeper.output import redact
from keeper.output.redact import MARK, Redactor

KEY = "0x" + "c0ffee" * 10 + "1234"
URL = "https://an-user:a-pass%2Fword@node.example:8545/v2/abcdef0123456789?token=token-of-mine"


def redactor(*secrets: str) -> Redactor:
    found = Redactor()
    found.learn(*secrets)
    return found


def test_a_private_key_in_every_form() -> None:
    clean = redactor(KEY).clean
    digits = KEY[2:]
    for form in (KEY, digits, digits.upper(), str(int(KEY, 16)), repr(bytes.fromhex(digits))):
        text = clean(f"before {form} after")
        assert MARK in text and text.startswith("before ") and text.endswith(" after")
        assert "c0ffee" not in text.lower() and form not in text
    # A hash is none.
    other = "0x" + "d0ffee" * 10 + "1234"
    assert clean(other) == other


def test_a_password_in_every_form() -> None:
    password = 'pass "word" \\ of/mine é'
    clean = redactor(password).clean
    for form in (password, json.dumps(password), repr(password), quote(password, safe="")):
        assert clean(form).strip("'\"") == MARK
    assert redactor("a", "").clean("a short one would garble all") == "a short one would garble all"


@pytest.mark.parametrize(
    "text",
    [
        URL,
        "Max retries exceeded with url: /v2/abcdef0123456789?token=token-of-mine (Caused by ...)",
        "POST /v2/abcdef0123456789 HTTP/1.1",
        "key abcdef0123456789 is over its limit",
        "bad token 'token-of-mine'",
        "an-user:a-pass%2Fword",
        "password a-pass/word of an-user",
        "Basic " + base64.b64encode(b"an-user:a-pass/word").decode(),
        "Basic " + base64.b64encode(b"an-user:a-pass%2Fword").decode(),
        json.dumps({"url": URL}),
    ],
)
def test_what_a_url_hides(text: str) -> None:
    # One of several nodes.
    found = redactor(f"http://127.0.0.1:1, {URL}").clean(text)
    assert MARK in found
    for needle in ("abcdef0123456789", "token-of-mine", "a-pass", base64.b64encode(b"an-user:a-pass").decode()[:18]):
        assert needle not in found


def test_hosts_and_plain_words_stay() -> None:
    clean = redactor(
        "http://127.0.0.1:8545", "https://node.example/v2/abcdef0123456789", "https://other.example/rpc"
    ).clean
    for text in (
        "node.example does not answer",
        "http://127.0.0.1:8545: the node does not answer",
        "/srv/rpc/v2/keeper.sqlite cannot be read",
    ):
        assert clean(text) == text
    assert clean("at other.example/rpc") == f"at {MARK}"


def test_urls_of_other_kinds_hide_everything() -> None:
    clean = redactor("tgram://123456789:AAbot-token/987654321").clean
    for text in ("123456789:AAbot-token", "AAbot-token refused", "no chat 987654321"):
        assert MARK in clean(text)


def test_a_user_and_password_in_an_unknown_url() -> None:
    assert Redactor().clean("moved to https://me:mine@other.example/a") == f"moved to https://{MARK}@other.example/a"


def test_errors_carry_no_secret() -> None:
    secret = "secret-of-this-test-alone"
    redact.learn(secret)
    error = ChainError(f"BALLAST_RPC_URL: limit of {secret}")
    assert str(error) == f"{error}" == f"BALLAST_RPC_URL: limit of {MARK}"
    assert str(SimulationError("trade", "", "", secret)) == f"trade: would revert with no reason{MARK}"


LOUD = """
import logging, sys, threading, warnings
import structlog
from keeper.output import logs, redact
secret = "secret-of-this-process"
redact.learn(secret, "https://node.example/" + secret)
logs.configure(sys.argv[1])
logs.guard()
log = structlog.get_logger("loud")
log.info("event " + secret, text=secret, inside={"list": [secret, b"secret-of-this-process"]}, error=ValueError(secret))
def fail(local):
    raise RuntimeError("thrown " + local)
try:
    fail(secret)
except RuntimeError:
    log.exception("caught")
    log.warning("caught again", exc_info=True)
logging.getLogger("urllib3").warning("Retrying %s", "/" + secret)
try:
    fail(secret)
except RuntimeError:
    logging.getLogger("web3").exception("library")
thread = threading.Thread(target=fail, args=(secret,))
thread.start()
thread.join()
fail(secret)
"""


@pytest.mark.parametrize("kind", ["console", "json"])
def test_logs_and_tracebacks_of_a_process(kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOUD, kind],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1 and done.stdout == ""
    assert "secret-of-this-process" not in done.stderr
    # All of it is there, and readable: nothing was left out for being dangerous.
    assert done.stderr.count(f"thrown {MARK}") == 5
    for part in (f"event {MARK}", f"Retrying /{MARK}", "library", "caught again", "in fail"):
        assert part in done.stderr or part.replace("/", "") in done.stderr, part
    if kind == "json":
        lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
        assert lines[0]["inside"]["list"][0] == MARK and "Traceback" in lines[1]["exception"]
