"""One endpoint: what it limits, what it cannot be, and an answer that never ends."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from web3.types import RPCEndpoint

from keeper.look.rpc import EndpointLimits, EndpointPool, NoEndpointError
from keeper.look.rpc.endpoint import Endpoint, EndpointError
from lab.testbed.loopback import JsonHandler, serving
from tests.helpers.waiting import PATIENCE_S
from tests.unit.keeper.look.node import ASKED, TRUTH, node

LIMITED = b'{"jsonrpc": "2.0", "id": null, "error": {"code": -32005, "message": "method request limit reached"}}'


@pytest.mark.parametrize("body", [(429, b""), LIMITED], ids=["HTTP 429", "rate limit"])
@pytest.mark.parametrize("method", ["eth_getLogs", "eth_feeHistory"])
def test_who_limits_what_the_keeper_can_do_without_is_asked_for_the_rest(method: str, body: Any) -> None:
    with node() as only:
        only.says[method] = lambda _: body
        pool = EndpointPool([only.url], limits=EndpointLimits(chain_id=1), check_s=10_000, timeout_s=PATIENCE_S)
        for _ in range(3):
            with pytest.raises(NoEndpointError):
                pool.make_request(RPCEndpoint(method), ASKED[method])
            assert "result" in pool.make_request(RPCEndpoint("eth_getBalance"), ASKED["eth_getBalance"])
        assert only.asked.count((method,)) == 3  # not in smaller pieces


@pytest.mark.parametrize("body", [(429, b""), LIMITED], ids=["HTTP 429", "rate limit"])
def test_who_limits_batches_alone_is_asked_one_by_one(body: Any) -> None:
    questions: Any = [(method, ASKED[method]) for method in ("eth_call", "eth_getBalance")]
    with node() as only:
        only.batch = lambda _: body
        endpoint = Endpoint(only.url, "x", PATIENCE_S)
        for limited in (True, True, False, True, True, False, False):
            with pytest.raises(EndpointError) if limited else contextlib.nullcontext():
                assert len(endpoint.ask(questions)) == 2
        assert only.asked[-2:] == [("eth_call",), ("eth_getBalance",)]
        # A limit of everything that is over leaves batches as they were.
        only.batch = None
        fresh = Endpoint(only.url, "x", PATIENCE_S)
        fresh._failed = 2
        assert [len(fresh.ask(questions)) for _ in range(2)] == [2, 2]
        assert only.asked[-1] == ("eth_call", "eth_getBalance")


def test_who_drops_batches_is_asked_one_by_one() -> None:
    class Dropping(JsonHandler):
        def posted(self, body: bytes) -> None:
            asked = json.loads(body)
            if isinstance(asked, list):
                self.close_connection = True
            else:
                result = TRUTH[asked["method"]](asked["params"])
                self.answer(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}).encode())

    questions: Any = [(method, ASKED[method]) for method in ("eth_call", "eth_getBalance")]
    with serving(Dropping) as url:
        endpoint = Endpoint(url, "x", PATIENCE_S)
        for dropped in (True, True, False, True, True, False, False):
            with pytest.raises(EndpointError) if dropped else contextlib.nullcontext():
                assert len(endpoint.ask(questions)) == 2


def test_a_host_that_cannot_be_one_is_a_connection_that_fails() -> None:
    with node() as good:
        pool = EndpointPool(
            ["http://mainnet..example", good.url], limits=EndpointLimits(chain_id=1), timeout_s=PATIENCE_S
        )
        assert "result" in pool.make_request(RPCEndpoint("eth_getBalance"), ASKED["eth_getBalance"])
        assert [status.reason for status in pool.status()] == ["connection failed", ""]


def test_an_answer_that_drips_is_none() -> None:
    """Each byte comes in time, all of them would take an hour."""
    dripped = 0

    class Dripping(JsonHandler):
        def posted(self, body: bytes) -> None:
            del body
            nonlocal dripped
            self.send_response(200)
            self.send_header("Content-Length", "60000")
            self.end_headers()
            while dripped < 500:
                self.wfile.write(b" ")
                dripped += 1
                time.sleep(0.05)

    with serving(Dripping) as url, pytest.raises(EndpointError, match=r"^time-out$"):
        Endpoint(url, "x", 1.0).ask([("eth_chainId", [])])
    assert 0 < dripped < 500
