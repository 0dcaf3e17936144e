"""The share as an ERC-20 with EIP-2612 permits."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account

from ballast.units import DAY_S, WAD
from tests.helpers.basket import Basket
from tests.helpers.contracts import Call
from tests.helpers.fund import ANYONE
from tests.helpers.reverts import assert_reverts

SIGNER = Account.from_key(bytes(31) + b"\x07")
FIELDS = ("owner", "spender", "value", "nonce", "deadline")
TYPES = ("address", "address", "uint256", "uint256", "uint256")


def permit(basket: Basket, *, deadline: int, signer: Any = SIGNER, **changes: Any) -> Call:
    """A permit of 5 shares from SIGNER to the holder, signed by `signer`; `changes` to what is signed."""
    index, chain = basket.index, basket.chain
    message = {
        "owner": SIGNER.address,
        "spender": basket.holder,
        "value": 5 * WAD,
        "nonce": chain.read(index.nonces(SIGNER.address)),
        "deadline": deadline,
    }
    domain = {"name": "Ballast", "version": "1", "chainId": 1, "verifyingContract": index.address}
    kinds = {"Permit": [{"name": name, "type": kind} for name, kind in zip(FIELDS, TYPES, strict=True)]}
    domain |= {key: value for key, value in changes.items() if key in domain}
    signed = signer.sign_typed_data(
        domain, kinds, message | {key: value for key, value in changes.items() if key in message}
    )
    r, s = signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")
    return index.permit(SIGNER.address, basket.holder, 5 * WAD, deadline, signed.v, r, s)


def test_signature_gives_the_allowance(basket: Basket, stranger: str) -> None:
    chain, index, deadline = basket.chain, basket.index, basket.chain.now() + DAY_S
    chain.send(index.transfer(SIGNER.address, 6 * WAD), basket.holder)
    call = permit(basket, deadline=deadline)
    chain.send(call, stranger, at=deadline)  # the last second counts
    assert chain.read(index.allowance(SIGNER.address, basket.holder)) == 5 * WAD
    assert chain.read(index.nonces(SIGNER.address)) == 1
    chain.send(index.transferFrom(SIGNER.address, stranger, 5 * WAD), basket.holder)
    assert basket.shares(stranger) == 5 * WAD
    spend = index.transferFrom(SIGNER.address, stranger, 1)
    arguments = (basket.holder, 0, 1)
    assert_reverts(chain, spend, "ERC20InsufficientAllowance", *arguments, sender=basket.holder)
    # Used once, it is no good any more.
    assert_reverts(chain, call, "ERC2612InvalidSigner", sender=stranger, at=deadline)


def test_expired(basket: Basket, stranger: str) -> None:
    deadline = basket.chain.now() + DAY_S
    call = permit(basket, deadline=deadline)
    assert_reverts(basket.chain, call, "ERC2612ExpiredSignature", deadline, sender=stranger, at=deadline + 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"signer": Account.from_key(bytes(31) + b"\x08")},
        {"value": 6 * WAD},
        {"nonce": 1},
        {"spender": ANYONE},
        {"chainId": 5},
        {"verifyingContract": ANYONE},
        {"name": "Other"},
        {"version": "2"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_anything_else_signed(basket: Basket, stranger: str, changes: dict[str, Any]) -> None:
    call = permit(basket, deadline=basket.chain.now() + DAY_S, **changes)
    _, owner = assert_reverts(basket.chain, call, "ERC2612InvalidSigner", sender=stranger)
    assert owner == SIGNER.address


def test_domain_is_stated(basket: Basket) -> None:
    domain = basket.chain.read(basket.index.eip712Domain())
    assert (domain.name, domain.version, domain.chainId) == ("Ballast", "1", 1)
    assert domain.verifyingContract == basket.index.address


def test_transfers(basket: Basket, stranger: str) -> None:
    chain, index = basket.chain, basket.index
    minted, shares = basket.minted(), basket.shares(basket.holder)
    chain.send(index.transfer(stranger, WAD), basket.holder)
    assert (basket.shares(stranger), basket.shares(basket.holder)) == (WAD, shares - WAD)
    assert basket.minted() == minted
    arguments = (stranger, WAD, WAD + 1)
    call = index.transfer(basket.holder, WAD + 1)
    assert_reverts(chain, call, "ERC20InsufficientBalance", *arguments, sender=stranger)
