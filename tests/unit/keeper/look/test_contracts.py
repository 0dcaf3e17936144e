"""Calldata and answers of the fund's contracts, held against web3's."""

from __future__ import annotations

import pytest
from eth_abi import encode
from web3 import Web3

from ballast.abi import types_of
from keeper.look import contracts

PAIRS = [Web3.to_checksum_address("0x" + digits * 20) for digits in ("ab", "cd")]


def test_calldata_is_what_web3_makes() -> None:
    lens = Web3().eth.contract(abi=contracts.abi("FundLens"))
    expected = lens.functions.fundAndPools(PAIRS[0], PAIRS)._encode_transaction_data()
    assert contracts.call_data("FundLens", "fundAndPools", PAIRS[0], PAIRS) == expected
    with pytest.raises(KeyError, match="no function nothing"):
        contracts.call_data("FundLens", "nothing")


def test_structs_have_names_and_addresses_checksums() -> None:
    (candidates,) = [entry for entry in contracts.abi("MarketCap") if entry.get("name") == "candidates"]
    types = types_of(candidates["outputs"])
    names = [part["name"] for part in candidates["outputs"][0]["components"]]
    row = tuple(
        PAIRS[0].lower() if kind == "address" else 1 if "int" in kind else False
        for kind in types[0].removesuffix("[]").strip("()").split(",")
    )
    (found,) = contracts.returned("MarketCap", "candidates", "0x" + encode(types, [[row, row]]).hex())
    assert len(found) == 2 and list(found[0]._fields) == names
    assert PAIRS[0] in found[0] and PAIRS[0].lower() not in found[0]
    assert type(found[0]) is type(found[1])


@pytest.mark.parametrize("answer", ["0x", "0x12", "0x" + "ff" * 64])
def test_what_is_no_answer_of_the_contract(answer: str) -> None:
    with pytest.raises(ValueError, match="fundAndPools: the answer is not what FundLens returns"):
        contracts.returned("FundLens", "fundAndPools", answer)
