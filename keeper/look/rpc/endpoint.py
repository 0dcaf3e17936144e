"""One endpoint over HTTP. Every failure is one kind of error, which carries no URL."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from web3._utils.encoding import Web3JsonEncoder

Question = tuple[str, Any]
"""A method and its parameters."""
Answer = dict[str, Any]
"""A JSON-RPC answer with a `result` or an `error`."""

LONGEST_RETRY_AFTER_S = 300.0
TOO_MANY = 429
_LIMITED = ("rate limit", "too many requests", "request limit", "compute units")
"""How services word a rate limit in an answer with status 200."""

CONNECTION = "connection failed"
TIMEOUT = "time-out"
MALFORMED = "malformed answer"
RATE_LIMIT = "rate limit"


@dataclass(frozen=True)
class Fault:
    """Why an endpoint is put aside; the wording of a reason is stable.

    `strict`: it must wait out its time even if there is no other endpoint, as it has lied or asked for rest. `wait_s`:
    how long it asked to be left alone, seconds.
    """

    reason: str
    strict: bool = False
    wait_s: float = 0.0


class EndpointError(Exception):
    """A failure of an endpoint; the message is the reason, without URL."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


class NoEndpointError(requests.exceptions.ConnectionError):
    """No endpoint gives a usable answer.

    The message has each one's host and reason. `chain_id`: the chain of all, if it is one and the same wrong one.
    `fleeting`: whether a connection failed, which is worth an immediate retry.
    """

    def __init__(self, reasons: Mapping[str, str], chain_id: int | None = None) -> None:
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in reasons.items()))
        self.chain_id = chain_id
        self.fleeting = CONNECTION in reasons.values()


class Endpoint:
    """A node at a URL. `name`: its host, and its port if given; the rest of the URL may hold a key."""

    def __init__(self, url: str, name: str, timeout_s: float) -> None:
        self.name = name
        self._url = url
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._ids = itertools.count(1)
        self._batches = True
        self.requests = 0
        """HTTP requests so far."""

    def ask(self, questions: Sequence[Question], timeout_s: float | None = None) -> list[Answer]:
        """The answers in the order of the questions, in one batch if several. Raises EndpointError."""
        if len(questions) > 1 and not self._batches:
            return [answer for question in questions for answer in self.ask([question], timeout_s)]
        ids = [next(self._ids) for _ in questions]
        bodies = [
            {"jsonrpc": "2.0", "id": key, "method": method, "params": params or []}
            for key, (method, params) in zip(ids, questions, strict=True)
        ]
        found = self._post(bodies if len(bodies) > 1 else bodies[0], timeout_s or self._timeout_s)
        if len(bodies) == 1:
            found = [found]
        elif isinstance(found, dict) and isinstance(found.get("error"), dict):
            # One error for the whole batch: it takes no batches.
            _refuse_limited(found)
            self._batches = False
            return self.ask(questions, timeout_s)
        return _in_order(found, ids)

    def _post(self, body: object, timeout_s: float) -> Any:
        self.requests += 1
        try:
            answer = self._session.post(
                self._url,
                data=json.dumps(body, cls=Web3JsonEncoder).encode(),
                headers={"Content-Type": "application/json"},
                timeout=timeout_s,
                allow_redirects=False,
            )
        except requests.exceptions.Timeout:
            raise EndpointError(Fault(TIMEOUT)) from None
        except requests.exceptions.RequestException:
            # The libraries' messages hold the URL.
            raise EndpointError(Fault(CONNECTION)) from None
        if answer.status_code == TOO_MANY:
            raise EndpointError(Fault("HTTP 429", strict=True, wait_s=_retry_after(answer)))
        if answer.status_code != requests.codes.ok:
            raise EndpointError(Fault(f"HTTP {answer.status_code}"))
        try:
            return json.loads(answer.content)
        except ValueError:
            raise EndpointError(Fault(MALFORMED)) from None


def _in_order(found: Any, ids: Sequence[int]) -> list[Answer]:
    """The answers in the order of their questions. Raises EndpointError if one is missing or malformed."""
    if not isinstance(found, list) or len(found) != len(ids):
        raise EndpointError(Fault(MALFORMED))
    by_id: dict[int, Answer] = {}
    for answer in found:
        fine = isinstance(answer, dict) and ("result" in answer or isinstance(answer.get("error"), dict))
        if not fine or not isinstance(answer.get("id"), int):
            raise EndpointError(Fault(MALFORMED))
        _refuse_limited(answer)
        by_id[answer["id"]] = answer
    if set(by_id) != set(ids):
        raise EndpointError(Fault(MALFORMED))
    return [by_id[key] for key in ids]


def _refuse_limited(answer: Answer) -> None:
    error = answer.get("error")
    if isinstance(error, dict) and any(word in str(error.get("message", "")).lower() for word in _LIMITED):
        raise EndpointError(Fault(RATE_LIMIT, strict=True))


def _retry_after(answer: requests.Response) -> float:
    """Seconds that the endpoint asks to be left alone; 0 if it does not give seconds."""
    text = answer.headers.get("Retry-After", "")
    return min(LONGEST_RETRY_AFTER_S, float(text)) if text.isdecimal() else 0.0


def names_of(urls: Sequence[str]) -> list[str]:
    """A name for each URL: host and port, plus a number if several share them."""
    hosts = []
    for url in urls:
        parts = urlsplit(url)
        host = parts.hostname or "?"
        hosts.append(f"{host}:{parts.port}" if parts.port else host)
    return [f"{host}#{hosts[:i].count(host) + 1}" if hosts.count(host) > 1 else host for i, host in enumerate(hosts)]
