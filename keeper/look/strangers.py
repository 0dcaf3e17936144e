"""Looks at addresses that an operation names and the fund does not know: their code, owner, and answer as a feed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from eth_utils import to_checksum_address
from web3 import Web3

from ballast.abi import call_data, decode_view
from ballast.steering.words import Context
from ballast.values import NO_ADDRESS
from keeper.look.retry import ask_all
from keeper.look.rpc.endpoint import Question

KindOf = Callable[[bytes], str]
"""Name of the release's contract with this code, "" for none."""

_ROUND = ["uint256", "int256", "uint256", "uint256", "uint256"]
_VIEWS = ("owner()", "decimals()", "latestRoundData()")


def look_at(w3: Web3, context: Context, addresses: Iterable[str], kind_of: KindOf) -> Context:
    """The context with code, owner and feed answer of these addresses; reads those that it lacks in one round trip.
    Raises ChainError."""
    wanted = sorted(a for a in addresses if a not in context.codes and a != NO_ADDRESS and context.contract(a) is None)
    if not wanted:
        return context
    questions: list[Question] = []
    for to in map(to_checksum_address, wanted):
        questions.append(("eth_getCode", [to, "latest"]))
        questions += [("eth_call", [{"to": to, "data": call_data(view)}, "latest"]) for view in _VIEWS]
    found = ask_all(w3, questions, "what an operation names", reverts=True)
    codes, owners, answers = dict(context.codes), dict(context.owners), dict(context.answers)
    for number, address in enumerate(wanted):
        code, owner, decimals, answer = found[4 * number : 4 * number + 4]
        codes[address] = kind_of(bytes.fromhex(code[2:])) if code else ""
        answers[address] = _answer(_decoded(decimals, ["uint256"]), _decoded(answer, _ROUND))
        if (who := _decoded(owner, ["address"])) is not None:
            owners[address] = to_checksum_address(who[0])
    return replace(context, codes=codes, owners=owners, answers=answers)


def _decoded(answer: str | None, returns: list[str]) -> tuple[Any, ...] | None:
    return None if answer is None else decode_view(bytes.fromhex(answer[2:]), returns)


def _answer(decimals: tuple[Any, ...] | None, answer: tuple[Any, ...] | None) -> int | None:
    """A feed's answer with 18 decimals; None if it is not a plausible one."""
    if decimals is None or answer is None or decimals[0] > 18 or answer[1] <= 0:
        return None
    return int(answer[1] * 10 ** (18 - decimals[0]))
