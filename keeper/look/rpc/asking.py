"""Queries the endpoints one after the other until one answers; requests events in pieces as small as needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from keeper.look.rpc.answers import span_of
from keeper.look.rpc.endpoint import (
    CONNECTION,
    TIMEOUT,
    Answer,
    Endpoint,
    EndpointError,
    Fault,
    Question,
    is_read,
)
from keeper.look.rpc.health import LOOK
from keeper.look.rpc.roster import OPTIONAL, Roster

MIN_BLOCKS = 10
"""Fewest blocks per request for events: the smallest limit of a hosted node."""
SMALLER = 4
"""If an endpoint gives no events for a range of blocks, the next range is smaller by this factor."""
_ROUNDS = 8

Fits = Callable[[list[Answer]], None]
"""Raises ValueError if the answers, though well-formed, are unusable together."""


def ask(roster: Roster, questions: Sequence[Question], fits: Fits | None = None) -> list[Answer]:
    """The first usable answers. A request that is not a read goes to one endpoint only. Raises NoEndpointError."""
    said: dict[str, str] = {}
    found = next(each(roster, questions, said, fits), None)
    return roster.none(said) if found is None else found[1]


def each(
    roster: Roster, questions: Sequence[Question], said: dict[str, str], fits: Fits | None = None
) -> Iterator[tuple[Endpoint, list[Answer]]]:
    """Answers of one endpoint after the other. Puts an endpoint aside if it fails as a whole; if it only fails this
    request, then only when another one answers it and the failure repeats. If no other one answers, `said` gets the
    reasons."""
    once = not all(is_read(method) for method, _ in questions)
    failed: list[tuple[Endpoint, Fault]] = []
    for endpoint in roster.in_order(questions, more=lambda: bool(failed)):
        try:
            answers = endpoint.ask(questions)
            _require(fits, answers, questions)
        except EndpointError as error:
            fault = error.fault
            if fault.strict and {method for method, _ in questions} <= OPTIONAL:
                # Some endpoints limit these methods alone. If it limits all, the next request shows it.
                fault = replace(fault, strict=False, wait_s=0.0, method=questions[0][0])
            if fault.method and list(questions) != list(LOOK):
                roster.count(endpoint, fault)
                failed.append((endpoint, fault))
            else:
                roster.aside(endpoint, fault)
        else:
            for other, fault in failed:
                roster.failed(other, fault)
            failed.clear()
            if roster.answered(endpoint, questions, answers):
                yield endpoint, answers
        if once:
            break
    said.update({endpoint.name: str(fault) for endpoint, fault in failed})


def _require(fits: Fits | None, answers: list[Answer], questions: Sequence[Question]) -> None:
    if fits is None:
        return
    try:
        fits(answers)
    except ValueError as error:
        method = questions[-1][0]
        raise EndpointError(Fault(f"{method}: does not fit", method=method, said=str(error)[:160])) from None


def events(roster: Roster, question: Question) -> list[Any]:
    """The events of a range of blocks. If one endpoint refuses the range, tries the others, then smaller pieces. Raises
    NoEndpointError."""
    method, (asked,) = question
    first, last = span_of(asked)
    if first is None or last is None:
        return list(ask(roster, [question])[0]["result"])
    found: list[Any] = []
    while first <= last:
        end, entries = _piece(roster, method, asked, first, last)
        found += entries
        first = end + 1
    return found


def _piece(roster: Roster, method: str, asked: Any, first: int, last: int) -> tuple[int, list[Any]]:
    """The events from `first` to some block up to `last`: that block, and the events."""
    said: dict[str, str] = {}
    for _ in range(_ROUNDS):
        smaller = False
        for endpoint in sorted(roster.in_order([(method, [asked])]), key=roster.most_blocks, reverse=True):
            blocks = min(last - first + 1, roster.most_blocks(endpoint))
            end = first + blocks - 1
            question = (method, [{**asked, "fromBlock": hex(first), "toBlock": hex(end)}])
            try:
                answers = endpoint.ask([question])
            except EndpointError as error:
                fault = error.fault
                said[endpoint.name] = str(fault)
                if fault.reason in (CONNECTION, TIMEOUT):
                    roster.aside(endpoint, fault)
                else:
                    roster.count(endpoint, fault)
                if fault.strict:
                    # Some endpoints limit requests for events alone. If it limits all, the next request shows it.
                    roster.last_for(endpoint, method)
                if not fault.strict and fault.reason != CONNECTION and blocks > MIN_BLOCKS:
                    # Whatever the message: perhaps the range is too large for it.
                    roster.gives_fewer(endpoint, max(MIN_BLOCKS, blocks // SMALLER))
                    smaller = True
                continue
            if roster.answered(endpoint, [question], answers):
                return end, answers[0]["result"]
        if not smaller:
            break
    return roster.none(said)
