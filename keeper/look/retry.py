"""Sends read-only requests: retries if a connection fails, and raises ChainError for every other error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
import tenacity
from web3 import Web3
from web3.exceptions import Web3Exception
from web3.types import BlockData, RPCEndpoint

from keeper.errors import ChainError
from keeper.look import contracts
from keeper.look.rpc import EndpointPool, NoEndpointError
from keeper.look.rpc.endpoint import Answer, Question

T = TypeVar("T")


@dataclass(frozen=True)
class Head:
    """The latest block: number, hash, time (Unix seconds), base fee (wei per gas, 0 if the chain has none)."""

    number: int
    hash: str
    time: int
    base_fee: int

    @classmethod
    def of(cls, block: BlockData) -> Head:
        """The head from a block of web3.py."""
        return cls(
            number=int(block["number"]),
            hash=Web3.to_hex(block["hash"]),
            time=int(block["timestamp"]),
            base_fee=int(block.get("baseFeePerGas", 0)),
        )


def _fleeting(error: BaseException) -> bool:
    if isinstance(error, NoEndpointError):
        return error.fleeting
    return isinstance(error, requests.exceptions.ConnectionError)


# Shared: the decorator would create one per request and leave it to the garbage collector.
_patiently = tenacity.Retrying(
    retry=tenacity.retry_if_exception(_fleeting),
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_exponential(multiplier=0.1, max=2),
    reraise=True,
)


def ask(question: Callable[[], T], what: str) -> T:
    """The answer to a read-only request, retried if the connection fails. Raises ChainError."""
    try:
        return _patiently(question)
    except NoEndpointError as error:
        raise ChainError(f"{what}: the node does not answer ({error})") from error
    except requests.exceptions.RequestException as error:
        raise ChainError(f"{what}: the node does not answer ({type(error).__name__})") from error
    except (Web3Exception, ValueError) as error:
        raise ChainError(f"{what}: {_line(error)}") from error


def block_time(w3: Web3, block: int) -> int:
    """The time of a block (Unix seconds). Raises ChainError."""
    return ask(lambda: int(w3.eth.get_block(block)["timestamp"]), f"block {block}")


def ask_all(
    w3: Web3,
    questions: list[Question],
    what: str,
    *,
    agreed: bool = False,
    fits: Callable[[list[Any]], None] | None = None,
    reverts: bool = False,
) -> list[Any]:
    """Results of several read-only requests in one round trip. Raises ChainError.

    `agreed`: as many endpoints as the settings require must agree on them. `fits` raises ValueError for unusable
    results; then another endpoint is tried. `reverts`: a call that reverts gives None instead of an error.
    """

    def usable(answers: list[Answer]) -> None:
        if fits is not None and all("result" in answer for answer in answers):
            fits([answer["result"] for answer in answers])

    def question() -> list[Answer]:
        provider: Any = w3.provider
        if isinstance(provider, EndpointPool):
            return provider.agreed(questions, usable) if agreed else provider.asked(questions, usable)
        found: list[Answer] = provider.make_batch_request([(RPCEndpoint(method), given) for method, given in questions])
        usable(found)
        return found

    results = []
    for answer in ask(question, what):
        if "error" in answer and not (reverts and _reverted(answer["error"])):
            raise ChainError(f"{what}: {_refusal(answer['error'])}")
        results.append(answer.get("result"))
    return results


def _reverted(error: Mapping[str, Any]) -> bool:
    """Whether an error means that the call reverted."""
    return "data" in error or "revert" in str(error["message"]).lower()


def _refusal(error: Mapping[str, Any]) -> str:
    """The message of an error answer in one line."""
    _, name, arguments = contracts.describe_revert(error.get("data", ""))
    return f"reverts with {name}{arguments}" if name else _line(error["message"])


def _line(error: object) -> str:
    return " ".join(str(error).split())[:300]
