"""A node of our own, whatever else runs on the machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from lab.localnet import anvil as module
from lab.localnet.anvil import PORT_TRIES, anvil, free_port
from lab.localnet.errors import LocalnetError
from lab.localnet.rpc import HttpRpc, send
from tests.helpers.waiting import dead_port

GAS = 100_000


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


def test_a_fork_keeps_its_past() -> None:
    """In anvil's own way all but one of the contracts with the same code have lost it some hundred blocks later."""
    answers_seven = "0x69600760005260206000f3600052600a6016f3"
    with anvil() as upstream, anvil(fork_url=upstream) as url, closing(HttpRpc(url)) as fork:
        who = fork.request("eth_accounts")[0]
        twins = [send(fork, who, None, answers_seven, gas=GAS)["contractAddress"] for _ in range(2)]
        then = [send(fork, who, twin, "0x", gas=GAS)["blockNumber"] for twin in twins][-1]
        fork.request("anvil_mine", hex(1_500))
        assert [int(fork.request("eth_call", {"to": twin}, then), 16) for twin in twins] == [7, 7]
