"""Handing sources in: what each answer of Etherscan and Sourcify leads to, over HTTP to a stand-in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from ballast.verification.services import (
    MAX_BYTES,
    POLL_S,
    WAITS_S,
    Etherscan,
    Job,
    Said,
    Sourcify,
    Verdict,
    Verifier,
    VerifyError,
    verify,
)
from lab.testbed.loopback import JsonHandler, serving
from tests.helpers.verifier import EXACT, KEY, MISMATCH, PARTIAL, StandIn, standing_in

JOB = Job(1, "0x" + "Ab" * 20, "contracts/A.sol:A", "0.8.30+commit.73712a01", {"sources": {}}, b"\x01\x02", "0x12")
NAMES = ("etherscan", "sourcify")


class Scene:
    """A stand-in, whose judgement a test sets, and the waits it was given."""

    def __init__(self) -> None:
        self.match: str | None = EXACT
        self.judged: list[tuple[Any, ...]] = []
        self.slept: list[float] = []
        self.server: StandIn

    def judge(self, *given: Any) -> tuple[str | None, str]:
        self.judged.append(given)
        return self.match, ""

    def verifier(self, name: str, key: str = KEY) -> Verifier:
        if name == "sourcify":
            return Sourcify(self.server.url, self.slept.append)
        return Etherscan(key, self.server.url + "/api", self.slept.append)

    def verify(self, name: str, job: Job = JOB, **options: Any) -> Said:
        return verify(self.verifier(name), job, sleep=self.slept.append, **options)


@pytest.fixture
def scene() -> Iterator[Scene]:
    found = Scene()
    with standing_in(found.judge) as server:
        found.server = server
        yield found


@pytest.mark.parametrize("name", NAMES)
def test_pending_then_verified_then_verified_already(scene: Scene, name: str) -> None:
    scene.server.pending = 3
    assert scene.verify(name).verdict is Verdict.VERIFIED
    assert scene.slept == [POLL_S] * 4
    assert len(scene.judged) == 1
    given, identifier, address, arguments = scene.judged[0]
    assert (given, identifier, address) == ({"sources": {}}, JOB.identifier, JOB.address.lower())
    assert arguments == ("0102" if name == "etherscan" else "")
    assert scene.verify(name).verdict is Verdict.ALREADY
    assert len(scene.judged) == 1 and len(scene.slept) == 4, "nothing is handed in, nothing waited for"


def test_a_contract_without_arguments(scene: Scene) -> None:
    assert scene.verify("etherscan", replace(JOB, arguments=b"")).verdict is Verdict.VERIFIED
    assert scene.judged[0][3] == ""


@pytest.mark.parametrize("name", NAMES)
def test_what_does_not_match_fails(scene: Scene, name: str) -> None:
    scene.match = None
    said = scene.verify(name)
    assert said.verdict is Verdict.FAILED
    assert said.words == (MISMATCH if name == "etherscan" else "The onchain and recompiled bytecodes don't match.")


def test_sourcify_must_match_to_the_metadata(scene: Scene) -> None:
    scene.match = PARTIAL
    said = scene.verify("sourcify")
    assert said == Said(Verdict.FAILED, "found match, expected an exact match, metadata included")
    scene.match = EXACT
    assert scene.verify("sourcify").verdict is Verdict.VERIFIED, "a partial match may be made exact"


@pytest.mark.parametrize("name", NAMES)
def test_pending_for_too_long_is_said(scene: Scene, name: str) -> None:
    scene.server.pending = 100
    assert scene.verify(name, polls=5, poll_s=7).verdict is Verdict.PENDING
    assert scene.slept == [7] * 5


@pytest.mark.parametrize("name", NAMES)
def test_a_rate_limit_is_waited_for_and_not_for_ever(scene: Scene, name: str) -> None:
    scene.server.limited = 3
    assert scene.verify(name).verdict is Verdict.VERIFIED
    assert scene.slept[:3] == [*WAITS_S[:3]]
    scene.server.limited, scene.slept = 1_000, []
    with pytest.raises(VerifyError, match=r"http://127.0.0.1:\d+: (its limit|HTTP 429).*run the same command again"):
        scene.verify(name)
    assert scene.slept == [*WAITS_S]


def test_a_wrong_key_is_said_and_never_shown(scene: Scene) -> None:
    secret = "S" * 34
    with pytest.raises(VerifyError, match=r"ETHERSCAN_API_KEY: .* refuses it \(Invalid API Key") as error:
        verify(scene.verifier("etherscan", secret), JOB, sleep=scene.slept.append)
    assert secret not in str(error.value) and secret not in repr(scene.verifier("etherscan", secret))
    assert scene.slept == [], "waiting does not make it right"
    with pytest.raises(VerifyError, match="Missing/Invalid API Key"):
        verify(scene.verifier("etherscan", ""), JOB, sleep=scene.slept.append)


def test_an_explorer_that_has_not_come_to_the_block_is_waited_for(scene: Scene) -> None:
    scene.server.missing = 2
    assert scene.verify("etherscan").verdict is Verdict.VERIFIED
    assert scene.slept == [1, 2, POLL_S, POLL_S]
    scene.server.missing, scene.slept = 1_000, []
    said = scene.verify("etherscan", replace(JOB, address="0x" + "cd" * 20))
    assert said.verdict is Verdict.FAILED and "Unable to locate" in said.words
    assert scene.slept == [*WAITS_S]


def test_a_chain_that_is_not_served(scene: Scene) -> None:
    other = replace(JOB, chain_id=99)
    with pytest.raises(VerifyError, match="chain 99: Sourcify does not know it"):
        scene.verify("sourcify", other)
    said = scene.verify("etherscan", other)
    assert said == Said(Verdict.FAILED, "Missing or unsupported chainid parameter")


def test_a_server_that_does_not_answer(scene: Scene) -> None:
    gone = Sourcify("http://127.0.0.1:1", scene.slept.append)
    with pytest.raises(VerifyError, match=r"http://127.0.0.1:1: does not answer \(ConnectionError\)"):
        verify(gone, JOB, sleep=scene.slept.append)
    assert scene.slept == [*WAITS_S]


class Strange(JsonHandler):
    """Answers whatever the test says, and keeps what was asked."""

    status = 200
    body = b""
    asked: list[str]

    def do_GET(self) -> None:  # noqa: N802 - the server calls it so
        self.posted(b"")

    def posted(self, body: bytes) -> None:
        self.asked.append(f"{self.path}, {len(body)} bytes")
        self.answer(self.body, self.status, Location="/elsewhere")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("status", "body", "line"),
    [
        (302, b"", "not as its API does"),
        (200, b"<html>", "not as its API does"),
        (200, b"[" * 100_000, "not as its API does"),
        (200, b"[]", "not as (Etherscan|Sourcify) does"),
        (200, b" " * (MAX_BYTES + 1), "answers more than"),
    ],
    ids=["a redirection", "no JSON", "deep", "another shape", "endless"],
)
def test_an_answer_of_something_else(name: str, status: int, body: bytes, line: str) -> None:
    handler: Any = type("Handler", (Strange,), {"status": status, "body": body, "asked": []})
    with serving(handler) as url, pytest.raises(VerifyError, match=line):
        one: Verifier = Sourcify(url) if name == "sourcify" else Etherscan(KEY, url + "/api")
        verify(one, JOB, sleep=lambda _: None)
    assert len(handler.asked) == 1, "not asked again, and nobody else was"


@pytest.mark.parametrize("said", [{"error": "out of memory"}, {"contract": ["exact_match"]}, {"contract": None}])
def test_sourcify_s_verdict_in_another_shape_is_no_success(said: dict[str, Any]) -> None:
    body = json.dumps({"isJobCompleted": True, **said}).encode()
    handler: Any = type("Handler", (Strange,), {"body": body, "asked": []})
    with serving(handler) as url:
        assert Sourcify(url).look(JOB, "ticket").verdict is Verdict.FAILED
