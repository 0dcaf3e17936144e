"""The bench with an upkeep whose purse is filled, and somebody who makes steps through it at any base fee."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ballast.units import GWEI, WAD
from lab.localnet.rpc import receipt_of
from tests.contracts.upkeep.scene import NOBODY, TERMS, deploy_upkeep
from tests.helpers.bench import ACTIONS, KINDS, NOTICE, PERIOD, Bench
from tests.helpers.chain import GAS, Receipt
from tests.helpers.contracts import Call, Contract
from tests.helpers.filling import batch, order
from tests.helpers.fund import EXECUTION, PERIOD_END

LEDGER = 2
"""Slot of the upkeep's ledger: owner and pending owner come first."""
ETH_PRICE = 2_000 * WAD
PURSE = 50 * WAD
BASE_FEE = 30 * GWEI
CAP = TERMS[2]
FULL = EXECUTION + 1_800
"""The bucket is full."""


@dataclass(frozen=True)
class Payment:
    """A step's receipt: its gas, the base fee, and what was paid: shares and the wei that they count for."""

    gas: int
    base_fee: int
    shares: int
    amount: int

    @property
    def cost(self) -> int:
        """Wei, without a tip."""
        return self.gas * self.base_fee


@dataclass(frozen=True)
class Payer:
    """`caller` makes the steps, `payee` is paid."""

    bench: Bench
    upkeep: Contract
    caller: str
    payee: str

    def send(self, call: Call, at: int, base_fee: int = BASE_FEE) -> Receipt:
        """Sends it without a tip in a block of that time and base fee."""
        rpc = self.bench.chain.rpc
        rpc.request("anvil_setNextBlockBaseFeePerGas", hex(base_fee))
        rpc.request("evm_setNextBlockTimestamp", at)
        request = {
            "from": self.caller,
            "to": call.to,
            "data": "0x" + call.data.hex(),
            "gas": hex(GAS),
            "maxFeePerGas": hex(10**13),
            "maxPriorityFeePerGas": "0x0",
        }
        return receipt_of(rpc, rpc.request("eth_sendTransaction", request))

    def made(self, call: Call, at: int, base_fee: int = BASE_FEE) -> Payment:
        """Sends it; it must succeed, and what was paid must have arrived."""
        before = self.shares(self.payee)
        receipt = self.send(call, at, base_fee)
        assert int(receipt["status"], 16) == 1, self.bench.chain._why(call, self.caller, at, self.bench.chain.now())
        events = self.upkeep.events(receipt, "Paid")
        assert len(events) <= 1
        shares, amount = (events[0].shares, events[0].amount) if events else (0, 0)
        assert self.shares(self.payee) - before == shares
        if events:
            assert events[0].payee == self.payee
        assert int(receipt["effectiveGasPrice"], 16) == base_fee
        return Payment(int(receipt["gasUsed"], 16), base_fee, shares, amount)

    def perform(self, action: str, period: int = PERIOD, payee: str | None = None) -> Call:
        return self.upkeep.perform(ACTIONS.index(action), period, self.payee if payee is None else payee)

    def trade(self, at: int, value: int | None = None, **more: Any) -> Call:
        """A batch of that value (share of NAV) that pays the least, or as large as the bucket lets it be."""
        sells, pays = batch(self.bench, at, value)
        return self.upkeep.trade(order(self.bench, sells, pays, **more), self.payee)

    def shares(self, account: str | Contract) -> int:
        return int(self.bench.chain.read(self.bench.index.balanceOf(account)))

    def to(self, action: str, *, paid: bool = False) -> int:
        """To where a step is due, by plain calls or by such as are paid; when."""
        for before, at in (("Determine", NOTICE), ("Start", EXECUTION)):
            if action == before:
                return at
            if paid:
                self.made(self.perform(before), at)
            else:
                self.bench.chain.send(self.plain(before, at), self.caller, at=at)
        return FULL if action == "Trade" else PERIOD_END + 1

    def remember(self, price: int, at: int) -> None:
        """Writes a price of that time into the ledger, as somebody's step would have."""
        word = (price | at << 96).to_bytes(32, "big")
        self.bench.chain.rpc.request("anvil_setStorageAt", self.upkeep.address, hex(LEDGER), "0x" + word.hex())
        assert self.bench.chain.read(self.upkeep.purse(), at=at).price == price

    def step(self, action: str, at: int) -> Call:
        return self.trade(at) if action == "Trade" else self.perform(action)

    def plain(self, action: str, at: int) -> Call:
        """The rebalancer's own function."""
        rebalancer = self.bench.rebalancer
        if action == "Trade":
            return rebalancer.trade(order(self.bench, *batch(self.bench, at)))
        calls = {"Determine": rebalancer.determine, "Start": rebalancer.start, "Close": rebalancer.close}
        return calls[action]()


def fill(payer: Payer, shares: int = PURSE) -> None:
    """Puts shares into the purse."""
    bench = payer.bench
    bench.chain.send(bench.index.transfer(payer.upkeep, shares), bench.holder, at=bench.chain.now())


def post_ether(bench: Bench, price: int = ETH_PRICE) -> None:
    """Posts the oracle's price of ether, USD with 18 decimals."""
    bench.chain.send(bench.oracle.post([NOBODY], [price]), bench.keeper, at=bench.chain.now())


def payer_of(bench: Bench, terms: tuple[int, ...] = TERMS) -> Payer:
    """A payer with a full purse; the payee has shares already, as whoever does it every month has."""
    chain = bench.chain
    payer = Payer(
        bench, deploy_upkeep(bench, owner=bench.owner, terms=terms), chain.account("caller"), chain.account("payee")
    )
    post_ether(bench)
    fill(payer)
    chain.send(bench.index.transfer(payer.payee, WAD), bench.holder, at=chain.now())
    return payer


def share_price(bench: Bench) -> int:
    """Wei for a whole share, up, at KINDS' prices."""
    held = zip(bench.holdings(), KINDS, strict=True)
    value = sum(-(-balance * kind.price // 10**kind.decimals) for balance, kind in held)
    nav = -(-value * WAD // bench.chain.read(bench.index.totalSupply()))
    return int(-(-nav * WAD // ETH_PRICE))
