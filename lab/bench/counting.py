"""An endpoint in front of a node that counts HTTP requests, and mines a block before each look at the latest one."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from lab.localnet.rpc import HttpRpc

HEAD = "eth_getBlockByNumber"


class Counter:
    """What came in. A batch counts as one request.

    `looks`: times at which the latest block was asked for, Unix ns, after the block was mined. `on_look` is called with
    the number of looks before the look is answered; whoever asked waits meanwhile.
    """

    def __init__(self, node: str) -> None:
        self.url = ""
        self.requests = 0
        self.looks: list[int] = []
        self.on_look: Callable[[int], None] = lambda _: None
        self._rpc = HttpRpc(node)

    def took(self, body: bytes) -> None:
        """Notes a request."""
        asked = json.loads(body)
        self.requests += 1
        if any(each["method"] == HEAD for each in (asked if isinstance(asked, list) else [asked])):
            self._rpc.request("evm_mine")
            self.looks.append(time.time_ns())
            self.on_look(len(self.looks))


@contextlib.contextmanager
def counting(node: str) -> Iterator[Counter]:
    """Runs the endpoint until the block ends."""
    counter = Counter(node)
    behind = urlsplit(node)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            self.node = http.client.HTTPConnection(str(behind.hostname), behind.port or 80, timeout=60)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            counter.took(body)
            self.node.request("POST", behind.path or "/", body, {"Content-Type": "application/json"})
            answer = self.node.getresponse().read()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def finish(self) -> None:
            self.node.close()
            super().finish()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    counter.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield counter
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
