"""Files for Safe's Transaction Builder."""

from __future__ import annotations

from ballast.steering.operations import TimelockCall
from ballast.steering.safe import batch_file, checksum
from tests.unit.ballast.steering.fund import AT, PROPOSER


def _part(kind: str, name: str) -> dict[str, str]:
    return {"internalType": kind, "name": name, "type": kind}


def test_the_checksum_of_a_file_that_the_builder_wrote() -> None:
    """Published with one of its batches: USDC's approve, on mainnet, builder 1.18.2."""
    written = {
        "version": "1.0",
        "chainId": "1",
        "createdAt": 1761326849944,
        "meta": {
            "name": "Transactions Batch",
            "description": "",
            "txBuilderVersion": "1.18.2",
            "createdFromSafeAddress": "0xA77DE01e157f9f57C7c4A326eeE9C4874D0598b6",
            "createdFromOwnerAddress": "",
            "checksum": "0x8b5032f716845c8b08bab3d63dbd9ba92e056f3557793cd041e59b84e16aa989",
        },
        "transactions": [
            {
                "to": "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
                "value": "0",
                "data": None,
                "contractMethod": {
                    "inputs": [_part("address", "spender"), _part("uint256", "value")],
                    "name": "approve",
                    "payable": False,
                },
                "contractInputsValues": {
                    "spender": "0x474e5Ded6b5D078163BFB8F6dBa355C3aA5478C8",
                    "value": "100000000000",
                },
            }
        ],
    }
    assert checksum(written) == written["meta"]["checksum"]  # type: ignore[index]


def test_calls_as_a_file() -> None:
    calls = (TimelockCall(AT["timelock"], 0, b"\x01\x02\x03\x04"), TimelockCall(AT["timelock"], 7, b""))
    found = batch_file(calls, 10, 1_700_000_000, "Fund: propose", "Schedule 1 call", PROPOSER)
    assert (found["version"], found["chainId"], found["createdAt"]) == ("1.0", "10", 1_700_000_000_000)
    assert found["meta"]["createdFromSafeAddress"] == PROPOSER
    assert found["meta"]["checksum"] == checksum(found)
    assert found["transactions"] == [
        {"to": AT["timelock"], "value": value, "data": data, "contractMethod": None, "contractInputsValues": None}
        for value, data in (("0", "0x01020304"), ("7", "0x"))
    ]
    # As the builder: the name may be changed, nothing else.
    renamed = {**found, "meta": {**found["meta"], "name": "another"}}
    other = {**found, "chainId": "1"}
    assert checksum(renamed) == checksum(found) != checksum(other)
