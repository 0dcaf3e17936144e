"""The endpoints as one provider of web3.

The first healthy one in order of preference is asked, and the next one when it fails. A signed transaction goes once to
all healthy ones: only the sender decides whether to send it again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import structlog
from web3 import HTTPProvider, Web3
from web3.exceptions import Web3Exception
from web3.providers import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from keeper.errors import SettingsError
from keeper.look.rpc.endpoint import Answer, Endpoint, EndpointError, Fault, NoEndpointError, Question, names_of
from keeper.look.rpc.health import (
    LOOK,
    NO_HEAD,
    NO_RECEIPT,
    WRONG_CHAIN,
    WRONG_STATE,
    EndpointStatus,
    Health,
    Limits,
    Look,
    fault_of,
    look_of,
)

TIMEOUT_S = 20.0
LOOK_TIMEOUT_S = 5.0
CHECK_S = 15.0
SEND = "eth_sendRawTransaction"
KNOWN = ("already known", "already imported", "known transaction", "alreadyknown", "already in mempool")
"""How nodes say that they already have a transaction."""
_READS = ("eth_", "net_", "web3_")

log = structlog.get_logger("keeper.look.rpc")


class AgreementError(Web3Exception):
    """Several endpoints must agree, but they differ or too few answer. The message has their hosts."""


class EndpointPool(JSONBaseProvider):
    """Endpoints in order of preference. Each is looked at before the first question and every `check_s` seconds.

    Raises NoEndpointError if none gives a usable answer. `agree`: how many must agree on a call in the latest block and
    on an account's nonce. `clock` is monotonic, `wall` is Unix time; both in seconds.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        limits: Limits = Limits(),  # noqa: B008 (it cannot be changed)
        agree: int = 1,
        check_s: float = CHECK_S,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.agree = agree
        self._endpoints = [Endpoint(url, name, timeout_s) for url, name in zip(urls, names_of(urls), strict=True)]
        self._health = {endpoint.name: Health() for endpoint in self._endpoints}
        self._limits = limits
        self._check_s = check_s
        self._look_timeout_s = min(timeout_s, LOOK_TIMEOUT_S)
        self._clock = clock
        self._wall = wall
        self._state = threading.Lock()
        self._looking = threading.Lock()

    def status(self) -> tuple[EndpointStatus, ...]:
        """Each endpoint's condition at its last check; asks nothing."""
        found = []
        for endpoint in self._endpoints:
            health = self._health[endpoint.name]
            look = health.look
            found.append(
                EndpointStatus(
                    endpoint.name,
                    health.healthy,
                    health.fault.reason if health.fault else "",
                    look.number if look else None,
                    int(self._wall()) - look.time if look else None,
                    endpoint.requests,
                    dict(health.errors),
                )
            )
        return tuple(found)

    # web3's interface

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """One question. Raises NoEndpointError, AgreementError."""
        question = (str(method), params)
        if method == SEND:
            answer = self._send(question)
        elif method == "eth_getTransactionReceipt":
            answer = self._receipt(question)
        elif self.agree > 1 and _counts(question):
            answer = self._agreed_at_one_block(question)
        else:
            answer = self._ask([question])[1][0]
        return answer  # type: ignore[return-value]

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse]:
        """Several read-only questions in one round trip. Raises NoEndpointError."""
        return self._ask([(str(method), params) for method, params in requests])[1]  # type: ignore[return-value]

    def is_connected(self, show_traceback: bool = False) -> bool:
        """Whether any endpoint answers."""
        try:
            self._ask(LOOK)
        except NoEndpointError:
            if show_traceback:
                raise
            return False
        return True

    # Asking

    def agreed(self, questions: Sequence[Question]) -> list[Answer]:
        """The answers on which `agree` endpoints agree. Raises AgreementError, NoEndpointError.

        The questions must name their block by its hash. An endpoint that differs from the majority is put aside.
        """
        votes: dict[str, list[tuple[Endpoint, list[Answer]]]] = {}
        silent: list[Answer] | None = None
        for endpoint, answers in self._each(questions):
            said = _said(answers)
            if said is None:
                # It cannot answer, perhaps lacking the block: a vote neither for nor against.
                silent = silent or answers
                continue
            votes.setdefault(said, []).append((endpoint, answers))
            if len(votes[said]) >= self.agree:
                for others in (group for key, group in votes.items() if key != said):
                    for other, _ in others:
                        self._aside(other, Fault(WRONG_STATE, strict=True))
                return answers
        if len(votes) > 1:
            hosts = " and ".join(group[0][0].name for group in votes.values())
            raise AgreementError(f"{hosts} answer differently in the same block; waiting until they agree")
        if not votes and silent is not None:
            return silent
        if not votes:
            self._none()
        alone = " and ".join(endpoint.name for group in votes.values() for endpoint, _ in group)
        raise AgreementError(f"BALLAST_RPC_AGREE: is {self.agree}, only {alone} can answer; waiting for another")

    def _agreed_at_one_block(self, question: Question) -> Answer:
        """The answer in the newest block that all who must agree should have."""
        method, params = question
        if len(params) > 1 and isinstance(params[1], dict):
            return self.agreed([question])[0]
        asked = [endpoint for endpoint, _ in islice(self._each(LOOK), self.agree)]
        looks = [look for endpoint in asked if (look := self._health[endpoint.name].look) is not None]
        if not looks:
            self._none()
        lowest = min(looks, key=lambda look: look.number)
        return self.agreed([(method, [params[0], at(lowest.hash), *params[2:]])])[0]

    def _ask(self, questions: Sequence[Question]) -> tuple[Endpoint, list[Answer]]:
        """The first usable answers, and their endpoint. What is not a read goes to one endpoint only."""
        reads = all(method.startswith(_READS) and not method.startswith("eth_send") for method, _ in questions)
        return next(self._each(questions, once=not reads), None) or self._none()

    def _each(self, questions: Sequence[Question], once: bool = False) -> Iterator[tuple[Endpoint, list[Answer]]]:
        """Answers of one endpoint after the other; one that fails is put aside."""
        for endpoint in self._in_order(questions):
            try:
                answers = endpoint.ask(questions)
                look = look_of(list(questions), answers, self._health[endpoint.name].look)
            except EndpointError as error:
                self._aside(endpoint, error.fault)
            except ValueError:
                self._aside(endpoint, Fault(NO_HEAD))
            else:
                if look is None or self._judge(endpoint, look):
                    yield endpoint, answers
            if once:
                return

    def _receipt(self, question: Question) -> Answer:
        """A receipt from any endpoint that has it. One that has its block but not the receipt is put aside."""
        without: list[Endpoint] = []
        answer: Answer | None = None
        for endpoint, (found,) in self._each([question]):
            receipt = found.get("result")
            if isinstance(receipt, dict):
                for other in without:
                    self._lacks(other, receipt)
                return found
            without.append(endpoint)
            answer = answer or found
        return answer or self._none()[1][0]

    def _lacks(self, endpoint: Endpoint, receipt: Answer) -> None:
        look = self._health[endpoint.name].look
        block = receipt.get("blockNumber")
        if look is not None and isinstance(block, str) and int(block, 16) <= look.number:
            self._aside(endpoint, Fault(NO_RECEIPT, strict=True))

    def _send(self, question: Question) -> Answer:
        """Sends signed bytes once to all healthy endpoints. One that takes them is enough; refused only if all
        refuse."""
        endpoints = list(self._in_order([question]))
        if not endpoints:
            self._none()
        with ThreadPoolExecutor(len(endpoints)) as workers:
            found = list(workers.map(lambda endpoint: self._hand_to(endpoint, question), endpoints))
        answers = [answer for answer in found if answer is not None]
        taken = [answer for answer in answers if "result" in answer]
        known = [answer for answer in answers if _known(answer)]
        if taken or known:
            return (taken or known)[0]
        if len(answers) < len(endpoints):
            self._none()  # one may have taken it without saying so
        return answers[0]

    def _hand_to(self, endpoint: Endpoint, question: Question) -> Answer | None:
        try:
            return endpoint.ask([question])[0]
        except EndpointError as error:
            self._aside(endpoint, error.fault)
            return None

    # Health

    def _in_order(self, questions: Sequence[Question]) -> Iterator[Endpoint]:
        """The healthy endpoints; if none is healthy, the others that may be asked and pass a check."""
        healthy = self._healthy()
        # The question itself checks the first one.
        self._care(besides={healthy[0].name} if healthy and list(questions) == list(LOOK) else ())
        tried = set()
        for endpoint in self._healthy():
            tried.add(endpoint.name)
            yield endpoint
        if self._healthy():
            return
        for endpoint in self._endpoints:
            if endpoint.name in tried or not self._health[endpoint.name].serves_alone(self._clock()):
                continue
            if self._look(endpoint):
                yield endpoint

    def _healthy(self) -> list[Endpoint]:
        return [endpoint for endpoint in self._endpoints if self._health[endpoint.name].healthy]

    def _care(self, besides: Collection[str]) -> None:
        """Checks every endpoint that is due."""
        if not self._looking.acquire(blocking=False):
            return  # another thread does it
        try:
            others = [endpoint for endpoint in self._endpoints if endpoint.name not in besides]
            due = [each for each in others if self._health[each.name].due(self._clock(), self._check_s)]
            for endpoint in due:
                self._look(endpoint)
            # Another one now seems to lag, but perhaps its answer is only old: check it again.
            for endpoint in others if due else ():
                if self._health[endpoint.name].healthy and self._seems_to_lag(endpoint):
                    self._look(endpoint)
        finally:
            self._looking.release()

    def _look(self, endpoint: Endpoint) -> bool:
        """Checks one; returns whether it is healthy."""
        try:
            look = look_of(list(LOOK), endpoint.ask(LOOK, self._look_timeout_s), None)
        except EndpointError as error:
            self._aside(endpoint, error.fault)
            return False
        except ValueError:
            self._aside(endpoint, Fault(NO_HEAD))
            return False
        assert look is not None  # the latest block is among the questions
        return self._judge(endpoint, look)

    def _judge(self, endpoint: Endpoint, look: Look) -> bool:
        """Notes an endpoint's view of the chain; returns whether it is healthy."""
        health = self._health[endpoint.name]
        highest = self._highest_of_others(endpoint)
        fault = fault_of(look, self._limits, shown=health.shown, highest=highest, wall=self._wall())
        if fault is not None:
            self._aside(endpoint, fault)
            health.look = look
            return False
        with self._state:
            back = health.good(look, self._clock())
            first = health.failures == 0
        if back and not first:
            log.info("endpoint in order again", endpoint=endpoint.name, head=look.number)
        return True

    def _seems_to_lag(self, endpoint: Endpoint) -> bool:
        look, highest = self._health[endpoint.name].look, self._highest_of_others(endpoint)
        return look is not None and highest is not None and highest - look.number > self._limits.max_lag

    def _highest_of_others(self, endpoint: Endpoint) -> int | None:
        """The highest head of the other healthy ones."""
        others = (health for name, health in self._health.items() if name != endpoint.name and health.healthy)
        return max((health.look.number for health in others if health.look is not None), default=None)

    def _aside(self, endpoint: Endpoint, fault: Fault) -> None:
        with self._state:
            health = self._health[endpoint.name]
            # A single endpoint that was never healthy: the caller reports it.
            told = len(self._endpoints) == 1 and health.shown is None and health.look is None
            news = health.bad(fault, self._clock()) and not told
        if news:
            log.warning("endpoint put aside", endpoint=endpoint.name, reason=fault.reason)

    def _none(self) -> Any:
        """Raises NoEndpointError with each endpoint's reason."""
        reasons = {name: health.fault.reason for name, health in self._health.items() if health.fault is not None}
        answering = {health.look.chain_id for health in self._health.values() if health.look is not None}
        wrong = [reason for reason in reasons.values() if reason == WRONG_CHAIN]
        certain = len(answering) == 1 and len(wrong) == len(self._endpoints)
        raise NoEndpointError(reasons, answering.pop() if certain else None)


def connect(
    urls: str | Sequence[str],
    *,
    chain_id: int | None = None,
    max_lag: int = Limits.max_lag,
    max_age_s: int | None = None,
    agree: int = 1,
    check_s: float = CHECK_S,
    timeout_s: float = TIMEOUT_S,
) -> Web3:
    """A connection over several endpoints, in order of preference; a text may name several, separated by commas.

    Asks nothing yet. Raises SettingsError for an unusable list.
    """
    listed = [url.strip() for url in (urls.split(",") if isinstance(urls, str) else urls)]
    if len(set(listed)) < len(listed):
        raise SettingsError("BALLAST_RPC_URL: names an endpoint twice; name each once")
    if agree > len(listed):
        raise SettingsError(
            f"BALLAST_RPC_AGREE: is {agree}, BALLAST_RPC_URL names {len(listed)}; name at least {agree} endpoints"
        )
    limits = Limits(chain_id, max_lag, max_age_s)
    return Web3(EndpointPool(listed, limits=limits, agree=agree, check_s=check_s, timeout_s=timeout_s))


def single(url: str, timeout_s: float = TIMEOUT_S) -> Web3:
    """A connection to one endpoint without health checks or retries: for one that may take only signed transactions."""
    return Web3(HTTPProvider(url, request_kwargs={"timeout": timeout_s}, exception_retry_configuration=None))


def at(block_hash: str) -> dict[str, Any]:
    """Block parameter by hash (EIP-1898): an error once the block has left the chain."""
    return {"blockHash": block_hash, "requireCanonical": True}


def _counts(question: Question) -> bool:
    """Whether money depends on the answer: a call or a nonce in the latest block, or in one named by its hash."""
    method, params = question
    if method not in ("eth_call", "eth_getTransactionCount"):
        return False
    return len(params) < 2 or params[1] == "latest" or isinstance(params[1], dict)


def _said(answers: Sequence[Answer]) -> str | None:
    """The answers without the node's wording, for comparison; None if one says nothing about the state."""
    said = []
    for answer in answers:
        if "error" not in answer:
            said.append(f"result {answer['result']}".lower())
            continue
        error = answer["error"]
        data = error.get("data")
        if not isinstance(data, str) and "revert" not in str(error.get("message", "")).lower():
            return None
        said.append(f"revert {data}".lower())
    return "\n".join(said)


def _known(answer: Answer) -> bool:
    error = answer.get("error")
    return isinstance(error, dict) and any(word in str(error.get("message", "")).lower() for word in KNOWN)
