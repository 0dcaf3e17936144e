"""An endpoint in front of the node that notes what it is asked, and may keep transactions to itself."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
from eth_utils import keccak

SEND = "eth_sendRawTransaction"
KEY = "key-that-nobody-may-see"
"""In the path of its URL, as services have it."""
HOLDS_S = 120
"""What is held back is let go after so long in any case."""


@dataclass
class Endpoint:
    """A running endpoint. `methods`: what it was asked, in order; `passes`: whether transactions reach the node;
    `answers`: cleared, it takes what it is asked and says nothing."""

    url: str
    passes: bool = True
    methods: list[str] = field(default_factory=list)
    answers: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Runs a server on the loopback until the block ends; its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextlib.contextmanager
def endpoint(node: str, *, passes: bool = True) -> Iterator[Endpoint]:
    """Runs one in front of `node` until the block ends."""
    found = Endpoint("", passes)
    found.answers.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked = json.loads(body)
            found.methods.append(asked["method"])
            if asked["method"] == SEND and not found.passes:
                digest = "0x" + keccak(hexstr=asked["params"][0]).hex()
                answer = json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": digest}).encode()
            else:
                answer = requests.post(
                    node, data=body, headers={"Content-Type": "application/json"}, timeout=20
                ).content
            found.answers.wait(HOLDS_S)
            with contextlib.suppress(OSError):  # whoever asked may be gone
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with serving(Handler) as port:
        found.url = f"http://127.0.0.1:{port}/{KEY}"
        try:
            yield found
        finally:
            found.answers.set()
