"""The endpoint that the keeper's benchmark counts with."""

from __future__ import annotations

from lab.bench.counting import counting
from lab.localnet.anvil import anvil
from lab.localnet.rpc import HttpRpc


def test_a_batch_counts_once_and_every_look_finds_a_new_block() -> None:
    latest = ("eth_getBlockByNumber", ("latest", False))
    with anvil() as url, counting(url) as counter:
        looks: list[int] = []
        counter.on_look = looks.append
        rpc = HttpRpc(counter.url)
        numbers = [int(rpc.batch([("eth_chainId", ()), latest])[1]["number"], 16) for _ in range(3)]
        assert numbers == [1, 2, 3] and looks == [1, 2, 3]
        assert counter.requests == 3 and len(counter.looks) == 3
        assert int(rpc.request("eth_blockNumber"), 16) == 3
        assert counter.requests == 4 and len(counter.looks) == 3
        rpc.close()
