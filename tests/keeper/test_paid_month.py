"""A month that the keeper carries through the fund's upkeep, paid out of the streaming fee."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3
from web3.logs import DISCARD

from ballast.fund_file import FundConfig
from ballast.parts import Upkeep
from ballast.units import ETHER, GWEI, WAD
from keeper.check.account import ether
from keeper.look import contracts
from keeper.sending.simulate import Call
from keeper.sending.upkeep import UpkeepCalls
from keeper.state import Phase, Reason
from lab.localnet.world import World
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.keeper.deployed_fund import Field, deployed
from tests.keeper.test_commands import Keeper

PART = WAD // 5
TERMS = Upkeep(part=PART, least_sale=WAD // 1000, max_base_fee=200 * GWEI, monthly=5 * ETHER)


def with_upkeep(config: FundConfig) -> FundConfig:
    return config.model_copy(update={"upkeep": TERMS, "streaming_fee": 95 * WAD // 10_000})


@dataclass(frozen=True)
class Carried:
    """The month, its payee, and what the payee had before."""

    field: Field
    chain: Chain
    upkeep: Contract
    index: Contract
    payee: str

    def steps(self) -> dict[str, list[Any]]:
        """Receipts of the month's steps, by event."""
        names = ("Determined", "Started", "Traded")
        return {
            name: [self.field.w3.eth.get_transaction_receipt(e["transactionHash"]) for e in self.field.events(name)]
            for name in names
        }

    def paid(self, receipt: Any) -> Any:
        """The payment in a receipt."""
        contract = self.field.w3.eth.contract(
            address=Web3.to_checksum_address(self.upkeep.address), abi=contracts.abi("Upkeep")
        )
        found = contract.events.Paid().process_receipt(receipt, errors=DISCARD)
        assert len(found) == 1, f"{len(found)} payments in {receipt['transactionHash'].to_0x_hex()}"
        return found[0]["args"]


@pytest.fixture(scope="module")
def carried(
    module_isolation: None, chain: Chain, world: World, w3: Web3, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Carried]:
    folder: Path = tmp_path_factory.mktemp("paid month")
    payee = chain.account("payee of the month")
    with deployed(world, w3, folder, change=with_upkeep) as field:
        upkeep, index = chain.at("Upkeep", field.book["upkeep"]), chain.at("IndexToken", field.book["index_token"])
        field.to_determination()
        # What has accrued until now, of which a fifth is for the upkeep; anybody divides it.
        split = chain.at("FeeSplit", field.book["fee_split"])
        (event,) = split.events(chain.send(split.split(), payee), "Split")
        assert event.toUpkeep > 0 and event.toUpkeep * 5 <= event.toUpkeep + event.toRecipient
        with field.keeper(folder, BALLAST_PAYEE=payee) as keeper:
            keeper.to_trading()
            keeper.to_the_end()
        yield Carried(field, chain, upkeep, index, payee)


def test_every_step_went_through_the_upkeep_and_was_paid(carried: Carried) -> None:
    state = carried.field.state()
    assert (state.phase, state.reason) == (Phase.IDLE, Reason.DONE)
    steps = carried.steps()
    assert len(steps["Determined"]) == len(steps["Started"]) == 1 and len(steps["Traded"]) > 3
    shares = cost = amount = 0
    for receipt in (receipt for receipts in steps.values() for receipt in receipts):
        assert receipt["to"] == carried.upkeep.address and receipt["from"] == carried.field.account.address
        paid = carried.paid(receipt)
        assert paid["payee"] == carried.payee and paid["period"] == state.month_period
        base_fee = carried.field.w3.eth.get_block(receipt["blockNumber"])["baseFeePerGas"]
        assert paid["amount"] <= receipt["gasUsed"] * base_fee * 11 // 10
        shares, amount = shares + paid["shares"], amount + paid["amount"]
        cost += receipt["gasUsed"] * base_fee
    # The payee's balance, read back, is what was paid. Of what its pools take the keeper is paid four fifths.
    assert carried.chain.read(carried.index.balanceOf(carried.payee)) == shares > 0
    assert cost * 93 // 100 < amount <= cost * 11 // 10
    assert carried.chain.read(carried.upkeep.purse()).left == TERMS.monthly - amount


def test_nothing_but_shares_is_left_at_the_upkeep(carried: Carried, world: World) -> None:
    for token in (*(token.address for token in world.tokens), world.weth):
        assert carried.chain.read(carried.chain.at("ReferenceToken", token).balanceOf(carried.upkeep)) == 0


def test_check_tells_what_the_purse_pays(
    carried: Carried,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    test_isolation: None,
) -> None:
    keeper, chain, upkeep = Keeper(carried.field, tmp_path, monkeypatch, capsys), carried.chain, carried.upkeep

    def line() -> tuple[str, str]:
        (found,) = [line for line in json.loads(keeper("check", "--json").stdout)["lines"] if line["check"] == "upkeep"]
        return found["level"], found["text"]

    purse = chain.read(upkeep.purse())
    worth = purse.shares * purse.price // WAD
    level, text = line()
    assert f"{purse.shares / WAD:.4g} shares, worth {ether(worth)}" in text
    assert f"{ether(purse.left)} of 5 ETH left of this month" in text
    assert level == "ok"
    owner, held = chain.impersonate(carried.field.book["timelock"]), chain.read(carried.index.balanceOf(upkeep))
    chain.send(upkeep.withdraw(carried.index, owner, held), owner)
    assert line() == ("warning", "the purse is empty: steps are done all the same, unpaid")
    carried.field.rpc.request("anvil_setCode", upkeep.address, "0x60006000fd")
    level, text = line()
    assert level == "warning" and text.startswith("the purse cannot be read: upkeep: ")


def test_with_an_empty_purse_the_fund_is_called_directly(
    carried: Carried, tmp_path: Path, test_isolation: None
) -> None:
    """The next month: the owner has taken the purse back."""
    field, chain = carried.field, carried.chain
    owner = chain.impersonate(field.book["timelock"])
    held = chain.read(carried.index.balanceOf(carried.upkeep))
    chain.send(carried.upkeep.withdraw(carried.index, owner, held), owner)
    with field.keeper(tmp_path, BALLAST_PAYEE=carried.payee) as keeper:
        field.clock.jump(field.state().next)
        keeper.until(lambda: field.state().phase is Phase.DETERMINED)
    last = field.w3.eth.get_transaction(field.events("Determined")[-1]["transactionHash"])
    assert (last["from"], last["to"]) == (field.account.address, field.book["rebalancer"])


def test_an_upkeep_that_fails_stops_nothing(carried: Carried, test_isolation: None) -> None:
    """Where the book's upkeep is something else, or its step would revert, the plain call is sent."""
    field = carried.field
    field.clock.jump(field.state().next)
    head, state = field.chain.head(), field.state()
    calls = UpkeepCalls(field.w3, field.book, field.account.address, carried.payee)
    plain = Call("determine", state.period, field.book["rebalancer"], "0x")
    through = calls.instead_of(plain, head, state, None, None)
    assert through.to == field.book["upkeep"] and not through.listed
    wrong = Call("determine", state.period - 1, field.book["rebalancer"], "0x")
    assert calls.instead_of(wrong, head, state, None, None) is wrong
    field.rpc.request("anvil_setCode", field.book["upkeep"], "0x60006000fd")
    head = field.chain.head()
    assert calls.instead_of(plain, head, state, None, None) is plain
