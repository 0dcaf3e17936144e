"""Dialects of other clients and hosted services; their tables are in `dialects.toml`.

A speaker in the proxy rewords the node's errors, adds the fields of that client's blocks and receipts, refuses what the
client refuses (batches, wide log ranges, methods that it lacks), and injects its transient errors: each at every n-th
call, a bounded number of times. Where a client's limit exceeds the length of a lab's chain, a smaller one applies, with
the client's message.
"""

from __future__ import annotations

import copy
import json
import threading
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

TABLES = Path(__file__).with_name("dialects.toml")
KINDS = {
    "nonce too low": "nonce_too_low",
    "already imported": "known",
    "replacement transaction underpriced": "replacement",
    "insufficient funds": "funds",
    "max fee per gas less than block base fee": "underpriced",
    "resource not found": "missing_block",
    "unknown block": "missing_block",
    "blockoutofrange": "missing_block",
    "method not found": "unknown_method",
}
"""Part of an error message of the node behind the proxy, and the kind of that error."""

Call = dict[str, Any]
Answer = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """An HTTP answer. Headers are named with underscores."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def success(call: Call, result: Any) -> Answer:
    """An answer to a call."""
    return {"jsonrpc": "2.0", "id": call.get("id"), "result": result}


def failure(call: Call, message: str, code: int = -32000, **data: Any) -> Answer:
    """A refusal of a call."""
    return {"jsonrpc": "2.0", "id": call.get("id"), "error": {"code": code, "message": message, **data}}


@cache
def tables() -> dict[str, dict[str, Any]]:
    """The dialects by name. One that `speaks` another inherits what its own table lacks."""
    raw = tomllib.loads(TABLES.read_text(encoding="utf-8"))
    return {name: {**raw.get(table.get("speaks", ""), {}), **table} for name, table in raw.items()}


def clients() -> list[str]:
    """The names of all dialects."""
    return list(tables())


@dataclass
class Speaker:
    """One endpoint that speaks a dialect. `worded`: how often each of its own messages and fields was used."""

    table: dict[str, Any]
    worded: Counter[str] = field(default_factory=Counter)
    _asked: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @staticmethod
    def of(name: str) -> Speaker:
        """Raises ValueError for a dialect that has no table."""
        if name not in tables():
            raise ValueError(f"dialect: {name!r}, expected one of {', '.join(tables())}")
        return Speaker(tables()[name])

    def refusal(self, asked: Any) -> Reply | None:
        """The reply that refuses a whole request; None if it is answered."""
        calls = asked if isinstance(asked, list) else [asked]
        if isinstance(asked, list) and 0 < self.table.get("batch", {}).get("most", 0) < len(asked):
            return self._refuse_batch(calls)
        for place, passing in enumerate(self.table.get("passing", [])):
            for call in calls:
                if self._comes(place, passing, call):
                    return self._passing(passing, calls, isinstance(asked, list))
        return None

    def said(self, call: Call, answer: Answer) -> Answer:
        """The node's answer in this dialect."""
        method = call["method"]
        if method in self.table.get("lacks", []):
            return self._error(call, "unknown_method", method=method)
        most = self.table.get("logs", {}).get("most", 0)
        if method == "eth_getLogs" and most and _span(call) > most:
            return self._error(call, "logs", range=str(most))
        if "error" in answer:
            return self._reworded(call, answer["error"]) or answer
        extra = self.table.get("fields", {}).get(method)
        if extra and isinstance(answer.get("result"), dict):
            self._note("fields")
            more = {name: value for name, value in extra.items() if value != "absent"}
            kept = {name: value for name, value in answer["result"].items() if extra.get(name) != "absent"}
            return success(call, {**kept, **more})
        return answer

    def _note(self, what: str) -> None:
        with self._lock:
            self.worded[what] += 1

    def _comes(self, place: int, passing: dict[str, Any], call: Call) -> bool:
        """Whether a transient error comes at this call; counts it."""
        method = call["method"]
        if passing.get("method", method) != method:
            return False
        with self._lock:
            self._asked[f"{place}"] += 1
            due = self._asked[f"{place}"] % int(passing["every"]) == 0
            if not due or self.worded[f"passing {place}"] >= int(passing.get("times", 3)):
                return False
            self.worded[f"passing {place}"] += 1
        return True

    def _passing(self, passing: dict[str, Any], calls: list[Call], batch: bool) -> Reply:
        headers = {"Retry_After": str(passing["retry_after"])} if "retry_after" in passing else {}
        if "body" in passing:
            return Reply(passing["body"].encode(), passing.get("status", 200), headers)
        said = [failure(call, **_filled(passing["error"], method=call["method"])) for call in calls]
        return Reply(json.dumps(said if batch else said[0]).encode(), passing.get("status", 200), headers)

    def _refuse_batch(self, calls: list[Call]) -> Reply:
        """`form`: `one` error for all, `each` call with its own, a `list` of one, or a `body` that is no JSON-RPC."""
        self._note("batch")
        batch = self.table["batch"]
        error = _filled(batch.get("error", {"message": ""}), most=str(batch["most"]), size=str(len(calls)))
        match batch["form"]:
            case "body":
                return Reply(batch["body"].encode(), batch["status"])
            case "each":
                said: Any = [failure(call, **error) for call in calls]
            case "list":
                said = [failure(calls[0], **error)]
            case _:
                said = failure({}, **error)
        return Reply(json.dumps(said).encode(), batch.get("status", 200))

    def _error(self, call: Call, kind: str, **fills: str) -> Answer:
        words = self.table.get(kind, {}).get("error") or self.table.get(kind)
        assert isinstance(words, dict)
        self._note(kind)
        return failure(call, **_filled(words, **fills))

    def _reworded(self, call: Call, error: dict[str, Any]) -> Answer | None:
        """An error in the dialect's wording; None where it has none for it."""
        message, data = str(error.get("message", "")), error.get("data")
        kind = "revert" if error.get("code") == 3 else kind_of(message)
        if kind == "revert" and call["method"] == "eth_estimateGas" and "estimate_revert" in self.table:
            kind = "estimate_revert"
        if kind not in self.table:
            return None
        reason = message.partition(": ")[2]
        fills = {"data": data if isinstance(data, str) else "0x", "reason": reason, "method": call["method"]}
        fills["bare"] = fills["data"].removeprefix("0x")
        fills["block"] = json.dumps((call.get("params") or [None])[-1])
        return self._error(call, kind, **fills)


def kind_of(message: str) -> str:
    """The table's kind of a node's error message, "" if none."""
    low = message.lower()
    return next((kind for text, kind in KINDS.items() if text in low), "")


def _filled(words: Any, **fills: str) -> Any:
    """`words` with each `{name}` filled in, at any depth."""
    if isinstance(words, str):
        for name, value in fills.items():
            words = words.replace("{" + name + "}", value)
        return words
    if isinstance(words, dict):
        return {name: _filled(value, **fills) for name, value in words.items()}
    return copy.copy(words)


def _span(call: Call) -> int:
    """Number of blocks that a log query covers, 0 where it does not name two numbers."""
    wanted = (call.get("params") or [{}])[0]
    try:
        return int(wanted["toBlock"], 16) - int(wanted["fromBlock"], 16) + 1
    except (KeyError, TypeError, ValueError):
        return 0
