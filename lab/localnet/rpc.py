"""JSON-RPC to a local chain: plain requests, batches, and the few kinds of calls that the local chain needs."""

from __future__ import annotations

import http.client
import itertools
import json
import time
from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from eth_abi import decode
from web3 import Web3

from ballast.abi import call_data
from lab.localnet.errors import LocalnetError

MINED_WITHIN_S = 240.0
"""Real seconds to wait for a chain that should mine by itself; long enough for a busy machine."""

Call = tuple[str, Sequence[Any]]
"""A method and its parameters."""


class RpcError(LocalnetError):
    """The node answered with an error."""

    def __init__(self, method: str, message: str, data: object = None) -> None:
        super().__init__(f"{method}: {message}")
        self.data = data
        self._said = method, message, data

    def __reduce__(self) -> tuple[type[RpcError], tuple[str, str, object]]:
        """Lets the error be pickled, to cross from one process to another."""
        return RpcError, self._said


class Rpc(Protocol):
    """What the rest of this package needs of a connection."""

    def request(self, method: str, *params: Any) -> Any: ...

    def batch(self, calls: Sequence[Call]) -> list[Any]: ...


class HttpRpc:
    """JSON-RPC over one kept-alive HTTP connection. The node may run a batch's requests in any order."""

    def __init__(self, url: str, timeout: float = 60.0) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise LocalnetError(f"RPC URL: {url!r}, expected http://HOST:PORT")
        self.url = url
        self._path = parts.path or "/"
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=timeout)
        self._ids = itertools.count(1)

    def request(self, method: str, *params: Any) -> Any:
        return _result(method, self._post(self._body(method, params)))

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        if not calls:
            return []
        bodies = [self._body(method, params) for method, params in calls]
        answers = self._post(bodies)
        if not isinstance(answers, list):
            raise RpcError("batch", f"the node answered {answers!r}")
        by_id = {answer.get("id"): answer for answer in answers}
        return [_result(body["method"], by_id.get(body["id"], {})) for body in bodies]

    def close(self) -> None:
        self._connection.close()

    def _body(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}

    def _post(self, body: object) -> Any:
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        try:
            self._connection.request("POST", self._path, data, headers)
            return json.loads(self._connection.getresponse().read())
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            self._connection.close()
            raise LocalnetError(f"RPC {self.url}: {error}") from error


class Web3Rpc:
    """The same over a Web3's own provider."""

    def __init__(self, w3: Web3) -> None:
        self._w3 = w3

    def request(self, method: str, *params: Any) -> Any:
        answer = self._w3.provider.make_request(method, list(params))  # type: ignore[arg-type]
        return _result(method, answer)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        return [self.request(method, *params) for method, params in calls]


def _result(method: str, answer: Any) -> Any:
    if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
        raise RpcError(method, f"the node answered {answer!r}")
    error = answer.get("error")
    if error is not None:
        if isinstance(error, dict):
            raise RpcError(method, str(error.get("message", error)), error.get("data"))
        raise RpcError(method, str(error))
    return answer["result"]


def read(rpc: Rpc, to: str, signature: str, returns: Sequence[str], *args: Any) -> tuple[Any, ...]:
    """Call a view at the latest block and decode what it returns."""
    answer = rpc.request("eth_call", {"to": to, "data": call_data(signature, *args)}, "latest")
    return unpack(returns, answer, to, signature)


def read_many(rpc: Rpc, calls: Sequence[tuple[str, str, Sequence[Any]]], returns: Sequence[str]) -> list[Any]:
    """Call views (address, signature, arguments) that all return the same types, in one batch."""
    answers = rpc.batch(
        [("eth_call", ({"to": to, "data": call_data(signature, *args)}, "latest")) for to, signature, args in calls]
    )
    return [unpack(returns, answer, call[0], call[1]) for answer, call in zip(answers, calls, strict=True)]


def unpack(returns: Sequence[str], answer: str, to: str, signature: str) -> tuple[Any, ...]:
    """Decode what a call returned."""
    data = bytes.fromhex(answer.removeprefix("0x"))
    if not data:
        raise LocalnetError(f"{signature} of {to}: no data came back, expected a contract there")
    return tuple(decode(list(returns), data))


def send(
    rpc: Rpc,
    sender: str,
    to: str | None,
    data: str,
    *,
    gas: int,
    value: int = 0,
    listed: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Send from an account that the node signs for; the receipt. The node must mine at once. Raises LocalnetError on a
    revert.

    No fee is set: the node fills one in, which any account with ether can pay. `listed`: the access list (EIP-2930).
    """
    transaction: dict[str, Any] = {"from": sender, "data": data, "gas": hex(gas), "value": hex(value)}
    if to is not None:
        transaction["to"] = to
    if listed:
        transaction["accessList"] = list(listed)
    digest = rpc.request("eth_sendTransaction", transaction)
    receipt = receipt_of(rpc, digest)
    if int(receipt["status"], 16) != 1:
        raise LocalnetError(f"transaction {digest} from {sender} to {to}: reverted{_reason(rpc, transaction, receipt)}")
    return receipt


def receipt_of(rpc: Rpc, digest: str) -> dict[str, Any]:
    """Wait for a transaction's receipt, which a chain that mines by itself has within milliseconds. Raises
    LocalnetError."""
    end = time.monotonic() + MINED_WITHIN_S
    while time.monotonic() < end:
        receipt = rpc.request("eth_getTransactionReceipt", digest)
        if isinstance(receipt, dict):
            return receipt
        time.sleep(0.002)
    raise LocalnetError(f"transaction {digest}: not mined within {MINED_WITHIN_S:.0f} s; the chain must mine by itself")


def _reason(rpc: Rpc, transaction: dict[str, Any], receipt: dict[str, Any]) -> str:
    before = hex(int(receipt["blockNumber"], 16) - 1)
    try:
        rpc.request("eth_call", transaction, before)
    except RpcError as error:
        return f": {error} {error.data or ''}".rstrip()
    return ""
