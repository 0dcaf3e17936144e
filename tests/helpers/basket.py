"""A small index token alone: three odd tokens, a scripted contract as its rebalancer, plain accounts in all roles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import HealthCheck, settings

from ballast.units import WAD
from tests.helpers.chain import Chain, Receipt
from tests.helpers.contracts import Call, Contract
from tests.helpers.fund import FOREVER, create_index

DECIMALS = (6, 18, 0)
UNITS = (123_457, 10**18 + 7, 3)
SEEDED = 1000 * WAD
FEE = 95 * WAD // 10_000
CAP = 10**6
"""Supply cap in whole shares."""

# A test's examples follow each other on one chain: its assertions must hold from any state.
FUZZ = settings(
    max_examples=25, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass(frozen=True)
class Basket:
    """The index token and the accounts around it. `holder` was given all seeded shares but the locked ones."""

    chain: Chain
    index: Contract
    tokens: tuple[Contract, ...]
    rebalancer: Contract
    deployer: str
    owner: str
    recipient: str
    holder: str

    @property
    def addresses(self) -> list[str]:
        return [token.address for token in self.tokens]

    def balances(self, account: str | Contract) -> list[int]:
        return [self.chain.read(token.balanceOf(account)) for token in self.tokens]

    def supply(self, at: int | None = None) -> int:
        """The supply, pending fee included."""
        supply: int = self.chain.read(self.index.totalSupply(), at=at)
        return supply

    def minted(self) -> int:
        """The shares that accounts hold: the supply without the pending fee."""
        return self.supply() - int(self.chain.read(self.index.pendingFee()))

    def shares(self, account: str) -> int:
        shares: int = self.chain.read(self.index.balanceOf(account))
        return shares

    def mint(self, shares: int, to: str, most: Sequence[int] | None = None) -> Call:
        """Mint to `to` with these limits, or none."""
        return self.index.mint(shares, to, self.addresses, list(most or [FOREVER] * 3))

    def redeem(self, shares: int, to: str, least: Sequence[int] = (0, 0, 0), skip: int = 0) -> Call:
        """Redeem to `to` with these limits, or none."""
        return self.index.redeem(shares, to, self.addresses, list(least), skip)

    def fund(self, account: str, wei: int = 10**30) -> str:
        """Gives the account `wei` of each token and has it approve the index token; the account."""
        for token in self.tokens:
            self.chain.send(token.mint(account, wei), account)
            self.chain.send(token.approve(self.index, FOREVER), account)
        return account

    def locked(self, *steps: Call) -> Call:
        """One call in which the rebalancer takes the lock, does these steps and gives the lock back."""
        return self.script(self.index.lock(), *steps, self.index.unlock())

    def script(self, *steps: Call) -> Call:
        """One call in which the rebalancer does these steps; the revert of one is that of the call."""
        return self.rebalancer.run([(step.to, step.data, False) for step in steps])

    def attempts(self, *steps: Call) -> Call:
        """Tries these steps under the lock: each leaves an event Tried of the rebalancer."""
        lock, unlock = self.index.lock(), self.index.unlock()
        tries = [(step.to, step.data, True) for step in steps]
        return self.rebalancer.run([(lock.to, lock.data, False), *tries, (unlock.to, unlock.data, False)])

    def accrue(self, at: int) -> Receipt:
        """Writes the accrual at this time, without any other change."""
        return self.chain.send(
            self.index.setStreamingFee(self.chain.read(self.index.streamingFee())), self.owner, at=at
        )


def build_basket(chain: Chain, *, fee: int = FEE, seeded: bool = True) -> Basket:
    """Deploys the basket; seeded with SEEDED shares at UNITS."""
    deployer, owner, recipient, holder = map(chain.account, ("deployer", "owner", "fee recipient", "holder"))
    deployed = [chain.deploy("OddToken", decimals, sender=deployer) for decimals in DECIMALS]
    tokens = tuple(sorted(deployed, key=lambda token: int(token.address, 16)))
    rebalancer = chain.deploy("ScriptedFiller", sender=deployer)
    index = create_index(chain, deployer, rebalancer.address, owner, recipient, fee=fee, supply_cap=CAP)
    basket = Basket(chain, index, tokens, rebalancer, deployer, owner, recipient, holder)
    basket.fund(deployer)
    if seeded:
        chain.send(index.seed(basket.addresses, list(UNITS), SEEDED, holder), deployer)
    return basket
