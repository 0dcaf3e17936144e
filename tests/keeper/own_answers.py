"""An endpoint in front of the node that answers some questions by itself, and may refuse batches."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import requests

from lab.testbed.loopback import JsonHandler, serving
from tests.helpers.waiting import PATIENCE_S
from tests.keeper.endpoints import KEY

Own = Callable[[dict[str, Any]], dict[str, Any] | None]
"""From a request to the `result` or `error` of an answer of the endpoint's own; None: the node's."""


@contextlib.contextmanager
def answering(node: str, own: Own = lambda _: None, *, batches: bool = True) -> Iterator[str]:
    """Runs one in front of `node` until the block ends; its URL. `batches`: whether it takes several requests at
    once."""

    def answer(asked: dict[str, Any]) -> Any:
        mine = own(asked)
        if mine is not None:
            return {"jsonrpc": "2.0", "id": asked["id"], **mine}
        return requests.post(node, json=asked, timeout=PATIENCE_S).json()

    class Handler(JsonHandler):
        def posted(self, body: bytes) -> None:
            asked = json.loads(body)
            if isinstance(asked, list) and not batches:
                self.answer(b"no", 400)
                return
            if not isinstance(asked, list):
                found = answer(asked)
            elif any(own(request) for request in asked):
                found = [answer(request) for request in asked]
            else:
                found = requests.post(node, json=asked, timeout=PATIENCE_S).json()
            self.answer(json.dumps(found).encode())

    with serving(Handler) as url:
        yield f"{url}/{KEY}"
