"""Access lists: what a transaction touches, given beforehand, makes it cheaper."""

from __future__ import annotations

import pytest
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint, RPCResponse

from keeper.look import contracts
from keeper.sending import access
from tests.keeper.deployed_fund import Field

FROM, TO, TOKEN = ("0x" + digit * 40 for digit in "123")
KEYS = ["0x" + f"{n:064x}" for n in range(25)]


def entry(address: str, keys: int) -> dict[str, object]:
    return {"address": address, "storageKeys": KEYS[:keys]}


def test_what_is_warm_anyway_is_listed_only_for_many_slots() -> None:
    # An account costs 2,400 and saves nothing where it is warm; each of its slots saves 100.
    found = access.worthwhile([entry(TO, 24), entry(TOKEN, 0), entry(FROM, 25)], (FROM, TO))
    assert [(e["address"].lower(), len(e["storageKeys"])) for e in found] == [(TOKEN, 0), (FROM, 25)]


@pytest.mark.parametrize(
    "answer", [{"error": {"code": -32601, "message": "no such method"}}, {"result": {"error": "reverted"}}]
)
def test_a_node_that_does_not_say_gives_an_empty_list(answer: RPCResponse) -> None:
    class Silent(HTTPProvider):
        def make_request(self, method: RPCEndpoint, params: object) -> RPCResponse:
            assert method == "eth_createAccessList" and params
            return answer

    assert access.listed(Web3(Silent()), {"from": FROM, "to": TO, "data": "0x"}) == ()


def test_a_listed_transaction_takes_less_gas(field: Field, test_isolation: None) -> None:
    field.to_determination()
    rebalancer = Web3.to_checksum_address(field.book["rebalancer"])
    contract = field.w3.eth.contract(address=rebalancer, abi=contracts.abi("Rebalancer"))
    data = contract.functions.determine()._encode_transaction_data()
    request = {"from": field.account.address, "to": rebalancer, "data": data}
    plain = field.w3.eth.estimate_gas(request)  # type: ignore[arg-type]
    listed = access.listed(field.w3, request)
    assert len(listed) > 10
    with_list = field.w3.eth.estimate_gas(request | {"accessList": listed})  # type: ignore[arg-type]
    assert plain * 95 // 100 < with_list < plain * 995 // 1_000
