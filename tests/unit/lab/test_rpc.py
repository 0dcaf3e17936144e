"""A node's error crosses from a scenario's process to ours."""

from __future__ import annotations

import pickle

from lab.localnet.rpc import RpcError


def test_an_error_can_be_pickled() -> None:
    found = pickle.loads(pickle.dumps(RpcError("eth_call", "reverted", "0xab")))
    assert (str(found), found.data) == ("eth_call: reverted", "0xab")
