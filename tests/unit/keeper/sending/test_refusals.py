"""What nodes say to a transaction, in the words of their clients, and what it means."""

from __future__ import annotations

import pytest
import requests
from web3.exceptions import Web3RPCError

from keeper.errors import (
    ChainError,
    InsufficientFundsError,
    KeeperError,
    NonceTooHighError,
    NonceTooLowError,
    RejectedError,
    ReplacementUnderpricedError,
    RevertedError,
    UnderpricedError,
)
from keeper.sending.refusals import refusal

ACCOUNT = "0x" + "aa" * 20


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("already known", None),
        ("AlreadyKnown", None),
        ("Known transaction", None),
        ("transaction already imported", None),
        ("nonce too low: next nonce 7, tx nonce 5", NonceTooLowError),
        ("OldNonce, Current nonce: 7, nonce of rejected tx: 5.", NonceTooLowError),
        ("nonce too high", NonceTooHighError),
        ("NonceGap, Future nonce. Expected nonce: 5", NonceTooHighError),
        ("replacement transaction underpriced", ReplacementUnderpricedError),
        ("ReplacementNotAllowed", ReplacementUnderpricedError),
        ("transaction underpriced: tip needed 2, tip permitted 1", UnderpricedError),
        ("max fee per gas less than block base fee: address 0xaa, maxFeePerGas: 1, baseFee: 2", UnderpricedError),
        ("FeeTooLow, MaxFeePerGas too low", UnderpricedError),
        ("insufficient funds for gas * price + value: balance 1, tx cost 2", InsufficientFundsError),
        ("Upfront cost exceeds account balance", InsufficientFundsError),
        ("execution reverted: NotDue", RevertedError),
        ("intrinsic gas too low: gas 1, minimum needed 21000", RejectedError),
        ("exceeds block gas limit", RejectedError),
        ("tx fee (2.00 ether) exceeds the configured cap (1.00 ether)", ChainError),
        ("txpool is full", ChainError),
        ("rate limit exceeded", ChainError),
        ("", ChainError),
    ],
)
def test_words_of_clients(text: str, kind: type[KeeperError] | None) -> None:
    found = refusal(Web3RPCError(text), "sending trade", ACCOUNT)
    assert type(found) is (type(None) if kind is None else kind)
    if found is not None:
        assert "sending trade" in str(found)


def test_no_answer_is_no_refusal() -> None:
    error = requests.exceptions.ReadTimeout("https://host/secret-key")
    found = refusal(error, "sending trade", ACCOUNT)
    assert type(found) is ChainError and "secret" not in str(found) and "does not answer" in str(found)
