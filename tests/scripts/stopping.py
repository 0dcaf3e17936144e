"""Ends a deployment at a chosen transaction, as a kill does: nothing of it runs on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from web3 import Web3
from web3.middleware import Web3Middleware
from web3.types import MakeRequestFn, RPCEndpoint, RPCResponse

SEND = "eth_sendRawTransaction"


class Stopped(BaseException):
    """The process ends here; nothing catches it."""


@contextmanager
def stopped_at(w3: Web3, number: int, *, taken: bool) -> Iterator[list[str]]:
    """Within the block the transaction of this number (from 1) ends the process: before it reaches the node, or after
    the node has `taken` it and before its answer is heard. Yields what arrived."""
    arrived: list[str] = []
    sent = 0

    class Stop(Web3Middleware):
        def wrap_make_request(self, make_request: MakeRequestFn) -> MakeRequestFn:
            def asked(method: RPCEndpoint, params: Any) -> RPCResponse:
                nonlocal sent
                if method != SEND:
                    return make_request(method, params)
                sent += 1
                if sent != number:
                    return make_request(method, params)
                if taken:
                    assert "result" in make_request(method, params)
                arrived.append(params[0])
                raise Stopped

            return asked

    w3.middleware_onion.inject(Stop, "stop", layer=0)
    try:
        yield arrived
    finally:
        w3.middleware_onion.remove("stop")


@contextmanager
def watched(w3: Web3, after_send: Callable[[], None], fee: int | None = None) -> Iterator[None]:
    """Within the block `after_send` is called when the node has taken a transaction; each block's base fee looks like
    `fee`, if one is given."""

    class Watch(Web3Middleware):
        def wrap_make_request(self, make_request: MakeRequestFn) -> MakeRequestFn:
            def asked(method: RPCEndpoint, params: Any) -> RPCResponse:
                answer = make_request(method, params)
                if method == "eth_getBlockByNumber" and fee is not None:
                    answer["result"]["baseFeePerGas"] = hex(fee)
                if method == SEND:
                    after_send()
                return answer

            return asked

    w3.middleware_onion.inject(Watch, "watch", layer=0)
    try:
        yield
    finally:
        w3.middleware_onion.remove("watch")
