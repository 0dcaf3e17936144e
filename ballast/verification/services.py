"""Submits sources to Etherscan (API v2) and Sourcify (API v2), and waits for their verdicts.

Both accept the compiler's standard JSON input, compile it and compare. Both take some time: the verifier polls for the
verdict, a limited number of times. A contract that is verified already counts as done, so that a run can be stopped and
started again. Sources of the formats: docs.etherscan.io (verifysourcecode, checkverifystatus) and docs.sourcify.dev
(API v2).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests

from ballast.errors import UserError
from ballast.json_text import parsed

ETHERSCAN = "https://api.etherscan.io/v2/api"
SOURCIFY = "https://sourcify.dev/server"
TIMEOUT_S = 60
MAX_BYTES = 8 << 20
"""Largest answer accepted: the longest, about code that does not match, has some hundred kilobytes."""
WAITS_S = (1, 2, 4, 8, 16, 32)
"""Seconds before each retry of a request that was refused temporarily: about a minute in total."""
POLL_S, POLLS = 5, 60
"""Seconds between two polls for a verdict, and the most polls: five minutes."""


class VerifyError(UserError):
    """A service cannot verify anything now; the message says what to do."""


class Verdict(StrEnum):
    """Result of a verification."""

    VERIFIED = "verified"
    ALREADY = "verified already"
    FAILED = "failed"
    PENDING = "pending"


@dataclass(frozen=True)
class Job:
    """A contract to verify. `arguments`: of its constructor, ABI-encoded; `creation`: hash of the creating
    transaction."""

    chain_id: int
    address: str
    identifier: str
    compiler: str
    standard_input: Mapping[str, Any]
    arguments: bytes
    creation: str


@dataclass(frozen=True)
class Said:
    """A verdict, with the verifier's message."""

    verdict: Verdict
    words: str = ""


class Verifier(Protocol):
    """A verification service. `submit`: submits a contract and returns a verdict if there is one at once, else a
    ticket; `look`: polls for the verdict of a ticket."""

    @property
    def name(self) -> str: ...

    def submit(self, job: Job, /) -> Said | str: ...

    def look(self, job: Job, ticket: str, /) -> Said: ...


Sleep = Callable[[float], None]


def verify(
    verifier: Verifier, job: Job, *, sleep: Sleep = time.sleep, polls: int = POLLS, poll_s: float = POLL_S
) -> Said:
    """Submits a contract and waits for the verdict, PENDING after `polls` polls. Raises VerifyError."""
    ticket = verifier.submit(job)
    if isinstance(ticket, Said):
        return ticket
    said = Said(Verdict.PENDING)
    for _ in range(polls):
        sleep(poll_s)
        said = verifier.look(job, ticket)
        if said.verdict is not Verdict.PENDING:
            break
    return said


@dataclass(frozen=True)
class _Http:
    """Requests to one host, with retries if it refuses temporarily. Messages never contain URLs or request bodies, as
    these may contain a key."""

    url: str
    sleep: Sleep

    def ask(self, method: str, path: str = "", **options: Any) -> tuple[int, Any]:
        """Status and decoded answer. Raises VerifyError if there is none."""
        why = ""
        for wait in (*WAITS_S, None):
            try:
                status, answer = self._answer(method, self.url + path, options)
            except requests.RequestException as error:
                why = f"does not answer ({type(error).__name__})"
            else:
                if _code(answer) == "duplicate_verification_request":
                    return status, answer
                if status == 429 or status >= 500:
                    why = f"HTTP {status}"
                elif answer is None or 300 <= status < 400:
                    raise VerifyError(f"{self.host}: answers, but not as its API does; is this its URL?")
                elif _refused_for_now(answer):
                    why = "its limit of requests is used up"
                else:
                    return status, answer
            if wait is not None:
                self.sleep(wait)
        raise VerifyError(f"{self.host}: {why}; wait a while and run the same command again, it goes on")

    def _answer(self, method: str, url: str, options: Mapping[str, Any]) -> tuple[int, Any]:
        """Status and decoded answer, None if it is not JSON. Does not follow redirects: they would send the key
        elsewhere."""
        content = bytearray()
        with requests.request(method, url, timeout=TIMEOUT_S, allow_redirects=False, stream=True, **options) as answer:
            for part in answer.iter_content(1 << 16):
                content += part
                if len(content) > MAX_BYTES:
                    raise VerifyError(f"{self.host}: answers more than {MAX_BYTES:,} bytes; is this its URL?")
        try:
            return answer.status_code, parsed(content)
        except ValueError:
            return answer.status_code, None

    @property
    def host(self) -> str:
        """Scheme, host and port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _code(answer: Any) -> str:
    return str(answer.get("customCode", "")) if isinstance(answer, dict) else ""


def _refused_for_now(answer: Any) -> bool:
    """Whether the answer is a rate limit, which Etherscan sends with HTTP 200."""
    said = answer.get("result") if isinstance(answer, dict) else None
    return isinstance(said, str) and "rate limit" in said.lower()


@dataclass(frozen=True)
class Etherscan:
    """Etherscan's API v2, or a compatible one: `status` "1" or "0", and a message in `result`."""

    key: str = field(repr=False)
    url: str = ETHERSCAN
    sleep: Sleep = time.sleep
    name: str = "Etherscan"

    def submit(self, job: Job) -> Said | str:
        """See `Verifier`. Raises VerifyError for no answer, or a refused key."""
        form = {
            "apikey": self.key,
            "module": "contract",
            "action": "verifysourcecode",
            "contractaddress": job.address,
            "sourceCode": json.dumps(job.standard_input),
            "codeformat": "solidity-standard-json-input",
            "contractname": job.identifier,
            "compilerversion": f"v{job.compiler}",
            "constructorArguements": job.arguments.hex(),  # as the API spells it
            "constructorArguments": job.arguments.hex(),
        }
        said = ""
        for wait in (*WAITS_S, None):
            good, said = self._ask("POST", job, data=form)
            if good:
                return said
            if not said.startswith("Unable to locate ContractCode") or wait is None:
                break
            self.sleep(wait)  # Etherscan has not reached the block yet
        return Said(Verdict.ALREADY if "already verified" in said.lower() else Verdict.FAILED, said)

    def look(self, job: Job, ticket: str) -> Said:
        """See `Verifier`. Raises VerifyError as `submit`."""
        form = {"apikey": self.key, "module": "contract", "action": "checkverifystatus", "guid": ticket}
        _, said = self._ask("GET", job, params=form)
        if said.startswith("Pass"):
            return Said(Verdict.VERIFIED)
        if "already verified" in said.lower():
            return Said(Verdict.ALREADY)
        pending = said.lower().startswith(("pending", "in progress"))
        return Said(Verdict.PENDING if pending else Verdict.FAILED, said)

    def _ask(self, method: str, job: Job, **options: Any) -> tuple[bool, str]:
        options["params"] = {**options.get("params", {}), "chainid": str(job.chain_id)}
        http = _Http(self.url, self.sleep)
        _, answer = http.ask(method, **options)
        if not isinstance(answer, dict) or not isinstance(answer.get("result"), str):
            raise VerifyError(f"{http.host}: answers, but not as Etherscan does; is this its URL?")
        said = " ".join(answer["result"].split()).replace(self.key, "***") if self.key else answer["result"]
        if "api key" in said.lower():
            raise VerifyError(f"ETHERSCAN_API_KEY: {http.host} refuses it ({said[:120]}); get one at etherscan.io/apis")
        if "not supported for this chain" in said.lower():
            raise VerifyError(f"chain {job.chain_id}: {http.host} does not serve it with this key ({said[:160]})")
        return str(answer.get("status")) == "1", said


@dataclass(frozen=True)
class Sourcify:
    """Sourcify's API v2. Errors have a `customCode`."""

    url: str = SOURCIFY
    sleep: Sleep = time.sleep
    name: str = "Sourcify"

    def submit(self, job: Job) -> Said | str:
        """See `Verifier`. Raises VerifyError."""
        status, answer = self._ask("GET", f"/v2/contract/{job.chain_id}/{job.address}")
        if status == 200 and answer.get("match") == "exact_match":
            return Said(Verdict.ALREADY, "exact match")
        body = {
            "stdJsonInput": job.standard_input,
            "compilerVersion": job.compiler,
            "contractIdentifier": job.identifier,
            "creationTransactionHash": job.creation,
        }
        for wait in (*WAITS_S, None):
            status, answer = self._ask("POST", f"/v2/verify/{job.chain_id}/{job.address}", json=body)
            if "verificationId" in answer:
                return str(answer["verificationId"])
            if _code(answer) != "duplicate_verification_request" or wait is None:
                break
            self.sleep(wait)  # Sourcify still works on a job of an earlier run
        if _code(answer) == "already_verified":
            return Said(Verdict.ALREADY)
        if _code(answer) == "unsupported_chain":
            raise VerifyError(f"chain {job.chain_id}: Sourcify does not know it")
        pending = _code(answer) == "duplicate_verification_request"
        return Said(Verdict.PENDING if pending else Verdict.FAILED, _words(status, answer))

    def look(self, _job: Job, ticket: str) -> Said:
        """See `Verifier`. Raises VerifyError."""
        status, answer = self._ask("GET", f"/v2/verify/{ticket}")
        if status != 200:
            return Said(Verdict.FAILED, _words(status, answer))
        if not answer.get("isJobCompleted"):
            return Said(Verdict.PENDING)
        error = answer.get("error")
        if error:
            already = _code(error) == "already_verified"
            return Said(Verdict.ALREADY if already else Verdict.FAILED, _words(status, error))
        contract = answer.get("contract")
        match = contract.get("match") if isinstance(contract, dict) else None
        if match == "exact_match":
            return Said(Verdict.VERIFIED, "exact match")
        return Said(Verdict.FAILED, f"found {match or 'no match'}, expected an exact match, metadata included")

    def _ask(self, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
        http = _Http(self.url, self.sleep)
        status, answer = http.ask(method, path, **options)
        if not isinstance(answer, dict):
            raise VerifyError(f"{http.host}: answers, but not as Sourcify does; is this its URL?")
        return status, answer


def _words(status: int, answer: Any) -> str:
    given = answer if isinstance(answer, dict) else {}
    said = given.get("message") or given.get("customCode") or f"HTTP {status}"
    return " ".join(str(said).split())[:300]
