"""An endpoint in front of the node that notes what it is asked, keeps transactions to itself, or misbehaves."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import requests
from eth_utils import keccak

from lab.testbed.loopback import JsonHandler, serving
from tests.helpers.waiting import PATIENCE_S

SEND = "eth_sendRawTransaction"
KEY = "key-that-nobody-may-see"
"""In the path of its URL, as services have it."""
HOLDS_S = 2 * PATIENCE_S
"""What is held back is let go after so long in any case."""

Change = Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]
"""What becomes of an answer; takes the question and the node's answer."""


@dataclass
class EndpointProxy:
    """A running endpoint.

    `passes`: whether transactions reach the node. `methods`: what it was asked, in order; `trips`: the same, by HTTP
    request. `fails`: an HTTP status that it answers with, "reset": it breaks the connection off, "dropped": so only
    after the node has answered, "hangs": no answer until the block ends, or a text that it answers in place of JSON.
    `change`: makes another answer of the node's. `before`: called before anything else, with the methods asked.
    `refuses`: takes a signed transaction and says in which words it is refused, without reaching the node; None: it is
    taken. `answers`: cleared, it takes what it is asked and says nothing until it is set.
    """

    url: str
    passes: bool = True
    methods: list[str] = field(default_factory=list)
    trips: list[tuple[str, ...]] = field(default_factory=list)
    fails: int | str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    answers: threading.Event = field(default_factory=threading.Event)
    change: Change | None = None
    before: Callable[[tuple[str, ...]], None] | None = None
    refuses: Callable[[str], str | None] | None = None

    @property
    def host(self) -> str:
        """What may be told of it."""
        return self.url.split("/")[2]


@contextlib.contextmanager
def endpoint(node: str, *, passes: bool = True) -> Iterator[EndpointProxy]:
    """Runs one in front of `node` until the block ends."""
    found = EndpointProxy("", passes)
    found.answers.set()
    ended = threading.Event()

    class Handler(JsonHandler):
        def posted(self, body: bytes) -> None:
            asked = json.loads(body)
            batch = asked if isinstance(asked, list) else [asked]
            trip = tuple(each["method"] for each in batch)
            found.methods += trip
            found.trips.append(trip)
            if found.before is not None:
                found.before(trip)
            fails = found.fails
            if fails == "hangs":
                ended.wait(HOLDS_S)
            if fails in ("reset", "hangs"):
                self.break_off()
            elif isinstance(fails, int):
                self.say(fails, b"no")
            elif fails is not None and fails != "dropped":
                self.say(200, fails.encode())
            elif trip == (SEND,) and found.refuses and (words := found.refuses(asked["params"][0])) is not None:
                error = {"code": -32000, "message": words}
                self.say(200, json.dumps({"jsonrpc": "2.0", "id": asked["id"], "error": error}).encode())
            elif trip == (SEND,) and not found.passes:
                digest = "0x" + keccak(hexstr=asked["params"][0]).hex()
                self.say(200, json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": digest}).encode())
            else:
                headers = {"Content-Type": "application/json"}
                said = requests.post(node, data=body, headers=headers, timeout=PATIENCE_S).json()
                if fails == "dropped":
                    self.break_off()
                    return
                if found.change is not None:
                    answers = said if isinstance(said, list) else [said]
                    by_id = {each["id"]: each for each in batch}
                    changed = [found.change(by_id[each["id"]], each) for each in answers]
                    said = changed if isinstance(said, list) else changed[0]
                self.say(200, json.dumps(said).encode())

        def say(self, status: int, content: bytes) -> None:
            found.answers.wait(HOLDS_S)
            self.answer(content, status, **found.headers)

        def break_off(self) -> None:
            """Ends the connection without a word."""
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()

    with serving(Handler) as url:
        found.url = f"{url}/{KEY}"
        try:
            yield found
        finally:
            ended.set()
            found.answers.set()
