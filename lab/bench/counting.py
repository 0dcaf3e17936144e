"""An endpoint before a node that counts HTTP requests, and mines a block before each request for the latest one."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from lab.localnet.rpc import HttpRpc
from lab.testbed.loopback import JsonHandler, serving

HEAD = "eth_getBlockByNumber"


class Counter:
    """The requests received. A batch counts as one.

    `looks`: when the latest block was requested, Unix ns, after the block was mined. `on_look` is called with the
    number of looks before the look is answered; the client waits meanwhile.
    """

    def __init__(self, node: str) -> None:
        self.url = ""
        self.requests = 0
        self.looks: list[int] = []
        self.on_look: Callable[[int], None] = lambda _: None
        self._rpc = HttpRpc(node)

    def took(self, body: bytes) -> None:
        """Counts a request."""
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

    class Handler(JsonHandler):
        def setup(self) -> None:
            super().setup()
            self.node = http.client.HTTPConnection(str(behind.hostname), behind.port or 80, timeout=60)

        def posted(self, body: bytes) -> None:
            counter.took(body)
            self.node.request("POST", behind.path or "/", body, {"Content-Type": "application/json"})
            self.answer(self.node.getresponse().read())

        def finish(self) -> None:
            self.node.close()
            super().finish()

    with serving(Handler) as counter.url:
        yield counter
