"""Asking the endpoints: one after the other until one answers, and events in as small pieces as that takes."""

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
"""The fewest blocks that are asked for events at once: the smallest limit of a hosted node."""
SMALLER = 4
"""What an endpoint does not give over some blocks it is asked for over so many times fewer."""
_ROUNDS = 8

Fits = Callable[[list[Answer]], None]
"""Raises ValueError for answers that cannot be used although each is well-formed."""


def ask(roster: Roster, questions: Sequence[Question], fits: Fits | None = None) -> list[Answer]:
    """The first usable answers. What is not a read goes to one endpoint only. Raises NoEndpointError."""
    said: dict[str, str] = {}
    found = next(each(roster, questions, said, fits), None)
    return roster.none(said) if found is None else found[1]


def each(
    roster: Roster, questions: Sequence[Question], said: dict[str, str], fits: Fits | None = None
) -> Iterator[tuple[Endpoint, list[Answer]]]:
    """Answers of one endpoint after the other. One that fails altogether is put aside; one that does not answer this
    question only if it repeats that and another one does. `said` gets the reasons of those if no other one does."""
    once = not all(is_read(method) for method, _ in questions)
    failed: list[tuple[Endpoint, Fault]] = []
    for endpoint in roster.in_order(questions, more=lambda: bool(failed)):
        try:
            answers = endpoint.ask(questions)
            _require(fits, answers, questions)
        except EndpointError as error:
            fault = error.fault
            if fault.strict and {method for method, _ in questions} <= OPTIONAL:
                # Some limit these alone. If it limits all, the next question shows it.
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
    """The events of a range of blocks. What one endpoint does not give at once is asked of another, then in smaller
    pieces. Raises NoEndpointError."""
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
    """The events from `first` to a block that is at most `last`, and that block."""
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
                    # Some limit the questions for events alone. If it limits all, the next question shows it.
                    roster.last_for(endpoint, method)
                if not fault.strict and fault.reason != CONNECTION and blocks > MIN_BLOCKS:
                    # Whatever its words are: perhaps it gives fewer blocks.
                    roster.gives_fewer(endpoint, max(MIN_BLOCKS, blocks // SMALLER))
                    smaller = True
                continue
            if roster.answered(endpoint, [question], answers):
                return end, answers[0]["result"]
        if not smaller:
            break
    return roster.none(said)
