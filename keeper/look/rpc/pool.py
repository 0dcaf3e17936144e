"""Combines the endpoints into one web3 provider.

It queries the first healthy endpoint in order of preference, and the next one if that fails. It sends a signed
transaction once to all healthy ones: only the sender decides whether to send it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from web3 import Web3
from web3.exceptions import ContractLogicError, Web3Exception
from web3.providers import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from keeper.errors import SettingsError
from keeper.look.rpc.asking import Fits, ask, each, events
from keeper.look.rpc.endpoint import SEND, Answer, Endpoint, EndpointError, Fault, NoEndpointError, Question, names_of
from keeper.look.rpc.health import LOOK, WRONG_STATE, EndpointLimits, EndpointStatus
from keeper.look.rpc.refusals import Refusal, refusal_of
from keeper.look.rpc.roster import Roster

TIMEOUT_S = 20.0
LOOK_TIMEOUT_S = 5.0
CHECK_S = 15.0
_NONCE = "eth_getTransactionCount"
_STUMBLES = ("0x4e487b71", "0x556f1830")
"""Prefixes of revert data that web3 would not raise as a revert: `Panic(uint256)`, where it raises KeyError for an
unknown number, and `OffchainLookup(...)` (EIP-3668), whose URLs it would open."""


class AgreementError(Web3Exception):
    """Several endpoints must agree, but they differ or too few answer. The message names their hosts."""


class EndpointPool(JSONBaseProvider):
    """Endpoints in order of preference. Checks each before the first request and every `check_s` seconds.

    Raises NoEndpointError if none gives a usable answer. `agree`: how many must agree on a call in the latest block and
    on an account's nonce. `clock` is monotonic, `wall` is Unix time; both in seconds.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        limits: EndpointLimits = EndpointLimits(),  # noqa: B008 (it cannot be changed)
        agree: int = 1,
        check_s: float = CHECK_S,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.agree = agree
        self.roster = Roster(
            [Endpoint(url, name, timeout_s) for url, name in zip(urls, names_of(urls), strict=True)],
            limits,
            check_s=check_s,
            look_timeout_s=min(timeout_s, LOOK_TIMEOUT_S),
            clock=clock,
            wall=wall,
        )

    def status(self) -> tuple[EndpointStatus, ...]:
        """Each endpoint's status at its last check; sends no requests."""
        return self.roster.status()

    # web3's interface

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Sends one request. Raises NoEndpointError, AgreementError."""
        question = (str(method), params)
        if method == SEND:
            answer = self._send(question)
        elif method in ("eth_getTransactionReceipt", "eth_getBlockByNumber", "eth_getBlockByHash"):
            answer = self._found(question)
        elif method == "eth_getLogs":
            answer = {"jsonrpc": "2.0", "id": 1, "result": events(self.roster, question)}
        elif method == _NONCE and len(params) > 1 and params[1] == "pending":
            answer = self._pending(params[0])
        elif self.agree > 1 and _counts(question):
            answer = self._agreed_at_one_block(question)
        else:
            answer = ask(self.roster, [question])[0]
        return _for_web3(answer)

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse]:
        """Sends several read-only requests in one round trip. Raises NoEndpointError."""
        return self.asked([(str(method), params) for method, params in requests])  # type: ignore[return-value]

    def is_connected(self, show_traceback: bool = False) -> bool:
        """Whether any endpoint answers."""
        try:
            ask(self.roster, LOOK)
        except NoEndpointError:
            if show_traceback:
                raise
            return False
        return True

    # Reading

    def asked(self, questions: Sequence[Question], fits: Fits | None = None) -> list[Answer]:
        """The first usable answers; `fits` raises ValueError for unusable ones. Raises NoEndpointError."""
        return ask(self.roster, questions, fits)

    def agreed(self, questions: Sequence[Question], fits: Fits | None = None) -> list[Answer]:
        """The answers on which `agree` endpoints agree. Raises AgreementError, NoEndpointError.

        The questions must name their block by its hash. Puts aside endpoints that differ from those that agree.
        """
        votes: dict[str, list[tuple[Endpoint, list[Answer]]]] = {}
        silent: list[Answer] | None = None
        failed: dict[str, str] = {}
        for endpoint, answers in each(self.roster, questions, failed, fits):
            said = _said(answers)
            if said is None:
                # It cannot answer, perhaps for lack of the block: no vote either way.
                silent = silent or answers
                continue
            votes.setdefault(said, []).append((endpoint, answers))
            if len(votes[said]) >= self.agree:
                for others in (group for key, group in votes.items() if key != said):
                    for other, _ in others:
                        self.roster.aside(other, Fault(WRONG_STATE, strict=True))
                return answers
        if len(votes) > 1:
            hosts = " and ".join(group[0][0].name for group in votes.values())
            raise AgreementError(f"{hosts} answer differently in the same block; waiting until they agree")
        if not votes and silent is not None:
            return silent
        if not votes:
            self.roster.none(failed)
        alone = " and ".join(endpoint.name for group in votes.values() for endpoint, _ in group)
        raise AgreementError(f"BALLAST_RPC_AGREE: is {self.agree}, only {alone} can answer; waiting for another")

    def _agreed_at_one_block(self, question: Question) -> Answer:
        """The answer on which endpoints agree: in the block that the question names by hash, else in the newest that
        all of them should have."""
        method, params = question
        if len(params) > 1 and isinstance(params[1], dict):
            return self.agreed([question])[0]
        failed: dict[str, str] = {}
        asked = [endpoint for endpoint, _ in islice(each(self.roster, LOOK, failed), self.agree)]
        looks = [look for endpoint in asked if (look := self.roster.look(endpoint)) is not None]
        if not looks:
            self.roster.none(failed)
        lowest = min(looks, key=lambda look: look.number)
        return self.agreed([(method, [params[0], in_block(lowest.hash), *params[2:]])])[0]

    def _pending(self, account: str) -> Answer:
        """The nonce after an endpoint's pending transactions; never below the same endpoint's nonce at the latest
        block."""

        def fits(answers: list[Answer]) -> None:
            mined, pending = (int(answer["result"], 16) for answer in answers)
            if pending < mined:
                raise ValueError("pending is below latest")

        # "latest" first: a block mined between the two requests can only raise the second.
        return self.asked([(_NONCE, [account, "latest"]), (_NONCE, [account, "pending"])], fits)[1]

    def _found(self, question: Question) -> Answer:
        """A receipt or block from any endpoint that has it. Puts aside an endpoint that has a receipt's block but not
        the receipt."""
        without: list[Endpoint] = []
        failed: dict[str, str] = {}
        answer: Answer | None = None
        for endpoint, (found,) in each(self.roster, [question], failed):
            result = found["result"]
            if result is not None:
                for other in without if "blockNumber" in result else ():
                    self.roster.lacks_receipt(other, int(result["blockNumber"], 16))
                return found
            without.append(endpoint)
            answer = answer or found
        return answer or self.roster.none(failed)

    # Sending

    def _send(self, question: Question) -> Answer:
        """Sends signed bytes once to all healthy endpoints. One that accepts them is enough; a refusal only if all
        refuse. Raises NoEndpointError if one that did not answer may have accepted them."""
        endpoints = list(self.roster.in_order([question]))
        if not endpoints:
            self.roster.none({})
        with ThreadPoolExecutor(len(endpoints)) as workers:
            found = list(workers.map(lambda endpoint: self._hand_to(endpoint, question), endpoints))
        answers = [answer for answer in found if not isinstance(answer, Fault)]
        taken = [answer for answer in answers if "result" in answer]
        known = [answer for answer in answers if "error" in answer and _known(answer["error"])]
        if taken or known:
            return (taken or known)[0]
        faults = {end.name: fault for end, fault in zip(endpoints, found, strict=True) if isinstance(fault, Fault)}
        # An endpoint that answers that it accepts none has not accepted this one; a silent one may have.
        if any(not fault.said for fault in faults.values()):
            self.roster.none({name: str(fault) for name, fault in faults.items()})
        return answers[0] if answers else _takes_none(next(iter(faults.values())))

    def _hand_to(self, endpoint: Endpoint, question: Question) -> Answer | Fault:
        try:
            return endpoint.ask([question])[0]
        except EndpointError as error:
            # An endpoint that accepts no transactions now may still answer reads.
            act = self.roster.count if error.fault.method else self.roster.aside
            act(endpoint, error.fault)
            return error.fault


class EndpointProvider(JSONBaseProvider):
    """One endpoint without health checks or retries."""

    def __init__(self, url: str, timeout_s: float) -> None:
        super().__init__()
        self._endpoint = Endpoint(url, names_of([url])[0], timeout_s)

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Sends one request. Raises NoEndpointError."""
        try:
            return _for_web3(self._endpoint.ask([(str(method), params)])[0])
        except EndpointError as error:
            if method == SEND and error.fault.said:
                return _for_web3(_takes_none(error.fault))
            raise self._failed(error) from None

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse]:
        """Sends several requests in one round trip. Raises NoEndpointError."""
        try:
            return self._endpoint.ask([(str(method), params) for method, params in requests])  # type: ignore[return-value]
        except EndpointError as error:
            raise self._failed(error) from None

    def _failed(self, error: EndpointError) -> NoEndpointError:
        return NoEndpointError({self._endpoint.name: str(error.fault)}, answered=bool(error.fault.method))


def connect(
    urls: str | Sequence[str],
    *,
    chain_id: int | None = None,
    max_lag: int = EndpointLimits.max_lag,
    max_age_s: int | None = None,
    agree: int = 1,
    check_s: float = CHECK_S,
    timeout_s: float = TIMEOUT_S,
) -> Web3:
    """A connection over several endpoints, in order of preference; a string may have several, separated by commas.

    Sends no requests yet. Raises SettingsError for an unusable list.
    """
    listed = [url.strip() for url in (urls.split(",") if isinstance(urls, str) else urls)]
    if len(set(listed)) < len(listed):
        raise SettingsError("BALLAST_RPC_URL: names an endpoint twice; name each once")
    if agree > len(listed):
        raise SettingsError(
            f"BALLAST_RPC_AGREE: is {agree}, BALLAST_RPC_URL names {len(listed)}; name at least {agree} endpoints"
        )
    limits = EndpointLimits(chain_id, max_lag, max_age_s)
    return Web3(EndpointPool(listed, limits=limits, agree=agree, check_s=check_s, timeout_s=timeout_s))


def single(url: str, timeout_s: float = TIMEOUT_S) -> Web3:
    """A connection to one endpoint without health checks or retries: it may accept signed transactions alone."""
    return Web3(EndpointProvider(url, timeout_s))


def in_block(block_hash: str) -> dict[str, Any]:
    """Block parameter by hash (EIP-1898): an error once the block has left the chain."""
    return {"blockHash": block_hash, "requireCanonical": True}


def _counts(question: Question) -> bool:
    """Whether money depends on the answer: a call or a nonce in the latest block, or in one named by its hash."""
    method, params = question
    if method not in ("eth_call", "eth_getTransactionCount"):
        return False
    return len(params) < 2 or params[1] == "latest" or isinstance(params[1], dict)


def _said(answers: Sequence[Answer]) -> str | None:
    """The answers without the node's wording, for comparison; None if one shows nothing of the state."""
    said = []
    for answer in answers:
        if "result" in answer:
            said.append(f"result {answer['result']}".lower())
        elif "data" in answer["error"]:
            said.append(f"revert {answer['error']['data']}".lower())
        else:
            return None
    return "\n".join(said)


def _takes_none(fault: Fault) -> Answer:
    """The refusal of an endpoint that answered that it accepts no transactions now."""
    return {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": fault.said}}


def _known(error: Answer) -> bool:
    return refusal_of(error["message"]) is Refusal.KNOWN


def _for_web3(answer: Answer) -> RPCResponse:
    """The answer for web3. Raises ContractLogicError for a revert that web3 would not raise as one.

    web3 takes any other error with a string as `data` for a revert, and raises ContractLogicError itself.
    """
    error = answer.get("error", {})
    if str(error.get("data", "")).startswith(_STUMBLES):
        raise ContractLogicError(error["message"], data=error["data"])
    return answer  # type: ignore[return-value]
