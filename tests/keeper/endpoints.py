"""An endpoint in front of the node that notes what it is asked, may keep transactions to itself, and may answer some
questions by itself."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests
from eth_utils import keccak

SEND = "eth_sendRawTransaction"
KEY = "key-that-nobody-may-see"
"""In the path of its URL, as services have it."""

Own = Callable[[dict[str, Any]], dict[str, Any] | None]
"""From a request to the `result` or `error` of an answer of the endpoint's own; None: the node's."""


@dataclass
class Endpoint:
    """A running endpoint. `methods`: what it was asked, in order; `passes`: whether transactions reach the node."""

    url: str
    passes: bool = True
    methods: list[str] = field(default_factory=list)


@contextlib.contextmanager
def endpoint(node: str, *, passes: bool = True, own: Own = lambda _: None, batches: bool = True) -> Iterator[Endpoint]:
    """Runs one in front of `node` until the block ends. `batches`: whether it takes several requests at once."""
    found = Endpoint("", passes)

    def here(asked: dict[str, Any]) -> dict[str, Any] | None:
        answer = own(asked)
        if answer is None and asked["method"] == SEND and not found.passes:
            answer = {"result": "0x" + keccak(hexstr=asked["params"][0]).hex()}
        return None if answer is None else {"jsonrpc": "2.0", "id": asked["id"], **answer}

    def passed_on(asked: Any) -> Any:
        return requests.post(node, json=asked, timeout=20).json()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked = json.loads(body)
            many = asked if isinstance(asked, list) else [asked]
            found.methods += [request["method"] for request in many]
            if isinstance(asked, list) and not batches:
                self.send_error(400)
                return
            mine = [here(request) for request in many]
            if any(mine):
                answers = [answer or passed_on(request) for request, answer in zip(many, mine, strict=True)]
            else:
                answers = passed_on(asked)
            answer = json.dumps(answers if isinstance(asked, list) or not any(mine) else answers[0]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/{KEY}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
