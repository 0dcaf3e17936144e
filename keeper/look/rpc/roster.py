"""The endpoints and their health: which may get requests, in which order, and which are put aside."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NoReturn

import structlog

from keeper.look.rpc.endpoint import Answer, Endpoint, EndpointError, Fault, NoEndpointError, Question
from keeper.look.rpc.health import (
    ENDLESS,
    LOOK,
    NO_RECEIPT,
    WRONG_CHAIN,
    EndpointLimits,
    EndpointStatus,
    Health,
    Look,
    fault_of,
    is_ahead,
    look_of,
)

OPTIONAL = frozenset(
    {"eth_createAccessList", "eth_maxPriorityFeePerGas", "eth_feeHistory", "eth_gasPrice", "eth_getLogs"}
)
"""Methods that the keeper can do without: an endpoint that fails to answer one or limits its rate comes last for it,
and is not put aside at once."""
REPEATED = 2
"""Failures in a row to answer a method that put an endpoint aside."""
FORGET_S = 3_600.0
"""Seconds after which a request for events may cover more blocks again."""

log = structlog.get_logger("keeper.look.rpc")


class Roster:
    """Endpoints in order of preference. `clock` is monotonic, `wall` is Unix time; both in seconds."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        limits: EndpointLimits,
        *,
        check_s: float,
        look_timeout_s: float,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self.endpoints = tuple(endpoints)
        self.look_timeout_s = look_timeout_s
        self._health = {endpoint.name: Health() for endpoint in endpoints}
        self._limits = limits
        self._check_s = check_s
        self._clock = clock
        self._wall = wall
        self._base_fee = False
        self._state = threading.Lock()
        self._looking = threading.Lock()

    def status(self) -> tuple[EndpointStatus, ...]:
        """Each endpoint's status at its last check; sends no requests."""
        found = []
        for endpoint in self.endpoints:
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

    def look(self, endpoint: Endpoint) -> Look | None:
        """An endpoint's last view of the chain."""
        return self._health[endpoint.name].look

    def in_order(self, questions: Sequence[Question], more: Callable[[], bool] = lambda: False) -> Iterator[Endpoint]:
        """The healthy endpoints, those that lack a method last. Then, if none is healthy or if `more` returns true, the
        others that may be used alone and pass a check."""
        healthy = self._healthy()
        # A request that is itself a health check covers the first one.
        self._care(besides={healthy[0].name} if healthy and list(questions) == list(LOOK) else ())
        tried = set()
        methods = {method for method, _ in questions}
        for endpoint in sorted(self._healthy(), key=lambda each: bool(self._health[each.name].lacks & methods)):
            tried.add(endpoint.name)
            yield endpoint
        if self._healthy() and not more():
            return
        for endpoint in self.endpoints:
            if endpoint.name in tried or not self._health[endpoint.name].serves_alone(self._clock()):
                continue
            if self._check(endpoint):
                yield endpoint

    # What endpoints did

    def answered(self, endpoint: Endpoint, questions: Sequence[Question], answers: Sequence[Answer]) -> bool:
        """Records that an endpoint has answered; returns whether the answers count: they do not if they show a fault,
        such as another chain or an old head."""
        health = self._health[endpoint.name]
        for method, _ in questions:
            health.unanswered.pop(method, None)
            health.lacks.discard(method)
        look = look_of(questions, answers, health.look)
        return look is None or self._judge(endpoint, look)

    def failed(self, endpoint: Endpoint, fault: Fault) -> None:
        """Records that an endpoint did not answer a request that another one did; puts it aside if that repeats."""
        health, method = self._health[endpoint.name], fault.method
        if fault.lacks or method in OPTIONAL:
            health.lacks.add(method)
        health.unanswered[method] += 1
        if health.unanswered[method] >= REPEATED:
            self._put_aside(endpoint, fault)
        else:
            log.info("another endpoint asked", endpoint=endpoint.name, reason=fault.reason, said=fault.said)

    def last_for(self, endpoint: Endpoint, method: str) -> None:
        """Puts an endpoint last for the method, until it answers it."""
        self._health[endpoint.name].lacks.add(method)

    def lacks_receipt(self, endpoint: Endpoint, block: int) -> None:
        """Puts an endpoint aside if its head is at or above this block, whose receipt it lacks."""
        look = self.look(endpoint)
        if look is not None and block <= look.number:
            self.aside(endpoint, Fault(NO_RECEIPT, strict=True))

    def aside(self, endpoint: Endpoint, fault: Fault) -> None:
        """Counts a failure and puts the endpoint aside."""
        self.count(endpoint, fault)
        self._put_aside(endpoint, fault)

    def count(self, endpoint: Endpoint, fault: Fault) -> None:
        """Counts a failure without further consequences."""
        with self._state:
            self._health[endpoint.name].errors[fault.reason] += 1

    def _put_aside(self, endpoint: Endpoint, fault: Fault) -> None:
        with self._state:
            health = self._health[endpoint.name]
            # A single endpoint that was never healthy: the caller reports it.
            told = len(self.endpoints) == 1 and health.shown is None and health.look is None
            news = health.bad(fault, self._clock()) and not told
        if news:
            said = {"said": fault.said} if fault.said else {}
            log.warning("endpoint put aside", endpoint=endpoint.name, reason=fault.reason, **said)

    def most_blocks(self, endpoint: Endpoint) -> int:
        """Most blocks per request for events, as far as is known."""
        health = self._health[endpoint.name]
        return health.most_blocks if self._clock() < health.most_until else ENDLESS

    def gives_fewer(self, endpoint: Endpoint, blocks: int) -> None:
        """Limits an endpoint's requests for events to this many blocks, for `FORGET_S`."""
        health = self._health[endpoint.name]
        health.most_blocks, health.most_until = blocks, self._clock() + FORGET_S

    def none(self, said: dict[str, str]) -> NoReturn:
        """Raises NoEndpointError with each endpoint's reason; `said`: reasons of those that did not answer this
        request."""
        put_aside = {name: health.fault.reason for name, health in self._health.items() if health.fault is not None}
        answering = {health.look.chain_id for health in self._health.values() if health.look is not None}
        wrong = [reason for reason in put_aside.values() if reason == WRONG_CHAIN]
        certain = len(answering) == 1 and len(wrong) == len(self.endpoints)
        chain_id = answering.pop() if certain else None
        raise NoEndpointError(put_aside | said, chain_id, answered=bool(said))

    # Health

    def _healthy(self) -> list[Endpoint]:
        return [endpoint for endpoint in self.endpoints if self._health[endpoint.name].healthy]

    def _care(self, besides: Collection[str]) -> None:
        """Checks every endpoint that is due."""
        if not self._looking.acquire(blocking=False):
            return  # another thread does it
        try:
            others = [endpoint for endpoint in self.endpoints if endpoint.name not in besides]
            due = [each for each in others if self._health[each.name].due(self._clock(), self._check_s)]
            for endpoint in due:
                self._check(endpoint)
            # By now another one may seem to lag only because its answer is old, or the one checked first may have a
            # time that the others do not have: check them again.
            for endpoint in others if due else ():
                if self._health[endpoint.name].healthy and (
                    self._seems_to_lag(endpoint) or self._seems_ahead(endpoint)
                ):
                    self._check(endpoint)
        finally:
            self._looking.release()

    def _check(self, endpoint: Endpoint) -> bool:
        """Checks an endpoint; returns whether it is healthy."""
        try:
            look = self._look_again(endpoint)
        except EndpointError as error:
            self.aside(endpoint, error.fault)
            return False
        return self._judge(endpoint, look)

    def _look_again(self, endpoint: Endpoint) -> Look:
        """Requests an endpoint's current view of the chain. Raises EndpointError."""
        look = look_of(LOOK, endpoint.ask(LOOK, self.look_timeout_s), None)
        assert look is not None  # the latest block is among the questions
        return look

    def _judge(self, endpoint: Endpoint, look: Look) -> bool:
        """Records an endpoint's view of the chain; returns whether it is healthy."""
        health = self._health[endpoint.name]
        highest = self._highest_of_others(endpoint)
        fault = fault_of(
            look,
            self._limits,
            shown=health.shown,
            highest=highest,
            wall=self._wall(),
            base_fee=self._base_fee,
            ahead=self._is_ahead(endpoint, look),
        )
        if fault is not None:
            self.aside(endpoint, fault)
            health.look = look
            return False
        self._base_fee = self._base_fee or look.base_fee
        with self._state:
            back = health.good(look, self._clock())
            first = health.failures == 0
        if back and not first:
            log.info("endpoint in order again", endpoint=endpoint.name, head=look.number)
        return True

    def _seems_to_lag(self, endpoint: Endpoint) -> bool:
        look, highest = self.look(endpoint), self._highest_of_others(endpoint)
        return look is not None and highest is not None and highest - look.number > self._limits.max_lag

    def _seems_ahead(self, endpoint: Endpoint) -> bool:
        look = self.look(endpoint)
        return look is not None and any(is_ahead(look, other, self._limits) for _, other in self._others(endpoint))

    def _is_ahead(self, endpoint: Endpoint, look: Look) -> bool:
        """Whether another healthy endpoint contradicts the time of this one's head and none supports it. Queries one
        that seems to contradict again, as its last view may be from before the time moved: local test chains jump."""
        contradicted = False
        for other, seen in self._others(endpoint):
            ahead = is_ahead(look, seen, self._limits)
            if ahead:
                with contextlib.suppress(EndpointError):
                    ahead = is_ahead(look, self._look_again(other), self._limits)
            if ahead is False:
                return False
            contradicted = contradicted or ahead is True
        return contradicted

    def _others(self, endpoint: Endpoint) -> list[tuple[Endpoint, Look]]:
        """The other healthy endpoints with their last views."""
        healthy = [(other, self._health[other.name].look) for other in self._healthy() if other is not endpoint]
        return [(other, look) for other, look in healthy if look is not None]

    def _highest_of_others(self, endpoint: Endpoint) -> int | None:
        """The highest head of the other healthy endpoints."""
        return max((look.number for _, look in self._others(endpoint)), default=None)
