"""One endpoint over HTTP. Every failure raises EndpointError, without the URL."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from web3._utils.encoding import Web3JsonEncoder

from ballast.json_text import parsed
from keeper.look.rpc import bounded
from keeper.look.rpc.answers import check
from keeper.look.rpc.refusals import Refusal, refusal_of
from keeper.look.rpc.reverts import SIMULATED, revert_of

Question = tuple[str, Any]
"""A JSON-RPC request: a method and its parameters."""
Answer = dict[str, Any]
"""A JSON-RPC answer with a `result` or an `error`."""

LONGEST_RETRY_AFTER_S = 300.0
MAX_BYTES = 32 << 20
"""A longer answer is malformed: the longest that the keeper requests, all ticks of some pools, has about a megabyte."""
TOO_MANY = 429
_LIMITED = (
    "rate limit",
    "ratelimit",
    "too many requests",
    "request limit",
    "requests per second",
    "request rate",
    "compute units",
    "credits",
    "quota",
    "throttl",
    "over capacity",
)
"""How services word a rate limit in an answer with status 200."""
_TELLING = re.compile(r"\S*://\S*|[\w-]{20,}")
"""URLs, hashes, and what may be a key: a reason must not contain them."""
_MISSING, _UNSUPPORTED = -32601, -32004
"""Method not found (JSON-RPC 2.0), not supported (EIP-1474): Besu uses the second for other errors too."""
_REFUSED = 2
"""After this many batches in a row that failed where single requests worked, the endpoint gets no more batches."""

SEND = "eth_sendRawTransaction"
CONNECTION = "connection failed"
TIMEOUT = "time-out"
MALFORMED = "malformed answer"
RATE_LIMIT = "rate limit"


@dataclass(frozen=True)
class Fault:
    """Why an endpoint failed; the wording of a reason is stable.

    `strict`: it has lied or set a rate limit, so it must wait out its time even if there is no other endpoint.
    `wait_s`: seconds for which it asked for no requests. `method`: the one method that it did not answer, while it may
    answer others; only repeated failures then put it aside. `lacks`: it answered that it does not offer the method.
    `said`: its own message, if any.
    """

    reason: str
    strict: bool = False
    wait_s: float = 0.0
    method: str = ""
    lacks: bool = False
    said: str = ""

    def __str__(self) -> str:
        return f"{self.reason}, {self.said}" if self.said else self.reason


class EndpointError(Exception):
    """A failure of an endpoint; the message is the reason, without the URL."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class NoEndpointError(requests.exceptions.ConnectionError):
    """No endpoint gives a usable answer.

    The message has each one's host and reason. `chain_id`: the chain of all endpoints, if they are all on the same
    wrong one. `fleeting`: whether a connection failed, which is worth an immediate retry. `answered`: whether one
    answered, with an error or a malformed result.
    """

    def __init__(self, reasons: Mapping[str, str], chain_id: int | None = None, *, answered: bool = False) -> None:
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in reasons.items()))
        self.chain_id = chain_id
        self.answered = answered
        self.fleeting = CONNECTION in reasons.values()


class Endpoint:
    """A node at a URL. `name`: its host, and its port if given; the rest of the URL may contain a key."""

    def __init__(self, url: str, name: str, timeout_s: float) -> None:
        self.name = name
        self._url = url
        self._timeout_s = timeout_s
        self._session = bounded.session()
        self._ids = itertools.count(1)
        self._refused = 0
        self._failed = 0
        self.requests = 0
        """HTTP requests so far."""

    def ask(self, questions: Sequence[Question], timeout_s: float | None = None) -> list[Answer]:
        """The answers in the order of the questions, in one batch if several. Raises EndpointError.

        A result is well-formed (`answers.py`). An error answer concerns the request: a revert in its canonical form, or
        a refusal of a call or a transaction. Every other error is a failure of the endpoint.
        """
        if len(questions) == 1 or self._refused >= _REFUSED:
            return [self._single(question, timeout_s) for question in questions]
        found: list[Answer | None] = [None for _ in questions]
        try:
            # An endpoint that limits or drops batch after batch may do so to batches alone.
            if self._failed < _REFUSED:
                found = self._batch(questions, timeout_s)
        except EndpointError as error:
            if error.fault.strict or error.fault.reason in (CONNECTION, TIMEOUT):
                self._failed += 1
                raise
        if None not in found:
            self._refused = self._failed = 0
            return found  # type: ignore[return-value]
        # Sends what the batch did not answer one by one. If that works, the batch was the problem.
        whole = [
            self._single(question, timeout_s) if answer is None else answer
            for question, answer in zip(questions, found, strict=True)
        ]
        self._refused, self._failed = self._refused + 1, 0
        return whole

    def _single(self, question: Question, timeout_s: float | None) -> Answer:
        (body,) = self._bodies([question])
        return _judged(question, _envelope(self._post(body, timeout_s), body["id"]))

    def _batch(self, questions: Sequence[Question], timeout_s: float | None) -> list[Answer | None]:
        """The answers to a batch; None for a request without a usable one."""
        bodies = self._bodies(questions)
        said = self._post(bodies, timeout_s)
        if isinstance(said, dict) and isinstance(said.get("error"), dict):
            _refuse_limited(said["error"])
        by_id: dict[Any, Any] = {}
        for answer in said if isinstance(said, list) else []:
            if isinstance(answer, dict) and isinstance(answer.get("id"), int):
                by_id[answer["id"]] = answer
        found: list[Answer | None] = []
        for question, body in zip(questions, bodies, strict=True):
            try:
                found.append(_judged(question, _envelope(by_id.get(body["id"]), body["id"])))
            except EndpointError as error:
                if error.fault.strict:
                    raise
                found.append(None)
        return found

    def _bodies(self, questions: Sequence[Question]) -> list[dict[str, Any]]:
        return [
            {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params or []}
            for method, params in questions
        ]

    def _post(self, body: object, timeout_s: float | None) -> Any:
        """The parsed JSON of the response, whatever it is. Raises EndpointError."""
        self.requests += 1
        try:
            with self._session.post(
                self._url,
                data=json.dumps(body, cls=Web3JsonEncoder).encode(),
                headers={"Content-Type": "application/json"},
                timeout=timeout_s or self._timeout_s,
                allow_redirects=False,
                stream=True,
            ) as answer:
                content = bytearray()
                while part := answer.raw.read1(1 << 16, decode_content=True):
                    content += part
                    if len(content) > MAX_BYTES:
                        raise EndpointError(Fault(MALFORMED))
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError):
            raise EndpointError(Fault(TIMEOUT)) from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError):
            # The libraries' messages contain the URL.
            raise EndpointError(Fault(CONNECTION)) from None
        if answer.status_code == TOO_MANY:
            raise EndpointError(Fault("HTTP 429", strict=True, wait_s=_retry_after(answer)))
        try:
            said = parsed(content)
        except ValueError:
            said = None
        # Some send a JSON-RPC error with an HTTP status of its own, such as 400.
        if answer.status_code != requests.codes.ok and not (isinstance(said, dict) and _is_error(said)):
            raise EndpointError(Fault(f"HTTP {answer.status_code}", wait_s=_retry_after(answer)))
        if said is None:
            raise EndpointError(Fault(MALFORMED))
        return said


def _is_error(said: Mapping[str, Any]) -> bool:
    error = said.get("error")
    return said.get("jsonrpc") == "2.0" and isinstance(error, dict) and "code" in error


def _envelope(said: Any, key: int) -> Answer:
    """The JSON-RPC answer to the request with id `key`: a result or an error, nothing else. Raises EndpointError."""
    if not isinstance(said, dict) or said.get("jsonrpc") != "2.0":
        raise EndpointError(Fault(MALFORMED))
    error, found = said.get("error"), said.get("id")
    answer: Answer = {"jsonrpc": "2.0", "id": key}
    if error is not None:
        # The id is null if the endpoint could not parse the request.
        if not isinstance(error, dict) or (found is not None and (found != key or isinstance(found, bool))):
            raise EndpointError(Fault(MALFORMED))
        return answer | {"error": error}
    if "result" not in said or found != key or isinstance(found, bool):
        raise EndpointError(Fault(MALFORMED))
    return answer | {"result": said["result"]}


def _judged(question: Question, answer: Answer) -> Answer:
    """The validated answer. Raises EndpointError if the endpoint failed to give one."""
    method, params = question
    if "error" not in answer:
        try:
            return answer | {"result": check(method, params, answer["result"])}
        except ValueError as wrong:
            raise EndpointError(Fault(str(wrong), method=method)) from None
    error = answer["error"]
    if method in SIMULATED and (revert := revert_of(error)) is not None:
        return answer | {"error": revert}
    _refuse_limited(error)
    plain = _plain(error)
    kind, words = refusal_of(plain["message"]), plain["message"].lower()
    lacks = plain["code"] == _MISSING or (plain["code"] == _UNSUPPORTED and "support" in words)
    against_it = kind in (Refusal.FUNDS, Refusal.GAS_LIMIT) or "gas required exceeds" in words
    refused = kind is not Refusal.UNAVAILABLE and not lacks
    if (method in SIMULATED and against_it) or (not is_read(method) and (refused or method != SEND)):
        return answer | {"error": plain}
    said = _TELLING.sub("...", plain["message"])[:120]
    said = f"{plain['code']} {said}".strip()
    raise EndpointError(Fault(f"{method}: error", method=method, lacks=lacks, said=said))


def _plain(error: Mapping[str, Any]) -> dict[str, Any]:
    """Code and message of an error, without its data, which matter only for a revert. Replaces unprintable characters:
    an unpaired UTF-16 surrogate, which JSON may contain, would break a page or alert that quotes it."""
    code, message = error.get("code"), " ".join(str(error.get("message") or "").split())[:300]
    fine = isinstance(code, int) and not isinstance(code, bool)
    shown = "".join(each if each.isprintable() else "?" for each in message)
    return {"code": code if fine else -32000, "message": shown}


def is_read(method: str) -> bool:
    """Whether a method changes nothing, so that several endpoints may get the request."""
    return method.startswith(("eth_", "net_", "web3_")) and not method.startswith("eth_send")


def _refuse_limited(error: Mapping[str, Any]) -> None:
    said = str(error.get("message", "")).lower()
    if error.get("code") == TOO_MANY or any(word in said for word in _LIMITED):
        raise EndpointError(Fault(RATE_LIMIT, strict=True))


def _retry_after(answer: requests.Response) -> float:
    """Seconds of the Retry-After header, at most `LONGEST_RETRY_AFTER_S`; 0 if it is missing or not in seconds."""
    text = answer.headers.get("Retry-After", "")
    return min(LONGEST_RETRY_AFTER_S, float(text)) if text.isdecimal() else 0.0


def names_of(urls: Sequence[str]) -> list[str]:
    """A name for each URL: host, port if given, plus a number if several share them."""
    hosts = []
    for url in urls:
        parts = urlsplit(url)
        host = parts.hostname or "?"
        hosts.append(f"{host}:{parts.port}" if parts.port else host)
    return [f"{host}#{hosts[:i].count(host) + 1}" if hosts.count(host) > 1 else host for i, host in enumerate(hosts)]
