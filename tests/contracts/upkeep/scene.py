"""A fund with its upkeep, as a keeper network sees it, and an account without any role that performs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_abi import encode

from ballast.units import ETHER, GWEI, WAD
from ballast.values import NO_ADDRESS
from tests.helpers.bench import ACTIONS, Bench
from tests.helpers.chain import Receipt
from tests.helpers.contracts import Call, Contract
from tests.helpers.fund import Fund
from tests.helpers.reverts import assert_reverts, failure

PERFORMED = ("Determine", "Start", "Close")
NOBODY = NO_ADDRESS
TERMS = (WAD // 10, 5 * WAD // 1000, 100 * GWEI, 2 * ETHER)
"""Premium 10 %, least sale 0.5 % of NAV, base fee up to 100 gwei, 2 ether a month."""


def performing(action: str, period: int, payee: str = NOBODY) -> bytes:
    """The data that names an action of a period."""
    return encode(["uint256", "uint256", "address"], [ACTIONS.index(action), period, payee])


def deploy_upkeep(fund: Bench | Fund, *, owner: str, terms: tuple[int, ...] = TERMS) -> Contract:
    """An upkeep before a fund, with nothing in its purse."""
    return fund.chain.deploy("Upkeep", fund.rebalancer, owner, terms, sender=fund.deployer)


@dataclass(frozen=True)
class Scene:
    """The fund, its upkeep, and `anybody`."""

    bench: Bench
    upkeep: Contract
    anybody: str

    def check(self, at: int | None = None) -> tuple[bool, bytes]:
        """What `checkUpkeep` answers in a block of that time."""
        needed, data = self.bench.chain.read(self.upkeep.checkUpkeep(b""), sender=self.anybody, at=at)
        return needed, data

    def period(self, action: str, at: int | None = None) -> int:
        """The period that an action would belong to in a block of that time, by the fund's own views."""
        rebalancer = self.bench.rebalancer
        if action == "Determine":
            return int(self.bench.chain.read(rebalancer.currentPeriod(), at=at))
        return int(self.bench.chain.read(rebalancer.month()).period)

    def perform(self, data: bytes, at: int) -> Receipt:
        """Sends it as anybody."""
        return self.bench.chain.send(self.upkeep.performUpkeep(data), self.anybody, at=at)

    def plain(self, action: str) -> Call:
        """The rebalancer's own function."""
        calls = {
            "Determine": self.bench.rebalancer.determine,
            "Start": self.bench.rebalancer.start,
            "Close": self.bench.rebalancer.close,
        }
        return calls[action]()

    def refused(self, data: bytes, at: int, error: str, *args: Any, passed_on: bool = False) -> None:
        """It reverts with exactly this error, of the rebalancer if it is `passed_on`."""
        of = self.bench.rebalancer if passed_on else self.upkeep
        call = self.upkeep.performUpkeep(data)
        assert_reverts(self.bench.chain, call, error, *args, sender=self.anybody, at=at, of=of)

    def fails(self, data: bytes, at: int) -> bytes:
        """It reverts; with what."""
        return failure(self.bench.chain, self.upkeep.performUpkeep(data), sender=self.anybody, at=at)
