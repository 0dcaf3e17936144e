"""A node in the moment after a block: it answers calls with that block's state, and with the time of the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.localnet.rpc import Call, Rpc


@dataclass(frozen=True)
class Earlier:
    """The same node, whose calls see the time `time` (Unix seconds)."""

    rpc: Rpc
    time: int

    def request(self, method: str, *params: Any) -> Any:
        more = ({}, {"time": hex(self.time)}) if method == "eth_call" else ()
        return self.rpc.request(method, *params, *more)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        return [self.request(method, *params) for method, params in calls]
