"""Answers of shapes that no node should give, for each method that the keeper calls.

An odd answer is valid JSON-RPC with the right id, except for shapes that spoil the whole body.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from lab.chaos.dialects import Answer, Call, Reply

METHODS = (
    "eth_chainId",
    "eth_getBlockByNumber",
    "eth_getTransactionCount",
    "eth_call",
    "eth_getTransactionReceipt",
    "eth_maxPriorityFeePerGas",
    "eth_getLogs",
    "eth_estimateGas",
    "eth_getBalance",
    "eth_createAccessList",
    "eth_sendRawTransaction",
    "eth_getCode",
)
"""Methods that the keeper calls."""
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
RESULTS: dict[str, Callable[[Any], Any]] = {
    "null": lambda _: None,
    "object": lambda _: {},
    "list": lambda _: [],
    "text": lambda _: "",
    "0x": lambda _: "0x",
    "negative": lambda _: -1,
    "huge": lambda _: "0x" + "f" * 80,
    "wrong type": lambda result: False if isinstance(result, str) else "0x1",
    "fields null": lambda result: _each(result, dict.fromkeys),
    "fields missing": lambda result: _each(result, lambda fields: dict(list(fields.items())[::2])),
}
"""What each shape makes of a result."""
SHAPES = (*RESULTS, "html", "cut off")


def _each(result: Any, change: Callable[[dict[str, Any]], Any]) -> Any:
    """Applies `change` to an object, or to each object of a list; a list of null where there is none."""
    if isinstance(result, dict):
        return change(result)
    if isinstance(result, list) and result:
        return [_each(item, change) for item in result]
    return [None]


def odd(shape: str, method: str, calls: list[Call], answers: list[Answer], batch: bool) -> Reply:
    """The answers, with those to `method` made odd. Raises ValueError for an unknown shape."""
    if shape not in SHAPES:
        raise ValueError(f"shape: {shape!r}, expected one of {', '.join(SHAPES)}")
    if shape == "html":
        return Reply(HTML)
    if shape in RESULTS:
        answers = [
            {"jsonrpc": "2.0", "id": call.get("id"), "result": RESULTS[shape](answer.get("result"))}
            if call["method"] == method
            else answer
            for call, answer in zip(calls, answers, strict=True)
        ]
    body = json.dumps(answers if batch else answers[0]).encode()
    return Reply(body[: len(body) * 2 // 3] if shape == "cut off" else body)
