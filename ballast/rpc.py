"""Checks whether a node answers at a URL, and words its errors in one line.

The part of a URL after the host may be a key; messages never contain it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.exceptions import RequestException
from web3 import HTTPProvider
from web3.providers.rpc.utils import ExceptionRetryConfiguration

from ballast.errors import UserError

FIRST_S = 6
"""Time-out for the first answer of a node."""
LATER_S = 20
"""Time-out for each later answer: logs of many blocks take long."""
RETRIES, BACKOFF_S = 4, 0.5
"""Retries after HTTP errors and broken connections; all together take about four seconds."""
_WORDS = {
    401: "refuses the key in its URL",
    403: "refuses the key in its URL",
    404: "has nothing at the path of its URL",
    429: "refuses more requests for now: its limit is used up",
}


class RpcError(UserError):
    """An unusable node; one line."""


def shown(url: str) -> str:
    """Scheme, host and port of a URL, for messages."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def require_node(url: str) -> None:
    """Requests the node's chain id, once. Raises RpcError if it is not a node's answer."""
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise RpcError(f"rpc: found {shown(url)!r}, expected http://... or https://...")
    question = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    try:
        answer = requests.post(url, json=question, timeout=FIRST_S)
        answer.raise_for_status()
        said = answer.json()
        int(said["result"], 16)
    except RequestException as error:
        raise RpcError(trouble(error, url)) from None
    except (KeyError, TypeError, ValueError):
        raise RpcError(f"rpc: {shown(url)} answers, but not as a node; is this its RPC URL?") from None


def trouble(error: RequestException, url: str = "") -> str:
    """Text of a node's error, and what to do. `url`: the request's, if the error does not have it."""
    asked = error.request.url if error.request is not None else url
    where = shown(str(asked)) if asked else "the node"
    if isinstance(error, requests.exceptions.JSONDecodeError):
        return f"rpc: {where} answers, but not as a node; is this its RPC URL?"
    if error.response is not None:
        status = error.response.status_code
        words = _WORDS.get(status, "is out of order for now" if status >= 500 else "refuses the request")
        return f"rpc: {where} {words} (HTTP {status}); wait and try again, or name another node with --rpc"
    if isinstance(error, requests.Timeout):
        return f"rpc: {where} does not answer; try again, or name another node with --rpc"
    return f"rpc: {where} cannot be reached; is the URL right, and does the node run?"


def bound(web3: Any, url: str) -> None:
    """Gives the connection a time-out per answer, and few retries: Ape's own would wait half an hour."""
    retries = ExceptionRetryConfiguration(
        errors=(requests.ConnectionError, requests.HTTPError), retries=RETRIES, backoff_factor=BACKOFF_S
    )
    web3.provider = HTTPProvider(url, request_kwargs={"timeout": LATER_S}, exception_retry_configuration=retries)
