"""A node of our own, whatever else runs on the machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.localnet import anvil as module
from lab.localnet.anvil import PORT_TRIES, anvil, free_port
from lab.localnet.errors import LocalnetError
from lab.localnet.rpc import HttpRpc
from tests.helpers.waiting import dead_port


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else has taken."""
    with dead_port() as port:
        yield port


def test_a_port_that_somebody_else_has_taken_meanwhile(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ports = iter([taken, taken, free_port()])
    monkeypatch.setattr(module, "free_port", lambda: next(ports))
    with anvil() as url:
        rpc = HttpRpc(url)
        assert rpc.request("eth_chainId") == "0x1"
        rpc.close()
    ports = iter([taken] * PORT_TRIES)
    with pytest.raises(LocalnetError, match="ended with code"), anvil():
        pass


def test_a_port_that_was_asked_for_is_not_replaced(taken: int) -> None:
    with pytest.raises(LocalnetError, match=f"ended with code .*:{taken}"), anvil(port=taken):
        pass
