"""A stand-in of Etherscan's and Sourcify's servers on the loopback. It answers as they do, and really compiles what it
is sent: sources that were not sent are missing."""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from web3 import Web3

from ballast.build import ROOT
from lab.testbed.loopback import JsonHandler, serving

KEY = "K" * 34
EXACT, PARTIAL = "exact_match", "match"
LIMIT = "Max calls per sec rate limit reached (3/sec)"
INVALID_KEY = "Invalid API Key (#err2)|K-"
MISMATCH = (
    "Fail - Unable to verify. Compiled contract deployment bytecode does NOT match the transaction deployment bytecode."
)
_COMPILE = """
const solc = require("solc");
process.stdout.write(solc.compile(require("fs").readFileSync(0, "utf8")));
"""

Judge = Callable[[dict[str, Any], str, str, str], tuple[str | None, str]]
"""Of standard JSON input, contract's identifier, address and arguments (hex): EXACT, PARTIAL or None, and the creation
code without arguments, as hex."""


def without_metadata(code: bytes) -> bytes:
    """Code without the CBOR metadata that the compiler appends, whose length is in the last two bytes."""
    length = int.from_bytes(code[-2:], "big") + 2
    return code[:-length] if len(code) > length else code


class Compiler:
    """Judges by compiling and comparing with the code on a chain: immutables are the chain's, all else must be equal;
    what differs in metadata alone is a partial match."""

    def __init__(self, w3: Web3) -> None:
        self._w3 = w3
        self._made: dict[str, Any] = {}
        self.compiled = 0

    def __call__(self, given: dict[str, Any], identifier: str, address: str, arguments: str) -> tuple[str | None, str]:
        file, _, name = identifier.rpartition(":")
        output = self._compile(given)
        contract = output.get("contracts", {}).get(file, {}).get(name)
        if contract is None:
            return None, ""
        creation = bytes.fromhex(contract["evm"]["bytecode"]["object"])
        deployed = contract["evm"]["deployedBytecode"]
        there = bytes(self._w3.eth.get_code(Web3.to_checksum_address(address)))
        made = bytearray(bytes.fromhex(deployed["object"]))
        for places in (deployed.get("immutableReferences") or {}).values():
            for place in places:
                start, length = place["start"], place["length"]
                made[start : start + length] = there[start : start + length]
        sent = self._sent(address)
        behind = bytes.fromhex(arguments)
        if bytes(made) == there and sent == creation + behind:
            return EXACT, creation.hex()
        same = without_metadata(bytes(made)) == without_metadata(there) and sent[len(creation) :] == behind
        return (PARTIAL if same else None), creation.hex()

    def _sent(self, address: str) -> bytes:
        """The data of the transaction that created the contract."""
        provider: Any = self._w3.provider
        found = provider.make_request("ots_getContractCreator", [address])["result"]
        return bytes(self._w3.eth.get_transaction(found["hash"])["input"])

    def _compile(self, given: dict[str, Any]) -> Any:
        text = json.dumps(given)
        key = hashlib.sha256(text.encode()).hexdigest()
        if key not in self._made:
            ran = subprocess.run(
                ["node", "--stack-size=4000", "-e", _COMPILE],
                input=text,
                capture_output=True,
                text=True,
                cwd=ROOT,
                check=True,
                timeout=900,
            )
            self.compiled += 1
            self._made[key] = json.loads(ran.stdout)
        return self._made[key]


@dataclass
class StandIn:
    """`pending`: status requests for each contract before there is a verdict; `limited`: requests that are refused for
    now; `missing`: submissions that come before the server knows the contract; `supported`: chains. All requests are
    recorded."""

    judge: Judge
    pending: int = 1
    limited: int = 0
    missing: int = 0
    supported: frozenset[int] = frozenset({1, 31337})
    url: str = ""
    etherscan: dict[str, str] = field(default_factory=dict)
    """Verdicts in Etherscan's words, by address in lower case."""
    sourcify: dict[str, str | None] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Errors of the server itself."""
    jobs: dict[str, list[Any]] = field(default_factory=dict)
    """By ticket: status requests that are left, and the address."""

    def limits(self) -> bool:
        """Counts a request; whether to refuse it as one too many."""
        self.limited -= 1
        return self.limited >= 0

    def ticket(self, address: str) -> str:
        found = hashlib.sha256(f"{address}{len(self.jobs)}".encode()).hexdigest()[:36]
        self.jobs[found] = [self.pending, address]
        return found

    # Etherscan

    def ask_etherscan(self, form: dict[str, str]) -> dict[str, str]:
        """Its answer to a form with the URL's query."""
        key = form.get("apikey")
        for refused, words in (
            (self.limits(), LIMIT),
            (not key, "Missing/Invalid API Key"),
            (key != KEY, f"{INVALID_KEY}{key}"),
            (int(form.get("chainid", 0)) not in self.supported, "Missing or unsupported chainid parameter"),
        ):
            if refused:
                return _no(words)
        checks = form["action"] == "checkverifystatus"
        return self._etherscan_status(form["guid"]) if checks else self._etherscan_hand_in(form)

    def _etherscan_hand_in(self, form: dict[str, str]) -> dict[str, str]:
        address = form["contractaddress"].lower()
        self.missing -= 1
        if self.missing >= 0:
            return _no(f"Unable to locate ContractCode at {address}")
        if self.etherscan.get(address, "").startswith("Pass"):
            return _no("Contract source code already verified")
        assert form["codeformat"] == "solidity-standard-json-input"
        given = json.loads(form["sourceCode"])
        match, _ = self.judge(given, form["contractname"], address, form["constructorArguements"])
        self.etherscan[address] = "Pass - Verified" if match else MISMATCH
        return {"status": "1", "message": "OK", "result": self.ticket(address)}

    def _etherscan_status(self, guid: str) -> dict[str, str]:
        job = self.jobs[guid]
        job[0] -= 1
        if job[0] >= 0:
            return _no("Pending in queue")
        said = self.etherscan[job[1]]
        return {"status": "1", "message": "OK", "result": said} if said.startswith("Pass") else _no(said)

    # Sourcify

    def ask_sourcify(self, method: str, path: list[str], body: Any) -> tuple[int, dict[str, Any]]:
        """Its answer, with the HTTP status."""
        if self.limits():
            return 429, {"customCode": "too_many_requests", "message": "Too many requests", "errorId": "1"}
        if method == "GET" and path[0] == "verify":
            return self._sourcify_status(path[1])
        chain, address = int(path[1]), path[2].lower()
        if path[0] == "contract":
            match = self.sourcify.get(address)
            found = {"match": match, "chainId": str(chain), "address": address}
            return (200 if match else 404), found
        if chain not in self.supported:
            return 404, {"customCode": "unsupported_chain", "message": f"The chain {chain} is not supported"}
        if self.sourcify.get(address) == EXACT:
            return 409, {"customCode": "already_verified", "message": f"Contract {address} is already verified"}
        match, _ = self.judge(body["stdJsonInput"], body["contractIdentifier"], address, self.arguments_of(body))
        self.sourcify[address] = match
        return 202, {"verificationId": self.ticket(address)}

    def arguments_of(self, body: dict[str, Any]) -> str:
        """The constructor arguments, which Sourcify takes from the transaction."""
        return self.arguments(body["stdJsonInput"], body["contractIdentifier"], body["creationTransactionHash"])

    arguments: Callable[[dict[str, Any], str, str], str] = lambda _given, _name, _hash: ""

    def _sourcify_status(self, ticket: str) -> tuple[int, dict[str, Any]]:
        job = self.jobs[ticket]
        job[0] -= 1
        if job[0] >= 0:
            return 200, {"isJobCompleted": False, "verificationId": ticket}
        match = self.sourcify.get(job[1])
        done: dict[str, Any] = {"isJobCompleted": True, "verificationId": ticket, "contract": {"match": match}}
        if match is None:
            words = "The onchain and recompiled bytecodes don't match."
            done["error"] = {"customCode": "no_match", "message": words, "errorId": "2"}
        return 200, done


def _no(said: str) -> dict[str, str]:
    return {"status": "0", "message": "NOTOK", "result": said}


@contextlib.contextmanager
def standing_in(judge: Judge, **settings: Any) -> Iterator[StandIn]:
    """Runs a server until the block ends."""
    running, lock = StandIn(judge, **settings), threading.Lock()

    class Handler(JsonHandler):
        def do_GET(self) -> None:  # noqa: N802 - the server calls it so
            self._given("GET", b"")

        def posted(self, body: bytes) -> None:
            self._given("POST", body)

        def _given(self, method: str, body: bytes) -> None:
            parts = urlsplit(self.path)
            with lock:
                running.asked.append((method, parts.path))
                try:
                    status, said = self._said(method, parts, body)
                except Exception as error:  # a defect of the stand-in, or of what it was sent: not hidden
                    running.broken.append(f"{type(error).__name__}: {error}")
                    status, said = 500, {}
            self.answer(json.dumps(said).encode(), status)

        def _said(self, method: str, parts: SplitResult, body: bytes) -> tuple[int, Any]:
            if parts.path == "/api":
                form = {**parse_qs(parts.query), **parse_qs(body.decode(), keep_blank_values=True)}
                return 200, running.ask_etherscan({name: values[0] for name, values in form.items()})
            path = parts.path.removeprefix("/v2/").split("/")
            return running.ask_sourcify(method, path, json.loads(body) if body else None)

    with serving(Handler) as url:
        running.url = url
        yield running
