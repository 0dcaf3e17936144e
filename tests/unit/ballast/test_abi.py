"""Calls and answers, held against web3's."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi import encode
from eth_abi.exceptions import DecodingError, EncodingError
from web3 import Web3

from ballast.abi import (
    call_data,
    decode_values,
    decode_view,
    describe_revert,
    encode_call,
    errors_of,
    record,
    selector,
    signature,
    topic,
    type_of,
)

A, B = (Web3.to_checksum_address("0x" + digits * 20) for digits in ("ab", "cd"))


def field(kind: str, name: str = "", *components: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "type": kind, "components": list(components)}


LEG = [field("address", "token"), field("uint256[]", "amounts")]
ORDER = field("tuple[]", "orders", field("tuple[2]", "legs", *LEG), field("bool", "from"))
TRADE: dict[str, Any] = {
    "type": "function",
    "name": "trade",
    "inputs": [ORDER, field("address[]", "payers")],
    "outputs": [],
    "stateMutability": "nonpayable",
}
SIGNATURE = "trade(((address,uint256[])[2],bool)[],address[])"
ORDERS = [([(A, [1, 2]), (B, [])], True)]
ERRORS: list[dict[str, Any]] = [
    {"type": "error", "name": "NotDue", "inputs": [field("uint8", "action"), field("uint8", "reason")]},
    {"type": "error", "name": "Locked", "inputs": []},
]


def test_types_and_signatures_write_structs_out() -> None:
    assert type_of(ORDER) == "((address,uint256[])[2],bool)[]"
    assert signature(TRADE) == SIGNATURE
    assert selector("transfer(address,uint256)").hex() == "a9059cbb"
    assert selector(TRADE) == selector(SIGNATURE)
    assert topic("Transfer(address,address,uint256)").startswith("0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628")
    assert topic({"type": "event", **ERRORS[1]}) == topic("Locked()")


def test_calls_are_what_web3_makes() -> None:
    contract = Web3().eth.contract(abi=[TRADE])
    expected = contract.functions.trade(ORDERS, [B])._encode_transaction_data()
    assert call_data(TRADE, ORDERS, [B]) == call_data(SIGNATURE, ORDERS, [B]) == expected
    assert encode_call(SIGNATURE, ORDERS, [B]) == bytes.fromhex(expected[2:])
    assert call_data("sync()") == "0xfff6cae9"


@pytest.mark.parametrize("args", [(), (1, 2), (-1,), ("1",)])
def test_arguments_that_do_not_fit(args: tuple[Any, ...]) -> None:
    with pytest.raises(EncodingError):
        call_data("f(uint256)", *args)


def test_values_have_names_lists_and_checksums() -> None:
    data = encode([type_of(ORDER), "address[]", "uint8[2][]"], [ORDERS, [A.lower()], [[1, 2]]])
    orders, payers, pairs = decode_values([*TRADE["inputs"], field("uint8[2][]")], data)
    (order,) = orders
    assert order.legs[0].token == A and order.legs[0].amounts == [1, 2] and order.legs[1].amounts == []
    assert order[1] is True and order._fields == ("legs", "_1"), "a name that Python keeps for itself"
    assert type(order.legs[0]) is type(order.legs[1])
    assert payers == [A] and pairs == [[1, 2]]
    with pytest.raises(DecodingError):
        decode_values([ORDER], data[:40])


def test_a_record_has_the_names_of_its_parameters() -> None:
    assert record(LEG, [A, [1]])._asdict() == {"token": A, "amounts": [1]}


def test_reverts_have_the_name_of_their_error() -> None:
    errors = errors_of([TRADE, *ERRORS])
    assert set(errors) == {selector("NotDue(uint8,uint8)"), selector("Locked()")}
    not_due = encode_call("NotDue(uint8,uint8)", 4, 2)
    assert describe_revert(not_due, errors) == ("0x" + not_due[:4].hex(), "NotDue", "(4, 2)")
    assert describe_revert(encode_call("Error(string)", "no"), {}) == ("0x08c379a0", "Error", "(no)")
    assert describe_revert(encode_call("Error(string)", "no")[:36], {}) == ("0x08c379a0", "Error", "")
    assert describe_revert(encode_call("Locked()"), {})[1:] == ("", "")
    assert describe_revert(b"\x01\x02\x03", errors) == ("", "", "")


@pytest.mark.parametrize("answer", [b"", b"\x01", b"\xff" * 32])
def test_a_view_that_answers_nothing_sound(answer: bytes) -> None:
    assert decode_view(answer, ["string"]) is None
    assert decode_view(encode(["uint256", "bool"], [7, True]), ["uint256", "bool"]) == (7, True)
