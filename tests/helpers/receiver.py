"""A service on the loopback that receives alerts as apprise's json:// sends them."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.helpers.waiting import PATIENCE_S

TOKEN = "token-that-nobody-may-see"
"""Part of its URL's path, as with real services."""

HOLDS_S = 2 * PATIENCE_S
"""Longest that a request is held back, seconds: a test that waits for it has failed by then."""


@dataclass
class Receiver:
    """A running service. `status`: of its answers; `answers`: while cleared, requests are received and not answered;
    `got`: title and text of each request."""

    url: str
    status: int = 200
    answers: threading.Event = field(default_factory=threading.Event)
    got: list[tuple[str, str]] = field(default_factory=list)

    def titles(self) -> list[str]:
        return [title for title, _ in self.got]


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    """Runs a receiver until the block ends."""
    found = Receiver("")
    found.answers.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.got.append((said["title"], said["message"]))
            found.answers.wait(HOLDS_S)
            with contextlib.suppress(OSError):
                self.send_response(found.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"json://127.0.0.1:{server.server_port}/{TOKEN}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.answers.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
