"""A service on the loopback that takes alerts, as apprise's json:// sends them."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.helpers.waiting import PATIENCE_S

TOKEN = "token-that-nobody-may-see"
"""In the path of its URL, as services have it."""

HOLDS_S = 2 * PATIENCE_S
"""What is held back is let go after so long in any case: whoever waits for it fails."""


@dataclass
class Receiver:
    """A running service. `status`: what it answers; `answers`: cleared, it takes requests and does not answer them;
    `got`: title and text of each request."""

    url: str
    status: int = 200
    answers: threading.Event = field(default_factory=threading.Event)
    got: list[tuple[str, str]] = field(default_factory=list)

    def titles(self) -> list[str]:
        return [title for title, _ in self.got]


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    """Runs one until the block ends."""
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
            """Nothing."""

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
