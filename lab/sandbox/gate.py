"""A node's endpoint with callbacks for each transaction, before the node has it and after."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import requests

from lab.testbed.loopback import JsonHandler, serving

SEND = "eth_sendRawTransaction"
ANSWERS_WITHIN_S = 240.0


@dataclass
class Gate:
    """`before` and `after` are called around each transaction on its way to the node. If `before` returns False, the
    transaction is not forwarded; if `after` does, its answer is withheld. Both end the connection without an answer."""

    url: str = ""
    sent: int = 0
    before: Callable[[], bool] | None = None
    after: Callable[[], bool] | None = None


@contextlib.contextmanager
def gate(node: str) -> Iterator[Gate]:
    """Runs a gate in front of `node` until the block ends."""
    found = Gate()

    class Handler(JsonHandler):
        def posted(self, body: bytes) -> None:
            asked = json.loads(body)
            sends = any(each["method"] == SEND for each in (asked if isinstance(asked, list) else [asked]))
            if sends and found.before is not None and not found.before():
                self.close_connection = True
                return
            said = requests.post(
                node, data=body, headers={"Content-Type": "application/json"}, timeout=ANSWERS_WITHIN_S
            ).content
            found.sent += sends
            if sends and found.after is not None and not found.after():
                self.close_connection = True
                return
            self.answer(said)

    with serving(Handler) as url:
        found.url = url
        yield found
